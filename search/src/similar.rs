//! Titles alike, by what is known of them.
//!
//! Two titles are the more alike the rarer what they share: somebody in the credits, a tag, a genre;
//! being of one kind, and of one decade or the next, counts a little. What few titles have says more
//! than what many have (inverse document frequency), so two films of an actor who made three are
//! nearer to each other than two of one who made two hundred. Of equally alike ones, the more popular
//! comes first, then the lower id.
//!
//! The work for one title is bounded, however large the catalogue is: of all that shares something
//! with it, the [`SHARERS_MAX`] most popular that the viewer may see are compared for each feature.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use playhead_domain::TitleId;
use playhead_domain::entitlement::{Terms, is_visible};
use playhead_domain::title::Kind;

use crate::index::Document;
use crate::query::Audience;
use crate::suggest::most_popular;
use crate::text::normalize;

/// The most titles in an answer.
pub const FIRST_MAX: usize = 100;
/// How many titles are compared for each feature that they share with the one in question.
pub const SHARERS_MAX: usize = 200;
/// How many titles that the viewer may not see are passed over for each feature.
const HIDDEN_MAX: usize = 1_000;
/// How many people, tags and genres of a title are looked at, of each in their order.
const FEATURES_MAX: usize = 20;

/// What sharing somebody would be worth, in points, who is in the credits of two titles only.
/// Somebody in all titles is worth nothing, and between them each halving of the titles is worth as
/// much. A genre that two titles have would be worth more; but most are had by thousands.
const PERSON_POINTS: u32 = 600;
/// The same for a tag.
const TAG_POINTS: u32 = 800;
/// The same for a genre.
const GENRE_POINTS: u32 = 1_200;
/// What being of one kind is worth.
const KIND_POINTS: u32 = 200;
/// What being of one decade is worth; of neighbouring decades half of it.
const DECADE_POINTS: u32 = 200;

/// A feature that titles may share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Feature {
    Person(String),
    Tag(String),
    Genre(String),
}

impl Feature {
    fn points(&self) -> u32 {
        match self {
            Self::Person(_) => PERSON_POINTS,
            Self::Tag(_) => TAG_POINTS,
            Self::Genre(_) => GENRE_POINTS,
        }
    }
}

/// A title as far as likeness goes.
#[derive(Debug)]
struct Row {
    id: TitleId,
    popularity: u32,
    kind: Kind,
    decade: Option<u16>,
    /// Numbers of features, ascending.
    features: Box<[u32]>,
    terms: Terms,
}

/// Who has a feature, and what sharing it is worth.
#[derive(Debug, Default)]
struct Sharers {
    points: u32,
    /// Numbers of titles, the most popular first.
    titles: Vec<u32>,
}

/// Finds titles alike. Immutable, and shared without a lock; built anew like a
/// [`Suggester`](crate::suggest::Suggester).
#[derive(Debug, Default)]
pub struct Similar {
    /// The most popular first, then by id.
    rows: Vec<Row>,
    by_id: HashMap<TitleId, u32>,
    sharers: Vec<Sharers>,
}

impl Similar {
    /// Of documents, each with how popular its title is; of more than
    /// [`TITLES_MAX`](crate::suggest::TITLES_MAX), of the most
    /// popular ones. Drafts, episodes, extras and trailers are left out: they are like what they
    /// belong to.
    #[must_use]
    pub fn build(documents: impl IntoIterator<Item = (Document, u32)>) -> Self {
        let documents = most_popular(documents);
        let mut similar = Self::default();
        let mut features: HashMap<Feature, u32> = HashMap::new();
        for (title, (document, popularity)) in (0..).zip(documents) {
            let mut numbers = BTreeSet::new();
            for feature in features_of(&document) {
                let next = number(similar.sharers.len());
                let points = feature.points();
                let feature = *features.entry(feature).or_insert(next);
                if feature == next {
                    similar.sharers.push(Sharers { points, titles: vec![] });
                }
                if numbers.insert(feature)
                    && let Some(sharers) = similar.sharers.get_mut(size(feature))
                {
                    sharers.titles.push(title);
                }
            }
            similar.by_id.insert(document.title_id, title);
            similar.rows.push(Row {
                id: document.title_id,
                popularity,
                kind: document.kind,
                decade: document.year.map(|year| year / 10),
                features: numbers.into_iter().collect(),
                terms: Terms { maturity: document.maturity, availability: document.availability },
            });
        }
        let titles = number(similar.rows.len());
        for sharers in &mut similar.sharers {
            sharers.points = worth(sharers.points, number(sharers.titles.len()), titles);
            sharers.titles.shrink_to_fit();
        }
        similar
    }

