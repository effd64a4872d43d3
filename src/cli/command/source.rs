//! `heartbeat` and `sources`: says that a publishing system is there, and shows how far each is believed.

use clap::Args;

use super::show;
use crate::cli::connection::{ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::{Layout, source as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `heartbeat`.
#[derive(Debug, Args)]
pub struct HeartbeatArguments {
    /// The publishing system
    pub source: String,
    /// How long its word counts from now on, in seconds (30 to 86400); without it the lease ends
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub lease: Option<u32>,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `sources`.
#[derive(Debug, Args)]
pub struct SourcesArguments {
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Sends one heartbeat.
///
/// # Errors
/// When the service cannot be reached, refuses the lease, or does not know the source.
pub async fn heartbeat(arguments: &HeartbeatArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(publishing_service_client::PublishingServiceClient, arguments.server.connect().await?);
    let request = pb::HeartbeatRequest { source_id: arguments.source.clone(), lease_seconds: arguments.lease };
    let response = client.heartbeat(request).await?.into_inner();
    show(terminal, arguments.server.output, "HeartbeatResponse", &response, || {
        render::heartbeat(&arguments.source, &response)
    })?;
    Ok(Exit::Success)
}

/// Asks for all sources and shows them.
///
/// # Errors
/// When the service cannot be reached.
pub async fn list(arguments: &SourcesArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(operations_service_client::OperationsServiceClient, arguments.server.connect().await?);
    let response = client.list_sources(pb::ListSourcesRequest {}).await?.into_inner();
    show(terminal, arguments.server.output, "ListSourcesResponse", &response, || {
        render::sources(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
