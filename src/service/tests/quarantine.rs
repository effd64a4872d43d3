//! What the ledger lost: put in quarantine once, named to whoever asks, settled by whoever knows.

use std::time::Duration;

use tokio::time::timeout;

use super::world::*;
use crate::domain::code::{Modality, ModalitySet, Specialty, SpecialtySet};
use crate::domain::id::{CaseId, ClaimId, PrincipalId, SlotId, SourceId};
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::record::{Body, Change, Key, Position};
use crate::domain::slot::{Claim, ClaimState, NewHold, Published, Slot, SlotState, SlotTraits, Verdict};
use crate::index::Index;
use crate::ledger::Unavailable;
use crate::service::*;

/// A claim of a case of its own that only this instance remembers.
const LOST: ClaimId = ClaimId::from_uuid(Uuid::from_u128(77));

fn lost_hold(world: &World) -> NewHold {
    let case_id = CaseId::parse("dossier perdu").unwrap();
    NewHold { id: LOST, case_id, regulator_id: None, expires_at: world.now().plus_seconds(120) }
}

/// Every record as a ledger would read it out.
fn records(index: &Index) -> Vec<Change> {
    let mut records = Vec::new();
    let position = index.head();
    index.each_record(&mut |record| {
        let key = record.value.key();
        records.push(Change { position, key, version: record.version, body: Some(record.value) });
    });
    records
}

/// The index takes a change that the ledger then does not have, and reads every record anew.
fn lose(world: &World, slot: Slot) {
    let kept = records(&world.index);
    let key = Key::Slot(slot.id.clone());
    let change = Change { position: world.index.head(), key, version: 1_000, body: Some(Body::Slot(slot.into())) };
    world.index.apply(&[change]);
    world.index.begin_reload(world.index.head());
    world.index.reload(&kept);
    world.index.finish_reload();
}

/// `slot-1`, of which a booking was lost and is in quarantine.
async fn with_lost_booking(capacity: u16) -> World {
    let world = World::with_slot(capacity).await;
    lose(&world, world.slot("slot-1").book(lost_hold(&world), world.now()).unwrap().slot);
    assert_eq!(world.service.quarantine_lost().await.unwrap(), 1);
    world
}

fn settlement(request_id: &str, verdict: Verdict, claim_id: Option<ClaimId>) -> SettleRequest {
    SettleRequest {
        request_id: request(request_id),
        slot_id: SlotId::parse("slot-1").unwrap(),
        claim_id,
        verdict,
        settled_by: PrincipalId::parse("secretariat").unwrap(),
        reason: "vu à l'agenda".to_owned(),
        source_id: None,
    }
}

async fn settle(world: &World, request: SettleRequest) -> Result<Done<Arc<Slot>>, Error> {
    world.service.settle(&Caller::local(), request).await
}

fn conditions(world: &World) -> Vec<ConditionKind> {
    world.service.conditions().into_iter().map(|condition| condition.kind).collect()
}

