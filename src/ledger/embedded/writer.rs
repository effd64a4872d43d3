//! The one thread that writes.
//!
//! Invariant: it answers an append as written only after the commit and after the sink was told; and it tells the sink
//! nothing that is not committed.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use tokio::sync::oneshot;

use super::queue::{Job, Shared};
use super::store::batch::Batch;
use super::store::{Fault, LOG_ENTRIES_KEPT, OpenFile, State, Store};
use crate::clock::SharedClock;
use crate::domain::record::Change;
use crate::domain::time::UtcInstant;
use crate::ledger::queue::Prepared;
use crate::ledger::{APPEND_ENTRIES_MAX, AppendOutcome, ChangeSink, Unavailable, is_news};
use crate::trace::Attribute;

/// Most entries of a batch before its last append.
const BATCH_ENTRIES_MAX: usize = 4_096;
/// Most bytes of a batch before its last append: 4 MiB.
const BATCH_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Longest pause in which the next append of a batch is waited for.
const GATHER: Duration = Duration::from_micros(100);

const _: () = assert!(
    (BATCH_ENTRIES_MAX + APPEND_ENTRIES_MAX) as u64 <= LOG_ENTRIES_KEPT,
    "a batch whose commit failed must be found whole in the log",
);

type Waiting = (Prepared, oneshot::Sender<AppendOutcome>);

/// The writer; runs on a thread of its own.
pub(super) struct Writer {
    file: Box<dyn OpenFile>,
    /// `None` after a failure, until the file is open again.
    store: Option<Store>,
    /// How the store stands as far as the sink was told.
    state: State,
    clock: SharedClock,
    sink: Arc<dyn ChangeSink>,
    shared: Arc<Shared>,
    jobs: Receiver<Job>,
    /// How many appends the batch before had.
    last_batch: usize,
}

/// What a batch came to.
struct Written {
    outcomes: Vec<AppendOutcome>,
    state: State,
    changes: Vec<Change>,
}

/// Why a batch was not written.
struct Failure {
    fault: Fault,
    /// Whether the commit had begun, so that the file may hold the batch all the same.
    at_commit: bool,
}

impl<E: Into<Fault>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { fault: error.into(), at_commit: false }
    }
}

impl Writer {
    /// A writer to an open file.
    pub(super) fn new(
        file: Box<dyn OpenFile>,
        store: Store,
        state: State,
        clock: SharedClock,
        sink: Arc<dyn ChangeSink>,
        shared: Arc<Shared>,
        jobs: Receiver<Job>,
    ) -> Self {
        Self { file, store: Some(store), state, clock, sink, shared, jobs, last_batch: 0 }
    }

    /// Writes until the ledger closes or everybody who could append is gone.
    pub(super) fn run(mut self) {
        while let Ok(job) = self.jobs.recv() {
            let mut batch = Vec::new();
            let next = self.collect(job, &mut batch);
            if !batch.is_empty() {
                self.write(batch);
            }
            match next {
                Some(Job::Trim { steady_at, answer }) => {
                    // Whoever no longer waits needs no answer.
                    let _ = answer.send(self.trim(steady_at));
                }
                Some(Job::Heal) => self.heal(),
                Some(Job::Close) => return self.close(),
                Some(Job::Append { .. }) | None => {}
            }
        }
    }

