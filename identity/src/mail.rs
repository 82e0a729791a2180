//! Mail: a port, and two ways out.
//!
//! [`EmlMailer`] writes messages into a directory, for development and for those who send them
//! with a program of their own; [`SmtpMailer`] hands them to a mail server. Both compose messages
//! alike (RFC 5322): one recipient, plain text, and no header can come from a recipient or a
//! subject.

mod eml;
mod letter;
#[cfg(feature = "smtp")]
mod smtp;

use async_trait::async_trait;
use thiserror::Error;

use crate::random::RandomError;
pub use eml::EmlMailer;
pub use letter::{SUBJECT_CHARS_MAX, Sender, TEXT_BYTES_MAX};
#[cfg(feature = "smtp")]
pub use smtp::SmtpMailer;

/// A mail to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The address, without a name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text; lines end with `\n`.
    pub text: String,
}

/// Mails hold addresses and codes, so neither is shown.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Takes mail and sees to it that it goes out.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over. `Ok` means that it will survive this process; it does not mean that it
    /// arrives.
    ///
    /// # Errors
    /// It was not handed over; [`MailError::retryable`] says whether to try again.
    async fn send(&self, message: &Message, now_ms: i64) -> Result<(), MailError>;

    /// Removes what it keeps of mails to these addresses, however they are spelled. Whoever hands
    /// mails on keeps nothing, which is the usual case.
    ///
    /// # Errors
    /// Something may be left; do it again.
    async fn forget(&self, _addresses: &[String]) -> Result<(), MailError> {
        Ok(())
    }
}

/// Why a mail was not handed over.
#[derive(Debug, Error)]
pub enum MailError {
    /// The address, the subject or the text is nothing to make a mail of.
    #[error("the mail's {field} must be {rule}")]
    Invalid {
        /// What is wrong: `to`, `from`, `subject` or `text`.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// It cannot be composed.
    #[error("a mail could not be composed: {0}")]
    Compose(#[from] lettre::error::Error),
    /// There are no random bytes; try again later.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// It could not be written.
    #[error("a mail could not be written: {0}")]
    Write(#[from] std::io::Error),
    /// The mail server's address is not usable.
    #[error("the mail server's URL must be {0}")]
    Server(&'static str),
    /// The mail server did not take it.
    #[cfg(feature = "smtp")]
    #[error("the mail server did not take a mail: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

impl MailError {
    /// Whether the same mail may go out later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Invalid { .. } | Self::Compose(_) | Self::Server(_) => false,
            Self::Random(_) | Self::Write(_) => true,
            #[cfg(feature = "smtp")]
            Self::Smtp(error) => !error.is_permanent(),
        }
    }
}
