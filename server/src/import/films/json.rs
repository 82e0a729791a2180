//! Films as JSON objects.
//!
//! Two shapes are known, and told apart by their fields:
//!
//! - Wikipedia's: `title`, `year`, `cast`, `genres`, `href`, `extract`, `thumbnail`;
//! - our own: `title`, `year`, `directors`, `cast`, `genres`, `runtime_min`, `synopsis`, `maturity`.
//!
//! Other fields are ignored. The records have no key of their own, so it is made of title, year and
//! `href`; the n-th record of a file with the same ones gets `#n` behind it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;
use std::sync::Arc;

use playhead_domain::title::{Credit, Kind, Metadata, Source};
use playhead_domain::{InvalidValue, Maturity, TitleId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Item;
use super::array::{Broken, Element, Elements, Place, problem};
use crate::ids;
use crate::import::Flaw;
use crate::import::put::Found;

/// The catalogue name of records in Wikipedia's shape.
const WIKIPEDIA: &str = "wikipedia-films";
/// The catalogue name of records in our own shape.
const OWN: &str = "playhead-films";

/// What an element must be.
const NO_OBJECT: &str = "must be an object with the members title, year, cast, genres and others";

/// The longest key, without the `#n` behind it; the domain takes 200 characters.
const KEY_CHARS_MAX: usize = 190;

/// Reads a file and hands over what it holds, until the receiver has had enough.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(
    reader: impl BufRead,
    file: &Arc<str>,
    emit: &mut dyn FnMut(Item) -> bool,
) -> std::io::Result<()> {
    let mut elements = Elements::new(reader);
    let mut repetitions = HashMap::new();
    let mut films = 0_u64;
    loop {
        let element = match elements.next_element() {
            Ok(Some(element)) => element,
            Ok(None) => return Ok(()),
            Err(Broken::Io(error)) => return Err(error),
            Err(Broken::Syntax(place, problem)) => {
                emit(Item::Unreadable(flaw(file, place, None, problem)));
                return Ok(());
            }
        };
        if films == 0 && element.text.starts_with(b"\"") {
            emit(Item::Note(format!("{file}: a list of texts, no films; left out")));
            return Ok(());
        }
        films += 1;
        let item = match film(&element, file, &mut repetitions) {
            Ok(found) => Item::Found(found),
            Err(flaw) => Item::Flaw(flaw),
        };
        if !emit(item) {
            return Ok(());
        }
    }
}

fn flaw(file: &Arc<str>, place: Place, field: Option<&str>, problem: String) -> Flaw {
    Flaw {
        file: Arc::clone(file),
        line: place.line,
        column: Some(place.column),
        field: field.map(str::to_owned),
        problem,
    }
}

fn film(
    element: &Element,
    file: &Arc<str>,
    repetitions: &mut HashMap<TitleId, u32>,
) -> Result<Found, Flaw> {
    let fields = Fields::of(element, file)?;
    let name = fields.required::<String>("title")?.trim().to_owned();
    let year = fields.optional::<u16>("year")?;
    let href = fields.optional::<String>("href")?.unwrap_or_default();
    let runtime_min = fields.optional::<u64>("runtime_min")?;
    let synopsis = match fields.optional::<String>("synopsis")? {
        Some(own) => Some(own),
        None => fields.optional::<String>("extract")?,
    };
    let own =
        ["directors", "runtime_min", "synopsis", "maturity"].iter().any(|name| fields.has(name));
    let catalogue = if own { OWN } else { WIKIPEDIA };
    let key = key(catalogue, &name, year, &href, repetitions);
    let metadata = Metadata {
        year,
        runtime_ms: runtime_min.map(|minutes| minutes.saturating_mul(60_000)),
        genres: fields.optional("genres")?.unwrap_or_default(),
        credits: Credit::of(
            people(fields.optional("directors")?),
            people(fields.optional("cast")?),
        ),
        synopsis: synopsis.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        artwork_url: fields.optional("thumbnail")?,
        maturity: fields.optional::<Maturity>("maturity")?,
        source: Some(Source { catalogue: catalogue.to_owned(), key: key.clone() }),
        ..Metadata::new(Kind::Movie, name)
    };
    metadata.validate().map_err(|invalid| fields.invalid(invalid))?;
    let title_id = ids::title(catalogue, &key);
    let (file, line, unknown) = (Arc::clone(file), element.place.line, BTreeSet::new());
    Ok(Found { title_id, metadata, unknown, file, line })
}

