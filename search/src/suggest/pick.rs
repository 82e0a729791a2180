//! Takes the best of what was found, one by one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use playhead_domain::Maturity;

use super::best::size;
use super::walk::Found;
use super::{Class, Entry, Suggester};
use crate::query::Audience;

/// How many are taken for one kind of match before giving up, seen by the viewer or not.
pub const CHECKS_MAX: usize = 1_000;

/// How many suggestions are people while there are others.
const PEOPLE_MAX: usize = 3;
/// How many suggestions are genres while there are others.
const GENRES_MAX: usize = 2;

/// A range of occurrences of one class, by its best: the fewest edits, then the lowest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidates {
    edits: u8,
    rank: u32,
    class: u8,
    from: u32,
    until: u32,
}

/// Picks suggestions for one input.
pub(super) struct Picker<'a> {
    suggester: &'a Suggester,
    audience: Option<&'a Audience>,
    level: Maturity,
    first: usize,
    /// Occurrences with their edits, best first.
    pub(super) picked: Vec<(u32, u8)>,
    /// By number of terms, what was found out about them.
    visible: Vec<Option<bool>>,
    of_class: [usize; Class::ALL.len()],
}

impl<'a> Picker<'a> {
    pub(super) fn new(
        suggester: &'a Suggester,
        audience: Option<&'a Audience>,
        first: usize,
    ) -> Self {
        Self {
            suggester,
            audience,
            level: audience.map_or(Maturity::From18, |it| it.viewer.maturity_max),
            first,
            picked: Vec::with_capacity(first),
            visible: vec![None; if audience.is_some() { suggester.terms.len() } else { 0 }],
            of_class: [0; Class::ALL.len()],
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.picked.len() >= self.first
    }

    pub(super) fn is_empty(&self) -> bool {
        self.picked.is_empty()
    }

    /// Picks the best of what was found, as many as are still wanted.
    pub(super) fn pick(&mut self, found: &[Found]) {
        let mut heap = BinaryHeap::new();
        for found in found {
            let occurrences = &self.suggester.first_of_key;
            let from = occurrences.get(size(found.first)).copied().unwrap_or(0);
            let until = occurrences.get(size(found.last) + 1).copied().unwrap_or(from);
            for class in Class::ALL {
                heap.extend(self.best(found.edits, class.number(), from, until));
            }
        }
        // Beyond their share, people and genres wait for what titles leave.
        let mut waiting = BinaryHeap::new();
        let mut checks = 0;
        while !self.is_full() && checks < CHECKS_MAX {
            let Some(Reverse(best)) = heap.pop() else {
                if waiting.is_empty() {
                    return;
                }
                heap.append(&mut waiting);
                self.of_class = [0; Class::ALL.len()];
                continue;
            };
            let count = self.of_class.get(usize::from(best.class)).copied().unwrap_or(0);
            if count >= share(best.class) {
                waiting.push(Reverse(best));
                continue;
            }
            checks += 1;
            let Some(occurrence) = self.suggester.best.place(best.rank) else { continue };
            heap.extend(self.best(best.edits, best.class, best.from, occurrence));
            heap.extend(self.best(best.edits, best.class, occurrence + 1, best.until));
            self.consider(occurrence, best);
        }
    }

    fn best(&self, edits: u8, class: u8, from: u32, until: u32) -> Option<Reverse<Candidates>> {
        let rank = self.suggester.best.of(from, until, class, self.level)?;
        Some(Reverse(Candidates { edits, rank, class, from, until }))
    }

    fn consider(&mut self, occurrence: u32, best: Candidates) {
        let Some((entry, _)) = self.suggester.entry(occurrence) else { return };
        if self.is_picked(entry) || !self.is_visible(entry) {
            return;
        }
        self.picked.push((occurrence, best.edits));
        if let Some(count) = self.of_class.get_mut(usize::from(best.class)) {
            *count += 1;
        }
    }

    /// Whether it is picked already, by another of its words or in another language.
    fn is_picked(&self, entry: &Entry) -> bool {
        let mut picked = self.picked.iter().filter_map(|(at, _)| self.suggester.entry(*at));
        picked.any(|(other, _)| match entry.class {
            Class::Title => other.class == Class::Title && other.title == entry.title,
            Class::Person | Class::Genre => std::ptr::eq(other, entry),
        })
    }

    fn is_visible(&mut self, entry: &Entry) -> bool {
        let Some(audience) = self.audience else { return true };
        let terms = size(entry.terms.start)..size(entry.terms.end);
        let terms = self.suggester.terms_of.get(terms).unwrap_or_default();
        terms.iter().any(|number| {
            let known = self.visible.get(size(*number)).copied().flatten();
            known.unwrap_or_else(|| {
                let visible = self.suggester.is_visible(*number, audience);
                if let Some(slot) = self.visible.get_mut(size(*number)) {
                    *slot = Some(visible);
                }
                visible
            })
        })
    }
}

/// How many suggestions are of a class while there are others.
fn share(class: u8) -> usize {
    if class == Class::Person.number() {
        PEOPLE_MAX
    } else if class == Class::Genre.number() {
        GENRES_MAX
    } else {
        usize::MAX
    }
}
