//! `title.akas.tsv`: what titles are called elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::language::LanguageTag;
use playhead_domain::title::{Kind, LANGUAGES_MAX, Localized, Metadata};

use super::regions;
use super::table::{Layout, Row};
use crate::import::Flaw;

/// The file.
pub(super) const AKAS: Layout<7> = Layout {
    file: "title.akas",
    prefix: "tt",
    repeats: true,
    columns: ["titleId", "title", "region", "language", "types", "attributes", "isOriginalTitle"],
};

/// What stands between the types of a name, and between its attributes.
const BETWEEN: [char; 2] = ['\u{2}', ','];

/// The language of an original name of which IMDb does not say it: undetermined (ISO 639-2).
const UNDETERMINED: &str = "und";

/// The names of one title.
#[derive(Default)]
pub(super) struct Names {
    /// For each language the best name so far, and how good it is: less is better.
    best: BTreeMap<LanguageTag, (u8, String)>,
}

impl Names {
    /// Takes a line into account.
    pub(super) fn take(&mut self, row: &Row<'_, 7>) -> Result<(), Flaw> {
        let [_, title, region, language, types, attributes, original] = row.texts();
        if original == Some("1") {
            // It stands in title.basics.tsv, too.
            return Ok(());
        }
        let Some(rank) = rank(types.unwrap_or_default(), attributes.unwrap_or_default()) else {
            return Ok(());
        };
        let Some(tag) = regions::language(language, region) else { return Ok(()) };
        let name = title.ok_or_else(|| row.flaw(1, "is missing"))?.trim();
        Metadata::new(Kind::Movie, name).validate().map_err(|invalid| row.invalid(1, invalid))?;
        let tag: LanguageTag = tag.parse().map_err(|invalid| row.invalid(3, invalid))?;
        if self.best.get(&tag).is_none_or(|(known, _)| rank < *known) {
            self.best.insert(tag, (rank, name.to_owned()));
        }
        Ok(())
    }

    /// The names that differ from the one that is shown without a language, and the original name if
    /// it is none of them.
    pub(super) fn localized(
        self,
        shown: &str,
        original: Option<&str>,
    ) -> BTreeMap<LanguageTag, Localized> {
        let differing: BTreeSet<String> = self
            .best
            .iter()
            .filter(|(_, (_, name))| name != shown)
            .map(|(tag, _)| tag.base().to_owned())
            .collect();
        // The same name is said only where otherwise that of another region would be taken.
        let mut names: BTreeMap<LanguageTag, String> = self
            .best
            .into_iter()
            .filter(|(tag, _)| differing.contains(tag.base()))
            .map(|(tag, (_, name))| (tag, name))
            .take(LANGUAGES_MAX - 1)
            .collect();
        let original =
            original.filter(|name| *name != shown && !names.values().any(|known| known == name));
        if let (Some(name), Ok(tag)) = (original, UNDETERMINED.parse()) {
            names.insert(tag, name.to_owned());
        }
        let localized = |name| Localized { name: Some(name), ..Localized::default() };
        names.into_iter().map(|(tag, name)| (tag, localized(name))).collect()
    }
}

/// How good a name is; `None` if nobody is shown it: working titles, and what is written in other
/// letters or translated to tell what it means.
fn rank(types: &str, attributes: &str) -> Option<u8> {
    let says = |what: &str| attributes.split(BETWEEN).any(|it| it.contains(what));
    if ["literal", "transliterated", "romanized", "working"].into_iter().any(says) {
        return None;
    }
    let rank = match types.split(BETWEEN).next().unwrap_or_default() {
        "imdbDisplay" => 0,
        "" => 1,
        "alternative" => 2,
        "working" => return None,
        // dvd, video, tv, festival
        _ => 3,
    };
    Some(if attributes.is_empty() { rank } else { rank + 10 })
}
