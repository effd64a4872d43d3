//! Bundles as they come: our own fixtures always, the national examples when they lie beside the checkout.
#![allow(clippy::print_stdout, reason = "tests say what they skip")]

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::cli::import::{ImportPlan, Positions};
use crate::domain::id::OPAQUE_ID_MAX_BYTES;
use crate::proto::routing as pb;

pub(super) const INDIVIDUAL: &str = include_str!("../../../../tests/fixtures/bundle-individual.json");
pub(super) const TWO_CPTS: &str = include_str!("../../../../tests/fixtures/bundle-two-cpts.json");
pub(super) const SOS: &str = include_str!("../../../../tests/fixtures/bundle-sos.json");
pub(super) const EMPTY: &str = include_str!("../../../../tests/fixtures/bundle-empty.json");

/// Reads as the source `v`, with the towns that are compiled in.
pub(super) fn read(text: &str) -> ImportPlan {
    parse_bundle(text.as_bytes(), &ImportOptions::for_source("v")).unwrap()
}

/// Reads a fixture after a change to its JSON.
pub(super) fn read_changed(text: &str, change: impl FnOnce(&mut Value)) -> ImportPlan {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    read(&value.to_string())
}

/// Severity, entry, field and reason of the findings that are not `OK`.
pub(super) fn faults(plan: &ImportPlan) -> Vec<(Severity, String, &str, &str)> {
    let told = plan.row_reports.iter().filter(|report| report.severity != Severity::Ok);
    told.map(|report| (report.severity, report.origin.to_string(), &*report.field, &*report.reason)).collect()
}

/// The same, as the reasons in order.
pub(super) fn reasons(plan: &ImportPlan) -> Vec<&str> {
    faults(plan).into_iter().map(|(_, _, _, reason)| reason).collect()
}

/// A national example; nothing, with a printed sentence, when the shared folder is absent.
fn example(name: &str) -> Option<String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/ig-sas/examples"));
    let text = std::fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        println!("skipped: the national example {name} is not beside this checkout");
    }
    text
}

fn ids<T>(planned: &[crate::cli::import::Planned<T>], id: impl Fn(&T) -> &str) -> Vec<&str> {
    planned.iter().map(|planned| id(&planned.message)).collect()
}

#[test]
fn individual_practitioners_are_read() {
    let plan = read(INDIVIDUAL);
    assert_eq!(ids(&plan.schedules, |schedule| &schedule.schedule_id), ["v:a1", "v:a2"]);
    assert_eq!(ids(&plan.practitioners, |found| &found.practitioner_id), ["810999000010", "810999000028"]);
    assert_eq!(ids(&plan.places, |place| &place.place_id), ["v:https://editeur.example|1"], "one place of two roles");
    let slot = &plan.slots[0].input;
    assert_eq!((slot.slot_id.as_str(), slot.schedule_id.as_str()), ("v:s1", "v:a1"));
    assert_eq!(slot.modalities, ["AMB", "VR"]);
    assert_eq!(slot.motives, ["Visite de contrôle"]);
    assert_eq!(slot.booking_url, "https://editeur.example/rdv");
    assert_eq!(plan.slots[1].input.appointment_type, "WALKIN");
    assert_eq!(plan.practitioners[1].message.phone, "+33536490001");
    let skipped = (Severity::Skipped, "entry 8 (Slot/s3)".to_owned(), "Slot.status", "NOT_FREE");
    assert!(faults(&plan).contains(&skipped));
    assert_eq!(reasons(&plan), ["APPROXIMATE_POSITION", "FREE_TEXT", "FREE_TEXT", "NOT_FREE"]);
}

#[test]
fn a_slot_of_two_cpts_is_one_slot_with_two_territories() {
    let plan = read(TWO_CPTS);
    assert_eq!(plan.slots.len(), 1);
    assert_eq!(ids(&plan.territories, |territory| &territory.territory_id), ["1319990016", "12A9990012"]);
    assert_eq!(plan.schedules[0].message.territory_ids, ["1319990016", "12A9990012"]);
    assert_eq!(plan.slots[0].input.territory_ids, Vec::<String>::new(), "left to the schedule");
    assert_eq!(plan.slots[0].input.visibilities, ["PUBLIC", "CPTS"]);
    assert_eq!(plan.territories[0].message.name, "CPTS UN");
    assert_eq!(plan.territories[0].message.phone, "+33261910009");
}

