//! `completions`: prints the completions of the whole command line for a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::terminal::Terminal;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Writes the completions.
pub fn run(arguments: &CompletionsArguments, command: &mut Command, terminal: &Terminal) {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, command, "sas-router", &mut text);
    terminal.answer(String::from_utf8_lossy(&text).trim_end());
}
