//! `title.basics.tsv`: the titles, one a line. What other files say of them comes on top.

use playhead_domain::title::{Kind, Metadata, Source};

use super::table::{Layout, Row};
use super::{Filter, IMDB};
use crate::import::Flaw;

/// The file.
pub(super) const BASICS: Layout<8> = Layout {
    file: "title.basics",
    prefix: "tt",
    repeats: false,
    columns: [
        "tconst",
        "titleType",
        "primaryTitle",
        "originalTitle",
        "isAdult",
        "startYear",
        "runtimeMinutes",
        "genres",
    ],
};

/// What becomes of a line.
pub(super) enum Title {
    /// It is wanted.
    Wanted {
        metadata: Box<Metadata>,
        /// The name in the language that it was made in, if IMDb says so.
        original: Option<String>,
    },
    /// It is left out, and why.
    Skipped(&'static str),
}

/// Reads a line.
pub(super) fn title(row: &Row<'_, 8>, filter: &Filter) -> Result<Title, Flaw> {
    let [_, _, _, original, adult, _, _, genres] = row.texts();
    let key = row.needed(0)?;
    let title_type = row.needed(1)?;
    let kind = match kind(title_type) {
        Ok(kind) => kind,
        Err(reason) => return Ok(Title::Skipped(reason)),
    };
    if !filter.takes(title_type) {
        return Ok(Title::Skipped("of another type"));
    }
    match adult {
        Some("0") | None => {}
        Some("1") if filter.adult => {}
        Some("1") => return Ok(Title::Skipped("adult")),
        Some(_) => return Err(row.flaw(4, "must be 0 or 1")),
    }
    let genres: Vec<String> =
        genres.map_or_else(Vec::new, |it| it.split(',').map(str::to_owned).collect());
    // IMDb writes 0 for running times that nobody knows.
    let minutes = row.number::<u64>(6)?.filter(|minutes| *minutes > 0);
    let is_documentary =
        matches!(kind, Kind::Movie | Kind::Special) && genres.iter().any(|it| it == "Documentary");
    let metadata = Metadata {
        year: row.number(5)?,
        runtime_ms: minutes.map(|minutes| minutes.saturating_mul(60_000)),
        genres,
        source: Some(Source { catalogue: IMDB.to_owned(), key: key.to_owned() }),
        ..Metadata::new(
            if is_documentary { Kind::Documentary } else { kind },
            row.needed(2)?.trim(),
        )
    };
    metadata.validate().map_err(|invalid| row.invalid(column(invalid.field), invalid))?;
    let original = original.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    if let Some(original) = &original {
        let named = Metadata::new(Kind::Movie, original.as_str());
        named.validate().map_err(|invalid| row.invalid(3, invalid))?;
    }
    Ok(Title::Wanted { metadata: Box::new(metadata), original })
}

/// The column that a field comes from.
fn column(field: &str) -> usize {
    match field {
        "name" => 2,
        "year" => 5,
        "runtime_ms" => 6,
        "genres" => 7,
        _ => 0,
    }
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
        _ => Err("of an unknown type"),
    }
}
