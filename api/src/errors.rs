//! Every refusal and failure as a stable code of `schemas/error-codes.json`: the one place where
//! the inside is translated for the outside.
//!
//! A *refusal* is a business "no" that a mutation answers in its `errors`; it has an [`ErrorCode`].
//! A *fault* is everything else that goes wrong with a request; it has a [`Code`]. What nobody
//! expected becomes [`Code::Internal`] with a constant message, is logged once, here, and can be
//! found again by the correlation id.

mod people;
mod play;

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;

use async_graphql::{Enum, ErrorExtensions, ServerError};
use axum::http::StatusCode;
use playhead_commands::ExecuteError;
use playhead_commands::heartbeat::RecordError;
use playhead_commands::token::TokenError;
use playhead_domain::{InvalidValue, account, playback, subscription, title};
use playhead_eventlog::{AppendError, ReadError};
use serde::ser::{Serialize, Serializer};
use uuid::Uuid;

use crate::access::AccessError;
use crate::limits::Refused;

pub(crate) use people::of_people;
pub(crate) use play::{PlayRefusal, of_start};

/// Declares an enum of codes with the text of each.
macro_rules! codes {
    ($(#[$doc:meta])* pub enum Code { $($(#[$meaning:meta])* $name:ident = $text:literal, $status:ident;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$meaning])* $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as clients see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The status of an HTTP answer that is nothing but this.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    /// What is wrong with a request, in `extensions.code` of GraphQL errors and in plain HTTP
    /// answers.
    pub enum Code {
        /// Who is calling is not known, and must be.
        Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED;
        /// The caller may not do this.
        Forbidden = "FORBIDDEN", FORBIDDEN;
        /// The request is malformed.
        BadRequest = "BAD_REQUEST", BAD_REQUEST;
        /// The document is not GraphQL.
        GraphqlParseFailed = "GRAPHQL_PARSE_FAILED", BAD_REQUEST;
        /// The document does not fit the schema.
        GraphqlValidationFailed = "GRAPHQL_VALIDATION_FAILED", BAD_REQUEST;
        /// The document would cost too much.
        QueryTooComplex = "QUERY_TOO_COMPLEX", BAD_REQUEST;
        /// The cursor is not one of this list.
        BadCursor = "BAD_CURSOR", BAD_REQUEST;
        /// The read models did not pass the named positions in time.
        PositionTimeout = "POSITION_TIMEOUT", SERVICE_UNAVAILABLE;
        /// The caller did this too often.
        RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS;
        /// Too much is going on, or the service is closing.
        Overloaded = "OVERLOADED", SERVICE_UNAVAILABLE;
        /// The log takes no writes until its operator has mended it; reads go on.
        ReadOnly = "READ_ONLY", SERVICE_UNAVAILABLE;
        /// Something unexpected went wrong.
        Internal = "INTERNAL", INTERNAL_SERVER_ERROR;
        /// There is no such thing, or it is somebody else's.
        NotFound = "NOT_FOUND", NOT_FOUND;
        /// The resource does not know this method.
        MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
        /// The client takes no form of answer that there is.
        NotAcceptable = "NOT_ACCEPTABLE", NOT_ACCEPTABLE;
        /// The body is too large.
        BodyTooLarge = "BODY_TOO_LARGE", PAYLOAD_TOO_LARGE;
        /// The body has a type that is not taken.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
        /// A field breaks its rule.
        InvalidInput = "INVALID_INPUT", BAD_REQUEST;
        /// The playback token is not genuine, or its device or account may not play any more.
        PlaybackTokenInvalid = "PLAYBACK_TOKEN_INVALID", UNAUTHORIZED;
        /// The playback token has expired.
        PlaybackTokenExpired = "PLAYBACK_TOKEN_EXPIRED", UNAUTHORIZED;
    }
}

/// Why a mutation did nothing: a rule of the service, and no failure of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ErrorCode {
    /// The plan's streams are all in use.
    TooManyStreams,
    /// A field breaks its rule.
    InvalidInput,
    /// There is no running subscription.
    NotSubscribed,
    /// A plan runs already.
    AlreadySubscribed,
    /// The subscription has not ended yet.
    SubscriptionNotOver,
    /// The account has no such profile.
    UnknownProfile,
    /// The account was never opened.
    AccountNotOpen,
    /// The account has no room for another profile.
    TooManyProfiles,
    /// Another profile of the account has this name.
    NameTaken,
    /// It would lift a limit, and the caller has not shown that they may.
    AccountRightNeeded,
    /// The profile has no PIN.
    NoPin,
    /// The PIN is wrong.
    WrongPin,
    /// The PIN was wrong too often.
    PinLocked,
    /// The profile's PIN is needed.
    PinRequired,
    /// Nothing is played through a VPN.
    VpnRefused,
    /// The title is for older people than the profile is set to.
    TooMature,
    /// The title is not offered everywhere, and nobody knows where the viewer is.
    TerritoryUnknown,
    /// The title is not offered where the viewer is.
    NotInTerritory,
    /// The title is not offered yet.
    NotYetAvailable,
    /// The title is no longer offered.
    NoLongerAvailable,
    /// The title cannot be played.
    TitleUnavailable,
    /// There is no such title.
    UnknownTitle,
    /// The title was withdrawn.
    TitleWithdrawn,
    /// The title is in the catalogue already, with other metadata.
    TitleAlreadyAdded,
    /// The playback token is not genuine.
    PlaybackTokenInvalid,
    /// The playback token has expired.
    PlaybackTokenExpired,
    /// Address and password do not belong together.
    WrongCredentials,
    /// The account's e-mail address is not verified yet.
    EmailNotVerified,
    /// The account is locked.
    AccountSuspended,
    /// The account was closed.
    AccountCancelled,
    /// The account was closed and forgotten.
    AccountErased,
    /// There is no such account.
    UnknownAccount,
    /// The refresh token is none of this service.
    RefreshTokenInvalid,
    /// The account has no such sign-in.
    UnknownSignIn,
    /// The sign-in is over.
    SignInEnded,
    /// The device was removed from the household.
    DeviceRemoved,
    /// The household has no such device.
    UnknownDevice,
    /// The plan's devices are all registered.
    TooManyDevices,
    /// The same command was carried out before, and its answer cannot be given again.
    DoneBefore,
    /// Another account has the e-mail address.
    EmailTaken,
    /// The code is none that was sent.
    CodeInvalid,
    /// The code is wrong.
    WrongCode,
    /// Too many wrong codes were tried.
    CodeVoid,
    /// The code came too late.
    CodeExpired,
    /// A code was sent a moment ago.
    TooSoon,
    /// The current password is another.
    WrongPassword,
    /// The account has no password.
    NoPassword,
    /// No device shows this code, or not any more.
    UnknownUserCode,
    /// The device was let in or kept out before.
    UserCodeDecided,
    /// The identity provider is none that is trusted.
    UnknownIssuer,
    /// The token of the identity provider is not accepted.
    OutsideTokenInvalid,
    /// The identity provider vouches for no e-mail address.
    OutsideEmailNeeded,
    /// An account has the e-mail address that the identity provider vouches for.
    OutsideEmailTaken,
    /// Another account is linked to the person at the identity provider.
    OutsideIdentityTaken,
    /// The account has no room for another identity provider.
    TooManyOutsideIdentities,
    /// Nobody asked for the account to be forgotten.
    ErasureNotRequested,
}

/// What a client gets when something unexpected happened.
const INTERNAL: &str = "something went wrong on our side; the correlation id helps to find it";
const READ_ONLY: &str = "the service takes no writes until its operator has mended it; reads go on";
const OVERLOADED: &str = "the service cannot take this right now; try again in a moment";

/// What is wrong with a request.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// Which code it has.
    pub(crate) code: Code,
    /// For people; says nothing about the inside.
    pub(crate) message: Cow<'static, str>,
    /// Which part of the request is meant, such as `[2].positionMs`.
    pub(crate) field: Option<String>,
    /// Under which id operators find more.
    pub(crate) correlation_id: Option<Uuid>,
    /// Which limit the caller met, and when to come back.
    pub(crate) refused: Option<Refused>,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), field: None, correlation_id: None, refused: None }
    }

    /// The same, about one part of the request.
    pub(crate) fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Nobody expected this: logged here, with its cause, and answered without it.
    pub(crate) fn internal(correlation_id: Uuid, what: &str, cause: &dyn StdError) -> Self {
        tracing::error!(%correlation_id, cause = %chain(cause), "{what}");
        Self { correlation_id: Some(correlation_id), ..Self::new(Code::Internal, INTERNAL) }
    }

    /// Too much is going on.
    pub(crate) fn overloaded() -> Self {
        Self::new(Code::Overloaded, OVERLOADED)
    }
}