#[test]
fn a_place_whose_structure_decides_has_a_schedule_without_professional_or_specialty() {
    let plan = read(SOS);
    let schedule = &plan.schedules[0].message;
    assert_eq!((schedule.practitioner_id.as_str(), schedule.specialties.len()), ("", 0));
    let place = &plan.places[0].message;
    assert_eq!(place.name, "Point de consultation Nord");
    assert_eq!(place.structure_id, "399900000000045");
    assert_eq!((place.department.as_str(), place.time_zone.as_str()), ("35", "Europe/Paris"));
    assert_eq!(reasons(&plan), ["APPROXIMATE_POSITION"]);
}

#[test]
fn the_national_example_of_individual_practitioners_is_read() {
    let Some(text) = example("Bundle-ExampleBundlePSIndiv.json") else { return };
    let plan = read(&text);
    assert_eq!(plan.count(Severity::Refused), 0, "{:#?}", plan.row_reports);
    assert_eq!(plan.slots.len(), 4);
    assert_eq!(plan.schedules.len(), 3);
    let expected = ["v:urn:oid:1.1.111.1.111.1.1.1|1", "v:urn:oid:1.1.111.1.111.1.1.1|2"];
    assert_eq!(ids(&plan.places, |place| &place.place_id), expected, "two roles contain the same place");
    let wire: Vec<_> = ids(&plan.practitioners, |found| &found.practitioner_id);
    assert_eq!(wire, ["810100050075", "810002673899"]);
    assert_eq!(plan.practitioners[0].message.specialties, ["SM54", "SM05"]);
    assert_eq!(plan.practitioners[1].message.specialties, ["SM41", "SM54"]);
    assert_eq!(plan.slots[1].input.booking_url, "");
    assert_eq!(plan.slots[0].window.start_at().to_string(), "2021-11-05T09:00:00.000Z");
    assert_eq!(plan.places[0].message.position, Some(pb::GeoPoint { latitude: 44.20, longitude: 0.62 }));
}

#[test]
fn the_national_examples_of_cpts_are_read() {
    let Some(text) = example("Bundle-ExampleBundleCPTS1.json") else { return };
    let plan = read(&text);
    assert_eq!(plan.count(Severity::Refused), 0, "{:#?}", plan.row_reports);
    assert_eq!(ids(&plan.territories, |territory| &territory.territory_id), ["1950047225"]);
    assert_eq!(plan.places[0].message.structure_id, "412345678912345");
    let Some(text) = example("Bundle-ExampleBundleCPTS2.json") else { return };
    let plan = read(&text);
    assert_eq!(plan.count(Severity::Refused), 0, "{:#?}", plan.row_reports);
    assert_eq!(plan.slots.len(), 1);
    assert_eq!(plan.schedules[0].message.territory_ids, ["1950047225", "1950046227"]);
}

#[test]
fn the_national_example_of_sos_medecins_is_read() {
    let Some(text) = example("Bundle-ExampleBundleAgregateurSOS.json") else { return };
    let plan = read(&text);
    assert_eq!(plan.count(Severity::Refused), 0, "{:#?}", plan.row_reports);
    assert_eq!((plan.schedules.len(), plan.places.len(), plan.practitioners.len(), plan.slots.len()), (3, 3, 0, 4));
    assert!(plan.schedules.iter().all(|schedule| schedule.message.practitioner_id.is_empty()));
    let structures = ids(&plan.places, |place| &place.structure_id);
    assert_eq!(structures, ["334173748400020", "334173748400020", "392080466300010"]);
}

#[test]
fn an_empty_bundle_is_an_empty_plan() {
    assert_eq!(read(EMPTY), ImportPlan::default());
    for name in ["faq-empty-bundle-psindiv.json", "faq-empty-bundle-sos.json"] {
        let Some(text) = example(name) else { return };
        assert_eq!(read(&text), ImportPlan::default(), "{name}");
    }
}

