//! One call over gRPC, and what its answer says: done, refused for a reason, or nobody knows.

use sas_router::proto::routing as pb;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::history::{Call, Operation, Said};
use super::world::ms;
use crate::harness::details::reason;
use crate::harness::in_process::{Bookings, Publishing};
use crate::harness::world::{batch, hold, slot};

/// Asks.
pub(super) async fn send(channel: Channel, operation: &Operation) -> Said {
    let request_id = operation.request_id.clone();
    let mut bookings = Bookings::new(channel.clone());
    match operation.call.clone() {
        Call::Hold { slot_id, ttl_seconds } => {
            let case_id = operation.case_id.clone();
            let ttl_seconds = Some(ttl_seconds);
            let request = pb::HoldSlotRequest { case_id, ttl_seconds, ..hold(&request_id, &slot_id) };
            said(bookings.hold_slot(request).await, held)
        }
        Call::Reuse { slot_id } => {
            let case_id = operation.case_id.clone();
            let request = pb::HoldSlotRequest { case_id, ..hold(&request_id, &slot_id) };
            said(bookings.hold_slot(request).await, held)
        }
        Call::Confirm { claim_id, .. } => {
            let request = pb::ConfirmHoldRequest { request_id, hold_id: claim_id };
            said(bookings.confirm_hold(request).await, |answer| booked(answer.booking, answer.replayed))
        }
        Call::Release { claim_id, .. } => {
            let request = pb::ReleaseHoldRequest { request_id, hold_id: claim_id };
            said(bookings.release_hold(request).await, |answer| {
                let hold = answer.hold.unwrap();
                // It was over before: nothing was given back.
                if hold.state() == pb::ClaimState::Expired {
                    return Said::Refused("EXPIRED".to_owned());
                }
                Said::Done { claim_id: hold.hold_id, expires_at: i64::MAX, replayed: answer.replayed }
            })
        }
        Call::Cancel { claim_id, .. } => {
            let request = pb::CancelBookingRequest { request_id, booking_id: claim_id, reason: String::new() };
            said(bookings.cancel_booking(request).await, |answer| booked(answer.booking, answer.replayed))
        }
        Call::Rebook { claim_id, slot_id, .. } => {
            let target = Some(pb::rebook_request::Target::SlotId(slot_id));
            let request =
                pb::RebookRequest { request_id, booking_id: claim_id, target, ..pb::RebookRequest::default() };
            said(bookings.rebook(request).await, |answer| booked(answer.booking, answer.replayed))
        }
        Call::ReadOwn { claim_id } => {
            let read = bookings.get_hold(pb::GetHoldRequest { hold_id: claim_id }).await;
            said(read, |answer| {
                let claim_id = answer.hold.unwrap().hold_id;
                Said::Done { claim_id, expires_at: i64::MAX, replayed: true }
            })
        }
        Call::Publish { slots, start_s } => publish(channel, request_id, &slots, start_s).await,
    }
}

fn held(answer: pb::HoldSlotResponse) -> Said {
    let hold = answer.hold.unwrap();
    Said::Done { claim_id: hold.hold_id, expires_at: ms(hold.expires_at), replayed: answer.replayed }
}

fn booked(booking: Option<pb::Booking>, replayed: bool) -> Said {
    Said::Done { claim_id: booking.unwrap().booking_id, expires_at: i64::MAX, replayed }
}

fn said<T>(answer: Result<Response<T>, Status>, done: impl FnOnce(T) -> Said) -> Said {
    match answer {
        Ok(answer) => done(answer.into_inner()),
        Err(status) => not_done(&status),
    }
}

/// A refusal has a name; whatever has none came from the wire, and says nothing about the write.
fn not_done(status: &Status) -> Said {
    match reason(status).as_str() {
        "" | "OUTCOME_UNKNOWN" | "INTERNAL" => Said::Unknown(status.message().to_owned()),
        reason => Said::Refused(reason.to_owned()),
    }
}

async fn publish(channel: Channel, request_id: String, slots: &[(String, usize)], start_s: i64) -> Said {
    let revision = request_id.rsplit(' ').next().and_then(|revision| revision.parse().ok()).unwrap();
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let window = Some(pb::Window { start_at: at(start_s), end_at: at(start_s + 900) });
    let rows = slots.iter().zip(1..).map(|((id, capacity), number)| {
        let capacity = Some(u32::try_from(*capacity).unwrap());
        pb::SlotInput { window, capacity, ..slot(id, number, 0) }
    });
    let batch = batch(&request_id, revision, rows.collect());
    let answers = Publishing::new(channel).publish_slots(tokio_stream::once(batch)).await;
    let answer = match answers {
        Ok(answers) => answers.into_inner().message().await,
        Err(status) => Err(status),
    };
    match answer {
        Ok(Some(answer)) => {
            let refused = answer.results.iter().find(|result| result.status() == pb::RowStatus::Refused);
            match refused.map(|result| result.reason.clone()) {
                None => Said::Done { claim_id: String::new(), expires_at: i64::MAX, replayed: false },
                Some(reason) if reason == "OUTCOME_UNKNOWN" => Said::Unknown(reason),
                Some(reason) => Said::Refused(reason),
            }
        }
        Ok(None) => Said::Unknown("the stream ended".to_owned()),
        Err(status) => not_done(&status),
    }
}
