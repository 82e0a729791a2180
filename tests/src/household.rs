//! A household, as a client app sees it.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::client::Client;
use crate::person::Person;

/// How many households there are, so that each has an address of its own.
static HOUSEHOLDS: AtomicU32 = AtomicU32::new(0);

/// An open account with a profile and a plan.
#[derive(Debug, Clone)]
pub struct Household {
    /// Signed in as the account.
    pub client: Client,
    /// The global id of its profile.
    pub profile: String,
}

impl Household {
    /// Signs up. Its token was made without a sign-in and is valid for an hour.
    pub async fn sign_up(url: &str, data: &Path, plan: &str) -> Self {
        let number = HOUSEHOLDS.fetch_add(1, Ordering::Relaxed);
        let email = format!("household-{number}@example.org");
        let person = Person::register(url, data, &email).await;
        let mut client = Client::minted(url, data, &["--account", &person.account_id]);
        let add = r#"mutation { addProfile(input: {name: "Ada"}) { profile { id } position errors { code } } }"#;
        let added = client.data(add, json!({})).await;
        let profile = added["addProfile"]["profile"]["id"].as_str().unwrap().to_owned();
        let subscribe = "mutation($plan: Plan!) { subscribe(input: {plan: $plan}) { account { plan } position errors { code } } }";
        let subscribed = client.data(subscribe, json!({"plan": plan})).await;
        assert_eq!(subscribed["subscribe"]["account"]["plan"], plan);
        Self { client, profile }
    }

    /// Starts a title; answers the payload.
    pub async fn start(&mut self, title: &str, device: &str) -> Value {
        let start = "mutation($input: StartPlaybackInput!) { startPlayback(input: $input) {
            playback { sessionId token resumeMs } position
            errors { code message ... on TooManyStreams { limit playing { device title { id name } profile { name } } } }
        } }";
        let input = json!({"profileId": self.profile, "titleId": title, "device": device});
        self.client.data(start, json!({"input": input})).await["startPlayback"].clone()
    }

    /// Stops a session where it is; answers the payload.
    pub async fn stop(&mut self, token: &str, position_ms: Option<u64>) -> Value {
        let stop = "mutation($input: StopPlaybackInput!) { stopPlayback(input: $input) { position errors { code } } }";
        let input = json!({"playbackToken": token, "positionMs": position_ms});
        self.client.data(stop, json!({"input": input})).await["stopPlayback"].clone()
    }

    /// Sends a heartbeat that must be accepted.
    pub async fn beat(&mut self, token: &str, sequence: u32, position_ms: u64) {
        let body = json!({
            "token": token, "sequence": sequence, "positionMs": position_ms,
            "playedMs": position_ms, "durationMs": 7_200_000
        });
        let (status, answer) = self.client.heartbeat(&body).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// The continue-watching row and the history of the profile.
    pub async fn watched(&mut self) -> Value {
        let query = "query($id: ID!) { viewer { profile(id: $id) {
            continueWatching(first: 100) { nodes { title { id name } positionMs durationMs reason } }
            history(first: 100) { nodes { sessionId title { id name } device positionMs finished endedAt } }
        } } }";
        let id = self.profile.clone();
        self.client.data(query, json!({"id": id})).await["viewer"]["profile"].clone()
    }
}
