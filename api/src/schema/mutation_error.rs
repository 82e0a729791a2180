//! Why a mutation did nothing, as clients see it.

use async_graphql::{Interface, Object};
use playhead_domain::AccountId;
use playhead_domain::playback::Playing;

use super::stream::PlayingStream;
use crate::errors::{ErrorCode, Refusal, field_name};

/// Why a mutation did nothing: a rule of the service, and no failure of it.
#[derive(Interface)]
#[graphql(
    field(name = "code", ty = "ErrorCode", desc = "For programs; never changes its meaning."),
    field(name = "message", ty = "String", desc = "For people, in English.")
)]
pub(crate) enum MutationError {
    TooManyStreams(TooManyStreams),
    InvalidInput(InvalidInput),
    Refused(Refused),
}

impl MutationError {
    /// A refusal, as the account that called sees it.
    pub(crate) fn new(refusal: Refusal, account_id: AccountId) -> Self {
        match refusal {
            Refusal::TooManyStreams { limit, playing, message } => {
                Self::TooManyStreams(TooManyStreams { account_id, limit, playing, message })
            }
            Refusal::Invalid(invalid) => Self::InvalidInput(InvalidInput {
                field: field_name(invalid.field),
                rule: invalid.rule,
            }),
            Refusal::Plain(code, message) => Self::Refused(Refused { code, message }),
        }
    }
}

/// The plan's streams are all in use.
pub(crate) struct TooManyStreams {
    account_id: AccountId,
    limit: usize,
    playing: Vec<Playing>,
    message: String,
}

/// The plan's streams are all in use.
#[Object]
impl TooManyStreams {
    /// TOO_MANY_STREAMS.
    pub(crate) async fn code(&self) -> ErrorCode {
        ErrorCode::TooManyStreams
    }

    /// For people.
    pub(crate) async fn message(&self) -> String {
        self.message.clone()
    }

    /// How many streams the plan allows.
    async fn limit(&self) -> i32 {
        i32::try_from(self.limit).unwrap_or(i32::MAX)
    }

    /// What plays where, longest first.
    async fn playing(&self) -> Vec<PlayingStream> {
        let account_id = self.account_id;
        let playing = self.playing.iter().cloned();
        playing.map(|playing| PlayingStream { account_id, playing }).collect()
    }
}

/// A field breaks its rule.
pub(crate) struct InvalidInput {
    field: String,
    rule: &'static str,
}

/// A field breaks its rule.
#[Object]
impl InvalidInput {
    /// INVALID_INPUT.
    pub(crate) async fn code(&self) -> ErrorCode {
        ErrorCode::InvalidInput
    }

    /// For people.
    pub(crate) async fn message(&self) -> String {
        format!("{} must be {}", self.field, self.rule)
    }

    /// The field of the input.
    async fn field(&self) -> &str {
        &self.field
    }

    /// What it must be, ready to stand behind "must be".
    async fn rule(&self) -> &str {
        self.rule
    }
}

/// Any other rule.
pub(crate) struct Refused {
    code: ErrorCode,
    message: String,
}

/// Any other rule.
#[Object]
impl Refused {
    /// Which rule.
    pub(crate) async fn code(&self) -> ErrorCode {
        self.code
    }

    /// For people.
    pub(crate) async fn message(&self) -> String {
        self.message.clone()
    }
}
