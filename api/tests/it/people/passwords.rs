use serde_json::json;

use super::world::{ADA, LAPTOP, PASSWORD, PHONE, done, refusal};
use crate::harness::TestApi;

const NEW: &str = "quite another sentence";

#[tokio::test]
async fn another_password_ends_all_sign_ins_and_its_owner_is_told() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    let input =
        |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    let wrong = client.mutate("changePassword", input("wrong", NEW), "me { id }").await;
    assert_eq!(refusal(&wrong), "WRONG_PASSWORD");
    let weak = client.mutate("changePassword", input(PASSWORD, "12345678"), "me { id }").await;
    assert_eq!(refusal(&weak), "INVALID_INPUT");
    assert_eq!(weak["errors"][0]["field"], "newPassword");
    api.clock.advance(1);
    done(&client.mutate("changePassword", input(PASSWORD, NEW), "me { id }").await);
    assert!(!client.may_call().await);
    assert!(api.mails().await.join("").contains("password"));
    client.token = None;
    assert_eq!(refusal(&client.sign_in(ADA, PASSWORD, PHONE).await), "WRONG_CREDENTIALS");
    api.clock.advance(1);
    done(&client.sign_in(ADA, NEW, PHONE).await);
}

#[tokio::test]
async fn who_forgot_the_password_chooses_another_with_the_code_in_the_mail() {
    let api = TestApi::start().await;
    let signed_in = api.member(ADA).await;
    let mut client = api.nobody();
    for email in ["nobody@example.org", ADA] {
        let payload =
            client.mutate("requestPasswordReset", json!({ "email": email }), "email").await;
        assert_eq!(payload, json!({ "email": email, "position": null, "errors": [] }));
    }
    let code = api.code().await;
    api.clock.advance(1);
    let weak = json!({ "code": code, "newPassword": "short" });
    let weak = client.mutate("resetPassword", weak, "reset").await;
    assert_eq!(weak["errors"][0]["field"], "newPassword");
    let reset = json!({ "code": code, "newPassword": NEW });
    done(&client.mutate("resetPassword", reset.clone(), "reset").await);
    assert!(!signed_in.may_call().await);
    let again = client.mutate("resetPassword", reset, "reset").await;
    assert_eq!(refusal(&again), "CODE_INVALID");
    api.clock.advance(1);
    done(&client.sign_in(ADA, NEW, LAPTOP).await);
}

#[tokio::test]
async fn the_code_for_a_new_password_verifies_the_address_of_a_new_account() {
    let api = TestApi::start().await;
    let mut client = api.nobody();
    let input = json!({ "email": ADA, "password": PASSWORD });
    done(&client.mutate("register", input, "email").await);
    api.mails().await;
    done(&client.mutate("requestPasswordReset", json!({ "email": ADA }), "email").await);
    let reset = json!({ "code": api.code().await, "newPassword": NEW });
    done(&client.mutate("resetPassword", reset, "reset").await);
    client.enter(ADA, NEW, LAPTOP).await;
    assert_eq!(client.me("status").await["status"], "ACTIVE");
}

#[tokio::test]
async fn what_can_be_done_once_is_answered_again_under_its_key() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    done(&client.mutate("requestPasswordReset", json!({ "email": ADA }), "email").await);
    let code = api.code().await;
    let (account, _) = code.split_once('.').unwrap();
    let reset = |code: &str| json!({ "code": code, "newPassword": NEW, "idempotencyKey": "r" });
    let wrong = reset(&format!("{account}.{}", "A".repeat(43)));
    for expected in ["WRONG_CODE", "WRONG_CODE"] {
        let refused = client.mutate("resetPassword", wrong.clone(), "reset").await;
        assert_eq!(refusal(&refused), expected, "a refusal stays one");
    }
    let first = client.mutate("resetPassword", reset(&code), "reset").await;
    done(&first);
    client.token = None;
    assert_eq!(client.mutate("resetPassword", reset(&code), "reset").await, first);
    let other = json!({ "code": code, "newPassword": NEW, "idempotencyKey": "other" });
    assert_eq!(refusal(&client.mutate("resetPassword", other, "reset").await), "CODE_INVALID");

    api.clock.advance(1);
    client.enter(ADA, NEW, PHONE).await;
    let change = json!({
        "currentPassword": NEW, "newPassword": PASSWORD, "idempotencyKey": "c",
    });
    done(&client.mutate("changePassword", change.clone(), "me { email }").await);
    api.clock.advance(1);
    client.enter(ADA, PASSWORD, PHONE).await;
    done(&client.mutate("changePassword", change, "me { email }").await);

    let email = json!({ "email": "ada@example.net", "password": PASSWORD });
    api.mails().await;
    done(&client.mutate("changeEmail", email, "email").await);
    let confirm = json!({ "code": api.code().await, "idempotencyKey": "e" });
    let first = client.mutate("confirmEmailChange", confirm.clone(), "confirmed").await;
    done(&first);
    assert_eq!(client.mutate("confirmEmailChange", confirm, "confirmed").await, first);
}

#[tokio::test]
async fn a_code_that_is_wrong_or_late_sets_no_password() {
    let api = TestApi::start().await;
    api.member(ADA).await;
    let mut client = api.nobody();
    done(&client.mutate("requestPasswordReset", json!({ "email": ADA }), "email").await);
    let code = api.code().await;
    let (account, _) = code.split_once('.').unwrap();
    for left in [4, 3] {
        let wrong = format!("{account}.{}{}", left, "A".repeat(42));
        let input = json!({ "code": wrong, "newPassword": NEW });
        let payload = client.mutate("resetPassword", input, "reset").await;
        assert_eq!(refusal(&payload), "WRONG_CODE");
        assert!(payload["errors"][0]["message"].as_str().unwrap().contains(&left.to_string()));
    }
    api.clock.advance(3_600_000);
    let late = json!({ "code": code, "newPassword": NEW });
    assert_eq!(refusal(&client.mutate("resetPassword", late, "reset").await), "CODE_EXPIRED");
}

#[tokio::test]
async fn another_address_counts_once_its_code_came_back() {
    let api = TestApi::start().await;
    api.member("grace@example.org").await;
    let mut client = api.member(ADA).await;
    let input = |email: &str, password: &str| json!({ "email": email, "password": password });
    let wrong = client.mutate("changeEmail", input("a@example.org", "wrong"), "email").await;
    assert_eq!(refusal(&wrong), "WRONG_PASSWORD");
    let taken = client.mutate("changeEmail", input("grace@example.org", PASSWORD), "email").await;
    done(&taken);
    assert!(!api.mails().await.join("").contains("confirm-email"));
    api.clock.advance(60_000);
    done(&client.mutate("changeEmail", input("lovelace@example.org", PASSWORD), "email").await);
    let me = client.me("email newEmail").await;
    assert_eq!(me, json!({ "email": ADA, "newEmail": "lovelace@example.org" }));
    let code = api.code().await;
    let mut anywhere = api.nobody();
    done(&anywhere.mutate("confirmEmailChange", json!({ "code": code }), "confirmed").await);
    let me = client.me("email newEmail").await;
    assert_eq!(me, json!({ "email": "lovelace@example.org", "newEmail": null }));
    assert_eq!(refusal(&anywhere.sign_in(ADA, PASSWORD, LAPTOP).await), "WRONG_CREDENTIALS");
    done(&anywhere.sign_in("lovelace@example.org", PASSWORD, LAPTOP).await);
}
