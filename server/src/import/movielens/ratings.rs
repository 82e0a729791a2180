//! `ratings.csv`: user by user, so that memory is bounded by the busiest user.

use std::collections::HashSet;
use std::path::Path;

use indicatif::ProgressBar;
use playhead_domain::TitleId;

use super::movies::{Film, Movies};
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
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UserRatings {
    /// MovieLens's id.
    pub(super) user_id: u32,
    /// At least one, unless all are broken.
    pub(super) ratings: Vec<Rating>,
    /// How many more there are, of films that are left out.
    pub(super) left_out: u64,
}

/// An open file, which is read user by user.
pub(super) struct Reader<'a> {
    table: Table<4>,
    movies: &'a Movies,
    seen: HashSet<u32>,
    /// The first rating of the next user.
    ahead: Option<(u32, Option<Rating>)>,
}

impl<'a> Reader<'a> {
    /// Opens the file.
    ///
    /// # Errors
    /// It cannot be read, or is another file.
    pub(super) fn open(path: &Path, movies: &'a Movies, bar: &ProgressBar) -> anyhow::Result<Self> {
        let table = Table::open(path, ["userId", "movieId", "rating", "timestamp"], bar)?;
        Ok(Self { table, movies, seen: HashSet::new(), ahead: None })
    }

    /// The ratings of the next user; `None` behind the last one. What is broken on the way there is
    /// put to the flaws.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn user(&mut self, flaws: &mut Vec<Flaw>) -> anyhow::Result<Option<UserRatings>> {
        let first = match self.ahead.take() {
            Some(ahead) => Some(ahead),
            None => self.rating(flaws)?,
        };
        let Some((user_id, first)) = first else { return Ok(None) };
        let mut user = UserRatings { user_id, ..UserRatings::default() };
        user.add(first);
        while let Some((next_id, rating)) = self.rating(flaws)? {
            if next_id != user_id {
                self.ahead = Some((next_id, rating));
                break;
            }
            user.add(rating);
        }
        self.seen.insert(user_id);
        user.ratings.sort_unstable();
        Ok(Some(user))
    }

    /// The next rating that is not broken, and whose it is; none if its film is left out.
    fn rating(&mut self, flaws: &mut Vec<Flaw>) -> anyhow::Result<Option<(u32, Option<Rating>)>> {
        while let Some(row) = self.table.next_row()? {
            match row.and_then(|row| self.read(&row)) {
                Ok(rating) => return Ok(Some(rating)),
                Err(flaw) => flaws.push(flaw),
            }
        }
        Ok(None)
    }

    fn read(&self, row: &Row<4>) -> Result<(u32, Option<Rating>), Flaw> {
        let user_id = row.parse(0, "a whole number")?;
        if self.seen.contains(&user_id) {
            return Err(row.flaw(0, "next to the other ratings of the same user"));
        }
        let movie_id = row.parse(1, "a whole number")?;
        let film = self.movies.film(movie_id).ok_or_else(|| row.flaw(1, "a film of movies.csv"))?;
        let at_s: i64 = row.parse(3, "seconds since 1970")?;
        if !(0..=TIMESTAMP_MAX_S).contains(&at_s) {
            return Err(row.flaw(3, "seconds since 1970"));
        }
        let tenth_stars = tenth_stars(row)?;
        Ok(match film {
            Film::Title(title_id) => {
                (user_id, Some(Rating { at_ms: at_s * 1_000, title_id, tenth_stars }))
            }
            Film::LeftOut => (user_id, None),
        })
    }
}

impl UserRatings {
    fn add(&mut self, rating: Option<Rating>) {
        match rating {
            Some(rating) => self.ratings.push(rating),
            None => self.left_out += 1,
        }
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

    fn users(rows: &str) -> (Vec<UserRatings>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let [films, ratings] = ["movies.csv", "ratings.csv"].map(|name| dir.path().join(name));
        let titles = "movieId,title,genres\n1,A (1999),Drama\n2,B (2000),Drama\n3,,Drama\n";
        fs::write(&films, titles).unwrap();
        fs::write(&ratings, format!("userId,movieId,rating,timestamp\n{rows}")).unwrap();
        let bar = ProgressBar::hidden();
        let movies = movies::read(&films, &bar, &mut |_| true).unwrap();
        let mut reader = Reader::open(&ratings, &movies, &bar).unwrap();
        let (mut users, mut flaws) = (vec![], vec![]);
        while let Some(user) = reader.user(&mut flaws).unwrap() {
            users.push(user);
        }
        (users, flaws.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn ratings_come_user_by_user_in_the_order_of_time() {
        let (found, flaws) = users("1,1,4.0,200\n1,2,2.5,100\n2,1,5.0,50\n");
        let times = |user: &UserRatings| -> Vec<_> {
            user.ratings.iter().map(|rating| (rating.at_ms, rating.tenth_stars)).collect()
        };
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.user_id, times(first)), (1, vec![(100_000, 25), (200_000, 40)]));
        assert_eq!((second.user_id, times(second)), (2, vec![(50_000, 50)]));
        assert!(flaws.is_empty(), "{flaws:?}");
    }

    #[test]
    fn a_broken_rating_is_told_with_file_line_and_column_and_the_others_are_read() {
        for (row, expected) in [
            ("1,1,6.0,200", "ratings.csv:3: rating: must be from 0.5 to 5.0 stars, not \"6.0\""),
            ("1,9,4.0,200", "ratings.csv:3: movieId: must be a film of movies.csv, not \"9\""),
            ("1,1,4.0,x", "ratings.csv:3: timestamp: must be seconds since 1970, not \"x\""),
            ("1,1,4.0", "ratings.csv:3: "),
        ] {
            let (found, flaws) = users(&format!("1,2,3.0,100\n{row}\n1,1,4.0,300\n"));
            let [flaw] = flaws.as_slice() else { panic!("{flaws:?}") };
            assert!(flaw.contains(expected), "{flaw}");
            assert_eq!(found.iter().map(|user| user.ratings.len()).collect::<Vec<_>>(), [2]);
        }
    }

    #[test]
    fn ratings_of_a_film_that_is_left_out_are_left_out_without_an_error() {
        let (found, flaws) = users("1,3,3.0,100\n1,1,4.0,300\n");
        let [user] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((user.ratings.len(), user.left_out, flaws.len()), (1, 1, 0));
    }

    #[test]
    fn a_user_who_comes_back_later_is_refused() {
        let (found, flaws) = users("1,1,4.0,200\n2,1,4.0,200\n1,2,4.0,200\n");
        let [flaw] = flaws.as_slice() else { panic!("{flaws:?}") };
        assert!(flaw.contains("ratings.csv:4: userId: must be next to the other"), "{flaw}");
        assert_eq!(found.len(), 2);
    }
}
