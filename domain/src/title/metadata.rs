//! What is known of a title, and the rule of each field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::credit::{Credit, CreditRole};
use super::kind::Kind;
use crate::ids::TitleId;
use crate::language::LanguageTag;
use crate::maturity::Maturity;
use crate::values::{InvalidValue, check, is_line};

/// The most credits of a title.
pub const CREDITS_MAX: usize = 400;
/// The most languages that a title is localised into.
pub const LANGUAGES_MAX: usize = 100;
/// The most chapters of a title.
pub const CHAPTERS_MAX: usize = 200;
/// The most bytes of text of a title, so that its event fits into the log whatever is escaped.
pub const TEXT_BYTES_MAX: usize = 400_000;

/// The longest running time: the longest film on record runs 857 hours (Logistics, 2012).
const RUNTIME_MAX_MS: u64 = 1_000 * 3_600_000;

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

/// What a title is called and how it is shown in one language. What is absent is as in the original.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Localized {
    /// The name that viewers see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// A picture for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artwork_url: Option<String>,
}

/// What the audience of another catalogue thinks of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceRating {
    /// The average, in tenths of a point: from 0 to 100.
    pub average_tenths: u8,
    /// How many rated it.
    pub votes: u32,
}

/// A part of the running time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its first moment, in milliseconds from the start.
    pub start_ms: u64,
    /// The first moment after it, in milliseconds from the start.
    pub end_ms: u64,
}

/// A chapter: it ends where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// What viewers see.
    pub name: String,
    /// Where it begins, in milliseconds from the start.
    pub start_ms: u64,
}

