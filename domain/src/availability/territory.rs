//! Countries and what else is licensed by itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidValue;

/// The 249 codes of ISO 3166-1 alpha-2 that are assigned, as in the tz database's `iso3166.tab` of
/// 2025, and XK, which the standard leaves to its users and databases of addresses use for Kosovo.
const ASSIGNED: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ \
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM \
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS \
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ \
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS XK YE YT ZA ZM ZW";

/// How many territories there are.
pub const TERRITORIES_MAX: usize = 250;

/// A country or what else has a code in ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Territory([u8; 2]);

impl Territory {
    /// Whether the code is assigned today. What is read from the log need not be: countries vanish.
    #[must_use]
    pub fn is_assigned(self) -> bool {
        ASSIGNED.split(' ').any(|code| code.as_bytes() == self.0)
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| fmt::Write::write_char(f, char::from(*letter)))
    }
}

impl FromStr for Territory {
    type Err = InvalidValue;

    /// Two capital letters, assigned or not.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = InvalidValue { field: "territory", rule: "an ISO 3166-1 alpha-2 code" };
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| invalid)?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters)).ok_or(invalid)
    }
}

impl TryFrom<String> for Territory {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<Territory> for String {
    fn from(territory: Territory) -> Self {
        territory.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_territory_is_shown_and_stored_as_it_is_read() {
        let territory: Territory = "AT".parse().unwrap();
        assert_eq!(territory.to_string(), "AT");
        assert_eq!(serde_json::to_value(territory).unwrap(), "AT");
        assert_eq!(serde_json::from_str::<Territory>("\"AT\"").unwrap(), territory);
    }

    #[test]
    fn a_territory_is_two_capital_letters() {
        for text in ["", "A", "at", "At", "AUT", "A1", "Ä", "A ", "\u{1F1E6}"] {
            assert!(text.parse::<Territory>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_codes_of_the_standard_are_assigned() {
        let codes: Vec<_> = ASSIGNED.split(' ').collect();
        assert_eq!(codes.len(), TERRITORIES_MAX);
        assert!(codes.is_sorted_by(|one, next| one < next));
        assert!(codes.iter().all(|code| code.parse::<Territory>().unwrap().is_assigned()));
        for code in ["AN", "EU", "UK", "SU", "XX", "ZZ", "AA"] {
            assert!(!code.parse::<Territory>().unwrap().is_assigned(), "{code}");
        }
    }
}
