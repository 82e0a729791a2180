//! Who is meant by a credit.

use playhead_domain::title::Credit;

/// One person of the catalogue: known by a key of another catalogue, and otherwise by name, so that
/// people of one name without a key are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonId(String);

impl PersonId {
    /// Whoever has this key.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self(format!("key:{key}"))
    }

    /// Whoever has this name, in upper or lower case, and no key.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self(format!("name:{}", name.to_lowercase()))
    }

    /// Who has a credit.
    #[must_use]
    pub fn of(credit: &Credit) -> Self {
        credit.key.as_deref().map_or_else(|| Self::of_name(&credit.name), Self::of_key)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
