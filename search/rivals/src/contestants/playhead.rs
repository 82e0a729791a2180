//! Ours.

use std::path::Path;

use anyhow::Result;
use playhead_domain::ids::TitleId;
use playhead_domain::title::{CreditRole, Kind};
use playhead_search::index::{Document, Index, Options, Person};
use playhead_search::query::Request;
use uuid::Uuid;

use super::{DEPTH, Engine};
use crate::films::Film;

pub(super) const MANNER: &str = "the crate `playhead-search` with its defaults, as in the server; \
    votes are the popularity, nobody in particular asks, one commit behind all films.";

pub(super) fn build(dir: &Path, films: &[Film]) -> Result<()> {
    let index = Index::open(dir, Options::default())?;
    for film in films {
        index.put(&document(film))?;
    }
    index.commit("")?;
    // Merges that go on behind the commit belong to the build.
    Ok(index.close()?)
}

fn document(film: &Film) -> Document {
    let actor =
        |name: &String| Person { name: name.clone(), role: CreditRole::Actor, character: None };
    let title_id = TitleId(Uuid::from_u128(u128::from(film.number)));
    Document {
        year: film.year,
        genres: film.genres.clone(),
        people: film.cast.iter().map(actor).collect(),
        synopsis: film.extract.clone(),
        votes: film.votes,
        ..Document::new(title_id, Kind::Movie, film.title.clone())
    }
}

pub(super) struct Playhead {
    index: Index,
}

impl Playhead {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        Ok(Self { index: Index::open(dir, Options::default())? })
    }
}

impl Engine for Playhead {
    fn find(&mut self, text: &str) -> Result<Vec<u32>> {
        let answer =
            self.index.snapshot().search(&Request { first: DEPTH, ..Request::new(text) })?;
        let numbers = answer.hits.iter().map(|hit| u32::try_from(hit.title_id.0.as_u128()));
        Ok(numbers.collect::<Result<_, _>>()?)
    }
}
