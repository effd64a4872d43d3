//! What became of the calls of a phase, added up.
//!
//! Invariant: every call that was due is told once: answered, refused by a rule, or without an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::plan::{PIECE, Piece};
use super::report::{ALL, Figures, Phase};

/// What became of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Answered,
    /// By a rule, which is an answer; with its reason.
    Refused(String),
    /// For want of room.
    Shed,
    /// Anything else, with its name.
    Failed(String),
}

/// The name of what is refused for want of room.
pub const OVERLOADED: &str = "OVERLOADED";

/// What became of calls.
#[derive(Debug)]
pub struct Tally {
    operations: BTreeMap<&'static str, Histogram<u64>>,
    shed: Histogram<u64>,
    refusals: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    pieces: Vec<Piece>,
    /// When the last answer came.
    last: Duration,
    /// From which latency on a call is slow, for the recovery after an overload.
    slow: Duration,
}

/// Latencies up to two minutes, to three digits.
fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).unwrap()
}

impl Tally {
    pub fn new(slow: Duration) -> Self {
        let (refusals, errors) = (BTreeMap::new(), BTreeMap::new());
        Self {
            operations: BTreeMap::new(),
            shed: times(),
            refusals,
            errors,
            pieces: Vec::new(),
            last: Duration::ZERO,
            slow,
        }
    }

    /// A call that was due so long after the start; its latency is from then on, `sent_us` from when it was sent.
    pub fn tell(
        &mut self,
        operation: &'static str,
        due: Duration,
        latency: Duration,
        sent: Duration,
        outcome: Outcome,
    ) {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let is_answer = matches!(outcome, Outcome::Answered | Outcome::Refused(_));
        if is_answer {
            self.last = self.last.max(due.saturating_add(latency));
            for name in [operation, ALL] {
                self.operations.entry(name).or_insert_with(times).saturating_record(us(latency));
            }
        }
        match outcome {
            Outcome::Answered => {}
            Outcome::Refused(reason) => *self.refusals.entry(reason).or_default() += 1,
            Outcome::Shed => {
                self.shed.saturating_record(us(sent));
                *self.errors.entry(OVERLOADED.to_owned()).or_default() += 1;
            }
            Outcome::Failed(reason) => *self.errors.entry(reason).or_default() += 1,
        }
        let at = usize::try_from(due.as_nanos() / PIECE.as_nanos()).unwrap_or(0);
        if self.pieces.len() <= at {
            self.pieces.resize(at + 1, Piece::default());
        }
        self.pieces[at].calls += 1;
        self.pieces[at].bad += u64::from(!is_answer || latency > self.slow);
    }

    pub fn add(&mut self, other: &Self) {
        for (name, histogram) in &other.operations {
            self.operations.entry(*name).or_insert_with(times).add(histogram).unwrap();
        }
        self.shed.add(&other.shed).unwrap();
        for (reason, count) in &other.refusals {
            *self.refusals.entry(reason.clone()).or_default() += count;
        }
        for (reason, count) in &other.errors {
            *self.errors.entry(reason.clone()).or_default() += count;
        }
        self.last = self.last.max(other.last);
        self.pieces.resize(self.pieces.len().max(other.pieces.len()), Piece::default());
        for (mine, piece) in self.pieces.iter_mut().zip(&other.pieces) {
            mine.calls += piece.calls;
            mine.bad += piece.bad;
        }
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// As a phase of so long, at this rate. What was answered is set against the time until the last answer, so that a server
    /// that works off a backlog after the phase does not seem to have followed.
    pub fn phase(&self, name: &str, rate: f64, time: Duration) -> Phase {
        let operations: BTreeMap<String, Figures> =
            self.operations.iter().map(|(name, times)| ((*name).to_owned(), Figures::of(times))).collect();
        let took = time.max(self.last);
        let answered = operations.get(ALL).map_or(0, |figures| figures.count);
        Phase {
            name: name.to_owned(),
            offered_per_second: rate,
            goodput_per_second: answered as f64 / took.as_secs_f64(),
            seconds: took.as_secs_f64(),
            operations,
            shed: Figures::of(&self.shed),
            refusals: self.refusals.clone(),
            errors: self.errors.clone(),
            recovery_ms: None,
        }
    }
}
