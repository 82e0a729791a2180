//! What can be found.
