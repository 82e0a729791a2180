//! Makes a [`Suggester`] of documents.

use std::cmp::Reverse;
use std::collections::HashMap;

use playhead_domain::Maturity;
use playhead_domain::entitlement::Terms;
use playhead_domain::title::Kind;
use tantivy_fst::{Map, MapBuilder};
use thiserror::Error;

use super::best::{Best, Place, size};
use super::keys::{Behind, key, starts};
use super::{CLASSES, Class, Entry, Occurrence, Suggester, Titled};
use crate::index::Document;
use crate::text::normalize;

/// The most titles that are suggested; of more, the most popular ones.
pub const TITLES_MAX: usize = 100_000;

/// How many people of a title are suggested, in the order of the credits.
const PEOPLE_MAX: usize = 30;

/// Of how many of their titles' terms somebody who is in the credits, or a genre, is seen or not.
/// The terms of most titles are the same, and the most popular titles come first.
const TERMS_MAX: usize = 64;

/// What a title whose article is left out divides its popularity by. Many leave it out, but more often
/// than not those who type "god" mean something that begins so.
const BEHIND_ARTICLE: u64 = 4;

/// What a word within a title divides its popularity by: somebody who types the middle of a title
/// more often means another one that begins so.
const WITHIN: u64 = 16;

/// What people divide the popularity of all their titles by, so that they stand among their titles
/// and not before all of them.
const SHARED_BY_PERSON: u64 = 10;

/// The same for genres, which have thousands of titles.
const SHARED_BY_GENRE: u64 = 100;

/// Suggestions could not be prepared; those from before are still good.
#[derive(Debug, Error)]
#[error("the dictionary of suggestions cannot be made")]
pub struct BuildError(#[source] tantivy_fst::Error);

impl Suggester {
    /// Of documents, each with how popular its title is. Drafts, episodes, extras and trailers are
    /// left out: they are found by searching.
    ///
    /// # Errors
    /// The dictionary cannot be made, which has not been seen to happen.
    pub fn build(documents: impl IntoIterator<Item = (Document, u32)>) -> Result<Self, BuildError> {
        let mut known = Known::default();
        for (document, popularity) in most_popular(documents) {
            known.add(&document, popularity);
        }
        known.finish()
    }
}

/// The titles that stand for themselves, without what is said about them, most popular first, then by
/// id; no more than [`TITLES_MAX`].
pub(crate) fn most_popular(
    documents: impl IntoIterator<Item = (Document, u32)>,
) -> Vec<(Document, u32)> {
    let order =
        |(document, popularity): &(Document, u32)| (Reverse(*popularity), document.title_id);
    let mut kept = Vec::new();
    let suggested = |document: &Document| {
        let part = matches!(document.kind, Kind::Episode | Kind::Extra | Kind::Trailer);
        document.published && !part
    };
    for mut document in documents {
        if !suggested(&document.0) {
            continue;
        }
        document.0.synopsis = None;
        kept.push(document);
        if kept.len() == 2 * TITLES_MAX {
            kept.select_nth_unstable_by_key(TITLES_MAX, order);
            kept.truncate(TITLES_MAX);
        }
    }
    kept.sort_unstable_by_key(order);
    kept.truncate(TITLES_MAX);
    kept
}

/// Somebody, or a genre, that titles have in common.
#[derive(Default)]
struct Shared {
    text: String,
    popularity: u64,
    terms: Vec<u32>,
    level: Option<Maturity>,
}

/// What is known so far.
#[derive(Default)]
struct Known {
    titles: Vec<Titled>,
    terms: Vec<Terms>,
    terms_known: HashMap<(Option<Maturity>, String), u32>,
    /// What is suggested.
    drafts: Vec<Draft>,
    people: HashMap<String, Shared>,
    genres: HashMap<String, Shared>,
}

/// What is suggested, with all that its places in the dictionary depend on.
struct Draft {
    text: String,
    normal: String,
    class: Class,
    title: u32,
    popularity: u64,
    level: Maturity,
    terms: Vec<u32>,
}

impl Known {
    fn add(&mut self, document: &Document, popularity: u32) {
        let title = number(self.titles.len());
        let terms = self.terms(document);
        let level = Maturity::counted(document.maturity);
        self.titles.push(Titled { id: document.title_id, year: document.year });
        let mut known: Vec<String> = vec![];
        for (name, _) in document.names() {
            let normal = normalize(name);
            if normal.is_empty() || known.contains(&normal) {
                continue;
            }
            known.push(normal.clone());
            self.drafts.push(Draft {
                text: name.to_owned(),
                normal,
                class: Class::Title,
                title,
                popularity: u64::from(popularity),
                level,
                terms: vec![terms],
            });
        }
        let share = |shared: &mut HashMap<String, Shared>, text: &str| {
            let normal = normalize(text);
            if normal.is_empty() {
                return;
            }
            let it = shared.entry(normal).or_default();
            if it.text.is_empty() {
                text.clone_into(&mut it.text);
            }
            it.popularity += u64::from(popularity);
            it.level = Some(it.level.map_or(level, |known| known.min(level)));
            if it.terms.len() < TERMS_MAX && !it.terms.contains(&terms) {
                it.terms.push(terms);
            }
        };
        let people = document.people.iter().take(PEOPLE_MAX);
        people.for_each(|person| share(&mut self.people, &person.name));
        document.genres.iter().for_each(|genre| share(&mut self.genres, genre));
    }

    /// The number of a title's terms, which many titles have in common.
    fn terms(&mut self, document: &Document) -> u32 {
        let offered = document.availability.as_ref();
        // What cannot be written is told apart from all others by being its own.
        let text =
            |offer| serde_json::to_string(offer).unwrap_or_else(|_| document.title_id.to_string());
        let known = (document.maturity, offered.map(text).unwrap_or_default());
        let next = number(self.terms.len());
        *self.terms_known.entry(known).or_insert_with(|| {
            let availability = document.availability.clone();
            self.terms.push(Terms { maturity: document.maturity, availability });
            next
        })
    }

    fn finish(mut self) -> Result<Suggester, BuildError> {
        let shared = [
            (Class::Person, self.people, SHARED_BY_PERSON),
            (Class::Genre, self.genres, SHARED_BY_GENRE),
        ];
        for (class, shared, shared_by) in shared {
            let mut shared: Vec<_> = shared.into_iter().collect();
            shared.sort_unstable_by(|left, right| left.0.cmp(&right.0));
            self.drafts.extend(shared.into_iter().map(|(normal, it)| Draft {
                text: it.text,
                normal,
                class,
                title: 0,
                popularity: it.popularity / shared_by,
                level: it.level.unwrap_or(Maturity::From18),
                terms: it.terms,
            }));
        }
        let drafts = self.drafts;
        let mut weighted = occurrences(&drafts);
        weighted.sort_unstable_by(|left, right| {
            let keys = key_of(&drafts, left).cmp(key_of(&drafts, right));
            keys.then_with(|| left.occurrence.entry.cmp(&right.occurrence.entry))
        });
        rank(&mut weighted, &drafts);
        let (keys, first_of_key) = dictionary(&weighted, &drafts)?;
        let place = |it: &Weighted| {
            let draft = drafts.get(size(it.occurrence.entry));
            let class = draft.map_or(0, |draft| draft.class.number());
            Place { rank: it.rank, class, level: draft.map_or(Maturity::From18, |it| it.level) }
        };
        let best = Best::new(weighted.iter().map(place).collect(), CLASSES);
        let occurrences = weighted.iter().map(|it| it.occurrence).collect();
        let mut terms_of = vec![];
        let entries = drafts.into_iter().map(|draft| {
            let from = number(terms_of.len());
            terms_of.extend(draft.terms);
            let text = draft.text.into_boxed_str();
            Entry {
                class: draft.class,
                title: draft.title,
                text,
                terms: from..number(terms_of.len()),
            }
        });
        let entries = entries.collect();
        let (titles, terms) = (self.titles, self.terms);
        Ok(Suggester { keys, first_of_key, occurrences, best, entries, titles, terms, terms_of })
    }
}

/// An occurrence, and how good it is.
struct Weighted {
    occurrence: Occurrence,
    weight: u64,
    rank: u32,
}

fn key_of<'a>(drafts: &'a [Draft], at: &Weighted) -> &'a str {
    let draft = drafts.get(size(at.occurrence.entry));
    draft.map_or("", |draft| key(&draft.normal, at.occurrence.offset))
}

