//! What ordering by popularity could give at best.

use std::collections::HashMap;

use super::board::DEPTH;
use super::queries::Query;
use crate::text::normalize;

/// Whether queries of a kind are the beginnings of titles, without typos: `prefix` and a number.
#[must_use]
pub fn is_prefix_kind(kind: &str) -> bool {
    let length = kind.strip_prefix("prefix");
    length.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// All titles, ordered so that those with a prefix stand together.
#[derive(Debug)]
pub struct Ceiling {
    titles: Vec<(String, u32)>,
    popularity: HashMap<u32, u32>,
}

impl Ceiling {
    /// Over these titles, given with their films' numbers.
    #[must_use]
    pub fn new<'a>(
        titles: impl IntoIterator<Item = (u32, &'a str)>,
        popularity: HashMap<u32, u32>,
    ) -> Self {
        let titles = titles.into_iter().map(|(film, title)| (normalize(title), film));
        let mut titles: Vec<_> = titles.collect();
        titles.sort_unstable();
        Self { titles, popularity }
    }

    /// What a query for a prefix would earn, from 0 to 1, if all titles that begin with it came in
    /// the order of their popularity. Titles that are equally popular come in any order: it is the
    /// mean over all of them.
    #[must_use]
    pub fn of(&self, query: &Query) -> f64 {
        let mut prefix = normalize(&query.text);
        if query.text.ends_with(char::is_whitespace) {
            prefix.push(' ');
        }
        let from = self.titles.partition_point(|(title, _)| *title < prefix);
        let with_prefix = self.titles.iter().skip(from);
        let with_prefix = with_prefix.take_while(|(title, _)| title.starts_with(&prefix));
        let films: Vec<u32> = with_prefix.map(|(_, film)| *film).collect();
        let votes = |film: u32| self.popularity.get(&film).copied().unwrap_or(0);
        let is_right = |film: &&u32| query.relevant.binary_search(film).is_ok();
        let Some(best) = films.iter().filter(is_right).map(|film| votes(*film)).max() else {
            return 0.0;
        };
        let before = films.iter().filter(|film| votes(**film) > best).count();
        let tied = films.iter().filter(|film| votes(**film) == best);
        earned(before, tied.clone().count(), tied.filter(is_right).count())
    }
}

/// The mean of one divided by the rank of the first right one, if it comes behind `before` others
/// and is one of `right` among `tied` in any order.
fn earned(before: usize, tied: usize, right: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mut none_yet = 1.0;
    let mut earned = 0.0;
    for (rank, left) in (before + 1..=DEPTH).zip((1..=tied).rev()) {
        let share = (number(right) / number(left)).min(1.0);
        earned += none_yet * share / number(rank);
        none_yet *= 1.0 - share;
    }
    earned
}
