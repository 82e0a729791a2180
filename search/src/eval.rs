//! Measures how good answers are.
