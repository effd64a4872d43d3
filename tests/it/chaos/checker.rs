//! The judge of a run: what was told, what is there in the end, and what may explain it.
//!
//! Invariant: whatever is not excused by the run's allowance is a violation; an outcome that nobody knows of counts as taken
//! or not taken, whichever explains the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::history::{Call, History, Operation, Said, Shown, ShownClaim, ShownState};
use super::order::{Act, SlotHistory, Step, explain};

/// What is broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Broken {
    /// No order of a slot's steps explains what was told.
    Order,
    /// More is claimed than there is.
    Capacity,
    /// Something acknowledged is not there.
    Lost,
    /// Something is there that was refused, or that nobody asked for.
    Unasked,
    /// One request had two effects.
    TwoEffects,
    /// A request id served for other content.
    IdReused,
    /// A case has two bookings.
    TwoBookings,
    /// Something was acknowledged when nothing could be.
    Forbidden,
    /// A hold was told to be over while it lived, or a dead one was taken.
    Ends,
    /// An instance does not show what it acknowledged.
    OwnWrite,
    /// Instances show different states.
    Instances,
}

/// A promise that was broken, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Violation {
    /// Which.
    pub(super) broken: Broken,
    /// How.
    pub(super) how: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.broken, self.how)
    }
}

/// Everything that a run broke.
pub(super) fn violations(history: &History) -> Vec<Violation> {
    let mut judge = Judge { history, last: history.shown.last().cloned().unwrap_or_default(), found: Vec::new() };
    judge.instances();
    judge.slots();
    judge.cases();
    for operation in &history.operations {
        judge.operation(operation);
    }
    judge.found
}

struct Judge<'a> {
    history: &'a History,
    /// What an instance shows that has read Redis anew.
    last: Shown,
    found: Vec<Violation>,
}

impl Judge<'_> {
    fn report(&mut self, broken: Broken, how: String) {
        self.found.push(Violation { broken, how });
    }

    fn instances(&mut self) {
        for (number, shown) in self.history.shown.iter().enumerate() {
            let slots: BTreeSet<_> = shown.keys().chain(self.last.keys()).collect();
            let differ = slots.into_iter().find(|slot| shown.get(*slot) != self.last.get(*slot));
            if let Some(slot) = differ {
                let (here, there) = (shown.get(slot), self.last.get(slot));
                let how = format!("instance {number} shows {slot} as {here:?}, Redis has {there:?}");
                self.found.push(Violation { broken: Broken::Instances, how });
            }
        }
    }

    fn operation(&mut self, operation: &Operation) {
        for attempt in operation.attempts.iter().filter(|attempt| matches!(attempt.said, Said::Done { .. })) {
            let forbidden = self.history.forbidden.iter();
            let within = |from, until| from <= attempt.invoked_at && attempt.completed_at <= until;
            if let Some(forbidden) = forbidden.clone().find(|span| within(span.from, span.until)) {
                self.report(Broken::Forbidden, format!("acknowledged while {}: {operation:?}", forbidden.why));
            }
        }
        if !matches!(operation.call, Call::Publish { .. } | Call::ReadOwn { .. }) {
            let told = operation.attempts.iter().filter_map(|attempt| match &attempt.said {
                Said::Done { claim_id, replayed, .. } => Some((claim_id, replayed)),
                Said::Refused(_) | Said::Unknown(_) => None,
            });
            let ids: BTreeSet<_> = told.clone().map(|(id, _)| id).collect();
            let first = told.filter(|(_, replayed)| !**replayed).count();
            if ids.len() > 1 || (first > 1 && matches!(operation.call, Call::Hold { .. } | Call::Rebook { .. })) {
                self.report(Broken::TwoEffects, format!("one request was carried out twice: {operation:?}"));
            }
        }
        if operation.was_denied() {
            self.report(Broken::Unasked, format!("it was carried out after it was refused: {operation:?}"));
        }
        self.call(operation);
    }

    fn call(&mut self, operation: &Operation) {
        let slack_ms = self.history.allowance.clock_slack_ms + TICK_MS;
        match &operation.call {
            Call::Reuse { .. } if operation.done().is_some() => {
                self.report(Broken::IdReused, format!("{operation:?}"));
            }
            Call::Confirm { expires_at, .. } => match operation.refused() {
                Some((attempt, "HOLD_EXPIRED")) if attempt.completed_at + slack_ms < *expires_at => {
                    self.report(Broken::Ends, format!("a hold was told to be over while it lived: {operation:?}"));
                }
                Some((attempt, "UNKNOWN_HOLD")) if attempt.completed_at + slack_ms < *expires_at => {
                    self.report(Broken::Lost, format!("an acknowledged hold is unknown: {operation:?}"));
                }
                Some(_) | None => {}
            },
            Call::ReadOwn { .. } if operation.refused().is_some_and(|(_, reason)| reason == "UNKNOWN_HOLD") => {
                self.report(Broken::OwnWrite, format!("{operation:?}"));
            }
            Call::Publish { slots, .. } if operation.done().is_some() => {
                for (slot, _) in slots {
                    if !self.last.contains_key(slot) {
                        self.report(Broken::Lost, format!("{slot} was published and is not there"));
                    }
                }
            }
            Call::Hold { .. }
            | Call::Reuse { .. }
            | Call::Release { .. }
            | Call::Cancel { .. }
            | Call::Rebook { .. }
            | Call::ReadOwn { .. }
            | Call::Publish { .. } => {}
        }
    }

    fn cases(&mut self) {
        let mut booked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for claim in self.last.values().flatten().filter(|claim| claim.state == ShownState::Booked) {
            booked.entry(&claim.case_id).or_default().push(&claim.claim_id);
        }
        let twice: Vec<_> = booked.into_iter().filter(|(_, claims)| claims.len() > 1).collect();
        if !twice.is_empty() {
            self.found.push(Violation { broken: Broken::TwoBookings, how: format!("{twice:?}") });
        }
    }

    fn quarantined(&mut self, slot_id: &str, claim: &ShownClaim) {
        let told = |operation: &&Operation| operation.done().is_some_and(|(_, told, _)| told == claim.claim_id);
        if let Some(operation) = self.history.operations.iter().find(told) {
            self.report(Broken::Lost, format!("{claim:?} of {slot_id} was acknowledged: {operation:?}"));
        }
    }

    fn slots(&mut self) {
        let mut slots: BTreeMap<&str, Gathered<'_>> = BTreeMap::new();
        for operation in &self.history.operations {
            if let Call::Publish { slots: published, .. } = &operation.call {
                for (slot, capacity) in published {
                    slots.entry(slot).or_default().capacity = *capacity;
                }
            }
        }
        let last = self.history.shown.last();
        last.into_iter().flat_map(Shown::keys).for_each(|slot| {
            slots.entry(slot).or_default();
        });
        for operation in &self.history.operations {
            for slot in concerned(&operation.call) {
                slots.entry(slot).or_default().operations.push(operation);
            }
        }
        for (slot_id, gathered) in slots {
            let shown = self.last.get(slot_id).cloned().unwrap_or_default();
            let live = |claim: &&ShownClaim| match claim.state {
                ShownState::Booked => true,
                ShownState::Held => claim.expires_at > self.history.shown_at,
                ShownState::Released | ShownState::Cancelled | ShownState::Quarantined => false,
            };
            let claimed = shown.iter().filter(live).count();
            if claimed > gathered.capacity {
                self.report(Broken::Capacity, format!("{slot_id} of {} has {shown:?}", gathered.capacity));
            }
            // What the ledger lost is no part of its history; what was acknowledged must not be lost.
            let (lost, shown): (Vec<_>, Vec<_>) =
                shown.into_iter().partition(|claim| claim.state == ShownState::Quarantined);
            for claim in lost {
                self.quarantined(slot_id, &claim);
            }
            let mut gathering = Gathering::new(self.history, slot_id, &shown);
            gathered.operations.iter().for_each(|operation| gathering.take(operation));
            let found = gathering.judge(gathered.capacity);
            self.found.extend(found);
        }
    }
}