#[tokio::test]
async fn a_lost_booking_bars_its_unit_and_its_holder_is_told_what_happened() {
    let world = with_lost_booking(1).await;
    let refused = world.hold("late").await.unwrap_err();
    assert_eq!(refused.reason, Reason::SlotQuarantined);
    let confirmed = world.confirm("confirm", LOST).await.unwrap_err();
    assert_eq!(confirmed.reason, Reason::ClaimQuarantined);
    assert!(confirmed.message.contains("ask the professional"), "{}", confirmed.message);
    assert_eq!(world.service.get_booking(LOST).unwrap().state, ClaimState::Quarantined);
    assert_eq!(conditions(&world), [ConditionKind::ClaimsQuarantined]);
    let list = world.service.quarantined(None);
    let (slot, offer) = &list.slots[0];
    assert_eq!((slot.id.as_str(), offer.is_some(), list.claim_count, list.truncated), ("slot-1", true, 1, false));
    assert!(!world.service.stamp().degraded, "everything else is served");
    let of = |id: &str| world.service.quarantined(Some(&SourceId::parse(id).unwrap())).claim_count;
    assert_eq!((of("editor"), of("other")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_was_shown_the_slot_hears_that_it_is_in_quarantine_and_is_not_told_when_it_is_back() {
    let world = World::new().await;
    let at_place = slot("slot-1", "schedule-1", 60);
    let traits = SlotTraits { modalities: ModalitySet::of(&[Modality::Vr]), ..SlotTraits::clone(&at_place.traits) };
    world.publish("remote", 1, vec![Published { traits: Arc::new(traits), ..at_place }]).await;
    let specialties = SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]);
    let modalities = ModalitySet::of(&[Modality::Vr]);
    let query = CareQuery::parse(CareQueryDraft { modalities, specialties, ..CareQueryDraft::default() }).unwrap();
    let request = WatchRequest { query, question: QuestionDigest::of(b"question"), seconds: None, token: None };
    let mut watch = world.service.watch(&Caller::local(), request).unwrap();
    let shown = watch.next().await.unwrap().answer.options.len();
    assert_eq!(shown, 1);
    lose(&world, world.slot("slot-1").book(lost_hold(&world), world.now()).unwrap().slot);
    world.service.quarantine_lost().await.unwrap();
    let told = timeout(Duration::from_secs(10), watch.next()).await.unwrap().unwrap();
    let gone = &told.difference.unwrap().gone[0];
    assert_eq!((gone.reason, gone.free_from), (GoneReason::Quarantined, None));
}

#[tokio::test]
async fn the_other_units_of_a_slot_are_booked_as_before() {
    let world = with_lost_booking(2).await;
    world.book("another").await;
    assert_eq!(world.hold("third").await.unwrap_err().reason, Reason::SlotQuarantined);
}

#[tokio::test]
async fn a_loss_is_reported_once_whoever_remembers_it() {
    let world = with_lost_booking(1).await;
    let version = world.index.slot(&SlotId::parse("slot-1").unwrap()).unwrap().version;
    let remembered = Claim { state: ClaimState::Booked, quarantine: None, ..world.slot("slot-1").claims[0].clone() };
    lose(&world, Slot { claims: [remembered].into(), ..Slot::clone(&world.slot("slot-1")) });
    assert_eq!(world.service.quarantine_lost().await.unwrap(), 0);
    assert_eq!(world.index.slot(&SlotId::parse("slot-1").unwrap()).unwrap().version, version);
}

#[tokio::test]
async fn a_report_waits_for_a_ledger_that_is_away_and_for_a_reload_that_is_cut() {
    let world = World::with_slot(1).await;
    let booked = world.slot("slot-1").book(lost_hold(&world), world.now()).unwrap().slot;
    let kept = records(&world.index);
    let key = Key::Slot(booked.id.clone());
    let change = Change { position: world.index.head(), key, version: 1_000, body: Some(Body::Slot(booked.into())) };
    world.index.apply(&[change]);
    // The first reload takes the booking back and is cut; the index does not know it any more.
    world.index.begin_reload(world.index.head());
    world.index.reload(&kept);
    assert_eq!(world.slot("slot-1").booked_count(), 0);
    lose(&world, world.slot("slot-1").as_ref().clone());
    world.ledger.fail(|_| Some(Unavailable::Refused("away".to_owned())));
    assert_eq!(world.service.quarantine_lost().await.unwrap_err().reason, Reason::LedgerUnavailable);
    world.ledger.heal();
    assert_eq!(world.service.quarantine_lost().await.unwrap(), 1);
    assert_eq!(world.slot("slot-1").quarantined_count(), 1);
}

#[tokio::test]
async fn a_loss_that_cannot_be_reported_holds_up_no_other() {
    let world = World::with_slot(1).await;
    world.publish("second", 2, vec![slot("slot-2", "schedule-1", 120)]).await;
    let booked = |id: &str, claim: ClaimId| {
        world.slot(id).book(NewHold { id: claim, ..lost_hold(&world) }, world.now()).unwrap().slot
    };
    let kept = records(&world.index);
    let lost = [booked("slot-1", LOST), booked("slot-2", ClaimId::from_uuid(Uuid::from_u128(78)))];
    let position = world.index.head();
    let lost = lost.map(|slot| Change {
        position,
        key: Key::Slot(slot.id.clone()),
        version: 1_000,
        body: Some(Body::Slot(slot.into())),
    });
    world.index.apply(&lost);
    world.index.begin_reload(position);
    world.index.reload(&kept);
    world.index.finish_reload();
    let is_first = std::sync::atomic::AtomicBool::new(true);
    world.ledger.fail(move |_| {
        let is_first = is_first.swap(false, std::sync::atomic::Ordering::SeqCst);
        is_first.then(|| Unavailable::OutcomeUnknown("silent".to_owned()))
    });
    assert_eq!(world.service.quarantine_lost().await.unwrap_err().reason, Reason::OutcomeUnknown);
    assert_eq!(world.service.quarantined(None).claim_count, 1, "the other one is reported");
    world.ledger.heal();
    assert_eq!(world.service.quarantine_lost().await.unwrap(), 1, "only what failed is tried again");
    assert_eq!(world.service.quarantined(None).claim_count, 2);
}

#[tokio::test(start_paused = true)]
async fn a_position_of_a_reload_is_reached_when_its_last_record_came() {
    let world = World::with_slot(1).await;
    let kept = records(&world.index);
    let head = world.index.head();
    let wanted = Position { epoch: head.epoch + 1, ..head };
    let anew: Vec<_> = kept.into_iter().map(|record| Change { position: wanted, ..record }).collect();
    world.index.begin_reload(wanted);
    world.index.reload(&anew);
    assert_eq!(world.service.reach_of(wanted), Reach::NotYet);
    let begun_at = tokio::time::Instant::now();
    let finish = async {
        tokio::task::yield_now().await;
        world.index.finish_reload();
    };
    let (reached, ()) = tokio::join!(world.service.reach(wanted, Duration::from_secs(60)), finish);
    reached.unwrap();
    assert_eq!(begun_at.elapsed(), Duration::ZERO, "whoever waits is told");
}

#[tokio::test]
async fn whoever_overtakes_the_report_keeps_the_slot_and_the_loss_is_told_all_the_same() {
    let world = World::with_slot(1).await;
    lose(&world, world.slot("slot-1").book(lost_hold(&world), world.now()).unwrap().slot);
    let service = world.service.clone();
    world.ledger.overtake(async move {
        service.hold(&Caller::local(), hold_request("faster")).await.unwrap();
    });
    assert_eq!(world.service.quarantine_lost().await.unwrap(), 1);
    let faster = world.slot("slot-1").claims.iter().find(|claim| claim.id != LOST).unwrap().id;
    assert_eq!(world.confirm("confirm faster", faster).await.unwrap_err().reason, Reason::SlotQuarantined);
    let stands = settle(&world, settlement("stands", Verdict::Stands, Some(LOST))).await.unwrap_err();
    assert_eq!(stands.reason, Reason::SlotTaken, "{}", stands.message);
    settle(&world, settlement("free", Verdict::Free, None)).await.unwrap();
    assert!(world.confirm("confirm again", faster).await.is_ok());
}

#[tokio::test]
async fn settled_as_free_the_slot_is_offered_and_booked_again() {
    let world = with_lost_booking(1).await;
    let foreign = SettleRequest {
        source_id: Some(SourceId::parse("other").unwrap()),
        ..settlement("foreign", Verdict::Free, None)
    };
    assert_eq!(settle(&world, foreign).await.unwrap_err().reason, Reason::SourceMismatch);
    let owner = SettleRequest {
        source_id: Some(SourceId::parse("editor").unwrap()),
        ..settlement("free", Verdict::Free, None)
    };
    let done = settle(&world, owner.clone()).await.unwrap();
    assert_eq!((done.value.claims[0].id, done.value.claims[0].state), (LOST, ClaimState::Cancelled));
    let again = settle(&world, owner).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, done.value);
    let late = settle(&world, settlement("late", Verdict::Free, None)).await.unwrap_err();
    assert_eq!(late.reason, Reason::NotQuarantined);
    let stored = world.slot("slot-1");
    let said = stored.claim(LOST).unwrap().quarantine.as_ref().unwrap().settlement.clone().unwrap();
    assert_eq!((said.settled_by.as_str(), said.reason.as_ref()), ("secretariat", "vu à l'agenda"));
    assert_eq!((conditions(&world), world.service.quarantined(None).claim_count), (vec![], 0));
    world.book("next").await;
}

