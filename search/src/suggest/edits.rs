//! How far what is typed is from the beginning of a key, one character of the key at a time.
//!
//! An edit is a character too many, too few, another one, or two neighbours swapped. This is a
//! Levenshtein automaton whose state is one row of the usual table, of which only the cells within
//! [`EDITS_MAX`] of the diagonal can matter. Compiling an automaton for each input, as the crates for
//! it do, takes longer than the whole walk over the keys.

/// The most edits that are ever forgiven.
pub(super) const EDITS_MAX: u8 = 2;
/// The cells of a row from which the end can still be reached within [`EDITS_MAX`].
const BAND: usize = 2 * EDITS_MAX as usize + 1;
/// More edits than are ever forgiven.
const MANY: u8 = EDITS_MAX + 1;

/// In so many characters at the beginning of a key, one edit is the most. People seldom get the very
/// beginning wrong twice, and most of the keys that would have to be looked at differ there.
const FIRM_CHARS: usize = 3;

/// How many edits are forgiven in an input of so many characters.
pub(super) fn budget(chars: usize) -> u8 {
    match chars {
        0..4 => 0,
        4..8 => 1,
        _ => EDITS_MAX,
    }
}

/// The state behind some characters of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Cell `t` is the number of edits between these characters and the first
    /// `chars + t - EDITS_MAX` of the input.
    row: [u8; BAND],
    /// The row one character ago.
    before: [u8; BAND],
    /// The last character.
    last: Option<char>,
    /// How many characters these are.
    chars: usize,
    /// The fewest edits between the input and any beginning of these characters.
    best: u8,
}

impl State {
    /// Before the first character.
    pub(super) fn start(input: &[char]) -> Self {
        let mut row = [MANY; BAND];
        for (cell, edits) in row.iter_mut().skip(usize::from(EDITS_MAX)).zip(0..) {
            *cell = edits;
        }
        let mut state = Self { row, before: [MANY; BAND], last: None, chars: 0, best: MANY };
        state.best = state.whole(input);
        state
    }

    /// Behind one more character.
    pub(super) fn step(&self, input: &[char], next: char) -> Self {
        let chars = self.chars + 1;
        let mut row = [MANY; BAND];
        let mut left = MANY;
        // How many characters of the input the cell stands for.
        let taken = |cell: usize| (chars + cell).checked_sub(usize::from(EDITS_MAX));
        let cells = row.iter_mut().zip(self.row).zip(self.before).enumerate();
        for (cell, ((slot, swapped_from), before)) in cells {
            let Some(taken) = taken(cell).filter(|taken| *taken <= input.len()) else { continue };
            let dropped = self.row.get(cell + 1).copied().unwrap_or(MANY) + 1;
            let mut edits = dropped.min(left + 1);
            if let Some(typed) = taken.checked_sub(1).and_then(|last| input.get(last)) {
                edits = edits.min(swapped_from + u8::from(*typed != next));
                let earlier = taken.checked_sub(2).and_then(|second| input.get(second));
                if self.last == Some(*typed) && earlier == Some(&next) {
                    edits = edits.min(before + 1);
                }
            }
            left = edits.min(MANY);
            *slot = left;
        }
        let mut state = Self { row, before: self.row, last: Some(next), chars, best: self.best };
        state.best = state.best.min(state.whole(input));
        state
    }

    /// The fewest edits between the input and any beginning of the characters so far.
    pub(super) fn best(&self) -> u8 {
        self.best
    }

    /// The fewest edits with which a longer key could still be the whole input.
    pub(super) fn reach(&self) -> u8 {
        self.row.iter().copied().min().unwrap_or(MANY)
    }

    /// How many edits are forgiven up to here.
    pub(super) fn allowed(&self, budget: u8) -> u8 {
        if self.chars <= FIRM_CHARS { budget.min(1) } else { budget }
    }

