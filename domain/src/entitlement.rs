//! Who may play what: one pure check over looked-up facts, and one refusal for each reason.
//!
//! If several reasons hold, the refusal is the first of them in the order of [`Facts::check`]: what
//! concerns the caller's own account comes before what concerns the title, so that whoever may not
//! play anything learns nothing about a title. Of the title, its maturity comes before its
//! territory and its dates, so that a child is not told when something for adults will come.
//!
//! Browsing and searching ask [`is_visible`], which is the title's part of the same check.

use thiserror::Error;

use crate::availability::{Availability, Offer, Territory};
use crate::maturity::Maturity;
use crate::values::{Plan, counted};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Where they are, if it is known. Not known behind a VPN.
    pub territory: Option<Territory>,
    /// The highest level of maturity that the profile is shown.
    pub maturity_max: Maturity,
}

/// What the title says about who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// For whom it is; unrated titles count as for adults.
    pub maturity: Option<Maturity>,
    /// Where and when it is offered; everywhere and always if it has no schedule.
    pub availability: Option<Availability>,
}

/// Whether the profile asks for a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// The profile has none.
    None,
    /// It was given, and was right.
    Given,
    /// It was not given.
    Missing,
    /// It was given wrongly too often.
    Locked {
        /// The first moment at which it can be tried again, in milliseconds since 1970-01-01 UTC.
        until_ms: i64,
    },
}

/// What the account knows of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// It is registered, or there is room to register it.
    Welcome,
    /// It was removed, and does not come back under its id.
    Removed,
    /// It is new, and the plan's devices are all registered.
    NoRoom {
        /// How many devices the plan allows.
        limit: usize,
    },
}

/// All that is looked up before something is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether the account is neither suspended nor cancelled nor erased.
    pub account_active: bool,
    /// Whether the account's e-mail address is verified.
    pub email_verified: bool,
    /// The plan that runs now.
    pub plan: Option<Plan>,
    /// Whether the request came through a known VPN.
    pub vpn: bool,
    /// Who asks.
    pub viewer: Viewer,
    /// What for.
    pub title: Terms,
    /// Whether the profile's PIN stands in the way.
    pub pin: Pin,
    /// On what.
    pub device: Device,
}

/// Why something may not be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The account is suspended, cancelled or erased.
    #[error("the account is suspended")]
    AccountSuspended,
    /// The device was removed from the account.
    #[error("this device was removed from the account")]
    DeviceRemoved,
    /// Nobody has shown yet that the e-mail address is theirs.
    #[error("the e-mail address is not verified")]
    EmailNotVerified,
    /// The account has no running plan.
    #[error("there is no running subscription")]
    NotSubscribed,
    /// The device is new, and the plan has no room for it.
    #[error(
        "the plan allows {}, and {} registered",
        counted(*limit, "device"),
        if *limit == 1 { "it is" } else { "all of them are" }
    )]
    TooManyDevices {
        /// How many devices the plan allows.
        limit: usize,
    },
    /// The profile's PIN was tried wrongly too often.
    #[error("the PIN was wrong too often; wait before the next try")]
    PinLocked {
        /// The first moment at which it can be tried again, in milliseconds since 1970-01-01 UTC.
        until_ms: i64,
    },
    /// The profile has a PIN, and it was not given.
    #[error("the profile's PIN is needed")]
    PinRequired,
    /// The request came through a known VPN.
    #[error("nothing is played through a VPN")]
    VpnRefused,
    /// The title is for older people than the profile is set to.
    #[error("the title is rated {rating}, and the profile is limited to {limit}")]
    TooMature {
        /// The profile's limit.
        limit: Maturity,
        /// What the title counts as.
        rating: Maturity,
    },
    /// The title is not offered everywhere, and nobody knows where the viewer is.
    #[error("the title is not offered everywhere, and the territory is not known")]
    TerritoryUnknown,
    /// The title is not offered here.
    #[error("the title is not offered in this territory")]
    NotInTerritory,
    /// The title is not offered yet.
    #[error("the title is not offered yet")]
    NotYetAvailable {
        /// The first moment at which it is, in milliseconds since 1970-01-01 UTC.
        from_ms: i64,
    },
    /// The title is no longer offered.
    #[error("the title is no longer offered")]
    NoLongerAvailable,
}

impl Facts {
    /// Whether it may be played at a moment. The order of the reasons is the one of [`Refusal`].
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(&self, at_ms: i64) -> Result<Plan, Refusal> {
        let plan = self.check_account()?;
        self.check_pin()?;
        refuse_if(self.vpn, Refusal::VpnRefused)?;
        self.title.check(&self.viewer, at_ms)?;
        Ok(plan)
    }

    fn check_account(&self) -> Result<Plan, Refusal> {
        refuse_if(!self.account_active, Refusal::AccountSuspended)?;
        refuse_if(self.device == Device::Removed, Refusal::DeviceRemoved)?;
        refuse_if(!self.email_verified, Refusal::EmailNotVerified)?;
        let plan = self.plan.ok_or(Refusal::NotSubscribed)?;
        match self.device {
            Device::NoRoom { limit } => Err(Refusal::TooManyDevices { limit }),
            Device::Welcome | Device::Removed => Ok(plan),
        }
    }

    fn check_pin(&self) -> Result<(), Refusal> {
        match self.pin {
            Pin::None | Pin::Given => Ok(()),
            Pin::Missing => Err(Refusal::PinRequired),
            Pin::Locked { until_ms } => Err(Refusal::PinLocked { until_ms }),
        }
    }
}

impl Terms {
    /// Whether a viewer may see the title at a moment.
    fn check(&self, viewer: &Viewer, at_ms: i64) -> Result<(), Refusal> {
        let rating = Maturity::counted(self.maturity);
        let limit = viewer.maturity_max;
        refuse_if(rating > limit, Refusal::TooMature { limit, rating })?;
        let Some(availability) = &self.availability else { return Ok(()) };
        let unknown = viewer.territory.is_none() && availability.depends_on_territory();
        refuse_if(unknown, Refusal::TerritoryUnknown)?;
        match availability.at(viewer.territory, at_ms) {
            Offer::Open => Ok(()),
            Offer::NotHere => Err(Refusal::NotInTerritory),
            Offer::NotYet { from_ms } => Err(Refusal::NotYetAvailable { from_ms }),
            Offer::Over => Err(Refusal::NoLongerAvailable),
        }
    }
}

/// Whether a title is shown to a viewer who browses or searches at a moment: nothing is shown that
/// the title's own terms would keep from being played.
#[must_use]
pub fn is_visible(title: &Terms, viewer: &Viewer, at_ms: i64) -> bool {
    title.check(viewer, at_ms).is_ok()
}

fn refuse_if(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Err(refusal) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
