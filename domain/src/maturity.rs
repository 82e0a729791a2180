//! For whom a title is: levels of maturity, and what common ratings come to.
//!
//! | level | MPA | US television | FSK | BBFC | a bare age |
//! | --- | --- | --- | --- | --- | --- |
//! | all | G | TV-Y, TV-G | 0 | U | 0 |
//! | 7 | PG | TV-Y7, TV-Y7-FV, TV-PG | 6 | PG | 1 to 7 |
//! | 13 | PG-13 | – | 12 | 12, 12A | 8 to 13 |
//! | 16 | – | TV-14 | 16 | 15 | 14 to 16 |
//! | 18 | R, NC-17, X | TV-MA | 18 | 18, R18 | 17 to 21 |
//!
//! A rating that names an age comes to the lowest level that is not below it, so nobody is shown
//! what the rating keeps from them: R, which is 17, comes to 18. PG names no age and comes to 7.
//! A title without a rating, or with one that is not in the table, counts as for adults.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The age from which something may be seen. Ordered: a higher level is for fewer people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Maturity {
    /// For everybody.
    #[serde(rename = "all")]
    All,
    /// From 7 years.
    #[serde(rename = "7")]
    From7,
    /// From 13 years.
    #[serde(rename = "13")]
    From13,
    /// From 16 years.
    #[serde(rename = "16")]
    From16,
    /// For adults.
    #[serde(rename = "18")]
    From18,
}

impl Maturity {
    /// Every level, lowest first.
    pub const LEVELS: [Self; 5] =
        [Self::All, Self::From7, Self::From13, Self::From16, Self::From18];

    /// The highest level that a kids profile can be set to.
    pub const KIDS_MAX: Self = Self::From7;

    /// The name as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::From7 => "7",
            Self::From13 => "13",
            Self::From16 => "16",
            Self::From18 => "18",
        }
    }

    /// The level that a rating comes to, in whatever case and with or without its board in front
    /// (`FSK 12`, `BBFC:15`); `None` if the rating is not in the table.
    #[must_use]
    pub fn of_rating(rating: &str) -> Option<Self> {
        let rating = rating.trim().to_ascii_uppercase();
        let boards = ["MPAA", "MPA", "FSK", "BBFC"];
        let named = boards.iter().find_map(|board| rating.strip_prefix(board));
        let bare = named.map_or(&*rating, |rest| rest.trim_start_matches([' ', ':', '-', '/']));
        match bare {
            "G" | "TV-Y" | "TV-G" | "U" => Some(Self::All),
            "PG" | "TV-Y7" | "TV-Y7-FV" | "TV-PG" => Some(Self::From7),
            "PG-13" | "12A" => Some(Self::From13),
            "TV-14" => Some(Self::From16),
            "R" | "NC-17" | "X" | "TV-MA" | "R18" => Some(Self::From18),
            age => Self::from_age(age.strip_suffix('+').unwrap_or(age)),
        }
    }

    fn from_age(digits: &str) -> Option<Self> {
        let is_age = matches!(digits.len(), 1..=2) && digits.bytes().all(|it| it.is_ascii_digit());
        match digits.parse::<u8>().ok().filter(|_| is_age)? {
            0 => Some(Self::All),
            1..=7 => Some(Self::From7),
            8..=13 => Some(Self::From13),
            14..=16 => Some(Self::From16),
            17..=21 => Some(Self::From18),
            _ => None,
        }
    }

    /// The level that a title counts as: its own, or the one of adults if it has no rating.
    #[must_use]
    pub fn counted(rated: Option<Self>) -> Self {
        rated.unwrap_or(Self::From18)
    }
}

impl fmt::Display for Maturity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_by_age() {
        assert!(Maturity::LEVELS.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn a_level_is_shown_as_it_is_stored() {
        for level in Maturity::LEVELS {
            assert_eq!(serde_json::to_value(level).unwrap(), level.to_string());
        }
    }

    #[test]
    fn what_has_no_rating_counts_as_for_adults() {
        assert_eq!(Maturity::counted(None), Maturity::From18);
        assert_eq!(Maturity::counted(Some(Maturity::All)), Maturity::All);
    }

    #[test]
    fn common_ratings_come_to_the_lowest_level_that_is_not_below_them() {
        let table: &[(Maturity, &[&str])] = &[
            (Maturity::All, &["G", "g", " G ", "TV-Y", "tv-g", "U", "BBFC U", "FSK 0", "0", "0+"]),
            (Maturity::From7, &["PG", "MPA PG", "TV-Y7", "TV-Y7-FV", "TV-PG", "FSK 6", "6+", "7"]),
            (Maturity::From13, &["PG-13", "MPAA:PG-13", "FSK-12", "12A", "BBFC/12", "8", "13"]),
            (Maturity::From16, &["TV-14", "FSK 16", "BBFC 15", "14", "16"]),
            (Maturity::From18, &["R", "NC-17", "X", "TV-MA", "R18", "FSK18", "17", "18+", "21"]),
        ];
        for (level, ratings) in table {
            for rating in *ratings {
                assert_eq!(Maturity::of_rating(rating), Some(*level), "{rating:?}");
            }
        }
    }

    #[test]
    fn a_rating_that_nobody_knows_comes_to_nothing() {
        for rating in ["", "NR", "UNRATED", "Not Rated", "22", "99", "007", "+7", "-7", "1.5", "Ü"]
        {
            assert_eq!(Maturity::of_rating(rating), None, "{rating:?}");
        }
    }
}
