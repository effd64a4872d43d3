//! The `sas-router` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    sas_router::cli::run()
}
