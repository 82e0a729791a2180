//! Figures, their medians, and how they are written down.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::contestants::Contestant;

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// More is better.
    PerSecond,
    /// Less is better, as with all below.
    Milliseconds,
    /// Of latency.
    Microseconds,
    /// 10^6 bytes.
    Megabytes,
    /// Syncs per append.
    PerAppend,
}

impl Unit {
    fn suffix(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Megabytes => "MB",
            Self::PerAppend => "per append",
        }
    }

    /// How many times the first is as good as the second.
    fn advantage(self, ours: f64, theirs: f64) -> f64 {
        if self == Self::PerSecond { ours / theirs } else { theirs / ours }
    }
}

/// One workload: every figure of every contestant.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was done.
    pub workload: String,
    /// What the figures are.
    pub unit: Unit,
    figures: BTreeMap<Contestant, Vec<f64>>,
}

impl Row {
    fn median(&self, contestant: Contestant) -> Option<f64> {
        let figures = self.figures.get(&contestant)?;
        figures.get(figures.len() / 2).copied()
    }

    fn cell(&self, contestant: Contestant) -> String {
        let Some(figures) = self.figures.get(&contestant) else { return "—".to_owned() };
        let (Some(median), [lowest, .., highest]) = (self.median(contestant), &figures[..]) else {
            return figures.first().map_or("—".to_owned(), |only| self.with_unit(*only));
        };
        let range = format!("{}–{}", number(*lowest), number(*highest));
        let mut cell = format!("{} ({range})", self.with_unit(median));
        if contestant != Contestant::Playhead
            && let Some(ours) = self.median(Contestant::Playhead)
        {
            let _infallible = write!(cell, " {}", times(self.unit.advantage(ours, median)));
        }
        cell
    }

    fn with_unit(&self, figure: f64) -> String {
        let gap = if self.unit == Unit::PerSecond { "" } else { " " };
        format!("{}{gap}{}", number(figure), self.unit.suffix())
    }
}

/// All workloads, in the order in which they were first measured.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Notes a figure down.
    pub(crate) fn add(&mut self, workload: &str, unit: Unit, contestant: Contestant, figure: f64) {
        let known = self.rows.iter().position(|row| row.workload == workload);
        let row = match known {
            Some(nth) => self.rows.get_mut(nth),
            None => {
                let (workload, figures) = (workload.to_owned(), BTreeMap::new());
                self.rows.push(Row { workload, unit, figures });
                self.rows.last_mut()
            }
        };
        if let Some(row) = row {
            let figures = row.figures.entry(contestant).or_default();
            figures.push(figure);
            figures.sort_by(f64::total_cmp);
        }
    }

    /// The table in Markdown: medians, with the lowest and the highest, and how many times ours is
    /// as good.
    #[must_use]
    pub(crate) fn markdown(&self, contestants: &[Contestant]) -> String {
        let titles: Vec<String> = contestants.iter().map(|one| one.title()).collect();
        let mut text =
            format!("| | {} |\n|---|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
        for row in &self.rows {
            let cells: Vec<String> = contestants.iter().map(|one| row.cell(*one)).collect();
            let _infallible = writeln!(text, "| {} | {} |", row.workload, cells.join(" | "));
        }
        text
    }
}

/// `×2.0` if ours is twice as good, in bold if it is not as good.
fn times(advantage: f64) -> String {
    let digits = if advantage < 10.0 { 2 } else { 0 };
    if advantage < 1.0 {
        format!("**×{advantage:.2}**")
    } else {
        format!("×{advantage:.digits$}")
    }
}

/// Three digits or more, thousands apart.
#[must_use]
pub(crate) fn number(figure: f64) -> String {
    if figure < 100.0 {
        return format!("{figure:.*}", if figure < 10.0 { 2 } else { 1 });
    }
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
