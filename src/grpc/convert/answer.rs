//! What the regulator is told.

use super::choice::alike_to_proto;
use super::common::{confidence_to_proto, instant_to_proto, stamp_to_proto};
use super::option::{unknown_to_proto, write_option};
use crate::domain::answer::{
    Availability, CareAnswer, CareOutcome, Exclusion, NearMiss, PolicyRule, QueryWarning, Radius, RadiusSource,
    Relaxation, Rule, SilentSource, SiteDistance, WhatIf,
};
use crate::domain::road::RoadDoubt;
use crate::grpc::wire::Writer;
use crate::proto::routing as pb;

/// Writes an answer; `is_behind` says that it does not take account of a position that its caller wants.
pub(in crate::grpc) fn write_answer(to: &mut Writer, answer: &CareAnswer, is_behind: bool) {
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
    to.code(1, outcome_to_proto(*outcome));
    to.text(2, decision_type.map_or("", |code| code.code()));
    to.text(3, orientation_type.map_or("", |code| code.code()));
    to.text(4, rule_id);
    to.text(5, sentence);
    (1..).zip(options).for_each(|(rank, option)| to.message(6, |to| write_option(to, option, rank)));
    near_misses.iter().for_each(|miss| to.message(7, |to| write_near_miss(to, miss)));
    exclusions.iter().for_each(|exclusion| to.plain(8, &exclusion_to_proto(exclusion)));
    to.number(9, *examined_count);
    to.number(10, *examined_all);
    emergency_sites.iter().for_each(|site| to.message(11, |to| write_site(to, site)));
    radius.iter().for_each(|radius| to.plain(12, &radius_to_proto(radius)));
    needed_by_at.iter().for_each(|at| to.plain(13, &instant_to_proto(*at)));
    to.plain(14, &pb::Stamp { behind_min_position: is_behind, ..stamp_to_proto(stamp) });
    warnings.iter().for_each(|warning| to.message(15, |to| write_warning(to, warning)));
    policy_rules.iter().for_each(|rule| to.message(16, |to| write_policy_rule(to, rule)));
    to.code(21, availability_to_proto(*availability));
    silent_sources.iter().for_each(|source| to.message(22, |to| write_silent_source(to, source)));
    what_ifs.iter().for_each(|what_if| to.message(23, |to| write_what_if(to, what_if)));
    alike.iter().for_each(|alike| to.plain(28, &alike_to_proto(alike)));
    road_doubt.iter().for_each(|doubt| to.message(30, |to| write_road_doubt(to, *doubt)));
}

fn write_road_doubt(to: &mut Writer, doubt: RoadDoubt) {
    to.text(1, doubt.code());
    to.text(2, doubt.sentence());
}

/// Writes what is known about whether something is free.
pub(super) const fn availability_to_proto(availability: Availability) -> pb::Availability {
    match availability {
        Availability::NotAsked => pb::Availability::Unspecified,
        Availability::Free => pb::Availability::Free,
        Availability::None => pb::Availability::None,
        Availability::Unknown => pb::Availability::Unknown,
    }
}

fn write_what_if(to: &mut Writer, what_if: &WhatIf) {
    let WhatIf { relaxation, slot_count, care_begins_at, gain_minutes, sentence } = what_if;
    // One of several is written whatever it is: which of them it is says what is relaxed.
    match relaxation {
        Relaxation::Radius(radius_m) => to.optional(1, Some(*radius_m)),
        Relaxation::Delay(minutes) => to.optional(2, Some(*minutes)),
        Relaxation::Modality(modality) => to.entry(3, [modality.code()]),
    }
    to.number(4, *slot_count);
    to.plain(5, &instant_to_proto(*care_begins_at));
    to.optional(6, *gain_minutes);
    to.text(7, sentence);
}

fn write_silent_source(to: &mut Writer, source: &SilentSource) {
    let SilentSource { id, confidence, last_heard_at, schedule_count } = source;
    to.text(1, id.as_str());
    to.code(2, confidence_to_proto(*confidence));
    to.plain(3, &instant_to_proto(*last_heard_at));
    to.number(4, *schedule_count);
}

fn write_warning(to: &mut Writer, warning: &QueryWarning) {
    let QueryWarning { doubt, value, sentence } = warning;
    to.text(1, doubt.code());
    to.texts(2, ["query.", doubt.field()]);
    to.text(3, value);
    to.text(4, sentence);
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

fn write_near_miss(to: &mut Writer, miss: &NearMiss) {
    let NearMiss { option, rule, excess, policy_rule, sentence } = miss;
    to.message(1, |to| write_option(to, option, 0));
    to.code(2, rule_to_proto(*rule));
    to.number(3, *excess);
    to.text(4, sentence);
    policy_rule.iter().for_each(|rule| to.message(5, |to| write_policy_rule(to, rule)));
}

fn write_policy_rule(to: &mut Writer, rule: &PolicyRule) {
    let PolicyRule { id, text } = rule;
    to.text(1, id);
    to.text(2, text);
}

/// Writes how many slots a rule left out.
pub(super) fn exclusion_to_proto(exclusion: &Exclusion) -> pb::Exclusion {
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

fn write_site(to: &mut Writer, distance: &SiteDistance) {
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
    to.text(1, site.id.as_str());
    to.text(2, &site.name);
    to.text(3, site.kind.code());
    to.number(4, *distance_m);
    to.number(5, *travel_minutes);
    to.text(6, access.code());
    access_changes_at.iter().for_each(|at| to.plain(7, &instant_to_proto(*at)));
    to.shown(8, site.phone);
    saturated_until.iter().for_each(|at| to.plain(9, &instant_to_proto(*at)));
    unknowns.iter().for_each(|unknown| to.plain(10, &unknown_to_proto(unknown)));
    to.text(11, sentence);
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
