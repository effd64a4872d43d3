//! What callers do: the mixes, and one call of each kind.
//!
//! Callers do what the answers before allow: they hold a slot that an answer offered, confirm a hold that was given, cancel
//! a booking that was made. Where there is none yet they ask a question instead, and it counts as one.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use sas_router::proto::routing as pb;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::support::questions::questions;
use super::support::random::Random;
use super::support::region::Region;
use super::support::wire::{stated, wire};
use super::tally::{OVERLOADED, Outcome};

/// So many offers, holds and bookings are remembered.
const REMEMBERED: usize = 4_096;
const QUESTIONS: usize = 5_000;
/// Rows of one batch.
const ROWS: usize = 10;
/// Who publishes the region.
const SOURCE: &str = "bench";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Find,
    Escalation,
    Hold,
    Confirm,
    Cancel,
    Publish,
}

impl Operation {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Escalation => "escalation",
            Self::Hold => "hold",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Publish => "publish",
        }
    }
}

/// How often each operation is done, in per cent.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum, Debug)]
pub enum Mix {
    /// Find 90, hold 4, confirm 3, cancel 1, publish 2.
    Day,
    /// Find alone.
    Find,
    /// Find 84, escalations (R1, P0) 6, hold 4, confirm 3, cancel 1, publish 2.
    Escalations,
}

impl Mix {
    const fn shares(self) -> [(Operation, f64); 6] {
        let (find, escalation, write) = match self {
            Self::Day => (90.0, 0.0, 1.0),
            Self::Find => (100.0, 0.0, 0.0),
            Self::Escalations => (84.0, 6.0, 1.0),
        };
        [
            (Operation::Find, find),
            (Operation::Escalation, escalation),
            (Operation::Hold, 4.0 * write),
            (Operation::Confirm, 3.0 * write),
            (Operation::Cancel, write),
            (Operation::Publish, 2.0 * write),
        ]
    }

    /// What the call of this number does; the same in every run.
    pub fn operation(self, number: u64) -> Operation {
        let weights = self.shares().map(|(_, share)| share);
        self.shares()[Random::new(number).weighted(&weights)].0
    }
}

/// The callers, who know what was answered so far.
pub struct Callers {
    questions: Vec<pb::CareQuery>,
    batches: Vec<Vec<pb::SlotInput>>,
    /// Of this run, so that no request or case repeats one of a run before.
    run: u64,
    /// Longest wait of a caller, after it asked.
    patience: Duration,
    offers: Mutex<VecDeque<String>>,
    holds: Mutex<VecDeque<String>>,
    bookings: Mutex<VecDeque<String>>,
}

fn remember(all: &Mutex<VecDeque<String>>, one: String) {
    let mut all = all.lock();
    if all.len() >= REMEMBERED {
        all.pop_front();
    }
    all.push_back(one);
}

impl Callers {
    pub fn of(region: &Region, run: u64, patience: Duration) -> Self {
        let asked = questions(region, QUESTIONS, 7);
        let by_schedule = region.slots.chunk_by(|one, other| one.schedule_id == other.schedule_id);
        let batches = by_schedule.take(10_000).map(|slots| slots.iter().take(ROWS).map(|slot| stated(slot)).collect());
        Self {
            questions: asked.iter().filter_map(|(_, query, _)| wire(query).query).collect(),
            batches: batches.collect(),
            run,
            patience,
            offers: Mutex::default(),
            holds: Mutex::default(),
            bookings: Mutex::default(),
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.patience);
        request
    }

    /// Makes the call of this number, and says what it was and what became of it.
    pub async fn call(&self, channel: Channel, operation: Operation, number: u64) -> (&'static str, Outcome) {
        let id = format!("load-{}-{number}", self.run);
        let of = |pool: &Mutex<VecDeque<String>>| pool.lock().pop_front();
        let (operation, known) = match operation {
            Operation::Hold => (operation, of(&self.offers)),
            Operation::Confirm => (operation, of(&self.holds)),
            Operation::Cancel => (operation, of(&self.bookings)),
            Operation::Find | Operation::Escalation | Operation::Publish => (operation, None),
        };
        let (operation, said) = match (operation, known) {
            (Operation::Hold, Some(slot_id)) => (operation, self.hold(channel, id, slot_id).await),
            (Operation::Confirm, Some(hold_id)) => (operation, self.confirm(channel, id, hold_id).await),
            (Operation::Cancel, Some(booking_id)) => (operation, self.cancel(channel, id, booking_id).await),
            (Operation::Publish, _) => (operation, self.publish(channel, id, number).await),
            (Operation::Escalation, _) => (operation, self.find(channel, number, true).await),
            (_, None) | (Operation::Find, _) => (Operation::Find, self.find(channel, number, false).await),
        };
        (operation.name(), outcome(said))
    }

