//! The commands, one file each: arguments, call, what is shown.

pub mod serve;
pub mod find;
pub mod explain;
pub mod booking;
pub mod refusal;
pub mod orientation;
pub mod indicators;
pub mod import;
pub mod export;
pub mod schedule;
pub mod sites;
pub mod source;
pub mod quarantine;
pub mod health;
pub mod status;
pub mod watch;
pub mod verify;
pub mod scenario;
pub mod policy;
pub mod demo;
pub mod completions;

use prost::Message;
use tonic::Status;
use tonic::transport::Channel;

use super::connection::{Output, client};
use super::failure::{Failure, Refusal};
use super::json;
use super::render::options::territory_ids;
use super::render::{Layout, Names};
use super::terminal::Terminal;
use crate::clock::{Clock as _, SystemClock};
use crate::proto::routing as pb;

/// Writes an answer in the wanted form: the message as JSON, or its table.
fn show(
    terminal: &Terminal,
    output: Output,
    name: &str,
    message: &impl Message,
    table: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let text = match output {
        Output::Json => json::to_text(name, message)?,
        Output::Table => table(),
    };
    terminal.answer(&text);
    Ok(())
}

/// A layout that knows the names of these territories; a name that cannot be had is no failure.
async fn layout_with_names(terminal: &Terminal, channel: &Channel, territory_ids: Vec<String>) -> Layout {
    let names = territory_names(channel, territory_ids).await;
    Layout { names, ..Layout::new(terminal.width()).at(SystemClock.now()) }
}

async fn territory_names(channel: &Channel, territory_ids: Vec<String>) -> Names {
    let mut client = client!(directory_service_client::DirectoryServiceClient, channel.clone());
    let mut names = Names::default();
    for territory_id in territory_ids {
        let request = pb::GetTerritoryRequest { territory_id: territory_id.clone() };
        let Ok(response) = client.get_territory(request).await else { continue };
        if let Some(territory) = response.into_inner().territory {
            names.add_territory(territory_id, territory.name);
        }
    }
    names
}

/// What the service refused, for a table: with the names of the territories of the alternatives.
async fn refused(status: &Status, channel: &Channel) -> Failure {
    let mut refusal = Refusal::from_status(status);
    if let Some(refused) = &refusal.hold_refused {
        refusal.names = territory_names(channel, territory_ids(refused.alternatives.iter())).await;
    }
    Failure::Answered(Box::new(refusal))
}
