//! Titles: what can be watched.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::availability::Availability;
use crate::codec::stored_events;
use crate::decider::Decider;
use crate::entitlement::Terms;
use crate::ids::{AccountId, TitleId};
use crate::values::InvalidValue;

mod credit;
mod kind;
mod metadata;
mod past;

pub use credit::{Credit, CreditRole};
pub use kind::Kind;
pub use metadata::{
    AudienceRating, CHAPTERS_MAX, CREDITS_MAX, Chapter, EpisodeOf, LANGUAGES_MAX, Localized,
    Metadata, Source, Span, TEXT_BYTES_MAX,
};
pub(crate) use past::lift_from_2;

/// A title joined the catalogue, or is being prepared for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleAdded {
    /// The title.
    pub title_id: TitleId,
    /// What is known of it.
    pub metadata: Metadata,
    /// Whose video it is; nobody's if it belongs to the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Whether it is a draft: only those who prepare it see it until it is published.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// What is known of a title changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleEdited {
    /// The title.
    pub title_id: TitleId,
    /// All that is known of it now.
    pub metadata: Metadata,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A draft joined the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitlePublished {
    /// The title.
    pub title_id: TitleId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A title left the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleWithdrawn {
    /// The title.
    pub title_id: TitleId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Where and when a title is offered was said, in place of what was said of it before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AvailabilityScheduled {
    /// The title.
    pub title_id: TitleId,
    /// Where and when.
    pub availability: Availability,
    /// When that was said, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to a title.
    pub enum Event {
        /// It joined the catalogue.
        Added(TitleAdded) = 3,
        /// What is known of it changed.
        Edited(TitleEdited) = 3,
        /// The draft joined the catalogue.
        Published(TitlePublished) = 1,
        /// It left the catalogue.
        Withdrawn(TitleWithdrawn) = 1,
        /// Where and when it is offered was said.
        Scheduled(AvailabilityScheduled) = 1,
    }
}

/// Where a title is in its life.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum State {
    /// Never added.
    #[default]
    Unknown,
    /// Being prepared.
    Draft(Box<Listing>),
    /// In the catalogue.
    Listed(Box<Listing>),
    /// No longer in the catalogue; it does not come back.
    Withdrawn {
        /// Whose video it was; nobody's if it belonged to the catalogue.
        owner: Option<AccountId>,
    },
}

/// A title in the catalogue, or on its way there.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// What is known of it.
    pub metadata: Metadata,
    /// Where and when it is offered: everywhere and always unless something was said.
    pub availability: Option<Availability>,
    /// Whose video it is; nobody's if it belongs to the catalogue.
    pub owner: Option<AccountId>,
}

impl Listing {
    /// What it says about who may see it.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { maturity: self.metadata.maturity, availability: self.availability.clone() }
    }
}

impl State {
    /// What is known of the title while it is in the catalogue. Drafts are not.
    #[must_use]
    pub fn listed(&self) -> Option<&Metadata> {
        self.listing().map(|listing| &listing.metadata)
    }

    /// The title while it is in the catalogue. Drafts are not.
    #[must_use]
    pub fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Listed(listing) => Some(listing),
            Self::Unknown | Self::Draft(_) | Self::Withdrawn { .. } => None,
        }
    }

    /// Whose video it is, or was; nobody's if it belongs to the catalogue.
    #[must_use]
    pub fn owner(&self) -> Option<AccountId> {
        match self {
            Self::Unknown => None,
            Self::Listed(listing) | Self::Draft(listing) => listing.owner,
            Self::Withdrawn { owner } => *owner,
        }
    }

    /// The title while it is in the catalogue or a draft: for those who may see drafts.
    #[must_use]
    pub fn listing_or_draft(&self) -> Option<&Listing> {
        match self {
            Self::Listed(listing) | Self::Draft(listing) => Some(listing),
            Self::Unknown | Self::Withdrawn { .. } => None,
        }
    }
}

/// Who changes a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Somebody who may change every title.
    Catalogue,
    /// An account that may change its own videos only. Other titles are not there for it.
    Owner(AccountId),
}

impl By {
    /// Whether a title of this owner may be changed.
    #[must_use]
    pub fn may_change(self, owner: Option<AccountId>) -> bool {
        match self {
            Self::Catalogue => true,
            Self::Owner(account_id) => owner == Some(account_id),
        }
    }
}

/// What can be asked of a title.
#[derive(Debug, Clone)]
pub enum Command {
    /// Put it into the catalogue, or prepare it.
    Add {
        /// The title.
        title_id: TitleId,
        /// What is known of it.
        metadata: Metadata,
        /// Whose video it is; nobody's if it belongs to the catalogue.
        owner: Option<AccountId>,
        /// Whether it is prepared first.
        draft: bool,
        /// Now.
        at_ms: i64,
    },
    /// Replace what is known of it.
    Edit {
        /// The title.
        title_id: TitleId,
        /// All that is known of it.
        metadata: Metadata,
        /// Who asks.
        by: By,
        /// Now.
        at_ms: i64,
    },
    /// Put the draft into the catalogue.
    Publish {
        /// The title.
        title_id: TitleId,
        /// Who asks.
        by: By,
        /// Now.
        at_ms: i64,
    },
    /// Take it out of the catalogue.
    Withdraw {
        /// The title.
        title_id: TitleId,
        /// Who asks.
        by: By,
        /// Now.
        at_ms: i64,
    },
    /// Say where and when it is offered, in place of what was said before.
    Schedule {
        /// The title.
        title_id: TitleId,
        /// Where and when.
        availability: Availability,
        /// Who asks.
        by: By,
        /// Now.
        at_ms: i64,
    },
}

