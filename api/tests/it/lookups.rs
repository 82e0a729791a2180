//! What is looked up in the read model `access`.

use std::sync::Arc;

use async_trait::async_trait;
use playhead_api::{Clock, ListedSignIn, SignInList, TokenStates};
use playhead_commands::people::{DeviceCodes, PortError, SignIns};
use playhead_domain::{AccountId, DeviceCodeKey, DeviceId, SecretHash, SignInId};
use playhead_projections::access::{Access, SignInRow};

/// The read model and the time; a test has few sign-ins.
#[derive(Clone)]
pub(crate) struct Lookups {
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Lookups {
    async fn all(&self, account_id: AccountId) -> Result<Vec<SignInRow>, PortError> {
        let rows = self.access.sign_ins(account_id, None, 100).await?;
        Ok(rows.into_iter().filter(|row| row.ended.is_none()).collect())
    }
}

impl TokenStates for Lookups {
    fn is_valid(&self, account: AccountId, it: SignInId, device: DeviceId, at_ms: i64) -> bool {
        self.access.token_valid(account, it, device, at_ms)
    }

    fn may_play(&self, account: AccountId, device: Option<DeviceId>, at_ms: i64) -> bool {
        self.access.may_play(account, device, at_ms)
    }
}

#[async_trait]
impl SignInList for Lookups {
    async fn running(
        &self,
        account_id: AccountId,
        limit: usize,
    ) -> Result<Vec<ListedSignIn>, PortError> {
        let listed = self.all(account_id).await?.into_iter().map(|row| ListedSignIn {
            sign_in_id: row.sign_in_id,
            device_id: row.device_id,
            began_at_ms: row.began_at_ms,
            refreshed_at_ms: row.refreshed_at_ms,
        });
        Ok(listed.take(limit).collect())
    }
}

#[async_trait]
impl SignIns for Lookups {
    async fn of_device(&self, of: AccountId, device: DeviceId) -> Result<Vec<SignInId>, PortError> {
        let rows = self.all(of).await?.into_iter();
        Ok(rows.filter(|row| row.device_id == device).map(|row| row.sign_in_id).collect())
    }
}

#[async_trait]
impl DeviceCodes for Lookups {
    async fn find(&self, hash: SecretHash) -> Result<Option<DeviceCodeKey>, PortError> {
        let found = self.access.device_code(hash, self.clock.now_ms()).await?;
        Ok(found.map(|code| code.device_code_key))
    }
}
