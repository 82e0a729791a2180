//! How well a title matches: what comes first whatever its popularity.

/// How a title matches, best first. Within a tier (and within its steps) popularity orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tier {
    /// The text is the whole name.
    Whole = 1,
    /// The words of the text are those of the name, in any order, stop words apart.
    SameWords,
    /// The name begins with the text.
    Prefix,
    /// The text is the beginning of the name and the name of somebody in the credits.
    NameAndPerson,
    /// The name has all words of the text; the last may be the beginning of one.
    NameWords,
    /// Name, people and synopsis together have all words.
    Words,
    /// The name, without its spaces, begins with the text without its spaces.
    JoinedPrefix,
    /// The whole name is one edit away.
    WholeOneEdit,
    /// The name begins with something one edit away.
    PrefixOneEdit,
    /// The whole name is two edits away.
    WholeTwoEdits,
    /// All words match with some edits.
    WordsEdited,
    /// The name begins with something two edits away.
    PrefixTwoEdits,
    /// Most of the words match.
    SomeWords,
    /// The whole name looks similar.
    Similar,
}

/// A tier with a step in it, in one number: lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grade(u32);

impl Grade {
    /// Nothing is known of the title yet.
    pub(super) const NONE: Self = Self(u32::MAX);
    /// The title may not be shown, however well it matches.
    pub(super) const REFUSED: Self = Self(0);

    pub(super) fn new(tier: Tier, step: u16) -> Self {
        Self((tier as u32) << 16 | u32::from(step))
    }

    pub(super) fn tier(self) -> Option<Tier> {
        const TIERS: [Tier; 14] = [
            Tier::Whole,
            Tier::SameWords,
            Tier::Prefix,
            Tier::NameAndPerson,
            Tier::NameWords,
            Tier::Words,
            Tier::JoinedPrefix,
            Tier::WholeOneEdit,
            Tier::PrefixOneEdit,
            Tier::WholeTwoEdits,
            Tier::WordsEdited,
            Tier::PrefixTwoEdits,
            Tier::SomeWords,
            Tier::Similar,
        ];
        let number = (self.0 >> 16) as usize;
        number.checked_sub(1).and_then(|at| TIERS.get(at)).copied()
    }
}
