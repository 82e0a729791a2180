//! Importing IMDb's files and MovieLens: again, killed in the middle, dry, packed, broken.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use playhead_tests::{binary, run, write_imdb};
use serde_json::{Value, json};
use tempfile::TempDir;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/import/sample");

/// A data directory and one with the sample, both empty but for that.
struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self { dir: TempDir::new().unwrap() };
        fs::create_dir(case.files()).unwrap();
        for entry in fs::read_dir(SAMPLE).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), case.files().join(entry.file_name())).unwrap();
        }
        case
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn data(&self) -> std::path::PathBuf {
        self.path("data")
    }

    fn files(&self) -> std::path::PathBuf {
        self.path("imdb")
    }

    fn edit(&self, file: &str, edit: impl FnOnce(String) -> String) {
        let path = self.files().join(file);
        let text = fs::read_to_string(&path).unwrap();
        let edited = edit(text.clone());
        assert_ne!(edited, text, "nothing was edited");
        fs::write(&path, edited).unwrap();
    }

    /// Imports, and answers how that ended.
    fn try_import(&self, args: &[&str]) -> playhead_tests::Done {
        let files = self.files();
        run(&self.data(), &[&["import", "imdb", "--json", files.to_str().unwrap()], args].concat())
    }

    fn import(&self, args: &[&str]) -> Value {
        self.try_import(args).ok().json()
    }
}

fn events(data: &Path, event_type: &str) -> Vec<Value> {
    let listed = run(data, &["log", "read", "--type", event_type, "--json"]).ok();
    let events = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    events.map(|mut event: Value| event["payload"]["metadata"].take()).collect()
}

/// What was added, by the key at IMDb.
fn added(data: &Path) -> BTreeMap<String, Value> {
    let key = |title: &Value| title["source"]["key"].as_str().unwrap().to_owned();
    events(data, "TitleAdded").into_iter().map(|title| (key(&title), title)).collect()
}

#[test]
fn titles_come_with_names_people_ratings_and_series() {
    let case = Case::new();
    let report = case.import(&[]);
    let skipped = json!({"adult": 1, "tvPilot": 1, "videoGame": 1});
    assert_eq!((&report["read"], &report["added"]), (&json!(20), &json!(17)), "{report}");
    assert_eq!((&report["skipped"], &report["errors"]), (&skipped, &json!(0)), "{report}");
    let titles = added(&case.data());
    let lantern = &titles["tt0000002"];
    assert_eq!(lantern["rating"], json!({"average_tenths": 83, "votes": 190_000}));
    assert_eq!((&lantern["runtime_ms"], &lantern["year"]), (&json!(5_820_000), &json!(1927)));
    let names = json!({
        "de": {"name": "Die Laterne"}, "fr": {"name": "La lanterne"}, "ru": {"name": "Фонарь"},
    });
    assert_eq!(lantern["localized"], names);
    let credits = json!([
        {"name": "Frieda Lange", "role": "director", "key": "imdb:nm0000001"},
        {"name": "Brigitte Hélène", "role": "actor", "character": "Maria / The \"Machine\"",
         "key": "imdb:nm0000003"},
        {"name": "Ἀριάδνη Νικολάου", "role": "composer", "key": "imdb:nm0000005"},
        {"name": "Frieda Lange", "role": "writer", "key": "imdb:nm0000001"},
        {"name": "Théo Müller", "role": "writer", "key": "imdb:nm0000002"},
    ]);
    assert_eq!(lantern["credits"], credits);
    let ferrymen = &titles["tt0000003"]["localized"];
    for (language, name) in [
        ("ja", "七人の渡し守"),
        ("zh-TW", "七個擺渡人"),
        ("ko", "일곱 명의 뱃사공"),
        ("he", "שבעת המעבוראים"),
        ("ar-EG", "السبعة عبروا"),
        ("th", "เจ็ดคนแจวเรือ"),
        ("pt-BR", "Os Sete Barqueiros"),
    ] {
        assert_eq!(ferrymen[language]["name"], name);
    }
    assert_eq!(ferrymen.as_object().unwrap().len(), 7, "{ferrymen}");
    assert_eq!(titles["tt0000004"]["localized"], json!({"und": {"name": "Αύριο επιτέλους"}}));
    let kinds = [
        ("tt0000001", "short"),
        ("tt0000005", "series"),
        ("tt0000006", "episode"),
        ("tt0000011", "special"),
        ("tt0000012", "documentary"),
        ("tt0000015", "movie"),
    ];
    assert_eq!(
        kinds.map(|(key, _)| titles[key]["kind"].clone()),
        kinds.map(|(_, kind)| json!(kind))
    );
    let low_water = &titles["tt0000006"]["episode_of"];
    assert_eq!((&low_water["season"], &low_water["number"]), (&json!(1), &json!(1)));
    assert_eq!(low_water["series_id"], titles["tt0000008"]["episode_of"]["series_id"]);
    assert_eq!(titles["tt0000008"]["episode_of"]["number"], 0);
    assert_eq!(titles["tt0000012"]["credits"][1]["character"], "book");
}