/// An error and everything that caused it. A cause whose text the error repeats is left out.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let fault = Self::new(Code::RateLimited, refused.message());
        Self { refused: Some(refused), ..fault }
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        if let Some(refused) = fault.refused {
            return refused.into();
        }
        Self::new(fault.message).extend_with(|_, extensions| {
            extensions.set("code", fault.code.as_str());
            if let Some(field) = fault.field {
                extensions.set("field", field);
            }
            if let Some(id) = fault.correlation_id {
                extensions.set("correlationId", id.to_string());
            }
        })
    }
}

impl From<Fault> for ServerError {
    fn from(fault: Fault) -> Self {
        let error = async_graphql::Error::from(fault);
        let mut server_error = Self::new(error.message, None);
        server_error.extensions = error.extensions;
        server_error
    }
}

/// A fault as an element of a GraphQL answer's `errors`.
pub(crate) struct GraphqlFault<'a>(pub(crate) &'a Fault);

impl Serialize for GraphqlFault<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ServerError::from(self.0.clone()).serialize(serializer)
    }
}

/// A fault as the body of a plain HTTP answer.
pub(crate) struct HttpFault<'a>(pub(crate) &'a Fault);

#[derive(serde::Serialize)]
struct HttpBody<'a> {
    error: HttpError<'a>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpError<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<Uuid>,
}