    async fn find(&self, channel: Channel, number: u64, is_escalation: bool) -> Result<(), Status> {
        let at = usize::try_from(number).unwrap_or(0) % self.questions.len();
        let mut query = self.questions[at].clone();
        if is_escalation {
            let (care_level, priority) = if number.is_multiple_of(2) { ("R1", "") } else { ("", "P0") };
            query = pb::CareQuery { care_level: care_level.into(), priority: priority.into(), ..query };
        }
        let mut client = pb::routing_service_client::RoutingServiceClient::new(channel);
        let answer = client.find_care(self.request(pb::FindCareRequest { query: Some(query) })).await?.into_inner();
        // Not always the first, which others were offered too.
        let chosen = answer.options.len().checked_sub(1).map(|last| at % (last + 1));
        if let Some(option) = chosen.and_then(|chosen| answer.options.into_iter().nth(chosen)) {
            remember(&self.offers, option.slot_id);
        }
        Ok(())
    }

    async fn hold(&self, channel: Channel, id: String, slot_id: String) -> Result<(), Status> {
        let mut client = pb::booking_service_client::BookingServiceClient::new(channel);
        let hold =
            pb::HoldSlotRequest { request_id: id.clone(), slot_id, case_id: id, ..pb::HoldSlotRequest::default() };
        let answer = client.hold_slot(self.request(hold)).await?.into_inner();
        if let Some(hold) = answer.hold {
            remember(&self.holds, hold.hold_id);
        }
        Ok(())
    }

    async fn confirm(&self, channel: Channel, request_id: String, hold_id: String) -> Result<(), Status> {
        let mut client = pb::booking_service_client::BookingServiceClient::new(channel);
        let confirm = pb::ConfirmHoldRequest { request_id, hold_id };
        let answer = client.confirm_hold(self.request(confirm)).await?.into_inner();
        if let Some(booking) = answer.booking {
            remember(&self.bookings, booking.booking_id);
        }
        Ok(())
    }

    async fn cancel(&self, channel: Channel, request_id: String, booking_id: String) -> Result<(), Status> {
        let mut client = pb::booking_service_client::BookingServiceClient::new(channel);
        let cancel = pb::CancelBookingRequest { request_id, booking_id, ..pb::CancelBookingRequest::default() };
        client.cancel_booking(self.request(cancel)).await.map(drop)
    }

    /// States the slots of a schedule anew, each time with another address for booking.
    async fn publish(&self, channel: Channel, request_id: String, number: u64) -> Result<(), Status> {
        let at = usize::try_from(number).unwrap_or(0) * 7_919 % self.batches.len();
        let booking_url = format!("https://agenda.example/{number}");
        let rows = self.batches[at].iter().map(|row| pb::SlotInput { booking_url: booking_url.clone(), ..row.clone() });
        let batch = pb::PublishSlotsRequest {
            request_id,
            source_id: SOURCE.into(),
            source_revision: self.run,
            rows: rows.collect(),
        };
        let mut client = pb::publishing_service_client::PublishingServiceClient::new(channel);
        let mut answers = client.publish_slots(self.request(tokio_stream::once(batch))).await?.into_inner();
        while answers.message().await?.is_some() {}
        Ok(())
    }
}

fn outcome(said: Result<(), Status>) -> Outcome {
    let Err(status) = said else { return Outcome::Answered };
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    match (status.code(), reason.as_str()) {
        (Code::ResourceExhausted, OVERLOADED) => Outcome::Shed,
        (Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists, named) if !named.is_empty() => {
            Outcome::Refused(reason)
        }
        // By the caller's own clock, which ends a call at the deadline.
        (Code::Cancelled | Code::DeadlineExceeded, _) => Outcome::Failed("GAVE_UP".to_owned()),
        (code, "") => Outcome::Failed(format!("{code:?}")),
        (_, _) => Outcome::Failed(reason),
    }
}
