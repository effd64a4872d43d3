//! `explain`: why a slot is in an answer, or is not.

use clap::Args;

use super::show;
use crate::cli::connection::{ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::query::QueryArguments;
use crate::cli::render::{Layout, explanation as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;
use crate::proto::routing::explain_slot_request::Subject;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// What is explained.
    #[command(flatten)]
    pub subject: SubjectArguments,
    /// The question of the answer; without one, the publisher's form stands for a patient at the place.
    #[command(flatten, next_help_heading = "The question; without one, somebody at the place whom the schedule takes")]
    pub query: QueryArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// One of the three.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SubjectArguments {
    /// The slot, as its publisher names it
    pub slot: Option<String>,
    /// Every slot of this schedule instead
    #[arg(long, value_name = "ID")]
    pub schedule: Option<String>,
    /// Every slot of this practitioner instead
    #[arg(long, value_name = "ID")]
    pub practitioner: Option<String>,
}

impl SubjectArguments {
    fn to_subject(&self) -> Option<Subject> {
        let slot = self.slot.clone().map(Subject::SlotId);
        let schedule = || self.schedule.clone().map(Subject::ScheduleId);
        let practitioner = || self.practitioner.clone().map(Subject::PractitionerId);
        slot.or_else(schedule).or_else(practitioner)
    }
}

/// Asks and shows what became of the slots.
///
/// # Errors
/// When the service cannot be reached, refuses the question or does not know what it is about.
pub async fn run(arguments: &ExplainArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let channel = arguments.server.connect().await?;
    let mut client = client!(explanation_service_client::ExplanationServiceClient, channel);
    let query = (!arguments.query.is_empty()).then(|| arguments.query.to_query(""));
    let request = pb::ExplainSlotRequest { subject: arguments.subject.to_subject(), query };
    let response = client.explain_slot(request).await?.into_inner();
    show(terminal, arguments.server.output, "ExplainSlotResponse", &response, || {
        render::explanation(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
