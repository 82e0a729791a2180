//! The house rules that a machine can check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crate may use which; an edge that is not listed is forbidden.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("eventlog", &[]),
    ("commands", &["domain", "eventlog", "identity", "vault"]),
    ("projections", &["domain", "eventlog", "vault"]),
    ("replay", &["domain", "eventlog", "projections", "vault"]),
    ("identity", &["domain"]),
    ("api", &["commands", "domain", "eventlog", "identity", "projections", "vault"]),
    ("vault", &["eventlog"]),
    ("search", &["domain", "eventlog", "projections"]),
    (
        "server",
        &[
            "api",
            "commands",
            "domain",
            "eventlog",
            "identity",
            "projections",
            "replay",
            "search",
            "vault",
        ],
    ),
    (
        "tests",
        &[
            "api",
            "commands",
            "domain",
            "eventlog",
            "identity",
            "projections",
            "replay",
            "search",
            "server",
            "vault",
        ],
    ),
];

/// No file of code is longer; long before that it should be split.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file that git tracks or would track, with its text.
fn files() -> Vec<(String, String)> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = git.output().expect("git lists the files");
    assert!(listed.status.success(), "git ls-files failed");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let text = |name: &str| fs::read_to_string(root().join(name)).ok();
    listed.lines().filter_map(|name| Some((name.to_owned(), text(name)?))).collect()
}

fn rust_files() -> impl Iterator<Item = (String, String)> {
    files().into_iter().filter(|(name, _)| name.ends_with(".rs"))
}

/// Fails with every line of the files that holds one of the words.
fn assert_absent(words: &[&str], files: impl Iterator<Item = (String, String)>) {
    let mut found = vec![];
    for (name, text) in files.filter(|(name, _)| !name.ends_with("it/tidy.rs")) {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{name}:{number}: {word}: {}", line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn crates_depend_only_in_the_allowed_direction() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root());
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), EDGES.len(), "list a new crate in EDGES");
    for package in packages {
        let name = package["name"].as_str().unwrap().strip_prefix("playhead-").unwrap();
        let (_, allowed) = EDGES.iter().find(|(from, _)| *from == name).unwrap();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let used: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|dependency| dependency["name"].as_str()?.strip_prefix("playhead-"))
            .collect();
        let forbidden: Vec<_> = used.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{name} must not use {forbidden:?}");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_house() {
    for (krate, _) in EDGES {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{krate}/Cargo.toml");
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for lint in ["missing_docs = \"warn\"", "unsafe_code = \"forbid\"", "unwrap_used = \"warn\""] {
        assert!(manifest.contains(lint), "{lint}");
    }
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(makefile.contains("--all-targets -- -D warnings"), "lints must fail the build");
}

#[test]
fn no_file_of_code_is_too_long() {
    let lines = |text: &str| text.lines().count();
    let long: Vec<_> = rust_files()
        .filter(|(_, text)| lines(text) > LINES_MAX)
        .map(|(name, text)| format!("{name}: {} lines", lines(&text)))
        .collect();
    assert!(long.is_empty(), "split:\n{}", long.join("\n"));
}

#[test]
fn only_the_server_knows_the_time_and_rolls_dice() {
    let clocks =
        ["SystemTime::now", "Utc::now", "Local::now", "now_v7", "new_v4", "use rand", " rand::"];
    let below = |name: &str| {
        let inside = |krate: &&str| name.starts_with(&format!("{krate}/src/"));
        ["domain", "eventlog", "commands", "projections", "replay", "api"].iter().any(inside)
    };
    assert_absent(&clocks, rust_files().filter(|(name, _)| below(name)));
    // They make secrets, but the time comes from outside.
    let secretive =
        |name: &str| name.starts_with("identity/src/") || name.starts_with("vault/src/");
    assert_absent(&clocks[..4], rust_files().filter(|(name, _)| secretive(name)));
}

#[test]
fn the_domain_is_pure() {
    let impure =
        ["Instant", "std::fs", "std::env", "std::net", "std::thread", "async fn", "HashMap"];
    assert_absent(&impure, rust_files().filter(|(name, _)| name.starts_with("domain/src/")));
}

#[test]
fn only_the_server_reads_the_environment() {
    let elsewhere = |name: &str| !name.starts_with("server/") && name.contains("/src/");
    let outside_tests = |name: &str| elsewhere(name) && !name.starts_with("tests/");
    assert_absent(
        &["std::env::var", "env::var("],
        rust_files().filter(|(name, _)| outside_tests(name)),
    );
}

#[test]
fn the_name_of_a_test_is_a_claim() {
    let mut bad = vec![];
    for (name, text) in rust_files() {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("fn ").or(line.strip_prefix("async fn ")) {
                let function = rest.split('(').next().unwrap_or_default();
                // `$claim` stands for many names, each checked where it is written.
                let claims = function.starts_with('$')
                    || function.split('_').count() >= 3 && !function.starts_with("test_");
                if is_test && !claims {
                    bad.push(format!("{name}: {function}"));
                }
                is_test = false;
            }
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        }
    }
    assert!(bad.is_empty(), "say what holds:\n{}", bad.join("\n"));
}

#[test]
fn no_test_is_switched_off_or_waits_by_the_clock() {
    // What takes minutes has a target of its own, named in the reason.
    let on_demand = "#[ignore = \"make crash: ";
    let others = rust_files().map(|(name, text)| (name, text.replace(on_demand, "")));
    assert_absent(&["#[ignore"], others);
    let is_test = |name: &str| name.contains("/tests/") || name.ends_with("tests.rs");
    assert_absent(&["sleep("], rust_files().filter(|(name, _)| is_test(name)));
}

#[test]
fn nothing_is_left_for_later() {
    assert_absent(&["TODO", "FIXME", "XXX", "unimplemented!", "todo!("], rust_files());
}

#[test]
fn no_registry_host_is_named() {
    let hosts = ["static.crates", "registry.npmjs", "files.pythonhosted", "deb.debian"];
    assert_absent(&hosts, files().into_iter());
}
