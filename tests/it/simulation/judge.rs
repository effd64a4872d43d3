//! What must be so at the end of every simulated run, told without the product's own words for it.
//!
//! No slot has more live claims than units, none is claimed beyond what was lost, and no hold is confirmed when it is over; a case
//! has one live booking; a request has one effect, unless the recovery that gave its effect back could not give its outcome; what was acknowledged is there, or was
//! beyond what a recovery could give back and is in quarantine where an instance that told it lives; and every instance shows
//! what the ledger has.

use std::collections::HashMap;

use sas_router::domain::id::{CaseId, ClaimId};
use sas_router::domain::record::{Body, Key};
use sas_router::domain::slot::{Claim, ClaimState, Slot, SlotState};
use sas_router::domain::time::UtcInstant;

use super::deed::{Deed, Done, claims_of};
use super::run::Run;
use super::store::{RequestKey, Taken};

pub(super) fn judge(run: &Run) {
    let mut records: HashMap<Key, (u64, Body)> = HashMap::new();
    let mut effects: HashMap<RequestKey, usize> = HashMap::new();
    for taken in run.store.history() {
        if let Some(request) = taken.request() {
            *effects.entry(request).or_default() += 1;
        }
        judge_units(&records, taken);
        for change in &taken.changes {
            match &change.body {
                Some(body) => records.insert(change.key.clone(), (change.version, body.clone())),
                None => records.remove(&change.key),
            };
        }
        judge_cases(&records);
    }
    for (request, count) in effects {
        assert!(count == 1 || run.store.forgotten.contains(&request), "{request:?} had {count} effects");
    }
    judge_acknowledged(run, &records);
    for instance in &run.instances {
        assert_eq!(instance.shown(), records, "an instance shows something else than the ledger has");
    }
}

/// Live claims are no more than units; a new one finds a unit that nothing in quarantine takes.
fn judge_units(before: &HashMap<Key, (u64, Body)>, taken: &Taken) {
    for change in &taken.changes {
        let Some(Body::Slot(slot)) = &change.body else { continue };
        let live = slot.claims.iter().filter(|claim| is_live(claim.state, claim.expires_at, taken.at)).count();
        assert!(live <= usize::from(slot.capacity), "{live} live claims: {slot:?}");
        let known: HashMap<ClaimId, &Claim> = match before.get(&change.key) {
            Some((_, Body::Slot(before))) => before.claims.iter().map(|claim| (claim.id, claim)).collect(),
            Some(_) | None => HashMap::new(),
        };
        for claim in slot.claims.iter().filter(|claim| claim.state == ClaimState::Booked) {
            let was_over = known.get(&claim.id).is_some_and(|hold| is_over(hold, taken.at));
            assert!(!was_over, "confirmed late: {slot:?}");
        }
        let is_claimed =
            slot.claims.iter().any(|claim| claim.state == ClaimState::Held && !known.contains_key(&claim.id));
        let lost = slot.claims.iter().filter(|claim| claim.state == ClaimState::Quarantined).count();
        assert!(!is_claimed || live + lost <= usize::from(slot.capacity), "claimed what was lost: {slot:?}");
    }
}

/// A case has one live booking.
fn judge_cases(records: &HashMap<Key, (u64, Body)>) {
    let mut booked: HashMap<&CaseId, ClaimId> = HashMap::new();
    for claim in slots(records).flat_map(|slot| slot.claims.iter()) {
        if matches!(claim.state, ClaimState::Booked | ClaimState::ToReplace) {
            let other = booked.insert(&claim.case_id, claim.id);
            assert_eq!(other, None, "{} has another booking than {}", claim.case_id, claim.id);
        }
    }
}

/// What callers were told is there, or was lost and is known to be.
fn judge_acknowledged(run: &Run, records: &HashMap<Key, (u64, Body)>) {
    for Done { deed, claim, digest, .. } in &run.done {
        assert!(run.store.has(*digest), "{deed:?} of {claim} went away");
        if *deed == Deed::Confirm && !run.ended.contains(claim) {
            let is_booked = slots(records)
                .flat_map(|slot| slot.claims.iter())
                .any(|one| one.id == *claim && matches!(one.state, ClaimState::Booked | ClaimState::Quarantined));
            assert!(is_booked, "a booking went away: {claim}");
        }
    }
    for lost in run.lost.iter().filter(|lost| lost.deed == Deed::Confirm && !run.ended.contains(&lost.claim)) {
        let (at, start) = lost.by;
        let is_known = run.instances[at].start != start
            || run.store.history().iter().any(|taken| {
                claims_of(taken).any(|one| {
                    (one.id == lost.claim && one.confirmed_at.is_some())
                        || (one.case_id == lost.case && one.state == ClaimState::Booked)
                })
            });
        assert!(is_known, "lost, and who told it says nothing: {lost:?}");
    }
}

pub(super) fn slots(records: &HashMap<Key, (u64, Body)>) -> impl Iterator<Item = &Slot> {
    records.values().filter_map(|(_, body)| if let Body::Slot(slot) = body { Some(slot.as_ref()) } else { None })
}

/// Whether a claim is a hold that is over at an instant.
fn is_over(claim: &Claim, now: UtcInstant) -> bool {
    claim.state == ClaimState::Expired || (claim.state == ClaimState::Held && claim.expires_at <= now)
}

/// Whether a unit may be held once every hold is over.
pub(super) fn has_free_unit(slot: &Slot) -> bool {
    let takes =
        |claim: &&Claim| matches!(claim.state, ClaimState::Booked | ClaimState::ToReplace | ClaimState::Quarantined);
    slot.state == SlotState::Open && slot.claims.iter().filter(takes).count() < usize::from(slot.capacity)
}

/// Whether a claim takes a unit at an instant, as somebody who was promised it sees it.
fn is_live(state: ClaimState, expires_at: UtcInstant, now: UtcInstant) -> bool {
    match state {
        ClaimState::Booked | ClaimState::ToReplace => true,
        ClaimState::Held => now < expires_at,
        ClaimState::Released | ClaimState::Expired | ClaimState::Cancelled | ClaimState::Quarantined => false,
    }
}
