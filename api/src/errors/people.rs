//! Why something that a person asked for came to nothing, as clients see it. What would tell
//! somebody else's secrets or that somebody else's account exists is told as if there were none.

use playhead_commands::people::PeopleError;
use playhead_domain::identity::Status;
use playhead_domain::{device_code, devices, identity};
use uuid::Uuid;

use super::{ErrorCode, Fault, Refusal, of_command};
use crate::schema::DateTime;

impl From<identity::Refusal> for Refusal {
    fn from(refusal: identity::Refusal) -> Self {
        let message = refusal.to_string();
        let code = match refusal {
            identity::Refusal::Invalid(invalid) => return invalid.into(),
            identity::Refusal::WrongCode { tries_left } => {
                return Self::WrongCode { tries_left, message };
            }
            identity::Refusal::TooSoon { retry_at_ms } => {
                let retry_at = DateTime(retry_at_ms);
                let message = format!("{message}; ask for another at {retry_at}");
                return Self::TooSoon { retry_at_ms, message };
            }
            identity::Refusal::NotRegistered => ErrorCode::UnknownAccount,
            identity::Refusal::Suspended => ErrorCode::AccountSuspended,
            identity::Refusal::Cancelled => ErrorCode::AccountCancelled,
            identity::Refusal::Erased => ErrorCode::AccountErased,
            identity::Refusal::NoCode => ErrorCode::CodeInvalid,
            identity::Refusal::CodeVoid => ErrorCode::CodeVoid,
            identity::Refusal::CodeExpired => ErrorCode::CodeExpired,
            identity::Refusal::WrongPassword => ErrorCode::WrongPassword,
            identity::Refusal::NoPassword => ErrorCode::NoPassword,
            identity::Refusal::TooManyOutsideIdentities { .. } => {
                ErrorCode::TooManyOutsideIdentities
            }
            // Whoever asks for it to be done is a process of the server.
            identity::Refusal::ErasureNotRequested | identity::Refusal::ErasureNotDue { .. } => {
                ErrorCode::ErasureNotRequested
            }
        };
        Self::plain(code, message)
    }
}

impl From<devices::Refusal> for Refusal {
    fn from(refusal: devices::Refusal) -> Self {
        let code = match refusal {
            devices::Refusal::Invalid(invalid) => return invalid.into(),
            devices::Refusal::TooManyDevices { .. } => ErrorCode::TooManyDevices,
            devices::Refusal::UnknownDevice => ErrorCode::UnknownDevice,
            devices::Refusal::Removed => ErrorCode::DeviceRemoved,
        };
        Self::plain(code, refusal.to_string())
    }
}

impl From<device_code::Refusal> for Refusal {
    fn from(refusal: device_code::Refusal) -> Self {
        let code = match refusal {
            device_code::Refusal::AlreadyDecided => ErrorCode::UserCodeDecided,
            // The rest is answered to devices, which speak OAuth.
            device_code::Refusal::AuthorizationPending
            | device_code::Refusal::SlowDown { .. }
            | device_code::Refusal::ExpiredToken
            | device_code::Refusal::OtherDevice
            | device_code::Refusal::AccessDenied
            | device_code::Refusal::Consumed => ErrorCode::UnknownUserCode,
        };
        Self::plain(code, refusal.to_string())
    }
}

/// The code of an account that cannot be signed in to.
fn of_status(status: Status) -> ErrorCode {
    match status {
        Status::PendingVerification => ErrorCode::EmailNotVerified,
        Status::Suspended => ErrorCode::AccountSuspended,
        Status::Cancelled => ErrorCode::AccountCancelled,
        Status::Erased => ErrorCode::AccountErased,
        // Nothing is refused for this.
        Status::Active => ErrorCode::UnknownAccount,
    }
}

/// What a person asked for and did not get: a refusal for them, or a fault.
pub(crate) fn of_people(error: PeopleError, correlation_id: Uuid) -> Result<Refusal, Fault> {
    let message = error.to_string();
    let code = match error {
        PeopleError::Invalid(invalid) => return Ok(invalid.into()),
        PeopleError::Identity(refusal) => return Ok(refusal.into()),
        PeopleError::Account(refusal) => return Ok(refusal.into()),
        PeopleError::Devices(refusal) => return Ok(refusal.into()),
        PeopleError::DeviceCode(refusal) => return Ok(refusal.into()),
        PeopleError::WrongCredentials => ErrorCode::WrongCredentials,
        PeopleError::AccountNotActive { status } => of_status(status),
        PeopleError::InvalidToken => ErrorCode::RefreshTokenInvalid,
        PeopleError::SignInEnded { .. } => ErrorCode::SignInEnded,
        PeopleError::DeviceRemoved => ErrorCode::DeviceRemoved,
        PeopleError::Repeated => ErrorCode::DoneBefore,
        PeopleError::EmailTaken => ErrorCode::EmailTaken,
        PeopleError::InvalidCode => ErrorCode::CodeInvalid,
        PeopleError::UnknownUserCode => ErrorCode::UnknownUserCode,
        PeopleError::UnknownIssuer => ErrorCode::UnknownIssuer,
        PeopleError::OutsideEmailNeeded => ErrorCode::OutsideEmailNeeded,
        PeopleError::OutsideEmailTaken => ErrorCode::OutsideEmailTaken,
        PeopleError::OutsideTaken => ErrorCode::OutsideIdentityTaken,
        PeopleError::Outside(error) if !error.retryable() => {
            // What is wrong with it is for operators: the text may come from the provider.
            tracing::info!(%correlation_id, %error, "a provider's token was not accepted");
            let message = "the token of the identity provider is not accepted";
            return Ok(Refusal::plain(ErrorCode::OutsideTokenInvalid, message));
        }
        error => return of_failure(error, correlation_id),
    };
    Ok(Refusal::plain(code, message))
}

/// Something failed that is not for whoever asked.
fn of_failure(error: PeopleError, correlation_id: Uuid) -> Result<Refusal, Fault> {
    if let PeopleError::Log(error) = error {
        return of_command(*error, correlation_id);
    }
    if error.retryable() {
        tracing::warn!(%correlation_id, %error, "what a person asked for failed: it can be tried again");
        return Err(Fault::overloaded());
    }
    Err(Fault::internal(correlation_id, "what a person asked for failed", &error))
}
