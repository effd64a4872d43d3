//! Whether there is one order of what was done to a slot that explains everything that was told (Wing and Gong's search).
//!
//! Each step happens at one instant between its invocation and its completion; a step that nobody knows of may happen at
//! any time after its invocation, or never. Of two orders of the same steps the one that ends earlier allows whatever the other
//! allows, so that each set of steps is looked at once for each improvement.

use std::collections::HashMap;

use super::history::ShownState;

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Holds a unit for a claim.
    Hold(usize),
    /// Books a unit for a claim at once.
    Book(usize),
    /// Books the unit that the claim holds.
    Confirm(usize),
    /// Gives the held unit back, or finds that it was.
    Release(usize),
    /// Gives the booked unit back, or finds that it was.
    Cancel(usize),
    /// Finds every unit taken.
    FindTaken,
}

/// A step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    /// What it does.
    pub(super) act: Act,
    /// Not before.
    pub(super) invoked_at: i64,
    /// Not after.
    pub(super) completed_at: i64,
    /// Whether it must have happened.
    pub(super) is_certain: bool,
}

/// What happened to a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SlotHistory {
    /// How many it takes.
    pub(super) capacity: usize,
    /// When each claim ends unless it is confirmed.
    pub(super) ends: Vec<i64>,
    /// The steps.
    pub(super) steps: Vec<Step>,
    /// How the claims stand at the end; `None` for one that is no longer shown.
    pub(super) last: Vec<Option<ShownState>>,
    /// When that was read.
    pub(super) read_at: i64,
    /// How far the clock that judges ends is from the one that took the instants.
    pub(super) slack_ms: i64,
}

#[derive(Clone)]
struct State {
    now: i64,
    claims: Vec<Option<ShownState>>,
}

/// A set of steps.
type Taken = Vec<u64>;

/// Finds an order.
///
/// # Errors
/// When there is none; it says how far the search came, and what could not follow.
pub(super) fn explain(slot: &SlotHistory) -> Result<(), String> {
    let words = slot.steps.len().div_ceil(64);
    let mut search = Search { slot, seen: HashMap::new(), best: vec![0; words], best_count: 0 };
    let start = State { now: i64::MIN, claims: vec![None; slot.ends.len()] };
    if search.go(vec![0; words], start) {
        return Ok(());
    }
    let left = slot.steps.iter().enumerate().filter(|(at, _)| !holds(&search.best, *at));
    let left: Vec<_> = left.map(|(_, step)| step).collect();
    Err(format!("no order explains it: {left:?} cannot follow the others of {slot:?}"))
}

struct Search<'a> {
    slot: &'a SlotHistory,
    /// The earliest end of each set of steps that was looked at.
    seen: HashMap<Taken, i64>,
    best: Taken,
    best_count: usize,
}

impl Search<'_> {
    fn go(&mut self, mut taken: Taken, mut state: State) -> bool {
        self.take_free(&mut taken, &mut state);
        let pending = || self.slot.steps.iter().enumerate().filter(|(at, _)| !holds(&taken, *at));
        let deadline = pending().filter(|(_, step)| step.is_certain).map(|(_, step)| step.completed_at).min();
        let Some(deadline) = deadline else {
            if self.is_last(&state) {
                return true;
            }
            // What nobody knows of may explain what is left.
            return self.branch(&taken, &state, i64::MAX);
        };
        let count = self.slot.steps.len() - pending().count();
        if count > self.best_count {
            (self.best_count, self.best) = (count, taken.clone());
        }
        if state.now > deadline {
            return false;
        }
        self.branch(&taken, &state, deadline)
    }

    fn branch(&mut self, taken: &Taken, state: &State, deadline: i64) -> bool {
        for (at, step) in self.slot.steps.iter().enumerate() {
            if holds(taken, at) || step.invoked_at > deadline {
                continue;
            }
            let Some(next) = self.slot.after(state, step) else { continue };
            let mut with = taken.clone();
            with[at / 64] |= 1 << (at % 64);
            if self.seen.get(&with).is_some_and(|seen| *seen <= next.now) {
                continue;
            }
            self.seen.insert(with.clone(), next.now);
            if self.go(with, next) {
                return true;
            }
        }
        false
    }

    /// Takes what alters nothing and costs no time: taking it can only help.
    fn take_free(&self, taken: &mut Taken, state: &mut State) {
        for (at, step) in self.slot.steps.iter().enumerate() {
            if step.act == Act::FindTaken
                && !holds(taken, at)
                && self.slot.after(state, step).is_some_and(|next| next.now == state.now)
            {
                taken[at / 64] |= 1 << (at % 64);
            }
        }
    }

    fn is_last(&self, state: &State) -> bool {
        let slot = self.slot;
        slot.last.iter().zip(&state.claims).zip(&slot.ends).all(|((last, claim), end)| match (last, claim) {
            (Some(last), Some(claim)) => last == claim,
            // Only what ended is forgotten.
            (None, Some(ShownState::Booked)) => false,
            (None, Some(ShownState::Held)) => *end <= slot.read_at.saturating_add(slot.slack_ms),
            (None, _) => true,
            (Some(_), None) => false,
        })
    }
}

