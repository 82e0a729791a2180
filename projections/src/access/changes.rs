//! How events change who may act for an account.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use playhead_domain::codec::StoredEvent;
use playhead_domain::devices::{self, DeviceKind};
use playhead_domain::identity;
use playhead_domain::sign_in::{self, EndReason, SignInBegan};
use playhead_domain::{
    AccountId, CodecError, DeviceCodeKey, DeviceId, SessionId, SignInId, device_code, playback,
};
use playhead_eventlog::{Partition, RecordedEvent};
use sqlx::sqlite::SqliteConnection;

use super::tables;
use crate::error::StoreError;
use crate::store::Fold;

/// What a batch of events changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// What happened to accounts, in order.
    pub(super) accounts: BTreeMap<AccountId, Vec<identity::Event>>,
    /// What is new of each sign-in.
    pub(super) sign_ins: BTreeMap<(AccountId, SignInId), SignInChange>,
    /// What is new of each device.
    pub(super) devices: BTreeMap<(AccountId, DeviceId), DeviceChange>,
    /// What happened to device codes, in order.
    pub(super) codes: Vec<CodeChange>,
    /// When each session began, unless it ended.
    pub(super) sessions: BTreeMap<(AccountId, SessionId), Option<i64>>,
    /// The accounts that were forgotten, and when. Nothing else is in here of them.
    pub(super) erased: BTreeMap<AccountId, i64>,
}

/// What is new of a sign-in: what came before its beginning counts only if it had begun already.
#[derive(Debug, Default)]
pub(super) struct SignInChange {
    pub(super) early: SignInNews,
    pub(super) began: Option<SignInBegan>,
    pub(super) late: SignInNews,
}

/// What happened to a sign-in that has begun.
#[derive(Debug, Default)]
pub(super) struct SignInNews {
    pub(super) refreshed_at_ms: Option<i64>,
    pub(super) ended: Option<(EndReason, i64)>,
}

/// What is new of a device: what came before it joined counts only if it had joined already.
#[derive(Debug, Default)]
pub(super) struct DeviceChange {
    pub(super) early: DeviceNews,
    pub(super) registered: Option<(DeviceKind, i64)>,
    pub(super) late: DeviceNews,
}

/// What happened to a device that has joined. That it left comes last: it does not come back.
#[derive(Debug, Default)]
pub(super) struct DeviceNews {
    /// Its name, unless that was erased.
    pub(super) name: Option<Option<String>>,
    pub(super) removed_at_ms: Option<i64>,
}

/// What happened to a device code.
#[derive(Debug)]
pub(super) enum CodeChange {
    Asked { partition: Partition, asked: device_code::DeviceCodeRequested },
    Answered(DeviceCodeKey),
}

fn is_of<E: StoredEvent>(event_type: &str) -> bool {
    E::TYPES.iter().any(|wanted| wanted.name == event_type)
}

#[async_trait]
impl Fold for Changes {
    const NAME: &'static str = "access";
    const VERSION: u32 = 1;
    const SCHEMA: &'static [&'static str] =
        &[include_str!("../../../migrations/access/0001_access.sql")];

    fn wants(event_type: &str) -> bool {
        is_of::<identity::Event>(event_type)
            || is_of::<sign_in::Event>(event_type)
            || is_of::<devices::Event>(event_type)
            || is_of::<device_code::Event>(event_type)
            || is_of::<playback::Event>(event_type)
    }

    fn fold(&mut self, event: &RecordedEvent) -> Result<(), CodecError> {
        let partition = event.partition;
        let event = &event.event;
        let (name, version, payload) = (&*event.event_type, event.schema_version, &event.payload);
        if is_of::<identity::Event>(name) {
            self.identity(identity::Event::from_json(name, version, payload)?);
        } else if is_of::<sign_in::Event>(name) {
            self.sign_in(sign_in::Event::from_json(name, version, payload)?);
        } else if is_of::<devices::Event>(name) {
            self.device(devices::Event::from_json(name, version, payload)?);
        } else if is_of::<playback::Event>(name) {
            self.playback(&playback::Event::from_json(name, version, payload)?);
        } else {
            self.code(partition, device_code::Event::from_json(name, version, payload)?);
        }
        Ok(())
    }

    fn erase(&mut self, account_id: AccountId, at_ms: i64) {
        self.drop_accounts(&[account_id].into());
        self.erased.entry(account_id).or_insert(at_ms);
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        tables::store(connection, self).await
    }
}

impl Changes {
    fn identity(&mut self, event: identity::Event) {
        let Some(account_id) = account_of(&event) else { return };
        if !self.erased.contains_key(&account_id) {
            self.accounts.entry(account_id).or_default().push(event);
        }
    }

