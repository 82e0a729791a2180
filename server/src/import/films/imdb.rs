//! IMDb's `title.basics.tsv` (<https://developer.imdb.com/non-commercial-datasets/>): one title a
//! line, fields between tabs, `\N` for nothing, no quoting. Read line by line.

use std::io::Read;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};
use playhead_domain::title::{Kind, Metadata, Source};

use super::{Found, Item};
use crate::ids;
use crate::import::Flaw;

/// The catalogue name.
const IMDB: &str = "imdb";

/// The columns that are read; the file may have more, in any order.
const COLUMNS: [&str; 7] =
    ["tconst", "titleType", "primaryTitle", "isAdult", "startYear", "runtimeMinutes", "genres"];

/// Reads a file and hands over what it holds, until the receiver has had enough.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(
    reader: impl Read,
    file: &Arc<str>,
    emit: &mut dyn FnMut(Item) -> bool,
) -> std::io::Result<()> {
    let mut reader = ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .flexible(true)
        .has_headers(false)
        .from_reader(reader);
    let mut record = ByteRecord::new();
    let mut columns = None;
    loop {
        let line = reader.position().line();
        if !reader.read_byte_record(&mut record)? {
            return Ok(());
        }
        let row = Row { record: &record, file, line };
        let item = match &columns {
            None => match Columns::of(&row) {
                Ok(found) => {
                    columns = Some(found);
                    continue;
                }
                Err(flaw) => {
                    emit(Item::Flaw(flaw));
                    return Ok(());
                }
            },
            Some(columns) => title(&row, columns).unwrap_or_else(Item::Flaw),
        };
        if !emit(item) {
            return Ok(());
        }
    }
}

struct Columns {
    count: usize,
    at: [usize; COLUMNS.len()],
}

impl Columns {
    fn of(header: &Row<'_>) -> Result<Self, Flaw> {
        let mut at = [0; COLUMNS.len()];
        for (at, name) in at.iter_mut().zip(COLUMNS) {
            let found = header.record.iter().position(|field| field == name.as_bytes());
            *at = found.ok_or_else(|| {
                header.flaw(Some(name), "no such column; is this title.basics.tsv of IMDb?")
            })?;
        }
        Ok(Self { count: header.record.len(), at })
    }
}

struct Row<'a> {
    record: &'a ByteRecord,
    file: &'a Arc<str>,
    line: u64,
}

impl Row<'_> {
    fn flaw(&self, field: Option<&str>, problem: impl Into<String>) -> Flaw {
        Flaw {
            file: Arc::clone(self.file),
            line: self.line,
            column: None,
            field: field.map(str::to_owned),
            problem: problem.into(),
        }
    }

    fn texts(&self, columns: &Columns) -> Result<[Option<&str>; COLUMNS.len()], Flaw> {
        let found = self.record.len();
        if found != columns.count {
            let problem = format!("{found} fields where the header has {}", columns.count);
            return Err(self.flaw(None, problem));
        }
        let mut texts = [None; COLUMNS.len()];
        for ((text, at), name) in texts.iter_mut().zip(columns.at).zip(COLUMNS) {
            let bytes = self.record.get(at).unwrap_or_default();
            let field = std::str::from_utf8(bytes)
                .map_err(|error| self.flaw(Some(name), format!("not UTF-8: {error}")))?;
            *text = Some(field).filter(|field| *field != "\\N");
        }
        Ok(texts)
    }

    fn number<T: std::str::FromStr>(
        &self,
        name: &str,
        text: Option<&str>,
    ) -> Result<Option<T>, Flaw> {
        text.map(|text| {
            text.parse().map_err(|_| self.flaw(Some(name), format!("{text:?} is no number")))
        })
        .transpose()
    }
}

fn title(row: &Row<'_>, columns: &Columns) -> Result<Item, Flaw> {
    let [key, title_type, name, adult, year, minutes, genres] = row.texts(columns)?;
    let needed = |name: &'static str, text: Option<&str>| {
        text.map(str::to_owned).ok_or_else(|| row.flaw(Some(name), "is missing"))
    };
    let kind = match kind(title_type.unwrap_or_default()) {
        Ok(kind) => kind,
        Err(reason) => return Ok(Item::Skipped(reason)),
    };
    if adult == Some("1") {
        return Ok(Item::Skipped("adult"));
    }
    let key = needed("tconst", key)?;
    // IMDb writes 0 for running times that nobody knows.
    let minutes = row.number::<u64>("runtimeMinutes", minutes)?.filter(|minutes| *minutes > 0);
    let metadata = Metadata {
        year: row.number("startYear", year)?,
        runtime_ms: minutes.map(|minutes| minutes.saturating_mul(60_000)),
        genres: genres
            .map_or_else(Vec::new, |genres| genres.split(',').map(str::to_owned).collect()),
        source: Some(Source { catalogue: IMDB.to_owned(), key: key.clone() }),
        ..Metadata::new(kind, needed("primaryTitle", name)?.trim())
    };
    metadata.validate().map_err(|invalid| {
        let name = match invalid.field {
            "name" => "primaryTitle",
            "year" => "startYear",
            "runtime_ms" => "runtimeMinutes",
            other => other,
        };
        row.flaw(Some(name), format!("must be {}", invalid.rule))
    })?;
    let title_id = ids::title(IMDB, &key);
    let found = Found { title_id, metadata, file: Arc::clone(row.file), line: row.line };
    Ok(Item::Title(Box::new(found)))
}

