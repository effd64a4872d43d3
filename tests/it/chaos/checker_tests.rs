//! The judge itself: hand-made histories that are well, and each way in which one is not.

use super::checker::{Broken, violations};
use super::history::{Allowance, Attempt, Call, Forbidden, History, Operation, Said, ShownClaim, ShownState};

const SLOT: &str = "s";

fn done(claim: &str) -> Said {
    Said::Done { claim_id: claim.into(), expires_at: 1_000, replayed: false }
}

fn refused(reason: &str) -> Said {
    Said::Refused(reason.into())
}

fn unknown() -> Said {
    Said::Unknown("the wire was cut".into())
}

fn operation(case: &str, call: Call, from: i64, until: i64, said: Said) -> Operation {
    let attempts = vec![Attempt { instance: 0, invoked_at: from, completed_at: until, said }];
    Operation { request_id: format!("{call:?} {case}"), case_id: case.into(), call, attempts }
}

fn hold(case: &str, from: i64, until: i64, said: Said) -> Operation {
    operation(case, Call::Hold { slot_id: SLOT.into(), ttl_seconds: 1 }, from, until, said)
}

fn confirm(claim: &str, from: i64, until: i64, said: Said) -> Operation {
    let call = Call::Confirm { slot_id: SLOT.into(), claim_id: claim.into(), expires_at: 1_000 };
    operation(claim, call, from, until, said)
}

fn release(claim: &str, from: i64, until: i64, said: Said) -> Operation {
    operation(claim, Call::Release { slot_id: SLOT.into(), claim_id: claim.into() }, from, until, said)
}

fn cancel(claim: &str, from: i64, until: i64, said: Said) -> Operation {
    operation(claim, Call::Cancel { slot_id: SLOT.into(), claim_id: claim.into() }, from, until, said)
}

fn shown(claim: &str, state: ShownState) -> ShownClaim {
    // Every case has the name of its claim.
    ShownClaim { claim_id: claim.into(), case_id: claim.into(), state, expires_at: 1_000 }
}

/// One slot of one place, these operations, and these claims on every instance in the end.
fn history(operations: Vec<Operation>, claims: Vec<ShownClaim>) -> History {
    let publish = Call::Publish { slots: vec![(SLOT.into(), 1)], start_s: 0 };
    let published = operation("", publish, 0, 1, done(""));
    let operations = [published].into_iter().chain(operations).collect();
    let shown = vec![[(SLOT.to_owned(), claims)].into(); 2];
    History { operations, shown, shown_at: 2_000, ..History::default() }
}

fn broken(history: &History) -> Vec<Broken> {
    let mut broken: Vec<_> = violations(history).into_iter().map(|violation| violation.broken).collect();
    broken.sort_unstable();
    broken.dedup();
    broken
}

#[track_caller]
fn check(operations: Vec<Operation>, claims: Vec<ShownClaim>, expected: &[Broken]) {
    let history = history(operations, claims);
    assert_eq!(broken(&history), expected, "{:?}", violations(&history));
}

#[test]
fn what_one_order_explains_is_well() {
    let (a, b) = (shown("a", ShownState::Booked), shown("b", ShownState::Booked));
    check(vec![hold("a", 10, 20, done("a")), confirm("a", 30, 40, done("a"))], vec![a.clone()], &[]);
    // b came while a was being released.
    let given_back = shown("a", ShownState::Released);
    let raced = vec![hold("a", 10, 20, done("a")), release("a", 30, 90, done("a")), hold("b", 40, 80, done("b"))];
    check([raced, vec![confirm("b", 100, 110, done("b"))]].concat(), vec![given_back, b], &[]);
    // Who was refused came while a had it.
    check(
        vec![hold("a", 10, 20, done("a")), hold("b", 15, 30, refused("SLOT_TAKEN"))],
        vec![shown("a", ShownState::Held)],
        &[],
    );
    // An end frees the place, and only then.
    let (over, next) = (shown("a", ShownState::Held), ShownClaim { expires_at: 1_900, ..shown("b", ShownState::Held) });
    let said = Said::Done { claim_id: "b".into(), expires_at: 1_900, replayed: false };
    check(
        vec![hold("a", 10, 20, done("a")), hold("b", 1_001, 1_010, said.clone())],
        vec![over.clone(), next.clone()],
        &[],
    );
    check(vec![hold("a", 10, 20, done("a")), hold("b", 500, 600, said)], vec![over, next], &[Broken::Order]);
}

