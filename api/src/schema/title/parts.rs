//! What is known of a title, part by part.

use async_graphql::{ComplexObject, Enum, SimpleObject};
use playhead_domain::title as domain;
use playhead_projections::catalog::PersonId;

use super::person::Person;
use crate::schema::eyes::Eyes;
use crate::schema::scalars::Milliseconds;

/// What kind of title it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Kind")]
pub(crate) enum TitleType {
    /// A feature film, also one made for television or video.
    Movie,
    /// A film of less than 40 minutes.
    Short,
    /// A film about what is real.
    Documentary,
    /// A series or mini-series; its episodes are titles of their own.
    Series,
    /// One episode of a series.
    Episode,
    /// A one-off programme.
    Special,
    /// Something that comes with another title, such as an interview.
    Extra,
    /// What another title is announced with.
    Trailer,
}

/// What somebody did for a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::CreditRole")]
pub(crate) enum CreditRole {
    /// Directed it.
    Director,
    /// Had the idea of the series.
    Creator,
    /// Wrote it, or what it is made from.
    Writer,
    /// Played somebody, or lent them the voice.
    Actor,
    /// Appeared as who they are.
    Appearance,
    /// Produced it.
    Producer,
    /// Wrote the music.
    Composer,
    /// Was responsible for the camera.
    Cinematographer,
    /// Cut it.
    Editor,
    /// Designed what it looks like.
    ProductionDesigner,
    /// Found who plays in it.
    CastingDirector,
    /// Anything else.
    Other,
}

/// What one person did for a title.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Credit {
    /// The person's name, as this title has it.
    name: String,
    /// What they did.
    role: CreditRole,
    /// Whom they played, or what else is said of it.
    character: Option<String>,
    #[graphql(skip)]
    key: Option<String>,
    #[graphql(skip)]
    eyes: Eyes,
}

#[ComplexObject]
impl Credit {
    /// The person.
    async fn person(&self) -> Person {
        let id =
            self.key.as_deref().map_or_else(|| PersonId::of_name(&self.name), PersonId::of_key);
        Person { id, name: self.name.clone(), key: self.key.clone(), eyes: self.eyes }
    }
}

impl Credit {
    pub(super) fn of(credit: &domain::Credit, eyes: Eyes) -> Self {
        let domain::Credit { name, role, character, key } = credit.clone();
        Self { name, role: role.into(), character, key, eyes }
    }
}

/// What the audience of another catalogue thinks of a title.
#[derive(Debug, SimpleObject)]
pub(crate) struct AudienceRating {
    /// The average, in tenths of a point: from 0 to 100.
    average_tenths: u8,
    /// How many rated it.
    votes: u32,
}

impl From<domain::AudienceRating> for AudienceRating {
    fn from(rating: domain::AudienceRating) -> Self {
        Self { average_tenths: rating.average_tenths, votes: rating.votes }
    }
}

/// A part of the running time.
#[derive(Debug, SimpleObject)]
pub(crate) struct TimeSpan {
    /// Its first moment, from the start.
    start_ms: Milliseconds,
    /// The first moment after it, from the start.
    end_ms: Milliseconds,
}

impl From<domain::Span> for TimeSpan {
    fn from(span: domain::Span) -> Self {
        Self { start_ms: Milliseconds(span.start_ms), end_ms: Milliseconds(span.end_ms) }
    }
}

/// A chapter; it ends where the next one begins.
#[derive(Debug, SimpleObject)]
pub(crate) struct Chapter {
    /// What viewers see.
    name: String,
    /// Where it begins, from the start.
    start_ms: Milliseconds,
}

impl From<&domain::Chapter> for Chapter {
    fn from(chapter: &domain::Chapter) -> Self {
        Self { name: chapter.name.clone(), start_ms: Milliseconds(chapter.start_ms) }
    }
}

/// What a title is called and how it is shown in one language; null is as in the original.
#[derive(Debug, SimpleObject)]
pub(crate) struct LocalizedTitle {
    /// The language, as a BCP 47 tag.
    language: String,
    /// The name that viewers see.
    name: Option<String>,
    /// What it is about.
    synopsis: Option<String>,
    /// A picture for it.
    artwork_url: Option<String>,
}

impl LocalizedTitle {
    pub(super) fn of(
        (language, known): (&playhead_domain::LanguageTag, &domain::Localized),
    ) -> Self {
        let domain::Localized { name, synopsis, artwork_url } = known.clone();
        Self { language: language.to_string(), name, synopsis, artwork_url }
    }
}

/// A record of another catalogue.
#[derive(Debug, SimpleObject)]
pub(crate) struct TitleSource {
    /// The catalogue, such as `imdb`.
    catalogue: String,
    /// The record's key there.
    key: String,
}

impl From<domain::Source> for TitleSource {
    fn from(source: domain::Source) -> Self {
        Self { catalogue: source.catalogue, key: source.key }
    }
}
