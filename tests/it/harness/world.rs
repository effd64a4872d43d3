//! A small town: one CPTS, two practices, one emergency department, and slots of this morning.

use sas_router::domain::time::UtcInstant;
use sas_router::proto::routing as pb;
use tonic::transport::Channel;

use super::in_process::{Directory, InProcess, now};

/// Who publishes.
pub(crate) const SOURCE: &str = "cpts-venissieux";
/// The CPTS.
pub(crate) const TERRITORY: &str = "1690000005";
/// Who gives care by schedule 2 in the town of two practitioners.
pub(crate) const OTHER_PRACTITIONER: &str = "internal:other";
/// Where the patient is.
pub(crate) const HOME: pb::GeoPoint = pb::GeoPoint { latitude: 45.6975, longitude: 4.8867 };

/// An instant some minutes after the clock's start.
pub(crate) fn minutes(minutes: i64) -> Option<prost_types::Timestamp> {
    let at: UtcInstant = now().plus_ms(minutes * 60_000);
    Some(prost_types::Timestamp { seconds: at.ms() / 1_000, nanos: 0 })
}

pub(crate) fn territory() -> pb::Territory {
    pb::Territory {
        territory_id: TERRITORY.into(),
        name: "CPTS de Vénissieux".into(),
        commune_codes: vec!["69259".into()],
        ..pb::Territory::default()
    }
}

pub(crate) fn place(number: u32) -> pb::Place {
    pb::Place {
        place_id: format!("place-{number}"),
        name: format!("Cabinet {number}"),
        postal_code: "69200".into(),
        city: "Vénissieux".into(),
        commune_code: "69259".into(),
        position: Some(pb::GeoPoint { latitude: 45.7 + f64::from(number) / 1_000.0, longitude: 4.88 }),
        ..pb::Place::default()
    }
}

pub(crate) fn practitioner() -> pb::Practitioner {
    pb::Practitioner {
        practitioner_id: "810002909371".into(),
        family_name: "Durand".into(),
        given_name: "Anne".into(),
        specialties: vec!["SM54".into()],
        ..pb::Practitioner::default()
    }
}

pub(crate) fn schedule(number: u32) -> pb::Schedule {
    pb::Schedule {
        schedule_id: format!("agenda-{number}"),
        source_id: SOURCE.into(),
        place_id: format!("place-{number}"),
        practitioner_id: "810002909371".into(),
        territory_ids: vec![TERRITORY.into()],
        ..pb::Schedule::default()
    }
}

pub(crate) fn emergency_site() -> pb::EmergencySite {
    pb::EmergencySite {
        emergency_site_id: "sau-1".into(),
        name: "Hôpital".into(),
        kind: pb::EmergencySiteKind::Department.into(),
        position: Some(pb::GeoPoint { latitude: 45.74, longitude: 4.87 }),
        ..pb::EmergencySite::default()
    }
}

/// A slot of a quarter of an hour that starts some minutes from now.
pub(crate) fn slot(id: &str, schedule: u32, start_minutes: i64) -> pb::SlotInput {
    pb::SlotInput {
        slot_id: id.into(),
        schedule_id: format!("agenda-{schedule}"),
        window: Some(pb::Window { start_at: minutes(start_minutes), end_at: minutes(start_minutes + 15) }),
        modalities: vec!["AMB".into()],
        visibilities: vec!["PUBLIC".into(), "SNP".into()],
        ..pb::SlotInput::default()
    }
}

pub(crate) fn batch(request_id: &str, source_revision: u64, rows: Vec<pb::SlotInput>) -> pb::PublishSlotsRequest {
    pb::PublishSlotsRequest { request_id: request_id.into(), source_id: SOURCE.into(), source_revision, rows }
}

pub(crate) fn query() -> pb::CareQuery {
    pb::CareQuery { position: Some(HOME), commune_code: "69259".into(), ..pb::CareQuery::default() }
}

pub(crate) fn hold(request_id: &str, slot_id: &str) -> pb::HoldSlotRequest {
    pb::HoldSlotRequest {
        request_id: request_id.into(),
        slot_id: slot_id.into(),
        case_id: "fr.health.samu690.1".into(),
        ..pb::HoldSlotRequest::default()
    }
}

/// The town's directory: territory, places and schedules 1 and 2, one practitioner, one emergency department.
pub(crate) async fn settle(town: &InProcess) {
    settle_over(&town.channel).await;
}

/// The same over a connection.
pub(crate) async fn settle_over(channel: &Channel) {
    let mut directory = Directory::new(channel.clone());
    let request = pb::UpsertTerritoryRequest { request_id: "t".into(), territory: Some(territory()) };
    directory.upsert_territory(request).await.unwrap();
    let request = pb::UpsertPractitionerRequest { request_id: "p".into(), practitioner: Some(practitioner()) };
    directory.upsert_practitioner(request).await.unwrap();
    let request = pb::UpsertEmergencySiteRequest { request_id: "e".into(), emergency_site: Some(emergency_site()) };
    directory.upsert_emergency_site(request).await.unwrap();
    for number in [1, 2] {
        let request = pb::UpsertPlaceRequest { request_id: format!("pl{number}"), place: Some(place(number)) };
        directory.upsert_place(request).await.unwrap();
        let request = pb::UpsertScheduleRequest { request_id: format!("s{number}"), schedule: Some(schedule(number)) };
        directory.upsert_schedule(request).await.unwrap();
    }
}

/// Publishes rows as one batch and gives its results.
pub(crate) async fn publish(town: &InProcess, batch: pb::PublishSlotsRequest) -> pb::PublishSlotsResponse {
    let mut answers = town.publishing().publish_slots(tokio_stream::once(batch)).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap()
}

/// The settled town with slots `a` (schedule 1, in an hour) and `b` (schedule 2, in two hours).
pub(crate) async fn settled() -> InProcess {
    let town = InProcess::start().await;
    settle(&town).await;
    publish(&town, batch("b1", 1, vec![slot("a", 1, 60), slot("b", 2, 120)])).await;
    town
}

/// The settled town in which schedule 2 has a practitioner of its own, with slots `a` and `b` ten minutes apart.
pub(crate) async fn with_two_practitioners() -> InProcess {
    let town = InProcess::start().await;
    settle(&town).await;
    let mut directory = town.directory();
    let other = pb::Practitioner { practitioner_id: OTHER_PRACTITIONER.into(), ..practitioner() };
    let request = pb::UpsertPractitionerRequest { request_id: "p2".into(), practitioner: Some(other) };
    directory.upsert_practitioner(request).await.unwrap();
    let schedule = pb::Schedule { practitioner_id: OTHER_PRACTITIONER.into(), ..schedule(2) };
    let request = pb::UpsertScheduleRequest { request_id: "s2b".into(), schedule: Some(schedule) };
    directory.upsert_schedule(request).await.unwrap();
    publish(&town, batch("b1", 1, vec![slot("a", 1, 60), slot("b", 2, 70)])).await;
    town
}

/// That an offer came to nothing.
pub(crate) fn refusal(
    request_id: &str,
    case_id: &str,
    slot_id: &str,
    reason: pb::RefusalReason,
) -> pb::RecordRefusalRequest {
    pb::RecordRefusalRequest {
        request_id: request_id.into(),
        case_id: case_id.into(),
        slot_id: slot_id.into(),
        reason: reason.into(),
        regulator_id: "osnp-3".into(),
    }
}
