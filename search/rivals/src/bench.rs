//! One run: everybody builds and is asked, in turn, as often as there are rounds.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io::IsTerminal as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use playhead_search::eval::{self, Board, Ceiling, Query};
use tempfile::TempDir;

use crate::Options;
use crate::child::{self, Asked, Built};
use crate::contestants::Contestant;
use crate::films::{self, Film};
use crate::made_up;
use crate::report::{Entry, Figures, Report};

/// What is asked of whom.
pub(crate) struct Bench {
    options: Options,
    films: Vec<Film>,
    queries: Vec<Query>,
    /// The share that ordering by popularity would earn, of each query.
    ceilings: Vec<Option<f64>>,
}

impl Bench {
    /// Reads, or makes up, what the options name.
    ///
    /// # Errors
    /// A file is missing or broken, or no query is left.
    pub(crate) fn new(options: Options) -> Result<Self> {
        let (films, queries) = match (&options.queries, &options.catalogue) {
            (Some(queries), Some(catalogue)) => {
                let votes = popularity(queries, options.popularity.as_deref())?;
                let read = eval::queries(&text(queries)?);
                let read = read.with_context(|| queries.display().to_string())?;
                (films::read(catalogue, &votes)?, read)
            }
            _ => made_up::catalogue_and_queries(),
        };
        let votes = films.iter().map(|film| (film.number, film.votes)).collect();
        let titles = films.iter().map(|film| (film.number, film.title.as_str()));
        let ceiling = Ceiling::new(titles, votes);
        let queries = chosen(queries, &options);
        ensure!(!queries.is_empty(), "no queries: none are of the kinds {:?}", options.kinds);
        let of = |query: &Query| eval::is_prefix_kind(&query.kind).then(|| ceiling.of(query));
        let ceilings = queries.iter().map(of).collect();
        Ok(Self { options, films, queries, ceilings })
    }

    /// Measures everybody.
    ///
    /// # Errors
    /// The first that failed, and with what.
    pub(crate) fn run(&self) -> Result<Report> {
        let dir = match &self.options.dir {
            Some(parent) => TempDir::with_prefix_in("search-rivals-", parent),
            None => TempDir::with_prefix("search-rivals-"),
        };
        let dir = dir.context("a directory for the indexes")?;
        // PostgreSQL runs as somebody else, who has to get to his own directory.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711))?;
        let films = dir.path().join("films.json");
        fs::write(&films, serde_json::to_string(&self.films)?)?;
        let queries = dir.path().join("queries.json");
        let texts: Vec<&str> = self.queries.iter().map(|query| query.text.as_str()).collect();
        fs::write(&queries, serde_json::to_string(&texts)?)?;
        let mut report = Report::new(&self.options, self.films.len(), self.queries.len());
        let bar = self.bar()?;
        for round in 1..=self.options.rounds {
            for contestant in &self.options.contestants {
                let place = dir.path().join(contestant.name());
                let shown = format!("round {round}, {}", contestant.title());
                bar.set_message(format!("{shown}: builds"));
                let built = child::built(*contestant, &place, &films)?;
                bar.set_message(format!("{shown}: answers"));
                let before = bar.position();
                let asked = child::asked(*contestant, &place, &queries, |done| {
                    bar.set_position(before + done);
                })?;
                bar.set_position(before + self.queries.len() as u64);
                fs::remove_dir_all(&place)?;
                self.note(&mut report, *contestant, built, &asked)?;
            }
        }
        bar.finish_and_clear();
        Ok(report)
    }

    /// Scores what a contestant answered in a round.
    fn note(
        &self,
        report: &mut Report,
        contestant: Contestant,
        built: Built,
        asked: &Asked,
    ) -> Result<()> {
        ensure!(asked.answers.len() == self.queries.len(), "some queries were not answered");
        let mut board = Board::default();
        for ((query, found), ceiling) in self.queries.iter().zip(&asked.answers).zip(&self.ceilings)
        {
            board.add(query, &found.films, Duration::from_nanos(found.nanos), *ceiling);
        }
        let all = board.all();
        let figures = Figures::new(built, asked, all.latency);
        match report.entries.iter_mut().find(|entry| entry.contestant == contestant) {
            Some(entry) => entry.rounds.push(figures),
            None => report.entries.push(Entry {
                contestant,
                title: contestant.title(),
                manner: contestant.manner(),
                quality: board.rows(),
                all,
                rounds: vec![figures],
            }),
        }
        Ok(())
    }

    fn bar(&self) -> Result<ProgressBar> {
        let asked = self.options.contestants.len() * self.queries.len();
        let bar = ProgressBar::new(asked as u64 * u64::from(self.options.rounds));
        let style = "{elapsed_precise} {bar:30} {pos}/{len} queries, {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(style)?);
        if std::io::stderr().is_terminal() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Ok(bar)
    }
}

/// The queries of the kinds that are wanted, as many of each as are wanted.
fn chosen(queries: Vec<Query>, options: &Options) -> Vec<Query> {
    let wanted = |query: &Query| options.kinds.is_empty() || options.kinds.contains(&query.kind);
    let queries: Vec<Query> = queries.into_iter().filter(wanted).collect();
    let Some(limit) = options.limit else { return queries };
    let mut left = HashMap::new();
    let mut within = |query: &Query| {
        let left = left.entry((query.kind.clone(), query.stratum.clone())).or_insert(limit);
        *left = left.checked_sub(1)?;
        Some(())
    };
    queries.into_iter().filter(|query| within(query).is_some()).collect()
}

/// The given file, or the one beside the queries; nobody is popular if there is none.
fn popularity(queries: &Path, given: Option<&Path>) -> Result<HashMap<u32, u32>> {
    let beside = queries.with_file_name("popularity.tsv");
    let path: PathBuf = match given {
        Some(given) => given.to_owned(),
        None if beside.exists() => beside,
        None => return Ok(HashMap::new()),
    };
    eval::popularity(&text(&path)?).with_context(|| path.display().to_string())
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