impl Serialize for HttpFault<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Fault { code, message, field, correlation_id, refused: _ } = self.0;
        let (field, correlation_id) = (field.as_deref(), *correlation_id);
        let error = HttpError { code: code.as_str(), message, field, correlation_id };
        HttpBody { error }.serialize(serializer)
    }
}

/// A business "no", ready for clients.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// The plan's streams are all in use.
    TooManyStreams {
        /// How many the plan allows.
        limit: usize,
        /// What plays.
        playing: Vec<playback::Playing>,
        /// For people.
        message: String,
    },
    /// A household, a profile or a title does not allow it, and there is more to say of it.
    Play(PlayRefusal, String),
    /// A field breaks its rule.
    Invalid(InvalidValue),
    /// The code that was sent is another.
    WrongCode {
        /// How often another may be tried.
        tries_left: usize,
        /// For people.
        message: String,
    },
    /// A code was sent a moment ago.
    TooSoon {
        /// The first moment at which another may be sent, in milliseconds since 1970-01-01 UTC.
        retry_at_ms: i64,
        /// For people.
        message: String,
    },
    /// Anything that needs no more than a code.
    Plain(ErrorCode, String),
}

impl Refusal {
    pub(crate) fn plain(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Plain(code, message.into())
    }

    /// The profile is not one of the account's.
    pub(crate) fn unknown_profile() -> Self {
        account::Refusal::UnknownProfile.into()
    }
}

impl From<Infallible> for Refusal {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<InvalidValue> for Refusal {
    fn from(invalid: InvalidValue) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<subscription::Refusal> for Refusal {
    fn from(refusal: subscription::Refusal) -> Self {
        let code = match refusal {
            subscription::Refusal::AlreadySubscribed { .. } => ErrorCode::AlreadySubscribed,
            subscription::Refusal::NotSubscribed => ErrorCode::NotSubscribed,
            subscription::Refusal::NotOver => ErrorCode::SubscriptionNotOver,
        };
        Self::plain(code, refusal.to_string())
    }
}

impl From<title::Refusal> for Refusal {
    fn from(refusal: title::Refusal) -> Self {
        let code = match refusal {
            title::Refusal::Invalid(invalid) => return invalid.into(),
            title::Refusal::AlreadyAdded => ErrorCode::TitleAlreadyAdded,
            title::Refusal::Unknown => ErrorCode::UnknownTitle,
            title::Refusal::Withdrawn => ErrorCode::TitleWithdrawn,
        };
        Self::plain(code, refusal.to_string())
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Forged | TokenError::Ended => ErrorCode::PlaybackTokenInvalid,
            TokenError::Expired => ErrorCode::PlaybackTokenExpired,
        };
        Self::plain(code, error.to_string())
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Forged | TokenError::Ended => Code::PlaybackTokenInvalid,
            TokenError::Expired => Code::PlaybackTokenExpired,
        };
        Self::new(code, error.to_string())
    }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Forged | AccessError::Expired | AccessError::Ended => {
                Self::new(Code::Unauthenticated, error.to_string())
            }
        }
    }
}