    /// The titles most alike to one, the most alike first; none if it is not known or shares nothing.
    /// `first` is how many at most, and never more than [`FIRST_MAX`]. Without an audience, everything
    /// that is published is seen.
    #[must_use]
    pub fn to(&self, id: TitleId, audience: Option<&Audience>, first: usize) -> Vec<TitleId> {
        let number = self.by_id.get(&id).copied();
        let Some((number, row)) = number.and_then(|it| Some((it, self.row(it)?))) else {
            return vec![];
        };
        let mut scored: Vec<_> = self
            .candidates(number, row, audience)
            .into_iter()
            .filter_map(|other| {
                let it = self.row(other)?;
                Some((Reverse(self.points(row, it)), Reverse(it.popularity), it.id))
            })
            .collect();
        scored.sort_unstable();
        scored.into_iter().take(first.min(FIRST_MAX)).map(|(_, _, id)| id).collect()
    }

    /// How many titles are known.
    #[must_use]
    pub fn titles(&self) -> usize {
        self.rows.len()
    }

    fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(size(number))
    }

    /// What shares a feature with a title and may be seen, without the title itself.
    fn candidates(&self, number: u32, row: &Row, audience: Option<&Audience>) -> HashSet<u32> {
        let mut visible: HashMap<u32, bool> = HashMap::new();
        let mut is_seen = |other: u32| {
            *visible.entry(other).or_insert_with(|| match (audience, self.row(other)) {
                (Some(audience), Some(other)) => {
                    is_visible(&other.terms, &audience.viewer, audience.at_ms)
                }
                (None, row) => row.is_some(),
                (Some(_), None) => false,
            })
        };
        let mut found = HashSet::new();
        for feature in &row.features {
            let titles = self.sharers.get(size(*feature)).map(|it| it.titles.as_slice());
            let titles = titles.unwrap_or_default().iter().copied();
            let looked_at = titles.filter(|it| *it != number).take(SHARERS_MAX + HIDDEN_MAX);
            found.extend(looked_at.filter(|other| is_seen(*other)).take(SHARERS_MAX));
        }
        found
    }

    fn points(&self, left: &Row, right: &Row) -> u32 {
        let shared = left.features.iter().filter(|it| right.features.binary_search(it).is_ok());
        let features = shared.filter_map(|it| self.sharers.get(size(*it))).map(|it| it.points);
        let kind = if left.kind == right.kind { KIND_POINTS } else { 0 };
        let decade = match left.decade.zip(right.decade).map(|(left, right)| left.abs_diff(right)) {
            Some(0) => DECADE_POINTS,
            Some(1) => DECADE_POINTS / 2,
            _ => 0,
        };
        features.sum::<u32>() + kind + decade
    }
}

fn features_of(document: &Document) -> impl Iterator<Item = Feature> {
    let people = document.people.iter().take(FEATURES_MAX);
    let people = people.map(|it| Feature::Person(normalize(&it.name)));
    let tags = document.tags.iter().take(FEATURES_MAX).map(|it| Feature::Tag(normalize(it)));
    let genres = document.genres.iter().take(FEATURES_MAX);
    people.chain(tags).chain(genres.map(|it| Feature::Genre(normalize(it))))
}

/// What sharing a feature is worth that so many of all titles have: linear in the logarithm of how
/// rare it is, in whole numbers, so that it is the same on every machine.
fn worth(points: u32, titles: u32, all: u32) -> u32 {
    let rarity = log2_tenths(all).saturating_sub(log2_tenths(titles));
    let most = log2_tenths(all).saturating_sub(log2_tenths(2)).max(1);
    points * rarity.min(most) / most
}

/// Ten times the logarithm to base 2, rounded down to the tenth that a straight line between powers
/// of two gives; 0 for 0.
fn log2_tenths(number: u32) -> u32 {
    let Some(power) = number.checked_ilog2() else { return 0 };
    let beyond = u64::from(number) - (1_u64 << power);
    power * 10 + u32::try_from((beyond * 10) >> power).unwrap_or(0)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