#[test]
fn what_is_no_bundle_is_refused_with_its_place_or_its_type() {
    let error = |text: &str| parse_bundle(text.as_bytes(), &ImportOptions::default()).unwrap_err().to_string();
    assert!(
        error("{\n \"resourceType\" \"Bundle\"}").starts_with("the file is not JSON: line 2, column 17: expected `:`")
    );
    assert!(error("").starts_with("the file is not JSON: line 1, column 0"));
    assert!(
        error("{\"resourceType\":\"OperationOutcome\"}")
            .starts_with("the file is a OperationOutcome, not a FHIR Bundle")
    );
    assert!(error("{}").contains("JSON object without resourceType"));
    assert!(error("[1]").contains("JSON value"));
    let latin = parse_bundle(b"{\"resourceType\":\"Bundle\",\"id\":\"\xe9\"}", &ImportOptions::default());
    assert!(matches!(latin, Err(ImportError::Json { line: 1, .. })));
    assert!(error(&"[".repeat(100_000)).contains("recursion limit"));
}

#[test]
fn a_slot_that_is_not_free_is_skipped() {
    let plan = read_changed(SOS, |bundle| bundle["entry"][0]["resource"]["status"] = "busy-tentative".into());
    assert_eq!(plan.slots.len(), 0);
    assert_eq!(plan.schedules.len(), 1, "that nothing is free is worth knowing");
    let fault = (Severity::Skipped, "entry 0 (Slot/v1)".to_owned(), "Slot.status", "NOT_FREE");
    assert_eq!(faults(&plan)[0], fault);
}

#[test]
fn missing_pieces_are_refused_with_entry_resource_and_path() {
    type Change = fn(&mut Value);
    let table: [(Change, &str, &str, &str); 12] = [
        (
            |slot| slot["schedule"]["reference"] = "Schedule/none".into(),
            "entry 0 (Slot/v1)",
            "Slot.schedule",
            "UNRESOLVED_REFERENCE",
        ),
        (|slot| slot["schedule"] = Value::Null, "entry 0 (Slot/v1)", "Slot.schedule", "UNRESOLVED_REFERENCE"),
        (|slot| slot["start"] = Value::Null, "entry 0 (Slot/v1)", "Slot.start", "MISSING_VALUE"),
        (|slot| slot["start"] = "2026-01-05".into(), "entry 0 (Slot/v1)", "Slot.start", "INVALID_VALUE"),
        (|slot| slot["start"] = "1990-01-05T09:00:00Z".into(), "entry 0 (Slot/v1)", "Slot.start", "INVALID_VALUE"),
        (|slot| slot["end"] = slot["start"].clone(), "entry 0 (Slot/v1)", "Slot.end", "INVALID_VALUE"),
        (|slot| slot["end"] = "2026-01-07T09:00:00Z".into(), "entry 0 (Slot/v1)", "Slot.end", "TOO_LONG"),
        (|slot| slot["status"] = Value::Null, "entry 0 (Slot/v1)", "Slot.status", "MISSING_VALUE"),
        (|slot| slot["serviceType"] = Value::Null, "entry 0 (Slot/v1)", "Slot.serviceType", "MISSING_VALUE"),
        (|slot| slot["meta"]["security"] = Value::Null, "entry 0 (Slot/v1)", "Slot.meta.security", "MISSING_VALUE"),
        (
            |slot| slot["appointmentType"]["coding"][0]["code"] = "CHECKUP".into(),
            "entry 0 (Slot/v1)",
            "Slot.appointmentType",
            "UNKNOWN_CODE",
        ),
        (
            |slot| slot["specialty"] = serde_json::json!([{"coding": [{"code": "SM999"}]}]),
            "entry 0 (Slot/v1)",
            "Slot.specialty",
            "UNKNOWN_CODE",
        ),
    ];
    for (change, origin, field, reason) in table {
        let plan = read_changed(SOS, |bundle| change(&mut bundle["entry"][0]["resource"]));
        assert_eq!(faults(&plan)[0], (Severity::Refused, origin.to_owned(), field, reason));
        assert_eq!(plan.slots.len(), 0, "{field} {reason}");
    }
}

