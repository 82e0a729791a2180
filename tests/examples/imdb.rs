//! Writes files like IMDb's: `cargo run --package playhead-tests --example imdb -- DIR TITLES`.

use std::path::Path;

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, titles] = args.as_slice() else { return Err("usage: imdb DIR TITLES".to_owned()) };
    let titles = titles.parse().map_err(|error| format!("{titles}: {error}"))?;
    std::fs::create_dir_all(dir).map_err(|error| format!("{dir}: {error}"))?;
    let lines = playhead_tests::write_imdb(Path::new(dir), titles);
    lines.map(|_| ()).map_err(|error| format!("{dir}: {error}"))
}
