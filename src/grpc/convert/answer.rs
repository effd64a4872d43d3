//! What the regulator is told.

use super::choice::alike_to_proto;
use super::common::{confidence_to_proto, instant_to_proto, phone_to_proto, stamp_to_proto};
use super::option::{option_to_proto, unknown_to_proto};
use crate::domain::answer::{
    Availability, CareAnswer, CareOutcome, Exclusion, NearMiss, PolicyRule, QueryWarning, Radius, RadiusSource,
    Relaxation, Rule, SilentSource, SiteDistance, WhatIf,
};
use crate::domain::road::RoadDoubt;
use crate::proto::routing as pb;

/// Writes an answer.
pub(in crate::grpc) fn answer_to_proto(answer: &CareAnswer) -> pb::FindCareResponse {
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
        road_times_doubt: road_doubt.map(road_doubt_to_proto),
        alike_left_out: alike.iter().map(alike_to_proto).collect(),
    }
}

fn road_doubt_to_proto(doubt: RoadDoubt) -> pb::RoadTimesDoubt {
    pb::RoadTimesDoubt { reason: doubt.code().to_owned(), sentence: doubt.sentence().to_owned() }
}

const fn availability_to_proto(availability: Availability) -> pb::Availability {
    match availability {
        Availability::NotAsked => pb::Availability::Unspecified,
        Availability::Free => pb::Availability::Free,
        Availability::None => pb::Availability::None,
        Availability::Unknown => pb::Availability::Unknown,
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

/// Writes an outcome.
pub(in crate::grpc) const fn outcome_to_proto(outcome: CareOutcome) -> pb::CareOutcome {
    match outcome {
        CareOutcome::EmergencyDispatch => pb::CareOutcome::EmergencyDispatch,
        CareOutcome::EmergencyDepartment => pb::CareOutcome::EmergencyDepartment,
        CareOutcome::Appointment => pb::CareOutcome::Appointment,
        CareOutcome::WalkIn => pb::CareOutcome::WalkIn,
        CareOutcome::Teleconsultation => pb::CareOutcome::Teleconsultation,
        CareOutcome::HomeVisit => pb::CareOutcome::HomeVisit,
        CareOutcome::MedicalAdvice => pb::CareOutcome::MedicalAdvice,
        CareOutcome::NoSlotInTime => pb::CareOutcome::NoSlotInTime,
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

fn exclusion_to_proto(exclusion: &Exclusion) -> pb::Exclusion {
    let Exclusion { rule, count } = exclusion;
    pb::Exclusion { rule: rule_to_proto(*rule).into(), count: *count }
}

/// Writes a rule of matching.
pub(in crate::grpc) const fn rule_to_proto(rule: Rule) -> pb::Rule {
    match rule {
        Rule::Visibility => pb::Rule::Visibility,
        Rule::Specialty => pb::Rule::Specialty,
        Rule::Modality => pb::Rule::Modality,
        Rule::Suitability => pb::Rule::Suitability,
        Rule::Territory => pb::Rule::Territory,
        Rule::AppointmentType => pb::Rule::AppointmentType,
        Rule::Age => pb::Rule::Age,
        Rule::Sex => pb::Rule::Sex,
        Rule::Need => pb::Rule::Need,
        Rule::Language => pb::Rule::Language,
        Rule::Radius => pb::Rule::Radius,
        Rule::Arrival => pb::Rule::Arrival,
        Rule::Delay => pb::Rule::Delay,
        Rule::Capacity => pb::Rule::Capacity,
        Rule::Silence => pb::Rule::Silence,
        Rule::Excluded => pb::Rule::Excluded,
        Rule::Quarantine => pb::Rule::Quarantine,
    }
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

/// Writes a radius.
pub(in crate::grpc) fn radius_to_proto(radius: &Radius) -> pb::Radius {
    let Radius { radius_m, initial_radius_m, widened_count, source, department } = radius;
    let source = match source {
        RadiusSource::Query => pb::RadiusSource::Query,
        RadiusSource::Department => pb::RadiusSource::Department,
        RadiusSource::EstimatedDepartment => pb::RadiusSource::EstimatedDepartment,
        RadiusSource::Default => pb::RadiusSource::Default,
    };
    pb::Radius {
        radius_m: *radius_m,
        initial_radius_m: *initial_radius_m,
        widened_count: *widened_count,
        source: source.into(),
        department: department.map(|department| department.code().to_owned()).unwrap_or_default(),
    }
}
