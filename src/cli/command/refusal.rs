//! `refuse`, `refusals`: an offer that came to nothing, and how often that happened.

use clap::{ArgGroup, Args};

use super::show;
use crate::cli::connection::{ServerArguments, WriteArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::cli::render::{Layout, refusals as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `refuse`.
#[derive(Debug, Args)]
pub struct RefuseArguments {
    /// The slot that was offered, as `find` shows it
    pub slot: String,
    /// Regulation file, opaque
    #[arg(long, value_name = "ID")]
    pub case: String,
    /// Why: could-not-contact, declined, no-appointment, too-far, transport, not-appropriate, patient-choice
    #[arg(long, value_name = "REASON", value_parser = human::parse_refusal_reason)]
    pub reason: pb::RefusalReason,
    /// Who records it, opaque
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub regulator: String,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `refusals`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("scope").required(true).args(["territory", "schedule"]))]
pub struct RefusalsArguments {
    /// The CPTS, by its FINESS
    #[arg(long, value_name = "ID")]
    pub territory: Option<String>,
    /// The schedule, as its publisher names it
    #[arg(long, value_name = "ID")]
    pub schedule: Option<String>,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Records that an offer came to nothing.
///
/// # Errors
/// When the service cannot be reached or does not know the slot.
pub async fn refuse(arguments: &RefuseArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(booking_service_client::BookingServiceClient, arguments.server.connect().await?);
    let request = pb::RecordRefusalRequest {
        request_id: arguments.write.announced(terminal),
        case_id: arguments.case.clone(),
        slot_id: arguments.slot.clone(),
        reason: arguments.reason.into(),
        regulator_id: arguments.regulator.clone(),
    };
    let response = client.record_refusal(request).await?.into_inner();
    show(terminal, arguments.server.output, "RecordRefusalResponse", &response, || {
        render::refusal(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

/// Shows how often offers came to nothing.
///
/// # Errors
/// When the service cannot be reached or does not know the territory or the schedule.
pub async fn refusals(arguments: &RefusalsArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    use pb::list_refusals_request::Scope;
    let mut client = client!(publishing_service_client::PublishingServiceClient, arguments.server.connect().await?);
    let territory = arguments.territory.clone().map(Scope::TerritoryId);
    let scope = territory.or_else(|| arguments.schedule.clone().map(Scope::ScheduleId));
    let response = client.list_refusals(pb::ListRefusalsRequest { scope }).await?.into_inner();
    show(terminal, arguments.server.output, "ListRefusalsResponse", &response, || {
        render::refusals(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
