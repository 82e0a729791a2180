//! The whole way over a catalogue and queries of our own: 250 films, and 104 queries that were drawn
//! from their titles and disturbed by a script.

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(extra: &str) -> Args {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let queries = root.join("src/search/eval/tests/queries.tsv");
    let films = root.join("assets/films.json");
    let paths = [queries, films].map(|path| path.display().to_string());
    let extra = extra.split_whitespace().map(str::to_owned);
    let line = ["eval".to_owned()].into_iter().chain(paths).chain(extra);
    Line::parse_from(line).args
}

/// The lowest MRR@10 of each kind; what is reached lies at or above it.
const QUALITY: &str = "--min exact=0.99 --min joined=0.99 --min typo1=0.99 --min typo2=0.99 \
     --min reordered_nostop=0.99 --min title_actor=0.99 --min title_year=0.99 --min prefix8=0.99 \
     --min prefix6=0.99 --min prefix4=0.7 --min prefix3=0.8 --min prefix2=0.85 \
     --min prefix_typo1=0.99";

#[test]
fn titles_are_found_as_well_as_ever() {
    let args = args(&format!("{QUALITY} --failures 30"));
    let report = measure(&args).unwrap();
    assert_eq!((report.films, report.all.queries), (250, 104));
    assert!(report.popularity.as_ref().unwrap().ends_with("popularity.tsv"));
    gate::check(&args.least, &report.rows)
        .map_err(|missed| format!("{missed}\n{}", report.text()))
        .unwrap();
    let as_good = report.rows.iter().filter(|row| row.measures.ceiling.is_some());
    for row in as_good {
        let below = row.measures.ceiling.unwrap() - row.measures.mrr_at_10;
        assert!(below < 0.05, "{} {} is {below} below its ceiling", row.kind, row.stratum);
    }
}

#[test]
fn what_is_typed_is_completed_as_well_as_ever() {
    let kinds = "--kind exact,typo1,typo2,prefix2,prefix3,prefix4,prefix6,prefix8,prefix_typo1";
    let least = "--min exact=0.95 --min typo1=0.95 --min typo2=0.95 --min prefix8=0.95 \
                 --min prefix6=0.85 --min prefix_typo1=0.9";
    let args = args(&format!("--autocomplete {kinds} {least} --failures 30"));
    let report = measure(&args).unwrap();
    gate::check(&args.least, &report.rows)
        .map_err(|missed| format!("{missed}\n{}", report.text()))
        .unwrap();
}

#[test]
fn a_report_is_told_to_people_and_to_programs() {
    let report = measure(&args("--kind prefix2 --failures 1")).unwrap();
    let text = report.text();
    for told in ["films: 250", "popularity: ", "MRR@10", "ceiling", "prefix2  popular", "; wanted "]
    {
        assert!(text.contains(told), "{told}:\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(2));
    assert!(json["rows"][0]["mrr_at_10"].is_f64() && json["rows"][0]["ceiling"].is_f64());
    assert!(json["all"]["latency"]["p99_us"].is_f64(), "{json}");
    assert_ne!(json["failures"][0]["line"], Value::Null);
}

#[test]
fn what_is_below_its_minimum_is_named() {
    let args = args("--kind exact --min exact/popular=1 --min typo9=0.5");
    let report = measure(&args).unwrap();
    let missed = gate::check(&args.least, &report.rows).unwrap_err().to_string();
    assert_eq!(missed, "1 minimum missed: no query is of kind typo9");
    for wrong in ["exact", "exact=2", "=0.5", "exact=x"] {
        assert!(wrong.parse::<Least>().is_err(), "{wrong}");
    }
}

#[test]
fn wrong_files_are_told_with_what_is_wrong_about_them() {
    let dir = tempfile::tempdir().unwrap();
    let own = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let queries = "stratum\tkind\tquery\ttarget\trelevant\n";
    let broken = own("broken.tsv", &format!("{queries}a\tb\tc\t1\tx\n"));
    let beyond = own("beyond.tsv", &format!("{queries}a\tb\tc\t251\t251\n"));
    let none = own("none.tsv", queries);
    let told = |args: Args| crate::failure::describe(&measure(&args).unwrap_err());
    for (queries, expected) in [
        (broken, "line 2, column relevant: must be a whole number, not \"x\""),
        (beyond, "line 2, column relevant: there is no film 251 among 250"),
        (none, "there is no query in"),
        (dir.path().join("nowhere.tsv"), "nowhere.tsv"),
    ] {
        let told = told(Args { queries, ..args("") });
        assert!(told.contains(expected), "{told}");
    }
    let told = told(args("--kind nope"));
    assert!(told.contains("no query is of kind nope; there are exact"), "{told}");
}

#[test]
fn a_record_that_cannot_be_imported_keeps_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let films = r#"[{"title": "Heat"}, {"title": ""}, {"title": "Ronin", "year": 1998}]"#;
    fs::write(dir.path().join("movies-a.json"), films).unwrap();
    let catalogue = Catalogue::read(dir.path(), &indicatif::ProgressBar::hidden()).unwrap();
    assert_eq!((catalogue.len(), catalogue.flaws.len()), (3, 1));
    assert_eq!([1, 2, 3].map(|film| catalogue.label(film)), ["Heat", "film 2", "Ronin (1998)"]);
}
