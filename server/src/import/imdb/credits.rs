//! `title.principals.tsv` and `title.crew.tsv`: who made titles.

use playhead_domain::InvalidValue;
use playhead_domain::title::{CREDITS_MAX, Credit, CreditRole, Kind, Metadata};

use super::IMDB;
use super::names::Names;
use super::table::{Layout, Row};
use crate::import::Flaw;

/// Those who matter most, in order.
pub(super) const PRINCIPALS: Layout<5> = Layout {
    file: "title.principals",
    prefix: "tt",
    repeats: true,
    columns: ["tconst", "nconst", "category", "job", "characters"],
};

/// All who directed and wrote.
pub(super) const CREW: Layout<3> = Layout {
    file: "title.crew",
    prefix: "tt",
    repeats: false,
    columns: ["tconst", "directors", "writers"],
};

/// The credits of one title.
pub(super) struct Credits<'a> {
    names: &'a mut Names,
    found: Vec<Credit>,
    /// Of how many people the name is not known.
    nameless: u64,
}

impl<'a> Credits<'a> {
    pub(super) fn new(names: &'a mut Names) -> Self {
        Self { names, found: vec![], nameless: 0 }
    }

    /// The credits, and how many are missing because their names are not known.
    pub(super) fn finish(self) -> (Vec<Credit>, u64) {
        (self.found, self.nameless)
    }

    /// Takes a line of [`PRINCIPALS`]. The outer error is about the copy of the names.
    pub(super) fn principal(&mut self, row: &Row<'_, 5>) -> anyhow::Result<Result<(), Flaw>> {
        let [_, _, category, job, characters] = row.texts();
        let person = match row.needed(1) {
            Ok(person) => person,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let role = role(category.unwrap_or_default());
        let character = match self.character(row, role, job, characters) {
            Ok(character) => character,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let Some(credit) = self.credit(person, role, character)? else { return Ok(Ok(())) };
        let checked = validate(&credit).map_err(|invalid| {
            let column = match invalid.field {
                "credits/character" if role.is_on_screen() => 4,
                "credits/character" => 3,
                _ => 1,
            };
            row.invalid(column, invalid)
        });
        Ok(checked.map(|()| self.add(credit)))
    }

    fn character(
        &self,
        row: &Row<'_, 5>,
        role: CreditRole,
        job: Option<&str>,
        characters: Option<&str>,
    ) -> Result<Option<String>, Flaw> {
        let Some(characters) = characters else {
            return Ok(job.map(|job| job.trim().to_owned()).filter(|job| !job.is_empty()));
        };
        let names: Vec<String> = serde_json::from_str(characters)
            .map_err(|_| row.flaw(4, "must be a JSON array of texts"))?;
        let names: Vec<&str> =
            names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        let said = names.join(" / ");
        let says_nothing = said.is_empty() || role == CreditRole::Appearance && said == "Self";
        Ok((!says_nothing).then_some(said))
    }

    /// Takes a line of [`CREW`]: those who are not among the principals come behind them.
    pub(super) fn crew(&mut self, row: &Row<'_, 3>) -> anyhow::Result<Result<(), Flaw>> {
        let [_, directors, writers] = row.texts();
        let lists = [(1, directors, CreditRole::Director), (2, writers, CreditRole::Writer)];
        for (column, people, role) in lists {
            let people = people.into_iter().flat_map(|people| people.split(','));
            for person in people {
                if !person.starts_with("nm") {
                    return Ok(Err(row.flaw(column, format!("{person:?} is no key of a person"))));
                }
                if let Some(credit) = self.credit(person, role, None)? {
                    self.add(credit);
                }
            }
        }
        Ok(Ok(()))
    }

    fn credit(
        &mut self,
        person: &str,
        role: CreditRole,
        character: Option<String>,
    ) -> anyhow::Result<Option<Credit>> {
        let Some(name) = self.names.name(person)? else {
            self.nameless += 1;
            return Ok(None);
        };
        let key = Some(format!("{IMDB}:{person}"));
        Ok(Some(Credit { character, key, ..Credit::new(name, role) }))
    }

    /// Adds what somebody did, unless it is known already or there are too many.
    fn add(&mut self, credit: Credit) {
        let same = |known: &Credit| known.key == credit.key && known.role == credit.role;
        // The same people are named as principals with more said of it.
        let known = credit.character.is_none() && self.found.iter().any(same);
        if !known && self.found.len() < CREDITS_MAX {
            self.found.push(credit);
        }
    }
}

fn validate(credit: &Credit) -> Result<(), InvalidValue> {
    let credits = vec![credit.clone()];
    Metadata { credits, ..Metadata::new(Kind::Movie, "any") }.validate()
}

fn role(category: &str) -> CreditRole {
    match category {
        "actor" | "actress" => CreditRole::Actor,
        "self" | "archive_footage" | "archive_sound" => CreditRole::Appearance,
        "director" => CreditRole::Director,
        "creator" => CreditRole::Creator,
        "writer" => CreditRole::Writer,
        "producer" => CreditRole::Producer,
        "composer" => CreditRole::Composer,
        "cinematographer" => CreditRole::Cinematographer,
        "editor" => CreditRole::Editor,
        "production_designer" => CreditRole::ProductionDesigner,
        "casting_director" => CreditRole::CastingDirector,
        _ => CreditRole::Other,
    }
}
