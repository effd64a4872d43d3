//! Who may hold what: slots beyond the clinical delay, and how many at once.

use super::world::*;
use crate::domain::code::Priority;
use crate::domain::geo::GeoPoint;
use crate::domain::id::{CaseId, ClaimId, PrincipalId, SlotId};
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::regulator::RegulatorRole;
use crate::service::limits::HOLDS_PER_REGULATOR_MAX;
use crate::service::*;

/// A question whose clinical delay is so many minutes.
fn within(minutes: u32) -> Option<CareQuery> {
    let draft = CareQueryDraft {
        position: GeoPoint::new(45.7, 4.9).ok(),
        needed_within_minutes: Some(minutes),
        priority: Some(Priority::P2),
        ..CareQueryDraft::default()
    };
    CareQuery::parse(draft).ok()
}

fn authority(role: Option<RegulatorRole>, reason: &str) -> Authority {
    Authority { role, beyond_delay_reason: reason.to_owned() }
}

/// A hold of `slot-1`, which begins in an hour.
fn asked(request_id: &str, query: Option<CareQuery>, authority: Authority) -> HoldRequest {
    HoldRequest { query, authority, ..hold_request(request_id) }
}

#[tokio::test]
async fn beyond_the_delay_a_physician_holds_and_says_why() {
    let world = World::with_slot(5).await;
    let physician = Some(RegulatorRole::Physician);
    let refused = [
        (None, ""),
        (None, "only slot"),
        (Some(RegulatorRole::CallTaker), "only slot"),
        (Some(RegulatorRole::CareOperator), "only slot"),
        (physician, ""),
        (physician, "  "),
    ];
    for (number, (role, reason)) in refused.into_iter().enumerate() {
        let request = asked(&format!("r{number}"), within(59), authority(role, reason));
        let error = world.service.hold(&Caller::local(), request).await.unwrap_err();
        assert_eq!(error.reason, Reason::BeyondDelay, "{role:?} {reason:?}");
        assert!(error.message.contains("1 min after"), "{}", error.message);
    }
    assert!(world.slot("slot-1").claims.is_empty());
    let request = asked("h", within(59), authority(physician, " only slot "));
    let held = world.service.hold(&Caller::local(), request.clone()).await.unwrap().value;
    let noted = held.claim.beyond_delay.clone().unwrap();
    assert_eq!((noted.role, &*noted.reason), (RegulatorRole::Physician, "only slot"));
    assert_eq!(noted.needed_by_at, world.now().plus_minutes(59));
    world.confirm("c", held.claim.id).await.unwrap();
    assert_eq!(
        world.service.get_booking(held.claim.id).unwrap().claim.beyond_delay,
        Some(noted),
        "the booking keeps it"
    );
    assert!(world.service.hold(&Caller::local(), request).await.unwrap().replayed);
    assert_eq!(world.service.status().beyond_delay_count, 1, "a retry is not counted");
}

#[tokio::test]
async fn in_time_or_without_a_question_nobody_is_asked_and_nothing_noted() {
    let world = World::with_slot(5).await;
    let physician = || authority(Some(RegulatorRole::Physician), "just in case");
    let table = [(within(60), Authority::default()), (within(60), physician()), (None, Authority::default())];
    for (number, (query, authority)) in table.into_iter().enumerate() {
        let request = asked(&format!("h{number}"), query, authority);
        let held = world.service.hold(&Caller::local(), request).await.unwrap().value;
        assert_eq!(held.claim.beyond_delay, None);
    }
    assert_eq!(world.service.status().beyond_delay_count, 0);
}

#[tokio::test]
async fn a_proved_role_counts_more_than_a_stated_one() {
    let world = World::with_slot(5).await;
    let caller = |role| Caller { role, ..Caller::local() };
    let request = asked("a", within(10), authority(Some(RegulatorRole::Physician), "only slot"));
    let error = world.service.hold(&caller(Some(RegulatorRole::CallTaker)), request).await.unwrap_err();
    assert_eq!(error.reason, Reason::BeyondDelay);
    let request = asked("b", within(10), authority(None, "only slot"));
    world.service.hold(&caller(Some(RegulatorRole::Physician)), request).await.unwrap();
}

