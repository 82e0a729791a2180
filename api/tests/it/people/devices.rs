use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::world::{ADA, LAPTOP, PASSWORD, PHONE, done, refusal};
use crate::harness::{Answer, TestApi, text};

const TV: &str = "01890000-0000-7000-8000-000000000009";
/// The parameters of a form.
type Pairs = &'static [(&'static str, &'static str)];

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn codes(api: &TestApi) -> Value {
    let answer = api.form("/oauth/device_authorization", &[("client_id", TV)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn poll(api: &TestApi, device_code: &str) -> Answer {
    let pairs = [("grant_type", GRANT), ("device_code", device_code), ("client_id", TV)];
    api.form("/oauth/token", &pairs).await
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["error"].as_str().unwrap_or("none"))
}

#[tokio::test]
async fn a_television_is_let_in_by_a_phone() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    let codes = codes(&api).await;
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(900), &json!(5)));
    let (device_code, user_code) = (text(&codes["device_code"]), text(&codes["user_code"]));
    assert_eq!(error(&poll(&api, &device_code).await), (400, "authorization_pending"));
    assert_eq!(error(&poll(&api, &device_code).await), (400, "slow_down"));
    let query =
        format!(r#"{{ waitingDevice(userCode: "{}") {{ kind }} }}"#, user_code.to_lowercase());
    assert_eq!(phone.ask(&query).await["waitingDevice"]["kind"], "TV");
    done(&phone.mutate("approveDevice", json!({ "userCode": user_code }), "userCode").await);
    api.clock.advance(20_000);
    let granted = poll(&api, &device_code).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    assert_eq!(granted.headers["cache-control"], "no-store");
    assert_eq!(
        (&granted.body["token_type"], &granted.body["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );
    let mut tv = api.nobody();
    tv.token = Some(text(&granted.body["access_token"]));
    assert_eq!(tv.me("email").await["email"], ADA);
    api.clock.advance(20_000);
    assert_eq!(error(&poll(&api, &device_code).await), (400, "invalid_grant"));
    let refresh_token = text(&granted.body["refresh_token"]);
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    let refreshed = api.form("/oauth/token", &pairs).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let reused = api.form("/oauth/token", &pairs).await;
    assert_eq!(error(&reused), (400, "invalid_grant"));
    assert_eq!(reused.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn codes_and_tokens_are_of_use_to_the_client_alone_that_they_were_issued_to() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    let codes = codes(&api).await;
    let user_code = json!({ "userCode": codes["user_code"] });
    done(&phone.mutate("approveDevice", user_code, "userCode").await);
    let device_code = text(&codes["device_code"]);
    let stolen = [("grant_type", GRANT), ("device_code", &device_code), ("client_id", LAPTOP)];
    for _ in 0..3 {
        assert_eq!(error(&api.form("/oauth/token", &stolen).await), (400, "invalid_grant"));
    }
    let granted = poll(&api, &device_code).await;
    assert_eq!(granted.status, 200, "the thief used nothing up: {}", granted.body);
    let refresh_token = text(&granted.body["refresh_token"]);
    let refresh = async |client_id: &str| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.as_str()),
            ("client_id", client_id),
        ];
        api.form("/oauth/token", &pairs).await
    };
    assert_eq!(error(&refresh(LAPTOP).await), (400, "invalid_grant"));
    assert_eq!(error(&refresh("tv").await), (400, "invalid_client"));
    let refreshed = refresh(TV).await;
    assert_eq!(refreshed.status, 200, "the thief ended nothing: {}", refreshed.body);
}

#[tokio::test]
async fn a_television_that_was_let_in_a_moment_ago_has_no_right_over_the_account() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    done(&phone.mutate("openAccount", json!({}), "account { id }").await);
    let kid = json!({ "name": "Kid", "kids": true });
    let kid = phone.mutate("addProfile", kid, "profile { id }").await;
    let kid = text(&kid["profile"]["id"]);
    let pin = json!({ "profileId": kid, "pin": "4821" });
    done(&phone.mutate("setProfilePin", pin.clone(), "profile { id }").await);
    let codes = codes(&api).await;
    let user_code = json!({ "userCode": codes["user_code"] });
    done(&phone.mutate("approveDevice", user_code, "userCode").await);
    let granted = poll(&api, &text(&codes["device_code"])).await;
    let mut tv = api.nobody();
    tv.token = Some(text(&granted.body["access_token"]));
    tv.positions = phone.positions.clone();
    let remove = json!({ "profileId": kid });
    let refused = tv.mutate("removeProfilePin", remove.clone(), "profile { id }").await;
    assert_eq!(refusal(&refused), "ACCOUNT_RIGHT_NEEDED");
    let refused = tv.mutate("setProfilePin", pin, "profile { id }").await;
    assert_eq!(refusal(&refused), "ACCOUNT_RIGHT_NEEDED");
    let with_password = json!({ "profileId": kid, "accountPassword": PASSWORD });
    done(&tv.mutate("removeProfilePin", with_password, "profile { id }").await);
    let pin = json!({ "profileId": kid, "pin": "1111" });
    done(&tv.mutate("setProfilePin", pin, "profile { id }").await);
    done(&phone.mutate("removeProfilePin", remove, "profile { id }").await);
}