    /// Takes what waits, up to a full batch or a job that is no append; that job is returned.
    ///
    /// Callers that were answered together ask again together, a moment later: one commit for all of them costs less
    /// than two. So a batch that is smaller than the one before waits that moment; a lone caller never does.
    fn collect(&mut self, first: Job, batch: &mut Vec<Waiting>) -> Option<Job> {
        let (mut entries, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(Job::Append { mut prepared, answer }) = next {
            prepared.trail.taken();
            self.shared.room.release(prepared.bytes);
            entries += prepared.append.entries.len();
            bytes += prepared.bytes;
            batch.push((prepared, answer));
            if entries >= BATCH_ENTRIES_MAX || bytes >= BATCH_BYTES_MAX {
                next = None;
                break;
            }
            next = match self.jobs.try_recv() {
                Ok(job) => Some(job),
                Err(_) if batch.len() < self.last_batch => self.jobs.recv_timeout(GATHER).ok(),
                Err(_) => None,
            };
        }
        self.last_batch = batch.len();
        next
    }

    fn write(&mut self, batch: Vec<Waiting>) {
        let Some(store) = &mut self.store else {
            let reason = self.shared.refusal().unwrap_or_default();
            return answer_all(batch, |_| AppendOutcome::Unavailable(Unavailable::Refused(reason.clone())));
        };
        match write_batch(store, self.state, &self.clock, &batch) {
            Ok(Written { outcomes, state, changes }) => {
                self.state = state;
                if !changes.is_empty() {
                    self.sink.apply(&changes);
                }
                self.shared.advance(state);
                let mut outcomes = outcomes.into_iter();
                answer_all(batch, |_| outcomes.next().unwrap_or_else(unanswered));
            }
            Err(Failure { fault, at_commit }) => self.fail(batch, &fault, at_commit),
        }
    }

    /// Forgets some of what is past its time; how much.
    fn trim(&mut self, steady_at: UtcInstant) -> Result<usize, Unavailable> {
        let Some(store) = &mut self.store else {
            return Err(Unavailable::Refused(self.shared.refusal().unwrap_or_default()));
        };
        match trim_once(store, self.state, &self.clock, steady_at) {
            Ok((state, count)) => {
                self.state = state;
                self.shared.advance(state);
                Ok(count)
            }
            Err(Failure { fault, at_commit }) => {
                self.fail(Vec::new(), &fault, at_commit);
                Err(Unavailable::Refused(fault.to_string()))
            }
        }
    }

    /// After a failure the file must be opened anew; until then appends are refused.
    fn fail(&mut self, batch: Vec<Waiting>, fault: &Fault, at_commit: bool) {
        let reason = fault.to_string();
        tracing::error!(error = %reason, at_commit, "the ledger cannot write and refuses appends until it can");
        self.store = None;
        self.shared.refuse(&reason);
        answer_all(batch, |_| {
            let reason = reason.clone();
            AppendOutcome::Unavailable(match at_commit {
                true => Unavailable::OutcomeUnknown(reason),
                false => Unavailable::Refused(reason),
            })
        });
    }

    fn heal(&mut self) {
        if self.store.is_some() {
            return;
        }
        match self.reopen() {
            Ok(missed) => {
                self.shared.accept();
                tracing::info!(changes.missed = missed, "the ledger writes again");
            }
            Err(reason) => {
                tracing::warn!(error = %reason, "the ledger still cannot write");
                self.shared.refuse(&reason);
            }
        }
    }

    /// Opens the file anew and tells the sink what it holds beyond what was told; how much that was.
    fn reopen(&mut self) -> Result<usize, String> {
        let (store, found) = Store::open(self.file.as_ref(), None).map_err(|error| error.to_string())?;
        if found.deployment_id != self.state.deployment_id {
            return Err("another ledger stands in its place: restart the service".to_owned());
        }
        let lost = self.state.sequence.checked_sub(found.sequence).filter(|lost| *lost > 0);
        if let Some(lost) = lost {
            return Err(format!("the disk lost {lost} acknowledged changes: restart the service to show what is left"));
        }
        let missed = store.changes_after(self.state.sequence, found).map_err(|error| error.to_string())?;
        if missed.len() as u64 != found.sequence - self.state.sequence {
            return Err("the log does not hold what the sink missed: restart the service".to_owned());
        }
        // The disk must take a commit before anybody is told that appends are accepted.
        let state = State { shown_at: found.shown_at.max(self.state.shown_at).max(self.clock.now()), ..found };
        let probe = || -> Result<(), Fault> { store.commit_state(store.write()?, state) };
        probe().map_err(|fault| fault.to_string())?;
        if !missed.is_empty() {
            self.sink.apply(&missed);
        }
        self.shared.advance(state);
        self.state = state;
        self.store = Some(store);
        Ok(missed.len())
    }

    /// Answers those who came too late.
    fn close(self) {
        while let Ok(job) = self.jobs.try_recv() {
            // Whoever no longer waits needs no answer.
            match job {
                Job::Append { prepared: _, answer } => {
                    let _ = answer.send(AppendOutcome::Unavailable(Unavailable::Closing));
                }
                Job::Trim { steady_at: _, answer } => {
                    let _ = answer.send(Err(Unavailable::Closing));
                }
                Job::Heal | Job::Close => {}
            }
        }
        tracing::info!(sequence = self.state.sequence, "ledger closed");
    }
}

fn write_batch(store: &mut Store, state: State, clock: &SharedClock, jobs: &[Waiting]) -> Result<Written, Failure> {
    let transaction = store.write()?;
    let mut batch = Batch::new(&transaction, store, state, clock)?;
    let mut outcomes = Vec::with_capacity(jobs.len());
    for (prepared, _) in jobs {
        outcomes.push(batch.carry_out(prepared)?);
    }
    if !batch.has_written() {
        let state = batch.state;
        drop(batch);
        transaction.abort()?;
        return Ok(Written { outcomes, state, changes: Vec::new() });
    }
    let (state, changes) = batch.finish()?;
    store.commit_state(transaction, state).map_err(|fault| Failure { fault, at_commit: true })?;
    Ok(Written { outcomes, state, changes })
}

/// One transaction that forgets; nothing is written when nothing is past its time and the instant is no news.
fn trim_once(
    store: &mut Store,
    state: State,
    clock: &SharedClock,
    steady_at: UtcInstant,
) -> Result<(State, usize), Failure> {
    let is_news = is_news(steady_at, Some(state.steady_at));
    let transaction = store.write()?;
    let mut batch = Batch::new(&transaction, store, state, clock)?;
    let count = batch.trim()?;
    let mut state = batch.state;
    drop(batch);
    if count == 0 && !is_news {
        transaction.abort()?;
    } else {
        state.steady_at = steady_at;
        store.commit_state(transaction, state).map_err(|fault| Failure { fault, at_commit: true })?;
    }
    Ok((state, count))
}

fn answer_all(batch: Vec<Waiting>, mut outcome: impl FnMut(&Prepared) -> AppendOutcome) {
    let count = batch.len();
    for (mut prepared, answer) in batch {
        prepared.trail.stored(&[(Attribute::BATCH, count.into())]);
        // Whoever no longer waits needs no answer.
        let _ = answer.send(outcome(&prepared));
    }
}

fn unanswered() -> AppendOutcome {
    AppendOutcome::Unavailable(Unavailable::OutcomeUnknown("the append was not judged".to_owned()))
}
