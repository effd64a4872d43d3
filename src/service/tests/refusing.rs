//! Offers that came to nothing, as they are recorded, counted and forgotten.

use super::world::*;
use crate::domain::case::{Refusal, RefusalReason};
use crate::domain::directory::Territory;
use crate::domain::id::{CaseId, ScheduleId, SlotId, TerritoryId};
use crate::domain::slot::{Published, SlotTraits};
use crate::service::limits::CASE_REFUSALS_MAX;
use crate::service::*;

fn asked(request_id: &str, case_id: &str, slot_id: &str, reason: RefusalReason) -> RefusalRequest {
    RefusalRequest {
        request_id: request(request_id),
        case_id: CaseId::parse(case_id).unwrap(),
        slot_id: SlotId::parse(slot_id).unwrap(),
        reason,
        regulator_id: None,
    }
}

async fn refuse(world: &World, request_id: &str, case_id: &str, slot_id: &str) -> Result<Done<Refusal>, Error> {
    let request = asked(request_id, case_id, slot_id, RefusalReason::CouldNotContact);
    world.service.record_refusal(&Caller::local(), request).await
}

fn failures(world: &World, schedule_id: &str) -> u32 {
    world.index.offer(&ScheduleId::parse(schedule_id).unwrap()).unwrap().contact_failures
}

fn listed(world: &World, schedule_id: &str) -> Option<ScheduleRefusals> {
    let scope = RefusalScope::Schedule(ScheduleId::parse(schedule_id).unwrap());
    world.service.refusals(&scope).unwrap().schedules.pop()
}

#[tokio::test]
async fn a_refusal_is_recorded_once_and_told_again_to_a_retry() {
    let world = World::with_slot(1).await;
    let first = refuse(&world, "r", "dossier-1", "slot-1").await.unwrap();
    assert_eq!((first.value.schedule_id.as_str(), first.value.refused_at), ("schedule-1", world.now()));
    assert_eq!(world.ledger.take_sizes(), [1]);
    world.advance_seconds(5);
    let again = refuse(&world, "r", "dossier-1", "slot-1").await.unwrap();
    assert_eq!((again.replayed, again.value), (true, first.value));
    let other = asked("r", "dossier-1", "slot-1", RefusalReason::TooFar);
    let other = world.service.record_refusal(&Caller::local(), other).await.unwrap_err();
    assert_eq!(other.reason, Reason::RequestIdReused);
    let unknown = refuse(&world, "x", "dossier-1", "nowhere").await.unwrap_err();
    assert_eq!((unknown.reason, unknown.subject.as_deref()), (Reason::UnknownSlot, Some("nowhere")));
}

#[tokio::test]
async fn a_refusal_and_a_booking_of_one_case_stand_beside_each_other() {
    let world = World::with_slot(5).await;
    let request = HoldRequest { case_id: CaseId::parse("dossier-1").unwrap(), ..hold_request("h") };
    let id = world.service.hold(&Caller::local(), request).await.unwrap().value.claim.id;
    let service = world.service.clone();
    world.ledger.overtake(async move {
        let request = asked("r", "dossier-1", "slot-1", RefusalReason::PatientChoice);
        service.record_refusal(&Caller::local(), request).await.unwrap();
    });
    world.confirm("c", id).await.unwrap();
    let case = world.index.case(&CaseId::parse("dossier-1").unwrap()).unwrap().value;
    assert_eq!((case.refusals.len(), case.booking.as_ref().map(|booking| booking.claim_id)), (1, Some(id)));
}

#[tokio::test]
async fn cases_in_which_nobody_answered_are_counted_until_they_are_forgotten() {
    let world = World::with_slot(1).await;
    refuse(&world, "r1", "dossier-1", "slot-1").await.unwrap();
    refuse(&world, "r2", "dossier-1", "slot-1").await.unwrap();
    assert_eq!(failures(&world, "schedule-1"), 1, "one case counts once");
    assert!(!listed(&world, "schedule-1").unwrap().doubted);
    refuse(&world, "r3", "dossier-2", "slot-1").await.unwrap();
    let declined = asked("r4", "dossier-3", "slot-1", RefusalReason::Declined);
    world.service.record_refusal(&Caller::local(), declined).await.unwrap();
    assert_eq!((failures(&world, "schedule-1"), failures(&world, "schedule-2")), (2, 0));
    let told = listed(&world, "schedule-1").unwrap();
    assert!(told.doubted);
    let counts: Vec<_> = told.counts.iter().map(|(reason, (count, _))| (*reason, *count)).collect();
    assert_eq!(counts, [(RefusalReason::CouldNotContact, 2), (RefusalReason::Declined, 1)]);
    // Publishing the schedule again does not restore it.
    world.publish("again", 2, vec![slot("slot-2", "schedule-1", 90)]).await;
    assert_eq!(failures(&world, "schedule-1"), 2);

    world.advance_seconds((60 + 15 + 24 * 60) * 60 + 1);
    assert_eq!(world.service.purge_ended_cases().await.unwrap(), 3);
    assert_eq!((failures(&world, "schedule-1"), listed(&world, "schedule-1")), (0, None));
}