#[tokio::test]
async fn a_television_that_is_kept_out_or_late_gets_nothing() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    let denied = codes(&api).await;
    let user_code = json!({ "userCode": denied["user_code"] });
    done(&phone.mutate("denyDevice", user_code.clone(), "userCode").await);
    assert_eq!(error(&poll(&api, &text(&denied["device_code"])).await), (400, "access_denied"));
    let late = phone.mutate("approveDevice", user_code, "userCode").await;
    assert!(["USER_CODE_DECIDED", "UNKNOWN_USER_CODE"].contains(&refusal(&late)), "{late}");
    let expired = codes(&api).await;
    for unknown in ["BCDF-GHJK", "", "nonsense"] {
        let input = json!({ "userCode": unknown });
        let refused = phone.mutate("approveDevice", input, "userCode").await;
        assert_eq!(refusal(&refused), "UNKNOWN_USER_CODE");
    }
    api.clock.advance(900_000);
    assert_eq!(error(&poll(&api, &text(&expired["device_code"])).await), (400, "expired_token"));
    assert_eq!(error(&poll(&api, "no code").await), (400, "expired_token"));
}

#[tokio::test]
async fn a_malformed_request_is_refused_as_the_rfc_says() {
    let api = TestApi::start().await;
    let token = "/oauth/token";
    let table: [(&str, Pairs, &str); 8] = [
        (token, &[], "invalid_request"),
        (token, &[("grant_type", "password")], "unsupported_grant_type"),
        (token, &[("grant_type", GRANT), ("client_id", TV)], "invalid_request"),
        (
            token,
            &[("grant_type", GRANT), ("client_id", "tv"), ("device_code", "x")],
            "invalid_client",
        ),
        (token, &[("grant_type", "refresh_token")], "invalid_request"),
        (token, &[("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant"),
        (token, &[("grant_type", "refresh_token"), ("grant_type", GRANT)], "invalid_request"),
        (
            "/oauth/device_authorization",
            &[("client_id", TV), ("device_kind", "toaster")],
            "invalid_request",
        ),
    ];
    for (path, pairs, code) in table {
        assert_eq!(error(&api.form(path, pairs).await), (400, code), "{pairs:?}");
    }
    let json = Request::post(token).header("content-type", "application/json");
    let answer = api.send(json.body(Body::from("{}")).unwrap()).await;
    assert_eq!(error(&answer), (400, "invalid_request"));
    let large = "x".repeat(9_000);
    let answer = api.form(token, &[("grant_type", &large)]).await;
    assert_eq!(error(&answer), (413, "invalid_request"));
    let get = Request::get(token).body(Body::empty()).unwrap();
    assert_eq!(api.send(get).await.status, 405);
}

#[tokio::test]
async fn a_device_that_is_removed_is_out_at_once_and_cannot_come_back() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    let mut laptop = api.nobody();
    laptop.enter(ADA, PASSWORD, LAPTOP).await;
    register(&api, &phone, LAPTOP).await;
    let input = json!({ "deviceId": LAPTOP, "name": "Desk" });
    let renamed = phone.mutate("renameDevice", input, "device { id name kind }").await;
    assert_eq!(renamed["device"], json!({ "id": LAPTOP, "name": "Desk", "kind": "COMPUTER" }));
    assert_eq!(
        phone.me("devices(limit: 1) { name }").await["devices"],
        json!([{ "name": "Desk" }])
    );
    for (id, name, code) in [
        (PHONE, "x", "UNKNOWN_DEVICE"),
        ("x", "x", "UNKNOWN_DEVICE"),
        (LAPTOP, "", "INVALID_INPUT"),
    ] {
        let input = json!({ "deviceId": id, "name": name });
        let refused = phone.mutate("renameDevice", input, "device { id }").await;
        assert_eq!(refusal(&refused), code);
    }
    for unknown in [TV, PHONE, "x"] {
        let input = json!({ "deviceId": unknown });
        let refused = phone.mutate("removeDevice", input, "deviceId").await;
        assert_eq!(refusal(&refused), "UNKNOWN_DEVICE");
    }
    done(&phone.mutate("removeDevice", json!({ "deviceId": LAPTOP }), "deviceId").await);
    done(&phone.mutate("removeDevice", json!({ "deviceId": LAPTOP }), "deviceId").await);
    assert!(!laptop.may_call().await && phone.may_call().await);
    laptop.token = None;
    assert_eq!(refusal(&laptop.sign_in(ADA, PASSWORD, LAPTOP).await), "DEVICE_REMOVED");
}

/// As playing something does.
async fn register(api: &TestApi, client: &crate::harness::Client<'_>, device_id: &str) {
    use playhead_domain::devices::{Command, DeviceKind};
    use playhead_domain::{AccountId, Personal};
    let account_id: AccountId = client.account_id().await;
    let command = Command::Register {
        account_id,
        device_id: device_id.parse().unwrap(),
        name: Personal::Known("Laptop".into()),
        kind: DeviceKind::Computer,
        devices_max: 3,
        at_ms: crate::harness::BEGIN_MS,
    };
    let context = api.context();
    api.commands.devices.execute(&account_id, &command, &context).await.unwrap();
}
