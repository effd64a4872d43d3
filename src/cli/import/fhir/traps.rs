//! The traps of the national examples and pages, one test each, under their numbers in the project's list of them.
//!
//! Not here, because they do not concern reading a Bundle:
//! 13, the conformance kit validates against an older package than the published guide (we do not read `meta.profile`);
//! 14, samples of messages to regulation software lack their regulator (another message altogether).
//! Partly: 3 and 15 are faults of a page and of the kit; what they could do to a Bundle is tested.

use serde_json::Value;

use super::tests::{INDIVIDUAL, SOS, TWO_CPTS, faults, read, read_changed, reasons};
use crate::cli::import::{ImportOptions, Severity, parse_bundle};

const R66: &str = "https://mos.esante.gouv.fr/NOS/TRE_R66-CategorieEtablissement";

#[test]
fn trap_01_tre_r66_system_has_three_spellings() {
    let systems = [
        format!("{R66}/FHIR/TRE-R66-CategorieEtablissement"),
        format!("{R66}/TRE_R66-CategorieEtablissement"),
        R66.to_owned(),
    ];
    for system in systems {
        let plan = read_changed(TWO_CPTS, |bundle| {
            for concept in [1, 2] {
                bundle["entry"][0]["resource"]["serviceType"][concept]["coding"][0]["system"] = system.as_str().into();
            }
        });
        assert_eq!(plan.schedules[0].message.territory_ids.len(), 2, "{system}");
    }
}

#[test]
fn trap_01_another_category_of_structure_is_no_territory() {
    let plan = read_changed(TWO_CPTS, |bundle| {
        bundle["entry"][0]["resource"]["serviceType"][2]["coding"][0]["code"] = "603".into();
    });
    assert_eq!(plan.schedules[0].message.territory_ids, ["1319990016"]);
}

#[test]
fn trap_02_type_system_of_the_cpts_organization_has_two_values() {
    let plan = read(TWO_CPTS);
    let ids: Vec<_> = plan.territories.iter().map(|territory| territory.message.territory_id.as_str()).collect();
    assert_eq!(ids, ["1319990016", "12A9990012"], "the fixture has one of each");
    let untyped =
        read_changed(TWO_CPTS, |bundle| bundle["entry"][5]["resource"]["identifier"][0]["type"] = Value::Null);
    assert_eq!(untyped.territories, plan.territories);
}

#[test]
fn trap_03_profile_of_the_cpts_organization_may_be_that_of_sos_medecins() {
    let plan = read_changed(TWO_CPTS, |bundle| {
        let profile = "https://interop.esante.gouv.fr/ig/fhir/sas/StructureDefinition/sas-sos-organization-aggregator";
        bundle["entry"][5]["resource"]["meta"] = serde_json::json!({"profile": [profile]});
    });
    assert_eq!(plan.territories.len(), 2);
}

#[test]
fn trap_04_organization_identifier_may_be_a_value_only() {
    assert_eq!(read(TWO_CPTS).places[0].message.structure_id, "412345678912345");
}

#[test]
fn trap_05_full_url_may_be_no_uri() {
    let plan = read(TWO_CPTS);
    assert_eq!(plan.slots.len(), 1, "the fixture's addresses open with https://<base_URl>");
    let none = read_changed(TWO_CPTS, |bundle| {
        for entry in bundle["entry"].as_array_mut().unwrap() {
            entry["fullUrl"] = Value::Null;
        }
    });
    assert_eq!(none.slots, plan.slots);
}

#[test]
fn trap_06_slot_may_have_no_comment() {
    let plan = read(INDIVIDUAL);
    assert_eq!((plan.slots[1].input.slot_id.as_str(), plan.slots[1].input.booking_url.as_str()), ("v:s2", ""));
}