#[tokio::test]
async fn a_cpts_is_told_of_slots_that_are_its_own_on_the_schedule_of_another() {
    let world = World::with_slot(1).await;
    let other = Territory { id: TerritoryId::parse("690000009").unwrap().value, ..territory() };
    for (name, one) in [("t1", territory()), ("t2", other.clone())] {
        world.service.upsert_territory(&Caller::local(), request(name), one).await.unwrap();
    }
    let theirs = crate::domain::directory::Schedule { territories: vec![other.id], ..schedule("schedule-2") };
    world.service.upsert_schedule(&Caller::local(), request("s"), theirs).await.unwrap();
    let lent = slot("lent", "schedule-2", 60);
    let traits = SlotTraits { territories: vec![territory().id], ..(*lent.traits).clone() };
    let lent = Published { traits: traits.into(), ..lent };
    world.publish("more", 2, vec![lent, slot("own", "schedule-2", 90)]).await;
    refuse(&world, "r1", "dossier-1", "lent").await.unwrap();
    refuse(&world, "r2", "dossier-2", "own").await.unwrap();
    for id in [territory().id, other.id] {
        let list = world.service.refusals(&RefusalScope::Territory(id)).unwrap();
        let counts: Vec<_> =
            list.schedules.iter().flat_map(|one| one.counts.values().map(|(count, _)| *count)).collect();
        assert_eq!(counts, [1], "{id}");
        assert!(list.schedules[0].doubted, "by both, as ranking does");
    }
}

#[tokio::test]
async fn a_cpts_is_told_of_its_own_schedules() {
    let world = World::with_slot(1).await;
    world.service.upsert_territory(&Caller::local(), request("t"), territory()).await.unwrap();
    let ours = crate::domain::directory::Schedule { territories: vec![territory().id], ..schedule("schedule-2") };
    world.service.upsert_schedule(&Caller::local(), request("s"), ours).await.unwrap();
    world.publish("more", 2, vec![slot("slot-2", "schedule-2", 60)]).await;
    refuse(&world, "r1", "dossier-1", "slot-1").await.unwrap();
    refuse(&world, "r2", "dossier-1", "slot-2").await.unwrap();
    let list = world.service.refusals(&RefusalScope::Territory(territory().id)).unwrap();
    let ids: Vec<_> = list.schedules.iter().map(|refused| refused.schedule_id.as_str()).collect();
    assert_eq!((ids, list.truncated), (vec!["schedule-2"], false));
    let unknown = RefusalScope::Territory(TerritoryId::parse("690000009").unwrap().value);
    assert_eq!(world.service.refusals(&unknown).unwrap_err().reason, Reason::UnknownTerritory);
    let unknown = RefusalScope::Schedule(ScheduleId::parse("nowhere").unwrap());
    assert_eq!(world.service.refusals(&unknown).unwrap_err().reason, Reason::UnknownSchedule);
}

#[tokio::test]
async fn a_case_does_not_grow_without_end() {
    let world = World::new().await;
    for number in 0..=CASE_REFUSALS_MAX {
        let id = format!("agenda-{number}");
        world.add_schedule(&id).await;
        world.publish(&format!("p {id}"), 1, vec![slot(&format!("slot-{number}"), &id, 60)]).await;
        let refused = refuse(&world, &format!("r {id}"), "dossier-1", &format!("slot-{number}")).await;
        let reason = refused.err().map(|error| error.reason);
        assert_eq!(reason, (number == CASE_REFUSALS_MAX).then_some(Reason::QuotaExceeded), "{number}");
    }
}
