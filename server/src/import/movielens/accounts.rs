//! Records the plays of one account, and goes on where an earlier import stopped.
//!
//! An account's plays are decided one after the other, as they would be live, but recorded a hundred
//! at a time: the busiest user has 2,698 of them, and one fsync each would take longer than all the
//! rest.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::Context as _;
use playhead_commands::{Commands, Context, ExecuteError};
use playhead_domain::account::{self, Account, Profile};
use playhead_domain::entitlement::{Device, Facts, Pin, Terms, Viewer};
use playhead_domain::playback::{self, Playback, Start};
use playhead_domain::subscription;
use playhead_domain::{
    AccountId, Decider, Maturity, Personal, Plan, ProfileId, SessionId, StoredEvent, viewing,
};
use playhead_eventlog::{Append, EventLog, Expected, NewEvent, StreamName};

use super::MOVIELENS;
use super::plays::{DEVICE, Play};
use super::ratings::UserRatings;
use crate::ids;

/// How many plays are recorded with one append to each of the two streams.
const PLAYS_PER_APPEND: usize = 100;
/// How many events of a stream are read at once.
const PAGE_EVENTS: usize = 4_096;
/// What every imported household pays for.
const PLAN: Plan = Plan::Standard;

/// Records plays.
pub(super) struct Accounts {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) commands: Arc<Commands>,
    pub(super) context: Context,
    /// Only find out.
    pub(super) dry_run: bool,
}

/// What came of one account.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) opened: bool,
    pub(super) plays_added: u64,
    pub(super) plays_already_there: u64,
    /// Ratings of films that are left out.
    pub(super) left_out: u64,
    pub(super) events: u64,
}

/// An account with its only profile.
#[derive(Clone, Copy)]
struct Household {
    account_id: AccountId,
    profile_id: ProfileId,
}

/// What the log knows of a household's plays.
#[derive(Default)]
struct Known {
    state: playback::State,
    /// How many events the stream of sessions has.
    len: u64,
    started: HashSet<SessionId>,
    /// Sessions with a heartbeat.
    reported: HashSet<SessionId>,
}

impl Accounts {
    /// Records what is not recorded yet of a user's ratings.
    pub(super) async fn record(&self, user: UserRatings) -> anyhow::Result<Recorded> {
        let account_id = ids::account(MOVIELENS, &user.user_id.to_string());
        let household = Household { account_id, profile_id: ids::profile(account_id) };
        let plays: Vec<Play> =
            user.ratings.into_iter().map(|rating| Play::of(account_id, rating)).collect();
        let recorded = if self.dry_run {
            self.foresee(household, &plays).await
        } else {
            self.record_plays(household, user.user_id, &plays).await
        };
        recorded
            .map(|recorded| Recorded { left_out: user.left_out, ..recorded })
            .with_context(|| format!("recording the plays of user {} failed", user.user_id))
    }

    async fn record_plays(
        &self,
        household: Household,
        user_id: u32,
        plays: &[Play],
    ) -> anyhow::Result<Recorded> {
        let Some(began_ms) = plays.iter().map(|play| play.started_at_ms).min() else {
            return Ok(Recorded::default());
        };
        let mut recorded = self.open(household, user_id, began_ms).await?;
        let mut known = self.known(household).await?;
        for plays in plays.chunks(PLAYS_PER_APPEND) {
            let is_new = |play: &&Play| {
                !known.started.contains(&play.session_id)
                    || known.state.running.contains_key(&play.session_id)
                    || !known.reported.contains(&play.session_id)
            };
            let new: Vec<_> = plays.iter().filter(is_new).cloned().collect();
            recorded.plays_added += number(new.len());
            recorded.plays_already_there += number(plays.len() - new.len());
            recorded.events += self.sessions(household, &new, &mut known).await?;
            recorded.events += self.heartbeats(household, &new, &known).await?;
        }
        Ok(recorded)
    }

