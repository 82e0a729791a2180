//! Which language a name of IMDb is in. Most lines name a region only.

/// Regions whose names without a language are in the one that most people there read (ISO 3166-1,
/// CLDR 46 likely subtags). Regions with several, such as BE, CA, CH and IN, are not among them: IMDb
/// names the language there.
const REGIONS: &[(&str, &str)] = &[
    ("AE", "ar-AE"),
    ("AL", "sq"),
    ("AM", "hy"),
    ("AR", "es-AR"),
    ("AT", "de-AT"),
    ("AU", "en-AU"),
    ("AZ", "az"),
    ("BD", "bn"),
    ("BG", "bg"),
    ("BO", "es-BO"),
    ("BR", "pt-BR"),
    ("BY", "be"),
    ("CL", "es-CL"),
    ("CN", "zh-CN"),
    ("CO", "es-CO"),
    ("CR", "es-CR"),
    ("CU", "es-CU"),
    ("CZ", "cs"),
    ("DE", "de"),
    ("DK", "da"),
    ("DO", "es-DO"),
    ("EC", "es-EC"),
    ("EE", "et"),
    ("EG", "ar-EG"),
    ("ES", "es"),
    ("FI", "fi"),
    ("FR", "fr"),
    ("GB", "en-GB"),
    ("GE", "ka"),
    ("GR", "el"),
    ("GT", "es-GT"),
    ("HK", "zh-HK"),
    ("HR", "hr"),
    ("HU", "hu"),
    ("ID", "id"),
    ("IE", "en-IE"),
    ("IL", "he"),
    ("IR", "fa"),
    ("IS", "is"),
    ("IT", "it"),
    ("JP", "ja"),
    ("KH", "km"),
    ("KR", "ko"),
    ("LT", "lt"),
    ("LV", "lv"),
    ("MK", "mk"),
    ("MM", "my"),
    ("MN", "mn"),
    ("MX", "es-MX"),
    ("MY", "ms"),
    ("NL", "nl"),
    ("NO", "no"),
    ("NP", "ne"),
    ("NZ", "en-NZ"),
    ("PE", "es-PE"),
    ("PL", "pl"),
    ("PT", "pt"),
    ("PY", "es-PY"),
    ("RO", "ro"),
    ("RS", "sr"),
    ("RU", "ru"),
    ("SA", "ar-SA"),
    ("SE", "sv"),
    ("SI", "sl"),
    ("SK", "sk"),
    ("TH", "th"),
    ("TR", "tr"),
    ("TW", "zh-TW"),
    ("UA", "uk"),
    ("US", "en"),
    ("UY", "es-UY"),
    ("VE", "es-VE"),
    ("VN", "vi"),
];

/// The language of a name as a BCP 47 tag, not yet checked; `None` if it cannot be told.
pub(super) fn language(language: Option<&str>, region: Option<&str>) -> Option<String> {
    let usual = region.and_then(usual);
    match (language, region) {
        (None, _) => usual.map(str::to_owned),
        (Some(language), region) => {
            // Mandarin is what `zh` means unless more is said.
            let language = if language == "cmn" { "zh" } else { language };
            let region = region.filter(|region| region.len() == 2);
            match (usual, region) {
                (Some(usual), _) if usual.split('-').next() == Some(language) => {
                    Some(usual.to_owned())
                }
                (_, Some(region)) => Some(format!("{language}-{region}")),
                (_, None) => Some(language.to_owned()),
            }
        }
    }
}

fn usual(region: &str) -> Option<&'static str> {
    let found = REGIONS.binary_search_by_key(&region, |(name, _)| name).ok()?;
    REGIONS.get(found).map(|(_, language)| *language)
}

#[cfg(test)]
mod tests {
    use playhead_domain::language::LanguageTag;

    use super::*;

    #[test]
    fn the_table_is_in_order_and_each_language_is_written_as_tags_are() {
        assert!(REGIONS.is_sorted_by(|(one, _), (next, _)| one < next));
        for (region, language) in REGIONS {
            let tag: LanguageTag = language.parse().unwrap();
            assert_eq!(tag.as_str(), *language, "{region}");
        }
    }

    #[test]
    fn a_language_follows_from_what_is_said_and_the_region() {
        for (said, region, expected) in [
            (None, Some("DE"), Some("de")),
            (None, Some("AT"), Some("de-AT")),
            (None, Some("BR"), Some("pt-BR")),
            (Some("fr"), Some("CA"), Some("fr-CA")),
            (Some("ja"), Some("JP"), Some("ja")),
            (Some("en"), Some("JP"), Some("en-JP")),
            (Some("cmn"), Some("TW"), Some("zh-TW")),
            (Some("en"), Some("XWW"), Some("en")),
            (Some("sr"), None, Some("sr")),
            // Neither the world, nor Switzerland, nor the Soviet Union has one language.
            (None, Some("XWW"), None),
            (None, Some("CH"), None),
            (None, Some("SUHH"), None),
            (None, None, None),
        ] {
            assert_eq!(language(said, region).as_deref(), expected, "{said:?} {region:?}");
        }
    }
}
