//! `find`: asks where a patient goes next, and watches what changes of the answer.

mod watch;

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
    /// Show the answer, then what changes of it until Ctrl-C or the end of --watch-seconds
    #[arg(long)]
    pub watch: bool,
    /// How long to watch, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 900,
        requires = "watch",
        value_parser = clap::value_parser!(u32).range(1..=3600),
        allow_negative_numbers = true
    )]
    pub watch_seconds: u32,
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
    let query = arguments.query.to_query(&arguments.case);
    if arguments.watch {
        return watch::run(&channel, query, arguments, terminal).await;
    }
    let response = find(&channel, query).await?;
    warn(&response, terminal);
    let layout = match arguments.server.output {
        Output::Table => layout_for(&response, terminal, &channel).await,
        Output::Json => Layout::new(terminal.width()),
    };
    show(terminal, arguments.server.output, "FindCareResponse", &response, || answer(&response, &layout))?;
    Ok(exit_of(&response))
}

/// Shows what is doubtful about the question.
fn warn(response: &pb::FindCareResponse, terminal: &Terminal) {
    for warning in &response.warnings {
        terminal.note(&render::warning(warning, &Layout::new(terminal.width())));
    }
}

/// How the command ends after an answer.
fn exit_of(response: &pb::FindCareResponse) -> Exit {
    let is_nothing = response.outcome == i32::from(pb::CareOutcome::NoSlotInTime);
    if is_nothing { Exit::Refused } else { Exit::Success }
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
