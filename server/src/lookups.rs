//! What commands and the API look up, in the read models.

use std::collections::BTreeMap;

use async_trait::async_trait;
use playhead_api::{ListedSignIn, SignInList, TokenStates};
use playhead_commands::people::{DeviceCodes, PortError, RunningSessions, SignIns};
use playhead_commands::playback::LastSeen;
use playhead_domain::playback::SILENCE_MAX_MS;
use playhead_domain::sign_in::{IDLE_MAX_MS, LIFETIME_MAX_MS};
use playhead_domain::{AccountId, DeviceCodeKey, DeviceId, SecretHash, SessionId, SignInId};
use playhead_projections::access::SignInRow;
use playhead_projections::{Access, ContinueWatching};

use crate::clock;

/// How many sign-ins are read at once.
const PAGE: u32 = 200;

/// Looks things up in `access`.
#[derive(Debug, Clone)]
pub struct AccessLookups(pub Access);

impl AccessLookups {
    /// The sign-ins of an account that can still be used, newest first.
    async fn running(&self, account_id: AccountId) -> Result<Vec<SignInRow>, PortError> {
        let now_ms = clock::now_ms();
        let mut running = Vec::new();
        let mut after = None;
        loop {
            let page = self.0.sign_ins(account_id, after.as_ref(), PAGE).await?;
            after = page.last().map(SignInRow::key);
            let is_last = u32::try_from(page.len()).is_ok_and(|rows| rows < PAGE);
            running.extend(page.into_iter().filter(|row| is_usable(row, now_ms)));
            if is_last || after.is_none() {
                return Ok(running);
            }
        }
    }
}

fn is_usable(row: &SignInRow, now_ms: i64) -> bool {
    row.ended.is_none()
        && now_ms < row.refreshed_at_ms.saturating_add(IDLE_MAX_MS)
        && now_ms < row.began_at_ms.saturating_add(LIFETIME_MAX_MS)
}

impl TokenStates for AccessLookups {
    fn is_valid(
        &self,
        account_id: AccountId,
        sign_in_id: SignInId,
        device_id: DeviceId,
        authenticated_at_ms: i64,
    ) -> bool {
        self.0.token_valid(account_id, sign_in_id, device_id, authenticated_at_ms)
    }

    fn may_play(
        &self,
        account_id: AccountId,
        device_id: Option<DeviceId>,
        started_at_ms: i64,
    ) -> bool {
        self.0.may_play(account_id, device_id, started_at_ms)
    }
}

#[async_trait]
impl SignInList for AccessLookups {
    async fn running(
        &self,
        account_id: AccountId,
        limit: usize,
    ) -> Result<Vec<ListedSignIn>, PortError> {
        let mut running = self.running(account_id).await?;
        running.sort_by_key(|row| std::cmp::Reverse((row.refreshed_at_ms, row.sign_in_id)));
        let listed = running.into_iter().take(limit).map(|row| ListedSignIn {
            sign_in_id: row.sign_in_id,
            device_id: row.device_id,
            began_at_ms: row.began_at_ms,
            refreshed_at_ms: row.refreshed_at_ms,
        });
        Ok(listed.collect())
    }
}

#[async_trait]
impl SignIns for AccessLookups {
    async fn of_device(
        &self,
        account_id: AccountId,
        device_id: DeviceId,
    ) -> Result<Vec<SignInId>, PortError> {
        let running = self.running(account_id).await?.into_iter();
        Ok(running.filter(|row| row.device_id == device_id).map(|row| row.sign_in_id).collect())
    }
}

#[async_trait]
impl DeviceCodes for AccessLookups {
    async fn find(&self, user_code_hash: SecretHash) -> Result<Option<DeviceCodeKey>, PortError> {
        let pending = self.0.device_code(user_code_hash, clock::now_ms()).await?;
        Ok(pending.map(|code| code.device_code_key))
    }
}

#[async_trait]
impl RunningSessions for AccessLookups {
    async fn accounts(
        &self,
        behind: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountId>, PortError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let started_by_ms = clock::now_ms().saturating_sub(SILENCE_MAX_MS);
        Ok(self.0.silent_candidates(started_by_ms, behind, limit).await?)
    }
}

/// Looks up heartbeats in `continue_watching`.
#[derive(Debug, Clone)]
pub struct Heard(pub ContinueWatching);

#[async_trait]
impl LastSeen for Heard {
    async fn last_seen(
        &self,
        sessions: &[SessionId],
    ) -> Result<BTreeMap<SessionId, i64>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.last_seen(sessions).await?)
    }
}
