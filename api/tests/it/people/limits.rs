use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use playhead_api::limits::LimitSettings;
use serde_json::json;

use super::world::{ADA, PASSWORD, PHONE};
use crate::harness::{Answer, Client, Setup, TestApi};

/// A request from an address.
async fn from(
    client: &Client<'_>,
    address: [u8; 4],
    path: &str,
    form: bool,
    body: String,
) -> Answer {
    let mut request = client.request(path).body(Body::from(body)).unwrap();
    if form {
        let value = "application/x-www-form-urlencoded".parse().unwrap();
        request.headers_mut().insert("content-type", value);
    }
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 1))));
    client.api.send(request).await
}

fn limited() -> Setup {
    Setup { limits: LimitSettings::default(), ..Setup::default() }
}

#[tokio::test]
async fn an_address_tries_twenty_passwords_an_hour() {
    let api = TestApi::start_as(limited()).await;
    let input = format!(r#"{{ email: "{ADA}", password: "wrong", deviceId: "{PHONE}" }}"#);
    let sign_in = format!("signIn(input: {input}) {{ errors {{ code }} }}");
    // Ten in one document count as ten.
    let ten: String = (0..10).map(|n| format!("a{n}: {sign_in} ")).collect();
    let body = |fields: &str| json!({ "query": format!("mutation {{ {fields} }}") }).to_string();
    let (nobody, here) = (api.nobody(), [203, 0, 113, 9]);
    for _ in 0..2 {
        let answer = from(&nobody, here, "/graphql", false, body(&ten)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, "none"));
    }
    let answer = from(&nobody, here, "/graphql", false, body(&sign_in)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"));
    assert_eq!(answer.headers["retry-after"], "180");
    assert_eq!(answer.body["errors"][0]["extensions"]["limit"], "logins_per_address");
    let tv = format!("client_id={PHONE}");
    let answer = from(&nobody, here, "/oauth/device_authorization", true, tv).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body["error"], "temporarily_unavailable");
    assert_eq!(answer.headers["retry-after"], "180");
    let elsewhere = from(&nobody, [203, 0, 113, 10], "/graphql", false, body(&sign_in)).await;
    assert_eq!(elsewhere.status, 200);
    api.clock.advance(180_000);
    let later = from(&nobody, here, "/graphql", false, body(&sign_in)).await;
    assert_eq!(later.status, 200);
}

#[tokio::test]
async fn what_was_done_before_a_limit_was_met_is_answered() {
    let api = TestApi::start_as(limited()).await;
    let input = format!(r#"{{ email: "{ADA}", password: "wrong", deviceId: "{PHONE}" }}"#);
    let sign_in = format!("signIn(input: {input}) {{ errors {{ code }} }}");
    let fields: String = (0..22).map(|n| format!("a{n}: {sign_in} ")).collect();
    // What comes behind the refused ones, and is not limited, is done too.
    let query = format!(
        "mutation {{ {fields} b: verifyEmail(input: {{ code: \"x\" }}) {{ errors {{ code }} }} }}"
    );
    let body = json!({ "query": query }).to_string();
    let answer = from(&api.nobody(), [203, 0, 113, 9], "/graphql", false, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let data = &answer.body["data"];
    for number in 0..20 {
        assert_eq!(data[format!("a{number}")]["errors"][0]["code"], "WRONG_CREDENTIALS");
    }
    assert!(data["a20"].is_null() && data["a21"].is_null());
    assert_eq!(data["b"]["errors"][0]["code"], "CODE_INVALID");
    let errors = answer.body["errors"].as_array().unwrap();
    let paths: Vec<_> = errors.iter().map(|error| error["path"].clone()).collect();
    assert_eq!(paths, [json!(["a20"]), json!(["a21"])]);
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "RATE_LIMITED"
        && error["extensions"]["retryAfterMs"] == 180_000));
}

#[tokio::test]
async fn tokens_are_asked_for_sixty_times_an_hour_for_each_sign_in() {
    let api = TestApi::start_as(limited()).await;
    let client = api.nobody();
    let refresh = async |token: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        from(&client, [203, 0, 113, 9], "/oauth/token", true, form).await
    };
    let member = api.member(ADA).await;
    let mut fresh = api.nobody();
    let payload = fresh.sign_in(ADA, PASSWORD, PHONE).await;
    let token = crate::harness::text(&payload["tokens"]["refreshToken"]);
    let mut statuses = vec![];
    for _ in 0..61 {
        statuses.push(refresh(&token).await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[59], statuses[60]), (200, 400, 429));
    assert_eq!(refresh("prt1_nonsense").await.status, 400, "only the address counts for it");
    let input = json!({ "input": { "refreshToken": token } });
    let query =
        "mutation($input: RefreshSignInInput!) { refreshSignIn(input: $input) { position } }";
    let answer = fresh.run(query, input).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"));
    assert!(member.may_call().await, "another sign-in goes on");
}

#[tokio::test]
async fn tokens_are_asked_for_once_a_second_from_each_address() {
    let api = TestApi::start_as(limited()).await;
    let client = api.nobody();
    let poll = async |address| {
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id={PHONE}&device_code=x"
        );
        from(&client, address, "/oauth/token", true, form).await.status.as_u16()
    };
    for _ in 0..3_600 {
        assert_eq!(poll([203, 0, 113, 9]).await, 400);
    }
    assert_eq!(poll([203, 0, 113, 9]).await, 429);
    assert_eq!(poll([203, 0, 113, 10]).await, 400);
}

#[tokio::test]
async fn an_address_registers_ten_accounts_an_hour() {
    let api = TestApi::start_as(limited()).await;
    let mut codes = vec![];
    for number in 0..11 {
        let input = format!(r#"{{ email: "p{number}@example.org", password: "{PASSWORD}" }}"#);
        let query = format!("mutation {{ register(input: {input}) {{ email }} }}");
        let body = json!({ "query": query }).to_string();
        let answer = from(&api.nobody(), [203, 0, 113, 9], "/graphql", false, body).await;
        codes.push(answer.status.as_u16());
    }
    assert_eq!((&codes[..10], codes[10]), (&[200; 10][..], 429));
}

#[tokio::test]
async fn an_address_searches_ten_times_a_second() {
    let api = TestApi::start_as(limited()).await;
    let searches = |count: u32| {
        let search = r#"search(query: "x") { totalCount }"#;
        let fields: String = (0..count).map(|n| format!("a{n}: {search} ")).collect();
        json!({ "query": format!("{{ {fields} }}") }).to_string()
    };
    let (nobody, here) = (api.nobody(), [203, 0, 113, 9]);
    let answer = from(&nobody, here, "/graphql", false, searches(10)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, "none"));
    let answer = from(&nobody, here, "/graphql", false, searches(1)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"));
    assert_eq!(answer.body["errors"][0]["extensions"]["limit"], "searches_per_address");
    api.clock.advance(100);
    let later = from(&nobody, here, "/graphql", false, searches(1)).await;
    assert_eq!(later.status, 200);
}

#[tokio::test]
async fn an_account_calls_a_thousand_times_an_hour() {
    let api = TestApi::start_as(limited()).await;
    let client = api.client(1);
    for _ in 0..1_000 {
        assert!(client.may_call().await);
    }
    let answer = client.run("{ __typename }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"));
    assert!(api.client(2).may_call().await);
}
