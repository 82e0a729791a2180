//! What came of the queries, as people and as programs read it.

use playhead_search::eval::{Measures, Query, Row};
use serde::Serialize;

use super::catalogue::Catalogue;
use crate::output::{count, seconds, table};

/// How many of the films that came instead are told.
const INSTEAD: usize = 3;

/// What came of the queries.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where the popularity of films is from; without it all are equally popular.
    pub(super) popularity: Option<String>,
    /// How many films are numbered.
    pub(super) films: usize,
    /// The records among them that cannot be found, and why.
    pub(super) films_left_out: Vec<String>,
    /// How long it took until queries could be asked, in milliseconds.
    pub(super) build_ms: u64,
    /// The measures per kind and stratum.
    pub(super) rows: Vec<Row>,
    /// The measures of all queries together.
    pub(super) all: Measures,
    /// Queries that are not answered first of all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) failures: Vec<Failure>,
}

/// A query that is not answered first of all.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    kind: String,
    stratum: String,
    query: String,
    /// The line of the file.
    line: u64,
    /// Where the first right answer stands, counted from 1; `None` if not among the first ten.
    rank: Option<u32>,
    /// The film that the query was made from.
    target: String,
    /// What came first.
    instead: Vec<String>,
}

impl Failure {
    pub(super) fn of(
        query: &Query,
        rank: Option<u32>,
        found: &[u32],
        catalogue: &Catalogue,
    ) -> Self {
        let wrong = found.iter().take_while(|film| !query.relevant.contains(film));
        Self {
            kind: query.kind.clone(),
            stratum: query.stratum.clone(),
            query: query.text.clone(),
            line: query.line,
            rank,
            target: catalogue.label(query.target),
            instead: wrong.take(INSTEAD).map(|film| catalogue.label(*film)).collect(),
        }
    }

    fn text(&self) -> String {
        let rank = self.rank.map_or_else(|| "not found".to_owned(), |rank| format!("rank {rank}"));
        let instead = match self.instead.as_slice() {
            [] => "nothing".to_owned(),
            films => films.join(", "),
        };
        let Self { kind, stratum, query, line, target, .. } = self;
        format!("line {line}, {kind}/{stratum} {query:?}: {rank}; wanted {target}, came {instead}")
    }
}

impl Report {
    /// Lines for people.
    pub(super) fn text(&self) -> String {
        let popularity = self.popularity.as_deref().unwrap_or("none: all are equally popular");
        let films = count(u64::try_from(self.films).unwrap_or(u64::MAX));
        let mut lines = vec![
            format!("films: {films}, ready in {}", seconds(self.build_ms)),
            format!("popularity: {popularity}"),
        ];
        lines.extend(self.films_left_out.iter().map(|flaw| format!("left out: {flaw}")));
        let heading = [
            "kind",
            "stratum",
            "queries",
            "MRR@10",
            "ceiling",
            "success@1",
            "success@5",
            "mean us",
            "p50 us",
            "p99 us",
        ];
        let mut rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| cells(&row.kind, &row.stratum, &row.measures)).collect();
        rows.push(cells("all", "", &self.all));
        lines.push(table(&heading, &rows));
        lines.extend(self.failures.iter().map(Failure::text));
        lines.join("\n")
    }
}

fn cells(kind: &str, stratum: &str, measures: &Measures) -> Vec<String> {
    let share = |share: f64| format!("{share:.4}");
    let micros = |micros: f64| format!("{micros:>7.0}");
    vec![
        kind.to_owned(),
        stratum.to_owned(),
        measures.queries.to_string(),
        share(measures.mrr_at_10),
        measures.ceiling.map(share).unwrap_or_default(),
        share(measures.success_at_1),
        share(measures.success_at_5),
        micros(measures.latency.mean_us),
        micros(measures.latency.p50_us),
        micros(measures.latency.p99_us),
    ]
}
