//! Playhead.
