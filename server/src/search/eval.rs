//! `playhead search eval`: asks queries whose answers are known.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use playhead_search::eval::{Board, Ceiling, DEPTH, Query, is_prefix_kind, popularity, queries};
use playhead_search::index::{Index, Options};
use playhead_search::popularity::Popularity;
use playhead_search::query::Request;
use playhead_search::suggest::{Suggester, Target};

use super::catalogue::Catalogue;
use super::gate::{self, Least};
use super::report::{Failure, Report};
use crate::failure::{Advise, Misuse};
use crate::import::films;
use crate::{output, progress};

/// The table of popularity that is taken if none is named, beside the queries.
const POPULARITY: &str = "popularity.tsv";

/// Which queries to ask of what.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead search eval queries.tsv films
  playhead search eval queries.tsv films --kind typo1,typo2 --failures 20
  playhead search eval queries.tsv films --min exact=0.99 --min typo1/popular=0.98
  playhead search eval queries.tsv films --autocomplete --kind prefix3
  playhead search eval queries.tsv films --json | jq '.rows[] | {kind, stratum, mrr_at_10}'

QUERIES is tab-separated, with the columns stratum, kind, query, target and relevant (numbers of
films with commas between them). Films are numbered from 1 through the movies-*.json of CATALOGUE in
the order of their names. The ceiling is the MRR@10 that all titles with the prefix would reach in
the order of their popularity. The index is made in a temporary directory and left nowhere.")]
pub struct Args {
    /// The queries
    #[arg(value_name = "QUERIES")]
    pub queries: PathBuf,
    /// A directory of films as JSON arrays, or one file
    #[arg(value_name = "CATALOGUE")]
    pub catalogue: PathBuf,
    /// How popular films are: tab-separated, with the columns film and ratings [default:
    /// popularity.tsv beside QUERIES if it is there]
    #[arg(long, value_name = "FILE")]
    pub popularity: Option<PathBuf>,
    /// Only queries of these kinds
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,
    /// Show so many queries that are not answered first of all, and what came instead
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub failures: usize,
    /// Fail if the MRR@10 of a kind is lower
    #[arg(long = "min", value_name = "KIND[/STRATUM]=MRR")]
    pub least: Vec<Least>,
    /// Ask what completes what is typed, instead of searching
    #[arg(long)]
    pub autocomplete: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Asks the queries and prints what came of it.
///
/// # Errors
/// A file cannot be read or is broken, or less than a minimum is reached.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let report = measure(args)?;
    output::print(args.json, &report, || report.text())?;
    gate::check(&args.least, &report.rows)
}

/// Asks the queries.
///
/// # Errors
/// A file cannot be read or is broken.
pub(super) fn measure(args: &Args) -> anyhow::Result<Report> {
    let queries = read_queries(args)?;
    let (popularity_file, votes) = read_popularity(args)?;
    let (_, bytes) = films::origins(std::slice::from_ref(&args.catalogue))?;
    let bar = progress::bar(bytes, "bytes of films");
    let catalogue = Catalogue::read(&args.catalogue, &bar)?;
    bar.finish_and_clear();
    check_numbers(&queries, &catalogue, &args.queries)?;
    let engine = Engine::new(&catalogue, &votes, args.autocomplete)?;
    let names = catalogue.documents().map(|(number, film)| (number, film.name.as_str()));
    let ceiling = Ceiling::new(names, votes);
    let mut board = Board::default();
    let mut failures = vec![];
    let bar = progress::bar(number(queries.len()), "queries");
    for query in &queries {
        let (found, took) = engine.ask(&catalogue, &query.text)?;
        let best = is_prefix_kind(&query.kind).then(|| ceiling.of(query));
        let rank = board.add(query, &found, took, best);
        if rank != Some(1) && failures.len() < args.failures {
            failures.push(Failure::of(query, rank, &found, &catalogue));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Report {
        popularity: popularity_file,
        films: catalogue.len(),
        films_left_out: catalogue.flaws.iter().map(ToString::to_string).collect(),
        build_ms: engine.build_ms,
        rows: board.rows(),
        all: board.all(),
        failures,
    })
}

fn read_queries(args: &Args) -> anyhow::Result<Vec<Query>> {
    let path = &args.queries;
    let read = queries(&read(path)?).with_context(|| format!("{} is broken", path.display()));
    let mut queries = read.advise(|| "mend that line; `--help` shows the columns".to_owned())?;
    let kinds: BTreeSet<String> = queries.iter().map(|query| query.kind.clone()).collect();
    if let Some(unknown) = args.kind.iter().find(|kind| !kinds.contains(*kind)) {
        let known = kinds.into_iter().collect::<Vec<_>>().join(", ");
        bail!(Misuse(format!("no query is of kind {unknown}; there are {known}")));
    }
    queries.retain(|query| args.kind.is_empty() || args.kind.contains(&query.kind));
    if queries.is_empty() {
        bail!("there is no query in {}", path.display());
    }
    Ok(queries)
}

/// The votes of films, and the file that they are from.
fn read_popularity(args: &Args) -> anyhow::Result<(Option<String>, HashMap<u32, u32>)> {
    let beside = || Some(args.queries.with_file_name(POPULARITY)).filter(|path| path.exists());
    let Some(path) = args.popularity.clone().or_else(beside) else {
        return Ok((None, HashMap::new()));
    };
    let votes = popularity(&read(&path)?);
    let votes = votes.with_context(|| format!("{} is broken", path.display()))?;
    Ok((Some(path.display().to_string()), votes))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path)
        .with_context(|| format!("reading {} failed", path.display()))
        .advise(|| "check the path, and that it is a text in UTF-8".to_owned())
}

