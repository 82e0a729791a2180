//! Ways to go on typing.

use async_graphql::{Context, Enum, Error, Object};
use playhead_search::suggest::{self, INPUT_CHARS_MAX, InputTooLong, Target};

use super::answer::TextRange;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::schema::eyes::Eyes;
use crate::schema::title::{Title, load};

/// A way to go on typing.
pub(crate) struct Suggestion {
    found: suggest::Suggestion,
    eyes: Eyes,
}

/// What a suggestion leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum SuggestionType {
    /// A title.
    Title,
    /// Somebody in the credits.
    Person,
    /// A genre.
    Genre,
}

/// A way to go on typing.
#[Object]
impl Suggestion {
    /// What to show, and to search for; of a title the name that was matched, which may be one in
    /// another language.
    async fn text(&self) -> &str {
        &self.found.text
    }

    /// The part of the text that was typed.
    async fn matched(&self) -> TextRange {
        TextRange::of(&self.found.text, &self.found.matched)
    }

    /// What it leads to.
    #[graphql(name = "type")]
    async fn kind(&self) -> SuggestionType {
        match self.found.target {
            Target::Title { .. } => SuggestionType::Title,
            Target::Person => SuggestionType::Person,
            Target::Genre => SuggestionType::Genre,
        }
    }

    /// Whether one or two letters were forgiven.
    async fn is_corrected(&self) -> bool {
        self.found.edits > 0
    }

    /// The year of first release, which tells titles of one name apart.
    async fn year(&self) -> Option<u16> {
        match self.found.target {
            Target::Title { year, .. } => year,
            Target::Person | Target::Genre => None,
        }
    }

    /// The title, if it is one and still there.
    async fn title(&self, context: &Context<'_>) -> Option<Result<Title, Error>> {
        match self.found.target {
            Target::Title { id, .. } => load(context, id, self.eyes).await.transpose(),
            Target::Person | Target::Genre => None,
        }
    }
}

/// The best ways to go on.
pub(super) fn suggest(
    caller: &Caller,
    eyes: Eyes,
    input: &str,
    first: usize,
) -> Result<Vec<Suggestion>, Fault> {
    let search = &caller.services.search;
    let audience = eyes.searcher(caller.now_ms);
    let found = search.aids().suggest(&search.snapshot(), input, audience.as_ref(), first);
    let found = found.map_err(|InputTooLong| {
        let rule = format!("input: at most {INPUT_CHARS_MAX} characters");
        Fault::new(Code::InvalidInput, rule).at("input")
    })?;
    Ok(found.into_iter().map(|found| Suggestion { found, eyes }).collect())
}
