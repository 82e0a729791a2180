//! `movies.csv`: MovieLens's films.

use std::collections::BTreeMap;
use std::path::Path;

use playhead_domain::TitleId;
use playhead_domain::title::{Kind, Metadata, Source};

use super::MOVIELENS;
use super::table::{Row, Table};
use crate::ids;
use crate::import::Flaw;
use crate::import::titles::Found;

/// All films by MovieLens's id; 27 million ratings come with 60,000 of them.
pub(super) struct Movies(BTreeMap<u32, Found>);

impl Movies {
    /// All films, as titles.
    pub(super) fn titles(&self) -> impl Iterator<Item = &Found> {
        self.0.values()
    }

    /// The title that a film became.
    pub(super) fn title_id(&self, movie_id: u32) -> Option<TitleId> {
        self.0.get(&movie_id).map(|found| found.title_id)
    }
}

/// Reads the whole file.
///
/// # Errors
/// It cannot be read, or a film breaks a rule.
pub(super) fn read(path: &Path) -> anyhow::Result<Movies> {
    let mut table = Table::open(path, ["movieId", "title", "genres"])?;
    let mut movies = BTreeMap::new();
    while let Some(row) = table.next_row()? {
        let movie_id = row.parse(0, "a whole number")?;
        movies.insert(movie_id, film(&row, movie_id)?);
    }
    Ok(Movies(movies))
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
    Ok(Found { title_id, metadata, file: row.file(), line: row.line() })
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
    fn a_broken_film_is_told_with_file_line_and_column() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("movies.csv");
        fs::write(&file, "movieId,title,genres\n1,\"A, B (1999)\",Drama\nx,C (2000),Drama\n")
            .unwrap();
        let error = read(&file).err().unwrap().to_string();
        assert!(
            error.ends_with("movies.csv:3: movieId: must be a whole number, not \"x\""),
            "{error}"
        );
        fs::write(&file, "id,title\n").unwrap();
        let error = read(&file).err().unwrap().to_string();
        assert!(error.contains("header must begin with movieId,title,genres"), "{error}");
    }
}
