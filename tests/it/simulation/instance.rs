//! One simulated instance: the real service and index, its end of the network, and how it follows the ledger's log.

use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::clock::ManualClock;
use sas_router::domain::record::{Change, Position};
use sas_router::domain::time::UtcInstant;
use sas_router::index::Index;
use sas_router::ledger::{
    Append, AppendOutcome, ChangeSink as _, Ledger, LedgerHealth, PendingAppend, PendingTrim, Unavailable,
};
use sas_router::service::{Applier, Parts, Service};
use sas_router::tasks::Tasks;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::store::Store;

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
        LedgerHealth { head, refusal: None, clock_at: None, steady_at: None }
    }
}

pub(super) fn unknown() -> Unavailable {
    Unavailable::OutcomeUnknown("lost on its way".to_owned())
}

/// One instance.
pub(super) struct Instance {
    pub(super) start: u64,
    pub(super) service: Service,
    pub(super) index: Arc<Index>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) epoch: u64,
    /// What it has followed.
    pub(super) followed: Vec<Change>,
}

impl Instance {
    /// Starts one that reads what the ledger has.
    pub(super) fn start(from: (usize, u64), now_ms: i64, messages: Arc<Mutex<Vec<Message>>>, store: &Store) -> Self {
        let clock = Arc::new(ManualClock::new(UtcInstant::from_ms(now_ms)));
        let index = Arc::new(Index::new());
        let service = Service::new(Parts {
            index: Arc::clone(&index),
            ledger: Arc::new(Network { from, messages }),
            clock: Arc::clone(&clock) as _,
            tasks: Tasks::new(),
            instance_id: Uuid::nil(),
            version: "test",
        });
        let mut instance = Self { start: from.1, service, index, clock, epoch: 0, followed: Vec::new() };
        instance.read_anew(store);
        instance
    }

    /// Follows the log; across a new epoch only from the head at which it began, else every record is read anew.
    pub(super) fn follow(&mut self, store: &Store, most: usize) {
        if store.is_fenced {
            return;
        }
        let log = store.changes();
        if self.epoch != store.epoch {
            let goes_on = self.epoch + 1 == store.epoch
                && self.followed.len() == store.epoch_began_at
                && self.followed == log[..store.epoch_began_at];
            if !goes_on {
                return self.read_anew(store);
            }
            self.epoch = store.epoch;
        }
        let known = self.followed.len();
        let next: Vec<Change> = log[known..].iter().take(most).cloned().collect();
        Applier(Arc::clone(&self.index))
            .apply(&next.iter().map(|change| of_epoch(change, store.epoch)).collect::<Vec<_>>());
        self.followed.extend(next);
    }

    fn read_anew(&mut self, store: &Store) {
        let log = store.changes();
        let mut records: Vec<Change> = Vec::new();
        for change in &log {
            let change = of_epoch(change, store.epoch);
            match records.iter_mut().find(|record| record.key == change.key) {
                Some(record) => *record = change,
                None => records.push(change),
            }
        }
        records.retain(|record| record.body.is_some());
        let sequence = u64::try_from(log.len()).unwrap();
        records.iter_mut().for_each(|record| record.position.sequence = sequence);
        let sink = Applier(Arc::clone(&self.index));
        sink.begin_reload(Position { partition: 0, epoch: store.epoch, sequence });
        sink.reload(&records);
        sink.finish_reload();
        (self.epoch, self.followed) = (store.epoch, log);
    }
}

fn of_epoch(change: &Change, epoch: u64) -> Change {
    let mut change = change.clone();
    change.position.epoch = epoch;
    change
}
