//! `find`: asks where a patient goes next.

use clap::Args;
use tonic::transport::Channel;

use super::{layout_with_names, show};
use crate::cli::connection::{Output, ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::query::QueryArguments;
use crate::cli::render::Layout;
use crate::cli::render::answer::{self as render, answer};
use crate::cli::render::options::territory_ids;
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `find`.
#[derive(Debug, Args)]
pub struct FindArguments {
    /// The question.
    #[command(flatten)]
    pub query: QueryArguments,
    /// Regulation file, opaque
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub case: String,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks and shows the answer.
///
/// # Errors
/// When the service cannot be reached or refuses the question.
pub async fn run(arguments: &FindArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let channel = arguments.server.connect().await?;
    let response = find(&channel, arguments.query.to_query(&arguments.case)).await?;
    for warning in &response.warnings {
        terminal.note(&render::warning(warning, &Layout::new(terminal.width())));
    }
    let layout = match arguments.server.output {
        Output::Table => layout_for(&response, terminal, &channel).await,
        Output::Json => Layout::new(terminal.width()),
    };
    show(terminal, arguments.server.output, "FindCareResponse", &response, || answer(&response, &layout))?;
    let is_nothing = response.outcome == i32::from(pb::CareOutcome::NoSlotInTime);
    Ok(if is_nothing { Exit::Refused } else { Exit::Success })
}

/// Asks one question.
///
/// # Errors
/// When the service refuses it.
pub async fn find(channel: &Channel, query: pb::CareQuery) -> Result<pb::FindCareResponse, Failure> {
    let mut client = client!(routing_service_client::RoutingServiceClient, channel.clone());
    Ok(client.find_care(pb::FindCareRequest { query: Some(query) }).await?.into_inner())
}

/// A layout that knows the names of the answer's territories.
pub async fn layout_for(response: &pb::FindCareResponse, terminal: &Terminal, channel: &Channel) -> Layout {
    let misses = response.near_misses.iter().filter_map(|miss| miss.option.as_ref());
    layout_with_names(terminal, channel, territory_ids(response.options.iter().chain(misses))).await
}
