//! What must hold of a log after a crash, and of bytes that rot.

pub(crate) mod crash;
pub(crate) mod damage;
pub(crate) mod judge;
pub(crate) mod snapshot;
