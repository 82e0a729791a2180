//! Who may see what, and what was filtered out: asked once for each title that matches.

use std::collections::BTreeSet;

use playhead_domain::entitlement::is_visible;

use super::request::{Audience, Filters};
use crate::index::{Row, Segment, Snapshot};

/// The filters of a request, in the numbers of a snapshot.
pub(super) struct Gate<'a> {
    filters: &'a Filters,
    audience: Option<Audience>,
    genres: Option<BTreeSet<u16>>,
    languages: Option<BTreeSet<u16>>,
}

/// A gate in front of one segment, which remembers what it was told of each distinct schedule.
pub(super) struct SegmentGate<'a> {
    gate: &'a Gate<'a>,
    segment: &'a Segment,
    visible: Vec<Option<bool>>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(
        snapshot: &Snapshot,
        filters: &'a Filters,
        audience: Option<Audience>,
    ) -> Self {
        let genre = |wanted: &String, label: &str| wanted.to_lowercase() == label.to_lowercase();
        let language = |wanted: &String, tag: &str| {
            let start = tag.get(..wanted.len()).is_some_and(|it| it.eq_ignore_ascii_case(wanted));
            start && tag.get(wanted.len()..).is_some_and(|it| it.is_empty() || it.starts_with('-'))
        };
        Self {
            filters,
            audience,
            genres: places(&filters.genres, &snapshot.genres, genre),
            languages: places(&filters.languages, &snapshot.languages, language),
        }
    }

    pub(super) fn at(&'a self, segment: &'a Segment) -> SegmentGate<'a> {
        SegmentGate { gate: self, segment, visible: vec![None; segment.core.audiences.len()] }
    }

    fn fits(&self, segment: &Segment, row: &Row) -> bool {
        let filters = self.filters;
        let one_of = |wanted: &BTreeSet<u16>, mut has: Box<dyn Iterator<Item = u16> + '_>| {
            has.any(|place| wanted.contains(&place))
        };
        (filters.kinds.is_empty() || filters.kinds.contains(&row.kind))
            && filters.years.as_ref().is_none_or(|years| years.contains(&row.year))
            && (filters.decades.is_empty() || filters.decades.contains(&(row.year / 10 * 10)))
            && filters.rating_min_tenths.is_none_or(|min| row.rating_tenths >= Some(min))
            && self
                .genres
                .as_ref()
                .is_none_or(|wanted| one_of(wanted, Box::new(segment.genres_of(row))))
            && self
                .languages
                .as_ref()
                .is_none_or(|wanted| one_of(wanted, Box::new(segment.languages_of(row))))
    }
}

fn places(
    wanted: &[String],
    labels: &[String],
    is: impl Fn(&String, &str) -> bool,
) -> Option<BTreeSet<u16>> {
    let fits = |label: &String| wanted.iter().any(|wanted| is(wanted, label));
    let found = labels.iter().enumerate().filter(|(_, label)| fits(label));
    (!wanted.is_empty()).then(|| found.filter_map(|(place, _)| u16::try_from(place).ok()).collect())
}

impl SegmentGate<'_> {
    /// Whether a title is there, may be seen, and fits the filters.
    pub(super) fn admits(&mut self, doc: u32) -> bool {
        let Some(row) = self.segment.row(doc) else { return false };
        !self.segment.reader.is_deleted(doc)
            && self.is_visible(row.audience)
            && self.gate.fits(self.segment, row)
    }

    fn is_visible(&mut self, audience: u32) -> bool {
        let at = audience as usize;
        let Some(known) = self.visible.get_mut(at) else { return false };
        *known.get_or_insert_with(|| match self.segment.core.audiences.get(at) {
            Some(Some(terms)) => {
                self.gate.audience.is_none_or(|it| is_visible(terms, &it.viewer, it.at_ms))
            }
            // A draft is there for those from whom nothing is hidden.
            Some(None) => self.gate.audience.is_none(),
            None => false,
        })
    }
}
