//! `scenario run`: plays scenarios in this process, without a service, and tells which of them do not hold.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::connection::Output;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::Layout;
use crate::cli::render::scenario::{Played, report, report_json};
use crate::cli::terminal::Terminal;
use crate::scenario::{self, Problems};

/// Arguments of `scenario`.
#[derive(Debug, Args)]
pub struct ScenarioArguments {
    /// What is done with scenarios.
    #[command(subcommand)]
    pub action: ScenarioAction,
}

/// What is done with scenarios.
#[derive(Debug, Subcommand)]
pub enum ScenarioAction {
    /// Play scenarios and show where what is answered is not what they state
    Run(RunArguments),
}

/// Arguments of `scenario run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Scenario files, or folders of them; what they share stands in `_common.toml` beside them
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub paths: Vec<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

impl ScenarioArguments {
    /// How the report is written.
    #[must_use]
    pub const fn output(&self) -> Output {
        let ScenarioAction::Run(arguments) = &self.action;
        arguments.output
    }
}

/// Plays every scenario and shows the report.
///
/// # Errors
/// When a file is not valid; nothing is played then.
pub async fn run(arguments: &ScenarioArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let ScenarioAction::Run(arguments) = &arguments.action;
    let corpus = scenario::load(&arguments.paths).map_err(|problems: Problems| Failure::Usage(problems.to_string()))?;
    let mut played = Vec::with_capacity(corpus.scenarios.len());
    for scenario in &corpus.scenarios {
        played.push(Played { scenario, verdict: scenario::run(scenario).await });
    }
    let text = match arguments.output {
        Output::Table => report(&played, &Layout::new(terminal.width())),
        Output::Json => report_json(&played),
    };
    terminal.answer(&text);
    let all_hold = played.iter().all(|one| one.verdict.holds());
    Ok(if all_hold { Exit::Success } else { Exit::Refused })
}
