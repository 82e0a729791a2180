//! What belongs to somebody else looks as if it were not there.

use playhead_api::Role;
use serde_json::{Value, json};

use crate::harness::{Client, TestApi, text};

const NODE: &str = "query($id: ID!) { node(id: $id) { __typename id } }";

async fn node(client: &Client<'_>, id: &str) -> Value {
    client.run(NODE, json!({ "id": id })).await.data()["node"].clone()
}

#[tokio::test]
async fn another_accounts_objects_look_like_missing_ones() {
    let api = TestApi::start().await;
    let (mut mine, mut theirs) = (api.client(1), api.client(2));
    let my_profile = mine.join("Ada").await;
    let their_profile = theirs.join("Eve").await;
    let account = text(&mine.ask("{ viewer { account { id } } }").await["viewer"]["account"]["id"]);
    let film = mine.film("Metropolis").await;

    assert_eq!(node(&mine, &my_profile).await["__typename"], "Profile");
    assert_eq!(node(&mine, &account).await["__typename"], "Account");
    theirs.positions = mine.positions.clone();
    for (client, id) in [
        (&theirs, &account),
        (&theirs, &my_profile),
        (&mine, &their_profile),
        (&api.nobody(), &my_profile),
        (&api.nobody(), &account),
        (&mine, &"nonsense".to_owned()),
    ] {
        assert_eq!(node(client, id).await, Value::Null, "{id}");
    }
    assert_eq!(node(&theirs, &film).await["__typename"], "Title");

    let query = "query($id: ID) { viewer { profile(id: $id) { name } } }";
    let read = mine.run(query, json!({ "id": their_profile })).await.data();
    assert_eq!(read["viewer"], json!({ "profile": null }));

    mine.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let refused = mine.start(&their_profile, &film, "TV").await;
    assert_eq!(refused["errors"][0]["code"], "UNKNOWN_PROFILE");
    let input = json!({ "profileId": their_profile });
    let refused = mine.mutate("removeProfile", input, "profileId").await;
    assert_eq!(refused["errors"][0]["code"], "UNKNOWN_PROFILE");
    let input = json!({ "profileId": their_profile, "titleId": film });
    let refused = mine.mutate("dismissTitle", input, "titleId").await;
    assert_eq!(refused["errors"][0]["code"], "UNKNOWN_PROFILE");
}

#[tokio::test]
async fn only_the_field_that_needs_a_token_is_null_without_one() {
    let api = TestApi::start().await;
    let answer =
        api.nobody().run("{ viewer { account { id } } titles { totalCount } }", json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"], json!({ "viewer": null, "titles": { "totalCount": 0 } }));
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    assert_eq!(answer.body["errors"][0]["path"], json!(["viewer"]));
}

#[tokio::test]
async fn only_content_administrators_change_the_catalogue() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    client.token = Some(api.token(1, &[Role::Viewer, Role::Operator]));
    let query = r#"mutation { addTitle(input: { name: "x", type: MOVIE }) { position } }"#;
    let answer = client.run(query, json!({})).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    let answer = api.nobody().run(query, json!({})).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_bad_token_is_refused_even_where_none_is_needed() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    client.token = Some(format!("{}x", client.token.unwrap()));
    let answer = client.run("{ __typename }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, "UNAUTHENTICATED"));
    assert!(answer.headers.contains_key("www-authenticate"));
    assert_eq!(answer.body.get("data"), None);
    let client = api.client(1);
    api.clock.advance(3_600_000);
    let answer = client.run("{ __typename }", json!({})).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn what_is_not_there_is_null() {
    let api = TestApi::start().await;
    let query = r#"{ a: title(id: "x") { name } b: node(id: "") { id }
        c: title(id: "VGl0bGU6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAx") { name } }"#;
    let data = api.nobody().ask(query).await;
    assert_eq!(data, json!({ "a": null, "b": null, "c": null }));
}
