//! Starting and stopping.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use async_trait::async_trait;
use playhead_commands::heartbeat::Heartbeat;
use playhead_commands::people::{NewDevice, PlaybackWish};
use playhead_commands::playback::LastSeen;
use playhead_commands::token::PlaybackGrant;
use playhead_domain::devices::DeviceKind as Kind;
use playhead_domain::playback::{Command, Playback as Rules, Refusal as PlaybackRefusal};
use playhead_domain::viewing::Quality;
use playhead_domain::{AccountId, DeviceId, InvalidValue, ProfileId, SessionId, TitleId};
use playhead_projections::ContinueWatching;
use uuid::Uuid;

use super::{Outcome, Run, payload};
use crate::caller::Caller;
use crate::errors::{self, Fault, Refusal};
use crate::global_id;
use crate::idempotency::Intention;
use crate::limits::Act;
use crate::schema::device::DeviceKind;
use crate::schema::eyes::Eyes;
use crate::schema::scalars::{DateTime, Milliseconds};
use crate::schema::title::{self, Title};

/// How often a player reports.
const HEARTBEAT_INTERVAL_MS: i32 = 30_000;

/// The sequence of a heartbeat that nothing can follow: the greatest `Int`.
const SEQUENCE_LAST: u32 = i32::MAX.unsigned_abs();

/// Begins to play something.
#[derive(InputObject)]
pub(crate) struct StartPlaybackInput {
    /// Who watches.
    profile_id: ID,
    /// What is watched.
    title_id: ID,
    /// The name of the device, for people; 1 to 60 characters. Once the device is registered, which
    /// happens when it plays for the first time, the name it has then counts.
    device: String,
    /// The id that the device chose when its app was installed, a UUID. Left out, it is the device
    /// that somebody signed in on, and it can be no other. With a token that was made without a
    /// sign-in, a device is known by its name without it.
    device_id: Option<ID>,
    /// What the device is; OTHER without it.
    device_kind: Option<DeviceKind>,
    /// The profile's PIN, if it has one.
    pin: Option<String>,
    /// A session that is to end for this one, as `playing` of TOO_MANY_STREAMS names it. Both happen
    /// at once, so that nobody takes the room in between; if it has ended by then, nothing is lost.
    take_over: Option<ID>,
    /// Where to begin; where the profile left off without it.
    from_ms: Option<Milliseconds>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Ends a session.
#[derive(Debug, InputObject)]
pub(crate) struct StopPlaybackInput {
    /// The token of the session; it is proof enough.
    playback_token: String,
    /// Where the player is; recorded as a last heartbeat if it is set.
    position_ms: Option<Milliseconds>,
    /// How much was really played in the session.
    played_ms: Option<Milliseconds>,
    /// How long the title is, if the player knows.
    duration_ms: Option<Milliseconds>,
    /// Counts for nothing: that heartbeat stands behind every other one of the session.
    sequence: Option<i32>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// A session that began.
#[derive(SimpleObject)]
pub(crate) struct Playback {
    /// The session.
    session_id: ID,
    /// What its heartbeats must carry.
    token: String,
    /// The first moment at which the token is no longer valid. Start anew before.
    expires_at: DateTime,
    /// How often the player should report, at POST /v1/playback/heartbeat.
    heartbeat_interval_ms: i32,
    /// Where to begin.
    resume_ms: Milliseconds,
    /// What is played.
    title: Title,
    /// When it began.
    started_at: DateTime,
}

payload! {
    /// What came of starting playback.
    StartPlaybackPayload {
        /// The session.
        playback: Playback
    }
}
payload! {
    /// What came of stopping playback.
    StopPlaybackPayload {
        /// The session that ended.
        session_id: ID
    }
}
/// Starting and stopping.
#[derive(Default)]
pub(crate) struct PlaybackMutation;

#[Object]
impl PlaybackMutation {
    /// Begins to play something, if account, device, plan, profile, PIN, place, title and the streams
    /// that play allow it.
    async fn start_playback(
        &self,
        context: &Context<'_>,
        input: StartPlaybackInput,
    ) -> Result<Option<StartPlaybackPayload>, Error> {
        Ok(start(Caller::of(context)?, input).await?.into())
    }

