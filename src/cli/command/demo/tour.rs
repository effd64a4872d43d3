//! What the demonstration shows of a running service: the cases, then a hold that only one of two regulators gets.

use tonic::transport::Channel;

use super::cases::{CASES, Case};
use crate::cli::command::find::{find, layout_for};
use crate::cli::command::refused;
use crate::cli::connection::{client, new_request_id};
use crate::cli::failure::Failure;
use crate::cli::render::answer::answer;
use crate::cli::render::table::wrapped;
use crate::cli::render::{booking, refusal};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Regulation file of the caller who gets the slot.
const FIRST_CASE_ID: &str = "fr.health.samu690.DRDEMO0001";
/// Regulation file of the caller who comes second.
const SECOND_CASE_ID: &str = "fr.health.samu690.DRDEMO0002";

/// Asks every case and shows the answers.
///
/// # Errors
/// When the service refuses a question.
pub async fn cases(channel: &Channel, server_flag: &str, terminal: &Terminal) -> Result<(), Failure> {
    for (number, case) in (1_u32..).zip(CASES) {
        let response = find(channel, question(&case)?.to_query("")).await?;
        let layout = layout_for(&response, terminal, channel).await;
        terminal.answer(&heading(&format!("{number}. {}", case.title), terminal));
        terminal.answer(&wrapped(case.story, terminal.width(), 0));
        terminal.answer(&format!("{}\n", shell_lines(&case.command_line(server_flag), terminal)));
        terminal.answer(&answer(&response, &layout));
    }
    Ok(())
}

/// Two regulators want the first case's best slot: one holds and confirms, the other is told what is left.
///
/// # Errors
/// When the service does not answer, or gives the slot to both.
pub async fn booking(channel: &Channel, terminal: &Terminal) -> Result<(), Failure> {
    let Some(case) = CASES.first() else { return Ok(()) };
    let arguments = question(case)?;
    let found = find(channel, arguments.to_query(FIRST_CASE_ID)).await?;
    terminal.answer(&heading("9. Deux régulateurs, une place", terminal));
    let Some(best) = found.options.first() else {
        terminal.answer("Le premier cas n'a pas d'option à cette heure : rien à réserver.");
        return Ok(());
    };
    let layout = layout_for(&found, terminal, channel).await;
    let mut client = client!(booking_service_client::BookingServiceClient, channel.clone());
    let request = |case_id: &str| pb::HoldSlotRequest {
        request_id: new_request_id(),
        slot_id: best.slot_id.clone(),
        case_id: case_id.to_owned(),
        query: Some(arguments.to_query(case_id)),
        ..pb::HoldSlotRequest::default()
    };
    terminal.answer(&wrapped(
        "Le premier régulateur pré-réserve la meilleure option du premier cas ; personne d'autre ne peut plus la prendre.",
        terminal.width(),
        0,
    ));
    let held = client.hold_slot(request(FIRST_CASE_ID)).await?.into_inner();
    let hold = held.hold.clone().unwrap_or_default();
    terminal.answer(&booking::hold(&hold, held.replayed, held.stamp.as_ref(), &layout));

    terminal.answer("\nLe second demande la même : refus, avec ce qui reste de mieux dans la même réponse.");
    match client.hold_slot(request(SECOND_CASE_ID)).await {
        Err(status) => terminal.answer(&refusal::failure(&refused(&status, channel).await, &layout)),
        Ok(_) => return Err(Failure::Local("the service gave one place to two patients".to_owned())),
    }

    terminal.answer("\nLe premier confirme.");
    let request = pb::ConfirmHoldRequest { request_id: new_request_id(), hold_id: hold.hold_id };
    let confirmed = client.confirm_hold(request).await?.into_inner();
    let booked = confirmed.booking.clone().unwrap_or_default();
    terminal.answer(&booking::booking(&booked, confirmed.replayed, confirmed.stamp.as_ref(), &layout));
    Ok(())
}

fn question(case: &Case) -> Result<crate::cli::query::QueryArguments, Failure> {
    case.question().map_err(|error| Failure::Local(error.to_string()))
}

/// A command as it is typed, over as many lines as it needs.
pub(super) fn shell_lines(command: &str, terminal: &Terminal) -> String {
    format!("$ {}", wrapped(command, terminal.width() - 4, 4).replace('\n', " \\\n"))
}

/// A title with a line under it.
pub(super) fn heading(title: &str, terminal: &Terminal) -> String {
    format!("\n{title}\n{}", "─".repeat(terminal.width()))
}