#[test]
fn trap_06_comment_that_is_no_address_is_left_out() {
    let plan = read_changed(SOS, |bundle| bundle["entry"][0]["resource"]["comment"] = "appeler avant".into());
    assert_eq!(plan.slots[0].input.booking_url, "");
    assert!(reasons(&plan).contains(&"INVALID_VALUE"));
}

#[test]
fn trap_07_cpts_slot_may_be_public_too() {
    assert_eq!(read(TWO_CPTS).slots[0].input.visibilities, ["PUBLIC", "CPTS"]);
}

#[test]
fn trap_08_missing_offset_is_europe_paris() {
    let plan = read_changed(SOS, |bundle| {
        bundle["entry"][0]["resource"]["start"] = "2026-07-05T09:00:00.000".into();
        bundle["entry"][0]["resource"]["end"] = "2026-07-05T09:30:00".into();
    });
    assert_eq!(plan.slots[0].window.start_at().to_string(), "2026-07-05T07:00:00.000Z");
    assert_eq!(plan.slots[0].window.end_at().to_string(), "2026-07-05T07:30:00.000Z");
    assert_eq!(reasons(&plan), ["ASSUMED_ZONE", "ASSUMED_ZONE", "APPROXIMATE_POSITION"]);
}

#[test]
fn trap_08_missing_offset_in_a_changing_hour_says_so() {
    let plan = read_changed(SOS, |bundle| {
        bundle["entry"][0]["resource"]["start"] = "2026-03-29T02:15:00".into();
        bundle["entry"][0]["resource"]["end"] = "2026-03-29T03:30:00".into();
    });
    assert_eq!(plan.slots[0].window.start_at().to_string(), "2026-03-29T01:15:00.000Z");
    assert!(reasons(&plan).contains(&"CLOCK_GAP"));
}

#[test]
fn trap_09_instants_have_three_decimals_none_or_a_z() {
    let table = [
        "2026-01-05T09:00:00.000+01:00",
        "2026-01-05T09:00:00+01:00",
        "2026-01-05T08:00:00Z",
        "2026-01-05T08:00:00.0Z",
    ];
    for start in table {
        let plan = read_changed(SOS, |bundle| bundle["entry"][0]["resource"]["start"] = start.into());
        assert_eq!(plan.slots[0].window.start_at().to_string(), "2026-01-05T08:00:00.000Z", "{start}");
    }
}

#[test]
fn trap_10_finess_may_be_corsican() {
    let plan = read(TWO_CPTS);
    assert_eq!(plan.territories[1].message.territory_id, "12A9990012");
    assert!(faults(&plan).iter().all(|fault| fault.0 != Severity::Refused));
}

#[test]
fn trap_11_identifiers_may_lack_their_prefix() {
    let prefixed = read(TWO_CPTS);
    let plan = read_changed(TWO_CPTS, |bundle| {
        bundle["entry"][2]["resource"]["identifier"][0]["value"] = "10999000010".into();
        bundle["entry"][5]["resource"]["identifier"][0]["value"] = "319990016".into();
    });
    assert_eq!(plan.practitioners, prefixed.practitioners);
    assert_eq!(plan.territories, prefixed.territories);
    assert_eq!(read(INDIVIDUAL).practitioners[1].message.practitioner_id, "810999000028", "unprefixed in the fixture");
}

#[test]
fn trap_12_file_may_open_with_a_byte_order_mark() {
    let marked = format!("\u{feff}{SOS}");
    assert_eq!(parse_bundle(marked.as_bytes(), &ImportOptions::for_source("v")), Ok(read(SOS)));
}

#[test]
fn trap_15_slot_in_the_past_is_read_because_the_server_judges() {
    let plan = read_changed(SOS, |bundle| {
        bundle["entry"][0]["resource"]["start"] = "2021-11-05T09:00:00.000+00:00".into();
        bundle["entry"][0]["resource"]["end"] = "2021-11-05T09:30:00.000+00:00".into();
    });
    assert_eq!(plan.slots.len(), 1);
}
