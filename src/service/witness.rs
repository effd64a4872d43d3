//! Who is told what happens: the port through which use cases are counted and shown, without knowing by whom.
//!
//! Invariant: a witness is told on the way of the use case and after its decision, so it must neither wait nor fail, and it alters
//! nothing. Nothing is made for it while nobody listens. What it is told has cases and positions in it, which it must not keep.
//! A booking operation whose caller gave up before its end is told to nobody but the transport.
//! Deliberately absent: what is only known when somebody looks, such as holds that ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::clock::Stopwatch;
use crate::domain::answer::CareAnswer;
use crate::domain::case::RefusalReason;
use crate::domain::department::Department;
use crate::domain::id::{ScheduleId, SlotId, SourceId};
use crate::domain::query::CareQuery;
use crate::ledger::{Append, AppendOutcome, Unavailable};
use crate::trace::{self, Attribute};

use super::publish::{RowOutcome, RowStatus};
use super::{Done, Error, Reason, Service};

/// Is told what happens; what it does not care for it leaves out.
pub trait Witness: Send + Sync + 'static {
    /// A question was answered: by `FindCare`, or by the first answer of a watch.
    fn answered(&self, _answered: &Answered<'_>) {}

    /// A booking operation ended.
    fn operated(&self, _operated: &Operated<'_>) {}

    /// An offer was recorded as come to nothing, once.
    fn refused(&self, _reason: RefusalReason, _source: Option<&SourceId>) {}

    /// Rows of a source were taken, and questions see them.
    fn published(&self, _source: &SourceId, _rows: RowCounts, _took: Duration) {}

    /// An append ended.
    fn appended(&self, _result: AppendResult, _took: Duration) {}
}

/// A question and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// What was asked.
    pub query: &'a CareQuery,
    /// The department of the patient, stated or estimated.
    pub department: Option<Department>,
    /// What was answered.
    pub answer: &'a CareAnswer,
    /// How long it took, road times included and the transport not.
    pub took: Duration,
}

/// A use case on bookings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Operation {
    /// A slot is held.
    Hold,
    /// A hold is confirmed.
    Confirm,
    /// A hold is given back.
    Release,
    /// A booking is cancelled.
    Cancel,
    /// A booking is moved to another slot.
    Rebook,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hold, Self::Confirm, Self::Release, Self::Cancel, Self::Rebook];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Confirm => "confirm",
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::Rebook => "rebook",
        }
    }
}

/// How a booking operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperationResult {
    /// It was carried out, or stood so already.
    Done {
        /// Whether a slot was taken in which care begins beyond the clinical delay.
        beyond_delay: bool,
    },
    /// An earlier call with the same request id had carried it out.
    Replayed,
    /// It was refused.
    Refused(Reason),
}

impl OperationResult {
    /// Stable code: `done`, `replayed`, or that of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done { beyond_delay: _ } => "done",
            Self::Replayed => "replayed",
            Self::Refused(reason) => reason.code(),
        }
    }
}

/// A booking operation that ended.
#[derive(Clone, Copy, Debug)]
pub struct Operated<'a> {
    /// Which.
    pub operation: Operation,
    /// How it ended.
    pub result: OperationResult,
    /// Whose slot was asked for, when it was refused and the slot is known.
    pub source: Option<&'a SourceId>,
}

/// How many rows of a source became what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowCounts {
    /// New slots.
    pub created: usize,
    /// Slots that changed.
    pub updated: usize,
    /// Slots that are the same.
    pub unchanged: usize,
    /// Slots that were withdrawn.
    pub withdrawn: usize,
    /// Rows that were refused.
    pub refused: usize,
}

impl RowCounts {
    /// The counts of a batch.
    pub(super) fn of(rows: &[RowOutcome]) -> Self {
        let count = |status| rows.iter().filter(|row| row.status == status).count();
        Self {
            created: count(RowStatus::Created),
            updated: count(RowStatus::Updated),
            unchanged: count(RowStatus::Unchanged),
            withdrawn: 0,
            refused: count(RowStatus::Refused),
        }
    }

    /// The same rows, where an update is a withdrawal.
    pub(super) fn of_withdrawn(rows: &[RowOutcome]) -> Self {
        let Self { updated, .. } = Self::of(rows);
        Self { updated: 0, withdrawn: updated, ..Self::of(rows) }
    }

    /// Each count with its stable code.
    #[must_use]
    pub const fn by_status(self) -> [(&'static str, usize); 5] {
        let Self { created, updated, unchanged, withdrawn, refused } = self;
        [
            ("created", created),
            ("updated", updated),
            ("unchanged", unchanged),
            ("withdrawn", withdrawn),
            ("refused", refused),
        ]
    }
}

/// How an append ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AppendResult {
    /// It is durable and shown.
    Appended,
    /// Its request was carried out before.
    Replayed,
    /// A record had another version; also what asks whether a request is known.
    Conflict,
    /// A time guard failed.
    OutOfTime,
    /// Its request id was used for other content.
    RequestIdReused,
    /// No ledger takes it.
    Invalid,
    /// The ledger refuses writes.
    Refused,
    /// It may or may not have been written.
    OutcomeUnknown,
    /// The queue was full.
    Overloaded,
    /// The ledger is closing.
    Closing,
}

