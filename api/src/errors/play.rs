//! Why a household, a profile or a title does not allow something, as clients see it.

use playhead_commands::playback::StartError;
use playhead_domain::values::tries_left_told;
use playhead_domain::{Maturity, account, entitlement, playback};
use uuid::Uuid;

use super::{ErrorCode, Fault, Refusal, of_command, of_people};
use crate::schema::DateTime;

/// A refusal that comes with facts.
#[derive(Debug, Clone)]
pub(crate) enum PlayRefusal {
    /// A wrong PIN was given.
    WrongPin {
        /// How often another may be tried before a wait.
        tries_left: usize,
    },
    /// The PIN was wrong too often.
    PinLocked {
        /// The first moment at which it can be tried again.
        until_ms: i64,
    },
    /// The title is for older people than the profile is set to.
    TooMature {
        /// The profile's limit.
        limit: Maturity,
        /// What the title counts as.
        rating: Maturity,
    },
    /// The title is not offered yet.
    NotYetAvailable {
        /// The first moment at which it is.
        from_ms: i64,
    },
    /// The plan's devices are all registered.
    TooManyDevices {
        /// How many the plan allows.
        limit: usize,
    },
}

impl Refusal {
    fn facts(refusal: PlayRefusal, message: String) -> Self {
        Self::Play(refusal, message)
    }

    fn pin_locked(until_ms: i64) -> Self {
        let until = DateTime(until_ms);
        let message = format!("the PIN was wrong too often; try again at {until}");
        Self::facts(PlayRefusal::PinLocked { until_ms }, message)
    }
}

impl From<account::Refusal> for Refusal {
    fn from(refusal: account::Refusal) -> Self {
        let message = refusal.to_string();
        let code = match refusal {
            account::Refusal::Invalid(invalid) => return invalid.into(),
            account::Refusal::PinLocked { until_ms } => {
                return Self::pin_locked(until_ms);
            }
            // The same try came again.
            account::Refusal::WrongPin => {
                return Self::facts(PlayRefusal::WrongPin { tries_left: 0 }, message);
            }
            account::Refusal::NotOpen => ErrorCode::AccountNotOpen,
            account::Refusal::TooManyProfiles { .. } => ErrorCode::TooManyProfiles,
            account::Refusal::NameTaken => ErrorCode::NameTaken,
            account::Refusal::UnknownProfile => ErrorCode::UnknownProfile,
            account::Refusal::AccountRightNeeded => ErrorCode::AccountRightNeeded,
            account::Refusal::NoPin => ErrorCode::NoPin,
        };
        Self::plain(code, message)
    }
}

impl From<playback::Refusal> for Refusal {
    fn from(refusal: playback::Refusal) -> Self {
        let message = refusal.to_string();
        let code = match refusal {
            playback::Refusal::Invalid(invalid) => return invalid.into(),
            playback::Refusal::NotEntitled(refusal) => return refusal.into(),
            playback::Refusal::TooManyStreams { limit, playing } => {
                return Self::TooManyStreams { limit, playing, message };
            }
            playback::Refusal::UnknownProfile => ErrorCode::UnknownProfile,
            playback::Refusal::TitleUnavailable => ErrorCode::TitleUnavailable,
        };
        Self::plain(code, message)
    }
}

impl From<entitlement::Refusal> for Refusal {
    fn from(refusal: entitlement::Refusal) -> Self {
        let message = refusal.to_string();
        let code = match refusal {
            entitlement::Refusal::TooManyDevices { limit } => {
                return Self::facts(PlayRefusal::TooManyDevices { limit }, message);
            }
            entitlement::Refusal::PinLocked { until_ms } => {
                return Self::pin_locked(until_ms);
            }
            entitlement::Refusal::TooMature { limit, rating } => {
                return Self::facts(PlayRefusal::TooMature { limit, rating }, message);
            }
            entitlement::Refusal::NotYetAvailable { from_ms } => {
                let message = format!("the title is not offered before {}", DateTime(from_ms));
                return Self::facts(PlayRefusal::NotYetAvailable { from_ms }, message);
            }
            entitlement::Refusal::AccountSuspended => ErrorCode::AccountSuspended,
            entitlement::Refusal::DeviceRemoved => ErrorCode::DeviceRemoved,
            entitlement::Refusal::EmailNotVerified => ErrorCode::EmailNotVerified,
            entitlement::Refusal::NotSubscribed => ErrorCode::NotSubscribed,
            entitlement::Refusal::PinRequired => ErrorCode::PinRequired,
            entitlement::Refusal::VpnRefused => ErrorCode::VpnRefused,
            entitlement::Refusal::TerritoryUnknown => ErrorCode::TerritoryUnknown,
            entitlement::Refusal::NotInTerritory => ErrorCode::NotInTerritory,
            entitlement::Refusal::NoLongerAvailable => ErrorCode::NoLongerAvailable,
        };
        Self::plain(code, message)
    }
}

/// A session that did not begin.
pub(crate) fn of_start(error: StartError, correlation_id: Uuid) -> Result<Refusal, Fault> {
    match error {
        StartError::Execute(error) => of_command(error, correlation_id),
        StartError::WrongPin { tries_left } => {
            let message = format!("the PIN is wrong; {}", tries_left_told(tries_left));
            Ok(Refusal::facts(PlayRefusal::WrongPin { tries_left }, message))
        }
        StartError::People(error) => of_people(*error, correlation_id),
        error @ StartError::LookUp { .. } => {
            Err(Fault::internal(correlation_id, "starting playback failed", &error))
        }
    }
}
