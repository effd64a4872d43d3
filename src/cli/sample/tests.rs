//! The sample region is what its users expect of it.

use std::collections::BTreeSet;

use super::*;
use crate::cli::import::Severity;
use crate::domain::geo::GeoPoint;
use crate::domain::id::PractitionerId;
use crate::domain::time::MS_PER_HOUR;
use crate::proto::routing as pb;

fn plan() -> ImportPlan {
    region().unwrap()
}

#[test]
fn no_row_is_refused_or_doubted() {
    let plan = plan();
    let doubts: Vec<_> = plan.row_reports.iter().filter(|report| report.severity != Severity::Ok).collect();
    assert!(doubts.is_empty(), "{doubts:#?}");
    assert_eq!(plan.territories.len(), 11);
    assert_eq!(plan.practitioners.len(), 46);
    assert_eq!(plan.emergency_sites.len(), 22);
    assert!(plan.slots.len() > 800, "{}", plan.slots.len());
}

#[test]
fn the_reference_moment_is_monday_at_ten_in_paris() {
    assert_eq!(REFERENCE_AT, UtcInstant::parse_rfc3339("2026-01-05T10:00:00+01:00").unwrap());
    let plan = region_at(UtcInstant::parse_rfc3339("2026-07-14T03:17:00Z").unwrap()).unwrap();
    let first = plan.slots.iter().map(|slot| slot.window.start_at()).min().unwrap();
    assert_eq!(first.to_string(), "2026-07-13T17:17:00.000Z", "midnight is ten hours before the reference moment");
}

#[test]
fn people_are_visibly_invented_and_their_numbers_well_formed() {
    for practitioner in plan().practitioners {
        let id = PractitionerId::parse(&practitioner.message.practitioner_id).unwrap();
        assert_eq!(id.warning, None);
        assert!(id.value.to_string().starts_with("10999"), "{}", id.value);
    }
}

#[test]
fn every_territory_has_three_to_eight_professionals() {
    let plan = plan();
    for territory in &plan.territories {
        let schedules = plan.schedules.iter().map(|schedule| &schedule.message);
        let of_territory =
            schedules.filter(|schedule| schedule.territory_ids.contains(&territory.message.territory_id));
        let practitioners: BTreeSet<_> = of_territory.map(|schedule| &schedule.practitioner_id).collect();
        let count = practitioners.iter().filter(|id| !id.is_empty()).count();
        assert!((3..=8).contains(&count), "{}: {count}", territory.message.name);
    }
}

#[test]
fn something_begins_in_each_of_the_eight_hours_after_the_reference_moment() {
    let plan = plan();
    for hour in 0..8 {
        let from = REFERENCE_AT.plus_ms(hour * MS_PER_HOUR);
        let begins = |slot: &&crate::cli::import::PlannedSlot| {
            slot.window.start_at() >= from && slot.window.start_at() < from.plus_ms(MS_PER_HOUR)
        };
        let mut modalities: BTreeSet<&str> = BTreeSet::new();
        for slot in plan.slots.iter().filter(begins) {
            modalities.extend(slot.input.modalities.iter().map(String::as_str));
        }
        assert!(modalities.contains("AMB"), "hour {hour}: {modalities:?}");
    }
}

#[test]
fn windows_of_every_modality_run_at_the_reference_moment() {
    let plan = plan();
    for modality in ["AMB", "VR", "HH"] {
        let runs = plan.slots.iter().any(|slot| {
            let takes = slot.input.modalities == [modality] && slot.input.appointment_type == "WALKIN";
            takes && slot.window.contains(REFERENCE_AT)
        });
        assert!(runs, "{modality}");
    }
}

#[test]
fn the_mix_has_every_case_that_a_trial_should_show() {
    let plan = plan();
    let slot = |wanted: &dyn Fn(&pb::SlotInput) -> bool| plan.slots.iter().any(|slot| wanted(&slot.input));
    assert!(slot(&|slot| slot.modalities == ["VR"]), "teleconsultation");
    assert!(slot(&|slot| slot.modalities == ["HH"]), "home visit");
    assert!(slot(&|slot| slot.appointment_type == "WALKIN" && slot.capacity > Some(1)), "walk-in with capacity");
    assert!(slot(&|slot| slot.visibilities == ["CPTS"]), "visible to a CPTS only");
    let shared = plan.schedules.iter().any(|schedule| schedule.message.territory_ids.len() == 2);
    assert!(shared, "one capacity in two CPTS");
    let schedule = |wanted: &dyn Fn(&pb::Schedule) -> bool| plan.schedules.iter().any(|entry| wanted(&entry.message));
    assert!(schedule(&|schedule| schedule.max_age_days < Some(731) && schedule.max_age_days.is_some()), "infants only");
    assert!(schedule(&|schedule| schedule.practitioner_id.is_empty()), "the structure decides");
    let profession = |code: &str| plan.practitioners.iter().any(|entry| entry.message.profession == code);
    assert!(profession("50") && profession("60"), "midwife and nurse");
    let no = i32::from(pb::Knowledge::No);
    assert!(plan.places.iter().any(|place| place.message.needs.iter().any(|need| need.met == no)), "not accessible");
    let access = |code: pb::EmergencyAccess| {
        let mut rules = plan.emergency_sites.iter().flat_map(|site| &site.message.weekly_access);
        rules.any(|rule| rule.access() == code)
    };
    assert!(access(pb::EmergencyAccess::Regulated) && access(pb::EmergencyAccess::Closed));
}

#[test]
fn an_emergency_department_and_a_smur_are_within_reach_of_every_mainland_place() {
    let plan = plan();
    let point = |at: &pb::GeoPoint| GeoPoint::new(at.latitude, at.longitude).unwrap();
    for place in &plan.places {
        let here = point(place.message.position.as_ref().unwrap());
        for kind in [pb::EmergencySiteKind::Department, pb::EmergencySiteKind::Smur] {
            let sites = plan.emergency_sites.iter().filter(|site| site.message.kind() == kind);
            let distances = sites.map(|site| distance_km(here, point(site.message.position.as_ref().unwrap())));
            let nearest = distances.fold(f64::INFINITY, f64::min);
            assert!(nearest < 50.0, "{} {kind:?}: {nearest} km", place.message.name);
        }
    }
}

/// Good enough at this scale, and independent of the product's own distance.
fn distance_km(left: GeoPoint, right: GeoPoint) -> f64 {
    let north = (left.latitude() - right.latitude()) * 111.2;
    let east = (left.longitude() - right.longitude()) * 111.2 * left.latitude().to_radians().cos();
    north.hypot(east)
}