/// How much what is suggested counts for somebody who begins to type at a start.
fn weight(draft: &Draft, behind: Behind) -> u64 {
    match behind {
        // A surname is as good a start as a first name.
        _ if draft.class == Class::Person => draft.popularity,
        Behind::Nothing => draft.popularity,
        Behind::Article => draft.popularity / BEHIND_ARTICLE,
        Behind::Words => draft.popularity / WITHIN,
    }
}

fn occurrences(drafts: &[Draft]) -> Vec<Weighted> {
    let mut found = vec![];
    for (entry, draft) in (0..).zip(drafts) {
        for start in starts(&draft.text) {
            let weight = weight(draft, start.behind);
            let occurrence = Occurrence { entry, offset: start.offset };
            found.push(Weighted { occurrence, weight, rank: 0 });
        }
    }
    found
}

/// Ranks all by weight. Of equal ones, those come first that begin so, that are short, and that come
/// first in their order, which is that of the most popular titles.
fn rank(weighted: &mut [Weighted], drafts: &[Draft]) {
    let mut order: Vec<u32> = (0..number(weighted.len())).collect();
    order.sort_unstable_by_key(|index| {
        let it = weighted.get(size(*index));
        it.map(|it| {
            let len = drafts.get(size(it.occurrence.entry)).map_or(0, |draft| draft.normal.len());
            let Occurrence { entry, offset } = it.occurrence;
            (Reverse(it.weight), offset, len, entry)
        })
    });
    for (rank, index) in (0..).zip(order) {
        if let Some(it) = weighted.get_mut(size(index)) {
            it.rank = rank;
        }
    }
}

/// The dictionary of keys, numbered in their order, and where the occurrences of each begin; behind
/// the last key stands how many there are.
fn dictionary(
    weighted: &[Weighted],
    drafts: &[Draft],
) -> Result<(Map<Vec<u8>>, Vec<u32>), BuildError> {
    let mut builder = MapBuilder::memory();
    let mut first_of_key = vec![];
    let mut before = None;
    for (index, it) in (0..).zip(weighted) {
        let key = key_of(drafts, it);
        if before != Some(key) {
            before = Some(key);
            let number = u64::from(number(first_of_key.len()));
            builder.insert(key, number).map_err(BuildError)?;
            first_of_key.push(index);
        }
    }
    first_of_key.push(number(weighted.len()));
    let keys = builder.into_inner().and_then(Map::from_bytes).map_err(BuildError)?;
    Ok((keys, first_of_key))
}

/// A count as stored: far more than [`TITLES_MAX`] titles would be needed to pass the limit.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
