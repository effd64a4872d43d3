//! Slots with their claims, and their stored form.
//!
//! Invariant: both directions name every field; claims keep their order.

use std::sync::Arc;

use uuid::Uuid;

use super::field::{DecodeError, Of, specialty_codes, territory_texts};
use super::intern::Interner;
use crate::domain::code::{AppointmentType, Modality, Visibility};
use crate::domain::id::{CaseId, ClaimId, PrincipalId, SlotId};
use crate::domain::regulator::{BeyondDelay, RegulatorRole};
use crate::domain::slot::{
    Attendance, AttendanceKind, Claim, ClaimState, Quarantine, Settlement, Slot, SlotState, SlotTraits, Verdict,
};
use crate::domain::time::{UtcInstant, Window};
use crate::proto::ledger as pb;

/// The stored form of a slot.
pub(super) fn to_slot(slot: &Slot) -> pb::Slot {
    let Slot { id, schedule_id, window, capacity, state, traits, source_revision, received_at, changed_at, claims } =
        slot;
    let SlotTraits { modalities, appointment_type, visibilities, specialties, territories, motives, booking_url } =
        traits.as_ref();
    pb::Slot {
        id: id.to_string(),
        schedule_id: schedule_id.to_string(),
        start_at_ms: window.start_at().ms(),
        end_at_ms: window.end_at().ms(),
        modalities: modalities.iter().map(|modality| modality.code().to_owned()).collect(),
        appointment_type: appointment_type.code().to_owned(),
        visibilities: visibilities.iter().map(|visibility| visibility.code().to_owned()).collect(),
        capacity: u32::from(*capacity),
        specialties: specialty_codes(*specialties),
        territory_ids: territory_texts(territories),
        motives: motives.iter().map(ToString::to_string).collect(),
        booking_url: booking_url.to_string(),
        state: state.code().to_owned(),
        source_revision: *source_revision,
        received_at_ms: received_at.ms(),
        changed_at_ms: changed_at.ms(),
        claims: claims.iter().map(to_claim).collect(),
    }
}

/// The slot of a stored form.
pub(super) fn from_slot(message: pb::Slot, interner: &mut Interner) -> Result<Slot, DecodeError> {
    let pb::Slot {
        id,
        schedule_id,
        start_at_ms,
        end_at_ms,
        modalities,
        appointment_type,
        visibilities,
        capacity,
        specialties,
        territory_ids,
        motives,
        booking_url,
        state,
        source_revision,
        received_at_ms,
        changed_at_ms,
        claims,
    } = message;
    let of = Of { kind: "slot", id: &id };
    let window = Window::new(UtcInstant::from_ms(start_at_ms), UtcInstant::from_ms(end_at_ms));
    let modalities = modalities.iter().map(|code| of.read("modalities", Modality::parse(code)));
    let visibilities = visibilities.iter().map(|code| of.read("visibilities", Visibility::parse(code)));
    let traits = SlotTraits {
        modalities: modalities.collect::<Result<_, _>>()?,
        appointment_type: of.read("appointment_type", AppointmentType::parse(&appointment_type))?,
        visibilities: visibilities.collect::<Result<_, _>>()?,
        specialties: of.specialties("specialties", &specialties)?,
        territories: of.territories("territory_ids", &territory_ids)?,
        motives: motives.into_iter().map(Into::into).collect(),
        booking_url: interner.text(booking_url),
    };
    let claims = claims.into_iter().map(|claim| from_claim(of, claim, interner)).collect::<Result<_, _>>()?;
    Ok(Slot {
        id: of.read("id", SlotId::parse(&id))?,
        schedule_id: of.read("schedule_id", interner.schedule_id(&schedule_id))?,
        window: of.read("end_at_ms", window)?,
        capacity: of.read("capacity", u16::try_from(capacity))?,
        state: of.code("state", &state, SlotState::parse(&state))?,
        traits: interner.traits(traits),
        source_revision,
        received_at: UtcInstant::from_ms(received_at_ms),
        changed_at: UtcInstant::from_ms(changed_at_ms),
        claims,
    })
}

fn to_claim(claim: &Claim) -> pb::Claim {
    let Claim {
        id,
        case_id,
        regulator_id,
        state,
        held_at,
        expires_at,
        confirmed_at,
        changed_at,
        cancel_reason,
        replaces,
        replaced_by,
        beyond_delay,
        attendance,
        quarantine,
    } = claim;
    pb::Claim {
        id: to_claim_id(*id),
        case_id: case_id.to_string(),
        held_at_ms: held_at.ms(),
        expires_at_ms: expires_at.ms(),
        state: state.code().to_owned(),
        changed_at_ms: changed_at.ms(),
        regulator_id: regulator_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        confirmed_at_ms: confirmed_at.map(UtcInstant::ms),
        cancel_reason: cancel_reason.to_string(),
        replaces: replaces.map(to_claim_id).unwrap_or_default(),
        replaced_by: replaced_by.map(to_claim_id).unwrap_or_default(),
        beyond_delay: beyond_delay.as_deref().map(to_beyond_delay),
        attendance: attendance.map(|Attendance { kind, recorded_at }| pb::Attendance {
            kind: kind.code().to_owned(),
            recorded_at_ms: recorded_at.ms(),
        }),
        quarantine: quarantine.as_deref().map(to_quarantine),
    }
}

