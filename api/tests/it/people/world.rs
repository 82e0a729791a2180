//! Somebody with an address, and the mail that they get.

use std::fs;

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::AccountId;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApi, text};

pub(super) const PASSWORD: &str = "a plain long sentence";
pub(super) const ADA: &str = "ada@example.org";
pub(super) const PHONE: &str = "01890000-0000-7000-8000-000000000001";
pub(super) const LAPTOP: &str = "01890000-0000-7000-8000-000000000002";

const TOKENS: &str = "tokens { accountId signInId accessToken refreshToken newAccount }";

impl TestApi {
    /// The mails that nobody has read: the whole text of each, in which a link can be read.
    pub(super) async fn mails(&self) -> Vec<String> {
        self.background.settled().await;
        let mut mails = vec![];
        for entry in fs::read_dir(self.directory.path().join("mail")).unwrap() {
            let path = entry.unwrap().path();
            // Quoted-printable: what a link needs of it.
            mails.push(fs::read_to_string(&path).unwrap().replace("=\r\n", "").replace("=3D", "="));
            fs::remove_file(path).unwrap();
        }
        mails
    }

    /// The one code in the mails that nobody has read.
    pub(super) async fn code(&self) -> String {
        let mails = self.mails().await.join("\n");
        let words = mails.split_whitespace().filter_map(|word| word.split_once('#'));
        let codes: Vec<_> = words.map(|(_, code)| code.to_owned()).collect();
        assert_eq!(codes.len(), 1, "{mails}");
        codes[0].clone()
    }

    /// An account with a verified address, signed in on a phone.
    pub(super) async fn member(&self, email: &str) -> Client<'_> {
        let mut client = self.nobody();
        let input = json!({ "email": email, "password": PASSWORD });
        let payload = client.mutate("register", input, "email").await;
        assert_eq!(payload["errors"], json!([]));
        let code = self.code().await;
        let payload = client.mutate("verifyEmail", json!({ "code": code }), "accountId").await;
        assert_eq!(payload["errors"], json!([]));
        client.enter(email, PASSWORD, PHONE).await;
        client
    }

    /// A form of OAuth.
    pub(super) async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(pairs);
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.finish())).unwrap()).await
    }
}

impl Client<'_> {
    pub(super) async fn sign_in(&mut self, email: &str, password: &str, device: &str) -> Value {
        let input = json!({ "email": email, "password": password, "deviceId": device });
        self.mutate("signIn", input, TOKENS).await
    }

    pub(super) async fn refresh(&mut self, token: &str) -> Value {
        self.mutate("refreshSignIn", json!({ "refreshToken": token }), TOKENS).await
    }

    /// Signs in, and calls with the access token from now on.
    pub(super) async fn enter(&mut self, email: &str, password: &str, device: &str) {
        self.token = None;
        let payload = self.sign_in(email, password, device).await;
        self.carry(&payload);
    }

    /// Calls with the access token of a payload from now on.
    pub(super) fn carry(&mut self, payload: &Value) {
        self.token = Some(text(&payload["tokens"]["accessToken"]));
    }

    pub(super) async fn account_id(&self) -> AccountId {
        let id = URL_SAFE_NO_PAD.decode(text(&self.me("id").await["id"])).unwrap();
        let id = String::from_utf8(id).unwrap();
        id.strip_prefix("Account:").unwrap().parse().unwrap()
    }

    pub(super) async fn me(&self, fields: &str) -> Value {
        self.ask(&format!("{{ me {{ {fields} }} }}")).await["me"].clone()
    }

    /// Whether the access token is still accepted.
    pub(super) async fn may_call(&self) -> bool {
        self.run("{ __typename }", json!({})).await.status == 200
    }
}

/// The code of the only refusal of a payload.
#[track_caller]
pub(super) fn refusal(payload: &Value) -> &str {
    assert_eq!(payload["errors"].as_array().map(Vec::len), Some(1), "{payload}");
    payload["errors"][0]["code"].as_str().unwrap()
}

#[track_caller]
pub(super) fn done(payload: &Value) {
    assert_eq!(payload["errors"], json!([]), "{payload}");
}
