//! The files of `schemas/events/`: of each event type and version one JSON Schema and one array of
//! golden payloads.

use std::path::{Path, PathBuf};

use playhead_domain::codec::{EventType, UPCASTS, event_types};
use serde_json::Value;

/// One version of one event type.
pub(crate) type Version = (String, u16);

const SCHEMA: &str = ".schema.json";
const GOLDEN: &str = ".golden.json";
/// The hashes of all golden files.
pub(crate) const LOCK: &str = "GOLDEN.lock";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/events")
}

/// The bytes of one file.
#[expect(clippy::disallowed_methods, reason = "the library does no I/O, but these are files")]
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The schema of a profile, which stands beside those of events.
pub(crate) fn schema_of_profiles() -> Value {
    json("../profile.schema.json")
}

/// The names of all files, sorted.
pub(crate) fn names() -> Vec<String> {
    let entries = folder().read_dir().unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The names of all golden files, sorted.
pub(crate) fn golden_names() -> Vec<String> {
    names().into_iter().filter(|name| name.ends_with(GOLDEN)).collect()
}

fn versions_of(suffix: &str) -> Vec<Version> {
    names().iter().filter_map(|name| version_of(name.strip_suffix(suffix)?)).collect()
}

fn version_of(stem: &str) -> Option<Version> {
    let (name, version) = stem.rsplit_once(".v")?;
    Some((name.to_owned(), version.parse().ok()?))
}

/// Each version that has a schema.
pub(crate) fn versions() -> Vec<Version> {
    versions_of(SCHEMA)
}

/// The schema of a version.
pub(crate) fn schema((name, version): &Version) -> Value {
    json(&format!("{name}.v{version}{SCHEMA}"))
}

/// The golden payloads of a version.
pub(crate) fn goldens((name, version): &Version) -> Vec<Value> {
    match json(&format!("{name}.v{version}{GOLDEN}")) {
        Value::Array(payloads) => payloads,
        other => panic!("{name}.v{version}{GOLDEN} holds {other}, not an array"),
    }
}

/// Whether payloads of a version can be read: it is the current one, or upcasts lead there.
fn readable((name, version): &Version, types: &[EventType]) -> bool {
    let Some(current) = types.iter().find(|of| of.name == name) else { return false };
    let lifted =
        |from: u16| UPCASTS.iter().any(|step| step.event_type == name && step.from == from);
    *version <= current.version && (*version..current.version).all(lifted)
}

#[test]
fn every_event_type_has_a_schema_and_goldens_of_its_current_version() {
    let (schemas, goldens) = (versions_of(SCHEMA), versions_of(GOLDEN));
    for of in event_types() {
        let version = (of.name.to_owned(), of.version);
        assert!(schemas.contains(&version), "{version:?} has no {SCHEMA}");
        assert!(goldens.contains(&version), "{version:?} has no {GOLDEN}");
    }
}

#[test]
fn every_version_has_both_a_schema_and_goldens() {
    assert_eq!(versions_of(SCHEMA), versions_of(GOLDEN));
}

#[test]
fn every_version_that_has_files_can_be_read() {
    let types: Vec<_> = event_types().collect();
    for version in versions() {
        assert!(readable(&version, &types), "{version:?} is no event type, or has no upcasts");
    }
}

#[test]
fn every_upcast_starts_from_a_version_that_has_files() {
    let versions = versions();
    for step in UPCASTS {
        let version = (step.event_type.to_owned(), step.from);
        assert!(versions.contains(&version), "{version:?} is lifted but has no files");
    }
}

#[test]
fn no_file_is_orphaned() {
    for name in names().iter().filter(|name| *name != LOCK) {
        let stem = name.strip_suffix(SCHEMA).or_else(|| name.strip_suffix(GOLDEN));
        let version = stem.and_then(version_of);
        let stem_again = version.map(|(name, version)| format!("{name}.v{version}"));
        assert_eq!(stem_again.as_deref(), stem, "{name} belongs to no event type");
        assert!(stem.is_some(), "{name} is neither a schema nor a golden file");
    }
}
