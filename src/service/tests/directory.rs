//! Upserts, look-ups and pages of the directory.

use super::world::*;
use crate::domain::directory::{Place, Schedule};
use crate::domain::emergency::{AccessRules, Capabilities, EmergencySite, EmergencySiteKind};
use crate::domain::geo::GeoPoint;
use crate::domain::id::{EmergencySiteId, PlaceId, PractitionerId, ScheduleId, SourceId, TerritoryId};
use crate::service::*;

#[tokio::test]
async fn what_a_schedule_names_must_be_known() {
    let world = World::empty();
    let caller = Caller::local();
    let whole = Schedule {
        practitioner_id: Some(practitioner().id),
        territories: vec![territory().id],
        ..schedule("schedule-1")
    };
    let upsert = |id: &str| world.service.upsert_schedule(&caller, request(id), whole.clone());
    assert_eq!(upsert("a").await.unwrap_err().reason, Reason::UnknownPlace);
    world.service.upsert_place(&caller, request("place"), place("place-1")).await.unwrap();
    assert_eq!(upsert("b").await.unwrap_err().reason, Reason::UnknownPractitioner);
    world.service.upsert_practitioner(&caller, request("practitioner"), practitioner()).await.unwrap();
    let error = upsert("c").await.unwrap_err();
    assert_eq!((error.reason, error.subject.as_deref()), (Reason::UnknownTerritory, Some("schedule:schedule-1")));
    world.service.upsert_territory(&caller, request("territory"), territory()).await.unwrap();
    assert_eq!(upsert("d").await.unwrap().value.received_at, world.now());
}

#[tokio::test]
async fn a_schedule_keeps_its_source_and_what_it_published() {
    let world = World::with_slot(1).await;
    let heard = world.schedule("schedule-1");
    world.advance_seconds(100);
    let renamed =
        Schedule { booking_url: Arc::from("https://rdv.example"), source_revision: 99, ..schedule("schedule-1") };
    let done = world.service.upsert_schedule(&Caller::local(), request("rename"), renamed.clone()).await.unwrap();
    assert_eq!((done.value.source_revision, done.value.received_at), (1, heard.received_at));
    assert_eq!(&*done.value.booking_url, "https://rdv.example");
    world.publish("newer", 7, vec![slot("slot-2", "schedule-1", 90)]).await;
    let again = world.service.upsert_schedule(&Caller::local(), request("rename"), renamed).await.unwrap();
    assert_eq!((again.replayed, again.value), (true, done.value), "the first outcome, not today's revision");
    let stolen = Schedule { source_id: SourceId::parse("another").unwrap(), ..schedule("schedule-1") };
    let error = world.service.upsert_schedule(&Caller::local(), request("steal"), stolen).await.unwrap_err();
    assert_eq!(error.reason, Reason::SourceMismatch);
}

#[tokio::test]
async fn the_same_record_is_written_once() {
    let world = World::new().await;
    let position = world.head();
    let caller = Caller::local();
    world.service.upsert_place(&caller, request("same"), place("place-1")).await.unwrap();
    assert_eq!(world.head(), position);
    let moved = Place { city: Arc::from("Lyon"), ..place("place-1") };
    let reused = world.service.upsert_place(&caller, request("same"), moved.clone()).await.unwrap_err();
    assert_eq!(reused.reason, Reason::RequestIdReused);
    let done = world.service.upsert_place(&caller, request("move"), moved.clone()).await.unwrap();
    assert_eq!((&*done.value, done.stamp.position), (&moved, world.head()));
    assert_eq!(*world.service.place(&moved.id).unwrap(), moved);
}

#[tokio::test]
async fn records_are_found_by_identifier_and_by_page() {
    let world = World::new().await;
    let caller = Caller::local();
    for number in 2..=5 {
        let id = format!("place-{number}");
        world.service.upsert_place(&caller, request(&id), place(&id)).await.unwrap();
    }
    let names = |after: Option<&str>, limit| {
        let after = after.map(|id| PlaceId::parse(id).unwrap());
        let page = world.service.places(after, limit);
        page.iter().map(|place| place.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 2), ["place-1", "place-2"]);
    assert_eq!(names(Some("place-2"), 10), ["place-3", "place-4", "place-5"]);
    assert_eq!(world.service.schedules(None, 10).len(), 2);

    let site = EmergencySite {
        id: EmergencySiteId::parse("sau-1").unwrap(),
        name: Arc::from("Urgences"),
        kind: EmergencySiteKind::Department,
        position: GeoPoint::new(45.7, 4.9).unwrap(),
        structure: None,
        department: place("x").department,
        phone: None,
        zone: place("x").zone,
        rules: AccessRules::default(),
        capabilities: Capabilities::UNKNOWN,
        saturation: None,
    };
    world.service.upsert_emergency_site(&caller, request("site"), site.clone()).await.unwrap();
    assert_eq!(*world.service.emergency_site(&site.id).unwrap(), site);
    let unknown = [
        world.service.place(&PlaceId::parse("x").unwrap()).unwrap_err(),
        world.service.practitioner(&PractitionerId::parse("internal:x").unwrap().value).unwrap_err(),
        world.service.territory(&TerritoryId::parse("690000001").unwrap().value).unwrap_err(),
        world.service.schedule(&ScheduleId::parse("x").unwrap()).unwrap_err(),
        world.service.emergency_site(&EmergencySiteId::parse("x").unwrap()).unwrap_err(),
    ];
    assert!(unknown.iter().all(|error| error.kind() == ErrorKind::NotFound && error.subject.is_some()));
}

#[tokio::test]
async fn a_schedule_is_shown_with_its_slots_of_a_window() {
    let world = World::with_slot(1).await;
    world.publish("more", 1, vec![slot("slot-2", "schedule-1", 30), slot("slot-3", "schedule-1", 120)]).await;
    let id = ScheduleId::parse("schedule-1").unwrap();
    let names = |view: ScheduleView| view.slots.iter().map(|slot| slot.value.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(world.service.schedule_view(&id, None).unwrap()), ["slot-2", "slot-1", "slot-3"]);
    assert_eq!(names(world.service.schedule_view(&id, Some(window(60, 120))).unwrap()), ["slot-1"]);
}