#[test]
fn an_unknown_outcome_may_be_either() {
    check(vec![hold("a", 10, 20, unknown())], vec![], &[]);
    check(vec![hold("a", 10, 20, unknown())], vec![shown("a", ShownState::Held)], &[]);
    let held = || hold("a", 10, 20, done("a"));
    check(vec![held(), confirm("a", 30, 40, unknown())], vec![shown("a", ShownState::Booked)], &[]);
    check(vec![held(), confirm("a", 30, 40, unknown())], vec![shown("a", ShownState::Held)], &[]);
    // A cancellation proves the confirmation that nobody told of.
    let cancelled = vec![held(), confirm("a", 30, 40, unknown()), cancel("a", 50, 60, done("a"))];
    check(cancelled, vec![shown("a", ShownState::Cancelled)], &[]);
    check(vec![held(), cancel("a", 50, 60, done("a"))], vec![shown("a", ShownState::Cancelled)], &[Broken::Order]);
}

#[test]
fn two_winners_of_one_place_are_found() {
    let both = vec![hold("a", 10, 20, done("a")), hold("b", 30, 40, done("b"))];
    let claims = vec![shown("a", ShownState::Booked), shown("b", ShownState::Booked)];
    let confirmed = vec![confirm("a", 50, 60, done("a")), confirm("b", 50, 60, done("b"))];
    check([both.clone(), confirmed.clone()].concat(), claims, &[Broken::Order, Broken::Capacity]);
    // One of them was written over.
    let one = vec![shown("b", ShownState::Booked)];
    check([both, confirmed].concat(), one, &[Broken::Order, Broken::Lost]);
}

#[test]
fn what_was_acknowledged_and_is_gone_is_found() {
    check(vec![hold("a", 10, 20, done("a")), confirm("a", 30, 40, done("a"))], vec![], &[Broken::Order, Broken::Lost]);
    let back = vec![shown("a", ShownState::Held)];
    check(vec![hold("a", 10, 20, done("a")), confirm("a", 30, 40, done("a"))], back, &[Broken::Order, Broken::Lost]);
    check(
        vec![hold("a", 10, 20, done("a")), confirm("a", 30, 40, refused("UNKNOWN_HOLD"))],
        vec![shown("a", ShownState::Held)],
        &[Broken::Lost],
    );
    let mut unpublished = history(vec![], vec![]);
    unpublished.shown = vec![Default::default()];
    assert_eq!(broken(&unpublished), [Broken::Lost]);
}

#[test]
fn what_was_acknowledged_and_is_in_quarantine_is_found() {
    let lost = || vec![shown("a", ShownState::Quarantined)];
    check(vec![hold("a", 10, 20, done("a"))], lost(), &[Broken::Lost]);
    check(vec![hold("a", 10, 20, unknown())], lost(), &[]);
}

#[test]
fn a_live_hold_that_is_forgotten_is_found() {
    let mut lost = history(vec![hold("a", 10, 20, done("a"))], vec![]);
    assert_eq!(broken(&lost), [], "it is over");
    lost.shown_at = 500;
    assert_eq!(broken(&lost), [Broken::Order]);
}

#[test]
fn what_was_refused_or_never_asked_and_is_there_is_found() {
    let there = || vec![shown("a", ShownState::Held)];
    check(vec![hold("a", 10, 20, refused("LEDGER_UNAVAILABLE"))], there(), &[Broken::Unasked]);
    check(vec![], there(), &[Broken::Unasked]);
    let mut denied = hold("a", 10, 20, refused("LEDGER_UNAVAILABLE"));
    let said = Said::Done { claim_id: "a".into(), expires_at: 1_000, replayed: true };
    denied.attempts.push(Attempt { instance: 1, invoked_at: 30, completed_at: 40, said });
    check(vec![denied], there(), &[Broken::Unasked]);
}