    /// Ends a session. Needs no access token: the playback token is proof enough.
    async fn stop_playback(
        &self,
        context: &Context<'_>,
        input: StopPlaybackInput,
    ) -> Result<Option<StopPlaybackPayload>, Error> {
        Ok(stop(Caller::of(context)?, input).await?.into())
    }
}

async fn start(caller: &Caller, input: StartPlaybackInput) -> Result<Outcome<Playback>, Fault> {
    let account_id = caller.account_id()?;
    caller.count(Act::PlaybackStart)?;
    let key = input.idempotency_key.as_deref();
    let intention = Intention::of(caller, account_id, "startPlayback", key)?;
    let Some(profile_id) = global_id::profile_of(account_id, &input.profile_id) else {
        return Ok(Outcome::refused(Refusal::unknown_profile(), account_id));
    };
    let Some(title_id) = global_id::title(&input.title_id) else {
        return Ok(Outcome::refused(PlaybackRefusal::TitleUnavailable, account_id));
    };
    let ids = input.device(caller).and_then(|device| Ok((device, input.session_to_end()?)));
    let (device, take_over) = match ids {
        Ok(ids) => ids,
        Err(invalid) => return Ok(Outcome::refused(invalid, account_id)),
    };
    let from_ms = match input.from_ms {
        Some(Milliseconds(from_ms)) => from_ms,
        None => resume_ms(caller, profile_id, title_id).await?,
    };
    let place = caller.place().await?;
    let wish = PlaybackWish {
        account_id,
        session_id: SessionId(intention.new_id),
        profile_id,
        title_id,
        device,
        from_ms,
        pin: input.pin,
        territory: place.territory,
        vpn: place.vpn,
        take_over,
    };
    let services = &caller.services;
    let last_seen = Heard(&services.continue_watching);
    match services.people.start_playback(wish, &last_seen, &intention.context).await {
        Ok(started) => {
            let playback = playback(caller, started.grant).await?;
            Ok(Outcome::done(Some(playback), started.executed.position))
        }
        Err(error) => {
            let refusal = errors::of_start(error, caller.correlation_id)?;
            Ok(Outcome::refused(refusal, account_id).told_to(profile_id))
        }
    }
}

impl StartPlaybackInput {
    /// The device that plays: the one that somebody signed in on. Only a token that was made
    /// without a sign-in leaves it to the caller.
    fn device(&self, caller: &Caller) -> Result<NewDevice, InvalidValue> {
        let said = self.device_id.as_ref().map(|id| id.parse().map(DeviceId));
        let rule = "a UUID";
        let said = said.transpose().map_err(|_| InvalidValue { field: "device_id", rule })?;
        let identity = caller.identity.as_deref();
        let signed_in = identity.and_then(crate::access::Identity::device);
        let rule = "the device that somebody signed in on";
        if signed_in.is_some() && said.is_some() && said != signed_in {
            return Err(InvalidValue { field: "device_id", rule });
        }
        let named = || {
            // The same name is the same device.
            let account_id = identity.map_or(Uuid::nil(), |identity| identity.account_id.0);
            DeviceId(Uuid::new_v5(&account_id, self.device.as_bytes()))
        };
        Ok(NewDevice {
            device_id: signed_in.or(said).unwrap_or_else(named),
            name: self.device.clone(),
            kind: self.device_kind.map_or(Kind::Other, Kind::from),
        })
    }

