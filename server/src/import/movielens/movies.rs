//! `movies.csv`: MovieLens's films.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indicatif::ProgressBar;
use playhead_domain::TitleId;
use playhead_domain::title::{Kind, Metadata, Source};

use super::MOVIELENS;
use super::table::{Row, Table};
use crate::ids;
use crate::import::Flaw;
use crate::import::put::Found;

/// All films by MovieLens's id; 27 million ratings come with 60,000 of them.
#[derive(Default)]
pub(super) struct Movies(BTreeMap<u32, Film>);

/// What became of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Film {
    /// This title.
    Title(TitleId),
    /// It is broken and left out, and its ratings with it.
    LeftOut,
}

impl Movies {
    /// What became of a film; `None` if there is no such film.
    pub(super) fn film(&self, movie_id: u32) -> Option<Film> {
        self.0.get(&movie_id).copied()
    }
}

/// Reads the whole file, and hands over each film, or what is wrong with it, until the receiver has
/// had enough.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(
    path: &Path,
    bar: &ProgressBar,
    emit: &mut dyn FnMut(Result<Found, Flaw>) -> bool,
) -> anyhow::Result<Movies> {
    let mut table = Table::open(path, ["movieId", "title", "genres"], bar)?;
    let mut movies = Movies::default();
    while let Some(row) = table.next_row()? {
        let found = row.and_then(|row| {
            let movie_id = row.parse(0, "a whole number")?;
            if movies.0.contains_key(&movie_id) {
                return Err(row.flaw(0, "there once"));
            }
            let found = film(&row, movie_id);
            let film = found.as_ref().map_or(Film::LeftOut, |found| Film::Title(found.title_id));
            movies.0.insert(movie_id, film);
            found
        });
        if !emit(found) {
            break;
        }
    }
    Ok(movies)
}

fn film(row: &Row<3>, movie_id: u32) -> Result<Found, Flaw> {
    let [_, title, genres] = row.texts();
    let key = movie_id.to_string();
    let (name, year) = name_and_year(title);
    let metadata = Metadata {
        year,
        genres: genre_list(genres),
        source: Some(Source { catalogue: MOVIELENS.to_owned(), key: key.clone() }),
        ..Metadata::new(Kind::Movie, name)
    };
    metadata
        .validate()
        .map_err(|invalid| row.flaw(if invalid.field == "genres" { 2 } else { 1 }, invalid.rule))?;
    let title_id = ids::title(MOVIELENS, &key);
    let (file, line, unknown) = (row.file(), row.line(), BTreeSet::new());
    Ok(Found { title_id, metadata, unknown, file, line })
}

/// `Toy Story (1995)` is the name and the year; a name without a year is one.
fn name_and_year(title: &str) -> (&str, Option<u16>) {
    let title = title.trim();
    let parts = title.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    match parts {
        Some((name, year)) if year.len() == 4 && !name.trim().is_empty() => match year.parse() {
            Ok(year) => (name.trim(), Some(year)),
            Err(_) => (title, None),
        },
        _ => (title, None),
    }
}

fn genre_list(genres: &str) -> Vec<String> {
    if genres == "(no genres listed)" {
        return vec![];
    }
    genres.split('|').filter(|genre| !genre.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_year_stands_in_brackets_at_the_end() {
        assert_eq!(name_and_year("Toy Story (1995)"), ("Toy Story", Some(1995)));
        assert_eq!(
            name_and_year("City of Lost Children, The (Cité des enfants perdus, La) (1995)"),
            ("City of Lost Children, The (Cité des enfants perdus, La)", Some(1995))
        );
        assert_eq!(name_and_year("Babylon 5"), ("Babylon 5", None));
        assert_eq!(name_and_year("Death Note (2006–2007)"), ("Death Note (2006–2007)", None));
        assert_eq!(name_and_year("(1995)"), ("(1995)", None));
    }

    #[test]
    fn a_film_without_genres_has_none() {
        assert_eq!(genre_list("Comedy|Drama"), ["Comedy", "Drama"]);
        assert!(genre_list("(no genres listed)").is_empty());
    }

    #[test]
    fn a_broken_film_is_told_with_file_line_and_column_and_the_others_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("movies.csv");
        let rows = "movieId,title,genres\n1,\"A, B (1999)\",Drama\nx,C (2000),Drama\n1,D,Drama\n2,,Drama\n\
                    3,E (2001)\n4,F,Drama\n";
        fs::write(&file, rows).unwrap();
        let mut told = vec![];
        let mut emit = |found: Result<Found, Flaw>| {
            told.extend(found.err().map(|flaw| flaw.to_string()));
            true
        };
        let movies = read(&file, &ProgressBar::hidden(), &mut emit).unwrap();
        let known: Vec<_> = movies.0.values().map(|film| *film != Film::LeftOut).collect();
        assert_eq!(known, [true, false, true]);
        for (told, expected) in told.iter().zip([
            "movies.csv:3: movieId: must be a whole number, not \"x\"",
            "movies.csv:4: movieId: must be there once, not \"1\"",
            "movies.csv:5: title: must be a line of 1 to 500 characters, not \"\"",
            "movies.csv:6: ",
        ]) {
            assert!(told.contains(expected), "{told}");
        }
        assert_eq!(told.len(), 4);
        fs::write(&file, "id,title\n").unwrap();
        let error = read(&file, &ProgressBar::hidden(), &mut |_| true).err().unwrap().to_string();
        assert!(error.contains("header must begin with movieId,title,genres"), "{error}");
    }
}
