//! Playhead.
fn main() {}
