//! For whom something is.

use async_graphql::Enum;
use playhead_domain::Maturity as Level;

/// The age from which something may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Level")]
pub(crate) enum Maturity {
    /// For everybody.
    All,
    /// From 7 years.
    #[graphql(name = "FROM_7")]
    From7,
    /// From 13 years.
    #[graphql(name = "FROM_13")]
    From13,
    /// From 16 years.
    #[graphql(name = "FROM_16")]
    From16,
    /// For adults.
    #[graphql(name = "FROM_18")]
    From18,
}