/// # Errors
/// A query has a right answer that is no film, so that these are not the films it was made from.
fn check_numbers(queries: &[Query], catalogue: &Catalogue, path: &Path) -> anyhow::Result<()> {
    let known =
        |film: &u32| *film > 0 && usize::try_from(*film).is_ok_and(|it| it <= catalogue.len());
    for query in queries {
        if let Some(film) = query.relevant.iter().find(|film| !known(film)) {
            let (path, line, films) = (path.display(), query.line, catalogue.len());
            bail!("{path}, line {line}, column relevant: there is no film {film} among {films}");
        }
    }
    Ok(())
}

/// What answers.
struct Engine {
    asked: Asked,
    build_ms: u64,
    /// Removed with it.
    _directory: tempfile::TempDir,
}

enum Asked {
    Search(Box<Index>),
    Autocomplete(Box<Suggester>),
}

impl Engine {
    fn new(
        catalogue: &Catalogue,
        votes: &HashMap<u32, u32>,
        complete: bool,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a temporary directory failed")?;
        let votes_of = |film: u32| votes.get(&film).copied().unwrap_or(0);
        let began = Instant::now();
        let bar = progress::bar(number(catalogue.documents().count()), "films");
        let documents = catalogue.documents().inspect(|_| bar.inc(1));
        let asked = if complete {
            let documents = documents.map(|(film, document)| (document.clone(), votes_of(film)));
            Asked::Autocomplete(Box::new(Suggester::build(documents)?))
        } else {
            let index = Index::open(directory.path(), Options::default())?;
            let mut plays = HashMap::new();
            for (film, document) in documents {
                index.put(document)?;
                plays.insert(document.title_id, votes_of(film));
            }
            index.commit("")?;
            index.set_popularity(Popularity::new(plays))?;
            Asked::Search(Box::new(index))
        };
        bar.finish_and_clear();
        let build_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Self { asked, build_ms, _directory: directory })
    }

    /// The numbers of the films that are found, and how long that took.
    fn ask(&self, catalogue: &Catalogue, text: &str) -> anyhow::Result<(Vec<u32>, Duration)> {
        let (ids, took) = match &self.asked {
            Asked::Search(index) => {
                let request = Request { first: DEPTH, ..Request::new(text) };
                let began = Instant::now();
                let answer = index.snapshot().search(&request);
                let took = began.elapsed();
                let answer = answer.with_context(|| format!("searching {text:?} failed"))?;
                (answer.hits.into_iter().map(|hit| hit.title_id).collect::<Vec<_>>(), took)
            }
            Asked::Autocomplete(suggester) => {
                let began = Instant::now();
                let found = suggester.suggest(text, None, DEPTH);
                let took = began.elapsed();
                let titles = found?.into_iter().filter_map(|it| match it.target {
                    Target::Title { id, .. } => Some(id),
                    Target::Person | Target::Genre => None,
                });
                (titles.collect(), took)
            }
        };
        let numbers: anyhow::Result<Vec<u32>> =
            ids.into_iter().map(|id| catalogue.number(id)).collect();
        Ok((numbers?, took))
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
