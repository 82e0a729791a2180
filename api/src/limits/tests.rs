use async_graphql::ServerError;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const NOW_MS: i64 = 1_800_000_000_000;

fn limits() -> Limits {
    Limits::new(&LimitSettings::default(), RandomState::new())
}

fn account(number: u128) -> Who {
    Who { account: Some(AccountId(Uuid::from_u128(number))), ..Who::default() }
}

fn address(text: &str) -> Who {
    Who { address: Some(ClientIp::new(text.parse().unwrap())), ..Who::default() }
}

/// How often somebody may act at one moment, and how they are refused then.
fn burst(limits: &Limits, act: Act, who: &Who, now_ms: i64) -> (usize, Refused) {
    for taken in 0..10_000 {
        if let Decision::Refused(refused) = limits.check(act, who, now_ms) {
            return (taken, refused);
        }
    }
    panic!("{act:?} has no limit");
}

#[test]
fn the_defaults_are_what_the_service_was_specified_with() {
    let device =
        Who { device: Some(playhead_domain::DeviceId(Uuid::from_u128(7))), ..Who::default() };
    let here = address("203.0.113.9");
    let table = [
        (Act::ApiCall, account(1), 1_000, "api_calls_per_user", 3_600),
        (Act::ApiCall, device, 600, "api_calls_per_device", 6_000),
        (Act::PlaybackStart, account(1), 100, "playback_starts_per_user", 36_000),
        (Act::Search, account(1), 500, "searches_per_user", 7_200),
        (Act::Search, here, 10, "searches_per_address", 100),
        (Act::Registration, here, 10, "registrations_per_address", 360_000),
        (Act::Login, here, 20, "logins_per_address", 180_000),
    ];
    let limits = limits();
    for (act, who, taken, name, retry_after_ms) in table {
        let (allowed, refused) = burst(&limits, act, &who, NOW_MS);
        let met = (allowed, refused.limit.name(), refused.retry_after_ms);
        assert_eq!(met, (taken, name, retry_after_ms));
    }
}

#[test]
fn who_waits_as_told_may_act_once_more() {
    let (limits, who) = (limits(), address("203.0.113.9"));
    let (_, refused) = burst(&limits, Act::Login, &who, NOW_MS);
    let later_ms = NOW_MS + i64::try_from(refused.retry_after_ms).unwrap();
    assert_ne!(limits.check(Act::Login, &who, later_ms - 1), Decision::Allowed);
    assert_eq!(limits.check(Act::Login, &who, later_ms), Decision::Allowed);
    assert_ne!(limits.check(Act::Login, &who, later_ms), Decision::Allowed);
}

#[test]
fn what_somebody_does_counts_for_nobody_else_and_for_nothing_else() {
    let limits = limits();
    burst(&limits, Act::Login, &address("203.0.113.9"), NOW_MS);
    burst(&limits, Act::Search, &account(1), NOW_MS);
    for (act, who) in [
        (Act::Login, address("203.0.113.10")),
        (Act::Registration, address("203.0.113.9")),
        (Act::Search, account(2)),
        (Act::ApiCall, account(1)),
    ] {
        assert_eq!(limits.check(act, &who, NOW_MS), Decision::Allowed, "{act:?}");
    }
}

#[test]
fn other_addresses_of_a_customer_with_ipv6_are_no_way_around() {
    let limits = limits();
    burst(&limits, Act::Login, &address("2001:db8:1:2::1"), NOW_MS);
    let login = |text| limits.check(Act::Login, &address(text), NOW_MS);
    assert_ne!(login("2001:db8:1:2:ffff::99"), Decision::Allowed);
    assert_eq!(login("2001:db8:1:3::1"), Decision::Allowed);
}

#[test]
fn what_the_address_is_refused_costs_the_account_nothing() {
    let limits = limits();
    let both = Who { address: address("203.0.113.9").address, ..account(1) };
    let mut allowed = 0;
    for second in 0..50 {
        for _ in 0..100 {
            let decision = limits.check(Act::Search, &both, NOW_MS + second * 1_000);
            allowed += usize::from(decision == Decision::Allowed);
        }
    }
    // 10 at once, then 10 in each of 49 seconds: exactly the account's burst.
    assert_eq!(allowed, 500);
}

#[test]
fn what_has_no_limit_is_always_allowed() {
    let settings = LimitSettings { logins_per_address: None, ..LimitSettings::default() };
    let limits = Limits::new(&settings, RandomState::new());
    let who = address("203.0.113.9");
    assert!((0..1_000).all(|_| limits.check(Act::Login, &who, NOW_MS) == Decision::Allowed));
    // Nobody is known: there is nobody to count for.
    assert_eq!(limits.check(Act::Search, &Who::default(), NOW_MS), Decision::Allowed);
}

#[test]
fn a_flood_of_addresses_neither_grows_the_memory_nor_frees_who_is_limited() {
    let settings = LimitSettings { keys_max: 1_024, ..LimitSettings::default() };
    let limits = Limits::new(&settings, RandomState::new());
    let who = address("203.0.113.9");
    burst(&limits, Act::Login, &who, NOW_MS);
    for number in 0..50_000 {
        let other = Who { address: Some(ClientIp::new(IpAddr::V4(number.into()))), ..who };
        let _ = limits.check(Act::Login, &other, NOW_MS);
    }
    assert_ne!(limits.check(Act::Login, &who, NOW_MS), Decision::Allowed);
    assert!(limits.bytes() <= Limit::ALL.len() * 1_024 * 18, "{}", limits.bytes());
}

#[test]
fn names_of_limits_are_all_different_and_each_has_a_rate() {
    let mut names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Limit::ALL.len());
    let settings = LimitSettings::default();
    assert!(Limit::ALL.iter().all(|limit| settings.rate(*limit).is_some()));
}

async fn read(response: Response) -> (StatusCode, String, Value) {
    let status = response.status();
    let retry_after = response.headers()[RETRY_AFTER].to_str().unwrap().to_owned();
    assert!(response.headers().contains_key(CONTENT_TYPE));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, retry_after, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_refusal_says_which_limit_it_was_and_when_to_come_back() {
    let refused = Refused { limit: Limit::SearchesPerAddress, retry_after_ms: 1_001 };
    let (status, retry_after, body) = read(refused.plain_response()).await;
    assert_eq!((status, retry_after.as_str()), (StatusCode::TOO_MANY_REQUESTS, "2"));
    let facts = json!({
        "code": "RATE_LIMITED", "limit": "searches_per_address", "retryAfterMs": 1_001,
        "message": "too many searches per address; try again in 2 s",
    });
    assert_eq!(body, json!({ "error": facts }));

    let json_type = HeaderValue::from_static("application/graphql-response+json");
    let (status, retry_after, body) = read(refused.graphql_response(json_type)).await;
    assert_eq!((status, retry_after.as_str()), (StatusCode::TOO_MANY_REQUESTS, "2"));
    assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    assert_eq!(body["errors"][0]["extensions"]["limit"], "searches_per_address");
    assert_eq!(body["errors"][0]["extensions"]["retryAfterMs"], 1_001);
    assert_eq!(body["errors"][0], serde_json::to_value(ServerError::from(refused)).unwrap());
}
