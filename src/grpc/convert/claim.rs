//! Claims, holds and bookings.

use super::common::{instant_to_proto, modalities_to_proto, window_to_proto};
use super::place::place_to_proto;
use super::practitioner::practitioner_to_proto;
use crate::domain::regulator::{BeyondDelay, RegulatorRole};
use crate::domain::slot::{Claim, ClaimState};
use crate::domain::time::UtcInstant;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::limits::BEYOND_DELAY_REASON_MAX_CHARS;
use crate::service::{Authority, BookingView, HoldView};

/// Writes where a claim stands.
const fn state_to_proto(state: ClaimState) -> pb::ClaimState {
    match state {
        ClaimState::Held => pb::ClaimState::Held,
        ClaimState::Booked => pb::ClaimState::Booked,
        ClaimState::ToReplace => pb::ClaimState::ToReplace,
        ClaimState::Released => pb::ClaimState::Released,
        ClaimState::Expired => pb::ClaimState::Expired,
        ClaimState::Cancelled => pb::ClaimState::Cancelled,
        ClaimState::Quarantined => pb::ClaimState::Quarantined,
    }
}

/// Writes a claim as it stands at an instant, for its publisher; who held it and why it ended stay with regulation.
pub(in crate::grpc) fn claim_to_proto(claim: &Claim, now: UtcInstant) -> pb::Claim {
    let Claim {
        id,
        case_id,
        regulator_id: _,
        state: _,
        held_at: _,
        expires_at,
        confirmed_at: _,
        changed_at,
        cancel_reason: _,
        replaces: _,
        replaced_by: _,
        beyond_delay: _,
        attendance: _,
        quarantine: _,
    } = claim;
    pb::Claim {
        claim_id: id.to_string(),
        case_id: case_id.to_string(),
        state: state_to_proto(claim.state_at(now)).into(),
        expires_at: Some(instant_to_proto(*expires_at)),
        changed_at: Some(instant_to_proto(*changed_at)),
    }
}

/// Writes a hold.
pub(in crate::grpc) fn hold_to_proto(view: &HoldView) -> pb::Hold {
    let HoldView { claim, slot, state } = view;
    pb::Hold {
        hold_id: claim.id.to_string(),
        case_id: claim.case_id.to_string(),
        slot_id: slot.id.to_string(),
        schedule_id: slot.schedule_id.to_string(),
        state: state_to_proto(*state).into(),
        expires_at: Some(instant_to_proto(claim.expires_at)),
        window: Some(window_to_proto(slot.window)),
        beyond_delay: claim.beyond_delay.as_deref().map(beyond_delay_to_proto),
    }
}

/// Writes a booking.
pub(in crate::grpc) fn booking_to_proto(view: &BookingView) -> pb::Booking {
    let BookingView { claim, slot, offer, state } = view;
    let practitioner = offer.as_ref().and_then(|offer| offer.practitioner.as_ref());
    pb::Booking {
        booking_id: claim.id.to_string(),
        case_id: claim.case_id.to_string(),
        slot_id: slot.id.to_string(),
        schedule_id: slot.schedule_id.to_string(),
        state: state_to_proto(*state).into(),
        window: Some(window_to_proto(slot.window)),
        practitioner: practitioner.map(|practitioner| practitioner_to_proto(practitioner)),
        place: offer.as_ref().map(|offer| place_to_proto(&offer.place)),
        modalities: modalities_to_proto(slot.traits.modalities),
        appointment_type: slot.traits.appointment_type.code().to_owned(),
        confirmed_at: claim.confirmed_at.map(instant_to_proto),
        changed_at: Some(instant_to_proto(claim.changed_at)),
        cancel_reason: claim.cancel_reason.to_string(),
        replaces_booking_id: claim.replaces.map(|id| id.to_string()).unwrap_or_default(),
        replaced_by_booking_id: claim.replaced_by.map(|id| id.to_string()).unwrap_or_default(),
        beyond_delay: claim.beyond_delay.as_deref().map(beyond_delay_to_proto),
    }
}

fn beyond_delay_to_proto(beyond: &BeyondDelay) -> pb::BeyondDelay {
    let BeyondDelay { needed_by_at, role, reason } = beyond;
    let role = match role {
        RegulatorRole::CallTaker => pb::RegulatorRole::CallTaker,
        RegulatorRole::CareOperator => pb::RegulatorRole::CareOperator,
        RegulatorRole::Physician => pb::RegulatorRole::Physician,
    };
    pb::BeyondDelay {
        needed_by_at: Some(instant_to_proto(*needed_by_at)),
        regulator_role: role.into(),
        reason: reason.to_string(),
    }
}

/// Reads who asks for a slot, and why it may begin late.
pub(in crate::grpc) fn authority_from_proto(role: i32, reason: &str, findings: &mut Findings) -> Authority {
    let path = Path::ROOT;
    let role = match pb::RegulatorRole::try_from(role) {
        Ok(pb::RegulatorRole::Unspecified) => None,
        Ok(pb::RegulatorRole::CallTaker) => Some(RegulatorRole::CallTaker),
        Ok(pb::RegulatorRole::CareOperator) => Some(RegulatorRole::CareOperator),
        Ok(pb::RegulatorRole::Physician) => Some(RegulatorRole::Physician),
        Err(_) => {
            findings.refuse(path.field("regulator_role"), "unknown: give CALL_TAKER, CARE_OPERATOR or PHYSICIAN");
            None
        }
    };
    let reason = findings.text(path.field("beyond_delay_reason"), reason, 0, BEYOND_DELAY_REASON_MAX_CHARS);
    Authority { role, beyond_delay_reason: reason.map(str::to_owned).unwrap_or_default() }
}
