//! What is built from the index in memory, beside it.

use playhead_domain::TitleId;

use crate::index::{Document, Error, Snapshot};
use crate::query::Audience;
use crate::similar::Similar;
use crate::suggest::{InputTooLong, Suggester, Suggestion, Target};

/// Completes what is typed, and tells what is alike, for one state of the index. Immutable.
#[derive(Debug, Default)]
pub struct Aids {
    suggester: Option<Suggester>,
    similar: Similar,
    /// Of which state they are.
    pub(super) changes: u64,
}

impl Aids {
    pub(super) fn build(snapshot: &Snapshot, changes: u64) -> Result<Self, Error> {
        let mut failure = None;
        let suggester = Suggester::build(readable(snapshot, &mut failure));
        let suggester = suggester.map_err(|error| std::io::Error::other(error.to_string()))?;
        let similar = Similar::build(readable(snapshot, &mut failure));
        failure.map_or(Ok(Self { suggester: Some(suggester), similar, changes }), Err)
    }

    /// As [`Suggester::suggest`], without the titles that have left the snapshot meanwhile, or that it
    /// does not show the audience any more.
    ///
    /// # Errors
    /// As [`Suggester::suggest`].
    pub fn suggest(
        &self,
        snapshot: &Snapshot,
        input: &str,
        audience: Option<&Audience>,
        first: usize,
    ) -> Result<Vec<Suggestion>, InputTooLong> {
        let Some(suggester) = &self.suggester else { return Ok(vec![]) };
        let mut suggestions = suggester.suggest(input, audience, first)?;
        suggestions.retain(|suggestion| match suggestion.target {
            Target::Title { id, .. } => snapshot.shows(id, audience).unwrap_or_else(|error| {
                tracing::error!(%error, "a suggestion cannot be checked, and is left out");
                false
            }),
            Target::Person | Target::Genre => true,
        });
        Ok(suggestions)
    }

    /// As [`Similar::to`]. What has left the catalogue meanwhile may still be among them.
    #[must_use]
    pub fn similar(
        &self,
        title_id: TitleId,
        audience: Option<&Audience>,
        first: usize,
    ) -> Vec<TitleId> {
        self.similar.to(title_id, audience, first)
    }

    /// How many titles can be suggested.
    #[must_use]
    pub fn titles(&self) -> usize {
        self.suggester.as_ref().map_or(0, Suggester::titles)
    }
}

/// Every title with its popularity, up to the first that cannot be read.
fn readable<'a>(
    snapshot: &'a Snapshot,
    failure: &'a mut Option<Error>,
) -> impl Iterator<Item = (Document, u32)> + 'a {
    let titles = snapshot.segments.iter().enumerate().flat_map(move |(at, segment)| {
        segment.reader.doc_ids_alive().map(move |doc| {
            let popularity = segment.popularity.get(doc as usize).copied().unwrap_or_default();
            Ok((snapshot.document(at, doc)?, popularity))
        })
    });
    titles.map_while(|title| title.map_err(|error| *failure = Some(error)).ok())
}