fn key(
    catalogue: &str,
    name: &str,
    year: Option<u16>,
    href: &str,
    repetitions: &mut HashMap<TitleId, u32>,
) -> String {
    let year = year.map(|year| year.to_string()).unwrap_or_default();
    let key = shortened(format!("{name}|{year}|{href}"));
    let seen = repetitions.entry(ids::title(catalogue, &key)).or_insert(0);
    *seen += 1;
    if *seen == 1 { key } else { format!("{key}#{seen}") }
}

/// A key that is too long for the domain ends in a digest of the whole.
fn shortened(key: String) -> String {
    if key.chars().count() <= KEY_CHARS_MAX {
        return key;
    }
    let head: String = key.chars().take(KEY_CHARS_MAX - 40).collect();
    format!("{head}~{}", ids::digest(&key))
}

/// What the value of a field must look like, ready to stand behind "must be".
fn rule(field: &str) -> &'static str {
    match field {
        // The range is the one that titles have.
        "year" => "a whole number from 1870 to 2100",
        "runtime_min" => "a whole number of minutes",
        "genres" | "directors" | "cast" => "a list of texts",
        "maturity" => "one of \"all\", \"7\", \"13\", \"16\" and \"18\"",
        _ => "a text",
    }
}

/// Names without a letter or digit are leftovers of the scraping, such as `)`.
fn people(names: Option<Vec<String>>) -> Vec<String> {
    let mut names = names.unwrap_or_default();
    names.retain(|name| name.chars().any(char::is_alphanumeric));
    names
}

/// The fields of a record, not yet parsed, so that an error can be told with its field and place.
struct Fields<'a> {
    element: &'a Element,
    file: &'a Arc<str>,
    values: BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    fn of(element: &'a Element, file: &'a Arc<str>) -> Result<Self, Flaw> {
        let broken = |error: serde_json::Error| {
            // JSON, but something else than an object.
            if error.is_data() {
                return flaw(file, element.place, None, NO_OBJECT.to_owned());
            }
            flaw(file, element.place.within(&error), None, problem(&error))
        };
        let values = serde_json::from_slice(&element.text).map_err(broken)?;
        Ok(Self { element, file, values })
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn required<T: Deserialize<'a>>(&self, name: &str) -> Result<T, Flaw> {
        let missing = || flaw(self.file, self.element.place, Some(name), "is missing".to_owned());
        self.optional(name)?.ok_or_else(missing)
    }

    /// `None` if the field is absent or null.
    fn optional<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Flaw> {
        let Some(value) = self.values.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|error: serde_json::Error| {
            let start = self.place_of(name);
            // In a text or number, the place where it begins says more than where it ends.
            let scalar = !value.get().starts_with(['[', '{']);
            let place = if scalar { start } else { start.within(&error) };
            flaw(self.file, place, Some(name), format!("must be {}", rule(name)))
        })
    }

    /// Where a field's value begins; where the record begins if it has no such field.
    fn place_of(&self, name: &str) -> Place {
        let text = &self.element.text;
        let offset = self
            .values
            .get(name)
            .and_then(|value| value.get().as_ptr().addr().checked_sub(text.as_ptr().addr()));
        self.element.place.behind(offset.and_then(|offset| text.get(..offset)).unwrap_or_default())
    }

    /// A value that breaks a rule, under the field's name in the file.
    fn invalid(&self, invalid: InvalidValue) -> Flaw {
        let name = match invalid.field {
            "name" => "title",
            "runtime_ms" => "runtime_min",
            "artwork_url" => "thumbnail",
            "credits" | "credits/name" if self.has("cast") => "cast",
            "credits" | "credits/name" => "directors",
            "synopsis" if !self.has("synopsis") => "extract",
            other => other,
        };
        let problem = format!("must be {}", invalid.rule);
        flaw(self.file, self.place_of(name), Some(name), problem)
    }
}

#[cfg(test)]
mod tests;
