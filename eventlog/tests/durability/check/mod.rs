//! What must hold of a log after a crash.

pub(crate) mod crash;
pub(crate) mod judge;
pub(crate) mod snapshot;
