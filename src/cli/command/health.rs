//! `health`: whether a running instance should be given calls, as a number that a container's health check understands.
//!
//! Invariant: success means that the service that was asked for serves now; anything else is another number.
//! Deliberately absent: what is the matter, which `status` tells.

use clap::Args;
use serde_json::json;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::connection::{Output, ServerArguments};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;

/// Arguments of `health`.
#[derive(Debug, Args)]
pub struct HealthArguments {
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
    /// Full name of the gRPC service that must serve; an empty name asks whether the process answers
    #[arg(long, value_name = "NAME", default_value = "sas.routing.v1.RoutingService")]
    pub service: String,
}

/// Asks and says whether it serves.
///
/// # Errors
/// When nothing answers, or the instance has no such service.
pub async fn run(arguments: &HealthArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = HealthClient::new(arguments.server.connect().await?);
    let request = HealthCheckRequest { service: arguments.service.clone() };
    let status = client.check(request).await?.into_inner().status();
    terminal.answer(&match arguments.server.output {
        Output::Table => status.as_str_name().to_owned(),
        Output::Json => json!({ "service": arguments.service, "status": status.as_str_name() }).to_string(),
    });
    Ok(if status == ServingStatus::Serving { Exit::Success } else { Exit::Refused })
}
