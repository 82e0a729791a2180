//! Which genres a profile is shown.

use std::collections::{HashMap, HashSet};

/// Why a genre has a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liked {
    /// The profile watches much of it.
    Watched,
    /// The profile says that it likes it.
    Favourite,
    /// There is much of it.
    Large,
}

/// Chooses genres to show, by their names: first those that are watched most, then those that are
/// said to be liked, then the largest. None twice, and none that has nothing to show. `watched` is in
/// lower case.
pub(super) fn choose(
    watched: &HashMap<String, usize>,
    favourites: &[String],
    genres: &[(String, u64)],
    limit: usize,
) -> Vec<(String, Liked)> {
    let spelled: HashMap<String, &str> =
        genres.iter().map(|(genre, _)| (genre.to_lowercase(), genre.as_str())).collect();
    let mut most: Vec<_> = watched.iter().collect();
    most.sort_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
    let most = most.into_iter().map(|(genre, _)| (genre.clone(), Liked::Watched));
    let said = favourites.iter().map(|genre| (genre.to_lowercase(), Liked::Favourite));
    let mut largest: Vec<_> = genres.iter().collect();
    largest.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let largest = largest.into_iter().map(|(genre, _)| (genre.to_lowercase(), Liked::Large));
    let mut chosen = HashSet::new();
    most.chain(said)
        .chain(largest)
        .filter_map(|(genre, liked)| Some((spelled.get(&genre)?, genre, liked)))
        .filter(|(_, genre, _)| chosen.insert(genre.clone()))
        .map(|(spelling, _, liked)| ((*spelling).to_owned(), liked))
        .take(limit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_comes_before_what_is_said_and_that_before_what_is_large() {
        let genres = [("Comedy", 9), ("Crime", 3), ("Drama", 20), ("Horror", 1), ("War", 5)];
        let genres = genres.map(|(genre, titles)| (genre.to_owned(), titles));
        let watched = [("crime", 2), ("war", 2), ("gone", 9), ("comedy", 1)];
        let watched = watched.map(|(genre, times)| (genre.to_owned(), times)).into();
        let favourites = ["HORROR", "War", "Unheard of"].map(str::to_owned);
        let chosen = choose(&watched, &favourites, &genres, 5);
        let expected = [
            ("Crime", Liked::Watched),
            ("War", Liked::Watched),
            ("Comedy", Liked::Watched),
            ("Horror", Liked::Favourite),
            ("Drama", Liked::Large),
        ];
        assert_eq!(chosen, expected.map(|(genre, liked)| (genre.to_owned(), liked)));
        assert_eq!(choose(&watched, &favourites, &genres, 2), chosen[..2]);
        assert_eq!(choose(&HashMap::new(), &[], &genres, 1), [("Drama".to_owned(), Liked::Large)]);
    }
}
