//! `ratings.csv`: user by user, so that memory is bounded by the busiest user.

use std::collections::HashSet;
use std::path::Path;

use playhead_domain::TitleId;

use super::movies::Movies;
use super::table::{Row, Table};
use crate::import::Flaw;

/// The latest time of a rating: the end of the year 9999.
const TIMESTAMP_MAX_S: i64 = 253_402_300_799;

/// One rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rating {
    /// When it was given, in milliseconds since 1970-01-01 UTC.
    pub(super) at_ms: i64,
    /// The film.
    pub(super) title_id: TitleId,
    /// From 5 (half a star) to 50.
    pub(super) tenth_stars: u64,
}

/// All ratings of one user, by time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UserRatings {
    /// MovieLens's id.
    pub(super) user_id: u32,
    /// At least one.
    pub(super) ratings: Vec<Rating>,
}

/// An open file.
pub(super) struct Reader(Table<4>);

/// Opens the file.
///
/// # Errors
/// It cannot be read, or is another file.
pub(super) fn open(path: &Path) -> anyhow::Result<Reader> {
    Ok(Reader(Table::open(path, ["userId", "movieId", "rating", "timestamp"])?))
}

impl Reader {
    /// The ratings of each user. Ends at the first error.
    pub(super) fn users(self, movies: &Movies) -> Users<'_> {
        Users { table: self.0, movies, seen: HashSet::new(), ahead: None, ended: false }
    }
}

pub(super) struct Users<'a> {
    table: Table<4>,
    movies: &'a Movies,
    seen: HashSet<u32>,
    /// The first rating of the next user.
    ahead: Option<(u32, Rating)>,
    ended: bool,
}

impl Iterator for Users<'_> {
    type Item = Result<UserRatings, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let user = self.user().transpose();
        self.ended = !matches!(user, Some(Ok(_)));
        user
    }
}

impl Users<'_> {
    fn user(&mut self) -> Result<Option<UserRatings>, Flaw> {
        let first = match self.ahead.take() {
            Some(ahead) => Some(ahead),
            None => self.rating()?,
        };
        let Some((user_id, first)) = first else { return Ok(None) };
        let mut ratings = vec![first];
        while let Some((next_id, rating)) = self.rating()? {
            if next_id != user_id {
                self.ahead = Some((next_id, rating));
                break;
            }
            ratings.push(rating);
        }
        self.seen.insert(user_id);
        ratings.sort_unstable();
        Ok(Some(UserRatings { user_id, ratings }))
    }

    fn rating(&mut self) -> Result<Option<(u32, Rating)>, Flaw> {
        let Some(row) = self.table.next_row()? else { return Ok(None) };
        let user_id = row.parse(0, "a whole number")?;
        if self.seen.contains(&user_id) {
            return Err(row.flaw(0, "next to the other ratings of the same user"));
        }
        let movie_id = row.parse(1, "a whole number")?;
        let title_id =
            self.movies.title_id(movie_id).ok_or_else(|| row.flaw(1, "a film of movies.csv"))?;
        let at_s: i64 = row.parse(3, "seconds since 1970")?;
        if !(0..=TIMESTAMP_MAX_S).contains(&at_s) {
            return Err(row.flaw(3, "seconds since 1970"));
        }
        let tenth_stars = tenth_stars(&row)?;
        Ok(Some((user_id, Rating { at_ms: at_s * 1_000, title_id, tenth_stars })))
    }
}

fn tenth_stars(row: &Row<4>) -> Result<u64, Flaw> {
    let rule = "from 0.5 to 5.0 stars";
    let [_, _, stars, _] = row.texts();
    let (whole, tenth) = stars.split_once('.').unwrap_or((stars, "0"));
    let tenths = match (whole.parse::<u64>(), tenth.parse::<u64>()) {
        (Ok(whole), Ok(tenth)) if tenth <= 9 => whole.saturating_mul(10).saturating_add(tenth),
        _ => 0,
    };
    if (5..=50).contains(&tenths) { Ok(tenths) } else { Err(row.flaw(2, rule)) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::movies;
    use super::*;

    fn users(rows: &str) -> Vec<Result<UserRatings, String>> {
        let dir = tempfile::tempdir().unwrap();
        let [films, ratings] = ["movies.csv", "ratings.csv"].map(|name| dir.path().join(name));
        fs::write(&films, "movieId,title,genres\n1,A (1999),Drama\n2,B (2000),Drama\n").unwrap();
        fs::write(&ratings, format!("userId,movieId,rating,timestamp\n{rows}")).unwrap();
        let movies = movies::read(&films).unwrap();
        let users = open(&ratings).unwrap().users(&movies);
        users.map(|user| user.map_err(|flaw| flaw.to_string())).collect()
    }

    #[test]
    fn ratings_come_user_by_user_in_the_order_of_time() {
        let found = users("1,1,4.0,200\n1,2,2.5,100\n2,1,5.0,50\n");
        let times = |user: &UserRatings| -> Vec<_> {
            user.ratings.iter().map(|rating| (rating.at_ms, rating.tenth_stars)).collect()
        };
        let [Ok(first), Ok(second)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.user_id, times(first)), (1, vec![(100_000, 25), (200_000, 40)]));
        assert_eq!((second.user_id, times(second)), (2, vec![(50_000, 50)]));
    }

    #[test]
    fn a_broken_rating_is_told_with_file_line_and_column_and_ends_the_reading() {
        for (rows, expected) in [
            ("1,1,6.0,200\n", "ratings.csv:2: rating: must be from 0.5 to 5.0 stars, not \"6.0\""),
            ("1,9,4.0,200\n", "ratings.csv:2: movieId: must be a film of movies.csv, not \"9\""),
            ("1,1,4.0,x\n", "ratings.csv:2: timestamp: must be seconds since 1970, not \"x\""),
            ("1,1,4.0\n", "ratings.csv:2: "),
        ] {
            let found = users(rows);
            let [Err(error)] = found.as_slice() else { panic!("{found:?}") };
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_user_who_comes_back_later_is_refused() {
        let found = users("1,1,4.0,200\n2,1,4.0,200\n1,2,4.0,200\n");
        let error = found.last().unwrap().as_ref().unwrap_err();
        assert!(error.contains("ratings.csv:4: userId: must be next to the other"), "{error}");
    }
}