#[tokio::test]
async fn settled_as_standing_the_booking_is_what_it_was_and_its_case_has_it() {
    let world = with_lost_booking(1).await;
    let all = settle(&world, settlement("all", Verdict::Stands, None)).await.unwrap_err();
    assert_eq!((all.reason, all.violations[0].field.as_str()), (Reason::InvalidArgument, "claim_id"));
    settle(&world, settlement("stands", Verdict::Stands, Some(LOST))).await.unwrap();
    let booking = world.service.get_booking(LOST).unwrap();
    assert_eq!((booking.state, booking.claim.confirmed_at), (ClaimState::Booked, Some(world.now())));
    world.publish("more", 2, vec![slot("slot-2", "schedule-1", 90)]).await;
    let elsewhere = HoldRequest {
        slot_id: SlotId::parse("slot-2").unwrap(),
        case_id: CaseId::parse("dossier perdu").unwrap(),
        ..hold_request("elsewhere")
    };
    let refused = world.service.hold(&Caller::local(), elsewhere).await.unwrap_err();
    assert_eq!(refused.reason, Reason::CaseBooked, "a case has one live booking");
}

#[tokio::test]
async fn a_booking_does_not_stand_beside_another_of_its_case() {
    let world = with_lost_booking(1).await;
    world.publish("more", 2, vec![slot("slot-2", "schedule-1", 90)]).await;
    let elsewhere = HoldRequest {
        slot_id: SlotId::parse("slot-2").unwrap(),
        case_id: CaseId::parse("dossier perdu").unwrap(),
        ..hold_request("elsewhere")
    };
    let id = world.service.hold(&Caller::local(), elsewhere).await.unwrap().value.claim.id;
    world.confirm("confirm elsewhere", id).await.unwrap();
    let stands = settle(&world, settlement("stands", Verdict::Stands, Some(LOST))).await.unwrap_err();
    assert_eq!(stands.reason, Reason::CaseBooked);
}

