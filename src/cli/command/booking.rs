//! `hold`, `confirm`, `release`, `cancel`, `rebook`: from an option to a booking that nobody else can take.

use clap::Args;

use super::{refused, show};
use crate::cli::connection::{Output, ServerArguments, WriteArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::cli::query::QueryArguments;
use crate::cli::render::{Layout, booking as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Who asks for a slot, and why it may begin late.
#[derive(Debug, Args)]
pub struct AuthorityArguments {
    /// Your role: call-taker, care-operator or physician; needed beyond the clinical delay
    #[arg(long = "regulator-role", value_name = "ROLE", value_parser = human::parse_regulator_role)]
    pub regulator_role: Option<pb::RegulatorRole>,
    /// Why a slot beyond the clinical delay is taken (physicians only), without anything that identifies the patient
    #[arg(long = "beyond-delay", value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub beyond_delay: String,
}

impl AuthorityArguments {
    fn role(&self) -> i32 {
        self.regulator_role.unwrap_or_default().into()
    }
}

/// Arguments of `hold`.
#[derive(Debug, Args)]
pub struct HoldArguments {
    /// The slot to hold, as `find` shows it
    pub slot: String,
    /// Regulation file, opaque
    #[arg(long, value_name = "ID")]
    pub case: String,
    /// How long to hold, in seconds; the policy's time unless given
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(5..=900),
        allow_negative_numbers = true
    )]
    pub ttl: Option<u32>,
    /// Who holds, opaque
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub regulator: String,
    /// The booking of the case that this hold is meant to replace, by `rebook`
    #[arg(long, value_name = "BOOKING", default_value = "", hide_default_value = true)]
    pub rebooks: String,
    /// Who asks.
    #[command(flatten)]
    pub authority: AuthorityArguments,
    /// The question that led to the slot: when it is taken, the answer names the next best options.
    #[command(flatten, next_help_heading = "The question, for the next best options when the slot is taken")]
    pub query: QueryArguments,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArguments {
    /// The hold, as `hold` shows it
    pub hold: String,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct ReleaseArguments {
    /// The hold, as `hold` shows it
    pub hold: String,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `cancel`.
#[derive(Debug, Args)]
pub struct CancelArguments {
    /// The booking, as `confirm` shows it
    pub booking: String,
    /// Why, without anything that identifies the patient
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `rebook`.
#[derive(Debug, Args)]
pub struct RebookArguments {
    /// The booking to be replaced, as `confirm` shows it
    pub booking: String,
    /// The slot that replaces it, as `find` shows it
    #[arg(required_unless_present = "hold", conflicts_with = "hold")]
    pub slot: Option<String>,
    /// A hold of the same case that replaces it, made with `hold --rebooks`
    #[arg(long, value_name = "HOLD")]
    pub hold: Option<String>,
    /// Who books, opaque
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub regulator: String,
    /// Why the old booking is given up, without anything that identifies the patient
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// Who asks.
    #[command(flatten)]
    pub authority: AuthorityArguments,
    /// The question that led to the slot: when it is taken, the answer names the next best options.
    #[command(flatten, next_help_heading = "The question, for the next best options when the slot is taken")]
    pub query: QueryArguments,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Holds a slot.
///
/// # Errors
/// When the service cannot be reached or the slot cannot be held.
pub async fn hold(arguments: &HoldArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let channel = arguments.server.connect().await?;
    let mut client = client!(booking_service_client::BookingServiceClient, channel.clone());
    let request = pb::HoldSlotRequest {
        request_id: arguments.write.announced(terminal),
        slot_id: arguments.slot.clone(),
        case_id: arguments.case.clone(),
        ttl_seconds: arguments.ttl,
        query: (!arguments.query.is_empty()).then(|| arguments.query.to_query(&arguments.case)),
        regulator_id: arguments.regulator.clone(),
        rebooks_booking_id: arguments.rebooks.clone(),
        regulator_role: arguments.authority.role(),
        beyond_delay_reason: arguments.authority.beyond_delay.clone(),
    };
    let response = match client.hold_slot(request).await {
        Ok(response) => response.into_inner(),
        Err(status) if arguments.server.output == Output::Table => return Err(refused(&status, &channel).await),
        Err(status) => return Err(status.into()),
    };
    show(terminal, arguments.server.output, "HoldSlotResponse", &response, || {
        let hold = response.hold.clone().unwrap_or_default();
        let table = render::hold(&hold, response.replayed, response.stamp.as_ref(), &Layout::new(terminal.width()));
        let next = match arguments.rebooks.as_str() {
            "" => format!("confirm {}", hold.hold_id),
            booking => format!("rebook {booking} --hold {}", hold.hold_id),
        };
        format!("{table}\nConfirmer : sas-router {next}\nRendre     : sas-router release {}", hold.hold_id)
    })?;
    Ok(Exit::Success)
}

/// Turns a hold into a booking.
///
/// # Errors
/// When the service cannot be reached or the hold has ended.
pub async fn confirm(arguments: &ConfirmArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(booking_service_client::BookingServiceClient, arguments.server.connect().await?);
    let request =
        pb::ConfirmHoldRequest { request_id: arguments.write.announced(terminal), hold_id: arguments.hold.clone() };
    let response = client.confirm_hold(request).await?.into_inner();
    show(terminal, arguments.server.output, "ConfirmHoldResponse", &response, || {
        let booking = response.booking.clone().unwrap_or_default();
        render::booking(&booking, response.replayed, response.stamp.as_ref(), &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

/// Gives a hold back.
///
/// # Errors
/// When the service cannot be reached or does not know the hold.
pub async fn release(arguments: &ReleaseArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(booking_service_client::BookingServiceClient, arguments.server.connect().await?);
    let request =
        pb::ReleaseHoldRequest { request_id: arguments.write.announced(terminal), hold_id: arguments.hold.clone() };
    let response = client.release_hold(request).await?.into_inner();
    show(terminal, arguments.server.output, "ReleaseHoldResponse", &response, || {
        let hold = response.hold.clone().unwrap_or_default();
        render::hold(&hold, response.replayed, response.stamp.as_ref(), &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

/// Cancels a booking.
///
/// # Errors
/// When the service cannot be reached or does not know the booking.
pub async fn cancel(arguments: &CancelArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(booking_service_client::BookingServiceClient, arguments.server.connect().await?);
    let request = pb::CancelBookingRequest {
        request_id: arguments.write.announced(terminal),
        booking_id: arguments.booking.clone(),
        reason: arguments.reason.clone(),
    };
    let response = client.cancel_booking(request).await?.into_inner();
    show(terminal, arguments.server.output, "CancelBookingResponse", &response, || {
        let booking = response.booking.clone().unwrap_or_default();
        render::booking(&booking, response.replayed, response.stamp.as_ref(), &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

/// Books another slot for a case and cancels its booking.
///
/// # Errors
/// When the service cannot be reached, the slot cannot be had, or the booking is unknown.
pub async fn rebook(arguments: &RebookArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    use pb::rebook_request::Target;
    let channel = arguments.server.connect().await?;
    let mut client = client!(booking_service_client::BookingServiceClient, channel.clone());
    let slot = arguments.slot.clone().map(Target::SlotId);
    let request = pb::RebookRequest {
        request_id: arguments.write.announced(terminal),
        booking_id: arguments.booking.clone(),
        target: arguments.hold.clone().map(Target::HoldId).or(slot),
        query: (!arguments.query.is_empty()).then(|| arguments.query.to_query("")),
        regulator_id: arguments.regulator.clone(),
        cancel_reason: arguments.reason.clone(),
        regulator_role: arguments.authority.role(),
        beyond_delay_reason: arguments.authority.beyond_delay.clone(),
    };
    let response = match client.rebook(request).await {
        Ok(response) => response.into_inner(),
        Err(status) if arguments.server.output == Output::Table => return Err(refused(&status, &channel).await),
        Err(status) => return Err(status.into()),
    };
    show(terminal, arguments.server.output, "RebookResponse", &response, || {
        let booking = response.booking.clone().unwrap_or_default();
        render::booking(&booking, response.replayed, response.stamp.as_ref(), &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
