//! What must be reached, so that a script can tell when quality falls.

use std::str::FromStr;

use anyhow::bail;
use playhead_search::eval::Row;

use crate::output;

/// The least MRR@10 of a kind, in all of its strata or in one: `KIND=MRR` or `KIND/STRATUM=MRR`.
#[derive(Debug, Clone, PartialEq)]
pub struct Least {
    kind: String,
    stratum: Option<String>,
    mrr: f64,
}

impl FromStr for Least {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || format!("{text:?} is not of the form KIND=MRR or KIND/STRATUM=MRR");
        let (of, mrr) = text.split_once('=').ok_or_else(rule)?;
        let mrr: f64 = mrr.parse().map_err(|_| rule())?;
        if !(0.0..=1.0).contains(&mrr) {
            return Err(format!("the MRR {mrr} is not from 0 to 1"));
        }
        let (kind, stratum) = match of.split_once('/') {
            Some((kind, stratum)) => (kind, Some(stratum.to_owned())),
            None => (of, None),
        };
        if kind.is_empty() {
            return Err(rule());
        }
        Ok(Self { kind: kind.to_owned(), stratum, mrr })
    }
}

impl Least {
    fn is_about(&self, row: &Row) -> bool {
        self.kind == row.kind && self.stratum.as_ref().is_none_or(|it| *it == row.stratum)
    }
}

/// Whether everything is reached.
///
/// # Errors
/// What is not, or what no query is about.
pub(super) fn check(least: &[Least], rows: &[Row]) -> anyhow::Result<()> {
    let mut missed = vec![];
    for least in least {
        let about: Vec<&Row> = rows.iter().filter(|row| least.is_about(row)).collect();
        if about.is_empty() {
            missed.push(format!("no query is of kind {}", least.kind));
        }
        let below = about.into_iter().filter(|row| row.measures.mrr_at_10 < least.mrr);
        missed.extend(below.map(|row| {
            let Row { kind, stratum, measures } = row;
            format!("{kind}/{stratum} reaches {:.4}, not {}", measures.mrr_at_10, least.mrr)
        }));
    }
    if !missed.is_empty() {
        let count = u64::try_from(missed.len()).unwrap_or(u64::MAX);
        bail!("{} missed: {}", output::counted(count, "minimum"), missed.join("; "));
    }
    Ok(())
}
