//! Heartbeats: `POST /v1/playback/heartbeat`, the hot path. Nothing is read: the playback token
//! says everything that must be known, and whose right to play has ended is kept in memory.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Response, StatusCode};
use playhead_commands::Context;
use playhead_commands::heartbeat::Heartbeat;
use playhead_domain::viewing::{Progressed, Quality};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::errors::{self, Code, Fault, field_name};
use crate::front::{body, negotiation};
use crate::position;
use crate::routes::{Correlation, Endpoint, plain, plain_fault};

/// The largest body; a heartbeat has about 800 bytes.
const BODY_BYTES_MAX: usize = 64 * 1_024;
/// The most heartbeats of one request: a player that was offline sends what it kept.
const HEARTBEATS_MAX: usize = 100;
/// The greatest sequence: GraphQL shows it as an `Int`, and the greatest of those is kept for the
/// position at which a session is stopped.
const SEQUENCE_MAX: u32 = i32::MAX.unsigned_abs() - 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reported<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    sequence: u32,
    position_ms: u64,
    played_ms: Option<u64>,
    duration_ms: Option<u64>,
    quality: Option<ReportedQuality>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReportedQuality {
    height: Option<u32>,
    bitrate_bps: Option<u64>,
    buffer_ms: Option<u64>,
    rebuffers: Option<u32>,
}

/// Records one heartbeat or an array of them, all or none.
pub(crate) async fn serve(
    State(endpoint): State<Arc<Endpoint>>,
    Extension(Correlation(correlation_id)): Extension<Correlation>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    match record(&endpoint, correlation_id, &headers, body).await {
        Ok(response) => response,
        Err(fault) => plain_fault(&fault),
    }
}

async fn record(
    endpoint: &Endpoint,
    correlation_id: Uuid,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Fault> {
    negotiation::require_json(headers)?;
    let bytes = body::read(body, headers, BODY_BYTES_MAX).await?;
    let reported = parse(&bytes)?;
    let accepted = reported.len();
    let at_ms = endpoint.services.clock.now_ms();
    let progressed = observe(endpoint, reported, is_array(&bytes), at_ms)?;
    let context = Context {
        // Each event is named by its session and sequence.
        command_id: Uuid::nil(),
        at_ms,
        actor: Arc::from(actor(&progressed)),
        correlation_id,
    };
    let recorded = endpoint.services.commands.record(progressed, &context).await;
    let position = recorded.map_err(|error| errors::of_record(&error, correlation_id))?;
    let answer = json!({ "accepted": accepted, "position": position.map(position::encode) });
    Ok(plain(StatusCode::OK, &answer))
}

fn is_array(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'[')
}

fn parse(bytes: &[u8]) -> Result<Vec<Reported<'_>>, Fault> {
    let all: Vec<_> = if is_array(bytes) {
        serde_json::from_slice(bytes).map_err(|_| misfit::<Vec<Reported<'_>>>(bytes))?
    } else {
        vec![serde_json::from_slice(bytes).map_err(|_| misfit::<Reported<'_>>(bytes))?]
    };
    if (1..=HEARTBEATS_MAX).contains(&all.len()) {
        return Ok(all);
    }
    let message = format!("the array must have 1 to {HEARTBEATS_MAX} heartbeats");
    Err(Fault::new(Code::InvalidInput, message))
}

/// Why a body is no `T`. Reads it once more, slowly, to find the place.
fn misfit<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Fault {
    let deserializer = &mut serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(deserializer) else {
        return Fault::new(Code::BadRequest, "the body goes on behind its end");
    };
    let (path, error) = (error.path().to_string(), error.into_inner());
    if !error.is_data() {
        return Fault::new(Code::BadRequest, format!("the body is not JSON: {error}"));
    }
    let field = path.rsplit_once('.').map_or(path.as_str(), |(_, field)| field);
    let said = error.to_string();
    let message = if said.starts_with("unknown field") || said.starts_with("missing field") {
        said.split_once(" at line").map_or(said.as_str(), |(said, _)| said).replace('`', "\"")
    } else {
        rule_of(field).map_or_else(
            || "a heartbeat must be an object with token, sequence and positionMs".to_owned(),
            |rule| format!("{field} must be {rule}"),
        )
    };
    let fault = Fault::new(Code::InvalidInput, message);
    if path == "." { fault } else { fault.at(path) }
}

/// What a field must be, as far as its type goes; `None` if it is none.
fn rule_of(field: &str) -> Option<String> {
    let rule = match field {
        "token" => "a text",
        "sequence" => return Some(format!("a whole number from 0 to {SEQUENCE_MAX}")),
        "positionMs" | "playedMs" | "durationMs" | "bufferMs" => {
            "a whole number of milliseconds, at least 0"
        }
        "height" | "bitrateBps" | "rebuffers" => "a whole number, at least 0",
        "quality" => "an object with height, bitrateBps, bufferMs and rebuffers, each optional",
        _ => return None,
    };
    Some(rule.to_owned())
}

fn observe(
    endpoint: &Endpoint,
    reported: Vec<Reported<'_>>,
    array: bool,
    at_ms: i64,
) -> Result<Vec<Progressed>, Fault> {
    let at = |index: usize, field: &str| match array {
        true => format!("[{index}].{field}"),
        false => field.to_owned(),
    };
    let mut progressed = Vec::with_capacity(reported.len());
    for (index, one) in reported.into_iter().enumerate() {
        let services = &endpoint.services;
        let grant = services.playback_tokens.verify(&one.token, at_ms).and_then(|grant| {
            services.access.check_playback(&grant)?;
            Ok(grant)
        });
        let grant = grant.map_err(|error| Fault::from(error).at(at(index, "token")))?;
        if one.sequence > SEQUENCE_MAX {
            let message = format!("sequence must be from 0 to {SEQUENCE_MAX}");
            return Err(Fault::new(Code::InvalidInput, message).at(at(index, "sequence")));
        }
        let observed = one.into_heartbeat().observed(&grant, at_ms);
        progressed.push(observed.map_err(|invalid| {
            let quality = matches!(invalid.field, "height" | "buffer_ms");
            let prefix = if quality { "quality." } else { "" };
            let field = format!("{prefix}{}", field_name(invalid.field));
            Fault::from(invalid).at(at(index, &field))
        })?);
    }
    Ok(progressed)
}

impl Reported<'_> {
    fn into_heartbeat(self) -> Heartbeat {
        Heartbeat {
            sequence: self.sequence,
            position_ms: self.position_ms,
            played_ms: self.played_ms,
            duration_ms: self.duration_ms,
            quality: self.quality.map_or_else(Quality::default, |quality| Quality {
                height: quality.height,
                bitrate_bps: quality.bitrate_bps,
                buffer_ms: quality.buffer_ms,
                rebuffers: quality.rebuffers,
            }),
        }
    }
}

/// Who reports: an account, unless a relay sends heartbeats of many.
fn actor(progressed: &[Progressed]) -> String {
    let mut accounts = progressed.iter().map(|progressed| progressed.account_id);
    match accounts.next() {
        Some(first) if accounts.all(|account| account == first) => format!("account:{first}"),
        _ => "system:relay".to_owned(),
    }
}
