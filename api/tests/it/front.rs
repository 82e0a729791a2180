//! The rules of HTTP, and documents that would cost too much.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use playhead_api::ApiOptions;
use serde_json::json;

use crate::harness::TestApi;

const JSON: &str = "application/json";
const RESPONSE: &str = "application/graphql-response+json";
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

/// A request as method, path, accepted type, content type and body.
type Sent<'a> = (Method, &'a str, &'a str, &'a str, &'a str);

fn request((method, path, accept, content_type, body): Sent<'_>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in [("accept", accept), ("content-type", content_type)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn every_request_has_its_status_type_and_code() {
    let api = TestApi::start().await;
    let (get, post) = (Method::GET, Method::POST);
    let (ok, unparsed) = ("/graphql?query=%7B__typename%7D", r#"{"query":"{"}"#);
    let mutation = "/graphql?query=mutation%7BopenAccount%7Bposition%7D%7D";
    let unknown = r#"{"query":"{ nowhere }"}"#;
    let subscription = r#"{"query":"subscription { progress(profileId: \"x\") { at } }"}"#;
    let table: Vec<(Sent<'_>, u16, &str, &str)> = vec![
        ((post.clone(), "/graphql", RESPONSE, JSON, TYPENAME), 200, RESPONSE, "none"),
        ((post.clone(), "/graphql", JSON, JSON, TYPENAME), 200, JSON, "none"),
        ((post.clone(), "/graphql", "", JSON, TYPENAME), 200, JSON, "none"),
        ((get.clone(), ok, RESPONSE, "", ""), 200, RESPONSE, "none"),
        ((post.clone(), "/graphql", "text/html", JSON, TYPENAME), 406, JSON, "NOT_ACCEPTABLE"),
        ((post.clone(), "/graphql", JSON, "", TYPENAME), 415, JSON, "UNSUPPORTED_MEDIA_TYPE"),
        (
            (post.clone(), "/graphql", JSON, "text/plain", TYPENAME),
            415,
            JSON,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ((post.clone(), "/graphql", JSON, JSON, "["), 400, JSON, "BAD_REQUEST"),
        ((post.clone(), "/graphql", JSON, JSON, "[]"), 400, JSON, "BAD_REQUEST"),
        (
            (post.clone(), "/graphql", RESPONSE, JSON, unparsed),
            400,
            RESPONSE,
            "GRAPHQL_PARSE_FAILED",
        ),
        ((post.clone(), "/graphql", JSON, JSON, unparsed), 200, JSON, "GRAPHQL_PARSE_FAILED"),
        (
            (post.clone(), "/graphql", RESPONSE, JSON, unknown),
            400,
            RESPONSE,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ((post.clone(), "/graphql", JSON, JSON, unknown), 200, JSON, "GRAPHQL_VALIDATION_FAILED"),
        ((post.clone(), "/graphql", JSON, JSON, subscription), 406, JSON, "NOT_ACCEPTABLE"),
        ((get.clone(), mutation, JSON, "", ""), 405, JSON, "METHOD_NOT_ALLOWED"),
        ((get, "/graphql", JSON, "", ""), 400, JSON, "BAD_REQUEST"),
        ((Method::PUT, "/graphql", JSON, JSON, TYPENAME), 405, JSON, "METHOD_NOT_ALLOWED"),
        ((Method::DELETE, "/graphql", "", "", ""), 405, JSON, "METHOD_NOT_ALLOWED"),
    ];
    for (sent, status, content_type, code) in table {
        let answer = api.send(request(sent.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{sent:?}");
        let answered = answer.headers["content-type"].to_str().unwrap();
        assert!(answered.starts_with(content_type), "{sent:?}: {answered}");
        if code != "none" {
            assert_eq!(answer.body.get("data"), None, "{sent:?}");
        }
    }
    let allowed = |answer: crate::harness::Answer| answer.headers["allow"].clone();
    let put = api.send(request((Method::PUT, "/graphql", JSON, JSON, TYPENAME))).await;
    assert_eq!(allowed(put), "GET, POST");
    let by_get = api.send(request((Method::GET, mutation, JSON, "", ""))).await;
    assert_eq!(allowed(by_get), "POST");
}

#[tokio::test]
async fn a_body_over_128_kib_is_refused() {
    let api = TestApi::start().await;
    let query = format!("{{ __typename }} #{}", "x".repeat(128 * 1_024));
    let answer = api.nobody().run(&query, json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "BODY_TOO_LARGE"));
}

#[tokio::test]
async fn documents_that_cost_too_much_are_refused_before_they_are_run() {
    let api = TestApi::start().await;
    let nobody = api.nobody();
    let brackets = |open: &str, close: &str| {
        let literal = format!("{}{}", open.repeat(2_000), close.repeat(2_000));
        format!("{{ titles(filter: {literal}) {{ totalCount }} }}")
    };
    let mut doubling = "{ ...f0 }".to_owned();
    for n in 0..14 {
        let next = n + 1;
        doubling.push_str(&format!("fragment f{n} on Query{{...f{next} ...f{next}}}"));
    }
    doubling.push_str("fragment f14 on Query{__typename}");
    assert!(doubling.len() < 660, "{}", doubling.len());
    let series = format!("{}{}", "series { id ".repeat(20), "} ".repeat(20));
    let lists = (0..60).map(|n| format!("t{n}: titles(first: 100) {{ nodes {{ id name }} }}"));
    let wide = format!("{{ {} }}", lists.collect::<Vec<_>>().join(" "));
    for document in [
        brackets("[", "]"),
        brackets("{a:", "}"),
        doubling,
        format!("{{ title(id: \"x\") {{ id {series} }} }}"),
        wide,
        format!("{{ {} }}", "__typename ".repeat(2_500)),
    ] {
        let answer = nobody.run(&document, json!({})).await;
        assert_eq!(answer.code(), "QUERY_TOO_COMPLEX", "{document:.60} {}", answer.body);
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn a_mutation_runs_each_field_once_or_not_at_all() {
    let api = TestApi::start().await;
    let client = api.client(1);
    let twice = "mutation { openAccount { position } openAccount { position } }";
    let answer = client.run(twice, json!({})).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(client.ask("{ viewer { profiles { id } } }").await, json!({ "viewer": null }));
}

#[tokio::test]
async fn at_most_ten_errors_of_validation_are_answered_each_short_and_with_a_code() {
    let api = TestApi::start().await;
    let fields: Vec<_> = (0..500).map(|n| format!("nowhere{n}")).collect();
    let answer = api.nobody().run(&format!("{{ {} }}", fields.join(" ")), json!({})).await;
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 10);
    for error in errors {
        assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    }
    let long = format!("{{ a{} }}", "x".repeat(100_000));
    let answer = api.nobody().run(&long, json!({})).await;
    assert!(answer.body.to_string().len() < 1_000);
}

#[tokio::test]
async fn an_argument_that_cannot_be_read_has_a_code() {
    let api = TestApi::start().await;
    let query =
        "mutation($input: StartPlaybackInput!) { startPlayback(input: $input) { position } }";
    let input = json!({ "profileId": "x", "titleId": "y", "device": "TV", "fromMs": -1 });
    let answer = api.client(1).run(query, json!({ "input": input })).await;
    assert!(
        ["BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED"].contains(&answer.code()),
        "{}",
        answer.body
    );
    let answer = api.nobody().run("query($id: ID!) { title(id: $id) { id } }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "BAD_REQUEST"));
}

#[tokio::test]
async fn introspection_passes_the_limits_and_can_be_switched_off() {
    let introspection = include_str!("introspection.graphql");
    let api = TestApi::start().await;
    let data = api.nobody().run(introspection, json!({})).await.data();
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    let options = ApiOptions { introspection: false, ..ApiOptions::default() };
    let api = TestApi::start_with(options).await;
    let answer = api.nobody().run(introspection, json!({})).await;
    assert!(!answer.body.to_string().contains("TitleConnection"), "{}", answer.body);
    assert_eq!(api.nobody().ask("{ __typename }").await, json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_long_chain_of_fragments_is_survived() {
    let api = TestApi::start().await;
    let mut text = "{ ...f0 }".to_owned();
    for n in 0..180 {
        text.push_str(&format!("fragment f{n} on Query{{...f{}}}", n + 1));
    }
    text.push_str("fragment f180 on Query{__typename}");
    let answer = api.nobody().run(&text, json!({})).await;
    assert_eq!(answer.data(), json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_query_waits_for_positions_but_not_for_ever() {
    let options = ApiOptions {
        position_timeout: std::time::Duration::from_millis(50),
        ..ApiOptions::default()
    };
    let api = TestApi::start_with(options).await;
    let mut client = api.client(1);
    client.join("Ada").await;
    let written = client.positions[0].clone();
    client.ask("{ __typename }").await;
    // Version 1, partition 0, offset 2^56.
    client.positions = vec!["AQAAAQAAAAAAAAA".to_owned()];
    let answer = client.run("{ __typename }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "POSITION_TIMEOUT"));
    client.positions = vec!["nonsense".to_owned()];
    let answer = client.run("{ __typename }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "BAD_REQUEST"));
    client.positions = vec![written; 9];
    assert_eq!(client.run("{ __typename }", json!({})).await.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn one_request_too_many_is_sent_away_while_health_answers() {
    let options = ApiOptions { requests_max: 0, ..ApiOptions::default() };
    let api = Arc::new(TestApi::start_with(options).await);
    let answer = api.nobody().run("{ __typename }", json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["error"]["code"]),
        (503, &json!("OVERLOADED"))
    );
    assert!(answer.headers.contains_key("retry-after"));
    let health = api.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(health.status, 200);
}
