//! IMDb's files as titles: all are read at once, side by side, because all are in the same order.

use std::collections::BTreeSet;
use std::path::Path;

use indicatif::ProgressBar;
use playhead_domain::title::{AudienceRating, Credit, EpisodeOf, Kind, Metadata};

use super::akas::{AKAS, Names as Akas};
use super::basics::{self, BASICS, Title};
use super::credits::{CREW, Credits, PRINCIPALS};
use super::names::{NAMES, Names};
use super::side::Side;
use super::table::{Layout, Line, Row, Table};
use super::{Filter, IMDB, Paths};
use crate::ids;
use crate::import::Flaw;
use crate::import::flow::{Content, Emitter, Entry};
use crate::import::put::Found;

const RATINGS: Layout<3> = Layout {
    file: "title.ratings",
    prefix: "tt",
    repeats: false,
    columns: ["tconst", "averageRating", "numVotes"],
};

const EPISODES: Layout<4> = Layout {
    file: "title.episode",
    prefix: "tt",
    repeats: false,
    columns: ["tconst", "parentTconst", "seasonNumber", "episodeNumber"],
};

/// All files, open.
pub(super) struct Joined {
    basics: Table<8>,
    sides: Sides,
    people: Option<Table<2>>,
    names: Option<Names>,
    filter: Filter,
    nameless: u64,
}

struct Sides {
    ratings: Option<Side<3>>,
    episodes: Option<Side<4>>,
    principals: Option<Side<5>>,
    crew: Option<Side<3>>,
    akas: Option<Side<7>>,
}

impl Joined {
    /// Opens the files.
    ///
    /// # Errors
    /// One cannot be read, or is another file.
    pub(super) fn open(paths: &Paths, filter: Filter, bar: &ProgressBar) -> anyhow::Result<Self> {
        fn side<const N: usize>(
            paths: &Paths,
            layout: Layout<N>,
            bar: &ProgressBar,
        ) -> anyhow::Result<Option<Side<N>>> {
            paths.of(layout.file).map(|path| Side::open(path, layout, bar)).transpose()
        }
        let people = paths.of(NAMES.file).map(|path| Table::open(path, NAMES, bar)).transpose()?;
        // Without the names of people, there is nothing to say of them.
        let named = people.is_some();
        Ok(Self {
            basics: Table::open(paths.basics(), BASICS, bar)?,
            sides: Sides {
                ratings: side(paths, RATINGS, bar)?,
                episodes: side(paths, EPISODES, bar)?,
                principals: if named { side(paths, PRINCIPALS, bar)? } else { None },
                crew: if named { side(paths, CREW, bar)? } else { None },
                akas: side(paths, AKAS, bar)?,
            },
            people,
            names: None,
            filter,
            nameless: 0,
        })
    }

    /// Emits an entry for each broken name of a person, for each title, and one at the end.
    ///
    /// # Errors
    /// A file cannot be read, or is not in order.
    pub(super) fn read(
        mut self,
        dir: Option<&Path>,
        emitter: &mut Emitter<Found>,
    ) -> anyhow::Result<()> {
        let went_on = emitter.is_past();
        if let Some(people) = self.people.take() {
            let mut wanted = true;
            let mut tell = |flaw| wanted = wanted && emitter.emit(Content::Flaw(flaw));
            self.names = Some(Names::copy(people, dir, &mut tell)?);
        }
        loop {
            let entry = match self.basics.advance()? {
                Line::End => break,
                // Where an earlier run was, only lines are counted.
                _ if emitter.is_past() => Content::Skipped("past").into(),
                Line::Broken(flaw) => Content::Flaw(flaw).into(),
                Line::Keyed => self.entry()?,
            };
            if !emitter.emit(entry) {
                return Ok(());
            }
        }
        self.finish(went_on, emitter)
    }

    fn entry(&mut self) -> anyhow::Result<Entry<Found>> {
        let row = match self.basics.row() {
            Ok(row) => row,
            Err(flaw) => return Ok(Content::Flaw(flaw).into()),
        };
        let (metadata, original) = match basics::title(&row, &self.filter) {
            Ok(Title::Wanted { metadata, original }) => (*metadata, original),
            Ok(Title::Skipped(reason)) => return Ok(Content::Skipped(reason).into()),
            Err(flaw) => return Ok(Content::Flaw(flaw).into()),
        };
        let mut parts = Parts { key: self.basics.key(), flaws: vec![], unknown: BTreeSet::new() };
        let rating = parts.rating(&mut self.sides)?;
        if rating.map_or(0, |rating| rating.votes) < self.filter.min_votes {
            return Ok(Entry { content: Content::Skipped("of few votes"), parts: parts.flaws });
        }
        let (credits, nameless) = parts.credits(&mut self.sides, self.names.as_mut())?;
        self.nameless += nameless;
        let akas = parts.akas(&mut self.sides)?;
        let metadata = Metadata {
            rating,
            credits,
            episode_of: parts.episode_of(&mut self.sides, &metadata)?,
            localized: akas.localized(&metadata.name, original.as_deref()),
            ..metadata
        };
        if let Err(invalid) = metadata.validate() {
            let flaw = row.flaw(0, format!("{} must be {}", invalid.field, invalid.rule));
            return Ok(Entry { content: Content::Flaw(flaw), parts: parts.flaws });
        }
        let title_id = ids::title(IMDB, &String::from_utf8_lossy(parts.key));
        let (file, line) = row.place();
        let Parts { flaws, unknown, .. } = parts;
        let found = Found { title_id, metadata, unknown, file, line };
        Ok(Entry { content: Content::Found(found), parts: flaws })
    }

