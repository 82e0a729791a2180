//! Where and when a title is offered, as those see it who look after the catalogue.

use async_graphql::{InputObject, SimpleObject};
use playhead_domain::availability::{Availability as Schedule, Window};
use playhead_domain::values::{InvalidValue, check};
use playhead_domain::{Territory, availability};

use super::scalars::DateTime;

/// Where and when a title is offered.
#[derive(Debug, SimpleObject)]
pub(crate) struct Availability {
    /// When it is offered where; it is while any of them is open.
    windows: Vec<AvailabilityWindow>,
    /// Where it is never offered, as codes of ISO 3166-1 alpha-2.
    blocked_territories: Vec<String>,
}

/// A time in which a title is offered in some territories.
#[derive(Debug, SimpleObject)]
pub(crate) struct AvailabilityWindow {
    /// Where, as codes of ISO 3166-1 alpha-2; null is everywhere.
    territories: Option<Vec<String>>,
    /// The first moment; null is always.
    from: Option<DateTime>,
    /// The first moment after it; null is no end.
    until: Option<DateTime>,
}

/// A time in which a title is to be offered in some territories.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct AvailabilityWindowInput {
    /// Where, as codes of ISO 3166-1 alpha-2; everywhere without it.
    territories: Option<Vec<String>>,
    /// The first moment; always until its end without it.
    from: Option<DateTime>,
    /// The first moment after it; without end without it.
    until: Option<DateTime>,
}

impl From<&Schedule> for Availability {
    fn from(schedule: &Schedule) -> Self {
        Self {
            windows: schedule.windows.iter().map(AvailabilityWindow::of).collect(),
            blocked_territories: codes(&schedule.blocked_territories),
        }
    }
}

impl AvailabilityWindow {
    fn of(window: &Window) -> Self {
        Self {
            territories: window.territories.as_deref().map(codes),
            from: Some(window.from_ms).filter(|from_ms| *from_ms != i64::MIN).map(DateTime),
            until: window.until_ms.map(DateTime),
        }
    }
}

fn codes(territories: &[Territory]) -> Vec<String> {
    territories.iter().map(Territory::to_string).collect()
}

/// Reads windows. The rules for values are the domain's; here only what has no place in its types is
/// refused.
pub(crate) fn windows(inputs: Vec<AvailabilityWindowInput>) -> Result<Vec<Window>, InvalidValue> {
    check(inputs.len() <= availability::WINDOWS_MAX, "windows", "at most 100")?;
    let window = |input: AvailabilityWindowInput| {
        let territories = |codes| territories(codes, "windows/territories");
        Ok(Window {
            territories: input.territories.map(territories).transpose()?,
            from_ms: input.from.map_or(i64::MIN, |from| from.0),
            until_ms: input.until.map(|until| until.0),
        })
    };
    inputs.into_iter().map(window).collect()
}

/// Reads codes of territories.
pub(crate) fn territories(
    codes: Vec<String>,
    field: &'static str,
) -> Result<Vec<Territory>, InvalidValue> {
    let rule = "assigned codes of ISO 3166-1 alpha-2";
    let read = |code: String| code.parse().map_err(|_| InvalidValue { field, rule });
    codes.into_iter().map(read).collect()
}
