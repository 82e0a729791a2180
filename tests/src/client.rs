//! A client of the API that knows nothing but HTTP and JSON.

use std::path::Path;

use serde_json::{Value, json};

use crate::process::run;

/// How often a question is asked that the read models are not up to; a server waits 2 s each time.
const ASKED_AGAIN_MAX: usize = 30;

/// Talks to one server as one bearer of a token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    /// The place of the last write; sent along, so that every read sees it.
    position: Option<String>,
}

impl Client {
    /// Without a token.
    pub fn anonymous(url: &str) -> Self {
        // It is built with TLS, which wants to know whose cryptography to use even if nobody needs it.
        let _first = rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::new(), url: url.to_owned(), token: None, position: None }
    }

    /// With a token minted by `playhead admin token`.
    pub fn minted(url: &str, data: &Path, args: &[&str]) -> Self {
        let args = [&["admin", "token"], args].concat();
        Self::with_token(url, run(data, &args).ok().stdout.trim())
    }

    /// With a token.
    pub fn with_token(url: &str, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::anonymous(url) }
    }

    /// Somebody else at the same server. Cheap: a new client would set up encryption anew.
    pub fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), position: None, ..self.clone() }
    }

    /// What it shows to be let in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Remembers the position in the payload of a mutation.
    pub fn see(&mut self, payload: &Value) {
        if let Some(position) = payload["position"].as_str() {
            self.position = Some(position.to_owned());
        }
    }

    /// Another server, the same token.
    pub fn moved_to(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// Runs an operation and answers the whole response. Asks again, as a client should, while the
    /// read models are behind: on a machine under load they may be for longer than a server waits.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        for _ in 0..ASKED_AGAIN_MAX {
            let answer = self.ask_once(&body).await;
            if answer["errors"][0]["extensions"]["code"] != "POSITION_TIMEOUT" {
                return answer;
            }
        }
        panic!("the read models do not catch up")
    }

    async fn ask_once(&self, body: &Value) -> Value {
        let mut request = self.http.post(format!("{}/graphql", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(position) = &self.position {
            request = request.header("playhead-position", position);
        }
        request.json(body).send().await.unwrap().json().await.unwrap()
    }

    /// Runs an operation that must not fail; remembers the position of a mutation.
    #[track_caller]
    pub fn data(&mut self, query: &str, variables: Value) -> impl Future<Output = Value> {
        let asked = query.to_owned();
        let this = self;
        async move {
            let answer = this.ask(&asked, variables).await;
            assert!(answer.get("errors").is_none(), "{asked}\n{answer:#}");
            let data = answer["data"].clone();
            let payload = data.as_object().and_then(|data| data.values().next());
            if let Some(payload) = payload {
                this.see(payload);
            }
            data
        }
    }

    /// Posts to the heartbeat endpoint; answers the status and the body.
    pub async fn heartbeat(&mut self, body: &Value) -> (u16, Value) {
        self.try_heartbeat(body).await.expect("the server answers")
    }

    /// As [`Self::heartbeat`], for a server that may die meanwhile: `None` if no whole answer came.
    pub async fn try_heartbeat(&mut self, body: &Value) -> Option<(u16, Value)> {
        let url = format!("{}/v1/playback/heartbeat", self.url);
        let response = self.http.post(url).json(body).send().await.ok()?;
        let status = response.status().as_u16();
        let body: Value = response.json().await.ok()?;
        if let Some(position) = body["position"].as_str() {
            self.position = Some(position.to_owned());
        }
        Some((status, body))
    }

    /// Gets a path; answers the status and the body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}
