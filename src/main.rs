//! The `sas-router` program.

use std::process::ExitCode;

/// Many small values live long and are freed by other threads than made them: the system's allocator fragments on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sas_router::cli::run()
}
