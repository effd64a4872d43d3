//! Answers as messages of the generated code, field by field: what is written straight into bytes must decode to these.
//!
//! Every message is made with all its fields, so that a field of the definition that is not written is found when this is compiled.

use crate::domain::answer::{
    CareAnswer, CareOption, NearMiss, PolicyRule, QueryWarning, Relaxation, SilentSource, SiteDistance, WhatIf,
};
use crate::domain::directory::Place;
use crate::grpc::convert::answer::{
    availability_to_proto, exclusion_to_proto, outcome_to_proto, radius_to_proto, rule_to_proto,
};
use crate::grpc::convert::choice::alike_to_proto;
use crate::grpc::convert::common::{
    confidence_to_proto, instant_to_proto, phone_to_proto, stamp_to_proto, territories_to_proto,
};
use crate::grpc::convert::option::{parts_to_proto, unknown_to_proto};
use crate::grpc::convert::practitioner::specialties_to_proto;
use crate::proto::routing as pb;

/// The message of an answer.
pub(super) fn answer_to_proto(answer: &CareAnswer) -> pb::FindCareResponse {
    let CareAnswer {
        outcome,
        rule_id,
        sentence,
        options,
        near_misses,
        exclusions,
        alike,
        examined_count,
        examined_all,
        emergency_sites,
        radius,
        needed_by_at,
        warnings,
        policy_rules,
        availability,
        silent_sources,
        what_ifs,
        road_doubt,
        stamp,
    } = answer;
    let (decision_type, orientation_type) = outcome.hub_codes();
    pb::FindCareResponse {
        outcome: outcome_to_proto(*outcome).into(),
        decision_type: decision_type.map(|code| code.code().to_owned()).unwrap_or_default(),
        orientation_type: orientation_type.map(|code| code.code().to_owned()).unwrap_or_default(),
        rule_id: rule_id.to_string(),
        sentence: sentence.clone(),
        options: (1..).zip(options).map(|(rank, option)| option_to_proto(option, rank)).collect(),
        near_misses: near_misses.iter().map(near_miss_to_proto).collect(),
        exclusions: exclusions.iter().map(exclusion_to_proto).collect(),
        examined_count: *examined_count,
        examined_all: *examined_all,
        emergency_sites: emergency_sites.iter().map(site_to_proto).collect(),
        radius: radius.as_ref().map(radius_to_proto),
        needed_by_at: needed_by_at.map(instant_to_proto),
        stamp: Some(stamp_to_proto(stamp)),
        warnings: warnings.iter().map(warning_to_proto).collect(),
        policy_rules: policy_rules.iter().map(policy_rule_to_proto).collect(),
        availability: availability_to_proto(*availability).into(),
        silent_sources: silent_sources.iter().map(silent_source_to_proto).collect(),
        what_ifs: what_ifs.iter().map(what_if_to_proto).collect(),
        road_times_doubt: road_doubt
            .map(|doubt| pb::RoadTimesDoubt { reason: doubt.code().to_owned(), sentence: doubt.sentence().to_owned() }),
        alike_left_out: alike.iter().map(alike_to_proto).collect(),
    }
}

fn what_if_to_proto(what_if: &WhatIf) -> pb::WhatIf {
    let WhatIf { relaxation, slot_count, care_begins_at, gain_minutes, sentence } = what_if;
    let relaxation = match relaxation {
        Relaxation::Radius(radius_m) => pb::what_if::Relaxation::RadiusM(*radius_m),
        Relaxation::Delay(minutes) => pb::what_if::Relaxation::NeededWithinMinutes(*minutes),
        Relaxation::Modality(modality) => pb::what_if::Relaxation::Modality(modality.code().to_owned()),
    };
    pb::WhatIf {
        relaxation: Some(relaxation),
        slot_count: *slot_count,
        care_begins_at: Some(instant_to_proto(*care_begins_at)),
        gain_minutes: *gain_minutes,
        sentence: sentence.clone(),
    }
}

fn silent_source_to_proto(source: &SilentSource) -> pb::SilentSource {
    let SilentSource { id, confidence, last_heard_at, schedule_count } = source;
    pb::SilentSource {
        source_id: id.to_string(),
        confidence: confidence_to_proto(*confidence).into(),
        last_heard_at: Some(instant_to_proto(*last_heard_at)),
        schedule_count: *schedule_count,
    }
}

fn warning_to_proto(warning: &QueryWarning) -> pb::QueryWarning {
    let QueryWarning { doubt, value, sentence } = warning;
    pb::QueryWarning {
        reason: doubt.code().to_owned(),
        field: format!("query.{}", doubt.field()),
        value: value.clone(),
        sentence: sentence.clone(),
    }
}

fn near_miss_to_proto(miss: &NearMiss) -> pb::NearMiss {
    let NearMiss { option, rule, excess, policy_rule, sentence } = miss;
    pb::NearMiss {
        option: Some(option_to_proto(option, 0)),
        rule: rule_to_proto(*rule).into(),
        excess: *excess,
        policy_rule: policy_rule.as_ref().map(policy_rule_to_proto),
        sentence: sentence.clone(),
    }
}

fn policy_rule_to_proto(rule: &PolicyRule) -> pb::PolicyRule {
    let PolicyRule { id, text } = rule;
    pb::PolicyRule { rule_id: id.to_string(), sentence: text.to_string() }
}

fn site_to_proto(distance: &SiteDistance) -> pb::EmergencySiteDistance {
    let SiteDistance {
        site,
        distance_m,
        travel_minutes,
        access,
        access_changes_at,
        saturated_until,
        unknowns,
        sentence,
    } = distance;
    pb::EmergencySiteDistance {
        emergency_site_id: site.id.to_string(),
        name: site.name.to_string(),
        kind: site.kind.code().to_owned(),
        distance_m: *distance_m,
        travel_minutes: *travel_minutes,
        access: access.code().to_owned(),
        access_changes_at: access_changes_at.map(instant_to_proto),
        phone: phone_to_proto(site.phone),
        saturated_until_at: saturated_until.map(instant_to_proto),
        unknowns: unknowns.iter().map(unknown_to_proto).collect(),
        sentence: sentence.clone(),
    }
}

fn option_to_proto(option: &CareOption, rank: u32) -> pb::CareOption {
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