    /// What would be recorded.
    async fn foresee(&self, household: Household, plays: &[Play]) -> anyhow::Result<Recorded> {
        let account = StreamName::new(Account::CATEGORY, &household.account_id.to_string())?;
        let opened = self.log.read_stream(&account, 0, 1).await?.is_empty();
        let known: HashSet<SessionId> = self.session_ids(household).await?;
        let there = plays.iter().filter(|play| known.contains(&play.session_id)).count();
        Ok(Recorded {
            opened: opened && !plays.is_empty(),
            plays_added: number(plays.len() - there),
            plays_already_there: number(there),
            ..Recorded::default()
        })
    }

    /// The sessions with a heartbeat. Reads no more of them than their ids, because what is personal
    /// in their events may be sealed.
    async fn session_ids(&self, household: Household) -> anyhow::Result<HashSet<SessionId>> {
        #[derive(serde::Deserialize)]
        struct Named {
            session_id: Option<SessionId>,
        }
        let stream = viewing_stream(household)?;
        let (mut found, mut next) = (HashSet::new(), 0);
        loop {
            let page = self.log.read_stream(&stream, next, PAGE_EVENTS).await?;
            if page.is_empty() {
                return Ok(found);
            }
            next += number(page.len());
            for recorded in page {
                let named: Named = serde_json::from_slice(&recorded.event.payload)?;
                found.extend(named.session_id);
            }
        }
    }

    /// Opens the account with a profile and a plan, unless that was done before.
    async fn open(
        &self,
        household: Household,
        user_id: u32,
        at_ms: i64,
    ) -> anyhow::Result<Recorded> {
        let Household { account_id, profile_id } = household;
        let context = |what| self.context.with_command_id(ids::command(account_id.0, what));
        let open = account::Command::Open { account_id, at_ms };
        let opened = self.commands.accounts.execute(&account_id, &open, &context("open")).await?;
        let name = format!("MovieLens user {user_id}");
        let profile = Profile::new(name, "en", false);
        let add = account::Command::AddProfile {
            account_id,
            profile_id,
            profile,
            account_right: true,
            at_ms,
        };
        let added = self.commands.accounts.execute(&account_id, &add, &context("profile")).await?;
        let subscribe = subscription::Command::Subscribe { account_id, plan: PLAN, at_ms };
        let subscribed = match self
            .commands
            .subscriptions
            .execute(&account_id, &subscribe, &context("subscribe"))
            .await
        {
            Ok(executed) => !executed.changed_nothing(),
            Err(ExecuteError::Refused(subscription::Refusal::AlreadySubscribed { .. })) => false,
            Err(error) => return Err(error.into()),
        };
        let happened = [!opened.changed_nothing(), !added.changed_nothing(), subscribed];
        let events = happened.into_iter().filter(|happened| *happened).count();
        Ok(Recorded {
            opened: !opened.changed_nothing(),
            events: number(events),
            ..Recorded::default()
        })
    }

    /// Starts and stops the sessions of these plays.
    async fn sessions(
        &self,
        household: Household,
        plays: &[Play],
        known: &mut Known,
    ) -> anyhow::Result<u64> {
        let mut new = Vec::new();
        for play in plays {
            if known.started.insert(play.session_id) {
                self.decide(&start(household, play), play, "start", known, &mut new)?;
            }
            let stop = playback::Command::Stop {
                account_id: household.account_id,
                session_id: play.session_id,
                at_ms: play.ended_at_ms,
            };
            self.decide(&stop, play, "stop", known, &mut new)?;
        }
        let recorded = number(new.len());
        if recorded > 0 {
            let expected = known.len.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
            let stream = playback_stream(household)?;
            self.log.append(Append { stream, expected, events: new }).await?;
            known.len += recorded;
        }
        Ok(recorded)
    }

