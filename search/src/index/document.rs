//! One title, as search knows it.

use playhead_domain::availability::Availability;
use playhead_domain::ids::TitleId;
use playhead_domain::language::LanguageTag;
use playhead_domain::maturity::Maturity;
use playhead_domain::title::{Credit, CreditRole, Kind, Localized, Metadata};
use serde::{Deserialize, Serialize};

/// Everything about a title that search looks at. It is stored whole, so that a title can be put
/// again when only a part of it has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The title.
    pub title_id: TitleId,
    /// What kind of title it is.
    pub kind: Kind,
    /// The name in the original language.
    pub name: String,
    /// The language of `name` and `synopsis` (BCP 47), if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Names and synopses in other languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub localized: Vec<LocalName>,
    /// The year of first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// Genres, most fitting first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub genres: Vec<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Who made it and who plays in it, in the order of the credits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// For whom it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maturity: Option<Maturity>,
    /// Where and when it is offered; everywhere and always if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// What viewers of other services think of it, in tenths from 0 to 100; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_tenths: Option<u8>,
    /// How many votes the rating rests on.
    #[serde(default)]
    pub votes: u32,
    /// Whether it is published. A draft is kept, and is found by nobody.
    pub published: bool,
    /// When it was added, in milliseconds since 1970-01-01 UTC.
    pub added_at_ms: i64,
}

/// What a title is called in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalName {
    /// The language (BCP 47).
    pub language: String,
    /// The name, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
}

/// Someone in the credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they are called.
    pub name: String,
    /// What they did.
    pub role: CreditRole,
    /// Whom they play, if they are actors and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character: Option<String>,
}

impl Document {
    /// A published title of which only this is known.
    #[must_use]
    pub fn new(title_id: TitleId, kind: Kind, name: impl Into<String>) -> Self {
        Self {
            title_id,
            kind,
            name: name.into(),
            language: None,
            localized: vec![],
            year: None,
            genres: vec![],
            tags: vec![],
            people: vec![],
            synopsis: None,
            maturity: None,
            availability: None,
            rating_tenths: None,
            votes: 0,
            published: true,
            added_at_ms: 0,
        }
    }

    /// A title of the catalogue.
    #[must_use]
    pub fn of(
        title_id: TitleId,
        metadata: &Metadata,
        availability: Option<&Availability>,
        added_at_ms: i64,
    ) -> Self {
        let rating = metadata.rating;
        Self {
            language: metadata.original_language.as_ref().map(|it| it.as_str().to_owned()),
            localized: metadata.localized.iter().map(LocalName::of).collect(),
            year: metadata.year,
            genres: metadata.genres.clone(),
            tags: metadata.tags.clone(),
            people: metadata.credits.iter().map(Person::of).collect(),
            synopsis: metadata.synopsis.clone(),
            maturity: metadata.maturity,
            availability: availability.cloned(),
            rating_tenths: rating.map(|it| it.average_tenths),
            votes: rating.map_or(0, |it| it.votes),
            added_at_ms,
            ..Self::new(title_id, metadata.kind, metadata.name.clone())
        }
    }

    /// All names with their languages, the original first.
    pub fn names(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let original = std::iter::once((self.name.as_str(), self.language.as_deref()));
        original.chain(self.localized.iter().filter_map(|local| {
            local.name.as_deref().map(|name| (name, Some(local.language.as_str())))
        }))
    }

    /// All synopses with their languages, the original first.
    pub fn synopses(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let original = self.synopsis.as_deref().map(|text| (text, self.language.as_deref()));
        original.into_iter().chain(self.localized.iter().filter_map(|local| {
            local.synopsis.as_deref().map(|text| (text, Some(local.language.as_str())))
        }))
    }
}

impl LocalName {
    fn of((language, localized): (&LanguageTag, &Localized)) -> Self {
        Self {
            language: language.as_str().to_owned(),
            name: localized.name.clone(),
            synopsis: localized.synopsis.clone(),
        }
    }
}

impl Person {
    fn of(credit: &Credit) -> Self {
        let Credit { name, role, character, .. } = credit;
        Self { name: name.clone(), role: *role, character: character.clone() }
    }
}
