//! `schedule`: shows a schedule with its slots and what was claimed of them.

use clap::Args;

use super::{layout_with_names, show};
use crate::cli::connection::{Output, ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::{Layout, schedule as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `schedule`.
#[derive(Debug, Args)]
pub struct ScheduleArguments {
    /// The schedule, as its publisher names it
    pub schedule: String,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks and shows the schedule.
///
/// # Errors
/// When the service cannot be reached or does not know the schedule.
pub async fn run(arguments: &ScheduleArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let channel = arguments.server.connect().await?;
    let mut client = client!(publishing_service_client::PublishingServiceClient, channel.clone());
    let request = pb::GetScheduleRequest { schedule_id: arguments.schedule.clone(), window: None };
    let response = client.get_schedule(request).await?.into_inner();
    if arguments.server.output == Output::Json {
        show(terminal, Output::Json, "GetScheduleResponse", &response, String::new)?;
        return Ok(Exit::Success);
    }
    let schedule = response.schedule.clone().unwrap_or_default();
    let mut directory = client!(directory_service_client::DirectoryServiceClient, channel.clone());
    // Without its place a schedule is still shown, in Paris' zone.
    let place = directory.get_place(pb::GetPlaceRequest { place_id: schedule.place_id }).await;
    let time_zone =
        place.ok().and_then(|place| place.into_inner().place).map_or(String::new(), |place| place.time_zone);
    let names = layout_with_names(terminal, &channel, schedule.territory_ids).await.names;
    let layout = Layout { names, ..Layout::new(terminal.width()) };
    terminal.answer(&render::schedule(&response, &time_zone, &layout));
    Ok(Exit::Success)
}
