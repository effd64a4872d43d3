//! `quarantine`: what the ledger lost, and what became of it.

use clap::{ArgGroup, Args, Subcommand};

use super::show;
use crate::cli::connection::{Output, ServerArguments, WriteArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::{Layout, quarantine as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `quarantine`.
#[derive(Debug, Args)]
pub struct QuarantineArguments {
    /// What to do
    #[command(subcommand)]
    pub action: QuarantineAction,
}

/// What to do with claims in quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineAction {
    /// Show the holds and bookings that the ledger lost, with whom to call
    List(ListArguments),
    /// Say what became of one, or of all of a slot: nobody comes, or it stands
    Settle(SettleArguments),
}

/// Arguments of `quarantine list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only slots of schedules of this publishing system
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub source: String,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `quarantine settle`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("verdict").required(true).args(["free", "stands"]))]
pub struct SettleArguments {
    /// The slot, as `quarantine list` shows it
    pub slot: String,
    /// Nobody comes: the unit is free again
    #[arg(long)]
    pub free: bool,
    /// The patient comes: the claim is what it was
    #[arg(long, requires = "claim")]
    pub stands: bool,
    /// The hold or booking; all of the slot unless given
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub claim: String,
    /// Who says so, opaque
    #[arg(long, value_name = "ID")]
    pub by: String,
    /// Why, nothing about the patient
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The publishing system on whose behalf this is said, which must own the schedule
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub source: String,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

impl QuarantineArguments {
    /// How the answer of the command is written.
    #[must_use]
    pub const fn output(&self) -> Output {
        match &self.action {
            QuarantineAction::List(arguments) => arguments.server.output,
            QuarantineAction::Settle(arguments) => arguments.server.output,
        }
    }
}

/// Shows or settles what is in quarantine.
///
/// # Errors
/// When the service cannot be reached, or refuses the settlement.
pub async fn run(arguments: &QuarantineArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    match &arguments.action {
        QuarantineAction::List(arguments) => list(arguments, terminal).await,
        QuarantineAction::Settle(arguments) => settle(arguments, terminal).await,
    }
}

async fn list(arguments: &ListArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(quarantine_service_client::QuarantineServiceClient, arguments.server.connect().await?);
    let request = pb::ListQuarantinedRequest { source_id: arguments.source.clone() };
    let response = client.list_quarantined(request).await?.into_inner();
    show(terminal, arguments.server.output, "ListQuarantinedResponse", &response, || {
        render::list(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

async fn settle(arguments: &SettleArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(quarantine_service_client::QuarantineServiceClient, arguments.server.connect().await?);
    let verdict = if arguments.stands { pb::QuarantineVerdict::Stands } else { pb::QuarantineVerdict::Free };
    let request = pb::SettleQuarantineRequest {
        request_id: arguments.write.announced(terminal),
        slot_id: arguments.slot.clone(),
        claim_id: arguments.claim.clone(),
        verdict: verdict.into(),
        settled_by: arguments.by.clone(),
        reason: arguments.reason.clone(),
        source_id: arguments.source.clone(),
    };
    let response = client.settle_quarantine(request).await?.into_inner();
    show(terminal, arguments.server.output, "SettleQuarantineResponse", &response, || {
        render::settled(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