fn holds(taken: &Taken, at: usize) -> bool {
    taken[at / 64] & (1 << (at % 64)) != 0
}

impl SlotHistory {
    /// The state after a step at the earliest instant at which it can happen.
    fn after(&self, state: &State, step: &Step) -> Option<State> {
        let mut next = state.clone();
        next.now = state.now.max(step.invoked_at);
        let is_live = |claim: usize, now: i64| now < self.ends[claim].saturating_add(self.slack_ms);
        match step.act {
            Act::Hold(claim) | Act::Book(claim) => {
                next.now = next.now.max(self.free_from(state)?);
                let is_hold = matches!(step.act, Act::Hold(_));
                if next.claims[claim].is_some() || (is_hold && !is_live(claim, next.now)) {
                    return None;
                }
                next.claims[claim] = Some(if is_hold { ShownState::Held } else { ShownState::Booked });
            }
            Act::Confirm(claim) => {
                if next.claims[claim] != Some(ShownState::Held) || !is_live(claim, next.now) {
                    return None;
                }
                next.claims[claim] = Some(ShownState::Booked);
            }
            Act::Release(claim) => match next.claims[claim]? {
                ShownState::Held if is_live(claim, next.now) => next.claims[claim] = Some(ShownState::Released),
                ShownState::Released => {}
                ShownState::Held | ShownState::Booked | ShownState::Cancelled | ShownState::Quarantined => return None,
            },
            Act::Cancel(claim) => match next.claims[claim]? {
                ShownState::Booked | ShownState::Cancelled => next.claims[claim] = Some(ShownState::Cancelled),
                ShownState::Held | ShownState::Released | ShownState::Quarantined => return None,
            },
            // A hold that ended while it was asked was live when the asker looked at the clock.
            Act::FindTaken => {
                if self.claimed(state, |end| end.saturating_add(self.slack_ms) > step.invoked_at) < self.capacity {
                    return None;
                }
            }
        }
        (next.now <= step.completed_at).then_some(next)
    }

    fn claimed(&self, state: &State, is_live: impl Fn(i64) -> bool) -> usize {
        let claims = state.claims.iter().zip(&self.ends);
        claims
            .filter(|(claim, end)| match claim {
                Some(ShownState::Held) => is_live(**end),
                Some(ShownState::Booked) => true,
                Some(ShownState::Released | ShownState::Cancelled | ShownState::Quarantined) | None => false,
            })
            .count()
    }

    /// The first instant at which a unit is free; `None` when all are booked.
    fn free_from(&self, state: &State) -> Option<i64> {
        let booked = self.claimed(state, |_| false);
        let holds = state.claims.iter().zip(&self.ends).filter(|(claim, _)| **claim == Some(ShownState::Held));
        let mut ends: Vec<i64> = holds.map(|(_, end)| end.saturating_sub(self.slack_ms)).collect();
        ends.sort_unstable();
        let free = self.capacity.checked_sub(booked).filter(|free| *free > 0)?;
        if ends.len() < free { Some(i64::MIN) } else { ends.get(ends.len() - free).copied() }
    }
}