/// What a title type is here, or why it is left out.
fn kind(title_type: &str) -> Result<Kind, &'static str> {
    match title_type {
        "movie" | "tvMovie" | "video" => Ok(Kind::Movie),
        "short" | "tvShort" => Ok(Kind::Short),
        "tvSeries" | "tvMiniSeries" => Ok(Kind::Series),
        "tvEpisode" => Ok(Kind::Episode),
        "tvSpecial" => Ok(Kind::Special),
        "tvPilot" => Err("tvPilot"),
        "videoGame" => Err("videoGame"),
        _ => Err("of another type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\t\
                          endYear\truntimeMinutes\tgenres\n";

    fn items(text: &str) -> Vec<Item> {
        let mut items = Vec::new();
        let mut emit = |item| {
            items.push(item);
            true
        };
        read(text.as_bytes(), &"basics.tsv".into(), &mut emit).unwrap();
        items
    }

    fn item(line: &str) -> Item {
        items(&format!("{HEADER}{line}\n")).pop().unwrap()
    }

    #[test]
    fn a_title_is_read_with_its_nothings_and_quotes() {
        let line = "tt1\tmovie\tThe \"Thing\"\tX\t0\t1982\t\\N\t109\tHorror,Sci-Fi";
        let Item::Title(found) = item(line) else { panic!() };
        assert_eq!(found.metadata.name, "The \"Thing\"");
        assert_eq!(found.metadata.runtime_ms, Some(109 * 60_000));
        assert_eq!(found.metadata.genres, ["Horror", "Sci-Fi"]);
        assert_eq!((found.line, found.title_id), (2, ids::title("imdb", "tt1")));
        let Item::Title(found) = item("tt2\ttvSeries\tX\tX\t0\t\\N\t\\N\t0\t\\N") else { panic!() };
        assert_eq!(found.metadata.kind, Kind::Series);
        assert_eq!((found.metadata.year, found.metadata.runtime_ms), (None, None));
        assert!(found.metadata.genres.is_empty());
    }

    #[test]
    fn games_pilots_and_adult_titles_are_left_out() {
        for (line, reason) in [
            ("tt1\tvideoGame\tX\tX\t0\t1982\t\\N\t\\N\t\\N", "videoGame"),
            ("tt1\ttvPilot\tX\tX\t0\t1982\t\\N\t\\N\t\\N", "tvPilot"),
            ("tt1\tmovie\tX\tX\t1\t1982\t\\N\t\\N\t\\N", "adult"),
        ] {
            assert_eq!(item(line), Item::Skipped(reason));
        }
    }

    #[test]
    fn flaws_name_line_and_column() {
        for (line, expected) in [
            ("tt1\tmovie\tX\tX\t0\tabc\t\\N\t\\N\t\\N", "startYear: \"abc\" is no number"),
            ("tt1\tmovie\tX\tX\t0\t1700\t\\N\t\\N\t\\N", "startYear: must be from 1870 to 2100"),
            ("tt1\tmovie\tX", "3 fields where the header has 9"),
            ("tt1\tmovie\t \tX\t0\t1999\t\\N\t\\N\t\\N", "primaryTitle: must be a line of 1 to"),
        ] {
            let Item::Flaw(flaw) = item(line) else { panic!("{line}") };
            let flaw = flaw.to_string();
            assert!(flaw.starts_with(&format!("basics.tsv:2: {expected}")), "{flaw}");
        }
    }

    #[test]
    fn another_table_is_refused_by_its_header() {
        let found = items("tconst\taverageRating\tnumVotes\ntt1\t5\t6\n");
        let [Item::Flaw(flaw)] = found.as_slice() else { panic!("{found:?}") };
        assert!(flaw.to_string().starts_with("basics.tsv:1: titleType: no such column"), "{flaw}");
    }
}
