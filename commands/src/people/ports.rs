//! What is looked up in read models.

use async_trait::async_trait;
use playhead_domain::{AccountId, DeviceCodeKey, DeviceId, SecretHash, SignInId};

use super::PortError;

/// Port: finds a device code by the code that the device shows.
#[async_trait]
pub trait DeviceCodes: Send + Sync {
    /// The device code that was last asked for with this user code
    /// ([`DeviceCodeRequested`](playhead_domain::device_code::DeviceCodeRequested)), if any. Whether
    /// it is still good is looked up elsewhere.
    ///
    /// # Errors
    /// A reason for operators.
    async fn find(&self, user_code_hash: SecretHash) -> Result<Option<DeviceCodeKey>, PortError>;
}

/// Port: finds the sign-ins of a device.
#[async_trait]
pub trait SignIns: Send + Sync {
    /// The sign-ins of a device that have not ended, as far as is known.
    ///
    /// # Errors
    /// A reason for operators.
    async fn of_device(
        &self,
        account_id: AccountId,
        device_id: DeviceId,
    ) -> Result<Vec<SignInId>, PortError>;
}

/// Knows no sign-in. Those of a removed device then end when they are next refreshed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSignIns;

#[async_trait]
impl SignIns for NoSignIns {
    async fn of_device(&self, _: AccountId, _: DeviceId) -> Result<Vec<SignInId>, PortError> {
        Ok(vec![])
    }
}

/// Port: finds the accounts that may have something playing.
#[async_trait]
pub trait RunningSessions: Send + Sync {
    /// Accounts with sessions that began and did not end, in the order of their ids, behind a given
    /// one, at most `limit`. Accounts in which nothing plays any more do no harm.
    ///
    /// # Errors
    /// A reason for operators.
    async fn accounts(
        &self,
        behind: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountId>, PortError>;
}
