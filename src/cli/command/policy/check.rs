//! `policy check`: plays scenarios under policies that are not in force, in this process and without a service.

use std::path::PathBuf;

use clap::Args;

use crate::cli::connection::Output;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policies;
use crate::cli::render::Layout;
use crate::cli::render::scenario::{Played, report, report_json};
use crate::cli::terminal::Terminal;
use crate::routing::policy::PolicySet;
use crate::scenario;

/// Arguments of `policy check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Files that are meant to be in force together
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Scenario file or folder, may be repeated; the corpus that ships with the program unless given
    #[arg(long, value_name = "FILE|FOLDER")]
    pub scenarios: Vec<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Plays every scenario under the candidate and shows which do not hold.
///
/// # Errors
/// When a policy or a scenario is not valid; nothing is played then.
pub async fn check(arguments: &CheckArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let usage = |problems: &dyn std::fmt::Display| Failure::Usage(problems.to_string());
    let candidate = policies::read_all(&arguments.files).map_err(|problems| usage(&problems))?;
    let (set, shipped) = (PolicySet::load(&candidate), PolicySet::load(&[]));
    let (set, shipped) = (set.map_err(|problems| usage(&problems))?, shipped.map_err(|problems| usage(&problems))?);
    if let Some(one) = set.all().find(|one| shipped.all().any(|other| other.is_mistakable_for(one))) {
        let name = &one.policy.name;
        return Err(usage(&format!("`{name}` is the policy that ships: give the candidate a version name of its own")));
    }
    let corpus =
        if arguments.scenarios.is_empty() { scenario::shipped() } else { scenario::load(&arguments.scenarios) };
    let corpus = corpus.map_err(|problems| usage(&problems))?;
    let mut played = Vec::with_capacity(corpus.scenarios.len());
    for scenario in &corpus.scenarios {
        played.push(Played { scenario, verdict: scenario::run_under(scenario, &candidate).await });
    }
    terminal.answer(&match arguments.output {
        Output::Table => report(&played, &Layout::new(terminal.width())),
        Output::Json => report_json(&played),
    });
    let all_hold = played.iter().all(|one| one.verdict.holds());
    Ok(if all_hold { Exit::Success } else { Exit::Refused })
}
