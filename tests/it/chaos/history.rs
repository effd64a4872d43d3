//! What clients asked and were told, each with the instants between which it happened.
//!
//! Deliberately absent: any judgement.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::clock::{Clock as _, SystemClock};

/// Milliseconds since 1970 by this machine's clock.
pub(super) fn now_ms() -> i64 {
    SystemClock.now().ms()
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Call {
    /// Hold a slot.
    Hold { slot_id: String, ttl_seconds: u32 },
    /// Hold under a request id that was carried out for other content.
    Reuse { slot_id: String },
    /// Turn a hold into a booking.
    Confirm { slot_id: String, claim_id: String, expires_at: i64 },
    /// Give a hold back.
    Release { slot_id: String, claim_id: String },
    /// Cancel a booking.
    Cancel { slot_id: String, claim_id: String },
    /// Book another slot instead.
    Rebook { from_slot_id: String, claim_id: String, slot_id: String },
    /// Read a hold on the instance that acknowledged it.
    ReadOwn { claim_id: String },
    /// State slots, each with its capacity, that begin then.
    Publish { slots: Vec<(String, usize)>, start_s: i64 },
}

/// What is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// Done.
    Done {
        /// The claim that is told; empty when none is.
        claim_id: String,
        /// When it ends; the greatest instant when it does not.
        expires_at: i64,
        /// Whether it was done before.
        replayed: bool,
    },
    /// Not done, for this reason.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

/// One try of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Attempt {
    /// Which instance was asked.
    pub(super) instance: usize,
    /// When it was asked.
    pub(super) invoked_at: i64,
    /// When it was told, or given up.
    pub(super) completed_at: i64,
    /// What was told.
    pub(super) said: Said,
}

/// What one client wants, tried under one request id until it knows, or gives up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Operation {
    /// Name of the request.
    pub(super) request_id: String,
    /// Regulation file; every hold has one of its own.
    pub(super) case_id: String,
    /// What is asked.
    pub(super) call: Call,
    /// The tries, in order of their ends.
    pub(super) attempts: Vec<Attempt>,
}

impl Operation {
    /// When it was asked first.
    pub(super) fn invoked_at(&self) -> i64 {
        self.attempts.iter().map(|attempt| attempt.invoked_at).min().unwrap_or(i64::MIN)
    }

    /// When the first that knew told it was done, and what it told.
    pub(super) fn done(&self) -> Option<(&Attempt, &str, i64)> {
        self.attempts.iter().find_map(|attempt| match &attempt.said {
            Said::Done { claim_id, expires_at, .. } => Some((attempt, claim_id.as_str(), *expires_at)),
            Said::Refused(_) | Said::Unknown(_) => None,
        })
    }

    /// Whether it may have been done though nobody said so.
    pub(super) fn is_unknown(&self) -> bool {
        self.done().is_none() && self.attempts.iter().any(|attempt| matches!(attempt.said, Said::Unknown(_)))
    }

    /// Whether a try was told that it was done before, though all others were refused.
    pub(super) fn was_denied(&self) -> bool {
        let is_replay = |attempt: &Attempt| matches!(attempt.said, Said::Done { replayed: true, .. });
        let is_refusal = |attempt: &Attempt| matches!(attempt.said, Said::Refused(_));
        !matches!(self.call, Call::ReadOwn { .. })
            && self.attempts.iter().any(is_replay)
            && self.attempts.iter().all(|attempt| is_replay(attempt) || is_refusal(attempt))
    }

    /// The only try and the reason of its refusal, when there was no other.
    pub(super) fn refused(&self) -> Option<(&Attempt, &str)> {
        match self.attempts.as_slice() {
            [attempt] => match &attempt.said {
                Said::Refused(reason) => Some((attempt, reason.as_str())),
                Said::Done { .. } | Said::Unknown(_) => None,
            },
            _ => None,
        }
    }
}

/// A claim as an instance shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ShownClaim {
    /// Its identifier.
    pub(super) claim_id: String,
    /// Its case.
    pub(super) case_id: String,
    /// How it stands.
    pub(super) state: ShownState,
    /// When it ends.
    pub(super) expires_at: i64,
}

/// How a claim is shown; a hold that is over may or may not be marked so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum ShownState {
    /// Held, or expired.
    Held,
    /// Booked, or to be re-placed.
    Booked,
    /// Given back.
    Released,
    /// Cancelled.
    Cancelled,
    /// Lost by the ledger, and remembered by an instance.
    Quarantined,
}

/// The slots of an instance, each with its claims.
pub(super) type Shown = HashMap<String, Vec<ShownClaim>>;

/// A span in which nothing may be acknowledged, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Forbidden {
    /// From.
    pub(super) from: i64,
    /// Until.
    pub(super) until: i64,
    /// Why.
    pub(super) why: &'static str,
}

/// What the faults of a run excuse; nothing else is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Allowance {
    /// How far the server's clock was from this machine's.
    pub(super) clock_slack_ms: i64,
}

/// Everything that a run left behind for its judge.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct History {
    /// What was asked.
    pub(super) operations: Vec<Operation>,
    /// What every instance shows at the end, the last one having read Redis anew.
    pub(super) shown: Vec<Shown>,
    /// When that was.
    pub(super) shown_at: i64,
    /// When nothing may have been acknowledged.
    pub(super) forbidden: Vec<Forbidden>,
    /// What is excused.
    pub(super) allowance: Allowance,
}

/// Where clients write down what they did.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<Operation>>>);

impl Recorder {
    /// Notes one.
    pub(super) fn note(&self, operation: Operation) {
        self.0.lock().push(operation);
    }

    /// How many holds and bookings were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.0.lock().iter().filter(|operation| operation.done().is_some()).count()
    }

    /// All of them.
    pub(super) fn take(&self) -> Vec<Operation> {
        std::mem::take(&mut self.0.lock())
    }
}
