//! One simulated instance: the real service and index, its end of the network, and how it follows the ledger's log.
//!
//! Following is what the product's ledger in Redis does, told in whole appends: a change is taken only when it continues what was
//! followed, else every record is read anew; what was read anew is not remembered change by change.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::clock::ManualClock;
use sas_router::domain::record::{Body, Change, Key, Position};
use sas_router::domain::time::UtcInstant;
use sas_router::index::Index;
use sas_router::ledger::{
    Append, AppendOutcome, ChangeSink as _, Ledger, LedgerHealth, PendingAppend, PendingTrim, Unavailable,
};
use sas_router::service::{Applier, Error, Parts, Service};
use sas_router::tasks::Tasks;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::store::{Logged, Mark, Store, Taken};

/// An append on its way to the ledger.
pub(super) struct Message {
    /// Whose, and which start of it.
    pub(super) from: (usize, u64),
    pub(super) append: Append,
    pub(super) answer: Option<oneshot::Sender<AppendOutcome>>,
}

/// An instance's end of the network.
struct Network {
    from: (usize, u64),
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Ledger for Network {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    fn durability(&self) -> &'static str {
        "as the run has it"
    }

    fn durability_class(&self) -> &'static str {
        "SIMULATED"
    }

    fn append(&self, append: Append) -> PendingAppend {
        let (answer, outcome) = oneshot::channel();
        self.messages.lock().push(Message { from: self.from, append, answer: Some(answer) });
        Box::pin(async move { outcome.await.unwrap_or_else(|_| AppendOutcome::Unavailable(unknown())) })
    }

    fn trim(&self, _: UtcInstant) -> PendingTrim {
        Box::pin(std::future::ready(Ok(0)))
    }

    fn health(&self) -> LedgerHealth {
        let head = Position { partition: 0, epoch: 1, sequence: 0 };
        LedgerHealth { head, refusal: None, reduction: None, is_open: true, clock_at: None, steady_at: None }
    }
}

pub(super) fn unknown() -> Unavailable {
    Unavailable::OutcomeUnknown("lost on its way".to_owned())
}

/// What an instance has followed, and what of it it remembers.
pub(super) struct Followed {
    epoch: u64,
    pub(super) history: Vec<Arc<Taken>>,
    /// Since where it remembers changes: those of this epoch that it read one by one.
    changes_from: usize,
    /// Since where it remembers outcomes: over epochs, but not over reading everything anew.
    outcomes_from: usize,
    /// Most that it remembers of either.
    most: usize,
}

impl Followed {
    pub(super) fn mark(&self) -> Mark {
        Mark::of(self.epoch, &self.history)
    }

    /// What came after a position of this very epoch; `None` when it is not all remembered.
    pub(super) fn after(&self, epoch: u64, sequence: u64) -> Option<&[Arc<Taken>]> {
        if self.epoch != epoch || self.mark().sequence < sequence {
            return None;
        }
        let at = self.history.iter().position(|taken| taken.sequence > sequence).unwrap_or(self.history.len());
        (at >= self.changes_from).then(|| &self.history[at..])
    }

    /// The appends whose requests' outcomes are remembered.
    pub(super) fn outcomes(&self) -> &[Arc<Taken>] {
        &self.history[self.outcomes_from..]
    }

    fn push(&mut self, taken: Arc<Taken>) {
        self.history.push(taken);
        let oldest = self.history.len().saturating_sub(self.most);
        self.changes_from = self.changes_from.max(oldest);
        self.outcomes_from = self.outcomes_from.max(oldest);
    }

    fn enter(&mut self, epoch: u64) {
        (self.epoch, self.changes_from) = (epoch, self.history.len());
    }
}

/// One instance.
pub(super) struct Instance {
    pub(super) start: u64,
    pub(super) service: Service,
    pub(super) index: Arc<Index>,
    pub(super) clock: Arc<ManualClock>,
    /// The start of the server whose log it follows.
    pub(super) server_start: u64,
    pub(super) followed: Followed,
    /// Its report of what it remembers and the ledger lost, while it is under way.
    pub(super) report: Option<JoinHandle<Result<usize, Error>>>,
    /// Whether there was nothing to report the last time.
    pub(super) has_reported: bool,
    /// Where it stood before.
    stood: Position,
}

