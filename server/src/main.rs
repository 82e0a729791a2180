//! The `playhead` program. Everything it does is in the library of this crate, so that tests can
//! start it in their own process.

use std::process::ExitCode;

/// Brings the CPU time of a GraphQL request from 49–64 to 33–39 µs (measured).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    playhead_server::main()
}
