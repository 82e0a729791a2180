//! Which access tokens are void before they expire, and which sessions may not go on, in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use playhead_domain::codec::StoredEvent;
use playhead_domain::{AccountId, DeviceId, SignInId, devices, identity, sign_in};
use playhead_eventlog::{Batch, RecordedEvent};
use sqlx::sqlite::SqlitePool;

use super::account::voids_before;
use super::changes::account_of;
use crate::erasure;
use crate::error::StoreError;

/// How long what voids a token is remembered: an hour, which is the longest life of an access token
/// (those of apps live for 10 minutes), and 5 minutes for clocks that differ.
pub const REMEMBERED_MS: i64 = 65 * 60_000;
/// How long what forbids a session to go on is remembered: 6 hours, which is how long a playback
/// token is valid, and 5 minutes for clocks that differ.
pub const PLAYBACK_REMEMBERED_MS: i64 = 365 * 60_000;
/// The most that is remembered of either kind; beyond it the oldest goes. Each takes about 150 bytes. With a million
/// the set would take 150 MB, and there would have to be 250 ends a second for the hour.
pub const VOIDED_MAX: usize = 1_000_000;

/// What was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Ended {
    SignIn(SignInId),
    Device(AccountId, DeviceId),
    /// Every sign-in of the account that began before.
    Account(AccountId),
}

#[derive(Debug)]
struct State {
    remembered_ms: i64,
    /// When each was ended.
    ended: HashMap<Ended, i64>,
    /// The same, oldest first.
    by_time: BTreeSet<(i64, Ended)>,
    /// What was ended before is not remembered.
    since_ms: i64,
}

/// What was ended lately.
#[derive(Debug)]
pub(super) struct Voided {
    /// What voids access tokens, within [`REMEMBERED_MS`].
    tokens: RwLock<State>,
    /// What forbids to play on, within [`PLAYBACK_REMEMBERED_MS`]: devices and accounts. Passwords
    /// that are changed, and signing out everywhere, do not.
    playing: RwLock<State>,
}

const SIGN_INS: &str = "SELECT sign_in_id, ended_at_ms FROM sign_ins WHERE ended_at_ms >= $1";
const DEVICES: &str =
    "SELECT account_id, device_id, removed_at_ms FROM devices WHERE removed_at_ms >= $1";
const ACCOUNTS: &str = "SELECT account_id, signed_in_from_ms FROM accounts WHERE signed_in_from_ms >= $1 \
     UNION ALL SELECT account_id, at_ms FROM erased_accounts WHERE at_ms >= $1";
/// The accounts that may not be used now.
const CLOSED: &str = "SELECT account_id, signed_in_from_ms FROM accounts \
     WHERE signed_in_from_ms >= $1 AND (suspended = 1 OR cancelled = 1) \
     UNION ALL SELECT account_id, at_ms FROM erased_accounts WHERE at_ms >= $1";

impl Voided {
    /// Reads what a store knows of.
    pub(super) async fn load(store: &SqlitePool, now_ms: i64) -> Result<Self, StoreError> {
        let failed = || StoreError::sql("reading what was ended");
        let unreadable = || StoreError::unreadable::<uuid::Error>("access");
        let mut tokens = State::new(REMEMBERED_MS, now_ms);
        let mut playing = State::new(PLAYBACK_REMEMBERED_MS, now_ms);
        let rows: Vec<(String, i64)> = sqlx::query_as(SIGN_INS)
            .bind(tokens.since_ms)
            .fetch_all(store)
            .await
            .map_err(failed())?;
        for (sign_in_id, at_ms) in rows {
            tokens.end(Ended::SignIn(sign_in_id.parse().map_err(unreadable())?), at_ms);
        }
        let rows: Vec<(String, String, i64)> = sqlx::query_as(DEVICES)
            .bind(playing.since_ms)
            .fetch_all(store)
            .await
            .map_err(failed())?;
        for (account_id, device_id, at_ms) in rows {
            let account_id = account_id.parse().map_err(unreadable())?;
            let device_id = device_id.parse().map_err(unreadable())?;
            tokens.end(Ended::Device(account_id, device_id), at_ms);
            playing.end(Ended::Device(account_id, device_id), at_ms);
        }
        for (text, state) in [(ACCOUNTS, &mut tokens), (CLOSED, &mut playing)] {
            let query = sqlx::query_as(text).bind(state.since_ms);
            let rows: Vec<(String, i64)> = query.fetch_all(store).await.map_err(failed())?;
            for (account_id, at_ms) in rows {
                state.end(Ended::Account(account_id.parse().map_err(unreadable())?), at_ms);
            }
        }
        Ok(Self { tokens: RwLock::new(tokens), playing: RwLock::new(playing) })
    }

