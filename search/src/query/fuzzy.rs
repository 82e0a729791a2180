//! Finds the terms of a dictionary that are a few edits away from a text.

use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy_fst::Automaton;

/// Inserting, deleting and replacing a character, and exchanging two neighbours, is one edit each.
static BUILDERS: LazyLock<[LevenshteinAutomatonBuilder; 3]> =
    LazyLock::new(|| [0, 1, 2].map(|edits| LevenshteinAutomatonBuilder::new(edits, true)));

/// Accepts what is at most some edits away from a text.
pub(super) struct Near(DFA);

impl Near {
    /// Up to 2 edits.
    pub(super) fn new(text: &str, edits_max: u8) -> Self {
        let [none, one, two] = &*BUILDERS;
        let builder = match edits_max {
            0 => none,
            1 => one,
            _ => two,
        };
        Self(builder.build_dfa(text))
    }

    /// Accepts what begins with something near.
    pub(super) fn prefix(text: &str, edits_max: u8) -> Self {
        let [none, one, two] = &*BUILDERS;
        let builder = match edits_max {
            0 => none,
            1 => one,
            _ => two,
        };
        Self(builder.build_prefix_dfa(text))
    }

    /// How many edits a term is away; `None` if it is not accepted.
    pub(super) fn edits(&self, term: &[u8]) -> Option<u8> {
        match self.0.eval(term) {
            Distance::Exact(edits) => Some(edits),
            Distance::AtLeast(_) => None,
        }
    }
}

impl Automaton for &Near {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}
