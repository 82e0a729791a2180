//! How popular titles are: the order within a tier of a search.

use std::collections::HashMap;

use playhead_domain::ids::TitleId;

/// How often titles were played. To this comes the number of votes that the catalogue brings.
#[derive(Debug, Clone, Default)]
pub struct Popularity {
    plays: HashMap<TitleId, u32>,
}

impl Popularity {
    /// Of a table of plays, or of whatever else says how much titles are wanted.
    #[must_use]
    pub fn new(plays: HashMap<TitleId, u32>) -> Self {
        Self { plays }
    }

    /// How often a title was played; 0 if nothing is known of it.
    #[must_use]
    pub fn plays(&self, title_id: TitleId) -> u32 {
        self.plays.get(&title_id).copied().unwrap_or_default()
    }
}
