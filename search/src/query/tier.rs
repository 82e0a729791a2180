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
    /// The name begins with the text once its article is left out.
    BarePrefix,
    /// The text is the beginning of the name and the name of somebody in the credits.
    NameAndPerson,
    /// The name has all words of the text; the last may be the beginning of one.
    NameWords,
    /// Name and people together have all words; the last may be the beginning of one.
    PeopleWords,
    /// The whole name is one edit away.
    WholeOneEdit,
    /// The name begins with something one edit away.
    PrefixOneEdit,
    /// Name, people, synopsis, tags and genres together have all words, or words of their stems.
    Words,
    /// The name, without its spaces, begins with the text without its spaces.
    JoinedPrefix,
    /// The whole name is two edits away.
    WholeTwoEdits,
    /// The whole name looks similar.
    Similar,
    /// All words match with some edits.
    WordsEdited,
    /// Most of the words match.
    SomeWords,
}

impl Tier {
    const ALL: [Self; 15] = [
        Self::Whole,
        Self::SameWords,
        Self::Prefix,
        Self::BarePrefix,
        Self::NameAndPerson,
        Self::NameWords,
        Self::PeopleWords,
        Self::WholeOneEdit,
        Self::PrefixOneEdit,
        Self::Words,
        Self::JoinedPrefix,
        Self::WholeTwoEdits,
        Self::Similar,
        Self::WordsEdited,
        Self::SomeWords,
    ];
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
        Self::among(tier, tier, step)
    }

    /// A tier whose titles are ordered by popularity together with those of another one.
    pub(super) fn among(tier: Tier, group: Tier, step: u16) -> Self {
        Self((group as u32) << 24 | u32::from(step) << 8 | tier as u32)
    }

    /// What comes before popularity.
    pub(super) fn above(self) -> u32 {
        self.0 >> 8
    }

    /// What decides between equally popular titles.
    pub(super) fn tier(self) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| *tier as u32 == self.0 & 0xff)
    }
}
