//! Slots: as publishers state them, and as the service keeps them.

use std::sync::Arc;

use super::claim::claim_to_proto;
use super::common::{
    URL_MAX_CHARACTERS, count, instant_to_proto, modalities_to_proto, territories_from_proto, territories_to_proto,
    window_from_proto, window_to_proto,
};
use super::practitioner::{SPECIALTIES_MAX, specialties_to_proto};
use super::schedule::TERRITORIES_MAX;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, Specialty, Visibility, VisibilitySet};
use crate::domain::id::{ScheduleId, SlotId};
use crate::domain::record::Versioned;
use crate::domain::slot::{Published, Slot, SlotState, SlotTraits};
use crate::domain::time::{UtcInstant, Window};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::limits::{SLOT_CAPACITY_MAX, SLOT_LENGTH_MAX_MS};

/// Most motives of a slot.
const MOTIVES_MAX: usize = 10;
/// Longest motive, in characters.
const MOTIVE_MAX_CHARACTERS: usize = 200;

/// Reads what a publisher says of a slot.
pub(in crate::grpc) fn published_from_proto(
    message: pb::SlotInput,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Published> {
    let pb::SlotInput {
        slot_id,
        schedule_id,
        window,
        modalities,
        appointment_type,
        visibilities,
        capacity,
        specialties,
        territory_ids,
        motives,
        booking_url,
    } = message;
    let id = findings.take(path.field("slot_id"), SlotId::parse(&slot_id));
    let schedule_id = findings.take(path.field("schedule_id"), ScheduleId::parse(&schedule_id));
    let window = window_from_proto(window, path.field("window"), findings);
    if window.is_some_and(|window| window.length_ms() > SLOT_LENGTH_MAX_MS) {
        findings.refuse(path.field("window"), "longer than 24 hours: split it");
    }
    let modalities = modalities_from_proto(&modalities, path.field("modalities"), findings);
    let appointment_type = findings.optional(path.field("appointment_type"), &appointment_type, AppointmentType::parse);
    let visibilities = visibilities_from_proto(&visibilities, path.field("visibilities"), findings);
    let capacity = capacity_from_proto(capacity, path.field("capacity"), findings);
    let specialties = findings.codes(path.field("specialties"), &specialties, SPECIALTIES_MAX, Specialty::parse);
    let territories = territories_from_proto(&territory_ids, path.field("territory_ids"), TERRITORIES_MAX, findings);
    let motives = motives_from_proto(&motives, path.field("motives"), findings);
    let booking_url = findings.text(path.field("booking_url"), &booking_url, 0, URL_MAX_CHARACTERS);
    let traits = SlotTraits {
        modalities,
        appointment_type: appointment_type.unwrap_or(AppointmentType::Routine),
        visibilities,
        specialties,
        territories,
        motives,
        booking_url: Arc::from(booking_url?),
    };
    Some(Published {
        id: id?,
        schedule_id: schedule_id?,
        window: window?,
        capacity: capacity?,
        traits: Arc::new(traits),
    })
}

fn modalities_from_proto(texts: &[String], path: Path<'_>, findings: &mut Findings) -> ModalitySet {
    if texts.is_empty() {
        findings.refuse(path, "missing: give at least one of AMB, VR, HH");
    }
    findings.codes(path, texts, Modality::ALL.len(), Modality::parse)
}

fn visibilities_from_proto(texts: &[String], path: Path<'_>, findings: &mut Findings) -> VisibilitySet {
    if texts.is_empty() {
        findings.refuse(
            path,
            "missing: give at least one of PUBLIC, PRO, SNP, CPTS; who may see the slot is never guessed",
        );
    }
    findings.codes(path, texts, Visibility::ALL.len(), Visibility::parse)
}

fn capacity_from_proto(given: Option<u32>, path: Path<'_>, findings: &mut Findings) -> Option<u16> {
    let given = given.unwrap_or(1);
    let capacity = u16::try_from(given).ok().filter(|capacity| (1..=SLOT_CAPACITY_MAX).contains(capacity));
    if capacity.is_none() {
        findings.refuse(path, format_args!("{given} patients are impossible: give 1 to {SLOT_CAPACITY_MAX}"));
    }
    capacity
}

fn motives_from_proto(texts: &[String], path: Path<'_>, findings: &mut Findings) -> Vec<Arc<str>> {
    if !findings.within(path, texts.len(), MOTIVES_MAX) {
        return Vec::new();
    }
    let parse = |(index, text): (usize, &String)| {
        findings.text(path.index(index), text, 1, MOTIVE_MAX_CHARACTERS).map(Arc::from)
    };
    texts.iter().enumerate().filter_map(parse).collect()
}

/// Writes a slot as it is kept, judged at an instant.
pub(in crate::grpc) fn slot_to_proto(slot: &Versioned<Arc<Slot>>, now: UtcInstant) -> pb::Slot {
    let Versioned { version, value } = slot;
    let Slot { id, schedule_id, window, capacity, state, traits, source_revision, received_at, changed_at, claims } =
        value.as_ref();
    pb::Slot {
        input: Some(input_to_proto(id, schedule_id, *window, *capacity, traits)),
        state: state_to_proto(*state).into(),
        booked_count: count(value.booked_count()),
        held_count: count(value.held_count(now)),
        remaining_count: count(value.remaining_count(now)),
        source_revision: *source_revision,
        received_at: Some(instant_to_proto(*received_at)),
        changed_at: Some(instant_to_proto(*changed_at)),
        version: *version,
        claims: claims.iter().map(|claim| claim_to_proto(claim, now)).collect(),
    }
}

fn input_to_proto(
    id: &SlotId,
    schedule_id: &ScheduleId,
    window: Window,
    capacity: u16,
    traits: &SlotTraits,
) -> pb::SlotInput {
    let SlotTraits { modalities, appointment_type, visibilities, specialties, territories, motives, booking_url } =
        traits;
    pb::SlotInput {
        slot_id: id.to_string(),
        schedule_id: schedule_id.to_string(),
        window: Some(window_to_proto(window)),
        modalities: modalities_to_proto(*modalities),
        appointment_type: appointment_type.code().to_owned(),
        visibilities: visibilities.iter().map(|visibility| visibility.code().to_owned()).collect(),
        capacity: Some(u32::from(capacity)),
        specialties: specialties_to_proto(*specialties),
        territory_ids: territories_to_proto(territories),
        motives: motives.iter().map(ToString::to_string).collect(),
        booking_url: booking_url.to_string(),
    }
}

/// Writes whether a slot can be claimed.
pub(in crate::grpc) const fn state_to_proto(state: SlotState) -> pb::SlotState {
    match state {
        SlotState::Open => pb::SlotState::Open,
        SlotState::Withdrawn => pb::SlotState::Withdrawn,
        SlotState::Closed => pb::SlotState::Closed,
    }
}
