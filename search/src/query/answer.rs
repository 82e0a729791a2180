//! What is answered.

use std::collections::BTreeMap;
use std::ops::Range;

use playhead_domain::ids::TitleId;
use playhead_domain::title::Kind;

use super::highlight::Highlighter;
use super::pass::Pass;
use super::tier::Tier;
use crate::index::Snapshot;

/// What was found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The hits that were asked for, best first.
    pub hits: Vec<Hit>,
    /// How many titles match.
    pub total: usize,
    /// The name that was probably meant, if the first hit is not called what was typed.
    pub did_you_mean: Option<String>,
    /// What all titles that match have in common; `None` if it was not asked for.
    pub facets: Option<Facets>,
    /// Finds what was searched in any text that is shown.
    pub highlighter: Highlighter,
    /// The state of the index that answered. The next page is sure to continue this one only if it
    /// comes from the same state.
    pub generation: u64,
}

/// A title that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The title.
    pub title_id: TitleId,
    /// How it matches.
    pub tier: Tier,
    /// Where it matches: the names, people and synopses that hold what was searched.
    pub highlights: Vec<Highlight>,
}

/// A text of a title in which something of the query was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Highlight {
    /// What the text is.
    pub field: HighlightField,
    /// The text as it is shown.
    pub text: String,
    /// What was found in it, in bytes of `text`, in its order and apart from each other.
    pub ranges: Vec<Range<usize>>,
}

/// What a highlighted text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HighlightField {
    /// A name of the title.
    Name,
    /// Somebody in the credits.
    Person,
    /// What it is about.
    Synopsis,
}

/// How many of all titles that match are of what. Most frequent first, then by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// By genre; a title counts for each of its genres.
    pub genres: Vec<(String, usize)>,
    /// By kind.
    pub kinds: Vec<(Kind, usize)>,
    /// By the first year of the decade; titles without a year are not counted.
    pub decades: Vec<(u16, usize)>,
    /// By language of a name or synopsis.
    pub languages: Vec<(String, usize)>,
}

/// The most values of one facet.
const FACET_VALUES_MAX: usize = 50;

impl Facets {
    pub(super) fn of(snapshot: &Snapshot, passes: &[Pass<'_>]) -> Self {
        let mut genres = vec![0_usize; snapshot.genres.len()];
        let mut languages = vec![0_usize; snapshot.languages.len()];
        let mut kinds: BTreeMap<&str, (Kind, usize)> = BTreeMap::new();
        let mut decades: BTreeMap<u16, usize> = BTreeMap::new();
        let mut of_kind: Vec<(Kind, usize)> = vec![];
        for pass in passes {
            for row in pass.found.iter().filter_map(|doc| pass.segment.row(*doc)) {
                count(&mut genres, pass.segment.genres_of(row));
                count(&mut languages, pass.segment.languages_of(row));
                match of_kind.iter_mut().find(|(kind, _)| *kind == row.kind) {
                    Some((_, count)) => *count += 1,
                    None => of_kind.push((row.kind, 1)),
                }
                if row.year > 0 {
                    *decades.entry(row.year / 10 * 10).or_default() += 1;
                }
            }
        }
        for (kind, count) in of_kind {
            kinds.insert(kind.as_str(), (kind, count));
        }
        Self {
            genres: most(snapshot.genres.iter().cloned().zip(genres)),
            kinds: most(kinds.into_values()),
            decades: most(decades),
            languages: most(snapshot.languages.iter().cloned().zip(languages)),
        }
    }
}

fn count(counts: &mut [usize], places: impl Iterator<Item = u16>) {
    for place in places {
        if let Some(count) = counts.get_mut(usize::from(place)) {
            *count += 1;
        }
    }
}

/// The most frequent; what was equally frequent stays in its order.
fn most<T>(counts: impl IntoIterator<Item = (T, usize)>) -> Vec<(T, usize)> {
    let mut counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(FACET_VALUES_MAX);
    counts
}