/// Instants are cut to milliseconds, on both sides.
const TICK_MS: i64 = 5;

#[derive(Default)]
struct Gathered<'a> {
    capacity: usize,
    operations: Vec<&'a Operation>,
}

fn concerned(call: &Call) -> Vec<&str> {
    match call {
        Call::Hold { slot_id, .. }
        | Call::Confirm { slot_id, .. }
        | Call::Release { slot_id, .. }
        | Call::Cancel { slot_id, .. } => vec![slot_id],
        Call::Rebook { from_slot_id, slot_id, .. } => vec![from_slot_id, slot_id],
        Call::Reuse { .. } | Call::ReadOwn { .. } | Call::Publish { .. } => Vec::new(),
    }
}

/// The steps of one slot, as they are gathered from what clients were told and what is shown in the end.
struct Gathering<'a> {
    history: &'a History,
    slot_id: &'a str,
    shown: &'a [ShownClaim],
    claims: HashMap<String, usize>,
    ends: Vec<i64>,
    steps: Vec<Step>,
    /// Whether a hold may have taken a unit for a while without a trace.
    has_untraced_hold: bool,
    found: Vec<Violation>,
}

impl<'a> Gathering<'a> {
    fn new(history: &'a History, slot_id: &'a str, shown: &'a [ShownClaim]) -> Self {
        Self {
            history,
            slot_id,
            shown,
            claims: HashMap::new(),
            ends: Vec::new(),
            steps: Vec::new(),
            has_untraced_hold: false,
            found: Vec::new(),
        }
    }

    fn claim(&mut self, claim_id: &str, expires_at: i64) -> usize {
        let next = self.ends.len();
        let claim = *self.claims.entry(claim_id.to_owned()).or_insert(next);
        if claim == next {
            self.ends.push(expires_at);
        }
        claim
    }

    fn step(&mut self, act: Act, operation: &Operation, is_certain: bool) {
        let completed_at = operation.done().map_or(i64::MAX, |(attempt, _, _)| attempt.completed_at);
        self.steps.push(Step { act, invoked_at: operation.invoked_at(), completed_at, is_certain });
    }

