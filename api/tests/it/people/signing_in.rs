use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::world::{ADA, LAPTOP, PASSWORD, PHONE, done, refusal};
use crate::harness::{TestApi, text};

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let api = TestApi::start().await;
    api.member(ADA).await;
    let mut client = api.nobody();
    let wrong = client.sign_in(ADA, "not the password", PHONE).await;
    let unknown = client.sign_in("nobody@example.org", "not the password", PHONE).await;
    assert_eq!(refusal(&wrong), "WRONG_CREDENTIALS");
    assert_eq!(wrong, unknown);
    for device in ["", "phone", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(refusal(&client.sign_in(ADA, PASSWORD, device).await), "INVALID_INPUT");
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_used_twice_it_ends_the_sign_in() {
    let api = TestApi::start().await;
    api.member(ADA).await;
    let mut client = api.nobody();
    let first = client.sign_in(ADA, PASSWORD, LAPTOP).await;
    let old = text(&first["tokens"]["refreshToken"]);
    api.clock.advance(600_000);
    let second = client.refresh(&old).await;
    done(&second);
    client.carry(&second);
    assert!(client.may_call().await);
    let thief = api.nobody().refresh(&old).await;
    assert_eq!(refusal(&thief), "SIGN_IN_ENDED");
    assert!(!client.may_call().await, "from the answer on");
    client.token = None;
    let new = text(&second["tokens"]["refreshToken"]);
    assert_eq!(refusal(&client.refresh(&new).await), "SIGN_IN_ENDED");
    assert_eq!(refusal(&client.refresh("prt1_nonsense").await), "REFRESH_TOKEN_INVALID");
}

#[tokio::test]
async fn a_refresh_that_is_repeated_by_its_key_hands_out_nothing_and_ends_nothing() {
    let api = TestApi::start().await;
    api.member(ADA).await;
    let mut client = api.nobody();
    let first = client.sign_in(ADA, PASSWORD, LAPTOP).await;
    let input = json!({ "refreshToken": first["tokens"]["refreshToken"], "idempotencyKey": "k" });
    let second = client.mutate("refreshSignIn", input.clone(), "tokens { refreshToken }").await;
    let again = client.mutate("refreshSignIn", input, "tokens { refreshToken }").await;
    assert_eq!(refusal(&again), "DONE_BEFORE");
    done(&client.refresh(&text(&second["tokens"]["refreshToken"])).await);
}

#[tokio::test]
async fn who_signs_out_is_out_at_once_and_stays_in_elsewhere() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    let mut laptop = api.nobody();
    let tokens = laptop.sign_in(ADA, PASSWORD, LAPTOP).await;
    laptop.carry(&tokens);
    phone.positions.clone_from(&laptop.positions);
    let listed = phone.me("signIns { deviceId current }").await["signIns"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    let sign_in_id = tokens["tokens"]["signInId"].clone();
    done(&phone.mutate("signOut", json!({ "signInId": sign_in_id }), "signInId").await);
    assert!(!laptop.may_call().await && phone.may_call().await);
    let refused = phone.mutate("signOut", json!({ "signInId": PHONE }), "signInId").await;
    assert_eq!(refusal(&refused), "UNKNOWN_SIGN_IN");
    done(&phone.mutate("signOut", json!({}), "signInId").await);
    let answer = phone.run("{ __typename }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, "UNAUTHENTICATED"));
    assert!(answer.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn nobody_ends_the_sign_ins_of_others() {
    let api = TestApi::start().await;
    let ada = api.member(ADA).await;
    let mut grace = api.member("grace@example.org").await;
    let sign_in_id = ada.me("signIns { id }").await["signIns"][0]["id"].clone();
    let theirs = grace.mutate("signOut", json!({ "signInId": sign_in_id }), "signInId").await;
    let missing = grace.mutate("signOut", json!({ "signInId": LAPTOP }), "signInId").await;
    assert_eq!(refusal(&theirs), "UNKNOWN_SIGN_IN");
    assert_eq!(theirs, missing);
    assert!(ada.may_call().await);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_token_of_before() {
    let api = TestApi::start().await;
    let mut phone = api.member(ADA).await;
    let mut laptop = api.nobody();
    laptop.enter(ADA, PASSWORD, LAPTOP).await;
    api.clock.advance(1);
    done(&phone.mutate("signOutEverywhere", json!({}), "me { signIns { id } }").await);
    assert!(!laptop.may_call().await && !phone.may_call().await);
    api.clock.advance(1);
    phone.token = None;
    phone.enter(ADA, PASSWORD, PHONE).await;
    assert!(phone.may_call().await);
    assert_eq!(phone.me("signIns { id }").await["signIns"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_unknown_provider_signs_nobody_in() {
    let api = TestApi::start().await;
    let input = json!({ "issuer": "https://elsewhere.example", "idToken": "x", "deviceId": PHONE });
    let payload =
        api.nobody().mutate("signInWithProvider", input.clone(), "tokens { accountId }").await;
    assert_eq!(refusal(&payload), "UNKNOWN_ISSUER");
    let mut ada = api.member(ADA).await;
    let input = json!({ "issuer": "https://elsewhere.example", "idToken": "x" });
    assert_eq!(refusal(&ada.mutate("linkProvider", input, "me { id }").await), "UNKNOWN_ISSUER");
}

#[tokio::test]
async fn the_public_keys_can_be_kept_and_check_the_tokens() {
    let api = TestApi::start().await;
    let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
    let answer = api.send(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    let key = &answer.body["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&json!("OKP"), &json!("EdDSA"), &json!("sig"))
    );
    assert_eq!(key.get("d"), None, "nothing private");
}