impl Command {
    /// Who asks to change a title that there is.
    fn by(&self) -> By {
        match self {
            Self::Add { .. } => By::Catalogue,
            Self::Edit { by, .. }
            | Self::Publish { by, .. }
            | Self::Withdraw { by, .. }
            | Self::Schedule { by, .. } => *by,
        }
    }
}

/// Why something cannot be done to a title.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A field breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// It is in the catalogue already, with other metadata. Edit it.
    #[error("the title is in the catalogue already")]
    AlreadyAdded,
    /// It was never added, or is not there for the account that asks.
    #[error("there is no such title")]
    Unknown,
    /// It was withdrawn.
    #[error("the title was withdrawn")]
    Withdrawn,
}

/// The rules for titles.
#[derive(Debug)]
pub struct Title;

impl Decider for Title {
    const CATEGORY: &'static str = "title";
    type Id = TitleId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match state {
            State::Unknown => decide_unknown(command),
            State::Withdrawn { owner } if !command.by().may_change(*owner) => Err(Refusal::Unknown),
            State::Withdrawn { .. } => match command {
                Command::Withdraw { .. } => Ok(vec![]),
                _ => Err(Refusal::Withdrawn),
            },
            State::Draft(listing) => decide_known(listing, true, command.clone()),
            State::Listed(listing) => decide_known(listing, false, command.clone()),
        }
    }

    fn evolve(state: State, event: &Event) -> State {
        match (state, event) {
            (state, Event::Added(added)) => {
                let listing = Box::new(Listing {
                    metadata: added.metadata.clone(),
                    availability: state.listing_or_draft().and_then(|it| it.availability.clone()),
                    owner: added.owner,
                });
                if added.draft { State::Draft(listing) } else { State::Listed(listing) }
            }
            (State::Draft(listing), Event::Edited(edited)) => {
                State::Draft(with_metadata(*listing, edited))
            }
            (State::Listed(listing), Event::Edited(edited)) => {
                State::Listed(with_metadata(*listing, edited))
            }
            (State::Unknown | State::Withdrawn { .. }, Event::Edited(edited)) => {
                let metadata = edited.metadata.clone();
                State::Listed(Box::new(Listing { metadata, availability: None, owner: None }))
            }
            (State::Draft(listing), Event::Published(_)) => State::Listed(listing),
            (state, Event::Withdrawn(_)) => State::Withdrawn { owner: state.owner() },
            (State::Draft(listing), Event::Scheduled(scheduled)) => {
                State::Draft(with_schedule(*listing, scheduled))
            }
            (State::Listed(listing), Event::Scheduled(scheduled)) => {
                State::Listed(with_schedule(*listing, scheduled))
            }
            (state, Event::Published(_) | Event::Scheduled(_)) => state,
        }
    }
}

fn with_metadata(listing: Listing, edited: &TitleEdited) -> Box<Listing> {
    Box::new(Listing { metadata: edited.metadata.clone(), ..listing })
}

fn with_schedule(listing: Listing, scheduled: &AvailabilityScheduled) -> Box<Listing> {
    Box::new(Listing { availability: Some(scheduled.availability.clone()), ..listing })
}

fn decide_unknown(command: &Command) -> Result<Vec<Event>, Refusal> {
    let Command::Add { title_id, metadata, owner, draft, at_ms } = command.clone() else {
        return Err(Refusal::Unknown);
    };
    metadata.validate()?;
    Ok(vec![Event::Added(TitleAdded { title_id, metadata, owner, draft, at_ms })])
}

fn decide_known(
    listing: &Listing,
    is_draft: bool,
    command: Command,
) -> Result<Vec<Event>, Refusal> {
    if !command.by().may_change(listing.owner) {
        return Err(Refusal::Unknown);
    }
    match command {
        Command::Add { metadata, owner, draft, .. }
            if listing.metadata == metadata && listing.owner == owner && is_draft == draft =>
        {
            Ok(vec![])
        }
        Command::Add { .. } => Err(Refusal::AlreadyAdded),
        Command::Edit { metadata, .. } if listing.metadata == metadata => Ok(vec![]),
        Command::Edit { title_id, metadata, at_ms, .. } => {
            metadata.validate()?;
            Ok(vec![Event::Edited(TitleEdited { title_id, metadata, at_ms })])
        }
        Command::Publish { title_id, at_ms, .. } if is_draft => {
            Ok(vec![Event::Published(TitlePublished { title_id, at_ms })])
        }
        Command::Publish { .. } => Ok(vec![]),
        Command::Withdraw { title_id, at_ms, .. } => {
            Ok(vec![Event::Withdrawn(TitleWithdrawn { title_id, at_ms })])
        }
        Command::Schedule { availability, .. }
            if listing.availability.as_ref() == Some(&availability) =>
        {
            Ok(vec![])
        }
        Command::Schedule { title_id, availability, at_ms, .. } => {
            availability.validate()?;
            let scheduled = AvailabilityScheduled { title_id, availability, at_ms };
            Ok(vec![Event::Scheduled(scheduled)])
        }
    }
}

#[cfg(test)]
mod tests;
