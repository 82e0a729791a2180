//! Checks the segments that are not sealed, as an opening reads them.

use std::sync::Arc;

use super::survey::{Survey, flips};
use super::{across, count};
use crate::embedded::damage::Damage;
use crate::embedded::error::OpenError;
use crate::embedded::index::Index;
use crate::embedded::options::Tuning;
use crate::embedded::recent::Recent;
use crate::embedded::record::{self, MARKER_BYTES};
use crate::embedded::recovery::check_follows;
use crate::embedded::scan::{self, Scanned};
use crate::embedded::segment::Segment;

/// Reads what is not sealed; its places in the streams follow from the indexes of what is.
pub(super) fn check(survey: &mut Survey, step: &mut dyn FnMut(u64)) -> Result<(), OpenError> {
    if survey.unsealed.is_empty() {
        return Ok(());
    }
    if !survey.indexed {
        let reason = "what they continue is damaged";
        warn_unchecked(survey, 0, reason);
        return Ok(());
    }
    // Only a writer remembers lengths.
    let tuning = Tuning { tips_max: 1, ..Tuning::DEFAULT };
    let index = Index::new(Arc::clone(&survey.journal), &tuning);
    if let Err(damage) = across::enter(survey, &index) {
        survey.flaws.push(damage);
        return Ok(());
    }
    for nth in 0..survey.unsealed.len() {
        match next(survey, &index, nth, step) {
            Ok(()) => {}
            Err(OpenError::Corrupt(damage)) => {
                survey.flaws.push(*damage);
                warn_unchecked(survey, nth + 1, "the segment before is damaged");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn warn_unchecked(survey: &mut Survey, from: usize, because: &str) {
    for first in survey.unsealed.iter().skip(from) {
        let path = survey.journal.path_of(*first);
        survey.warnings.push(format!("{} was not checked: {because}", path.display()));
    }
}

fn next(
    survey: &mut Survey,
    index: &Index,
    nth: usize,
    step: &mut dyn FnMut(u64),
) -> Result<(), OpenError> {
    let first = survey.unsealed.get(nth).copied().unwrap_or(0);
    let next = survey.unsealed.get(nth + 1).copied();
    let segment = survey.journal.segment(first)?;
    check_follows(&segment, index.live().active.first)?;
    let mut before = first;
    let mut progress = |position: u64| {
        step(position.saturating_sub(before));
        before = position;
    };
    let found = scan::scan(index, &segment, next, Tuning::DEFAULT.seeded(), &mut progress)?;
    progress(found.end);
    survey.report.events = survey.report.events.saturating_add(count(found.recent.len()));
    survey.report.batches = survey.report.batches.saturating_add(found.recent.batches);
    survey.report.bytes = found.end;
    survey.report.torn_tail_bytes = found.torn.as_ref().map_or(0, |torn| torn.bytes);
    let due = segment.footer.as_ref().map(|footer| footer.end).or(next);
    if due.is_some_and(|due| due != found.end) {
        let reason = "the records end before the segment does";
        return Err(OpenError::corrupt(&segment.path, found.end, reason));
    }
    if next.is_none() && has_flipped_end(&segment, &found) {
        let reason = "a bit of the marker that the log was closed with is flipped; no event is \
                      lost: the next server that opens the log makes it anew";
        survey.flaws.push(Damage::at(&segment.path, found.end, reason));
    }
    let mut live = index.live_mut();
    live.active = Recent::after(&found.recent, found.end);
    live.end = found.end;
    live.full.push((Arc::new(found.recent), found.end));
    Ok(())
}

/// Whether the log would end in a closing marker if one bit was another. A crash leaves no such
/// file, as it tears files at sectors.
fn has_flipped_end(segment: &Segment, found: &Scanned) -> bool {
    let mut bytes = vec![0; MARKER_BYTES];
    let torn = found.torn.as_ref().is_some_and(|torn| torn.bytes <= count(MARKER_BYTES));
    torn && segment.read_at(&mut bytes, found.end).is_ok() && { flips(&bytes) }
        .any(|bytes| record::marker_at(&bytes, found.end).is_some_and(|marker| marker.events == 0))
}
