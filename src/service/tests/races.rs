//! Many callers at once, on several threads.

use super::world::*;
use crate::domain::id::CaseId;
use crate::domain::slot::ClaimState;
use crate::service::*;

const RACERS: usize = 64;

/// Holds `slot-1` from many tasks at once.
async fn race(world: &World) -> Vec<Result<Done<HoldView>, Error>> {
    let racers: Vec<_> = (0..RACERS)
        .map(|number| {
            let service = world.service.clone();
            let case_id = CaseId::parse(&format!("dossier-{number}")).unwrap();
            let request = HoldRequest { case_id, ..hold_request(&format!("hold {number}")) };
            world.tasks.spawn(async move { service.hold(&Caller::local(), request).await })
        })
        .collect();
    let mut results = Vec::new();
    for racer in racers {
        results.push(racer.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_racing_holds_as_many_win_as_the_slot_takes() {
    for capacity in [1, 5, 63] {
        let world = World::with_slot(capacity).await;
        let results = race(&world).await;
        let won = results.iter().filter(|result| result.is_ok()).count();
        // A crowd may end in CONTENTION when many units are free; what matters is that it never overfills the slot.
        let lost: Vec<Reason> = results.iter().filter_map(|result| result.as_ref().err()).map(|e| e.reason).collect();
        if capacity <= 5 {
            assert_eq!(won, usize::from(capacity));
            assert!(lost.iter().all(|reason| *reason == Reason::SlotTaken), "{lost:?}");
        } else {
            assert!(lost.iter().all(|reason| matches!(reason, Reason::SlotTaken | Reason::Contention)), "{lost:?}");
        }
        assert_eq!(world.slot("slot-1").held_count(world.now()), won);
        assert!(won <= usize::from(capacity));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_identical_calls_have_one_effect_and_one_answer() {
    let world = World::with_slot(5).await;
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let service = world.service.clone();
            world.tasks.spawn(async move { service.hold(&Caller::local(), hold_request("the same")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap().unwrap());
    }
    assert_eq!(world.slot("slot-1").claims.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| told(answer) == told(&answers[0])));
    assert!(answers.iter().all(|answer| answer.stamp.position == answers[0].stamp.position));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_racing_confirm_and_release_one_wins() {
    for number in 0..20 {
        let world = World::with_slot(1).await;
        let id = world.hold("hold").await.unwrap().value.claim.id;
        let (one, other) = (world.service.clone(), world.service.clone());
        let confirm =
            world.tasks.spawn(async move { one.confirm(&Caller::local(), request("confirm"), id).await.is_ok() });
        let release =
            world.tasks.spawn(async move { other.release(&Caller::local(), request("release"), id).await.is_ok() });
        let (confirmed, released) = (confirm.await.unwrap(), release.await.unwrap());
        assert!(confirmed != released, "run {number}: confirmed {confirmed}, released {released}");
        let state = world.service.get_hold(id).unwrap().state;
        assert_eq!(state, if confirmed { ClaimState::Booked } else { ClaimState::Released });
    }
}
