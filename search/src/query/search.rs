//! From a request to an answer.

use std::cmp::Reverse;

use playhead_domain::ids::TitleId;

use super::gate::Gate;
use super::pass::{NearNames, Pass};
use super::plan::Plan;
use super::request::{Error, Request};
use super::tier::{Grade, Tier};
use super::words::corrected;
use crate::index::Snapshot;

/// With this many titles found, misspellings are no longer looked for: whoever wants a tenth hit
/// that was typed differently can say more.
const ENOUGH: usize = 10;

/// What was found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The hits that were asked for, best first.
    pub hits: Vec<Hit>,
    /// How many titles match.
    pub total: usize,
}

/// A title that matches.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The title.
    pub title_id: TitleId,
    /// How it matches.
    pub tier: Tier,
}

type Ranked = (u32, Reverse<u32>, Grade, u16, TitleId);

impl Snapshot {
    /// Finds titles.
    ///
    /// # Errors
    /// The field of the request that breaks its rule, or the index cannot be read.
    pub fn search(&self, request: &Request) -> Result<Answer, Error> {
        request.validate()?;
        let plan = Plan::of(&request.text, &[]);
        let gate = Gate::new(self, &request.filters, request.audience);
        let mut passes: Vec<Pass<'_>> = self
            .segments
            .iter()
            .map(|segment| Pass::new(segment, &self.fields, gate.at(segment)))
            .collect();
        for reading in &plan.readings {
            for pass in &mut passes {
                pass.names(reading)?;
                pass.name_and_person(reading)?;
                pass.words(reading, None)?;
            }
        }
        if passes.iter().map(Pass::well_matched).sum::<usize>() < ENOUGH {
            for reading in &plan.readings {
                let near = NearNames::of(reading);
                let words = corrected(reading);
                for pass in &mut passes {
                    pass.names_edited(reading, &near)?;
                    pass.words(reading, Some(&words))?;
                }
            }
        }
        let mut ranked: Vec<Ranked> = vec![];
        for pass in &passes {
            for doc in &pass.found {
                let place = *doc as usize;
                if let (Some(grade), Some(row), Some(popularity)) = (
                    pass.grades.get(place),
                    pass.segment.row(*doc),
                    pass.segment.popularity.get(place),
                ) {
                    ranked.push((grade.above(), Reverse(*popularity), *grade, row.length, row.title_id));
                }
            }
        }
        let total = ranked.len();
        ranked.sort_unstable();
        let hits = ranked
            .iter()
            .skip(request.offset)
            .take(request.first)
            .filter_map(|(_, _, grade, _, title_id)| {
                Some(Hit { title_id: *title_id, tier: grade.tier()? })
            })
            .collect();
        Ok(Answer { hits, total })
    }
}
