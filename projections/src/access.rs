//! Who may act for an account: how accounts stand, their sign-ins and devices, and which access
//! tokens are void before their time.
//!
//! All streams of an account are in one partition of the log, so events of one account come in
//! order. Device codes are in partitions of their own and name no account here.
//!
//! The only personal value in it is the name that people gave a device.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use playhead_domain::devices::DeviceKind;
use playhead_domain::identity::{Role, Status};
use playhead_domain::sign_in::{EndReason, Method};
use playhead_domain::{AccountId, DeviceCodeKey, DeviceId, SignInId};
use playhead_eventlog::{Batch, Cursor, Partition};

use crate::error::StoreError;
use crate::runtime::{Attempt, Folded, Parked, ReadModel};
use crate::store::SqliteStore;

mod account;
mod changes;
mod queries;
mod tables;
#[cfg(test)]
mod tests;
mod voided;

pub use changes::Changes;
pub use voided::{PLAYBACK_REMEMBERED_MS, REMEMBERED_MS, VOIDED_MAX};

/// The read model `access`. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Access {
    store: SqliteStore<Changes>,
    voided: Arc<voided::Voided>,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// How it stands.
    pub status: Status,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Sign-ins that began before are void, in milliseconds since 1970-01-01 UTC.
    pub signed_in_from_ms: i64,
    /// The first moment at which it may be forgotten, if that was asked for, in milliseconds since
    /// 1970-01-01 UTC.
    pub erasure_due_at_ms: Option<i64>,
}

/// A sign-in, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRow {
    /// The sign-in.
    pub sign_in_id: SignInId,
    /// The device.
    pub device_id: DeviceId,
    /// How the person proved who they are.
    pub method: Method,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub began_at_ms: i64,
    /// When its refresh token was last exchanged, in milliseconds since 1970-01-01 UTC; when it
    /// began, if never.
    pub refreshed_at_ms: i64,
    /// Why and when it ended, in milliseconds since 1970-01-01 UTC. One that was only not refreshed
    /// for too long has not ended here; see [`playhead_domain::sign_in::IDLE_MAX_MS`].
    pub ended: Option<(EndReason, i64)>,
}

/// A place in the list of sign-ins, which begins with the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignInPlace {
    /// When it began.
    pub began_at_ms: i64,
    /// Tells apart those of the same moment.
    pub sign_in_id: SignInId,
}

impl SignInRow {
    /// Its place in the list.
    #[must_use]
    pub fn key(&self) -> SignInPlace {
        SignInPlace { began_at_ms: self.began_at_ms, sign_in_id: self.sign_in_id }
    }
}

/// A device of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The device.
    pub device_id: DeviceId,
    /// What people call it; `None` if that was erased.
    pub name: Option<String>,
    /// What it is.
    pub kind: DeviceKind,
    /// When it joined, in milliseconds since 1970-01-01 UTC.
    pub registered_at_ms: i64,
}

/// A device code that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingCode {
    /// Stands for the device code.
    pub device_code_key: DeviceCodeKey,
    /// What the device is, for whoever is asked to let it in.
    pub kind: DeviceKind,
}

/// An account that is to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueErasure {
    /// Since when it may be, in milliseconds since 1970-01-01 UTC.
    pub due_at_ms: i64,
    /// The account.
    pub account_id: AccountId,
}

impl Access {
    /// Opens the store at a path, or makes a new one, and learns which access tokens are void at
    /// `now_ms`, in milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`] if it has to be rebuilt; or it cannot be opened.
    pub async fn open(path: &Path, now_ms: i64) -> Result<Self, StoreError> {
        Self::over(SqliteStore::open(path).await?, now_ms).await
    }

    /// The same over a store that is open. It must not be followed by itself, too.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn over(store: SqliteStore<Changes>, now_ms: i64) -> Result<Self, StoreError> {
        let voided = voided::Voided::load(store.readers(), now_ms).await?;
        Ok(Self { store, voided: Arc::new(voided) })
    }

    /// The store, to be scrubbed, closed, or compared with the log.
    #[must_use]
    pub fn store(&self) -> &SqliteStore<Changes> {
        &self.store
    }

    /// Whether an access token, which was checked otherwise, still counts: its sign-in has not ended,
    /// its device has not left, and its account was neither locked nor closed nor signed out
    /// everywhere since `authenticated_at_ms`, in milliseconds since 1970-01-01 UTC. Asks no store.
    ///
    /// Good for tokens that are at most [`REMEMBERED_MS`] old: what is longer ago is not remembered.
    #[must_use]
    pub fn token_valid(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        device_id: DeviceId,
        authenticated_at_ms: i64,
    ) -> bool {
        self.voided.token_valid(account_id, sign_in_id, device_id, authenticated_at_ms)
    }

    /// Whether a session that began at `started_at_ms`, in milliseconds since 1970-01-01 UTC, may go
    /// on: since then its device has not left, and its account was neither suspended nor closed nor
    /// forgotten. Asks no store.
    ///
    /// Good for sessions that began at most [`PLAYBACK_REMEMBERED_MS`] ago: what is longer ago is
    /// not remembered. After a restart a suspension that is over is not remembered, either.
    #[must_use]
    pub fn may_play(
        &self,
        account_id: AccountId,
        device_id: Option<DeviceId>,
        started_at_ms: i64,
    ) -> bool {
        self.voided.may_play(account_id, device_id, started_at_ms)
    }

    /// Forgets what can void no token any more at `now_ms`, in milliseconds since 1970-01-01 UTC. To
    /// be called every minute or so.
    pub fn forget_old(&self, now_ms: i64) {
        self.voided.forget_old(now_ms);
    }
}

/// As its store, and each batch is also looked through for what voids tokens, before it is
/// committed.
#[async_trait]
impl ReadModel for Access {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    async fn checkpoint(&self) -> Result<Cursor, StoreError> {
        self.store.checkpoint().await
    }

    async fn resume(&self) -> Result<Cursor, StoreError> {
        self.store.resume().await
    }

    fn fold(&self, batch: &Batch, attempt: Attempt) -> Box<dyn Folded> {
        self.voided.learn(batch);
        self.store.fold(batch, attempt)
    }

    async fn parked_after(
        &self,
        place: Option<(Partition, u64)>,
        limit: u32,
    ) -> Result<Vec<Parked>, StoreError> {
        self.store.parked_after(place, limit).await
    }
}
