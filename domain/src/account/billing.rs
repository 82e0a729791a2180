//! Where the bills of a household go.

use serde::{Deserialize, Serialize};

use crate::availability::Territory;
use crate::ids::AccountId;
use crate::personal::Personal;
use crate::values::{InvalidValue, check, is_line};

/// The most lines of an address, without the country (the Universal Postal Union's S42 has forms of
/// up to six).
pub const BILLING_LINES_MAX: usize = 6;
/// The longest line of an address, in characters.
pub const BILLING_LINE_MAX_CHARS: usize = 100;

/// An address that bills go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingAddress {
    /// The country, which decides about taxes and is not personal by itself.
    pub country: Territory,
    /// The name and the address below it, as they are written there.
    pub lines: Personal<Vec<String>>,
}

impl BillingAddress {
    pub(super) fn validate(&self) -> Result<(), InvalidValue> {
        check(self.country.is_assigned(), "country", "an ISO 3166-1 alpha-2 code")?;
        let valid = self.lines.known().is_some_and(|lines| {
            (1..=BILLING_LINES_MAX).contains(&lines.len())
                && lines.iter().all(|line| is_line(line, BILLING_LINE_MAX_CHARS))
        });
        check(valid, "lines", "1 to 6 lines of 1 to 100 characters")
    }
}

/// The bills of a household go elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BillingAddressSet {
    /// The account.
    pub account_id: AccountId,
    /// Where they go from now on.
    pub address: BillingAddress,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}
