//! Why a mutation did nothing, as clients see it.

use async_graphql::{Context, Error, Interface, Object};
use playhead_domain::playback::Playing;
use playhead_domain::{AccountId, ProfileId};

use super::eyes::Eyes;
use super::play_error::{NotYetAvailable, PinLocked, TooManyDevices, TooMature, WrongPin};
use super::scalars::DateTime;
use super::stream::PlayingStream;
use crate::caller::Caller;
use crate::errors::{ErrorCode, PlayRefusal, Refusal, field_name};

/// Why a mutation did nothing: a rule of the service, and no failure of it.
#[derive(Interface)]
#[graphql(
    field(name = "code", ty = "ErrorCode", desc = "For programs; never changes its meaning."),
    field(name = "message", ty = "String", desc = "For people, in English.")
)]
pub(crate) enum MutationError {
    TooManyStreams(TooManyStreams),
    TooManyDevices(TooManyDevices),
    WrongPin(WrongPin),
    PinLocked(PinLocked),
    TooMature(TooMature),
    NotYetAvailable(NotYetAvailable),
    InvalidInput(InvalidInput),
    WrongCode(WrongCode),
    TooSoon(TooSoon),
    Refused(Refused),
}

impl MutationError {
    /// A refusal, as the account that called sees it.
    pub(crate) fn new(refusal: Refusal, account_id: AccountId) -> Self {
        match refusal {
            Refusal::TooManyStreams { limit, playing, message } => {
                let profile_id = None;
                Self::TooManyStreams(TooManyStreams {
                    account_id,
                    profile_id,
                    limit,
                    playing,
                    message,
                })
            }
            Refusal::Play(refusal, message) => Self::of_play(refusal, message, account_id),
            Refusal::Invalid(invalid) => Self::InvalidInput(InvalidInput {
                field: field_name(invalid.field),
                rule: invalid.rule,
            }),
            Refusal::WrongCode { tries_left, message } => {
                Self::WrongCode(WrongCode { tries_left, message })
            }
            Refusal::TooSoon { retry_at_ms, message } => {
                Self::TooSoon(TooSoon { retry_at_ms, message })
            }
            Refusal::Plain(code, message) => Self::Refused(Refused { code, message }),
        }
    }

    fn of_play(refusal: PlayRefusal, message: String, account_id: AccountId) -> Self {
        match refusal {
            PlayRefusal::WrongPin { tries_left } => {
                let tries_left = u32::try_from(tries_left).unwrap_or(u32::MAX);
                Self::WrongPin(WrongPin { message, tries_left })
            }
            PlayRefusal::PinLocked { until_ms } => {
                Self::PinLocked(PinLocked { message, until: DateTime(until_ms) })
            }
            PlayRefusal::TooMature { limit, rating } => {
                let (limit, rating) = (limit.into(), rating.into());
                Self::TooMature(TooMature { message, limit, rating })
            }
            PlayRefusal::NotYetAvailable { from_ms } => {
                Self::NotYetAvailable(NotYetAvailable { message, from: DateTime(from_ms) })
            }
            PlayRefusal::TooManyDevices { limit } => {
                Self::TooManyDevices(TooManyDevices { account_id, limit, message })
            }
        }
    }

    /// The same, told to a profile: it is not shown what it may not see.
    pub(crate) fn told_to(self, profile_id: ProfileId) -> Self {
        match self {
            Self::TooManyStreams(refusal) => {
                let profile_id = Some(profile_id);
                Self::TooManyStreams(TooManyStreams { profile_id, ..refusal })
            }
            other => other,
        }
    }
}

/// The plan's streams are all in use.
pub(crate) struct TooManyStreams {
    account_id: AccountId,
    /// Who asked.
    profile_id: Option<ProfileId>,
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

    /// What plays where, longest first. Titles that who asked may not see are null.
    async fn playing(&self, context: &Context<'_>) -> Result<Vec<PlayingStream>, Error> {
        let (caller, account_id) = (Caller::of(context)?, self.account_id);
        let eyes = match self.profile_id {
            Some(profile_id) => Eyes::of_profile_id(caller, account_id, profile_id).await?,
            None => Eyes::of(caller, None).await?,
        };
        let playing = self.playing.iter().cloned();
        Ok(playing.map(|playing| PlayingStream { account_id, playing, eyes }).collect())
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

/// The code that was sent is another.
pub(crate) struct WrongCode {
    tries_left: usize,
    message: String,
}

/// The code that was sent is another.
#[Object]
impl WrongCode {
    /// WRONG_CODE.
    pub(crate) async fn code(&self) -> ErrorCode {
        ErrorCode::WrongCode
    }

    /// For people.
    pub(crate) async fn message(&self) -> String {
        self.message.clone()
    }

    /// How often another may be tried; then a new code must be asked for.
    async fn tries_left(&self) -> i32 {
        i32::try_from(self.tries_left).unwrap_or(i32::MAX)
    }
}

/// A code was sent a moment ago.
pub(crate) struct TooSoon {
    retry_at_ms: i64,
    message: String,
}

/// A code was sent a moment ago.
#[Object]
impl TooSoon {
    /// TOO_SOON.
    pub(crate) async fn code(&self) -> ErrorCode {
        ErrorCode::TooSoon
    }

    /// For people.
    pub(crate) async fn message(&self) -> String {
        self.message.clone()
    }

    /// The first moment at which another may be sent.
    async fn retry_at(&self) -> DateTime {
        DateTime(self.retry_at_ms)
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