impl AppendResult {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Appended,
        Self::Replayed,
        Self::Conflict,
        Self::OutOfTime,
        Self::RequestIdReused,
        Self::Invalid,
        Self::Refused,
        Self::OutcomeUnknown,
        Self::Overloaded,
        Self::Closing,
    ];

    fn of(outcome: &AppendOutcome) -> Self {
        match outcome {
            AppendOutcome::Appended { .. } => Self::Appended,
            AppendOutcome::Replayed { .. } => Self::Replayed,
            AppendOutcome::Conflict { .. } => Self::Conflict,
            AppendOutcome::OutOfTime { .. } => Self::OutOfTime,
            AppendOutcome::RequestIdReused => Self::RequestIdReused,
            AppendOutcome::Invalid(_) => Self::Invalid,
            AppendOutcome::Unavailable(Unavailable::Refused(_)) => Self::Refused,
            AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(_)) => Self::OutcomeUnknown,
            AppendOutcome::Unavailable(Unavailable::Overloaded) => Self::Overloaded,
            AppendOutcome::Unavailable(Unavailable::Closing) => Self::Closing,
        }
    }

    /// Whether the ledger did not do what a ledger that works does.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::Invalid | Self::Refused | Self::OutcomeUnknown | Self::Overloaded | Self::Closing => true,
            Self::Appended | Self::Replayed | Self::Conflict | Self::OutOfTime | Self::RequestIdReused => false,
        }
    }

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Appended => "appended",
            Self::Replayed => "replayed",
            Self::Conflict => "conflict",
            Self::OutOfTime => "out_of_time",
            Self::RequestIdReused => "request_id_reused",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Overloaded => "overloaded",
            Self::Closing => "closing",
        }
    }
}

/// Those who are told, and what is under way.
#[derive(Default)]
pub(super) struct Witnesses {
    all: ArcSwap<Vec<Arc<dyn Witness>>>,
    appends: AtomicUsize,
}

impl Witnesses {
    fn tell(&self, told: impl Fn(&dyn Witness)) {
        self.all.load().iter().for_each(|witness| told(witness.as_ref()));
    }

    fn is_anybody_there(&self) -> bool {
        !self.all.load().is_empty()
    }
}

/// An append under way, until it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service {
    /// Tells a witness from now on what happens, beside those who are told already.
    pub fn witnessed_by(&self, witness: Arc<dyn Witness>) {
        self.shared.witnesses.all.rcu(|all| {
            let mut all = Vec::clone(all);
            all.push(Arc::clone(&witness));
            all
        });
    }

    /// How many appends wait for the ledger.
    #[must_use]
    pub fn appends_under_way(&self) -> usize {
        self.shared.witnesses.appends.load(Ordering::Relaxed)
    }

    /// Asks the ledger for an append, and tells how it ended.
    pub(super) async fn append(&self, append: Append) -> AppendOutcome {
        let Witnesses { appends, .. } = &self.shared.witnesses;
        let stopwatch = Stopwatch::start();
        appends.fetch_add(1, Ordering::Relaxed);
        let under_way = UnderWay(appends);
        let span = trace::part("ledger");
        span.set(Attribute::ENTRIES, append.entries.len());
        let pending = {
            let _below = span.parent().enter();
            self.parts().ledger.append(append)
        };
        let outcome = pending.await;
        drop(under_way);
        let result = AppendResult::of(&outcome);
        span.set(Attribute::APPEND, result.code());
        drop(span);
        self.shared.witnesses.tell(|witness| witness.appended(result, stopwatch.elapsed()));
        outcome
    }

    /// Tells of an answer to a question that was asked when the watch was started.
    pub(super) fn tell_answered(&self, query: &CareQuery, answer: &CareAnswer, stopwatch: Stopwatch) {
        let witnesses = &self.shared.witnesses;
        if witnesses.is_anybody_there() {
            let answered = Answered { query, department: query.department(), answer, took: stopwatch.elapsed() };
            witnesses.tell(|witness| witness.answered(&answered));
        }
    }

    /// Tells how a booking operation ended; `beyond_delay` says whether it took a slot beyond the delay, `slot` which was asked for.
    pub(super) fn tell_operated<T>(
        &self,
        operation: Operation,
        ended: &Result<Done<T>, Error>,
        beyond_delay: impl Fn(&T) -> bool,
        slot: impl Fn() -> Option<SlotId>,
    ) {
        let witnesses = &self.shared.witnesses;
        if !witnesses.is_anybody_there() {
            return;
        }
        let (result, source) = match ended {
            Ok(done) if done.replayed => (OperationResult::Replayed, None),
            Ok(done) => (OperationResult::Done { beyond_delay: beyond_delay(&done.value) }, None),
            Err(error) => {
                let known = slot().and_then(|id| self.parts().index.slot(&id));
                let source = known.and_then(|slot| self.source_of(&slot.value.schedule_id));
                (OperationResult::Refused(error.reason), source)
            }
        };
        let operated = Operated { operation, result, source: source.as_ref() };
        witnesses.tell(|witness| witness.operated(&operated));
    }

    /// Tells of an offer that came to nothing.
    pub(super) fn tell_refused(&self, reason: RefusalReason, schedule: &ScheduleId) {
        let witnesses = &self.shared.witnesses;
        if witnesses.is_anybody_there() {
            let source = self.source_of(schedule);
            witnesses.tell(|witness| witness.refused(reason, source.as_ref()));
        }
    }

    /// Tells of rows that were taken.
    pub(super) fn tell_published(&self, source: &SourceId, rows: RowCounts, stopwatch: Stopwatch) {
        let took = stopwatch.elapsed();
        self.shared.witnesses.tell(|witness| witness.published(source, rows, took));
    }

    /// The source of a schedule that is known.
    fn source_of(&self, id: &ScheduleId) -> Option<SourceId> {
        self.parts().index.schedule(id).map(|schedule| schedule.value.source_id.clone())
    }
}
