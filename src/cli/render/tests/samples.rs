//! Answers as a service gives them, built by hand.

use prost_types::Timestamp;

use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

pub(super) fn at(text: &str) -> Option<Timestamp> {
    let ms = UtcInstant::parse_rfc3339(text).unwrap().ms();
    Some(Timestamp { seconds: ms / 1_000, nanos: 0 })
}

pub(super) fn stamp() -> pb::Stamp {
    pb::Stamp {
        epoch: 1,
        position: 42,
        answered_at: at("2026-01-05T09:00:00Z"),
        data_age_seconds: Some(180),
        policy_version: "2026-01".to_owned(),
        degraded: false,
        durability_reduced: false,
        behind_min_position: false,
    }
}

pub(super) fn option(rank: u32) -> pb::CareOption {
    pb::CareOption {
        rank,
        slot_id: format!("sample:slot-{rank}"),
        schedule_id: "sample:schedule".to_owned(),
        modality: "AMB".to_owned(),
        appointment_type: "WALKIN".to_owned(),
        start_at: at("2026-01-05T09:00:00Z"),
        end_at: at("2026-01-05T10:00:00Z"),
        care_begins_at: at("2026-01-05T09:20:00Z"),
        time_zone: "Europe/Paris".to_owned(),
        practitioner_name: "Amandine Chevalier-Rousseau".to_owned(),
        place_name: "Maison médicale des Minguettes".to_owned(),
        place_address: "12 avenue Lénine, 69200 Vénissieux".to_owned(),
        phone: "+33478000000".to_owned(),
        territory_ids: vec!["1690000001".to_owned()],
        remaining_count: 3,
        parts: Some(pb::OptionParts {
            wait_minutes: 20,
            travel_minutes: 12,
            distance_m: 3_450,
            territory_preference: pb::TerritoryPreference::Own.into(),
            data_age_seconds: 180,
            cost_seconds: 1_200,
            confidence: pb::Confidence::Certain.into(),
            ..pb::OptionParts::default()
        }),
        unknowns: vec![pb::Unknown {
            kind: pb::UnknownKind::Need.into(),
            need: pb::Need::Wheelchair.into(),
            capability: 0,
        }],
        sentence: "Première place dans 20 min, à 12 min de trajet, dans la CPTS du patient.".to_owned(),
        ..pb::CareOption::default()
    }
}

pub(super) fn found() -> pb::FindCareResponse {
    let overseas = pb::CareOption { time_zone: "Indian/Reunion".to_owned(), ..option(0) };
    pb::FindCareResponse {
        outcome: pb::CareOutcome::WalkIn.into(),
        decision_type: "ORIENT".to_owned(),
        orientation_type: "CABINET".to_owned(),
        rule_id: "options.best".to_owned(),
        sentence: "Consultation sans rendez-vous dans 20 min.".to_owned(),
        options: vec![option(1), pb::CareOption { modality: "VR".to_owned(), ..option(2) }],
        near_misses: vec![pb::NearMiss {
            option: Some(overseas),
            rule: pb::Rule::Delay.into(),
            excess: 150,
            policy_rule: None,
            sentence: "Commence 2 h 30 après le délai.".to_owned(),
        }],
        policy_rules: vec![pb::PolicyRule {
            rule_id: "delay.p2".to_owned(),
            sentence: "Non urgent : dans les 24 heures.".to_owned(),
        }],
        exclusions: vec![pb::Exclusion { rule: pb::Rule::Specialty.into(), count: 4 }],
        examined_count: 9,
        examined_all: true,
        emergency_sites: vec![pb::EmergencySiteDistance {
            emergency_site_id: "su".to_owned(),
            name: "Hôpital Édouard-Herriot".to_owned(),
            kind: "DEPARTMENT".to_owned(),
            distance_m: 6_900,
            travel_minutes: 16,
            access: "REGULATED".to_owned(),
            access_changes_at: at("2026-01-06T07:00:00Z"),
            phone: "+33472000000".to_owned(),
            saturated_until_at: None,
            unknowns: vec![],
            sentence: "Accès régulé à l'arrivée, jusqu'à demain 08:00 : annoncer d'abord le patient par le 15."
                .to_owned(),
        }],
        radius: Some(pb::Radius {
            radius_m: 20_000,
            initial_radius_m: 10_000,
            widened_count: 2,
            source: pb::RadiusSource::Department.into(),
            department: "69".to_owned(),
        }),
        needed_by_at: at("2026-01-05T13:00:00Z"),
        stamp: Some(stamp()),
        ..pb::FindCareResponse::default()
    }
}