    /// Checks what stands behind the last title, and says what was of no use.
    fn finish(self, went_on: bool, emitter: &mut Emitter<Found>) -> anyhow::Result<()> {
        fn rest<const N: usize>(
            side: Option<Side<N>>,
            flaws: &mut Vec<Flaw>,
        ) -> anyhow::Result<u64> {
            side.map_or(Ok(0), |mut side| side.finish(flaws))
        }
        let mut flaws = vec![];
        let Sides { ratings, episodes, principals, crew, akas } = self.sides;
        let passed_over = rest(ratings, &mut flaws)?
            + rest(episodes, &mut flaws)?
            + rest(principals, &mut flaws)?
            + rest(crew, &mut flaws)?
            + rest(akas, &mut flaws)?;
        let mut notes = vec![];
        if self.nameless > 0 {
            let problem = "credits left out: name.basics.tsv does not name the person";
            notes.push(format!("{} {problem}", self.nameless));
        }
        // What an earlier run dealt with was passed over, too, and would be counted.
        if passed_over > 0 && !went_on {
            notes.push(format!("{passed_over} lines passed over: their title is left out"));
        }
        let note = if notes.is_empty() { None } else { Some(notes.join("; ")) };
        let flaws = flaws.into_iter().map(Content::Flaw);
        for content in flaws.chain(note.map(Content::Note)) {
            if !emitter.emit(content) {
                break;
            }
        }
        Ok(())
    }
}

/// What other files say of one title.
struct Parts<'a> {
    key: &'a [u8],
    /// What is broken in it.
    flaws: Vec<Flaw>,
    /// Fields of which nothing is known, because a file is missing or broken.
    unknown: BTreeSet<&'static str>,
}

impl Parts<'_> {
    /// Takes the lines of the title in one file, which says what stands in these fields.
    fn take<const N: usize>(
        &mut self,
        side: Option<&mut Side<N>>,
        field: &'static str,
        take: impl FnMut(&Row<'_, N>) -> anyhow::Result<Result<(), Flaw>>,
    ) -> anyhow::Result<()> {
        let whole = match side {
            Some(side) => side.of(self.key, &mut self.flaws, take)?,
            None => false,
        };
        if !whole {
            self.unknown.insert(field);
        }
        Ok(())
    }

    fn rating(&mut self, sides: &mut Sides) -> anyhow::Result<Option<AudienceRating>> {
        let mut found = None;
        self.take(sides.ratings.as_mut(), "rating", |row| {
            Ok(rating(row).map(|rating| found = Some(rating)))
        })?;
        Ok(found)
    }

    fn episode_of(
        &mut self,
        sides: &mut Sides,
        title: &Metadata,
    ) -> anyhow::Result<Option<EpisodeOf>> {
        let mut found = None;
        self.take(sides.episodes.as_mut(), "episode_of", |row| {
            Ok(episode_of(row).map(|episode| found = Some(episode)))
        })?;
        Ok(found.filter(|_| title.kind == Kind::Episode))
    }

    fn credits(
        &mut self,
        sides: &mut Sides,
        names: Option<&mut Names>,
    ) -> anyhow::Result<(Vec<Credit>, u64)> {
        let Some(names) = names else {
            self.unknown.insert("credits");
            return Ok((vec![], 0));
        };
        let mut credits = Credits::new(names);
        // Half of them would be taken for all: one missing file leaves those of known titles alone.
        self.take(sides.principals.as_mut(), "credits", |row| credits.principal(row))?;
        self.take(sides.crew.as_mut(), "credits", |row| credits.crew(row))?;
        Ok(credits.finish())
    }

    fn akas(&mut self, sides: &mut Sides) -> anyhow::Result<Akas> {
        let mut akas = Akas::default();
        self.take(sides.akas.as_mut(), "localized", |row| Ok(akas.take(row)))?;
        Ok(akas)
    }
}

fn rating(row: &Row<'_, 3>) -> Result<AudienceRating, Flaw> {
    let rule = "must be from 0.0 to 10.0, with one decimal";
    let average = row.needed(1)?;
    let (whole, tenth) = average.split_once('.').unwrap_or((average, "0"));
    let tenths = match (whole.parse::<u8>(), tenth.parse::<u8>()) {
        (Ok(whole), Ok(digit)) if tenth.len() == 1 => {
            whole.checked_mul(10).and_then(|tenths| tenths.checked_add(digit))
        }
        _ => None,
    };
    let average_tenths = tenths.filter(|tenths| *tenths <= 100);
    let average_tenths = average_tenths.ok_or_else(|| row.flaw(1, rule))?;
    let votes = row.number(2)?.ok_or_else(|| row.flaw(2, "is missing"))?;
    Ok(AudienceRating { average_tenths, votes })
}

/// An episode without a season or a number stands before the others, as specials do.
fn episode_of(row: &Row<'_, 4>) -> Result<EpisodeOf, Flaw> {
    let series = row.needed(1)?;
    if !series.starts_with("tt") {
        return Err(row.flaw(1, "must be tt and digits"));
    }
    let season = row.number(2)?.unwrap_or(0);
    let number = row.number(3)?.unwrap_or(0);
    Ok(EpisodeOf { series_id: ids::title(IMDB, series), season, number })
}