    /// The edits between the whole input and exactly these characters.
    pub(super) fn whole(&self, input: &[char]) -> u8 {
        let cell = (input.len() + usize::from(EDITS_MAX)).checked_sub(self.chars);
        cell.and_then(|cell| self.row.get(cell)).copied().unwrap_or(MANY)
    }
}

/// How many bytes of a key an input stands for: of the beginnings that are nearest to it the longest
/// one that ends in one of its last two characters, if there is one, and else the shortest. `None` if
/// none is near enough.
pub(super) fn matched(input: &[char], key: &str) -> Option<usize> {
    let budget = budget(input.len());
    let ends = input.get(input.len().saturating_sub(2)..).unwrap_or_default();
    let mut state = State::start(input);
    let (mut nearest, mut found) = ((budget, true), None);
    for (at, char) in key.char_indices() {
        state = state.step(input, char);
        let so_far = (state.whole(input), !ends.contains(&char));
        let longer = so_far == nearest && !so_far.1;
        if so_far.0 <= budget && (found.is_none() || so_far < nearest || longer) {
            nearest = so_far;
            found = Some(at + char.len_utf8());
        }
        if state.reach() > nearest.0 {
            break;
        }
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    /// The edits between two texts by the textbook: the whole table.
    fn edits(left: &[char], right: &[char]) -> usize {
        let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
        for i in 0..=left.len() {
            for j in 0..=right.len() {
                let mut least = if i == 0 || j == 0 { i.max(j) } else { usize::MAX };
                if i > 0 && j > 0 {
                    let same = usize::from(left[i - 1] != right[j - 1]);
                    least = (table[i - 1][j] + 1)
                        .min(table[i][j - 1] + 1)
                        .min(table[i - 1][j - 1] + same);
                }
                if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                    least = least.min(table[i - 2][j - 2] + 1);
                }
                table[i][j] = least;
            }
        }
        table[left.len()][right.len()]
    }

    /// The fewest edits between an input and any beginning of a key, by trying all.
    pub(in crate::suggest) fn fewest_edits(input: &str, key: &str) -> usize {
        let (input, key) = (chars(input), chars(key));
        (0..=key.len()).map(|len| edits(&input, &key[..len])).min().unwrap()
    }

    /// Whether the first characters of a key are within one edit of some beginning of the input.
    pub(in crate::suggest) fn begins_firmly(input: &str, key: &str) -> bool {
        let (input, key) = (chars(input), chars(key));
        (1..=FIRM_CHARS.min(key.len()))
            .all(|len| (0..=input.len()).any(|typed| edits(&input[..typed], &key[..len]) <= 1))
    }

    proptest! {
        #[test]
        fn the_band_knows_the_edits_as_far_as_they_are_forgiven(
            input in "[abc]{0,9}", key in "[abc]{0,12}",
        ) {
            let typed = chars(&input);
            let mut state = State::start(&typed);
            for (at, char) in key.char_indices() {
                let before = state.reach();
                state = state.step(&typed, char);
                prop_assert!(state.reach() >= before, "what follows cannot be nearer");
                let so_far = &chars(&key)[..=at];
                prop_assert_eq!(usize::from(state.whole(&typed)), edits(&typed, so_far).min(3));
            }
            prop_assert_eq!(usize::from(state.best()), fewest_edits(&input, &key).min(3));
        }
    }

    #[test]
    fn what_is_matched_ends_where_the_input_ends() {
        let cases = [
            ("matr", "matrix", Some("matr")),
            ("matirx", "matrix", Some("matrix")),
            ("matrx", "matrix", Some("matrix")),
            ("matrixx", "matrix reloaded", Some("matrix")),
            ("godfathre", "godfather", Some("godfather")),
            ("mat", "met", None),
            ("mart", "heat", None),
        ];
        for (input, key, expected) in cases {
            let found = matched(&chars(input), key).map(|len| &key[..len]);
            assert_eq!(found, expected, "{input}");
        }
    }
}