    pub(super) fn token_valid(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        device_id: DeviceId,
        authenticated_at_ms: i64,
    ) -> bool {
        let state = read(&self.tokens);
        let from_ms = state.ended.get(&Ended::Account(account_id));
        from_ms.is_none_or(|from_ms| *from_ms <= authenticated_at_ms)
            && !state.ended.contains_key(&Ended::SignIn(sign_in_id))
            && !state.ended.contains_key(&Ended::Device(account_id, device_id))
    }

    pub(super) fn may_play(
        &self,
        account_id: AccountId,
        device_id: Option<DeviceId>,
        started_at_ms: i64,
    ) -> bool {
        let state = read(&self.playing);
        let closed_at_ms = state.ended.get(&Ended::Account(account_id));
        closed_at_ms.is_none_or(|closed_at_ms| *closed_at_ms < started_at_ms)
            && device_id.is_none_or(|id| !state.ended.contains_key(&Ended::Device(account_id, id)))
    }

    pub(super) fn forget_old(&self, now_ms: i64) {
        for state in [&self.tokens, &self.playing] {
            write(state).forget_old(now_ms);
        }
    }

    /// Takes in what a batch ends. What cannot be read is parked elsewhere.
    pub(super) fn learn(&self, batch: &Batch) {
        for recorded in &batch.events {
            let Some((ended, at_ms)) = ended_by(recorded) else { continue };
            write(&self.tokens).end(ended, at_ms);
            if forbids_playing(ended, &recorded.event.event_type) {
                write(&self.playing).end(ended, at_ms);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let states = [read(&self.tokens), read(&self.playing)];
        states.iter().for_each(|state| assert_eq!(state.ended.len(), state.by_time.len()));
        states.iter().map(|state| state.ended.len()).sum()
    }
}

/// No code panics while it holds the lock.
fn read(state: &RwLock<State>) -> RwLockReadGuard<'_, State> {
    state.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(state: &RwLock<State>) -> RwLockWriteGuard<'_, State> {
    state.write().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn new(remembered_ms: i64, now_ms: i64) -> Self {
        let since_ms = now_ms.saturating_sub(remembered_ms);
        Self { remembered_ms, ended: HashMap::new(), by_time: BTreeSet::new(), since_ms }
    }

    fn forget_old(&mut self, now_ms: i64) {
        self.since_ms = self.since_ms.max(now_ms.saturating_sub(self.remembered_ms));
        while self.by_time.first().is_some_and(|(at_ms, _)| *at_ms < self.since_ms) {
            self.forget_first();
        }
    }

    fn end(&mut self, ended: Ended, at_ms: i64) {
        let before = self.ended.get(&ended).copied();
        if at_ms < self.since_ms || before.is_some_and(|before| before >= at_ms) {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, ended));
        }
        self.ended.insert(ended, at_ms);
        self.by_time.insert((at_ms, ended));
        if self.ended.len() > VOIDED_MAX {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, first)) = self.by_time.pop_first() {
            self.ended.remove(&first);
        }
    }
}

/// What an event ends, and when.
fn ended_by(recorded: &RecordedEvent) -> Option<(Ended, i64)> {
    let event = &recorded.event;
    let (name, version, payload) = (&*event.event_type, event.schema_version, &event.payload);
    if let Some(account_id) = erasure::erased_account(recorded) {
        return Some((Ended::Account(account_id), event.recorded_at_ms));
    }
    match name {
        "SignInEnded" => match sign_in::Event::from_json(name, version, payload) {
            Ok(sign_in::Event::Ended(it)) => Some((Ended::SignIn(it.sign_in_id), it.at_ms)),
            _ => None,
        },
        "DeviceRemoved" => match devices::Event::from_json(name, version, payload) {
            Ok(devices::Event::Removed(it)) => {
                Some((Ended::Device(it.account_id, it.device_id), it.at_ms))
            }
            _ => None,
        },
        "PasswordChanged"
        | "PasswordReset"
        | "AccountSuspended"
        | "AccountCancelled"
        | "SignedOutEverywhere" => {
            let event = identity::Event::from_json(name, version, payload).ok()?;
            Some((Ended::Account(account_of(&event)?), voids_before(&event)?))
        }
        _ => None,
    }
}

/// Whether what an event ends must not play on: a device that left, and an account that was
/// suspended, closed or forgotten. Whoever has another password, or signs out everywhere, may.
fn forbids_playing(ended: Ended, event_type: &str) -> bool {
    match ended {
        Ended::SignIn(_) => false,
        Ended::Device(..) => true,
        Ended::Account(_) => {
            !matches!(event_type, "PasswordChanged" | "PasswordReset" | "SignedOutEverywhere")
        }
    }
}

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [SIGN_INS, DEVICES, ACCOUNTS, CLOSED].map(str::to_owned).into()
}
