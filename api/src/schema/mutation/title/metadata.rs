//! What is known of a title, as those write it who look after it.

use std::collections::BTreeMap;

use async_graphql::{ID, InputObject};
use playhead_domain::title::{
    AudienceRating, Chapter, Credit, EpisodeOf, Localized, Metadata, Span,
};
use playhead_domain::values::check;
use playhead_domain::{InvalidValue, LanguageTag, TitleId};

use crate::global_id;
use crate::schema::maturity::Maturity;
use crate::schema::scalars::Milliseconds;
use crate::schema::title::{CreditRole, TitleType};

/// All that is known of a title, as its administrators write it.
#[derive(Debug, InputObject)]
pub(crate) struct TitleMetadataInput {
    /// The name that viewers see, 1 to 500 characters.
    name: String,
    /// What kind of title it is.
    #[graphql(name = "type")]
    kind: TitleType,
    /// The language of name and synopsis, as a BCP 47 tag.
    original_language: Option<String>,
    /// What it is called and how it is shown in other languages; at most 100.
    #[graphql(default)]
    localized: Vec<LocalizedTitleInput>,
    /// The year of first release, from 1870 to 2100.
    year: Option<i32>,
    /// The running time.
    runtime_ms: Option<Milliseconds>,
    /// The opening that viewers may skip.
    intro: Option<TimeSpanInput>,
    /// Where the closing credits begin.
    credits_start_ms: Option<Milliseconds>,
    /// Chapters, first one first; at most 200.
    #[graphql(default)]
    chapters: Vec<ChapterInput>,
    /// Genres, most fitting first; at most 20.
    #[graphql(default)]
    genres: Vec<String>,
    /// What else it is found by; at most 50.
    #[graphql(default)]
    tags: Vec<String>,
    /// Directors. They come before the credits.
    #[graphql(default)]
    directors: Vec<String>,
    /// Actors, in the order of the credits. They come before the credits, behind the directors.
    #[graphql(default)]
    cast: Vec<String>,
    /// Who made it, most important first; at most 400 together with directors and cast.
    #[graphql(default)]
    credits: Vec<CreditInput>,
    /// For whom it is; without it, it counts as for adults.
    maturity: Option<Maturity>,
    /// What the audience of another catalogue thinks of it.
    rating: Option<AudienceRatingInput>,
    /// What it is about, at most 5,000 characters.
    synopsis: Option<String>,
    /// A picture for it: an http or https URL.
    artwork_url: Option<String>,
    /// The series, for episodes only; season and episode go with it.
    series_id: Option<ID>,
    /// The season: counted from 1; 0 for specials.
    season: Option<i32>,
    /// The number in the season: counted from 1.
    episode: Option<i32>,
    /// The title that it belongs to, for extras and trailers only.
    extra_of: Option<ID>,
}

/// What a title is called and how it is shown in one language; what is left out is as in the
/// original.
#[derive(Debug, InputObject)]
pub(crate) struct LocalizedTitleInput {
    /// The language, as a BCP 47 tag such as `pt-BR`.
    language: String,
    /// The name that viewers see, 1 to 500 characters.
    name: Option<String>,
    /// What it is about, at most 5,000 characters.
    synopsis: Option<String>,
    /// A picture for it: an http or https URL.
    artwork_url: Option<String>,
}

/// A part of the running time.
#[derive(Debug, InputObject)]
pub(crate) struct TimeSpanInput {
    /// Its first moment, from the start.
    start_ms: Milliseconds,
    /// The first moment after it, from the start.
    end_ms: Milliseconds,
}

/// A chapter; it ends where the next one begins.
#[derive(Debug, InputObject)]
pub(crate) struct ChapterInput {
    /// What viewers see, 1 to 200 characters.
    name: String,
    /// Where it begins, from the start.
    start_ms: Milliseconds,
}

/// What one person did for a title.
#[derive(Debug, InputObject)]
pub(crate) struct CreditInput {
    /// The person's name, 1 to 200 characters.
    name: String,
    /// What they did.
    role: CreditRole,
    /// Whom they played, or what else is said of it, 1 to 300 characters.
    character: Option<String>,
    /// What tells them apart from people of the same name: a catalogue and their key there, such as
    /// `imdb:nm0000199`, 1 to 100 characters.
    key: Option<String>,
}

