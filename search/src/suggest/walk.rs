//! Walks over the keys: which of them begin like the input.

use tantivy_fst::raw::{Fst, Node, Transition};

use super::edits::{EDITS_MAX, State};

/// How many transitions of the dictionary are looked at for one input and number of edits. It bounds
/// the time in catalogues that are larger than 36,273 films, where two edits take 0.3 ms (measured):
/// beyond it, the last of the alphabet are not looked at.
const STEPS_MAX: u32 = 60_000;

/// Keys that follow one another and begin like the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// With how many edits.
    pub(super) edits: u8,
    /// The number of the first key.
    pub(super) first: u32,
    /// The number of the last key.
    pub(super) last: u32,
}

type Keys = Fst<Vec<u8>>;

/// The keys that begin with the input as it is.
pub(super) fn exact(keys: &Keys, input: &str) -> Option<Found> {
    let mut node = keys.root();
    let mut first = 0;
    for byte in input.bytes() {
        let step = node.transition(node.find_input(byte)?);
        first += step.out.value();
        node = keys.node(step.addr);
    }
    let last = last(keys, node, first);
    (!keys.is_empty()).then(|| found(0, first, last))
}

/// The keys that begin like the input with 1 to `budget` edits, in their order.
pub(super) fn near(keys: &Keys, input: &str, budget: u8) -> Vec<Found> {
    let input: Vec<char> = input.chars().collect();
    let budget = budget.min(EDITS_MAX);
    let mut walk = Walk { keys, input: &input, budget, steps: 0, found: vec![] };
    walk.below(keys.root(), 0, &State::start(&input), Partial::default());
    walk.found
}

/// A character of which not all bytes were seen yet.
#[derive(Debug, Clone, Copy, Default)]
struct Partial {
    code: u32,
    missing: u8,
}

impl Partial {
    fn with(self, byte: u8) -> Self {
        if self.missing > 0 {
            let code = self.code << 6 | u32::from(byte & 0x3f);
            return Self { code, missing: self.missing - 1 };
        }
        let (code, missing) = match byte {
            0..0x80 => (byte, 0),
            0x80..0xe0 => (byte & 0x1f, 1),
            0xe0..0xf0 => (byte & 0x0f, 2),
            _ => (byte & 0x07, 3),
        };
        Self { code: u32::from(code), missing }
    }

    fn char(self) -> Option<char> {
        if self.missing > 0 { None } else { char::from_u32(self.code) }
    }
}

struct Walk<'a> {
    keys: &'a Keys,
    input: &'a [char],
    budget: u8,
    steps: u32,
    found: Vec<Found>,
}

impl Walk<'_> {
    /// Looks at all keys that go on from a node, which is as deep as keys are long.
    fn below(&mut self, node: Node<'_>, first: u64, state: &State, partial: Partial) {
        for step in node.transitions() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return;
            }
            let first = first + step.out.value();
            let partial = partial.with(step.inp);
            match partial.char() {
                Some(char) => self.behind(step, first, &state.step(self.input, char)),
                None => self.below(self.keys.node(step.addr), first, state, partial),
            }
        }
    }

    /// Looks at the keys that go on from a node behind a whole character.
    fn behind(&mut self, step: Transition, first: u64, state: &State) {
        let is_near = state.best() <= self.budget;
        if !is_near && state.reach() > state.allowed(self.budget) {
            return;
        }
        let node = self.keys.node(step.addr);
        if is_near && state.reach() >= state.best() {
            let last = last(self.keys, node, first);
            self.take(state.best(), first, last);
            return;
        }
        if is_near && node.is_final() {
            self.take(state.best(), first, first);
        }
        self.below(node, first, state, Partial::default());
    }

    fn take(&mut self, edits: u8, first: u64, last: u64) {
        // Without edits it was found before.
        if edits > 0 {
            self.found.push(found(edits, first, last));
        }
    }
}

/// The number of the last key below a node. Numbers ascend with the keys, so that what a path adds up
/// to is the number of the first key below it.
fn last<'a>(keys: &'a Keys, mut node: Node<'a>, mut number: u64) -> u64 {
    while let Some(last) = node.len().checked_sub(1) {
        let step = node.transition(last);
        number += step.out.value();
        node = keys.node(step.addr);
    }
    number + node.final_output().value()
}

fn found(edits: u8, first: u64, last: u64) -> Found {
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    Found { edits, first: number(first), last: number(last) }
}