#[tokio::test]
async fn the_holder_of_a_lost_claim_may_give_it_up() {
    let world = with_lost_booking(1).await;
    assert_eq!(world.cancel("cancel", LOST).await.unwrap().value.state, ClaimState::Cancelled);
    world.book("next").await;
}

#[tokio::test]
async fn a_publisher_who_states_the_slot_anew_does_not_end_its_quarantine() {
    let world = with_lost_booking(1).await;
    let wider = Published { capacity: 2, ..slot("slot-1", "schedule-1", 60) };
    let moved = slot("slot-1", "schedule-1", 75);
    let rows = world.publish("moved", 2, vec![moved]).await;
    assert_eq!(rows[0].reason, Some(Reason::SlotClaimed), "somebody may be on the way");
    world.publish("wider", 3, vec![wider]).await;
    assert_eq!((world.slot("slot-1").quarantined_count(), world.slot("slot-1").remaining_count(world.now())), (1, 1));
}

#[tokio::test]
async fn a_slot_that_was_lost_with_its_booking_comes_back_barred() {
    let world = World::new().await;
    let published = slot("slot-1", "schedule-1", 60);
    let gone = Slot::from_published(published.clone(), 1, world.now());
    lose(&world, gone.book(lost_hold(&world), world.now()).unwrap().slot);
    assert_eq!(world.index.slot(&published.id), None);
    assert_eq!(world.service.quarantine_lost().await.unwrap(), 1);
    assert_eq!(world.slot("slot-1").state, SlotState::Closed);
    world.publish("again", 1, vec![published]).await;
    assert_eq!(world.slot("slot-1").state, SlotState::Open);
    assert_eq!(world.hold("late").await.unwrap_err().reason, Reason::SlotQuarantined);
    settle(&world, settlement("free", Verdict::Free, None)).await.unwrap();
    world.book("next").await;
}

#[tokio::test]
async fn a_slot_that_is_over_bars_nobody_and_is_no_longer_told() {
    let world = with_lost_booking(1).await;
    world.advance_seconds(75 * 60);
    assert_eq!((conditions(&world), world.service.quarantined(None).claim_count), (vec![], 0));
}
