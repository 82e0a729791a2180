//! What was found, page by page.

use std::collections::HashMap;
use std::ops::Range;

use async_graphql::{ComplexObject, Enum, SimpleObject};
use playhead_domain::TitleId;
use playhead_search::query::{self, Answer, OFFSET_MAX, Tier};

use crate::page_cursor::List;
use crate::schema::page::PageInfo;
use crate::schema::title::{Title, TitleType};

/// A page of what was found.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct SearchConnection {
    /// The titles, best first, each with its cursor and how it matches.
    edges: Vec<SearchEdge>,
    /// Where the page lies. `hasNextPage` is false behind the first 1,000.
    page_info: PageInfo,
    /// How many titles match.
    total_count: i32,
    /// The name that was probably meant, if the first title is not called what was typed.
    did_you_mean: Option<String>,
    /// What all titles that match have in common.
    facets: SearchFacets,
}

#[ComplexObject]
impl SearchConnection {
    /// The titles without how they match.
    async fn nodes(&self) -> Vec<Title> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }
}

/// A title that was found.
#[derive(SimpleObject)]
pub(crate) struct SearchEdge {
    /// Where it stands.
    cursor: String,
    /// The title.
    node: Title,
    /// How it matches.
    #[graphql(name = "match")]
    kind: SearchMatch,
    /// Where it matches: names, people and synopses, also those in other languages, that hold what
    /// was searched; at most 20.
    highlights: Vec<SearchHighlight>,
}

/// How a title matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum SearchMatch {
    /// It is called so.
    WholeName,
    /// Its name begins so.
    NamePrefix,
    /// Its name has all words.
    Name,
    /// Its name and its people together have all words.
    People,
    /// Name, people, synopsis, tags and genres together have all words.
    Words,
    /// It matches if one or two letters are forgiven.
    Misspelt,
    /// Its name looks similar.
    Similar,
    /// It has most of the words.
    SomeWords,
}

impl From<Tier> for SearchMatch {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Whole => Self::WholeName,
            Tier::Prefix | Tier::BarePrefix | Tier::JoinedPrefix => Self::NamePrefix,
            Tier::SameWords | Tier::NameWords => Self::Name,
            Tier::NameAndPerson | Tier::PeopleWords => Self::People,
            Tier::Words => Self::Words,
            Tier::WholeOneEdit | Tier::PrefixOneEdit | Tier::WholeTwoEdits | Tier::WordsEdited => {
                Self::Misspelt
            }
            Tier::Similar => Self::Similar,
            Tier::SomeWords => Self::SomeWords,
        }
    }
}

/// A text in which something was found.
#[derive(SimpleObject)]
pub(crate) struct SearchHighlight {
    /// What the text is.
    field: SearchField,
    /// The text.
    text: String,
    /// What was found in it, in its order and apart from each other.
    ranges: Vec<TextRange>,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "query::HighlightField")]
pub(crate) enum SearchField {
    /// A name of the title.
    Name,
    /// Somebody in the credits.
    Person,
    /// What it is about.
    Synopsis,
}

/// A part of a text, in UTF-16 code units, as JavaScript, Java and Swift's NSString count.
#[derive(SimpleObject)]
pub(crate) struct TextRange {
    /// Where it begins.
    start: i32,
    /// Where it ends; what stands there is no part of it.
    end: i32,
}

impl TextRange {
    pub(super) fn of(text: &str, bytes: &Range<usize>) -> Self {
        let units = |bytes: usize| {
            let before = text.get(..bytes).unwrap_or(text);
            i32::try_from(before.encode_utf16().count()).unwrap_or(i32::MAX)
        };
        Self { start: units(bytes.start), end: units(bytes.end) }
    }
}

/// How many of the titles that match are of what, most frequent first; at most 50 of each.
#[derive(Default, SimpleObject)]
pub(crate) struct SearchFacets {
    /// By genre; a title counts for each of its genres.
    genres: Vec<TextFacet>,
    /// By decade; titles without a year are not counted.
    decades: Vec<DecadeFacet>,
    /// By kind of title.
    types: Vec<TypeFacet>,
    /// By the language of a name or synopsis, as a BCP 47 tag.
    languages: Vec<TextFacet>,
}

/// How many titles have something.
#[derive(SimpleObject)]
pub(crate) struct TextFacet {
    /// What they have.
    value: String,
    /// How many they are.
    count: i32,
}

/// How many titles are of a decade.
#[derive(SimpleObject)]
pub(crate) struct DecadeFacet {
    /// Its first year, such as 1990.
    value: u16,
    /// How many they are.
    count: i32,
}

/// How many titles are of a kind.
#[derive(SimpleObject)]
pub(crate) struct TypeFacet {
    /// The kind.
    value: TitleType,
    /// How many they are.
    count: i32,
}

impl From<query::Facets> for SearchFacets {
    fn from(facets: query::Facets) -> Self {
        let text = |(value, titles): (String, usize)| TextFacet { value, count: count(titles) };
        let decade = |(value, titles)| DecadeFacet { value, count: count(titles) };
        let kind = |(value, titles): (playhead_domain::title::Kind, usize)| TypeFacet {
            value: value.into(),
            count: count(titles),
        };
        Self {
            genres: facets.genres.into_iter().map(text).collect(),
            decades: facets.decades.into_iter().map(decade).collect(),
            types: facets.kinds.into_iter().map(kind).collect(),
            languages: facets.languages.into_iter().map(text).collect(),
        }
    }
}

fn count(titles: usize) -> i32 {
    i32::try_from(titles).unwrap_or(i32::MAX)
}

impl SearchConnection {
    /// A page that begins at a place among all that match. Titles that left the catalogue since the
    /// search are left out.
    pub(super) fn of(
        answer: Answer,
        start: usize,
        mut titles: HashMap<TitleId, Title>,
        list: &List,
        has_previous_page: bool,
    ) -> Result<Self, serde_json::Error> {
        let end = start + answer.hits.len();
        let has_next_page = !answer.hits.is_empty() && end < answer.total.min(OFFSET_MAX);
        let mut edges = vec![];
        for (at, hit) in (start..).zip(answer.hits) {
            let Some(node) = titles.remove(&hit.title_id) else { continue };
            let cursor = list.encode((at, hit.title_id))?;
            let highlights = hit.highlights.into_iter().map(SearchHighlight::of).collect();
            edges.push(SearchEdge { cursor, node, kind: hit.tier.into(), highlights });
        }
        let cursor = |edge: Option<&SearchEdge>| edge.map(|edge| edge.cursor.clone());
        let page_info = PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: cursor(edges.first()),
            end_cursor: cursor(edges.last()),
        };
        Ok(Self {
            edges,
            page_info,
            total_count: count(answer.total),
            did_you_mean: answer.did_you_mean,
            facets: answer.facets.map(SearchFacets::from).unwrap_or_default(),
        })
    }
}

impl SearchHighlight {
    fn of(highlight: query::Highlight) -> Self {
        let ranges = highlight.ranges.iter().map(|it| TextRange::of(&highlight.text, it)).collect();
        Self { field: highlight.field.into(), text: highlight.text, ranges }
    }
}
