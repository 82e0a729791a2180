//! Who made a title.

use serde::{Deserialize, Serialize};

use crate::values::{InvalidValue, check, is_line, names};

names! {
    /// What somebody did for a title.
    pub enum CreditRole {
        /// Directed it.
        Director = "director",
        /// Had the idea of the series.
        Creator = "creator",
        /// Wrote it, or what it is made from.
        Writer = "writer",
        /// Played somebody, or lent them the voice.
        Actor = "actor",
        /// Appeared as who they are.
        Appearance = "appearance",
        /// Produced it.
        Producer = "producer",
        /// Wrote the music.
        Composer = "composer",
        /// Was responsible for the camera.
        Cinematographer = "cinematographer",
        /// Cut it.
        Editor = "editor",
        /// Designed what it looks like.
        ProductionDesigner = "production_designer",
        /// Found who plays in it.
        CastingDirector = "casting_director",
        /// Anything else.
        Other = "other",
    }
}

impl CreditRole {
    /// Whether it is seen or heard in the title.
    #[must_use]
    pub fn is_on_screen(self) -> bool {
        matches!(self, Self::Actor | Self::Appearance)
    }
}

/// What one person did for a title. Who did several things has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The person's name.
    pub name: String,
    /// What they did.
    pub role: CreditRole,
    /// Whom they played, or what else is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character: Option<String>,
    /// Tells apart people of the same name: a catalogue and the person's key there, such as
    /// `imdb:nm0000199`. Without it, people of the same name are taken for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Credit {
    /// A credit of which only this is known.
    #[must_use]
    pub fn new(name: impl Into<String>, role: CreditRole) -> Self {
        Self { name: name.into(), role, character: None, key: None }
    }

    /// One for each of these directors, and then one for each of these actors.
    #[must_use]
    pub fn of(
        directors: impl IntoIterator<Item = String>,
        cast: impl IntoIterator<Item = String>,
    ) -> Vec<Self> {
        let directors = directors.into_iter().map(|name| Self::new(name, CreditRole::Director));
        directors.chain(cast.into_iter().map(|name| Self::new(name, CreditRole::Actor))).collect()
    }

    pub(super) fn validate(&self) -> Result<(), InvalidValue> {
        check(is_line(&self.name, 200), "credits/name", "a line of 1 to 200 characters")?;
        let character = self.character.as_ref().is_none_or(|text| is_line(text, 300));
        check(character, "credits/character", "a line of 1 to 300 characters")?;
        let key = self.key.as_ref().is_none_or(|text| is_line(text, 100));
        check(key, "credits/key", "a line of 1 to 100 characters")
    }
}