#[test]
fn a_schedule_that_cannot_be_read_refuses_its_slots_and_no_others() {
    let plan = read_changed(INDIVIDUAL, |bundle| bundle["entry"][2]["resource"]["identifier"] = Value::Null);
    let refused: Vec<_> = faults(&plan).into_iter().filter(|fault| fault.0 == Severity::Refused).collect();
    let expected = [
        (Severity::Refused, "entry 0 (Slot/s1)".to_owned(), "Slot.schedule", "UNRESOLVED_REFERENCE"),
        (Severity::Refused, "entry 1 (Schedule/a1)".to_owned(), "Practitioner.identifier", "INVALID_VALUE"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(plan.slots.len(), 1);
    let plan = read_changed(INDIVIDUAL, |bundle| bundle["entry"][3]["resource"]["contained"] = Value::Null);
    assert_eq!(reasons(&plan)[..2], ["UNRESOLVED_REFERENCE", "UNRESOLVED_REFERENCE"]);
}

#[test]
fn the_same_contained_id_in_two_roles_is_two_places_unless_their_identifiers_agree() {
    let plan = read_changed(INDIVIDUAL, |bundle| {
        bundle["entry"][7]["resource"]["contained"][0]["identifier"][0]["value"] = "2".into();
    });
    assert_eq!(plan.places.len(), 2);
    let plan = read_changed(INDIVIDUAL, |bundle| {
        for role in [3, 7] {
            bundle["entry"][role]["resource"]["contained"][0]["identifier"] = Value::Null;
        }
    });
    assert_eq!(ids(&plan.places, |place| &place.place_id), ["v:r1#lieu", "v:r2#lieu"]);
}

#[test]
fn free_text_specialties_are_read_when_published_and_named_always() {
    let plan = read(INDIVIDUAL);
    assert_eq!(plan.practitioners[1].message.specialties, ["SM41"]);
    assert_eq!(reasons(&plan).iter().filter(|reason| **reason == "FREE_TEXT").count(), 2);
}

#[test]
fn an_unknown_specialty_beside_a_known_one_is_a_warning() {
    let plan = read_changed(TWO_CPTS, |bundle| {
        let codings = serde_json::json!([{"coding": [{"code": "SM54"}, {"code": "SM999"}]}]);
        bundle["entry"][0]["resource"]["specialty"] = codings;
    });
    assert_eq!(plan.slots.len(), 1);
    assert!(reasons(&plan).contains(&"UNKNOWN_CODE"));
}

#[test]
fn a_slot_for_a_cpts_that_is_not_in_the_bundle_is_refused_when_nobody_else_may_see_it() {
    let without = |visibility: &str| {
        read_changed(TWO_CPTS, |bundle| {
            bundle["entry"][0]["resource"]["meta"]["security"].as_array_mut().unwrap().truncate(1);
            bundle["entry"][0]["resource"]["meta"]["security"][0]["code"] = visibility.into();
            bundle["entry"].as_array_mut().unwrap().truncate(4);
        })
    };
    assert_eq!(without("CPTS").slots.len(), 0);
    assert_eq!(without("SNP").slots.len(), 1);
    assert!(reasons(&without("SNP")).contains(&"UNRESOLVED_REFERENCE"));
}

#[test]
fn a_place_without_position_is_named_once() {
    let options = ImportOptions { positions: Positions::default(), ..ImportOptions::for_source("v") };
    let plan = parse_bundle(INDIVIDUAL.as_bytes(), &options).unwrap();
    assert_eq!(reasons(&plan).iter().filter(|reason| **reason == "NO_POSITION").count(), 1);
    assert_eq!(plan.places[0].message.position, None);
    let mut options = options;
    options.positions.add_place("https://editeur.example|1=44.3,0.7").unwrap();
    let plan = parse_bundle(INDIVIDUAL.as_bytes(), &options).unwrap();
    assert_eq!(plan.places[0].message.position, Some(pb::GeoPoint { latitude: 44.3, longitude: 0.7 }));
    let own = read_changed(SOS, |bundle| {
        bundle["entry"][2]["resource"]["position"] = serde_json::json!({"latitude": 48.1, "longitude": -1.7});
    });
    assert_eq!(own.places[0].message.position, Some(pb::GeoPoint { latitude: 48.1, longitude: -1.7 }));
    assert_eq!(reasons(&own), Vec::<&str>::new());
}

#[test]
fn identifiers_of_any_length_fit_the_service() {
    let plan = read_changed(SOS, |bundle| {
        bundle["entry"][2]["resource"]["identifier"][0]["system"] = format!("https://{}", "e".repeat(300)).into();
    });
    assert_eq!(plan.count(Severity::Refused), 0);
    assert!(plan.places[0].message.place_id.len() <= OPAQUE_ID_MAX_BYTES);
    assert_eq!(plan.schedules[0].message.place_id, plan.places[0].message.place_id);
}

#[test]
fn departments_come_from_insee_then_postal_code() {
    let place = |postal: &str, insee: Option<&str>| {
        let plan = read_changed(SOS, |bundle| {
            let address = &mut bundle["entry"][2]["resource"]["address"];
            address["postalCode"] = postal.into();
            if let Some(insee) = insee {
                address["extension"] = serde_json::json!([{
                    "url": "http://interopsante.org/fhir/StructureDefinition/FrAddressInseeCode",
                    "valueCoding": {"code": insee}
                }]);
            }
        });
        let place = &plan.places[0].message;
        (place.department.clone(), place.time_zone.clone())
    };
    let both = |department: &str, zone: &str| (department.to_owned(), zone.to_owned());
    assert_eq!(place("20090", None), both("", "Europe/Paris"));
    assert_eq!(place("20090", Some("2A004")), both("2A", "Europe/Paris"));
    assert_eq!(place("97400", None), both("974", "Indian/Reunion"));
    assert_eq!(place("97200", Some("97209")), both("972", "America/Martinique"));
}

#[test]
fn a_bundle_that_is_not_the_whole_answer_says_so() {
    let total = read_changed(SOS, |bundle| bundle["total"] = 9.into());
    assert!(faults(&total).contains(&(Severity::Warning, "file".to_owned(), "Bundle.total", "PARTIAL_BUNDLE")));
    let page = read_changed(SOS, |bundle| bundle["link"] = serde_json::json!([{"relation": "next", "url": "x"}]));
    assert!(faults(&page).contains(&(Severity::Warning, "file".to_owned(), "Bundle.link", "PARTIAL_BUNDLE")));
}

#[test]
fn a_slot_that_stands_twice_is_read_once() {
    let plan = read_changed(SOS, |bundle| {
        let again = bundle["entry"][0].clone();
        bundle["entry"].as_array_mut().unwrap().push(again);
        bundle["total"] = 1.into();
    });
    assert_eq!((plan.slots.len(), reasons(&plan)), (1, vec!["APPROXIMATE_POSITION"]));
}

/// JSON with the words of the fixtures in random places.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[A-Za-z0-9/#|é:.+-]{0,20}".prop_map(Value::from),
        prop_oneof![Just("Bundle"), Just("Slot"), Just("Schedule/a1"), Just("#lieu"), Just("free")]
            .prop_map(Value::from),
    ];
    let keys = "resourceType|entry|resource|actor|reference|contained|identifier|value|schedule|start|code|coding";
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(keys.split('|').collect::<Vec<_>>()), inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_bundle(&bytes, &ImportOptions::default());
    }

    #[test]
    fn no_change_to_a_bundle_makes_the_reader_panic(
        fixture in proptest::sample::select(vec![INDIVIDUAL, TWO_CPTS, SOS]),
        entry in 0usize..8,
        key in "resourceType|id|meta|schedule|start|actor|contained|location|organization|identifier|name|address|providedBy",
        value in arbitrary_json(),
    ) {
        let plan = read_changed(fixture, |bundle| {
            if let Some(resource) = bundle["entry"].as_array_mut().unwrap().get_mut(entry) {
                resource["resource"][key.as_str()] = value;
            }
        });
        for slot in &plan.slots {
            prop_assert!(plan.schedules.iter().any(|schedule| schedule.message.schedule_id == slot.input.schedule_id));
        }
    }

    #[test]
    fn no_entries_make_the_reader_panic(entries in arbitrary_json()) {
        read(&serde_json::json!({"resourceType": "Bundle", "entry": entries}).to_string());
    }
}
