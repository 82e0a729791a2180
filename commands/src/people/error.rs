//! Why something that a person asked for came to nothing.

use std::convert::Infallible;

use playhead_domain::identity::Status;
use playhead_domain::sign_in::EndReason;
use playhead_domain::{InvalidValue, account, device_code, devices, email, identity, sign_in};
use playhead_eventlog::ReadError;
use playhead_identity::RandomError;
use playhead_identity::mail::MailError;
use playhead_identity::oidc::OutsideError;
use playhead_identity::password::PasswordError;
use playhead_vault::VaultError;
use thiserror::Error;

use crate::handler::{ExecuteError, Position};

/// An error of something that stands behind a port.
pub type PortError = Box<dyn std::error::Error + Send + Sync>;

/// Why something that a person asked for came to nothing.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// What was given breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// Address and password do not belong together. It is not told which of them is wrong.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The person is who they say, but the account cannot be signed in to.
    #[error("the account is {}", status.as_str())]
    AccountNotActive {
        /// How the account stands.
        status: Status,
    },
    /// The token is none of ours.
    #[error("the token is not genuine")]
    InvalidToken,
    /// The sign-in is over. Sign in again.
    #[error("the sign-in has ended: {}", reason.as_str())]
    SignInEnded {
        /// Why.
        reason: EndReason,
        /// Where that was recorded, if this very command found it out.
        position: Option<Position>,
    },
    /// The device was removed from the household. It has to take another id.
    #[error("the device was removed")]
    DeviceRemoved,
    /// The same command was carried out before, and what it handed out is not known any more. Ask
    /// again with a new command.
    #[error("this was done before, and its answer cannot be given again")]
    Repeated,
    /// Another account has the address by now. Only told to those who read its mail.
    #[error("the e-mail address belongs to another account")]
    EmailTaken,
    /// The code is none that was sent.
    #[error("the code is not one that was sent")]
    InvalidCode,
    /// No device shows this code, or not any more.
    #[error("no device shows this code")]
    UnknownUserCode,
    /// The identity provider is none that is trusted.
    #[error("the identity provider is not known here")]
    UnknownIssuer,
    /// The token of the identity provider is not accepted.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The provider vouches for no address, and there is no account without one.
    #[error("the identity provider vouches for no e-mail address")]
    OutsideEmailNeeded,
    /// An account has the address already. Sign in to it, and link the provider there.
    #[error("an account has the e-mail address; sign in to it and link the provider there")]
    OutsideEmailTaken,
    /// Another account is linked to the person at the provider.
    #[error("another account is linked to this person")]
    OutsideTaken,
    /// The rules for identities forbid it.
    #[error(transparent)]
    Identity(identity::Refusal),
    /// The rules for households and profiles forbid it.
    #[error(transparent)]
    Account(account::Refusal),
    /// The rules for devices forbid it.
    #[error(transparent)]
    Devices(devices::Refusal),
    /// The rules for device codes forbid it.
    #[error(transparent)]
    DeviceCode(device_code::Refusal),
    /// The log failed.
    #[error(transparent)]
    Log(Box<ExecuteError<Infallible>>),
    /// The log could not be read.
    #[error("the log could not be read: {0}")]
    Read(#[from] ReadError),
    /// What is in the log cannot be understood.
    #[error("an event could not be read: {0}")]
    Event(#[from] playhead_domain::CodecError),
    /// A password or PIN could not be hashed or compared.
    #[error(transparent)]
    Password(PasswordError),
    /// A mail was not handed over.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The keys of personal data failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A fact could not be looked up.
    #[error("looking up {what} failed: {source}")]
    LookUp {
        /// The fact.
        what: &'static str,
        /// Why.
        source: PortError,
    },
}

impl PeopleError {
    /// Whether the same command, with the same id, may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Log(error) => error.retryable(),
            Self::Read(error) => error.retryable(),
            Self::Password(error) => error.retryable(),
            Self::Mail(error) => error.retryable(),
            Self::Vault(error) => error.retryable(),
            Self::Outside(error) => error.retryable(),
            Self::Random(_) | Self::LookUp { .. } => true,
            _ => false,
        }
    }

    /// Whether this is for whoever asked; the rest is for operators.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Log(_)
                | Self::Read(_)
                | Self::Event(_)
                | Self::Password(_)
                | Self::Mail(_)
                | Self::Vault(_)
                | Self::Random(_)
                | Self::LookUp { .. }
        )
    }
}

impl<R: std::error::Error + Into<Self> + 'static> From<ExecuteError<R>> for PeopleError {
    fn from(error: ExecuteError<R>) -> Self {
        match error.refusal() {
            Ok(refusal) => refusal.into(),
            Err(failed) => Self::Log(Box::new(failed)),
        }
    }
}

impl From<PasswordError> for PeopleError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooLong => {
                Self::Invalid(InvalidValue { field: "password", rule: "at most 128 characters" })
            }
            other => Self::Password(other),
        }
    }
}

impl From<identity::Refusal> for PeopleError {
    fn from(refusal: identity::Refusal) -> Self {
        match refusal {
            identity::Refusal::Invalid(invalid) => Self::Invalid(invalid),
            other => Self::Identity(other),
        }
    }
}

impl From<account::Refusal> for PeopleError {
    fn from(refusal: account::Refusal) -> Self {
        match refusal {
            account::Refusal::Invalid(invalid) => Self::Invalid(invalid),
            other => Self::Account(other),
        }
    }
}

impl From<devices::Refusal> for PeopleError {
    fn from(refusal: devices::Refusal) -> Self {
        match refusal {
            devices::Refusal::Invalid(invalid) => Self::Invalid(invalid),
            devices::Refusal::Removed => Self::DeviceRemoved,
            other => Self::Devices(other),
        }
    }
}

impl From<device_code::Refusal> for PeopleError {
    fn from(refusal: device_code::Refusal) -> Self {
        Self::DeviceCode(refusal)
    }
}

impl From<email::Refusal> for PeopleError {
    fn from(refusal: email::Refusal) -> Self {
        match refusal {
            email::Refusal::Taken | email::Refusal::NotHeld => Self::EmailTaken,
        }
    }
}

impl From<sign_in::Refusal> for PeopleError {
    fn from(refusal: sign_in::Refusal) -> Self {
        match refusal {
            sign_in::Refusal::AccountNotActive { status } => Self::AccountNotActive { status },
            sign_in::Refusal::UnknownDevice => Self::DeviceRemoved,
            sign_in::Refusal::UnknownSignIn | sign_in::Refusal::OtherDevice => Self::InvalidToken,
            sign_in::Refusal::Ended { reason } => Self::SignInEnded { reason, position: None },
        }
    }
}
