//! The queries whose right answers are known, and how popular films are.

use std::collections::HashMap;

use super::table::{self, Flaw};

/// Something that people type, and what they mean by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The line that it stands in, counted from 1.
    pub line: u64,
    /// How its target was drawn, such as `popular` or `uniform`.
    pub stratum: String,
    /// How it differs from the title, such as `exact` or `typo1`.
    pub kind: String,
    /// What is typed, as it is: a space at its end says that a word is complete.
    pub text: String,
    /// The number of the film that it was made from.
    pub target: u32,
    /// The numbers of all films that are right answers, ascending; never empty.
    pub relevant: Vec<u32>,
}

/// Reads queries from a table with the columns `stratum`, `kind`, `query`, `target` and `relevant`,
/// the last of which lists the numbers of films with commas between them.
///
/// # Errors
/// The first thing that is wrong, with its line and column.
pub fn queries(text: &str) -> Result<Vec<Query>, Flaw> {
    let columns = ["stratum", "kind", "query", "target", "relevant"];
    table::read(text, &columns, |row| {
        let [stratum, kind, query, target, listed] = row.cells();
        for (column, cell) in [stratum, kind, query].into_iter().enumerate() {
            if cell.trim().is_empty() {
                return Err(row.flaw(column, "must not be empty".to_owned()));
            }
        }
        let relevant: Result<Vec<u32>, Flaw> =
            listed.split(',').map(|number| row.number(4, number.trim())).collect();
        let mut relevant = relevant?;
        relevant.sort_unstable();
        relevant.dedup();
        Ok(Query {
            line: row.line(),
            stratum: stratum.to_owned(),
            kind: kind.to_owned(),
            text: query.to_owned(),
            target: row.number(3, target)?,
            relevant,
        })
    })
}

/// Reads how popular films are, from a table with the columns `film` and `ratings`. A film that is
/// not in it has no ratings.
///
/// # Errors
/// The first thing that is wrong, with its line and column.
pub fn popularity(text: &str) -> Result<HashMap<u32, u32>, Flaw> {
    let rows = table::read(text, &["film", "ratings"], |row| {
        let [film, ratings] = row.cells();
        Ok((row.number(0, film)?, row.number(1, ratings)?))
    })?;
    Ok(rows.into_iter().collect())
}
