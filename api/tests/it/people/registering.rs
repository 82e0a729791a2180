use serde_json::json;

use super::world::{ADA, PASSWORD, PHONE, done, refusal};
use crate::harness::TestApi;

#[tokio::test]
async fn who_registers_verifies_the_address_and_signs_in_has_an_account() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    let consents = json!([{ "purpose": "MARKETING_EMAIL", "policyVersion": 2 }]);
    let input = json!({ "email": ADA, "password": PASSWORD, "consents": consents });
    done(&client.mutate("register", input, "email").await);
    let code = api.code().await;
    let refused = client.sign_in(ADA, PASSWORD, PHONE).await;
    assert_eq!(refusal(&refused), "EMAIL_NOT_VERIFIED");
    done(&client.mutate("verifyEmail", json!({ "code": code }), "accountId").await);
    done(&client.mutate("verifyEmail", json!({ "code": code }), "accountId").await);
    let payload = client.sign_in(" Ada@EXAMPLE.org".trim(), PASSWORD, PHONE).await;
    client.carry(&payload);
    let me = client
        .me("id email status roles hasPassword consents { purpose policyVersion } \
             devices { id } signIns { deviceId current } erasureDueAt billingAddress { country }")
        .await;
    let account_id = &payload["tokens"]["accountId"];
    assert_eq!(
        me,
        json!({
            "id": account_id, "email": ADA, "status": "ACTIVE", "roles": ["VIEWER"],
            "hasPassword": true, "consents": consents, "devices": [],
            "signIns": [{ "deviceId": PHONE, "current": true }],
            "erasureDueAt": null, "billingAddress": null,
        })
    );
    let household = client.ask("{ viewer { account { id } profiles { id } } }").await;
    assert_eq!(household["viewer"]["account"]["id"], *account_id);
}

#[tokio::test]
async fn registering_tells_nobody_whether_the_address_has_an_account() {
    let api = TestApi::start().await;
    api.member(ADA).await;
    let mut other = api.nobody();
    let password = "another long sentence";
    for email in [ADA, "grace@example.org"] {
        let input = json!({ "email": email, "password": password });
        let payload = other.mutate("register", input, "email").await;
        assert_eq!(payload, json!({ "email": email, "position": null, "errors": [] }));
    }
    let mails = api.mails().await;
    let to_ada = mails.iter().find(|mail| mail.contains("To: ada@")).unwrap();
    assert!(to_ada.contains("account") && !to_ada.contains("verify-email"), "{to_ada}");
    assert_eq!(refusal(&other.sign_in(ADA, password, PHONE).await), "WRONG_CREDENTIALS");
    done(&other.sign_in(ADA, PASSWORD, PHONE).await);
}

#[tokio::test]
async fn who_registers_the_address_of_another_first_cannot_sign_in_when_its_owner_confirmed_it() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    let strange = "what a stranger chose";
    let mut codes = vec![];
    for password in [strange, PASSWORD] {
        let input = json!({ "email": ADA, "password": password });
        let payload = client.mutate("register", input, "email").await;
        assert_eq!(payload, json!({ "email": ADA, "position": null, "errors": [] }));
        codes.push(api.code().await);
    }
    done(&client.mutate("verifyEmail", json!({ "code": codes[1] }), "accountId").await);
    assert_eq!(refusal(&client.sign_in(ADA, strange, PHONE).await), "WRONG_CREDENTIALS");
    done(&client.sign_in(ADA, PASSWORD, PHONE).await);
}

#[tokio::test]
async fn an_address_has_one_form_and_nothing_in_it_that_mail_does_not_take() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    for email in [
        "\u{202e}bidi@example.org",
        "x\u{200b}y@example.org",
        "\u{feff}x@example.org",
        "x@y\u{ad}.example",
    ] {
        let input = json!({ "email": email, "password": PASSWORD });
        let payload = client.mutate("register", input, "email").await;
        assert_eq!(refusal(&payload), "INVALID_INPUT", "{}", email.escape_unicode());
        assert_eq!(payload["errors"][0]["field"], "email");
    }
    let input = json!({ "email": "o\u{301}@example.org", "password": PASSWORD });
    done(&client.mutate("register", input, "email").await);
    let code = api.code().await;
    done(&client.mutate("verifyEmail", json!({ "code": code }), "accountId").await);
    for email in ["o\u{301}@example.org", "\u{f3}@example.org"] {
        done(&client.sign_in(email, PASSWORD, PHONE).await);
    }
}

#[tokio::test]
async fn the_mail_with_the_code_can_be_had_again_after_a_minute() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    let input = json!({ "email": ADA, "password": PASSWORD });
    done(&client.mutate("register", input, "email").await);
    let first = api.code().await;
    let again = json!({ "email": ADA });
    done(&client.mutate("resendVerification", again.clone(), "email").await);
    assert!(api.mails().await.is_empty(), "a minute has not passed");
    api.clock.advance(60_000);
    done(&client.mutate("resendVerification", again.clone(), "email").await);
    let second = api.code().await;
    done(&client.mutate("resendVerification", json!({ "email": "no@example.org" }), "email").await);
    assert!(api.mails().await.is_empty(), "nobody waits for it");
    let old = client.mutate("verifyEmail", json!({ "code": first }), "accountId").await;
    assert_eq!(refusal(&old), "WRONG_CODE");
    done(&client.mutate("verifyEmail", json!({ "code": second }), "accountId").await);
}

#[tokio::test]
async fn what_cannot_be_an_address_a_password_or_a_code_is_refused_by_name() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    for (email, password, field) in [
        ("ada", PASSWORD, "email"),
        (ADA, "short", "password"),
        (ADA, "password", "password"),
        ("adalovelace@example.org", "xx-adalovelace-xx", "password"),
    ] {
        let input = json!({ "email": email, "password": password });
        let payload = client.mutate("register", input, "email").await;
        assert_eq!(
            (refusal(&payload), &payload["errors"][0]["field"]),
            ("INVALID_INPUT", &json!(field))
        );
        let shown = payload.to_string();
        assert!(!shown.contains(password) || password == "password", "{shown}");
    }
    let consents = json!([{ "purpose": "ANALYTICS", "policyVersion": 0 }]);
    let input = json!({ "email": ADA, "password": PASSWORD, "consents": consents });
    assert_eq!(refusal(&client.mutate("register", input, "email").await), "INVALID_INPUT");
    for code in ["", "x.y", &format!("{PHONE}.{}", "A".repeat(43))] {
        let payload = client.mutate("verifyEmail", json!({ "code": code }), "accountId").await;
        assert_eq!(refusal(&payload), "CODE_INVALID", "{code}");
    }
    assert!(api.mails().await.is_empty());
}

#[tokio::test]
async fn registering_twice_with_the_same_key_is_registering_once() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    let input = json!({ "email": ADA, "password": PASSWORD, "idempotencyKey": "k" });
    done(&client.mutate("register", input.clone(), "email").await);
    let code = api.code().await;
    done(&client.mutate("register", input, "email").await);
    assert!(api.mails().await.is_empty(), "neither another code nor a warning");
    done(&client.mutate("verifyEmail", json!({ "code": code }), "accountId").await);
}
