//! Where and when a title is offered.
//!
//! Nothing happens when a window opens or closes: whoever wants to know asks
//! [`Availability::at`] with the time that it is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::values::{InvalidValue, check};

mod territory;

pub use territory::{TERRITORIES_MAX, Territory};

/// The most windows of a title. Licences are sold for groups of territories and some years, so that
/// few titles need more than ten; each start and each row of a search walks through them.
pub const WINDOWS_MAX: usize = 100;

/// A time in which a title is offered in some territories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Where; everywhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territories: Option<Vec<Territory>>,
    /// The first moment, in milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// The first moment after it, in milliseconds since 1970-01-01 UTC; it does not end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

impl Window {
    fn covers(&self, territory: Option<Territory>) -> bool {
        self.territories
            .as_ref()
            .is_none_or(|listed| territory.is_some_and(|it| listed.contains(&it)))
    }

    fn is_open(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && self.until_ms.is_none_or(|until_ms| at_ms < until_ms)
    }
}

/// The schedule of a title. One that has none is offered everywhere and always; one whose schedule
/// has no windows is offered nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// When it is offered where. They may overlap: it is offered while any of them is open.
    pub windows: Vec<Window>,
    /// Where it is never offered, whatever the windows say.
    pub blocked_territories: Vec<Territory>,
}

/// Whether a title is offered somewhere at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is.
    Open,
    /// It will be.
    NotYet {
        /// The first moment, in milliseconds since 1970-01-01 UTC.
        from_ms: i64,
    },
    /// It was, and will not be again.
    Over,
    /// It is blocked here, or no window is for here.
    NotHere,
}

impl Availability {
    /// Everywhere and always.
    #[must_use]
    pub fn everywhere() -> Self {
        let always = Window { territories: None, from_ms: i64::MIN, until_ms: None };
        Self { windows: vec![always], blocked_territories: vec![] }
    }

    /// Whether the answer can differ from one territory to another.
    #[must_use]
    pub fn depends_on_territory(&self) -> bool {
        !self.blocked_territories.is_empty()
            || self.windows.iter().any(|window| window.territories.is_some())
    }

    /// Whether the title is offered in a territory at a moment. An unknown territory is in no list
    /// of a window, and might be a blocked one.
    #[must_use]
    pub fn at(&self, territory: Option<Territory>, at_ms: i64) -> Offer {
        let blocked = territory.map_or(!self.blocked_territories.is_empty(), |territory| {
            self.blocked_territories.contains(&territory)
        });
        let mut here = self.windows.iter().filter(|window| window.covers(territory)).peekable();
        if blocked || here.peek().is_none() {
            return Offer::NotHere;
        }
        let mut next_ms: Option<i64> = None;
        for window in here {
            if window.is_open(at_ms) {
                return Offer::Open;
            }
            if window.from_ms > at_ms {
                next_ms = Some(next_ms.map_or(window.from_ms, |next| next.min(window.from_ms)));
            }
        }
        next_ms.map_or(Offer::Over, |from_ms| Offer::NotYet { from_ms })
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        check(self.windows.len() <= WINDOWS_MAX, "windows", "at most 100")?;
        for window in &self.windows {
            check(
                window.territories.as_ref().is_none_or(|listed| !listed.is_empty()),
                "windows/territories",
                "absent, or at least one territory",
            )?;
            check_territories(window.territories.as_deref(), "windows/territories")?;
            check(
                window.until_ms.is_none_or(|until_ms| window.from_ms < until_ms),
                "windows/until_ms",
                "later than from",
            )?;
        }
        check_territories(Some(&self.blocked_territories), "blocked_territories")
    }
}

fn check_territories(
    listed: Option<&[Territory]>,
    field: &'static str,
) -> Result<(), InvalidValue> {
    let listed = listed.unwrap_or_default();
    let once: BTreeSet<_> = listed.iter().collect();
    check(once.len() == listed.len(), field, "a list without repetitions")?;
    let assigned = listed.iter().all(|territory| territory.is_assigned());
    check(assigned, field, "assigned codes of ISO 3166-1 alpha-2")
}

#[cfg(test)]
mod tests;
