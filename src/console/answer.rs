//! The answer of a trial, with the whole explanation.
//!
//! Sentences are the service's, in French; codes and figures are told in the page's language by the page.

use serde_json::{Value, json};

use crate::domain::answer::{CareAnswer, CareOption, Likeness, NearMiss, SiteDistance, TerritoryPreference, Unknown};

/// The answer.
pub(super) fn answer(answer: &CareAnswer) -> Value {
    let position = answer.stamp.position;
    json!({
        "outcome": answer.outcome.code(),
        "rule_id": answer.rule_id.as_ref(),
        "sentence": answer.sentence,
        "availability": answer.availability.code(),
        "options": answer.options.iter().map(option).collect::<Vec<_>>(),
        "near_misses": answer.near_misses.iter().map(near_miss).collect::<Vec<_>>(),
        "exclusions": answer.exclusions.iter()
            .map(|one| json!({ "rule": one.rule.code(), "count": one.count })).collect::<Vec<_>>(),
        "alike": answer.alike.iter()
            .map(|one| json!({ "likeness": likeness(one.likeness), "count": one.count })).collect::<Vec<_>>(),
        "sites": answer.emergency_sites.iter().map(site).collect::<Vec<_>>(),
        "what_ifs": answer.what_ifs.iter().map(|one| one.sentence.as_str()).collect::<Vec<_>>(),
        "warnings": answer.warnings.iter().map(|one| one.sentence.as_str()).collect::<Vec<_>>(),
        "policy_rules": answer.policy_rules.iter()
            .map(|rule| json!({ "id": rule.id.as_ref(), "text": rule.text.as_ref() })).collect::<Vec<_>>(),
        "examined_count": answer.examined_count,
        "examined_all": answer.examined_all,
        "radius_m": answer.radius.map(|radius| radius.radius_m),
        "needed_by_ms": answer.needed_by_at.map(|at| at.ms()),
        "position": format!("{}-{}", position.epoch, position.sequence),
        "policy_version": answer.stamp.policy_version.as_ref(),
        "degraded": answer.stamp.degraded,
    })
}

fn option(option: &CareOption) -> Value {
    let parts = &option.parts;
    json!({
        "slot_id": option.slot.id.to_string(),
        "practitioner": option.offer.practitioner.as_ref().map(|practitioner| practitioner.full_name()),
        "place": option.offer.place.name.as_ref(),
        "city": option.offer.place.city.as_ref(),
        "modality": option.modality.code(),
        "appointment_type": option.appointment_type.code(),
        "begins_ms": option.care_begins_at.ms(),
        "zone": option.offer.place.zone.name(),
        "wait_minutes": parts.wait_minutes,
        "travel_minutes": parts.travel_minutes,
        "distance_m": parts.distance_m,
        "territory": preference(parts.territory_preference),
        "data_age_seconds": parts.data_age_seconds,
        "confidence": parts.confidence.code(),
        "cost_seconds": parts.cost_seconds,
        "unknowns": option.unknowns.iter().map(|one| unknown(*one)).collect::<Vec<_>>(),
        "sentence": option.sentence,
    })
}

fn near_miss(miss: &NearMiss) -> Value {
    json!({ "rule": miss.rule.code(), "excess": miss.excess, "sentence": miss.sentence, "option": option(&miss.option) })
}

fn site(seen: &SiteDistance) -> Value {
    json!({
        "name": seen.site.name.as_ref(),
        "kind": seen.site.kind.code(),
        "access": seen.access.code(),
        "distance_m": seen.distance_m,
        "travel_minutes": seen.travel_minutes,
        "sentence": seen.sentence,
    })
}

const fn preference(preference: TerritoryPreference) -> &'static str {
    match preference {
        TerritoryPreference::Unspecified => "UNSPECIFIED",
        TerritoryPreference::Own => "OWN",
        TerritoryPreference::Neighbour => "NEIGHBOUR",
        TerritoryPreference::Other => "OTHER",
    }
}

const fn likeness(likeness: Likeness) -> &'static str {
    match likeness {
        Likeness::Place => "PLACE",
        Likeness::Practitioner => "PRACTITIONER",
    }
}

const fn unknown(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Need(need) => need.code(),
        Unknown::Language => "LANGUAGE",
        Unknown::Specialty => "SPECIALTY",
        Unknown::Age => "AGE",
        Unknown::Sex => "SEX",
        Unknown::Capability(capability) => capability.code(),
    }
}