fn from_claim(of: Of<'_>, message: pb::Claim, interner: &mut Interner) -> Result<Claim, DecodeError> {
    let pb::Claim {
        id,
        case_id,
        held_at_ms,
        expires_at_ms,
        state,
        changed_at_ms,
        regulator_id,
        confirmed_at_ms,
        cancel_reason,
        replaces,
        replaced_by,
        beyond_delay,
        attendance,
        quarantine,
    } = message;
    let attendance = attendance.map(|pb::Attendance { kind, recorded_at_ms }| {
        let kind = of.code("claims.attendance", &kind, AttendanceKind::parse(&kind))?;
        Ok(Attendance { kind, recorded_at: UtcInstant::from_ms(recorded_at_ms) })
    });
    let regulator = Some(regulator_id).filter(|id| !id.is_empty());
    Ok(Claim {
        id: ClaimId::from_uuid(of.read("claims.id", Uuid::from_slice(&id))?),
        case_id: of.read("claims.case_id", CaseId::parse(&case_id))?,
        regulator_id: regulator.map(|id| of.read("claims.regulator_id", PrincipalId::parse(&id))).transpose()?,
        state: of.code("claims.state", &state, ClaimState::parse(&state))?,
        held_at: UtcInstant::from_ms(held_at_ms),
        expires_at: UtcInstant::from_ms(expires_at_ms),
        confirmed_at: confirmed_at_ms.map(UtcInstant::from_ms),
        changed_at: UtcInstant::from_ms(changed_at_ms),
        cancel_reason: interner.text(cancel_reason),
        replaces: optional_claim_id(of, "claims.replaces", &replaces)?,
        replaced_by: optional_claim_id(of, "claims.replaced_by", &replaced_by)?,
        beyond_delay: beyond_delay.map(|stored| from_beyond_delay(of, stored).map(Arc::new)).transpose()?,
        attendance: attendance.transpose()?,
        quarantine: quarantine.map(|stored| from_quarantine(of, stored).map(Arc::new)).transpose()?,
    })
}

fn to_beyond_delay(beyond: &BeyondDelay) -> pb::BeyondDelay {
    let BeyondDelay { needed_by_at, role, reason } = beyond;
    pb::BeyondDelay { needed_by_at_ms: needed_by_at.ms(), role: role.code().to_owned(), reason: reason.to_string() }
}

fn from_beyond_delay(of: Of<'_>, message: pb::BeyondDelay) -> Result<BeyondDelay, DecodeError> {
    let pb::BeyondDelay { needed_by_at_ms, role, reason } = message;
    Ok(BeyondDelay {
        needed_by_at: UtcInstant::from_ms(needed_by_at_ms),
        role: of.code("claims.beyond_delay.role", &role, RegulatorRole::parse(&role))?,
        reason: reason.into(),
    })
}

fn to_quarantine(quarantine: &Quarantine) -> pb::Quarantine {
    let Quarantine { since, reported_by, settlement } = quarantine;
    let settlement = settlement.as_ref().map(|Settlement { verdict, settled_at, settled_by, reason }| pb::Settlement {
        verdict: verdict.code().to_owned(),
        settled_at_ms: settled_at.ms(),
        settled_by: settled_by.to_string(),
        reason: reason.to_string(),
    });
    pb::Quarantine { since_ms: since.ms(), reported_by: reported_by.into_bytes().to_vec(), settlement }
}

fn from_quarantine(of: Of<'_>, message: pb::Quarantine) -> Result<Quarantine, DecodeError> {
    let pb::Quarantine { since_ms, reported_by, settlement } = message;
    let settlement = settlement.map(|pb::Settlement { verdict, settled_at_ms, settled_by, reason }| {
        Ok(Settlement {
            verdict: of.code("claims.quarantine.verdict", &verdict, Verdict::parse(&verdict))?,
            settled_at: UtcInstant::from_ms(settled_at_ms),
            settled_by: of.read("claims.quarantine.settled_by", PrincipalId::parse(&settled_by))?,
            reason: reason.into(),
        })
    });
    Ok(Quarantine {
        since: UtcInstant::from_ms(since_ms),
        reported_by: of.read("claims.quarantine.reported_by", Uuid::from_slice(&reported_by))?,
        settlement: settlement.transpose()?,
    })
}

fn to_claim_id(id: ClaimId) -> Vec<u8> {
    id.as_uuid().into_bytes().to_vec()
}

fn optional_claim_id(of: Of<'_>, field: &'static str, bytes: &[u8]) -> Result<Option<ClaimId>, DecodeError> {
    let given = Some(bytes).filter(|bytes| !bytes.is_empty());
    given.map(|bytes| of.read(field, Uuid::from_slice(bytes)).map(ClaimId::from_uuid)).transpose()
}