impl From<InvalidValue> for Fault {
    fn from(invalid: InvalidValue) -> Self {
        let field = field_name(invalid.field);
        let message = format!("{field} must be {}", invalid.rule);
        Self::new(Code::InvalidInput, message).at(field)
    }
}

/// A command that came to nothing: a refusal for the user, or a fault.
pub(crate) fn of_command<R>(error: ExecuteError<R>, correlation_id: Uuid) -> Result<Refusal, Fault>
where
    R: StdError + Into<Refusal> + 'static,
{
    match error {
        ExecuteError::Refused(refusal) => Ok(refusal.into()),
        ExecuteError::Contended { stream } => {
            tracing::warn!(%correlation_id, %stream, "a stream is contended");
            Err(Fault::overloaded())
        }
        ExecuteError::Append(error) => Err(of_append(&error, correlation_id)),
        ExecuteError::Read { source, .. } => Err(of_read(&source, correlation_id)),
        error @ (ExecuteError::Stream(_) | ExecuteError::Codec { .. }) => {
            Err(Fault::internal(correlation_id, "a command failed", &error))
        }
    }
}

/// The log could not be read: perhaps in a moment it can be, or it is damaged.
pub(crate) fn of_read(error: &ReadError, correlation_id: Uuid) -> Fault {
    if error.retryable() {
        tracing::error!(%correlation_id, %error, "the log cannot be read: try again");
        return Fault::overloaded();
    }
    Fault::internal(correlation_id, "the log could not be read", error)
}

/// Heartbeats that were not recorded.
pub(crate) fn of_record(error: &RecordError, correlation_id: Uuid) -> Fault {
    match error {
        RecordError::Append(error) => of_append(error, correlation_id),
        RecordError::Stream(_) | RecordError::Codec(_) => {
            Fault::internal(correlation_id, "heartbeats were not recorded", error)
        }
    }
}

/// The log refused: another process or a mended disk may take it later, or nobody ever will.
fn of_append(error: &AppendError, correlation_id: Uuid) -> Fault {
    match error {
        AppendError::Stopped { .. } | AppendError::DiskFull { .. } => {
            tracing::error!(%correlation_id, %error, "the log takes no appends");
            Fault::new(Code::ReadOnly, READ_ONLY)
        }
        AppendError::Overloaded { .. } | AppendError::Unavailable { .. } => {
            tracing::warn!(%correlation_id, %error, "an append was not taken");
            Fault::overloaded()
        }
        AppendError::Closed | AppendError::Conflict { .. } | AppendError::BeyondEnd { .. } => {
            tracing::error!(%correlation_id, %error, "an append was not taken");
            Fault::overloaded()
        }
        AppendError::Unreadable(error) => of_read(error, correlation_id),
        AppendError::IdTaken { .. }
        | AppendError::DuplicateId { .. }
        | AppendError::Empty
        | AppendError::TooManyEvents { .. }
        | AppendError::TooLarge { .. }
        | AppendError::BadLabel { .. }
        | AppendError::ControlCharacter { .. } => {
            Fault::internal(correlation_id, "the log refused an append", error)
        }
    }
}

/// The name of a field as clients spell it: `positionMs` for `position_ms`.
pub(crate) fn field_name(snake: &str) -> String {
    match snake {
        "episode_of" => return "seriesId".to_owned(),
        "windows/until_ms" => return "windows/until".to_owned(),
        _ => {}
    }
    let mut words = snake.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests;
