//! Which entries stand on the row: one for each title, and one for each series.

use std::collections::BTreeMap;

use playhead_domain::TitleId;

use super::{Entry, Reason};

/// A title that was begun and not finished.
#[derive(Debug, Clone)]
pub(super) struct InProgress {
    pub(super) entry: Entry,
    pub(super) series_id: Option<TitleId>,
}

/// The episode of a series that was finished last, with an episode behind it that was neither
/// finished nor dismissed.
#[derive(Debug, Clone)]
pub(super) struct Completed {
    pub(super) series_id: TitleId,
    /// The episode behind it.
    pub(super) next: Entry,
}

/// The row, newest first. A series has one entry: the episode that was watched last, or, if an
/// episode was finished since, the one behind that.
pub(super) fn entries(in_progress: Vec<InProgress>, completed: Vec<Completed>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut series: BTreeMap<TitleId, Entry> = BTreeMap::new();
    for InProgress { entry, series_id } in in_progress {
        match series_id {
            None => entries.push(entry),
            Some(series_id) => keep_newest(&mut series, series_id, entry),
        }
    }
    for Completed { series_id, next } in completed {
        keep_newest(&mut series, series_id, next);
    }
    entries.extend(series.into_values());
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key()));
    entries
}

/// Of two equally new ones, something in progress stays.
fn keep_newest(series: &mut BTreeMap<TitleId, Entry>, series_id: TitleId, entry: Entry) {
    let order = |entry: &Entry| {
        let in_progress = entry.reason == Reason::InProgress;
        (entry.last_played_at_ms, in_progress, entry.title_id)
    };
    let newest = series.entry(series_id).or_insert_with(|| entry.clone());
    if order(&entry) > order(newest) {
        *newest = entry;
    }
}
