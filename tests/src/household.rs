//! A household, as a client app sees it.

use std::path::Path;

use serde_json::{Value, json};

use crate::client::Client;

/// An open account with a profile and a plan.
#[derive(Debug, Clone)]
pub struct Household {
    /// Signed in as the account.
    pub client: Client,
    /// The global id of its profile.
    pub profile: String,
}

impl Household {
    /// Signs up.
    pub async fn sign_up(url: &str, data: &Path, plan: &str) -> Self {
        let mut client = Client::minted(url, data, &[]);
        let open = "mutation { openAccount { account { id } position errors { code } } }";
        client.data(open, json!({})).await;
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
