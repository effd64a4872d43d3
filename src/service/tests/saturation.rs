//! Saturation of emergency sites: extended, ended, kept through an upsert, told again to a retry.

use super::world::*;
use crate::domain::emergency::{AccessRules, Capabilities, EmergencySite, EmergencySiteKind};
use crate::domain::geo::GeoPoint;
use crate::domain::id::EmergencySiteId;
use crate::service::*;

fn site() -> EmergencySite {
    EmergencySite {
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
    }
}

async fn with_site() -> World {
    let world = World::new().await;
    world.service.upsert_emergency_site(&Caller::local(), request("site"), site()).await.unwrap();
    world
}

async fn saturate(world: &World, id: &str, minutes: u32) -> Result<Done<Arc<EmergencySite>>, Error> {
    let end = SaturationEnd::After { minutes };
    world.service.set_saturation(&Caller::local(), request(id), site().id, end).await
}

#[tokio::test]
async fn a_saturation_is_extended_from_its_own_start_and_survives_an_upsert() {
    let world = with_site().await;
    let start = world.now();
    saturate(&world, "a", 60).await.unwrap();
    world.advance_seconds(600);
    let extended = saturate(&world, "b", 60).await.unwrap().value.saturation.unwrap();
    assert_eq!((extended.start_at(), extended.end_at()), (start, start.plus_minutes(70)));
    let renamed = EmergencySite { name: Arc::from("Autres"), ..site() };
    let done = world.service.upsert_emergency_site(&Caller::local(), request("c"), renamed.clone()).await.unwrap();
    assert_eq!((&*done.value.name, done.value.saturation), ("Autres", Some(extended)));
    world.service.end_saturation(&Caller::local(), request("d"), site().id).await.unwrap();
    let again = world.service.upsert_emergency_site(&Caller::local(), request("c"), renamed).await.unwrap();
    assert_eq!((again.replayed, again.value), (true, done.value), "the first outcome, not today's");
    assert_eq!(world.service.emergency_site(&site().id).unwrap().saturation, None);
}

#[tokio::test]
async fn a_saturation_ends_by_the_clock_without_a_write() {
    let world = with_site().await;
    saturate(&world, "a", 60).await.unwrap();
    let position = world.head();
    let kept = world.service.emergency_site(&site().id).unwrap();
    assert_eq!(kept.saturated_until(world.now().plus_minutes(60).plus_ms(-1)), Some(world.now().plus_minutes(60)));
    assert_eq!(kept.saturated_until(world.now().plus_minutes(60)), None);
    world.advance_seconds(3_600);
    let anew = saturate(&world, "b", 5).await.unwrap().value.saturation.unwrap();
    assert_eq!(anew.start_at(), world.now(), "it was over");
    assert_eq!(world.head().sequence, position.sequence + 1, "only what somebody said was written");
}

#[tokio::test]
async fn a_retry_is_told_the_first_end_however_late_it_comes() {
    let world = with_site().await;
    let first = saturate(&world, "a", 60).await.unwrap();
    world.advance_seconds(7_200);
    let again = saturate(&world, "a", 60).await.unwrap();
    assert_eq!((again.replayed, again.value), (true, first.value));
    assert_eq!(saturate(&world, "a", 61).await.unwrap_err().reason, Reason::RequestIdReused);
    let until = SaturationEnd::At(world.now().plus_minutes(10));
    world.service.set_saturation(&Caller::local(), request("at"), site().id, until).await.unwrap();
    world.advance_seconds(601);
    let again = world.service.set_saturation(&Caller::local(), request("at"), site().id, until).await.unwrap();
    assert!(again.replayed, "although its end is past by now");
}

#[tokio::test]
async fn a_saturation_that_cannot_be_is_refused_with_its_field() {
    let world = with_site().await;
    let refused = |error: Error| (error.reason, error.violations[0].field.clone());
    let invalid = |field: &str| (Reason::InvalidArgument, field.to_owned());
    for minutes in [0, 24 * 60 + 1, u32::MAX] {
        assert_eq!(refused(saturate(&world, "x", minutes).await.unwrap_err()), invalid("for_minutes"), "{minutes}");
    }
    for until_at in [world.now(), world.now().plus_ms(-1), world.now().plus_minutes(24 * 60).plus_ms(1)] {
        let end = SaturationEnd::At(until_at);
        let error = world.service.set_saturation(&Caller::local(), request("x"), site().id, end).await.unwrap_err();
        assert_eq!(refused(error), invalid("until_at"), "{until_at}");
    }
    saturate(&world, "x", 24 * 60).await.expect("a refusal leaves the request id free");
    let nowhere = EmergencySiteId::parse("nowhere").unwrap();
    let error = world.service.end_saturation(&Caller::local(), request("y"), nowhere).await.unwrap_err();
    assert_eq!((error.reason, error.subject.as_deref()), (Reason::UnknownEmergencySite, Some("nowhere")));
}
