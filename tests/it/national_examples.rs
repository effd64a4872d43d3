//! The four national example Bundles go through `import` and come back as options: the right practitioner, place, CPTS and
//! modality. Where the examples are not beside the checkout, that is said; the project's own Bundles of the same shapes
//! are imported in any case.

use std::path::PathBuf;
use std::sync::Arc;

use sas_router::cli::import::{ImportOptions, ImportReport, SendOptions, parse_bundle, send};
use sas_router::clock::Clock as _;
use sas_router::proto::routing as pb;

use crate::harness::in_process::InProcess;
use crate::harness::skip;

/// The national examples, when they are there.
fn example(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/ig-sas/examples"));
    let bytes = std::fs::read(folder.join(format!("Bundle-ExampleBundle{name}.json"))).ok();
    if bytes.is_none() {
        skip(
            "the national examples",
            &format!("{name} is not beside the checkout; own Bundles of its shape are imported"),
        );
    }
    bytes
}

/// A service early in the morning, before the first slot of any example.
async fn early() -> InProcess {
    let server = InProcess::start().await;
    server.clock.advance_seconds(-3 * 3_600);
    server
}

async fn imported(server: &InProcess, bytes: &[u8], source: &str) -> ImportReport {
    let options = ImportOptions::for_source(source);
    let mut plan = parse_bundle(bytes, &options).unwrap();
    plan.shift_to_today(server.clock.now());
    send(server.channel.clone(), plan, &SendOptions::at(source, server.clock.now())).await
}

async fn find(server: &InProcess, at: (f64, f64), alter: impl FnOnce(&mut pb::CareQuery)) -> pb::FindCareResponse {
    let mut query = pb::CareQuery {
        position: Some(pb::GeoPoint { latitude: at.0, longitude: at.1 }),
        needed_within_minutes: Some(3 * 24 * 60),
        limit: Some(20),
        ..pb::CareQuery::default()
    };
    alter(&mut query);
    server.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap().into_inner()
}

/// What an option says, as modality, practitioner, town and territories.
fn said(option: &pb::CareOption) -> (&str, &str, bool, Vec<&str>) {
    let territories = option.territory_ids.iter().map(String::as_str).collect();
    (&option.modality, &option.practitioner_id, option.place_address.is_empty(), territories)
}

#[tokio::test]
async fn slots_of_practitioners_individually_come_back() {
    let Some(bytes) = example("PSIndiv") else { return };
    let server = early().await;
    let report = imported(&server, &bytes, "editeur-ps").await;
    assert_eq!(report.slots.refused, 0, "{report:?}");
    let agen = (44.20, 0.62);
    let answer = find(&server, agen, |query| query.modalities = vec!["AMB".to_owned()]).await;
    let options: Vec<_> = answer.options.iter().map(said).collect();
    // Two agendas of Sébastien Thomas at two places: one with appointment, one without.
    assert_eq!(options.len(), 2, "{options:?}");
    assert!(options.iter().all(|option| option.0 == "AMB" && option.1 == "810100050075" && !option.2));
    let types: Vec<_> = answer.options.iter().map(|option| option.appointment_type.as_str()).collect();
    assert!(types.contains(&"ROUTINE") && types.contains(&"WALKIN"), "{types:?}");
    assert!(answer.options.iter().all(|option| option.practitioner_name.contains("THOMAS")));
    let answer = find(&server, agen, |query| query.modalities = vec!["HH".to_owned()]).await;
    assert_eq!(answer.options.len(), 1);
    assert_eq!(answer.options[0].practitioner_id, "810002673899");
    let answer = find(&server, agen, |query| {
        query.modalities = vec!["VR".to_owned()];
        query.specialties = vec!["SM41".to_owned()];
    })
    .await;
    assert_eq!(answer.options.len(), 1);
    assert_eq!(answer.options[0].practitioner_name, "Guillaume MARCEL");
}

