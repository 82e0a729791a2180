//! Completes what is being typed.
