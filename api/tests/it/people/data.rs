use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::world::{ADA, PASSWORD, done, refusal};
use crate::harness::{Client, TestApi};

async fn export(client: &Client<'_>) -> crate::harness::Answer {
    let mut request = Request::get("/me/export");
    if let Some(token) = &client.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    client.api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn people_say_what_their_data_may_be_used_for() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    let input = json!({ "purpose": "ANALYTICS", "policyVersion": 3 });
    let given =
        client.mutate("giveConsent", input, "me { consents { purpose policyVersion } }").await;
    assert_eq!(given["me"]["consents"], json!([{ "purpose": "ANALYTICS", "policyVersion": 3 }]));
    let input = json!({ "purpose": "ANALYTICS" });
    let gone = client.mutate("withdrawConsent", input, "me { consents { purpose } }").await;
    assert_eq!(gone["me"]["consents"], json!([]));
    let input = json!({ "purpose": "ANALYTICS", "policyVersion": 0 });
    assert_eq!(refusal(&client.mutate("giveConsent", input, "me { id }").await), "INVALID_INPUT");
}

#[tokio::test]
async fn bills_go_where_people_say() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    let input = json!({ "country": "PT", "lines": ["Ada Lovelace", "Rua 1", "1000 Lisboa"] });
    let fields = "me { billingAddress { country lines } }";
    let set = client.mutate("setBillingAddress", input.clone(), fields).await;
    assert_eq!(set["me"]["billingAddress"], input);
    for (country, lines) in [("Portugal", json!(["x"])), ("PT", json!([])), ("PT", json!([""]))] {
        let input = json!({ "country": country, "lines": lines });
        let refused = client.mutate("setBillingAddress", input, fields).await;
        assert_eq!(refusal(&refused), "INVALID_INPUT");
    }
}

#[tokio::test]
async fn people_take_everything_along_but_secrets() {
    let api = TestApi::start().await;
    let client = api.member(ADA).await;
    let answer = export(&client).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let text = answer.body.to_string();
    assert!(text.contains(ADA) && answer.body["streams"].is_object(), "{text}");
    for secret in ["argon2", "refresh_hash", PASSWORD] {
        assert!(!text.contains(secret), "{secret}");
    }
    let asked = "mutation { exportMyData { document position errors { code } } }";
    let payload = client.ask(asked).await["exportMyData"].clone();
    assert_eq!(payload, json!({ "document": answer.body, "position": null, "errors": [] }));
    assert_eq!(api.nobody().run(asked, json!({})).await.code(), "UNAUTHENTICATED");
    let nobody = export(&api.nobody()).await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.body["error"]["code"]),
        (401, &json!("UNAUTHENTICATED"))
    );
}

#[tokio::test]
async fn who_wants_to_be_forgotten_has_a_week_to_stay() {
    let api = TestApi::start().await;
    let mut client = api.member(ADA).await;
    let asked = client.mutate("eraseMe", json!({}), "me { erasureDueAt }").await;
    assert_eq!(asked["me"]["erasureDueAt"], "2027-01-22T08:00:00.000Z");
    assert_eq!(api.mails().await.len(), 1);
    let again = client.mutate("eraseMe", json!({}), "me { erasureDueAt }").await;
    assert_eq!(again["me"], asked["me"]);
    let stayed = client.mutate("withdrawErasure", json!({}), "me { erasureDueAt }").await;
    assert_eq!(stayed["me"]["erasureDueAt"], Value::Null);
    done(&stayed);
}

#[tokio::test]
async fn nothing_of_somebody_is_shown_to_nobody() {
    let api = TestApi::start().await;
    for query in ["{ me { id } }", r#"{ waitingDevice(userCode: "BCDF-GHJK") { kind } }"#] {
        let answer = api.nobody().run(query, json!({})).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED");
    }
    assert_eq!(
        api.client(77).me("id").await,
        Value::Null,
        "a token of an account nobody registered"
    );
}
