//! What is published is what is served.

/// The file is what clients generate code from, so that every change of it is seen in review.
#[test]
fn the_published_schema_is_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/schema.graphql");
    let sdl = playhead_api::sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &sdl).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        sdl == published,
        "schemas/schema.graphql is out of date; if the change is meant, run: \
         UPDATE_SCHEMA=1 cargo test -p playhead-api published_schema"
    );
}
