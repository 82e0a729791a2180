//! Titles: what can be watched.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::availability::Availability;
use crate::codec::stored_events;
use crate::decider::Decider;
use crate::entitlement::Terms;
use crate::ids::TitleId;
use crate::maturity::Maturity;
use crate::values::{InvalidValue, check, is_line};

/// What kind of title it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A feature film, also one made for television or video.
    Movie,
    /// A film of less than 40 minutes, as its catalogue says.
    Short,
    /// A series or mini-series; its episodes are titles of their own.
    Series,
    /// One episode of a series.
    Episode,
    /// A one-off programme.
    Special,
}

impl Kind {
    /// The name as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Short => "short",
            Self::Series => "series",
            Self::Episode => "episode",
            Self::Special => "special",
        }
    }
}

/// Where an episode stands in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodeOf {
    /// The series.
    pub series_id: TitleId,
    /// Counted from 1; 0 for specials.
    pub season: u32,
    /// Counted from 1 in its season.
    pub number: u32,
}

/// The record of another catalogue that a title was imported from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The catalogue, such as `imdb`.
    pub catalogue: String,
    /// The record's key there, such as `tt0114709`.
    pub key: String,
}

impl Source {
    fn is_sized(&self) -> bool {
        is_line(&self.catalogue, 50) && is_line(&self.key, 200)
    }
}

/// Everything that is known of a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What kind of title it is.
    pub kind: Kind,
    /// The name that viewers see.
    pub name: String,
    /// The year of first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// The running time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_ms: Option<u64>,
    /// Where the closing credits begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits_start_ms: Option<u64>,
    /// Genres, most fitting first.
    #[serde(default)]
    pub genres: Vec<String>,
    /// Directors.
    #[serde(default)]
    pub directors: Vec<String>,
    /// Actors, in the order of the credits.
    #[serde(default)]
    pub cast: Vec<String>,
    /// For whom it is. Without it the title counts as for adults ([`Maturity::counted`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maturity: Option<Maturity>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// A picture for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artwork_url: Option<String>,
    /// Set for episodes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode_of: Option<EpisodeOf>,
    /// Set if it was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Metadata {
    /// A title of which only this is known.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            year: None,
            runtime_ms: None,
            credits_start_ms: None,
            genres: vec![],
            directors: vec![],
            cast: vec![],
            maturity: None,
            synopsis: None,
            artwork_url: None,
            episode_of: None,
            source: None,
        }
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        check(is_line(&self.name, 500), "name", "a line of 1 to 500 characters")?;
        check(
            self.year.is_none_or(|year| (1870..=2100).contains(&year)),
            "year",
            "from 1870 to 2100",
        )?;
        check(
            self.runtime_ms.is_none_or(|ms| (1..=RUNTIME_MAX_MS).contains(&ms)),
            "runtime_ms",
            "from 1 ms to 1,000 hours",
        )?;
        check(
            self.credits_start_ms.is_none_or(|ms| ms <= self.runtime_ms.unwrap_or(RUNTIME_MAX_MS)),
            "credits_start_ms",
            "within the running time",
        )?;
        check_lines(&self.genres, 20, 50, "genres", "at most 20 lines of 1 to 50 characters")?;
        let people = "at most 200 lines of 1 to 200 characters";
        check_lines(&self.directors, 200, 200, "directors", people)?;
        check_lines(&self.cast, 200, 200, "cast", people)?;
        check(
            self.synopsis.as_ref().is_none_or(|text| is_text(text, 5_000)),
            "synopsis",
            "at most 5,000 characters, and no control characters but white space",
        )?;
        check(
            self.artwork_url.as_ref().is_none_or(|url| is_line(url, 2_000) && is_http(url)),
            "artwork_url",
            "an http or https URL of at most 2,000 characters",
        )?;
        check(
            self.episode_of.is_none() || self.kind == Kind::Episode,
            "episode_of",
            "absent unless the title is an episode",
        )?;
        check(
            self.source.as_ref().is_none_or(Source::is_sized),
            "source",
            "a catalogue of 1 to 50 characters and a key of 1 to 200",
        )
    }
}

/// The longest running time: the longest film on record runs 857 hours (Logistics, 2012).
const RUNTIME_MAX_MS: u64 = 1_000 * 3_600_000;

