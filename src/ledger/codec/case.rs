//! What is kept of regulation files, and its stored form.
//!
//! Invariant: both directions name every field.

use uuid::Uuid;

use super::field::{DecodeError, Of};
use crate::domain::case::{Case, CaseBooking};
use crate::domain::id::{CaseId, ClaimId, SlotId};
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;

/// The stored form of a case.
pub(super) fn to_case(case: &Case) -> pb::Case {
    let Case { id, booking, ends_at } = case;
    pb::Case { id: id.to_string(), booking: booking.as_ref().map(to_booking), ends_at_ms: ends_at.ms() }
}

/// The case of a stored form.
pub(super) fn from_case(message: pb::Case) -> Result<Case, DecodeError> {
    let pb::Case { id, booking, ends_at_ms } = message;
    let of = Of { kind: "case", id: &id };
    Ok(Case {
        id: of.read("id", CaseId::parse(&id))?,
        booking: booking.map(|booking| from_booking(of, booking)).transpose()?,
        ends_at: UtcInstant::from_ms(ends_at_ms),
    })
}

fn to_booking(booking: &CaseBooking) -> pb::CaseBooking {
    let CaseBooking { claim_id, slot_id, ends_at } = booking;
    pb::CaseBooking {
        claim_id: claim_id.as_uuid().into_bytes().to_vec(),
        slot_id: slot_id.to_string(),
        ends_at_ms: ends_at.ms(),
    }
}

fn from_booking(of: Of<'_>, message: pb::CaseBooking) -> Result<CaseBooking, DecodeError> {
    let pb::CaseBooking { claim_id, slot_id, ends_at_ms } = message;
    Ok(CaseBooking {
        claim_id: ClaimId::from_uuid(of.read("booking.claim_id", Uuid::from_slice(&claim_id))?),
        slot_id: of.read("booking.slot_id", SlotId::parse(&slot_id))?,
        ends_at: UtcInstant::from_ms(ends_at_ms),
    })
}
