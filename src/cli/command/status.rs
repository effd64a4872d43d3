//! `status`: shows how a running service stands.

use clap::Args;

use super::show;
use crate::cli::connection::{ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::{Layout, status as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks and shows the status.
///
/// # Errors
/// When the service cannot be reached.
pub async fn run(arguments: &StatusArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(operations_service_client::OperationsServiceClient, arguments.server.connect().await?);
    let response = client.get_status(pb::GetStatusRequest {}).await?.into_inner();
    show(terminal, arguments.server.output, "GetStatusResponse", &response, || {
        render::status(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
