//! Where the bills of a household go.

use serde::{Deserialize, Serialize};

use crate::availability::Territory;
use crate::ids::AccountId;
use crate::personal::Personal;
use crate::values::{InvalidValue, check, is_name};

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
                && lines.iter().all(|line| is_name(line, BILLING_LINE_MAX_CHARS))
        });
        check(valid, "lines", "1 to 6 lines of 1 to 100 characters, none of them invisible")
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::account::{Account, AccountOpened, Command, Event, Refusal};
    use crate::decider::harness::given;

    const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));

    fn address(country: &str, lines: &[&str]) -> BillingAddress {
        let lines = Personal::Known(lines.iter().map(|line| (*line).to_owned()).collect());
        BillingAddress { country: country.parse().unwrap(), lines }
    }

    fn ask(address: BillingAddress) -> Command {
        Command::SetBillingAddress { account_id: ACCOUNT, address, at_ms: 1 }
    }

    fn set(address: BillingAddress) -> Event {
        Event::BillingAddressSet(BillingAddressSet { account_id: ACCOUNT, address, at_ms: 1 })
    }

    fn opened() -> Event {
        Event::Opened(AccountOpened { account_id: ACCOUNT, at_ms: 0 })
    }

    #[test]
    fn an_address_is_set_once_and_can_be_replaced() {
        let (one, other) = (address("PT", &["Ana", "Rua 1"]), address("DE", &["Ana", "Weg 2"]));
        given::<Account>([opened()]).when(&ask(one.clone())).then([set(one.clone())]);
        given::<Account>([opened(), set(one.clone())]).when(&ask(one.clone())).then_nothing();
        given::<Account>([opened(), set(one)]).when(&ask(other.clone())).then([set(other)]);
    }

    #[test]
    fn an_address_without_a_country_or_lines_is_refused() {
        let long = "x".repeat(BILLING_LINE_MAX_CHARS + 1);
        let bad = [
            address("QQ", &["Ana"]),
            address("PT", &[]),
            address("PT", &["1", "2", "3", "4", "5", "6", "7"]),
            address("PT", &["two\nlines"]),
            address("PT", &[&long]),
            BillingAddress { lines: Personal::Erased, ..address("PT", &[]) },
        ];
        for address in bad {
            let invalid = address.validate().unwrap_err();
            given::<Account>([opened()])
                .when(&ask(address))
                .then_refused(Refusal::Invalid(invalid));
        }
    }

    #[test]
    fn a_household_that_is_not_open_has_no_bills() {
        given::<Account>([]).when(&ask(address("PT", &["Ana"]))).then_refused(Refusal::NotOpen);
    }
}
