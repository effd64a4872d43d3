//! An instance of the service on a Redis: index, ledger and the rules between them, without the transport.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use sas_router::clock::{Clock as _, SystemClock};
use sas_router::domain::record::{Body, Change, Position, Versioned};
use sas_router::domain::time::{MS_PER_MINUTE, Window};
use sas_router::index::Index;
use sas_router::ledger::redis::{AckReplicas, RedisAddress, RedisLedger, RedisOptions};
use sas_router::ledger::{ChangeSink, Ledger as _};
use sas_router::service::{Applier, Parts, Service};
use sas_router::tasks::Tasks;
use uuid::Uuid;

use crate::support::region::{Region, at_minute, region};

/// The index, and when it was told what.
struct Told {
    applier: Applier,
    /// The last change of each step, and when its step was done.
    steps: Mutex<Vec<(u64, Instant)>>,
}

impl ChangeSink for Told {
    fn apply(&self, changes: &[Change]) {
        self.applier.apply(changes);
        if let Some(last) = changes.last() {
            self.steps.lock().push((last.position.sequence, Instant::now()));
        }
    }

    fn begin_reload(&self, position: Position) {
        self.applier.begin_reload(position);
    }

    fn reload(&self, records: &[Change]) {
        self.applier.reload(records);
    }

    fn finish_reload(&self) {
        self.applier.finish_reload();
    }

    fn advance(&self, head: Position) {
        self.applier.advance(head);
    }

    fn records(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        self.applier.records(take);
    }
}

/// An instance.
pub(crate) struct Instance {
    pub(crate) service: Service,
    pub(crate) index: Arc<Index>,
    pub(crate) ledger: Arc<RedisLedger>,
    told: Arc<Told>,
}

impl Instance {
    /// Starts one whose writes are acknowledged when one replica has them; blocks until it has every record.
    pub(crate) fn start(url: &str) -> Self {
        let index = Arc::new(Index::new());
        let told = Arc::new(Told { applier: Applier(Arc::clone(&index)), steps: Mutex::new(Vec::new()) });
        let options = RedisOptions { ack_replicas: AckReplicas::Count(1), ..RedisOptions::default() };
        let instance_id = Uuid::now_v7();
        let address = RedisAddress::parse(url).unwrap();
        let ledger = RedisLedger::open(&address, options, instance_id, told.clone()).unwrap();
        let ledger = Arc::new(ledger);
        let parts = Parts {
            index: Arc::clone(&index),
            ledger: ledger.clone(),
            clock: Arc::new(SystemClock),
            tasks: Tasks::new(),
            instance_id,
            version: "bench",
        };
        Self { service: Service::new(parts), index, ledger, told }
    }

    /// The last change that it was told: epoch and number.
    pub(crate) fn head(&self) -> (u64, u64) {
        let head = self.ledger.health().head;
        (head.epoch, head.sequence)
    }

    /// When it had been told this change.
    pub(crate) fn told_at(&self, sequence: u64) -> Option<Instant> {
        let steps = self.told.steps.lock();
        steps.get(steps.partition_point(|(last, _)| *last < sequence)).map(|(_, at)| *at)
    }
}

/// A region whose day begins at the next quarter of an hour, so that nothing of it is over before it is published.
pub(crate) fn region_of_today(slots: usize) -> Region {
    let mut region = region(slots, 42);
    // Whole quarters of an hour, so that appointments begin on their minutes.
    let quarter_ms = 15 * MS_PER_MINUTE;
    let later_ms = (SystemClock.now().ms_since(at_minute(0)).div_euclid(quarter_ms) + 1) * quarter_ms;
    for slot in &mut region.slots {
        let window = slot.window;
        let moved = Window::new(window.start_at().plus_ms(later_ms), window.end_at().plus_ms(later_ms)).unwrap();
        Arc::make_mut(slot).window = moved;
    }
    region
}