#[test]
fn again_adds_nothing_and_what_changed_there_changes_here() {
    let case = Case::new();
    case.import(&[]);
    let again = case.import(&[]);
    let unchanged = [&again["added"], &again["changed"], &again["already_there"]];
    assert_eq!(unchanged, [&json!(0), &json!(0), &json!(17)]);
    case.edit("title.ratings.tsv", |text| text.replace("8.3\t190000", "8.4\t190007"));
    let changed = case.import(&[]);
    assert_eq!((&changed["changed"], &changed["already_there"]), (&json!(1), &json!(16)));
    let edited = events(&case.data(), "TitleEdited");
    assert_eq!(edited[0]["rating"], json!({"average_tenths": 84, "votes": 190_007}));
    assert_eq!(edited[0]["credits"].as_array().unwrap().len(), 5);
    // Files that are not there say nothing; what was known stays.
    for file in ["title.akas", "title.crew", "title.principals", "name.basics", "title.ratings"] {
        fs::remove_file(case.files().join(format!("{file}.tsv"))).unwrap();
    }
    let fewer = case.import(&[]);
    assert_eq!((&fewer["changed"], &fewer["already_there"]), (&json!(0), &json!(17)), "{fewer}");
}

#[test]
fn what_is_asked_for_is_imported_and_the_rest_counted() {
    let case = Case::new();
    let report = case.import(&["--types", "movie,tvSeries", "--min-votes", "100", "--dry-run"]);
    assert_eq!(report["added"], 3, "{report}");
    let report = case.import(&["--types", "movie", "--adult", "--dry-run"]);
    assert_eq!(report["added"], 8, "{report}");
    let wrong = case.try_import(&["--types", "film"]);
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.contains("tvMiniSeries"), "{}", wrong.stderr);
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_would_be() {
    let case = Case::new();
    let dry = case.import(&["--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["added"]), (&json!(true), &json!(17)));
    assert!(!case.data().exists());
    case.import(&[]);
    let dry = case.import(&["--dry-run"]);
    assert_eq!((&dry["added"], &dry["already_there"]), (&json!(0), &json!(17)));
}

#[test]
fn packed_files_are_as_plain_ones() {
    let (plain, packed) = (Case::new(), Case::new());
    plain.import(&[]);
    for entry in fs::read_dir(packed.files()).unwrap() {
        let done = Command::new("gzip").arg(entry.unwrap().path()).status().unwrap();
        assert!(done.success());
    }
    packed.import(&[]);
    assert_eq!(added(&plain.data()), added(&packed.data()));
    fs::copy(plain.files().join("title.crew.tsv"), packed.files().join("title.crew.tsv")).unwrap();
    let both = packed.try_import(&[]);
    assert!(both.stderr.contains("there are both"), "{}", both.stderr);
}

#[test]
fn broken_lines_are_told_with_file_line_and_field_and_the_rest_is_imported() {
    let case = Case::new();
    case.edit("title.basics.tsv", |text| text.replace("\t1961\t", "\tlong ago\t"));
    case.edit("title.ratings.tsv", |text| text.replace("8.6\t", "86\t"));
    case.edit("title.principals.tsv", |text| text.replace("[\"Kikuchiyo\"]", "Kikuchiyo"));
    case.edit("title.akas.tsv", |text| text + "tt0000016\t1\n");
    let errors = case.path("errors.jsonl");
    let stopped = case.try_import(&[]);
    assert_eq!(stopped.status, Some(1));
    assert!(
        stopped.stderr.contains("title.ratings.tsv:4: averageRating: must be from 0.0 to 10.0")
    );
    let args = ["--max-errors", "4", "--errors", errors.to_str().unwrap()];
    let rest = case.try_import(&args);
    assert_eq!(rest.status, Some(1), "errors are failures, however many titles were imported");
    let report = rest.json();
    // It goes on with the title that the first import stopped at.
    let numbers = ["errors", "went_on_behind", "read"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(numbers, [4, 2, 18], "{report}");
    let told: Vec<Value> = fs::read_to_string(&errors)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let place = |told: &Value| {
        let file = Path::new(told["file"].as_str().unwrap()).file_name().unwrap();
        let field = told["field"].as_str().unwrap_or_default();
        format!("{}:{}:{field}", file.to_string_lossy(), told["line"])
    };
    let places: Vec<_> = told.iter().map(place).collect();
    assert_eq!(
        places,
        [
            "title.ratings.tsv:4:averageRating",
            "title.principals.tsv:5:characters",
            "title.basics.tsv:5:startYear",
            "title.akas.tsv:20:",
        ]
    );
    let titles = added(&case.data());
    assert_eq!((titles.len(), &titles["tt0000003"]["year"]), (16, &json!(1954)));
    assert_eq!(titles["tt0000003"].get("rating"), None);
}

#[test]
fn a_file_that_is_not_in_order_is_refused_with_its_line() {
    let case = Case::new();
    case.edit("title.ratings.tsv", |text| text + "tt0000004\t7.0\t10\n");
    let refused = case.try_import(&["--keep-going"]);
    assert_eq!(refused.status, Some(1));
    let told = "title.ratings.tsv:8: tconst: tt0000004 must not stand behind tt0000012";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    assert!(refused.stderr.contains("LC_ALL=C sort"), "{}", refused.stderr);
}

#[test]
fn an_import_that_is_killed_goes_on_and_equals_one_that_was_not() {
    const TITLES: u32 = 12_000;
    let dir = TempDir::new().unwrap();
    let (files, whole, killed) =
        (dir.path().join("imdb"), dir.path().join("whole"), dir.path().join("killed"));
    fs::create_dir(&files).unwrap();
    write_imdb(&files, TITLES).unwrap();
    let args = ["import", "imdb", "--json", files.to_str().unwrap()];
    let report = run(&whole, &args).ok().json();
    assert_eq!(report["added"], TITLES);

    let noted = killed.join("imports/imdb.json");
    let mut child = Command::new(binary())
        .arg("--data")
        .arg(&killed)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !noted.exists() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was done before it was killed");
    let resumed = run(&killed, &args).ok().json();
    let behind = resumed["went_on_behind"].as_u64().unwrap();
    assert!(behind >= 2_000 && behind < u64::from(TITLES), "{resumed}");
    assert_eq!(resumed["read"], u64::from(TITLES) - behind);
    assert!(!noted.exists(), "the import is done");
    assert_eq!(added(&killed), added(&whole));
    assert!(events(&killed, "TitleEdited").is_empty());
}

#[test]
fn movielens_says_what_it_would_do_and_leaves_out_what_is_broken() {
    let dir = TempDir::new().unwrap();
    let (data, files) = (dir.path().join("data"), dir.path().join("ml"));
    fs::create_dir(&files).unwrap();
    fs::write(files.join("movies.csv"), "movieId,title,genres\n1,A (1999),Drama\n2,,Drama\n")
        .unwrap();
    let ratings = "userId,movieId,rating,timestamp\n1,1,4.0,1000000000\n1,1,9.0,1000000001\n\
                   1,2,4.0,1000000002\n2,1,2.0,1000000003\n";
    fs::write(files.join("ratings.csv"), ratings).unwrap();
    let import = |args: &[&str]| {
        run(&data, &[&["import", "movielens", "--json", files.to_str().unwrap()], args].concat())
    };
    let dry = import(&["--dry-run", "--keep-going"]);
    let expected = json!([1, 2, 2, 2]);
    let found = |report: &Value| {
        let titles = report["titles"]["added"].clone();
        json!([titles, report["plays_added"], report["accounts_opened"], report["errors"]])
    };
    assert_eq!(found(&dry.json()), expected, "{dry:?}");
    assert!(!data.exists());
    let stopped = import(&[]);
    assert!(stopped.stderr.contains("movies.csv:3: title: must be"), "{}", stopped.stderr);
    let rest = import(&["--keep-going"]);
    assert!(rest.stderr.contains("ratings.csv:3: rating: must be from 0.5"), "{}", rest.stderr);
    // What was on its way when the first import stopped was recorded.
    let rest = rest.json();
    let plays = ["plays_added", "plays_already_there"].map(|name| rest[name].as_u64().unwrap());
    assert_eq!((plays.iter().sum::<u64>(), &rest["errors"]), (2, &json!(2)), "{rest}");
    let again = import(&["--keep-going"]).json();
    assert_eq!((&again["plays_added"], &again["plays_already_there"]), (&json!(0), &json!(2)));
    let dry = import(&["--dry-run", "--keep-going"]).json();
    assert_eq!((&dry["plays_added"], &dry["plays_already_there"]), (&json!(0), &json!(2)));
}
