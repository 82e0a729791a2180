//! The content of an index, title by title in an order of its own, and what single titles say.

use playhead_domain::TitleId;
use playhead_domain::entitlement::is_visible;

use crate::index::{Error, Snapshot};
use crate::query::Audience;

impl Snapshot {
    /// Every title with its document as JSON, in the order of their ids: the form in which indexes
    /// are compared. The same content gives the same lines, whatever segments it lies in. Documents
    /// are read one by one.
    ///
    /// # Errors
    /// The index cannot be read; it ends there.
    pub fn lines(&self) -> impl Iterator<Item = Result<(TitleId, String), Error>> + '_ {
        let mut titles: Vec<(TitleId, usize, u32)> = vec![];
        for (at, segment) in self.segments.iter().enumerate() {
            let alive = segment.reader.doc_ids_alive();
            titles.extend(alive.filter_map(|doc| Some((segment.row(doc)?.title_id, at, doc))));
        }
        titles.sort_unstable();
        titles.into_iter().map(|(title_id, segment, doc)| {
            Ok((title_id, serde_json::to_string(&self.document(segment, doc)?)?))
        })
    }

    /// Whether a title is there and an audience may see it. Without an audience, everything that is
    /// published is seen.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn shows(&self, title_id: TitleId, audience: Option<&Audience>) -> Result<bool, Error> {
        let Some((at, doc)) = self.place_of(title_id)? else { return Ok(false) };
        let segment = self.segments.get(at);
        let terms = segment.and_then(|segment| {
            let row = segment.row(doc)?;
            segment.core.audiences.get(row.audience as usize)?.as_ref()
        });
        Ok(terms
            .is_some_and(|terms| audience.is_none_or(|it| is_visible(terms, &it.viewer, it.at_ms))))
    }

    /// The genres of a title, none if it is not there.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn genres_of(&self, title_id: TitleId) -> Result<Vec<&str>, Error> {
        let Some((at, doc)) = self.place_of(title_id)? else { return Ok(vec![]) };
        let Some(segment) = self.segments.get(at) else { return Ok(vec![]) };
        let Some(row) = segment.row(doc) else { return Ok(vec![]) };
        let names = segment.genres_of(row).filter_map(|at| self.genres.get(usize::from(at)));
        Ok(names.map(String::as_str).collect())
    }
}
