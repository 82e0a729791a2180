//! Understands, finds and ranks.
