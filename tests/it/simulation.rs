//! Thousands of simulated runs: three instances on one ledger, with lost, repeated and late messages, restarts, clocks that
//! differ and jump, and a server that comes back without its last writes.
//!
//! After each run: no slot was ever claimed beyond its capacity, a request has one effect, what was acknowledged is there
//! unless it was in what a recovery could not give back, and every instance shows what the ledger has. A seed that fails is
//! printed; `SEED=… cargo test simulation` plays it alone.

mod instance;
mod run;
mod store;
mod town;

use std::collections::{HashMap, HashSet};

use sas_router::domain::id::{CaseId, ClaimId};
use sas_router::domain::record::{Body, Key};
use sas_router::domain::slot::ClaimState;

use crate::harness::variable;
use run::{Deed, Run, takes_a_unit};

/// Runs of the test.
const RUNS: u64 = 3_000;
/// Steps of a run.
const STEPS: usize = 120;

/// Says which run failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::harness::skip("the other runs", &format!("play this one again with SEED={}", self.0));
        }
    }
}

#[tokio::test]
async fn no_simulated_run_books_twice_or_loses_what_was_acknowledged() {
    let seeds = match variable("SEED") {
        Some(seed) => {
            let seed = seed.to_str().unwrap().parse::<u64>().unwrap();
            seed..seed + 1
        }
        None => 0..RUNS,
    };
    let is_whole = seeds.end - seeds.start == RUNS;
    let (mut done, mut losses) = (0, 0);
    for seed in seeds {
        let _told = Seed(seed);
        let mut run = Run::new(seed);
        for _ in 0..STEPS {
            run.step().await;
        }
        run.finish().await;
        judge(&run);
        done += run.done.len();
        losses += run.losses;
    }
    assert!(!is_whole || (done > 10_000 && losses > 1_000), "too little happens: {done} deeds, {losses} losses");
}

fn judge(run: &Run) {
    let mut records: HashMap<Key, (u64, Body)> = HashMap::new();
    let mut claims_of: HashMap<CaseId, HashSet<ClaimId>> = HashMap::new();
    let mut states: HashMap<ClaimId, Vec<ClaimState>> = HashMap::new();
    for (at, change) in run.store.history() {
        match &change.body {
            Some(body) => records.insert(change.key.clone(), (change.version, body.clone())),
            None => records.remove(&change.key),
        };
        let Some(Body::Slot(slot)) = &change.body else { continue };
        let live = slot.claims.iter().filter(|claim| takes_a_unit(claim.state, claim.expires_at, at)).count();
        assert!(live <= usize::from(slot.capacity), "{live} live claims: {slot:?}");
        for claim in slot.claims.iter() {
            claims_of.entry(claim.case_id.clone()).or_default().insert(claim.id);
            states.entry(claim.id).or_default().push(claim.state);
        }
    }
    for (case, claims) in claims_of {
        assert_eq!(claims.len(), 1, "the request of {case} had more than one effect");
    }
    for done in &run.done {
        let states = states.get(&done.claim).unwrap_or_else(|| panic!("acknowledged and not there: {done:?}"));
        let wanted = match done.deed {
            Deed::Hold => continue,
            Deed::Confirm => ClaimState::Booked,
            Deed::Release => ClaimState::Released,
            Deed::Cancel => ClaimState::Cancelled,
        };
        let was_so = states.contains(&wanted) || (done.deed == Deed::Release && states.contains(&ClaimState::Held));
        assert!(was_so, "acknowledged and not so: {done:?}, {states:?}");
        let is_cancelled = run.asked[&done.claim].contains(&Deed::Cancel);
        if done.deed == Deed::Confirm && !is_cancelled {
            assert_eq!(states.last(), Some(&ClaimState::Booked), "a booking went away: {done:?}");
        }
    }
    for shown in run.shown() {
        assert_eq!(shown, records, "an instance shows something else than the ledger has");
    }
}