#[test]
fn a_refusal_without_cause_is_found() {
    check(vec![hold("a", 10, 20, refused("SLOT_TAKEN"))], vec![], &[Broken::Order]);
    let early = vec![hold("a", 10, 20, done("a")), confirm("a", 30, 40, refused("HOLD_EXPIRED"))];
    check(early, vec![shown("a", ShownState::Held)], &[Broken::Ends]);
    let late = vec![hold("a", 10, 20, done("a")), confirm("a", 1_100, 1_110, done("a"))];
    check(late, vec![shown("a", ShownState::Booked)], &[Broken::Order]);
}

#[test]
fn two_effects_of_one_request_are_found() {
    let again = |said| Attempt { instance: 1, invoked_at: 30, completed_at: 40, said };
    let mut twice = hold("a", 10, 20, done("a"));
    twice.attempts.push(again(done("b")));
    check(vec![twice], vec![shown("a", ShownState::Held)], &[Broken::TwoEffects]);
    let mut beside = history(vec![hold("a", 10, 20, done("a"))], vec![shown("a", ShownState::Held)]);
    for slots in &mut beside.shown {
        let other = ShownClaim { claim_id: "x".into(), ..shown("a", ShownState::Held) };
        slots.get_mut(SLOT).unwrap().push(other);
    }
    assert!(broken(&beside).contains(&Broken::TwoEffects));
    let mut replayed = hold("a", 10, 20, unknown());
    replayed.attempts.push(again(Said::Done { claim_id: "a".into(), expires_at: 1_000, replayed: true }));
    check(vec![replayed], vec![shown("a", ShownState::Held)], &[]);
    let reuse = operation("b", Call::Reuse { slot_id: SLOT.into() }, 30, 40, done("b"));
    check(vec![hold("a", 10, 20, done("a")), reuse], vec![shown("a", ShownState::Held)], &[Broken::IdReused]);
}

#[test]
fn what_is_acknowledged_in_a_forbidden_span_is_found() {
    let mut history = history(vec![hold("a", 10, 20, done("a"))], vec![shown("a", ShownState::Held)]);
    history.forbidden = vec![Forbidden { from: 15, until: 30, why: "no replica was reached" }];
    assert_eq!(broken(&history), [], "it was asked before");
    history.forbidden = vec![Forbidden { from: 5, until: 30, why: "no replica was reached" }];
    assert_eq!(broken(&history), [Broken::Forbidden]);
}

#[test]
fn instances_that_differ_are_found() {
    let mut differ = history(vec![hold("a", 10, 20, done("a"))], vec![shown("a", ShownState::Held)]);
    differ.shown[0].insert(SLOT.to_owned(), vec![]);
    assert_eq!(broken(&differ), [Broken::Instances]);
    let read = operation("a", Call::ReadOwn { claim_id: "a".into() }, 30, 40, refused("UNKNOWN_HOLD"));
    check(vec![hold("a", 10, 20, done("a")), read], vec![shown("a", ShownState::Held)], &[Broken::OwnWrite]);
}

#[test]
fn two_bookings_of_a_case_are_found() {
    let both = ["a", "b"]
        .map(|slot| (slot.to_owned(), vec![ShownClaim { case_id: "x".into(), ..shown(slot, ShownState::Booked) }]));
    let shown = vec![both.into()];
    assert!(broken(&History { shown, ..History::default() }).contains(&Broken::TwoBookings));
}

#[test]
fn only_what_is_excused_is_excused() {
    let early = vec![hold("a", 10, 20, done("a")), confirm("a", 1_100, 1_110, done("a"))];
    let mut history = history(early, vec![shown("a", ShownState::Booked)]);
    assert_eq!(broken(&history), [Broken::Order]);
    history.allowance = Allowance { clock_slack_ms: 200 };
    assert_eq!(broken(&history), []);
}
