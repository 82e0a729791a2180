//! A client of the API, as an app would have it: GraphQL, heartbeats, and read-your-writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use playhead_identity::RandomError;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

use super::badge::Badge;
use super::board::{Board, Request};
use super::film::Film;
use super::messages::{self, Outcome, Read};
use super::player::{Heartbeat, Player};
use super::shelf::{HistoryEntry, RowEntry};
use super::viewer::Search;

/// No request should take so long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an unexpected answer is told.
const TOLD_CHARS_MAX: usize = 200;

/// Why something did not work.
#[derive(Debug, Error)]
pub(super) enum ClientError {
    /// There was no answer.
    #[error("{what}: no answer: {source}")]
    Silence {
        /// What was asked for.
        what: &'static str,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer was not what it should be.
    #[error("{what}: unexpected answer {status}: {text}")]
    Unexpected {
        /// What was asked for.
        what: &'static str,
        /// The HTTP status.
        status: StatusCode,
        /// The beginning of the answer.
        text: String,
    },
    /// There is no access token.
    #[error("no access token: {0}")]
    Token(#[from] RandomError),
    /// The command was refused.
    #[error("{what}: refused with {code}: {message}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The code.
        code: String,
        /// The message.
        message: String,
    },
}

/// What came of a wish to play something.
#[derive(Debug)]
pub(super) enum Start {
    /// It plays.
    Playing(Player),
    /// The plan's streams are in use.
    Limited {
        /// How many there are.
        limit: usize,
        /// What plays where.
        playing: Vec<String>,
    },
}

/// What the server says about itself.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Readiness {
    /// Events in the log.
    pub(super) events: u64,
    /// Its read models.
    pub(super) projections: Vec<ProjectionStatus>,
}

/// How far a read model is.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProjectionStatus {
    /// What it is called.
    pub(super) name: String,
    /// How many events it has yet to fold.
    pub(super) lag_events: u64,
    /// How many events it could not fold.
    pub(super) parked_events: u64,
}

/// Asks the server about itself.
///
/// # Errors
/// It is not there or says something else.
pub(super) async fn readiness(
    http: &reqwest::Client,
    base: &str,
) -> Result<Readiness, ClientError> {
    let request = http.get(format!("{base}/readyz")).timeout(TIMEOUT);
    let (status, text) = send("readyz", request).await?;
    // A server that is catching up says so with 503 and the same body.
    serde_json::from_str(&text).map_err(|_| unexpected("readyz", status, &text))
}

/// The client of one household.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    badge: Badge,
    board: Arc<Board>,
    /// Where the latest write is, so that the next read waits for it.
    position: Option<String>,
}

impl Client {
    /// A client with access tokens. `base` is the address of the server, such as
    /// `http://127.0.0.1:8480`.
    pub(super) fn new(
        http: reqwest::Client,
        base: String,
        badge: Badge,
        board: Arc<Board>,
    ) -> Self {
        Self { http, base, badge, board, position: None }
    }

    /// An access token.
    pub(super) fn token(&self) -> Result<String, ClientError> {
        Ok(self.badge.token()?)
    }

    /// Opens the account that the token names.
    pub(super) async fn open_account(&mut self) -> Result<(), ClientError> {
        let what = "openAccount";
        self.command::<messages::Nothing>(what, messages::OPEN_ACCOUNT, json!({})).await.map(drop)
    }

    /// Adds a profile and answers its id.
    pub(super) async fn add_profile(
        &mut self,
        name: &str,
        language: &str,
        kids: bool,
    ) -> Result<String, ClientError> {
        let input = json!({ "name": name, "language": language, "kids": kids });
        let what = "addProfile";
        let added: messages::Added = self.command(what, messages::ADD_PROFILE, input).await?;
        Ok(added.profile.id)
    }

    /// Buys a plan, named as the API names it.
    pub(super) async fn subscribe(&mut self, plan: &str) -> Result<(), ClientError> {
        let input = json!({ "plan": plan });
        self.command::<messages::Nothing>("subscribe", messages::SUBSCRIBE, input).await.map(drop)
    }

    /// A page of films that a profile may play, and how many titles there are for it.
    pub(super) async fn browse(
        &mut self,
        profile_id: &str,
        search: &Search,
    ) -> Result<(Vec<Arc<Film>>, u64), ClientError> {
        let filter = match search {
            Search::Everything => json!({}),
            Search::Genre(genre) => json!({ "genre": genre }),
            Search::Year(year) => json!({ "year": year }),
        };
        let variables = json!({ "filter": filter, "profile": profile_id });
        let page: messages::Titles = self.query("titles", messages::TITLES, variables).await?;
        Ok((messages::films(page.titles.nodes), page.titles.total_count))
    }

