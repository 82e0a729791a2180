//! Who lives together, drawn by chance: the names, the plan, the devices.

use playhead_domain::Plan;
use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom};

/// What people watch on: as many devices as every plan has room for.
const DEVICES: [&str; 3] = ["TV", "Phone", "Tablet"];

const SURNAMES: [&str; 24] = [
    "Okafor",
    "Lindqvist",
    "Marino",
    "Tanaka",
    "Novak",
    "Haddad",
    "Silva",
    "Kowalska",
    "Byrne",
    "Ito",
    "Moreau",
    "Asante",
    "Weber",
    "Rossi",
    "Nguyen",
    "Petrov",
    "Diallo",
    "Santos",
    "Virtanen",
    "Castro",
    "Mehta",
    "Olsen",
    "Yilmaz",
    "Dubois",
];

const NAMES: [(&str, &str); 24] = [
    ("Ada", "en"),
    ("Bruno", "pt"),
    ("Clara", "de"),
    ("Dario", "it"),
    ("Elif", "tr"),
    ("Farid", "ar"),
    ("Greta", "sv"),
    ("Hiro", "ja"),
    ("Ines", "es"),
    ("Jonas", "de"),
    ("Kemi", "en"),
    ("Luca", "it"),
    ("Maya", "hi"),
    ("Noor", "ar"),
    ("Oskar", "pl"),
    ("Priya", "hi"),
    ("Quentin", "fr"),
    ("Rosa", "es"),
    ("Sami", "fi"),
    ("Tove", "no"),
    ("Uma", "en"),
    ("Viktor", "cs"),
    ("Wanda", "pl"),
    ("Yuki", "ja"),
];

/// People who share an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Household {
    /// The family name; unique in a demo.
    pub(super) name: String,
    /// What they pay for.
    pub(super) plan: Plan,
    /// Who lives there: 1 to 4, of different names.
    pub(super) members: Vec<Member>,
}

/// One who watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// The first name.
    pub(super) name: &'static str,
    /// The language, as a BCP 47 tag.
    pub(super) language: &'static str,
    /// Whether it is a child.
    pub(super) kids: bool,
}

impl Household {
    /// The household of this number. Plans take turns, so that every demo shows all of them; most
    /// households have more members than a basic plan has streams, so that limits are met.
    pub(super) fn draw(number: u32, rng: &mut impl Rng) -> Self {
        let plan = match number % 3 {
            0 => Plan::Basic,
            1 => Plan::Standard,
            _ => Plan::Premium,
        };
        let size = [1, 2, 2, 3, 3, 4].choose(rng).copied().unwrap_or(2);
        let names = NAMES.iter().choose_multiple(rng, size);
        let members = names.into_iter().enumerate().map(|(index, (name, language))| Member {
            name,
            language,
            // The first one pays, and is grown up.
            kids: index > 0 && rng.random_bool(0.3),
        });
        Self { members: members.collect(), name: surname(number), plan }
    }
}

/// A device by chance; another one than `but`.
pub(super) fn device(but: Option<&str>, rng: &mut impl Rng) -> &'static str {
    DEVICES.iter().filter(|device| Some(**device) != but).choose(rng).copied().unwrap_or("TV")
}

fn surname(number: u32) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let name = SURNAMES.get(number % SURNAMES.len()).copied().unwrap_or_default();
    match number / SURNAMES.len() {
        0 => name.to_owned(),
        round => format!("{name} {}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn drawn(seed: u64) -> Vec<Household> {
        let mut rng = StdRng::seed_from_u64(seed);
        (0..100).map(|number| Household::draw(number, &mut rng)).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_people() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn households_have_different_names_and_so_have_their_members() {
        let households = drawn(3);
        let names: BTreeSet<_> = households.iter().map(|household| &household.name).collect();
        assert_eq!(names.len(), households.len());
        for Household { members, .. } in &households {
            let names: BTreeSet<_> = members.iter().map(|member| member.name).collect();
            assert_eq!(names.len(), members.len());
            assert!((1..=4).contains(&members.len()) && !members[0].kids);
        }
    }

    #[test]
    fn somebody_lives_where_there_are_too_few_streams() {
        for seed in 0..20 {
            let tight = drawn(seed).into_iter().take(12);
            assert!(tight.into_iter().any(|it| it.members.len() > it.plan.streams_max()));
        }
    }

    #[test]
    fn every_plan_has_room_for_all_devices_of_a_household() {
        assert!(DEVICES.len() <= Plan::Basic.devices_max());
    }

    #[test]
    fn another_device_is_another_one() {
        let mut rng = StdRng::seed_from_u64(4);
        for _ in 0..50 {
            assert_ne!(device(Some("TV"), &mut rng), "TV");
        }
    }
}