    fn session_to_end(&self) -> Result<Option<SessionId>, InvalidValue> {
        let rule = "the id of a session";
        let parsed = self.take_over.as_ref().map(|id| id.parse().map(SessionId)).transpose();
        parsed.map_err(|_| InvalidValue { field: "take_over", rule })
    }
}

/// Where a profile left off; the beginning if it was finished or never begun.
async fn resume_ms(
    caller: &Caller,
    profile_id: ProfileId,
    title_id: TitleId,
) -> Result<u64, Fault> {
    let bookmark = caller.services.continue_watching.bookmark(profile_id, title_id).await;
    let bookmark =
        bookmark.map_err(|error| caller.internal("a bookmark cannot be read", &error))?;
    Ok(bookmark.filter(|bookmark| !bookmark.finished).map_or(0, |bookmark| bookmark.position_ms))
}

async fn playback(caller: &Caller, grant: PlaybackGrant) -> Result<Playback, Fault> {
    let services = &caller.services;
    // From the stream and not from the catalogue: the decision was made on it just now.
    let state = services.commands.titles.state(&grant.title_id).await;
    let state = state.map_err(|error| caller.internal("a title cannot be read", &error))?;
    let eyes = Eyes::of_profile_id(caller, grant.account_id, grant.profile_id).await?;
    let title = title::of_state(grant.title_id, &state, eyes).ok_or_else(|| {
        // Withdrawn within the last millisecond.
        Fault::new(errors::Code::NotFound, "the title was withdrawn just now")
    })?;
    let token = services.playback_tokens.sign(grant.clone());
    let token = token.map_err(|error| caller.internal("a token cannot be signed", &error))?;
    Ok(Playback {
        session_id: ID(grant.session_id.to_string()),
        token,
        expires_at: DateTime(grant.expires_at_ms()),
        heartbeat_interval_ms: HEARTBEAT_INTERVAL_MS,
        resume_ms: Milliseconds(grant.from_ms),
        title,
        started_at: DateTime(grant.started_at_ms),
    })
}

/// When sessions were last heard of, from the read model.
struct Heard<'a>(&'a ContinueWatching);

#[async_trait]
impl LastSeen for Heard<'_> {
    async fn last_seen(
        &self,
        sessions: &[SessionId],
    ) -> Result<std::collections::BTreeMap<SessionId, i64>, Box<dyn std::error::Error + Send + Sync>>
    {
        Ok(self.0.last_seen(sessions).await?)
    }
}

async fn stop(caller: &Caller, input: StopPlaybackInput) -> Result<Outcome<ID>, Fault> {
    let services = &caller.services;
    let verified = services.playback_tokens.verify(&input.playback_token, caller.now_ms);
    let grant =
        match verified.and_then(|grant| services.access.check_playback(&grant).map(|()| grant)) {
            Ok(grant) => grant,
            Err(error) => {
                let nobody = AccountId(Uuid::nil());
                return Ok(Outcome::refused(error, nobody));
            }
        };
    let account_id = grant.account_id;
    let key = input.idempotency_key.as_deref();
    let intention = Intention::of(caller, account_id, "stopPlayback", key)?;
    if let Some(refusal) = record_last(caller, &grant, &input, &intention).await? {
        return Ok(Outcome::refused(refusal, account_id));
    }
    let session_id = grant.session_id;
    let command = Command::Stop { account_id, session_id, at_ms: caller.now_ms };
    let handler = &caller.services.commands.playbacks;
    let run = Run::<Rules> { caller, account_id, handler, id: account_id, intention };
    run.run(&command, |_| Some(ID(session_id.to_string()))).await
}

/// Records where the player was in the end, behind every heartbeat: one that comes later moves
/// nothing. It is in the same partition as the stop and before it,
/// so that the position of the stop covers it.
async fn record_last(
    caller: &Caller,
    grant: &PlaybackGrant,
    input: &StopPlaybackInput,
    intention: &Intention,
) -> Result<Option<Refusal>, Fault> {
    let Some(Milliseconds(position_ms)) = input.position_ms else { return Ok(None) };
    if input.sequence.is_some_and(|sequence| sequence < 0) {
        let rule = "from 0 to 2,147,483,647";
        return Ok(Some(InvalidValue { field: "sequence", rule }.into()));
    }
    let heartbeat = Heartbeat {
        sequence: SEQUENCE_LAST,
        position_ms,
        played_ms: input.played_ms.map(|ms| ms.0),
        duration_ms: input.duration_ms.map(|ms| ms.0),
        quality: Quality::default(),
    };
    let progressed = match heartbeat.observed(grant, caller.now_ms) {
        Ok(progressed) => progressed,
        Err(invalid) => return Ok(Some(invalid.into())),
    };
    let recorded = caller.services.commands.record(vec![progressed], &intention.context).await;
    recorded.map_err(|error| errors::of_record(&error, caller.correlation_id))?;
    Ok(None)
}