#[tokio::test]
async fn a_rebooking_beyond_the_delay_needs_the_same() {
    let world = World::with_slot(5).await;
    world.publish("late", 2, vec![slot("late", "schedule-2", 300)]).await;
    let old = world.book("one").await;
    let request = |request_id: &str, authority| RebookRequest {
        request_id: super::world::request(request_id),
        booking_id: old,
        target: RebookTarget::Slot(SlotId::parse("late").unwrap()),
        query: within(240),
        regulator_id: None,
        cancel_reason: String::new(),
        authority,
    };
    let refused = world.service.rebook(&Caller::local(), request("a", Authority::default())).await.unwrap_err();
    assert_eq!(refused.reason, Reason::BeyondDelay);
    let physician = authority(Some(RegulatorRole::Physician), "the patient works until then");
    let done = world.service.rebook(&Caller::local(), request("b", physician)).await.unwrap().value;
    assert!(done.booked.claim.beyond_delay.is_some());
    assert_eq!(world.service.status().beyond_delay_count, 1);
}

fn regulator(id: &str) -> Option<PrincipalId> {
    PrincipalId::parse(id).ok()
}

async fn hold_as(world: &World, who: &str, request_id: &str) -> Result<ClaimId, Error> {
    let request = HoldRequest { regulator_id: regulator(who), ..hold_request(request_id) };
    world.service.hold(&Caller::local(), request).await.map(|done| done.value.claim.id)
}

#[tokio::test]
async fn a_regulator_holds_so_many_slots_at_once_and_no_more() {
    let world = World::with_slot(100).await;
    let mut live = Vec::new();
    for number in 0..HOLDS_PER_REGULATOR_MAX {
        live.push(hold_as(&world, "arm-1", &format!("h{number}")).await.unwrap());
    }
    let refused = hold_as(&world, "arm-1", "more").await.unwrap_err();
    let (first, sorted) = (live[0], live.iter().copied().collect::<std::collections::BTreeSet<_>>());
    assert_eq!(refused.reason, Reason::QuotaExceeded);
    assert!(refused.blocking.iter().eq(&sorted), "{:?}", refused.blocking);
    assert!(live.iter().all(|id| refused.message.contains(&id.to_string())), "{}", refused.message);
    assert_eq!(hold_as(&world, "arm-1", "h0").await.unwrap(), first, "a retry is told the first outcome");
    hold_as(&world, "arm-2", "other").await.unwrap();
    world.hold("nobody").await.unwrap();

    world.release("r", live[0]).await.unwrap();
    hold_as(&world, "arm-1", "after a release").await.unwrap();
    assert_eq!(hold_as(&world, "arm-1", "again").await.unwrap_err().reason, Reason::QuotaExceeded);
    world.confirm("c", live[1]).await.unwrap();
    hold_as(&world, "arm-1", "after a confirmation").await.unwrap();
    assert_eq!(hold_as(&world, "arm-1", "again").await.unwrap_err().reason, Reason::QuotaExceeded);
    world.advance_seconds(120);
    for number in 0..HOLDS_PER_REGULATOR_MAX {
        hold_as(&world, "arm-1", &format!("after expiry {number}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_regulators_racing_holds_as_many_win_as_are_allowed() {
    let world = World::new().await;
    world.publish("slots", 1, slots("schedule-1", 64)).await;
    let mut racers = tokio::task::JoinSet::new();
    for number in 0..64 {
        let service = world.service.clone();
        let request = HoldRequest {
            slot_id: SlotId::parse(&format!("schedule-1-{number}")).unwrap(),
            case_id: CaseId::parse(&format!("dossier-{number}")).unwrap(),
            regulator_id: regulator("arm-1"),
            ..hold_request(&format!("h{number}"))
        };
        racers.spawn(async move { service.hold(&Caller::local(), request).await });
    }
    let results = racers.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), HOLDS_PER_REGULATOR_MAX);
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    assert!(refused.clone().all(|error| error.reason == Reason::QuotaExceeded), "{:?}", refused.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_forgotten_leaves_no_hold_of_a_regulator_behind() {
    let world = World::with_slot(5).await;
    hold_as(&world, "arm-1", "h").await.unwrap();
    let early = world.now();
    let arm = regulator("arm-1").unwrap();
    assert_eq!(world.index.live_holds_of(&arm, early).len(), 1);
    world.advance_seconds(26 * 3_600);
    world.service.purge_ended().await.unwrap();
    assert_eq!(world.index.live_holds_of(&arm, early), []);
}
