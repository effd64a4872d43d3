//! `policy diff`: which of the last answers of a running service would differ under policies that are not in force.

use std::path::PathBuf;

use clap::Args;

use super::activation::documents;
use crate::cli::command::show;
use crate::cli::connection::{ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::{Layout, policy_diff as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `policy diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// Files that are meant to be in force together; the national policy that ships unless given
    pub files: Vec<PathBuf>,
    /// How many of the last questions to answer again, 1 to 2000; all that are kept unless given
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub questions: Option<u32>,
    /// How many changed answers to show one by one, at most 200
    #[arg(long, value_name = "COUNT", default_value_t = 20, allow_negative_numbers = true)]
    pub changes: u32,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks what would change and shows it.
///
/// # Errors
/// When a file cannot be read, or the service cannot be reached or refuses the candidate.
pub async fn diff(arguments: &DiffArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let documents = documents(&arguments.files)?;
    let mut client = client!(policy_service_client::PolicyServiceClient, arguments.server.connect().await?);
    let request = pb::PreviewPolicyRequest {
        documents,
        questions_max: arguments.questions,
        changes_max: Some(arguments.changes),
    };
    let response = client.preview_policy(request).await?.into_inner();
    show(terminal, arguments.server.output, "PreviewPolicyResponse", &response, || {
        render::preview(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
