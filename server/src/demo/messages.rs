//! What the client asks and what it is answered.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::client::ClientError;
use super::film::Film;
use super::shelf::{HistoryEntry, RowEntry};

pub(super) const OPEN_ACCOUNT: &str = "mutation ($input: OpenAccountInput!) {
  outcome: openAccount(input: $input) { position errors { code message } }
}";

pub(super) const ADD_PROFILE: &str = "mutation ($input: AddProfileInput!) {
  outcome: addProfile(input: $input) { profile { id } position errors { code message } }
}";

pub(super) const SUBSCRIBE: &str = "mutation ($input: SubscribeInput!) {
  outcome: subscribe(input: $input) { position errors { code message } }
}";

pub(super) const TITLES: &str = "query ($filter: TitleFilter, $profile: ID!) {
  titles(first: 100, filter: $filter, profileId: $profile) {
    totalCount
    nodes { id name type year runtimeMs creditsStartMs genres }
  }
}";

pub(super) const HOME: &str = "query ($profile: ID!) {
  viewer {
    profile(id: $profile) {
      continueWatching(first: 100) { nodes { title { id } positionMs reason } }
      history(first: 100) { nodes { sessionId positionMs endedAt } }
    }
  }
}";

pub(super) const START_PLAYBACK: &str = "mutation ($input: StartPlaybackInput!) {
  outcome: startPlayback(input: $input) {
    playback { sessionId token resumeMs }
    position
    errors { code message ... on TooManyStreams { limit playing { device title { name } } } }
  }
}";

pub(super) const STOP_PLAYBACK: &str = "mutation ($input: StopPlaybackInput!) {
  outcome: stopPlayback(input: $input) { position errors { code message } }
}";

pub(super) const DISMISS_TITLE: &str = "mutation ($input: DismissTitleInput!) {
  outcome: dismissTitle(input: $input) { position errors { code message } }
}";

/// The answer to a query without errors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read<T> {
    pub(super) data: T,
}

/// The answer to a mutation.
#[derive(Debug, Deserialize)]
pub(super) struct Mutated<T> {
    pub(super) outcome: Outcome<T>,
}

/// What a mutation led to.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome<T> {
    #[serde(flatten)]
    object: Option<T>,
    pub(super) position: Option<String>,
    pub(super) errors: Vec<MutationError>,
}

impl<T> Outcome<T> {
    /// What the mutation made.
    ///
    /// # Errors
    /// It was refused.
    pub(super) fn into_object(self, what: &'static str) -> Result<T, ClientError> {
        match (self.errors.into_iter().next(), self.object) {
            (None, Some(object)) => Ok(object),
            (error, _) => {
                let (code, message) = error.map(|it| (it.code, it.message)).unwrap_or_default();
                Err(ClientError::Refused { what, code, message })
            }
        }
    }
}

/// Why a mutation was refused.
#[derive(Debug, Deserialize)]
pub(super) struct MutationError {
    pub(super) code: String,
    message: String,
    #[serde(default)]
    pub(super) limit: usize,
    #[serde(default)]
    pub(super) playing: Vec<PlayingStream>,
}

/// Something that plays.
#[derive(Debug, Deserialize)]
pub(super) struct PlayingStream {
    device: String,
    title: Option<Named>,
}

impl fmt::Display for PlayingStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.title.as_ref().map_or("something", |title| &title.name);
        write!(f, "{title} on {}", self.device)
    }
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

/// Whatever it is, nobody looks at it.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

#[derive(Debug, Deserialize)]
pub(super) struct Added {
    pub(super) profile: Identified,
}