impl Instance {
    /// Starts one that reads what the ledger has and remembers so many appends.
    pub(super) fn start(
        from: (usize, u64),
        now_ms: i64,
        most: usize,
        messages: Arc<Mutex<Vec<Message>>>,
        store: &Store,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(UtcInstant::from_ms(now_ms)));
        let index = Arc::new(Index::new());
        let service = Service::new(Parts {
            index: Arc::clone(&index),
            ledger: Arc::new(Network { from, messages }),
            clock: Arc::clone(&clock) as _,
            tasks: Tasks::new(),
            instance_id: Uuid::from_u128(u128::try_from(from.0).unwrap()),
            version: "test",
        });
        let followed = Followed { epoch: 0, history: Vec::new(), changes_from: 0, outcomes_from: 0, most };
        let stood = Position { partition: 0, epoch: 0, sequence: 0 };
        let (server_start, report, has_reported) = (store.start, None, false);
        let mut instance =
            Self { start: from.1, service, index, clock, server_start, followed, report, has_reported, stood };
        instance.read_anew(store);
        instance
    }

    /// Follows so many entries of the log.
    pub(super) fn follow(&mut self, store: &Store, most: usize) {
        if store.is_fenced {
            return;
        }
        if self.server_start != store.start {
            self.server_start = store.start;
            if !store.holds(self.followed.mark()) {
                return self.read_anew(store);
            }
        }
        for _ in 0..most {
            let mark = self.followed.mark();
            let Some(next) = store.next(mark) else { return };
            if !next.follows(mark) {
                return self.read_anew(store);
            }
            match next {
                Logged::Append(epoch, taken) => {
                    Applier(Arc::clone(&self.index)).apply(&of_epoch(&taken.changes, *epoch));
                    self.followed.push(Arc::clone(taken));
                }
                Logged::Epoch { epoch, .. } => {
                    self.followed.enter(*epoch);
                    let Mark { epoch, sequence, .. } = self.followed.mark();
                    Applier(Arc::clone(&self.index)).advance(Position { partition: 0, epoch, sequence });
                }
            }
            self.check_position(store);
        }
    }

    fn read_anew(&mut self, store: &Store) {
        let mark = store.mark();
        let mut records: Vec<Change> = Vec::new();
        for change in store.history().iter().flat_map(|taken| of_epoch(&taken.changes, mark.epoch)) {
            match records.iter_mut().find(|record| record.key == change.key) {
                Some(record) => *record = change,
                None => records.push(change),
            }
        }
        records.retain(|record| record.body.is_some());
        records.iter_mut().for_each(|record| record.position.sequence = mark.sequence);
        let sink = Applier(Arc::clone(&self.index));
        sink.begin_reload(Position { partition: 0, epoch: mark.epoch, sequence: mark.sequence });
        sink.reload(&records);
        sink.finish_reload();
        let (history, len, most) = (store.history().to_vec(), store.history().len(), self.followed.most);
        self.followed = Followed { epoch: mark.epoch, history, changes_from: len, outcomes_from: len, most };
        self.has_reported = false;
        self.check_position(store);
    }

    /// Positions never go back.
    fn check_position(&mut self, store: &Store) {
        let Mark { epoch, sequence, .. } = self.followed.mark();
        let stands = Position { partition: 0, epoch, sequence };
        let is_new = stands >= self.stood || store.repeated.contains(&epoch);
        assert!(is_new, "a position went back from {:?} to {stands:?}", self.stood);
        self.stood = stands;
    }

    /// The records that it shows, by key.
    pub(super) fn shown(&self) -> HashMap<Key, (u64, Body)> {
        let mut records = HashMap::new();
        self.index.each_record(&mut |record| {
            records.insert(record.value.key(), (record.version, record.value));
        });
        records
    }
}

fn of_epoch(changes: &[Change], epoch: u64) -> Vec<Change> {
    let mut changes = changes.to_vec();
    changes.iter_mut().for_each(|change| change.position.epoch = epoch);
    changes
}
