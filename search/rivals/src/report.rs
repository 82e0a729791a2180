//! What came of it, as Markdown and as JSON.

use std::env;
use std::fmt::Write as _;
use std::thread;

use playhead_search::eval::{Latency, Measures, Row};
use serde::Serialize;

use crate::Options;
use crate::child::{Asked, Built};
use crate::contestants::Contestant;

/// How much less than a peer counts as behind: smaller than one place of one query of a thousand.
const BEHIND: f64 = 0.0005;

/// A row's name, its figure, what that is divided by to be in the unit, and the unit.
type SpeedRow = (&'static str, fn(&Figures) -> f64, f64, &'static str);

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The arguments of the run.
    pub arguments: String,
    /// How many cores there are.
    pub cores: usize,
    /// How many films there are.
    pub films: usize,
    /// How many queries there are.
    pub queries: usize,
    /// How often everything was measured.
    pub rounds: u32,
    /// Everybody, ours first.
    pub entries: Vec<Entry>,
}

/// What was measured of a contestant.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// Who.
    pub contestant: Contestant,
    /// The name with the version.
    pub title: String,
    /// How it was set up.
    pub manner: &'static str,
    /// How good the answers of the first round are, per kind and stratum.
    pub quality: Vec<Row>,
    /// The same for all queries together.
    pub all: Measures,
    /// The figures of each round.
    pub rounds: Vec<Figures>,
}

/// What a round took.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figures {
    /// How long queries took.
    pub latency: Latency,
    /// Processor time per query, in microseconds.
    pub cpu_us: f64,
    /// From films in memory to a durable index, in seconds.
    pub build_s: f64,
    /// The processor time of that, in seconds.
    pub build_cpu_s: f64,
    /// The index on disk, in MB (10^6 bytes).
    pub disk_mb: f64,
    /// Resident memory after all queries, in MB.
    pub resident_mb: f64,
    /// Until the index was open, in milliseconds.
    pub open_ms: f64,
}

impl Figures {
    /// Of a build and an asking.
    #[must_use]
    pub(crate) fn new(built: Built, asked: &Asked, latency: Latency) -> Self {
        Self {
            latency,
            cpu_us: asked.cpu_us,
            build_s: built.seconds,
            build_cpu_s: built.cpu_seconds,
            disk_mb: built.disk_mb,
            resident_mb: asked.resident_mb,
            open_ms: asked.open_ms,
        }
    }
}

impl Entry {
    /// The median of the rounds.
    fn median(&self, of: fn(&Figures) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.rounds.iter().map(of).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    }

    fn measures(&self, kind: &str, stratum: &str) -> Option<&Measures> {
        let row = self.quality.iter().find(|row| row.kind == kind && row.stratum == stratum)?;
        Some(&row.measures)
    }
}

impl Report {
    /// Before anything was measured.
    #[must_use]
    pub(crate) fn new(options: &Options, films: usize, queries: usize) -> Self {
        Self {
            arguments: env::args().skip(1).collect::<Vec<_>>().join(" "),
            cores: thread::available_parallelism().map_or(0, usize::from),
            films,
            queries,
            rounds: options.rounds,
            entries: vec![],
        }
    }

    /// The tables, and how everybody was set up.
    #[must_use]
    pub(crate) fn markdown(&self) -> String {
        let arguments = match self.arguments.as_str() {
            "" => String::new(),
            given => format!(" ARGS=\"{given}\""),
        };
        let rounds = match self.rounds {
            1 => "one round".to_owned(),
            rounds => format!("medians of {rounds} rounds in turn"),
        };
        let (films, queries, cores) = (self.films, self.queries, self.cores);
        let mut text = format!(
            "`make search-rivals{arguments}`: {films} films, {queries} queries, one after the other, \
             {cores} cores; {rounds}.\n\n"
        );
        text += "MRR@10 / success@1; in bold what is better than ours.\n\n";
        text += &self.quality();
        text += "\n";
        text += &self.speed();
        text += "\n";
        for entry in &self.entries {
            let _infallible = writeln!(text, "- **{}**: {}", entry.title, entry.manner);
        }
        text
    }

    fn quality(&self) -> String {
        let mut text = self.heading("| kind | stratum | queries |", 3);
        let Some(first) = self.entries.first() else { return text };
        let score = |measures: &Measures| {
            format!("{:.3} / {:.3}", measures.mrr_at_10, measures.success_at_1)
        };
        for row in &first.quality {
            let of = |entry: &Entry| entry.measures(&row.kind, &row.stratum).map(score);
            let line = self.line(of, |entry| {
                entry.measures(&row.kind, &row.stratum).map_or(0.0, |measures| measures.mrr_at_10)
            });
            let (kind, stratum, queries) = (&row.kind, &row.stratum, row.measures.queries);
            let ceiling = row.measures.ceiling.map(|it| format!(" (by popularity {it:.3})"));
            let ceiling = ceiling.unwrap_or_default();
            let _infallible = writeln!(text, "| {kind}{ceiling} | {stratum} | {queries} |{line}");
        }
        let line = self.line(|entry| Some(score(&entry.all)), |entry| entry.all.mrr_at_10);
        let _infallible = writeln!(text, "| all | | {} |{line}", first.all.queries);
        text
    }

    fn speed(&self) -> String {
        let rows: [SpeedRow; 8] = [
            ("p50 of a search", |figures| figures.latency.p50_us, 1e3, "ms"),
            ("p99 of a search", |figures| figures.latency.p99_us, 1e3, "ms"),
            ("processor time per search", |figures| figures.cpu_us, 1e3, "ms"),
            ("build", |figures| figures.build_s, 1.0, "s"),
            ("build, processor time", |figures| figures.build_cpu_s, 1.0, "s"),
            ("index on disk", |figures| figures.disk_mb, 1.0, "MB"),
            ("resident memory after all searches", |figures| figures.resident_mb, 1.0, "MB"),
            ("open", |figures| figures.open_ms, 1.0, "ms"),
        ];
        let mut text = self.heading("| |", 1);
        for (name, of, divisor, unit) in rows {
            let cell = |entry: &Entry| {
                let figure = entry.median(of) / divisor;
                let digits = if figure < 10.0 { 2 } else { usize::from(figure < 100.0) };
                Some(format!("{figure:.digits$} {unit}"))
            };
            // Less is better.
            let line = self.line(cell, |entry| -entry.median(of));
            let _infallible = writeln!(text, "| {name} |{line}");
        }
        text
    }

    fn heading(&self, before: &str, columns: usize) -> String {
        let titles: Vec<&str> = self.entries.iter().map(|entry| entry.title.as_str()).collect();
        let rule = "---|".repeat(columns + titles.len());
        format!("{before} {} |\n|{rule}\n", titles.join(" | "))
    }

    /// The cells of a row; in bold those of peers that are better than ours.
    fn line(
        &self,
        cell: impl Fn(&Entry) -> Option<String>,
        goodness: impl Fn(&Entry) -> f64,
    ) -> String {
        let ours = self.entries.iter().find(|entry| entry.contestant == Contestant::Playhead);
        let cells = self.entries.iter().map(|entry| {
            let text = cell(entry).unwrap_or_else(|| "—".to_owned());
            let better = ours.is_some_and(|ours| goodness(entry) > goodness(ours) + BEHIND);
            if better { format!(" **{text}** |") } else { format!(" {text} |") }
        });
        cells.collect()
    }
}