#[derive(Debug, Deserialize)]
pub(super) struct Identified {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Started {
    pub(super) playback: Playback,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Playback {
    pub(super) session_id: String,
    pub(super) token: String,
    pub(super) resume_ms: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recorded {
    pub(super) position: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Titles {
    pub(super) titles: TitlePage,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TitlePage {
    pub(super) total_count: u64,
    pub(super) nodes: Vec<TitleNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TitleNode {
    id: String,
    name: String,
    r#type: String,
    year: Option<i32>,
    runtime_ms: Option<u64>,
    credits_start_ms: Option<u64>,
    genres: Vec<String>,
}

/// Titles shorter than this are left out: most of them would be over before anything happens.
const RUNTIME_MIN_MS: u64 = 600_000;

/// The titles that can be played and are long enough to be interesting.
pub(super) fn films(nodes: Vec<TitleNode>) -> Vec<Arc<Film>> {
    nodes.into_iter().filter(|node| node.r#type != "SERIES").filter_map(film).collect()
}

fn film(node: TitleNode) -> Option<Arc<Film>> {
    let TitleNode { id, name, year, genres, runtime_ms, credits_start_ms, .. } = node;
    let runtime_ms = runtime_ms.unwrap_or_else(|| of_the_file(&id));
    let film = Film { id, name, year, genres, runtime_ms, credits_start_ms };
    (runtime_ms >= RUNTIME_MIN_MS).then(|| Arc::new(film))
}

/// How long a title is of which the catalogue does not know: players see it in the file they play.
/// There is none here, so it is from 80 to 143 minutes, always the same for the same title.
fn of_the_file(id: &str) -> u64 {
    let sum = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    (80 + sum % 64) * 60_000
}

#[derive(Debug, Deserialize)]
pub(super) struct Home {
    viewer: HomeViewer,
}

#[derive(Debug, Deserialize)]
struct HomeViewer {
    profile: HomeProfile,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HomeProfile {
    continue_watching: Nodes<RowNode>,
    history: Nodes<HistoryNode>,
}

#[derive(Debug, Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RowNode {
    title: Identified,
    position_ms: u64,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryNode {
    session_id: String,
    position_ms: Option<u64>,
    ended_at: Option<String>,
}

impl Home {
    /// What is compared with what was done. Next episodes are suggestions, not bookmarks.
    pub(super) fn into_entries(self) -> (Vec<RowEntry>, Vec<HistoryEntry>) {
        let HomeProfile { continue_watching, history } = self.viewer.profile;
        let row = continue_watching.nodes.into_iter().filter(|node| node.reason == "IN_PROGRESS");
        let row =
            row.map(|node| RowEntry { title_id: node.title.id, position_ms: node.position_ms });
        let history = history.nodes.into_iter().map(|node| HistoryEntry {
            session_id: node.session_id,
            position_ms: node.position_ms.unwrap_or_default(),
            ended: node.ended_at.is_some(),
        });
        (row.collect(), history.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refused_start_says_what_plays_where() {
        let outcome: Outcome<Started> = serde_json::from_value(json!({
            "playback": null, "position": null,
            "errors": [{
                "code": "TOO_MANY_STREAMS", "message": "…", "limit": 1,
                "playing": [{ "device": "TV", "title": { "name": "Metropolis" } }],
            }],
        }))
        .unwrap();
        let error = &outcome.errors[0];
        assert_eq!((error.limit, error.playing[0].to_string()), (1, "Metropolis on TV".to_owned()));
        assert!(outcome.into_object("startPlayback").is_err());
    }

    #[test]
    fn a_mutation_that_made_something_answers_it() {
        let outcome: Outcome<Added> = serde_json::from_value(
            json!({ "profile": { "id": "p" }, "position": "x", "errors": [] }),
        )
        .unwrap();
        assert_eq!(outcome.into_object("addProfile").unwrap().profile.id, "p");
    }

    #[test]
    fn an_answer_with_errors_is_not_taken_for_data() {
        let text = r#"{"data": {"profile": {"id": "p"}}, "errors": [{"message": "half"}]}"#;
        assert!(serde_json::from_str::<Read<Added>>(text).is_err());
    }

    #[test]
    fn series_and_short_titles_are_not_played() {
        let node = |kind: &str, runtime_ms: Option<u64>| TitleNode {
            id: "a".to_owned(),
            name: "A".to_owned(),
            r#type: kind.to_owned(),
            year: None,
            runtime_ms,
            credits_start_ms: None,
            genres: vec![],
        };
        let long = Some(5_400_000);
        assert!(films(vec![node("SERIES", long), node("SHORT", Some(300_000))]).is_empty());
        let played = films(vec![node("MOVIE", long), node("MOVIE", None)]);
        assert!(played.iter().all(|film| film.runtime_ms >= 4_800_000) && played.len() == 2);
    }

    #[test]
    fn a_suggested_next_episode_is_no_bookmark() {
        let row =
            |reason: &str| json!({ "title": { "id": "a" }, "positionMs": 5, "reason": reason });
        let home: Home = serde_json::from_value(json!({ "viewer": { "profile": {
            "continueWatching": { "nodes": [row("IN_PROGRESS"), row("NEXT_EPISODE")] },
            "history": { "nodes": [] },
        } } }))
        .unwrap();
        assert_eq!(home.into_entries().0.len(), 1);
    }
}