fn is_http(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Whether a text of several lines is not too long and can be stored everywhere: PostgreSQL text
/// holds no NUL.
fn is_text(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max
        && !text.chars().any(|char| char.is_control() && !char.is_whitespace())
}

fn check_lines(
    lines: &[String],
    len_max: usize,
    chars_max: usize,
    field: &'static str,
    rule: &'static str,
) -> Result<(), InvalidValue> {
    let holds = lines.len() <= len_max && lines.iter().all(|line| is_line(line, chars_max));
    check(holds, field, rule)
}

/// A title joined the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleAdded {
    /// The title.
    pub title_id: TitleId,
    /// What is known of it.
    pub metadata: Metadata,
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
        Added(TitleAdded) = 2,
        /// What is known of it changed.
        Edited(TitleEdited) = 2,
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
    /// In the catalogue.
    Listed(Box<Listing>),
    /// No longer in the catalogue; it does not come back.
    Withdrawn,
}

/// A title in the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// What is known of it.
    pub metadata: Metadata,
    /// Where and when it is offered: everywhere and always unless something was said.
    pub availability: Option<Availability>,
}

impl Listing {
    /// What it says about who may see it.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { maturity: self.metadata.maturity, availability: self.availability.clone() }
    }
}

impl State {
    /// What is known of the title while it is in the catalogue.
    #[must_use]
    pub fn listed(&self) -> Option<&Metadata> {
        self.listing().map(|listing| &listing.metadata)
    }

    /// The title while it is in the catalogue.
    #[must_use]
    pub fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Listed(listing) => Some(listing),
            Self::Unknown | Self::Withdrawn => None,
        }
    }
}

/// What can be asked of a title.
#[derive(Debug, Clone)]
pub enum Command {
    /// Put it into the catalogue.
    Add {
        /// The title.
        title_id: TitleId,
        /// What is known of it.
        metadata: Metadata,
        /// Now.
        at_ms: i64,
    },
    /// Replace what is known of it.
    Edit {
        /// The title.
        title_id: TitleId,
        /// All that is known of it.
        metadata: Metadata,
        /// Now.
        at_ms: i64,
    },
    /// Take it out of the catalogue.
    Withdraw {
        /// The title.
        title_id: TitleId,
        /// Now.
        at_ms: i64,
    },
    /// Say where and when it is offered, in place of what was said before.
    Schedule {
        /// The title.
        title_id: TitleId,
        /// Where and when.
        availability: Availability,
        /// Now.
        at_ms: i64,
    },
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
    /// It was never added.
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
        let listing = match state {
            State::Listed(listing) => listing,
            State::Unknown => return decide_unknown(command),
            State::Withdrawn => {
                let withdrawn = matches!(command, Command::Withdraw { .. });
                return if withdrawn { Ok(vec![]) } else { Err(Refusal::Withdrawn) };
            }
        };
        match command.clone() {
            Command::Add { metadata, .. } if listing.metadata == metadata => Ok(vec![]),
            Command::Add { .. } => Err(Refusal::AlreadyAdded),
            Command::Edit { metadata, .. } if listing.metadata == metadata => Ok(vec![]),
            Command::Edit { title_id, metadata, at_ms } => {
                metadata.validate()?;
                Ok(vec![Event::Edited(TitleEdited { title_id, metadata, at_ms })])
            }
            Command::Withdraw { title_id, at_ms } => {
                Ok(vec![Event::Withdrawn(TitleWithdrawn { title_id, at_ms })])
            }
            Command::Schedule { availability, .. }
                if listing.availability.as_ref() == Some(&availability) =>
            {
                Ok(vec![])
            }
            Command::Schedule { title_id, availability, at_ms } => {
                availability.validate()?;
                let scheduled = AvailabilityScheduled { title_id, availability, at_ms };
                Ok(vec![Event::Scheduled(scheduled)])
            }
        }
    }

    fn evolve(state: State, event: &Event) -> State {
        match (state, event) {
            (
                state,
                Event::Added(TitleAdded { metadata, .. })
                | Event::Edited(TitleEdited { metadata, .. }),
            ) => {
                let availability = state.listing().and_then(|it| it.availability.clone());
                State::Listed(Box::new(Listing { metadata: metadata.clone(), availability }))
            }
            (_, Event::Withdrawn(_)) => State::Withdrawn,
            (State::Listed(listing), Event::Scheduled(scheduled)) => {
                let availability = Some(scheduled.availability.clone());
                State::Listed(Box::new(Listing { availability, ..*listing }))
            }
            (state @ (State::Unknown | State::Withdrawn), Event::Scheduled(_)) => state,
        }
    }
}

fn decide_unknown(command: &Command) -> Result<Vec<Event>, Refusal> {
    let Command::Add { title_id, metadata, at_ms } = command.clone() else {
        return Err(Refusal::Unknown);
    };
    metadata.validate()?;
    Ok(vec![Event::Added(TitleAdded { title_id, metadata, at_ms })])
}

#[cfg(test)]
mod tests;
