//! `policy`: shows and judges policy files without a service, and changes what a running one answers under.

pub mod activation;
pub mod check;
pub mod diff;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::connection::Output;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policies;
use crate::cli::render::policy as render;
use crate::cli::terminal::Terminal;
use crate::routing::policy::{PolicyScope, PolicySet, ScopedPolicy};

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub struct PolicyArguments {
    /// What to do with policies
    #[command(subcommand)]
    pub action: PolicyAction,
}

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub enum PolicyAction {
    /// Show a policy as it is in force: the national one, or a file's over it
    Show {
        /// File of a territory, of a department or of the nation; the national policy that ships unless given
        file: Option<PathBuf>,
        /// How it is written; the TOML is whole and gives the same policy again
        #[arg(long, value_enum, default_value = "table")]
        output: PolicyOutput,
    },
    /// Say everything that is wrong with policy files, each with its line
    Validate {
        /// Files that are meant to be in force together
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Play scenarios under policy files that are not in force, and show which do not hold
    Check(check::CheckArguments),
    /// Show which of the last answers of a running service would differ under policy files
    Diff(diff::DiffArguments),
    /// Put policy files in force in a running service, in place of all that are
    Activate(activation::ActivateArguments),
    /// Show which policies a running service answers under, and who put them in force
    Active(activation::ActiveArguments),
    /// Go back to the national policy that ships
    Reset(activation::ResetArguments),
}

/// How a policy is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PolicyOutput {
    /// Tables for people
    Table,
    /// JSON
    Json,
    /// TOML
    Toml,
}

impl PolicyArguments {
    /// How the answer of the command is written.
    #[must_use]
    pub const fn output(&self) -> Output {
        match &self.action {
            PolicyAction::Show { .. } | PolicyAction::Validate { .. } => Output::Table,
            PolicyAction::Check(arguments) => arguments.output,
            PolicyAction::Diff(arguments) => arguments.server.output,
            PolicyAction::Activate(arguments) => arguments.change.server.output,
            PolicyAction::Active(arguments) => arguments.server.output,
            PolicyAction::Reset(arguments) => arguments.change.server.output,
        }
    }
}

/// Does what is to be done with policies.
///
/// # Errors
/// With every problem of the files; when a service cannot be reached or refuses them.
pub async fn run(arguments: &PolicyArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    match &arguments.action {
        PolicyAction::Show { file, output } => {
            let set = load(file.as_slice())?;
            // What a file says is the last of the set; without one, or with a national one, there is but one.
            let Some(shown) = set.all().last() else { return Ok(Exit::Success) };
            terminal.answer(&written(shown, *output, terminal.width())?);
        }
        PolicyAction::Validate { files } => {
            let set = load(files)?;
            for one in set.all().skip(usize::from(!has_national(&set, files.len()))) {
                terminal.answer(&format!("{} : {} est valide", render::scope(one.scope), one.policy.version));
            }
        }
        PolicyAction::Check(arguments) => return check::check(arguments, terminal).await,
        PolicyAction::Diff(arguments) => return diff::diff(arguments, terminal).await,
        PolicyAction::Activate(arguments) => return activation::activate(arguments, terminal).await,
        PolicyAction::Active(arguments) => return activation::active(arguments, terminal).await,
        PolicyAction::Reset(arguments) => return activation::reset(arguments, terminal).await,
    }
    Ok(Exit::Success)
}

/// Whether one of the files is a national policy: then there are no more policies than files.
fn has_national(set: &PolicySet, files: usize) -> bool {
    set.all().count() == files && set.all().any(|one| one.scope == PolicyScope::National)
}

fn load(files: &[PathBuf]) -> Result<PolicySet, Failure> {
    policies::load(files).map_err(|problems| Failure::Usage(problems.to_string()))
}

fn written(shown: &ScopedPolicy, output: PolicyOutput, width: usize) -> Result<String, Failure> {
    match output {
        PolicyOutput::Table => Ok(render::policy(shown, width)),
        PolicyOutput::Json => {
            serde_json::to_string_pretty(&shown.effective).map_err(|error| Failure::Local(error.to_string()))
        }
        PolicyOutput::Toml => {
            toml::to_string_pretty(&shown.effective).map_err(|error| Failure::Local(error.to_string()))
        }
    }
}