#[tokio::test]
async fn a_slot_of_two_cpts_is_one_capacity() {
    let (Some(one), Some(two)) = (example("CPTS1"), example("CPTS2")) else { return };
    let server = early().await;
    let report = imported(&server, &two, "editeur-cpts").await;
    assert_eq!(report.slots.refused, 0, "{report:?}");
    let aussonne = (43.68, 1.32);
    for territory in ["1950047225", "1950046227"] {
        let answer = find(&server, aussonne, |query| query.territory_ids = vec![territory.to_owned()]).await;
        assert_eq!(answer.options.len(), 1, "{answer:?}");
        let option = &answer.options[0];
        assert_eq!((option.practitioner_id.as_str(), option.modality.as_str()), ("810002909371", "AMB"));
        assert_eq!(option.practitioner_name, "Pierre Foret");
        assert_eq!(option.parts.unwrap().territory_preference(), pb::TerritoryPreference::Own);
        let mut territories = option.territory_ids.clone();
        territories.sort();
        assert_eq!(territories, ["1950046227", "1950047225"]);
    }
    let answer = find(&server, aussonne, |query| query.territory_ids = vec!["1950047225".to_owned()]).await;
    let hold = |request_id: &str| pb::HoldSlotRequest {
        request_id: request_id.to_owned(),
        slot_id: answer.options[0].slot_id.clone(),
        case_id: "dossier".to_owned(),
        ..pb::HoldSlotRequest::default()
    };
    server.bookings().hold_slot(hold("first")).await.unwrap();
    let refused = server.bookings().hold_slot(hold("second")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "held once, gone for both CPTS");
    for territory in ["1950047225", "1950046227"] {
        let answer = find(&server, aussonne, |query| query.territory_ids = vec![territory.to_owned()]).await;
        assert!(answer.options.is_empty());
        assert_eq!(answer.near_misses[0].rule(), pb::Rule::Capacity);
    }
    // The first example shares the practitioner and the place; its slot belongs to one CPTS.
    let report = imported(&server, &one, "editeur-cpts").await;
    assert_eq!(report.slots.refused, 0, "{report:?}");
}

#[tokio::test]
async fn sos_slots_come_back_without_a_practitioner() {
    let Some(bytes) = example("AgregateurSOS") else { return };
    let server = early().await;
    let report = imported(&server, &bytes, "editeur-sos").await;
    assert_eq!(report.slots.refused, 0, "{report:?}");
    let rennes = (48.11, -1.68);
    let answer = find(&server, rennes, |query| query.modalities = vec!["AMB".to_owned()]).await;
    let names: Vec<_> = answer.options.iter().map(|option| option.place_name.as_str()).collect();
    assert_eq!(names, ["Centre de consultation Rennes Nord", "Centre de consultation Rennes Cleunay"]);
    for option in &answer.options {
        assert_eq!((option.practitioner_id.as_str(), option.practitioner_name.as_str()), ("", ""));
        assert_eq!(option.unknowns[0].kind(), pb::UnknownKind::Specialty);
        assert!(option.phone.starts_with("+33"));
    }
    let lorient = find(&server, (47.75, -3.37), |query| query.modalities = vec!["VR".to_owned()]).await;
    assert!(lorient.options.iter().any(|option| option.place_name == "Centre de consultation Lorient"));
}

#[tokio::test]
async fn importing_twice_changes_nothing() {
    let Some(bytes) = example("AgregateurSOS") else { return };
    let server = early().await;
    let first = imported(&server, &bytes, "editeur-sos").await;
    let before = Arc::new(find(&server, (48.11, -1.68), |_| {}).await.options);
    let second = imported(&server, &bytes, "editeur-sos").await;
    assert_eq!(first.slots.refused + second.slots.refused, 0);
    let after = find(&server, (48.11, -1.68), |_| {}).await.options;
    let ids = |options: &[pb::CareOption]| options.iter().map(|option| option.slot_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after));
}

#[tokio::test]
async fn own_bundles_of_the_same_shapes_come_back() {
    for name in ["bundle-individual", "bundle-two-cpts", "bundle-sos"] {
        let file = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let server = early().await;
        let report = imported(&server, &std::fs::read(file).unwrap(), name).await;
        assert!(report.slots.created > 0, "{name}: {report:?}");
        let status = server.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
        assert_eq!(status.counts.unwrap().slots, report.slots.created as u64, "{name}");
    }
}

#[tokio::test]
async fn an_older_file_takes_nothing_back() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bundle-sos.json")).unwrap();
    let server = early().await;
    let report = imported(&server, &bytes, "editeur-sos").await;
    assert_eq!(report.slots.refused, 0, "{report:?}");
    let places = |server: &InProcess| {
        let mut directory = server.directory();
        async move { directory.list_places(pb::ListPlacesRequest::default()).await.unwrap().into_inner().places }
    };
    let before = places(&server).await;
    let old = String::from_utf8(bytes).unwrap().replace("\"city\": \"", "\"city\": \"Ancienne ");
    let mut plan = parse_bundle(old.as_bytes(), &ImportOptions::for_source("editeur-sos")).unwrap();
    plan.shift_to_today(server.clock.now());
    let mut options = SendOptions::at("editeur-sos", server.clock.now());
    options.source_revision -= 1;
    let report = send(server.channel.clone(), plan, &options).await;
    assert!(report.rows.iter().any(|row| row.reason == "STALE_REVISION"), "{report:?}");
    assert_eq!(places(&server).await, before);
}