    fn sign_in(&mut self, event: sign_in::Event) {
        let key = match &event {
            sign_in::Event::Began(it) => (it.account_id, it.sign_in_id),
            sign_in::Event::Refreshed(it) => (it.account_id, it.sign_in_id),
            sign_in::Event::Ended(it) => (it.account_id, it.sign_in_id),
        };
        if self.erased.contains_key(&key.0) {
            return;
        }
        let change = self.sign_ins.entry(key).or_default();
        let begun = change.began.is_some();
        let news = if begun { &mut change.late } else { &mut change.early };
        match event {
            sign_in::Event::Began(began) if !begun => change.began = Some(began),
            // What has begun or ended stays so, and as it was then.
            sign_in::Event::Began(_) => {}
            _ if news.ended.is_some() => {}
            sign_in::Event::Refreshed(it) => news.refreshed_at_ms = Some(it.at_ms),
            sign_in::Event::Ended(it) => news.ended = Some((it.reason, it.at_ms)),
        }
    }

    fn device(&mut self, event: devices::Event) {
        let key = match &event {
            devices::Event::Registered(it) => (it.account_id, it.device_id),
            devices::Event::Renamed(it) => (it.account_id, it.device_id),
            devices::Event::Removed(it) => (it.account_id, it.device_id),
        };
        if self.erased.contains_key(&key.0) {
            return;
        }
        let change = self.devices.entry(key).or_default();
        let joined = change.registered.is_some();
        let news = if joined { &mut change.late } else { &mut change.early };
        match event {
            devices::Event::Registered(it) => {
                change.registered = change.registered.or(Some((it.kind, it.at_ms)));
                change.late.name = Some(it.name.known().cloned());
            }
            devices::Event::Renamed(it) => news.name = Some(it.name.known().cloned()),
            devices::Event::Removed(it) => {
                news.removed_at_ms = news.removed_at_ms.or(Some(it.at_ms));
            }
        }
    }

    fn playback(&mut self, event: &playback::Event) {
        let (account_id, session_id, started_at_ms) = match event {
            playback::Event::Started(it) => (it.account_id, it.session_id, Some(it.started_at_ms)),
            playback::Event::Stopped(it) => (it.account_id, it.session_id, None),
            playback::Event::Expired(it) => (it.account_id, it.session_id, None),
            playback::Event::TakenOver(it) => (it.account_id, it.session_id, None),
        };
        if !self.erased.contains_key(&account_id) {
            self.sessions.insert((account_id, session_id), started_at_ms);
        }
    }

    fn code(&mut self, partition: Partition, event: device_code::Event) {
        use device_code::Event;
        self.codes.push(match event {
            Event::Requested(asked) => CodeChange::Asked { partition, asked },
            Event::SlowedDown(_) => return,
            Event::Approved(it) => CodeChange::Answered(it.device_code_key),
            Event::Denied(it) => CodeChange::Answered(it.device_code_key),
            Event::Consumed(it) => CodeChange::Answered(it.device_code_key),
        });
    }

    /// Every account of which something changes.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        let sign_ins = self.sign_ins.keys().map(|(account_id, _)| *account_id);
        let devices = self.devices.keys().map(|(account_id, _)| *account_id);
        let sessions = self.sessions.keys().map(|(account_id, _)| *account_id);
        let accounts = self.accounts.keys().copied();
        accounts.chain(sign_ins).chain(devices).chain(sessions).collect()
    }

    /// Forgets what is new of some accounts.
    pub(super) fn drop_accounts(&mut self, accounts: &BTreeSet<AccountId>) {
        self.accounts.retain(|account_id, _| !accounts.contains(account_id));
        self.sign_ins.retain(|(account_id, _), _| !accounts.contains(account_id));
        self.devices.retain(|(account_id, _), _| !accounts.contains(account_id));
        self.sessions.retain(|(account_id, _), _| !accounts.contains(account_id));
    }
}

/// The account of an event that changes how it stands; `None` if the event changes nothing here.
pub(super) fn account_of(event: &identity::Event) -> Option<AccountId> {
    use identity::Event;
    match event {
        Event::Registered(it) => Some(it.account_id),
        Event::EmailVerified(it) => Some(it.account_id),
        Event::EmailChanged(it) => Some(it.account_id),
        Event::PasswordChanged(it) => Some(it.account_id),
        Event::PasswordReset(it) => Some(it.account_id),
        Event::Suspended(it) => Some(it.account_id),
        Event::Reinstated(it) => Some(it.account_id),
        Event::Cancelled(it) => Some(it.account_id),
        Event::RoleGranted(it) => Some(it.account_id),
        Event::RoleRevoked(it) => Some(it.account_id),
        Event::SignedOutEverywhere(it) => Some(it.account_id),
        Event::ErasureRequested(it) => Some(it.account_id),
        Event::ErasureWithdrawn(it) => Some(it.account_id),
        _ => None,
    }
}
