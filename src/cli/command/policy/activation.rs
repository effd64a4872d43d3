//! `policy activate`, `policy active`, `policy reset`: which policies a running service answers under.

use std::path::{Path, PathBuf};

use clap::Args;
use tonic::transport::Channel;

use crate::cli::command::show;
use crate::cli::connection::{ServerArguments, WriteArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policies;
use crate::cli::render::Layout;
use crate::cli::render::policy_activation as render;
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `policy activate`.
#[derive(Debug, Args)]
pub struct ActivateArguments {
    /// Every file that is to be in force over the national policy that ships; what is not named ends
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// What both changes need.
    #[command(flatten)]
    pub change: ChangeArguments,
}

/// Arguments of `policy reset`.
#[derive(Debug, Args)]
pub struct ResetArguments {
    /// What both changes need.
    #[command(flatten)]
    pub change: ChangeArguments,
}

/// What a change of policy needs.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Why, on one line; kept with the activation
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Refuse unless this version is in force; the one that is in force now unless given
    #[arg(long, value_name = "VERSION")]
    pub expected_version: Option<String>,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `policy active`.
#[derive(Debug, Args)]
pub struct ActiveArguments {
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Puts files in force.
///
/// # Errors
/// When a file cannot be read, or the service cannot be reached or refuses them.
pub async fn activate(arguments: &ActivateArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let documents = documents(&arguments.files)?;
    let channel = arguments.change.server.connect().await?;
    let expected_version = expected_version(&arguments.change, &channel, terminal).await?;
    let request = pb::ActivatePolicyRequest {
        request_id: arguments.change.write.announced(terminal),
        documents,
        expected_version,
        reason: arguments.change.reason.clone(),
    };
    let mut client = client!(policy_service_client::PolicyServiceClient, channel);
    let response = client.activate_policy(request).await?.into_inner();
    show(terminal, arguments.change.server.output, "ActivatePolicyResponse", &response, || {
        render::activated(response.activation.as_ref(), response.replayed, response.stamp.as_ref())
    })?;
    Ok(Exit::Success)
}

/// Goes back to the national policy that ships.
///
/// # Errors
/// When the service cannot be reached or refuses it.
pub async fn reset(arguments: &ResetArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let channel = arguments.change.server.connect().await?;
    let expected_version = expected_version(&arguments.change, &channel, terminal).await?;
    let request = pb::ResetPolicyRequest {
        request_id: arguments.change.write.announced(terminal),
        expected_version,
        reason: arguments.change.reason.clone(),
    };
    let mut client = client!(policy_service_client::PolicyServiceClient, channel);
    let response = client.reset_policy(request).await?.into_inner();
    show(terminal, arguments.change.server.output, "ResetPolicyResponse", &response, || {
        render::activated(response.activation.as_ref(), response.replayed, response.stamp.as_ref())
    })?;
    Ok(Exit::Success)
}

/// Shows what is in force.
///
/// # Errors
/// When the service cannot be reached.
pub async fn active(arguments: &ActiveArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(policy_service_client::PolicyServiceClient, arguments.server.connect().await?);
    let response = client.get_policy(pb::GetPolicyRequest {}).await?.into_inner();
    show(terminal, arguments.server.output, "GetPolicyResponse", &response, || {
        render::in_force(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

/// The version that is to be replaced: the one that is named, else the one that is in force, which is shown.
async fn expected_version(
    arguments: &ChangeArguments,
    channel: &Channel,
    terminal: &Terminal,
) -> Result<String, Failure> {
    if let Some(version) = &arguments.expected_version {
        return Ok(version.clone());
    }
    let mut client = client!(policy_service_client::PolicyServiceClient, channel.clone());
    let version = client.get_policy(pb::GetPolicyRequest {}).await?.into_inner().version;
    terminal
        .note(&format!("replaces version {version} (to retry: the same command with --expected-version {version})"));
    Ok(version)
}

/// The texts of files, under their names without their folders.
pub(super) fn documents(files: &[PathBuf]) -> Result<Vec<pb::PolicyDocument>, Failure> {
    let read = policies::read_all(files).map_err(|problems| Failure::Usage(problems.to_string()))?;
    let documents = read.into_iter().map(|document| {
        let name = Path::new(&*document.name).file_name().map(|name| name.to_string_lossy().into_owned());
        pb::PolicyDocument { name: name.unwrap_or_default(), text: document.text.to_string() }
    });
    Ok(documents.collect())
}