/// Everything that is known of a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What kind of title it is.
    pub kind: Kind,
    /// The name that viewers see unless there is a fitting [`Localized`] one.
    pub name: String,
    /// The language of `name` and `synopsis`, which is the one that it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_language: Option<LanguageTag>,
    /// What it is called and how it is shown in other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub localized: BTreeMap<LanguageTag, Localized>,
    /// The year of first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// The running time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_ms: Option<u64>,
    /// The opening that viewers may skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intro: Option<Span>,
    /// Where the closing credits begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits_start_ms: Option<u64>,
    /// Chapters, first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<Chapter>,
    /// Genres, most fitting first.
    #[serde(default)]
    pub genres: Vec<String>,
    /// What else it is found by, such as `heist`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Who made it, most important first.
    #[serde(default)]
    pub credits: Vec<Credit>,
    /// For whom it is. Without it the title counts as for adults ([`Maturity::counted`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maturity: Option<Maturity>,
    /// What the audience thinks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<AudienceRating>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// A picture for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artwork_url: Option<String>,
    /// Set for episodes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode_of: Option<EpisodeOf>,
    /// What an extra or a trailer belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_of: Option<TitleId>,
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
            original_language: None,
            localized: BTreeMap::new(),
            year: None,
            runtime_ms: None,
            intro: None,
            credits_start_ms: None,
            chapters: vec![],
            genres: vec![],
            tags: vec![],
            credits: vec![],
            maturity: None,
            rating: None,
            synopsis: None,
            artwork_url: None,
            episode_of: None,
            extra_of: None,
            source: None,
        }
    }

    /// The names of its directors.
    pub fn directors(&self) -> impl Iterator<Item = &str> {
        self.people(|role| role == CreditRole::Director)
    }

    /// The names of those who are seen or heard in it, in the order of the credits.
    pub fn cast(&self) -> impl Iterator<Item = &str> {
        self.people(CreditRole::is_on_screen)
    }

    fn people(&self, wanted: fn(CreditRole) -> bool) -> impl Iterator<Item = &str> {
        let credits = self.credits.iter().filter(move |credit| wanted(credit.role));
        credits.map(|credit| credit.name.as_str())
    }

    /// The name in the first of the languages that there is one in, and otherwise the original one.
    #[must_use]
    pub fn name_in(&self, languages: &[LanguageTag]) -> &str {
        self.localize(languages, Some(&self.name), |it| it.name.as_ref()).unwrap_or(&self.name)
    }

    /// The synopsis in the first of the languages that there is one in, and otherwise the original
    /// one.
    #[must_use]
    pub fn synopsis_in(&self, languages: &[LanguageTag]) -> Option<&str> {
        self.localize(languages, self.synopsis.as_ref(), |it| it.synopsis.as_ref())
    }

    /// The picture for the first of the languages that there is one for, and otherwise the original
    /// one.
    #[must_use]
    pub fn artwork_url_in(&self, languages: &[LanguageTag]) -> Option<&str> {
        self.localize(languages, self.artwork_url.as_ref(), |it| it.artwork_url.as_ref())
    }

    /// For each language in turn: what there is for exactly it; for ever wider ones; for any other
    /// variant of the same language, the original before the others. At last the original.
    fn localize<'a>(
        &'a self,
        languages: &[LanguageTag],
        original: Option<&'a String>,
        pick: fn(&Localized) -> Option<&String>,
    ) -> Option<&'a str> {
        let in_original = |holds: &dyn Fn(&LanguageTag) -> bool| {
            original.filter(|_| self.original_language.as_ref().is_some_and(holds))
        };
        let found = languages.iter().find_map(|language| {
            let exact = language.widening().find_map(|tag| {
                let fits = |known: &LanguageTag| known.as_str() == tag;
                in_original(&fits).or_else(|| {
                    let mut known = self.localized.iter();
                    known.find(|(known, _)| fits(known)).and_then(|(_, it)| pick(it))
                })
            });
            let alike = |known: &LanguageTag| known.base() == language.base();
            exact.or_else(|| in_original(&alike)).or_else(|| {
                let mut variants = self.localized.iter().filter(|(known, _)| alike(known));
                variants.find_map(|(_, it)| pick(it))
            })
        });
        found.or(original).map(String::as_str)
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        check(is_name(&self.name), "name", "a line of 1 to 500 characters")?;
        self.validate_localized()?;
        let year = self.year.is_none_or(|year| (1870..=2100).contains(&year));
        check(year, "year", "from 1870 to 2100")?;
        self.validate_times()?;
        check_lines(&self.genres, 20, 50, "genres", "at most 20 lines of 1 to 50 characters")?;
        check_lines(&self.tags, 50, 50, "tags", "at most 50 lines of 1 to 50 characters")?;
        check(self.credits.len() <= CREDITS_MAX, "credits", "at most 400")?;
        self.credits.iter().try_for_each(Credit::validate)?;
        let rating = self.rating.is_none_or(|rating| rating.average_tenths <= 100);
        check(rating, "rating/average_tenths", "from 0 to 100")?;
        let synopsis = self.synopsis.as_deref().is_none_or(is_synopsis);
        check(synopsis, "synopsis", SYNOPSIS_RULE)?;
        let artwork = self.artwork_url.as_deref().is_none_or(is_picture);
        check(artwork, "artwork_url", PICTURE_RULE)?;
        check(
            self.episode_of.is_none() || self.kind == Kind::Episode,
            "episode_of",
            "absent unless the title is an episode",
        )?;
        check(
            self.extra_of.is_none() || matches!(self.kind, Kind::Extra | Kind::Trailer),
            "extra_of",
            "absent unless the title is an extra or a trailer",
        )?;
        let source = self.source.as_ref().is_none_or(Source::is_sized);
        check(source, "source", "a catalogue of 1 to 50 characters and a key of 1 to 200")?;
        let small = self.text_bytes() <= TEXT_BYTES_MAX;
        check(small, "metadata", "at most 400,000 bytes of text in all")
    }

    fn validate_localized(&self) -> Result<(), InvalidValue> {
        check(self.localized.len() <= LANGUAGES_MAX, "localized", "at most 100 languages")?;
        for localized in self.localized.values() {
            let says = *localized != Localized::default();
            check(says, "localized", "of each language a name, a synopsis or a picture")?;
            let name = localized.name.as_deref().is_none_or(is_name);
            check(name, "localized/name", "a line of 1 to 500 characters")?;
            let synopsis = localized.synopsis.as_deref().is_none_or(is_synopsis);
            check(synopsis, "localized/synopsis", SYNOPSIS_RULE)?;
            let artwork = localized.artwork_url.as_deref().is_none_or(is_picture);
            check(artwork, "localized/artwork_url", PICTURE_RULE)?;
        }
        Ok(())
    }

    fn validate_times(&self) -> Result<(), InvalidValue> {
        let runtime = self.runtime_ms.is_none_or(|ms| (1..=RUNTIME_MAX_MS).contains(&ms));
        check(runtime, "runtime_ms", "from 1 ms to 1,000 hours")?;
        let end_ms = self.runtime_ms.unwrap_or(RUNTIME_MAX_MS);
        check(
            self.intro.is_none_or(|it| it.start_ms < it.end_ms && it.end_ms <= end_ms),
            "intro",
            "within the running time, and begin before it ends",
        )?;
        let credits = self.credits_start_ms.is_none_or(|ms| ms <= end_ms);
        check(credits, "credits_start_ms", "within the running time")?;
        check(self.chapters.len() <= CHAPTERS_MAX, "chapters", "at most 200")?;
        check(
            self.chapters.iter().all(|chapter| is_line(&chapter.name, 200)),
            "chapters/name",
            "a line of 1 to 200 characters",
        )?;
        check(
            self.chapters.is_sorted_by(|one, next| one.start_ms < next.start_ms)
                && self.chapters.last().is_none_or(|last| last.start_ms <= end_ms),
            "chapters/start_ms",
            "within the running time, and later than the one before",
        )
    }

    fn text_bytes(&self) -> usize {
        let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let localized = self.localized.values();
        let localized = localized.map(|it| of(&it.name) + of(&it.synopsis) + of(&it.artwork_url));
        let credits = self.credits.iter();
        let credits = credits.map(|it| it.name.len() + of(&it.character) + of(&it.key));
        let chapters = self.chapters.iter().map(|chapter| chapter.name.len());
        let lines = self.genres.iter().chain(&self.tags).map(String::len);
        let own = self.name.len() + of(&self.synopsis) + of(&self.artwork_url);
        own + localized.chain(credits).chain(chapters).chain(lines).sum::<usize>()
    }
}

impl Source {
    fn is_sized(&self) -> bool {
        is_line(&self.catalogue, 50) && is_line(&self.key, 200)
    }
}

const SYNOPSIS_RULE: &str =
    "at most 5,000 characters, and no control characters but tabs and ends of lines";
const PICTURE_RULE: &str = "an http or https URL of at most 2,000 characters";

fn is_name(name: &str) -> bool {
    is_line(name, 500)
}

fn is_picture(url: &str) -> bool {
    is_line(url, 2_000) && (url.starts_with("https://") || url.starts_with("http://"))
}

/// Not too long, and storable everywhere: PostgreSQL text holds no NUL, and JSON writes six bytes
/// for each of the other control characters.
fn is_synopsis(text: &str) -> bool {
    text.chars().count() <= 5_000
        && !text.chars().any(|char| char.is_control() && !matches!(char, '\t' | '\n' | '\r'))
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

#[cfg(test)]
mod tests;