    fn take(&mut self, operation: &Operation) {
        let is_done = operation.done().is_some();
        let may_be = is_done || operation.is_unknown();
        match &operation.call {
            Call::Hold { .. } => self.made(operation, Act::Hold, None),
            Call::Rebook { slot_id, claim_id, .. } if slot_id == self.slot_id => {
                self.made(operation, Act::Book, Some(claim_id));
            }
            Call::Confirm { claim_id, expires_at, .. } if may_be => {
                let claim = self.claim(claim_id, *expires_at);
                self.step(Act::Confirm(claim), operation, is_done);
            }
            Call::Release { claim_id, .. } if may_be => {
                let claim = self.claim(claim_id, i64::MAX);
                self.step(Act::Release(claim), operation, is_done);
            }
            Call::Cancel { claim_id, .. } | Call::Rebook { claim_id, .. } if may_be => {
                let claim = self.claim(claim_id, i64::MAX);
                self.step(Act::Cancel(claim), operation, is_done);
            }
            Call::Confirm { .. }
            | Call::Release { .. }
            | Call::Cancel { .. }
            | Call::Rebook { .. }
            | Call::Reuse { .. }
            | Call::ReadOwn { .. }
            | Call::Publish { .. } => {}
        }
    }

    /// A hold, or the booking that replaces one of the same case.
    fn made(&mut self, operation: &Operation, act: fn(usize) -> Act, besides: Option<&str>) {
        let shown: Vec<&ShownClaim> = self
            .shown
            .iter()
            .filter(|claim| claim.case_id == operation.case_id && Some(claim.claim_id.as_str()) != besides)
            .collect();
        let told = operation.done().map(|(_, claim_id, expires_at)| (claim_id.to_owned(), expires_at));
        if let Some((claim_id, expires_at)) = &told {
            let claim = self.claim(claim_id, *expires_at);
            self.step(act(claim), operation, true);
        }
        for claim in shown.into_iter().filter(|claim| told.as_ref().is_none_or(|(id, _)| *id != claim.claim_id)) {
            if told.is_some() {
                let how = format!("{claim:?} beside what was told: {operation:?}");
                self.found.push(Violation { broken: Broken::TwoEffects, how });
            } else if told.is_none() && !operation.is_unknown() {
                let how = format!("{claim:?} was refused: {operation:?}");
                self.found.push(Violation { broken: Broken::Unasked, how });
            }
            let number = self.claim(&claim.claim_id, claim.expires_at);
            let completed_at = self.history.shown_at;
            let step = Step { act: act(number), invoked_at: operation.invoked_at(), completed_at, is_certain: true };
            self.steps.push(step);
        }
        if told.is_none() && operation.is_unknown() {
            self.has_untraced_hold = true;
        }
        if let Some((attempt, "SLOT_TAKEN")) = operation.refused() {
            let Some(attempt) = Some(attempt).filter(|_| matches!(operation.call, Call::Hold { .. })) else { return };
            let (invoked_at, completed_at) = (attempt.invoked_at, attempt.completed_at);
            self.steps.push(Step { act: Act::FindTaken, invoked_at, completed_at, is_certain: true });
        }
    }

    fn judge(mut self, capacity: usize) -> Vec<Violation> {
        let mut last = vec![None; self.ends.len()];
        for claim in self.shown {
            match self.claims.get(&claim.claim_id) {
                Some(number) => last[*number] = Some(claim.state),
                None => {
                    let how = format!("nobody asked for {claim:?} of {}", self.slot_id);
                    self.found.push(Violation { broken: Broken::Unasked, how });
                }
            }
        }
        if self.has_untraced_hold {
            self.steps.retain(|step| step.act != Act::FindTaken);
        }
        self.lost(&last);
        let slack_ms = self.history.allowance.clock_slack_ms + TICK_MS;
        let read_at = self.history.shown_at;
        let slot = SlotHistory { capacity, ends: self.ends, steps: self.steps, last, read_at, slack_ms };
        if let Err(why) = explain(&slot) {
            self.found.push(Violation { broken: Broken::Order, how: format!("{}: {why}", self.slot_id) });
        }
        self.found
    }

    /// What was acknowledged, must still be there by itself, and is not.
    fn lost(&mut self, last: &[Option<ShownState>]) {
        let may_end: BTreeSet<usize> = self
            .steps
            .iter()
            .filter_map(|step| match step.act {
                Act::Release(claim) | Act::Cancel(claim) => Some(claim),
                Act::Hold(_) | Act::Book(_) | Act::Confirm(_) | Act::FindTaken => None,
            })
            .collect();
        for step in self.steps.iter().filter(|step| step.is_certain) {
            let (Act::Confirm(claim) | Act::Book(claim)) = step.act else { continue };
            if last[claim] != Some(ShownState::Booked) && !may_end.contains(&claim) {
                let how = format!("a booking on {} is {:?} in the end: {step:?}", self.slot_id, last[claim]);
                self.found.push(Violation { broken: Broken::Lost, how });
            }
        }
    }
}
