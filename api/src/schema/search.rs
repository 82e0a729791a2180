//! Searching, and completing what is typed.
//!
//! One search costs one look into the index, one query for the titles of the page, and, if a profile
//! is named, one for what it watched last.

mod answer;
mod filter;
mod suggestion;
mod taste;

use async_graphql::{Context, Error, ID, Object};
use playhead_domain::TitleId;
use playhead_search::query::{self, Answer, FIRST_MAX, OFFSET_MAX, Request};

use self::answer::SearchConnection;
use self::filter::SearchFilter;
use self::suggestion::Suggestion;
use super::eyes::Eyes;
use super::page::{FIRST_DEFAULT, after, list_cost, page_len};
use super::title::Title;
use super::title::load_all;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::limits::Act;

/// What a search costs besides its page.
const SEARCH_COST: usize = 100;
/// How many suggestions there are unless the client says otherwise, and the most there are.
const SUGGESTIONS: i32 = 10;
/// How far around its place the last title of the page before is looked for, if it moved.
const DRIFT: usize = FIRST_MAX / 2;

/// Searching.
#[derive(Default)]
pub(crate) struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Titles that the viewer may see, found by name, people, genres, tags and synopsis, best first;
    /// 1 to 100 at a time, and none behind the first 1,000. Misspellings are forgiven, and the last
    /// word may be the beginning of one unless a space follows it. Who watches is said as for
    /// `titles`; what the named profile watched last has a part in the order.
    ///
    /// `query` has at most 200 characters. If nothing of it can be looked up, nothing is found.
    #[graphql(complexity = "list_cost(first, child_complexity) + SEARCH_COST")]
    async fn search(
        &self,
        context: &Context<'_>,
        query: String,
        filter: Option<SearchFilter>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
        profile_id: Option<ID>,
    ) -> Result<SearchConnection, Error> {
        let asked = Asked { query, filter, first, after, profile_id };
        // Boxed: resolvers that are held by value make the stack of whoever walks through fragments
        // deep.
        Ok(Box::pin(search(context, asked)).await?)
    }

    /// Ways to go on typing, best first; 1 to 10, and none for nothing. Who watches is said as for
    /// `titles`. What was added, renamed or withdrawn in the last minute may still be missing or there;
    /// titles that the viewer may not see are never suggested.
    ///
    /// `input` has at most 100 characters.
    #[graphql(complexity = "list_cost(Some(SUGGESTIONS), child_complexity)")]
    async fn suggest(
        &self,
        context: &Context<'_>,
        input: String,
        #[graphql(default_with = "Some(SUGGESTIONS)")] first: Option<i32>,
        profile_id: Option<ID>,
    ) -> Result<Vec<Suggestion>, Error> {
        let suggested = async {
            let caller = Caller::of(context)?;
            let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
            let first = first.unwrap_or(SUGGESTIONS).clamp(1, SUGGESTIONS);
            suggestion::suggest(caller, eyes, &input, usize::try_from(first).unwrap_or(1))
        };
        Ok(Box::pin(suggested).await?)
    }
}

/// What a client asks for.
struct Asked {
    query: String,
    filter: Option<SearchFilter>,
    first: Option<i32>,
    after: Option<String>,
    profile_id: Option<ID>,
}

/// The last title of the page before: its place among all that match, counted from 0, and its id.
type Place = (usize, TitleId);

async fn search(context: &Context<'_>, asked: Asked) -> Result<SearchConnection, Fault> {
    let caller = Caller::of(context)?;
    let Asked { query, filter, first, after: cursor, profile_id } = asked;
    let filters = filter.map(SearchFilter::into_filters).transpose()?.unwrap_or_default();
    let look = context.look_ahead();
    let mut request = Request {
        filters,
        first: usize::try_from(page_len(first)).unwrap_or(1),
        facets: look.field("facets").exists(),
        highlights: look.field("edges").field("highlights").exists(),
        ..Request::new(query)
    };
    request.validate().map_err(|error| fault(caller, error))?;
    let selection = (request.text.as_str(), &request.filters, &profile_id);
    let mut list = caller.list("search", &selection);
    let place = after::<Place>(&mut list, cursor.as_deref())?;
    caller.count(Act::Search)?;
    let eyes = Eyes::of(caller, profile_id.as_ref()).await?;
    request.audience = eyes.searcher(caller.now_ms);
    if let Some(profile_id) = &profile_id {
        request.taste = taste::of_profile(caller, profile_id, eyes).await?;
    }
    let (mut answer, start) = page(caller, request, place).await?;
    answer.hits.truncate(OFFSET_MAX.saturating_sub(start));
    let ids: Vec<TitleId> = answer.hits.iter().map(|hit| hit.title_id).collect();
    let titles = load_all(context, &ids, eyes).await?;
    SearchConnection::of(answer, start, titles, &list, place.is_some())
        .map_err(|error| caller.internal("a cursor cannot be written", &error))
}

/// The page behind a place, and where it begins. If titles joined or left meanwhile, the list goes on
/// behind the title that was the last, as long as that did not move far.
async fn page(
    caller: &Caller,
    request: Request,
    place: Option<Place>,
) -> Result<(Answer, usize), Fault> {
    let Some((at, last)) = place else { return Ok((ask(caller, request).await?, 0)) };
    let first = (request.first + 1).min(FIRST_MAX);
    let mut answer = ask(caller, Request { first, offset: at, ..request.clone() }).await?;
    if answer.hits.first().is_some_and(|hit| hit.title_id == last) {
        answer.hits.remove(0);
        return Ok((answer, at + 1));
    }
    let offset = at.saturating_sub(DRIFT);
    let around =
        Request { first: FIRST_MAX, offset, facets: false, highlights: false, ..request.clone() };
    let around = ask(caller, around).await?;
    let found = around.hits.iter().position(|hit| hit.title_id == last);
    let start = found.map_or(at, |found| offset + found + 1).min(OFFSET_MAX);
    Ok((ask(caller, Request { offset: start, ..request }).await?, start))
}

async fn ask(caller: &Caller, request: Request) -> Result<Answer, Fault> {
    caller.services.search.search(request).await.map_err(|error| fault(caller, error))
}

fn fault(caller: &Caller, error: query::Error) -> Fault {
    match error {
        query::Error::Invalid { field, rule } => {
            let field = filter::name_of(field);
            Fault::new(Code::InvalidInput, format!("{field}: {rule}")).at(field)
        }
        error => caller.internal("titles cannot be searched", &error),
    }
}

/// Titles like one, best first, that the viewer may see.
pub(crate) async fn similar(
    context: &Context<'_>,
    title: &Title,
    first: u32,
) -> Result<Vec<Title>, Fault> {
    let caller = Caller::of(context)?;
    let audience = title.eyes.searcher(caller.now_ms);
    let first = usize::try_from(first).unwrap_or(1);
    let ids = caller.services.search.aids().similar(title.id, audience.as_ref(), first);
    let mut titles = load_all(context, &ids, title.eyes).await?;
    Ok(ids.iter().filter_map(|id| titles.remove(id)).collect())
}
