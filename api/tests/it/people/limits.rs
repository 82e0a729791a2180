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
