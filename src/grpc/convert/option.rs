//! One thing that can be done, with its reasons.

use super::choice::fair_share_to_proto;
use super::common::{confidence_to_proto, instant_to_proto, need_to_proto};
use super::emergency_site::capability_to_proto;
use crate::domain::answer::{CareOption, OptionParts, TerritoryPreference, Unknown};
use crate::domain::directory::{Place, Practitioner};
use crate::domain::road::TravelMethod;
use crate::grpc::wire::Writer;
use crate::proto::routing as pb;

/// Writes an option at its rank; 0 for one that does not fit.
pub(in crate::grpc) fn write_option(to: &mut Writer, option: &CareOption, rank: u32) {
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
    to.number(1, rank);
    to.text(2, slot.id.as_str());
    to.text(3, slot.schedule_id.as_str());
    to.text(4, modality.code());
    to.text(5, appointment_type.code());
    to.plain(6, &instant_to_proto(slot.window.start_at()));
    to.plain(7, &instant_to_proto(slot.window.end_at()));
    to.plain(8, &instant_to_proto(*care_begins_at));
    to.text(9, place.zone.name());
    if let Some(Practitioner { id, given_name, family_name, .. }) = practitioner {
        to.texts(10, id.wire_parts());
        let between = if given_name.is_empty() { "" } else { " " };
        to.texts(11, [given_name, between, family_name]);
    }
    specialties.iter().for_each(|specialty| to.entry(12, [specialty.code()]));
    to.text(13, place.id.as_str());
    to.text(14, &place.name);
    to.texts(15, address_of(place));
    to.shown(16, place.phone.or_else(|| practitioner.and_then(|practitioner| practitioner.phone)));
    territories.iter().for_each(|territory| to.entry(17, territory.wire_parts()));
    to.number(18, *remaining_count);
    to.text(19, url);
    to.plain(20, &parts_to_proto(parts));
    unknowns.iter().for_each(|unknown| to.plain(21, &unknown_to_proto(unknown)));
    to.text(22, sentence);
    to.plain(31, &instant_to_proto(slot.received_at));
    to.plain(32, &instant_to_proto(slot.changed_at));
}

/// Street lines, postal code and town, as far as they are known, with what stands between them. They are taken from publishers
/// without whitespace at the ends.
fn address_of(place: &Place) -> [&str; 5] {
    let Place { address: street, postal_code: code, city: town, .. } = place;
    let before_code = if street.is_empty() || code.is_empty() { "" } else { ", " };
    let before_town = match (street.is_empty() && code.is_empty(), town.is_empty(), code.is_empty()) {
        (true, _, _) | (_, true, _) => "",
        // The town follows its postal code, or the street when there is none.
        (false, false, true) => ", ",
        (false, false, false) => " ",
    };
    [street, before_code, code, before_town, town]
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