/// What the audience of another catalogue thinks of a title.
#[derive(Debug, InputObject)]
pub(crate) struct AudienceRatingInput {
    /// The average, in tenths of a point: from 0 to 100.
    average_tenths: i32,
    /// How many rated it.
    votes: i32,
}

impl TitleMetadataInput {
    /// What is to be known of the title. The rules for the values are the domain's; here only what
    /// has no place in its types is refused.
    pub(super) fn read(self) -> Result<Metadata, InvalidValue> {
        let episode_of = self.episode_of()?;
        let year = self.year.map(u16::try_from).transpose();
        let mut credits = Credit::of(self.directors, self.cast);
        credits.extend(self.credits.into_iter().map(Credit::from));
        Ok(Metadata {
            original_language: self
                .original_language
                .map(|text| language(&text, "original_language"))
                .transpose()?,
            localized: localized(self.localized)?,
            year: year.map_err(|_| InvalidValue { field: "year", rule: "from 1870 to 2100" })?,
            runtime_ms: self.runtime_ms.map(|ms| ms.0),
            intro: self.intro.map(Span::from),
            credits_start_ms: self.credits_start_ms.map(|ms| ms.0),
            chapters: self.chapters.into_iter().map(Chapter::from).collect(),
            genres: self.genres,
            tags: self.tags,
            credits,
            maturity: self.maturity.map(Into::into),
            rating: self.rating.map(rating).transpose()?,
            synopsis: self.synopsis,
            artwork_url: self.artwork_url,
            episode_of,
            extra_of: self.extra_of.map(|id| title_of(&id, "extra_of")).transpose()?,
            source: None,
            ..Metadata::new(self.kind.into(), self.name)
        })
    }

    fn episode_of(&self) -> Result<Option<EpisodeOf>, InvalidValue> {
        let (Some(series_id), Some(season), Some(number)) =
            (&self.series_id, self.season, self.episode)
        else {
            let none = self.series_id.is_none() && self.season.is_none() && self.episode.is_none();
            let rule = "given together with season and episode, or not at all";
            return if none { Ok(None) } else { Err(InvalidValue { field: "series_id", rule }) };
        };
        Ok(Some(EpisodeOf {
            series_id: title_of(series_id, "series_id")?,
            season: natural(season, "season")?,
            number: natural(number, "episode")?,
        }))
    }
}

fn title_of(id: &ID, field: &'static str) -> Result<TitleId, InvalidValue> {
    global_id::title(id).ok_or(InvalidValue { field, rule: "the id of a title" })
}

fn natural(number: i32, field: &'static str) -> Result<u32, InvalidValue> {
    u32::try_from(number).map_err(|_| InvalidValue { field, rule: "at least 0" })
}

fn language(text: &str, field: &'static str) -> Result<LanguageTag, InvalidValue> {
    text.parse().map_err(|invalid| InvalidValue { field, ..invalid })
}

fn localized(
    inputs: Vec<LocalizedTitleInput>,
) -> Result<BTreeMap<LanguageTag, Localized>, InvalidValue> {
    let mut localized = BTreeMap::new();
    for LocalizedTitleInput { language: tag, name, synopsis, artwork_url } in inputs {
        let tag = language(&tag, "localized/language")?;
        let known = localized.insert(tag, Localized { name, synopsis, artwork_url });
        check(known.is_none(), "localized/language", "given once")?;
    }
    Ok(localized)
}

fn rating(input: AudienceRatingInput) -> Result<AudienceRating, InvalidValue> {
    let (field, rule) = ("rating/average_tenths", "from 0 to 100");
    let average_tenths = u8::try_from(input.average_tenths);
    Ok(AudienceRating {
        average_tenths: average_tenths.map_err(|_| InvalidValue { field, rule })?,
        votes: natural(input.votes, "rating/votes")?,
    })
}

impl From<TimeSpanInput> for Span {
    fn from(input: TimeSpanInput) -> Self {
        Self { start_ms: input.start_ms.0, end_ms: input.end_ms.0 }
    }
}

impl From<ChapterInput> for Chapter {
    fn from(input: ChapterInput) -> Self {
        Self { name: input.name, start_ms: input.start_ms.0 }
    }
}

impl From<CreditInput> for Credit {
    fn from(input: CreditInput) -> Self {
        let CreditInput { name, role, character, key } = input;
        Self { name, role: role.into(), character, key }
    }
}
