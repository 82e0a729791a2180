use playhead_api::Role;
use serde_json::json;

use super::world::{ADA, PASSWORD, PHONE, done, refusal};
use crate::harness::TestApi;

const ACCOUNT: &str = "account { id status roles }";

#[tokio::test]
async fn a_suspended_account_is_out_at_once_until_it_is_reinstated() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    let id = client.me("id").await["id"].clone();
    let mut operator = api.client_as(99, &[Role::Operator]);
    api.clock.advance(1);
    let input = json!({ "accountId": id, "reason": "shared the password" });
    let suspended = operator.mutate("suspendAccount", input, ACCOUNT).await;
    assert_eq!(
        suspended["account"],
        json!({ "id": id, "status": "SUSPENDED", "roles": ["VIEWER"] })
    );
    assert!(!client.may_call().await);
    client.token = None;
    assert_eq!(refusal(&client.sign_in(ADA, PASSWORD, PHONE).await), "ACCOUNT_SUSPENDED");
    assert_eq!(refusal(&client.sign_in(ADA, "wrong", PHONE).await), "WRONG_CREDENTIALS");
    done(&operator.mutate("reinstateAccount", json!({ "accountId": id }), ACCOUNT).await);
    api.clock.advance(1);
    client.enter(ADA, PASSWORD, PHONE).await;
    assert!(client.may_call().await);
}

#[tokio::test]
async fn a_granted_role_counts_from_the_next_sign_in() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    let id = client.me("id").await["id"].clone();
    let mut operator = api.client_as(99, &[Role::Operator]);
    let input = json!({ "accountId": id, "role": "CONTENT_ADMIN" });
    let granted = operator.mutate("grantRole", input.clone(), ACCOUNT).await;
    assert_eq!(granted["account"]["roles"], json!(["VIEWER", "CONTENT_ADMIN"]));
    let add = r#"mutation { addTitle(input: { name: "x", type: MOVIE }) { errors { code } } }"#;
    assert_eq!(client.run(add, json!({})).await.code(), "FORBIDDEN");
    client.token = None;
    client.enter(ADA, PASSWORD, PHONE).await;
    assert_eq!(client.run(add, json!({})).await.code(), "none");
    let revoked = operator.mutate("revokeRole", input, ACCOUNT).await;
    assert_eq!(revoked["account"]["roles"], json!(["VIEWER"]));
}

#[tokio::test]
async fn only_operators_operate_and_only_on_accounts_that_are_there() {
    let api = TestApi::start().await;
    let member = api.member(ADA).await;
    let id = member.me("id").await["id"].clone();
    let roles = [Role::Viewer, Role::Creator, Role::ContentAdmin, Role::Analyst, Role::Auditor];
    let query = "mutation($id: ID!) { grantRole(input: { accountId: $id, role: OPERATOR }) \
                 { account { id } } }";
    for (client, code) in [
        (api.client_as(98, &roles), "FORBIDDEN"),
        (member.clone(), "FORBIDDEN"),
        (api.nobody(), "UNAUTHENTICATED"),
    ] {
        assert_eq!(client.run(query, json!({ "id": id })).await.code(), code);
    }
    let mut operator = api.client_as(99, &[Role::Operator]);
    for id in ["", "x", "QWNjb3VudDowMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwNjM"] {
        let input = json!({ "accountId": id });
        let refused = operator.mutate("reinstateAccount", input, ACCOUNT).await;
        assert_eq!(refusal(&refused), "UNKNOWN_ACCOUNT", "{id}");
    }
    let long = json!({ "accountId": id, "reason": "x".repeat(201) });
    assert_eq!(refusal(&operator.mutate("suspendAccount", long, ACCOUNT).await), "INVALID_INPUT");
}
