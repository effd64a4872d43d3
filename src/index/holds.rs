//! The holds of each regulator, as the records say; whether one still lives is judged when read.
//!
//! Invariant: an entry is a hold that some slot's record calls held; a regulator without any has no entry.

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use rustc_hash::FxBuildHasher;

use super::Index;
use crate::domain::id::{ClaimId, PrincipalId};
use crate::domain::slot::{Claim, ClaimState};
use crate::domain::time::UtcInstant;

/// Holds by regulator.
#[derive(Debug, Default)]
pub(super) struct Holds {
    by_regulator: DashMap<PrincipalId, Vec<(ClaimId, UtcInstant)>, FxBuildHasher>,
}

/// What became of a regulator's hold.
#[derive(Debug)]
pub(super) struct HoldChange {
    regulator_id: PrincipalId,
    claim_id: ClaimId,
    /// When it ends; `None` when it is no hold any more.
    expires_at: Option<UtcInstant>,
}

/// What becomes of holds when the claims of a slot change.
pub(super) fn changes<'a>(old: &'a [Claim], new: &'a [Claim]) -> impl Iterator<Item = HoldChange> + 'a {
    let gone = old.iter().filter(|claim| !new.iter().any(|other| other.id == claim.id));
    let gone = gone.filter_map(|claim| HoldChange::of(claim, None));
    let held = |claim: &Claim| (claim.state == ClaimState::Held).then_some(claim.expires_at);
    gone.chain(new.iter().filter_map(move |claim| HoldChange::of(claim, held(claim))))
}

impl HoldChange {
    fn of(claim: &Claim, expires_at: Option<UtcInstant>) -> Option<Self> {
        let regulator_id = claim.regulator_id.clone()?;
        Some(Self { regulator_id, claim_id: claim.id, expires_at })
    }
}

impl Holds {
    /// The holds of a regulator that live at an instant, the oldest first.
    pub(super) fn live(&self, regulator_id: &PrincipalId, now: UtcInstant) -> Vec<ClaimId> {
        let Some(holds) = self.by_regulator.get(regulator_id) else { return Vec::new() };
        let mut live: Vec<_> = holds.iter().filter(|(_, expires_at)| now < *expires_at).map(|(id, _)| *id).collect();
        live.sort_unstable();
        live
    }

    /// How many holds of anybody live at an instant.
    pub(super) fn live_count(&self, now: UtcInstant) -> usize {
        let live = |holds: &[(ClaimId, UtcInstant)]| holds.iter().filter(|(_, expires_at)| now < *expires_at).count();
        self.by_regulator.iter().map(|holds| live(holds.value())).sum()
    }

    /// When holds ended that nobody took back, as long as their slots remember them.
    fn ends(&self, now: UtcInstant) -> Vec<UtcInstant> {
        let ended = |holds: &Vec<(ClaimId, UtcInstant)>| {
            let ends = holds.iter().map(|(_, expires_at)| *expires_at).filter(|expires_at| *expires_at <= now);
            ends.collect::<Vec<_>>()
        };
        self.by_regulator.iter().flat_map(|holds| ended(holds.value())).collect()
    }

    /// Takes a change.
    pub(super) fn apply(&self, change: HoldChange) {
        let HoldChange { regulator_id, claim_id, expires_at } = change;
        match self.by_regulator.entry(regulator_id) {
            Entry::Occupied(mut entry) => {
                let holds = entry.get_mut();
                holds.retain(|(id, _)| *id != claim_id);
                holds.extend(expires_at.map(|expires_at| (claim_id, expires_at)));
                if holds.is_empty() {
                    entry.remove();
                }
            }
            Entry::Vacant(entry) => {
                if let Some(expires_at) = expires_at {
                    entry.insert(vec![(claim_id, expires_at)]);
                }
            }
        }
    }
}

impl Index {
    /// How many holds live at an instant.
    #[must_use]
    pub fn live_hold_count(&self, now: UtcInstant) -> u64 {
        u64::try_from(self.holds.live_count(now)).unwrap_or(u64::MAX)
    }

    /// When holds ended without confirmation or release, in no order, as long as their slots remember them.
    #[must_use]
    pub fn hold_ends(&self, now: UtcInstant) -> Vec<UtcInstant> {
        self.holds.ends(now)
    }
}
