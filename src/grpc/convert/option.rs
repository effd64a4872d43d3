//! One thing that can be done, with its reasons.

use super::choice::fair_share_to_proto;
use super::common::{confidence_to_proto, instant_to_proto, need_to_proto, phone_to_proto, territories_to_proto};
use super::emergency_site::capability_to_proto;
use super::practitioner::specialties_to_proto;
use crate::domain::answer::{CareOption, OptionParts, TerritoryPreference, Unknown};
use crate::domain::directory::Place;
use crate::domain::road::TravelMethod;
use crate::proto::routing as pb;

/// Writes an option at its rank; 0 for one that does not fit.
pub(in crate::grpc) fn option_to_proto(option: &CareOption, rank: u32) -> pb::CareOption {
    let CareOption {
        offer,
        slot,
        modality,
        appointment_type,
        care_begins_at,
        territories,
        remaining_count,
        parts,
        unknowns,
        sentence,
    } = option;
    let (schedule, place, practitioner) = (&offer.schedule, &offer.place, offer.practitioner.as_deref());
    let specialties =
        if slot.traits.specialties.is_empty() { offer.practice.specialties } else { slot.traits.specialties };
    let url = if slot.traits.booking_url.is_empty() { &schedule.booking_url } else { &slot.traits.booking_url };
    pb::CareOption {
        rank,
        slot_id: slot.id.to_string(),
        schedule_id: slot.schedule_id.to_string(),
        modality: modality.code().to_owned(),
        appointment_type: appointment_type.code().to_owned(),
        start_at: Some(instant_to_proto(slot.window.start_at())),
        end_at: Some(instant_to_proto(slot.window.end_at())),
        care_begins_at: Some(instant_to_proto(*care_begins_at)),
        time_zone: place.zone.name().to_owned(),
        practitioner_id: practitioner.map(|practitioner| practitioner.id.wire()).unwrap_or_default(),
        practitioner_name: practitioner.map(|practitioner| practitioner.full_name()).unwrap_or_default(),
        specialties: specialties_to_proto(specialties),
        place_id: place.id.to_string(),
        place_name: place.name.to_string(),
        place_address: address_of(place),
        phone: phone_to_proto(place.phone.or_else(|| practitioner.and_then(|practitioner| practitioner.phone))),
        territory_ids: territories_to_proto(territories),
        remaining_count: *remaining_count,
        booking_url: url.to_string(),
        parts: Some(parts_to_proto(parts)),
        unknowns: unknowns.iter().map(unknown_to_proto).collect(),
        sentence: sentence.clone(),
        received_at: Some(instant_to_proto(slot.received_at)),
        changed_at: Some(instant_to_proto(slot.changed_at)),
    }
}

/// Street lines, postal code and town, as far as they are known.
fn address_of(place: &Place) -> String {
    let parts = [("", &place.address), (", ", &place.postal_code), (" ", &place.city)];
    let mut written = String::with_capacity(parts.iter().map(|(before, part)| before.len() + part.len()).sum());
    for (before, part) in parts {
        let part = part.trim();
        if !part.is_empty() {
            // The town follows its postal code, or the street when there is none.
            let before = if before == " " && place.postal_code.trim().is_empty() { ", " } else { before };
            written.push_str(if written.is_empty() { "" } else { before });
            written.push_str(part);
        }
    }
    written
}

/// Writes the figures behind a rank.
pub(in crate::grpc) fn parts_to_proto(parts: &OptionParts) -> pb::OptionParts {
    let OptionParts { wait_minutes, travel_minutes, distance_m, territory_preference, travel_method, .. } = parts;
    let OptionParts { data_age_seconds, confidence, cost_seconds, contact_failures, preferred, fair_share, .. } = parts;
    let preference = match territory_preference {
        TerritoryPreference::Unspecified => pb::TerritoryPreference::Unspecified,
        TerritoryPreference::Own => pb::TerritoryPreference::Own,
        TerritoryPreference::Neighbour => pb::TerritoryPreference::Neighbour,
        TerritoryPreference::Other => pb::TerritoryPreference::Other,
    };
    let (method, road_age_seconds) = match *travel_method {
        TravelMethod::None => (pb::TravelMethod::Unspecified, None),
        TravelMethod::StraightLine => (pb::TravelMethod::StraightLineEstimate, None),
        TravelMethod::RoadTable { age_seconds } => (pb::TravelMethod::RoadTable, Some(age_seconds)),
    };
    pb::OptionParts {
        wait_minutes: *wait_minutes,
        travel_minutes: *travel_minutes,
        distance_m: *distance_m,
        territory_preference: preference.into(),
        data_age_seconds: *data_age_seconds,
        cost_seconds: *cost_seconds,
        contact_failure_count: *contact_failures,
        preferred: *preferred,
        confidence: confidence_to_proto(*confidence).into(),
        travel_method: method.into(),
        road_age_seconds,
        fair_share: fair_share.as_ref().map(fair_share_to_proto),
    }
}

/// Writes what nobody said.
pub(super) fn unknown_to_proto(unknown: &Unknown) -> pb::Unknown {
    let mut capability = pb::EmergencyCapability::Unspecified;
    let (kind, need) = match unknown {
        Unknown::Need(need) => (pb::UnknownKind::Need, need_to_proto(*need)),
        Unknown::Language => (pb::UnknownKind::Language, pb::Need::Unspecified),
        Unknown::Specialty => (pb::UnknownKind::Specialty, pb::Need::Unspecified),
        Unknown::Age => (pb::UnknownKind::Age, pb::Need::Unspecified),
        Unknown::Sex => (pb::UnknownKind::Sex, pb::Need::Unspecified),
        Unknown::Capability(unknown) => {
            capability = capability_to_proto(*unknown);
            (pb::UnknownKind::Capability, pb::Need::Unspecified)
        }
    };
    pb::Unknown { kind: kind.into(), need: need.into(), capability: capability.into() }
}