    fn decide(
        &self,
        command: &playback::Command,
        play: &Play,
        what: &str,
        known: &mut Known,
        new: &mut Vec<NewEvent>,
    ) -> anyhow::Result<()> {
        let events = Playback::decide(&known.state, command)?;
        let context = self.context.with_command_id(ids::command(play.session_id.0, what));
        new.extend(context.wrap(&events)?);
        known.state = Playback::fold(std::mem::take(&mut known.state), &events);
        Ok(())
    }

    /// Records the heartbeats of these plays.
    async fn heartbeats(
        &self,
        household: Household,
        plays: &[Play],
        known: &Known,
    ) -> anyhow::Result<u64> {
        let Household { account_id, profile_id } = household;
        let missing = plays.iter().filter(|play| !known.reported.contains(&play.session_id));
        let observed: Vec<_> =
            missing.map(|play| play.progressed(account_id, profile_id)).collect();
        let recorded = number(observed.len());
        self.commands.record(observed, &self.context).await?;
        Ok(recorded)
    }

    /// Reads what an earlier import recorded.
    async fn known(&self, household: Household) -> anyhow::Result<Known> {
        let mut known = Known::default();
        let sessions: Vec<playback::Event> = self.read(&playback_stream(household)?).await?;
        known.len = number(sessions.len());
        known.started.extend(sessions.iter().filter_map(|event| match event {
            playback::Event::Started(started) => Some(started.session_id),
            playback::Event::Stopped(_)
            | playback::Event::Expired(_)
            | playback::Event::TakenOver(_) => None,
        }));
        known.state = Playback::fold(known.state, &sessions);
        let viewing: Vec<viewing::Event> = self.read(&viewing_stream(household)?).await?;
        known.reported.extend(viewing.iter().filter_map(|event| match event {
            viewing::Event::Progressed(progressed) => Some(progressed.session_id),
            viewing::Event::Dismissed(_)
            | viewing::Event::Restored(_)
            | viewing::Event::MarkedWatched(_)
            | viewing::Event::MarkedUnwatched(_)
            | viewing::Event::RemovedFromHistory(_) => None,
        }));
        Ok(known)
    }

    async fn read<E: StoredEvent>(&self, stream: &StreamName) -> anyhow::Result<Vec<E>> {
        let mut events = Vec::new();
        loop {
            let page = self.log.read_stream(stream, number(events.len()), PAGE_EVENTS).await?;
            if page.is_empty() {
                return Ok(events);
            }
            for recorded in page {
                let event = recorded.event;
                let read = E::from_json(&event.event_type, event.schema_version, &event.payload);
                events.push(read.with_context(|| stream.to_string())?);
            }
        }
    }
}

/// The start of a play. What was watched could be watched: plan, profile and title are facts of the
/// past here, not questions.
fn start(household: Household, play: &Play) -> playback::Command {
    playback::Command::Start(Start {
        account_id: household.account_id,
        session_id: play.session_id,
        profile_id: household.profile_id,
        title_id: play.title_id,
        device_id: None,
        device: Personal::Known(DEVICE.to_owned()),
        at_ms: play.started_at_ms,
        profile_known: true,
        title_playable: true,
        entitlement: Facts {
            account_active: true,
            email_verified: true,
            plan: Some(PLAN),
            vpn: false,
            viewer: Viewer { territory: None, maturity_max: Maturity::From18 },
            title: Terms { maturity: None, availability: None },
            pin: Pin::None,
            device: Device::Welcome,
        },
        last_seen_at_ms: BTreeMap::new(),
    })
}

fn playback_stream(household: Household) -> anyhow::Result<StreamName> {
    Ok(StreamName::new(Playback::CATEGORY, &household.account_id.to_string())?)
}

fn viewing_stream(household: Household) -> anyhow::Result<StreamName> {
    let Household { account_id, profile_id } = household;
    Ok(StreamName::new(viewing::CATEGORY, &viewing::stream_id(account_id, profile_id))?)
}

fn number(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