    /// The titles on a profile's continue-watching row that are in progress, and its newest
    /// sessions.
    pub(super) async fn home(
        &mut self,
        profile_id: &str,
    ) -> Result<(Vec<RowEntry>, Vec<HistoryEntry>), ClientError> {
        let variables = json!({ "profile": profile_id });
        let home: messages::Home = self.query("home", messages::HOME, variables).await?;
        Ok(home.into_entries())
    }

    /// Plays a film from where it was left.
    pub(super) async fn start(
        &mut self,
        profile_id: &str,
        film: &Arc<Film>,
        device: &'static str,
    ) -> Result<Start, ClientError> {
        let input = json!({ "profileId": profile_id, "titleId": film.id, "device": device });
        let outcome = self.mutate("startPlayback", messages::START_PLAYBACK, input).await?;
        let outcome: Outcome<messages::Started> = outcome;
        if let Some(limited) = outcome.errors.iter().find(|error| error.code == "TOO_MANY_STREAMS")
        {
            let playing = limited.playing.iter().map(ToString::to_string).collect();
            return Ok(Start::Limited { limit: limited.limit, playing });
        }
        let playback = outcome.into_object("startPlayback")?.playback;
        let from_ms = playback.resume_ms;
        let (session_id, token) = (playback.session_id, playback.token);
        Ok(Start::Playing(Player::new(Arc::clone(film), device, session_id, token, from_ms)))
    }

    /// Ends the session of a heartbeat, which is the last one.
    pub(super) async fn stop(&mut self, last: &Heartbeat) -> Result<(), ClientError> {
        self.heartbeat(last).await?;
        let input = json!({ "playbackToken": last.token });
        let what = "stopPlayback";
        self.command::<messages::Nothing>(what, messages::STOP_PLAYBACK, input).await.map(drop)
    }

    /// Takes a title off a profile's row.
    pub(super) async fn dismiss(
        &mut self,
        profile_id: &str,
        title_id: &str,
    ) -> Result<(), ClientError> {
        let input = json!({ "profileId": profile_id, "titleId": title_id });
        let what = "dismissTitle";
        self.command::<messages::Nothing>(what, messages::DISMISS_TITLE, input).await.map(drop)
    }

    /// Reports where a player is.
    pub(super) async fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<(), ClientError> {
        let url = format!("{}/v1/playback/heartbeat", self.base);
        let request = self.http.post(url).json(heartbeat);
        let recorded: messages::Recorded =
            self.ask(Request::Heartbeat, "heartbeat", request).await?;
        self.board.accepted();
        self.position = Some(recorded.position);
        Ok(())
    }

    /// Runs a mutation that should succeed.
    async fn command<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
        document: &str,
        input: Value,
    ) -> Result<T, ClientError> {
        self.mutate(what, document, input).await?.into_object(what)
    }

    async fn mutate<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
        document: &str,
        input: Value,
    ) -> Result<Outcome<T>, ClientError> {
        let variables = json!({ "input": input });
        let mutated: messages::Mutated<T> = self.query(what, document, variables).await?;
        let outcome = mutated.outcome;
        self.position = outcome.position.clone().or(self.position.take());
        Ok(outcome)
    }

    async fn query<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
        document: &str,
        variables: Value,
    ) -> Result<T, ClientError> {
        let body = json!({ "query": document, "variables": variables });
        let url = format!("{}/graphql", self.base);
        let mut request = self.http.post(url).bearer_auth(self.token()?).json(&body);
        if let Some(position) = &self.position {
            request = request.header("playhead-position", position);
        }
        let read: Read<T> = self.ask(Request::GraphQl, what, request).await?;
        Ok(read.data)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        kind: Request,
        what: &'static str,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        let begun = Instant::now();
        let (status, text) = send(what, request.timeout(TIMEOUT)).await?;
        self.board.answered(kind, begun.elapsed());
        // An answer with errors has no complete data, and so is not of the expected form.
        let answer = serde_json::from_str(&text).ok().filter(|_| status.is_success());
        answer.ok_or_else(|| unexpected(what, status, &text))
    }
}

async fn send(
    what: &'static str,
    request: RequestBuilder,
) -> Result<(StatusCode, String), ClientError> {
    let silence = |source| ClientError::Silence { what, source };
    let response = request.send().await.map_err(silence)?;
    let status = response.status();
    Ok((status, response.text().await.map_err(silence)?))
}

fn unexpected(what: &'static str, status: StatusCode, text: &str) -> ClientError {
    let text = text.chars().take(TOLD_CHARS_MAX).collect();
    ClientError::Unexpected { what, status, text }
}
