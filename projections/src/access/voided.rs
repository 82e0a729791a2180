//! Which access tokens are void before they expire, in memory.

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
/// The most that is remembered; beyond it the oldest goes. Each takes about 150 bytes. With a million
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

#[derive(Debug, Default)]
struct State {
    /// When each was ended.
    ended: HashMap<Ended, i64>,
    /// The same, oldest first.
    by_time: BTreeSet<(i64, Ended)>,
    /// What was ended before is not remembered.
    since_ms: i64,
}

/// What was ended within [`REMEMBERED_MS`].
#[derive(Debug)]
pub(super) struct Voided(RwLock<State>);

const SIGN_INS: &str = "SELECT sign_in_id, ended_at_ms FROM sign_ins WHERE ended_at_ms >= $1";
const DEVICES: &str =
    "SELECT account_id, device_id, removed_at_ms FROM devices WHERE removed_at_ms >= $1";
const ACCOUNTS: &str = "SELECT account_id, signed_in_from_ms FROM accounts WHERE signed_in_from_ms >= $1 \
     UNION ALL SELECT account_id, at_ms FROM erased_accounts WHERE at_ms >= $1";

impl Voided {
    /// Reads what a store knows of.
    pub(super) async fn load(store: &SqlitePool, now_ms: i64) -> Result<Self, StoreError> {
        let failed = || StoreError::sql("reading what was ended");
        let unreadable = || StoreError::unreadable::<uuid::Error>("access");
        let since_ms = now_ms.saturating_sub(REMEMBERED_MS);
        let mut state = State { since_ms, ..State::default() };
        let rows: Vec<(String, i64)> =
            sqlx::query_as(SIGN_INS).bind(since_ms).fetch_all(store).await.map_err(failed())?;
        for (sign_in_id, at_ms) in rows {
            state.end(Ended::SignIn(sign_in_id.parse().map_err(unreadable())?), at_ms);
        }
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as(DEVICES).bind(since_ms).fetch_all(store).await.map_err(failed())?;
        for (account_id, device_id, at_ms) in rows {
            let account_id = account_id.parse().map_err(unreadable())?;
            let device_id = device_id.parse().map_err(unreadable())?;
            state.end(Ended::Device(account_id, device_id), at_ms);
        }
        let rows: Vec<(String, i64)> =
            sqlx::query_as(ACCOUNTS).bind(since_ms).fetch_all(store).await.map_err(failed())?;
        for (account_id, at_ms) in rows {
            state.end(Ended::Account(account_id.parse().map_err(unreadable())?), at_ms);
        }
        Ok(Self(RwLock::new(state)))
    }

    pub(super) fn token_valid(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        device_id: DeviceId,
        authenticated_at_ms: i64,
    ) -> bool {
        let state = self.read();
        let from_ms = state.ended.get(&Ended::Account(account_id));
        from_ms.is_none_or(|from_ms| *from_ms <= authenticated_at_ms)
            && !state.ended.contains_key(&Ended::SignIn(sign_in_id))
            && !state.ended.contains_key(&Ended::Device(account_id, device_id))
    }

    pub(super) fn forget_old(&self, now_ms: i64) {
        let mut state = self.write();
        state.since_ms = state.since_ms.max(now_ms.saturating_sub(REMEMBERED_MS));
        while state.by_time.first().is_some_and(|(at_ms, _)| *at_ms < state.since_ms) {
            state.forget_first();
        }
    }

    /// Takes in what a batch ends. What cannot be read is parked elsewhere.
    pub(super) fn learn(&self, batch: &Batch) {
        let ended: Vec<_> = batch.events.iter().filter_map(ended_by).collect();
        if ended.is_empty() {
            return;
        }
        let mut state = self.write();
        for (ended, at_ms) in ended {
            state.end(ended, at_ms);
        }
    }

    /// No code panics while it holds the lock.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let state = self.read();
        assert_eq!(state.ended.len(), state.by_time.len());
        state.ended.len()
    }
}

impl State {
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

/// Every statement of this file, for the test that prepares them all.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [SIGN_INS, DEVICES, ACCOUNTS].map(str::to_owned).into()
}
