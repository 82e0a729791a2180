//! Collects what came of queries and says what it comes to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::queries::Query;

/// How many answers to a query count.
pub const DEPTH: usize = 10;

/// Where the first right answer stands among what was found, counted from 1; `None` if it is not
/// among the first [`DEPTH`].
#[must_use]
pub fn rank(found: &[u32], relevant: &[u32]) -> Option<u32> {
    let ranked = (1..).zip(found.iter().take(DEPTH));
    ranked.into_iter().find(|(_, film)| relevant.contains(film)).map(|(rank, _)| rank)
}

/// How long queries took, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// The mean.
    pub mean_us: f64,
    /// What half of them took at most.
    pub p50_us: f64,
    /// What 99 of 100 took at most.
    pub p99_us: f64,
    /// The slowest.
    pub max_us: f64,
}

impl Latency {
    /// Of these times; zeros if there are none.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let micros = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e6);
        // The nearest rank: the smallest time that so many of a hundred do not exceed.
        let percentile = |percent: usize| {
            let nearest = (times.len() * percent).div_ceil(100);
            micros(times.get(nearest.saturating_sub(1)))
        };
        let total: Duration = times.iter().sum();
        let mean_us = total.as_secs_f64() * 1e6 / number(times.len()).max(1.0);
        Self {
            mean_us,
            p50_us: percentile(50),
            p99_us: percentile(99),
            max_us: micros(times.last()),
        }
    }
}

/// How good the answers to some queries are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// How many queries these are.
    pub queries: usize,
    /// The mean of one divided by the rank, from 0 to 1.
    pub mrr_at_10: f64,
    /// The share that has a right answer first, from 0 to 1.
    pub success_at_1: f64,
    /// The share that has a right answer among the first five, from 0 to 1.
    pub success_at_5: f64,
    /// The MRR@10 that ordering by popularity would give, for what is a prefix of a title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// How long they took.
    pub latency: Latency,
}

/// The measures of the queries of one kind and stratum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// How the queries differ from the title.
    pub kind: String,
    /// How their targets were drawn.
    pub stratum: String,
    /// How good the answers are.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What came of queries so far.
#[derive(Debug, Default)]
pub struct Board {
    cells: BTreeMap<(String, String), Cell>,
}

#[derive(Debug, Default)]
struct Cell {
    ranks: Vec<Option<u32>>,
    ceilings: Vec<f64>,
    times: Vec<Duration>,
}

impl Board {
    /// Takes down what was found for a query and how long that took; answers the rank of the first
    /// right answer. `ceiling` is the share that ordering by popularity would earn, where it could.
    pub fn add(
        &mut self,
        query: &Query,
        found: &[u32],
        took: Duration,
        ceiling: Option<f64>,
    ) -> Option<u32> {
        let cell = self.cells.entry((query.kind.clone(), query.stratum.clone())).or_default();
        let rank = rank(found, &query.relevant);
        cell.ranks.push(rank);
        cell.ceilings.extend(ceiling);
        cell.times.push(took);
        rank
    }

    /// The measures per kind and stratum, in the order of their names.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let rows = self.cells.iter().map(|((kind, stratum), cell)| Row {
            kind: kind.clone(),
            stratum: stratum.clone(),
            measures: Measures::of(&[cell]),
        });
        rows.collect()
    }

    /// The measures of all queries together.
    #[must_use]
    pub fn all(&self) -> Measures {
        Measures::of(&self.cells.values().collect::<Vec<_>>())
    }
}

impl Measures {
    fn of(cells: &[&Cell]) -> Self {
        let ranks = || cells.iter().flat_map(|cell| &cell.ranks);
        let queries = ranks().count();
        // The sum of nothing is -0.
        let mean = |sum: f64| sum.max(0.0) / number(queries).max(1.0);
        let within = |depth: u32| {
            let hits = ranks().filter(|rank| rank.is_some_and(|rank| rank <= depth));
            mean(number(hits.count()))
        };
        let ceilings = cells.iter().flat_map(|cell| &cell.ceilings);
        // Of some queries only it would not be comparable.
        let has_ceiling = queries > 0 && ceilings.clone().count() == queries;
        Self {
            queries,
            mrr_at_10: mean(ranks().flatten().map(|rank| 1.0 / f64::from(*rank)).sum()),
            success_at_1: within(1),
            success_at_5: within(5),
            ceiling: has_ceiling.then(|| mean(ceilings.sum())),
            latency: Latency::of(cells.iter().flat_map(|cell| cell.times.clone()).collect()),
        }
    }
}

/// A count; beyond 4,294,967,295 it stays there, which no list of queries reaches.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
