//! An identity provider on a free port of this machine, which fails when it is told to.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto};
use playhead_identity::oidc::{OutsideIssuer, OutsideSettings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::forge::{NOW_S, part};

/// What the provider answers, and how often it was asked.
pub(crate) struct Answers {
    pub(crate) discovery: Value,
    pub(crate) keys: Value,
    pub(crate) status: StatusCode,
    /// Sent behind each document.
    pub(crate) tail: String,
    /// Never answers.
    pub(crate) silent: bool,
    pub(crate) asked: (u32, u32),
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    answers: Arc<Mutex<Answers>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") });
        let keys = json!({ "keys": [jwk("rsa"), jwk("p256"), jwk("ed25519")] });
        let (status, tail) = (StatusCode::OK, String::new());
        let answers = Answers { discovery, keys, status, tail, silent: false, asked: (0, 0) };
        let answers = Arc::new(Mutex::new(answers));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery_document))
            .route("/jwks", get(key_set))
            .route("/elsewhere", get(key_set))
            .with_state(Arc::clone(&answers));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer, answers }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.answers.lock().unwrap());
    }

    /// How often the discovery document and the keys were asked for.
    pub(crate) fn asked(&self) -> (u32, u32) {
        self.answers.lock().unwrap().asked
    }

    pub(crate) fn trusted(&self) -> OutsideIssuer {
        OutsideIssuer::new(OutsideSettings::new(&self.issuer, "playhead")).unwrap()
    }
}

async fn discovery_document(State(answers): State<Arc<Mutex<Answers>>>) -> Response {
    let answer = {
        let mut answers = answers.lock().unwrap();
        answers.asked.0 += 1;
        document(&answers, &answers.discovery)
    };
    settled(answer).await
}

async fn key_set(State(answers): State<Arc<Mutex<Answers>>>) -> Response {
    let answer = {
        let mut answers = answers.lock().unwrap();
        answers.asked.1 += 1;
        document(&answers, &answers.keys)
    };
    settled(answer).await
}

fn document(answers: &Answers, document: &Value) -> Option<Response> {
    if answers.silent {
        return None;
    }
    if answers.status.is_redirection() {
        return Some((answers.status, [("location", "/elsewhere")]).into_response());
    }
    if answers.tail.is_empty() {
        return Some((answers.status, Json(document)).into_response());
    }
    Some((answers.status, format!("{document}{}", answers.tail)).into_response())
}

async fn settled(answer: Option<Response>) -> Response {
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

fn private_key(name: &str) -> EncodingKey {
    match name {
        "rsa" => EncodingKey::from_rsa_pem(include_bytes!("../keys/rsa.pem")),
        "p256" => EncodingKey::from_ec_pem(include_bytes!("../keys/p256.pem")),
        "ed25519" => EncodingKey::from_ed_pem(include_bytes!("../keys/ed25519.pem")),
        "eve" => EncodingKey::from_ed_pem(include_bytes!("../keys/eve.pem")),
        other => panic!("no key {other}"),
    }
    .unwrap()
}

/// The public key, under its name.
pub(crate) fn jwk(name: &str) -> Value {
    let algorithm = match name {
        "rsa" => Algorithm::RS256,
        "p256" => Algorithm::ES256,
        _ => Algorithm::EdDSA,
    };
    let mut key =
        serde_json::to_value(Jwk::from_encoding_key(&private_key(name), algorithm).unwrap())
            .unwrap();
    key["kid"] = json!(name);
    // The RSA key serves two algorithms.
    key.as_object_mut().unwrap().remove("alg");
    key
}

pub(crate) fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer,
        "aud": "playhead",
        "sub": "ada",
        "email": "ada@example.org",
        "email_verified": true,
        "iat": NOW_S,
        "exp": NOW_S + 600,
    })
}

/// A token by this key, under this name.
pub(crate) fn sign(key: &str, kid: Option<&str>, algorithm: Algorithm, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &private_key(key)).unwrap()
}

/// A token of these very claims.
pub(crate) fn sign_text(key: &str, claims: &str) -> String {
    let header = json!({ "alg": "EdDSA", "kid": key }).to_string();
    let message = format!("{}.{}", part(header), part(claims));
    let signature = crypto::sign(message.as_bytes(), &private_key(key), Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

/// A token under a secret that is none.
pub(crate) fn sign_hmac(secret: &[u8], kid: &str, claims: &Value) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}
