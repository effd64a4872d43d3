//! A service with a made region and its console on a port, in this process, on a runtime of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use sas_router::clock::ManualClock;
use sas_router::console::{self, Options};
use sas_router::domain::record::Body;
use sas_router::index::Index;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::ledger::{APPEND_ENTRIES_MAX, Append, AppendOutcome, Entry, Ledger as _};
use sas_router::service::{Applier, Parts, Service};
use sas_router::tasks::Tasks;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::support::region::{Region, at_minute, changes};

/// Minute of the day at which the clock stands: half past nine in Paris.
pub(crate) const MINUTE: i64 = 9 * 60 + 30;

/// A running console.
pub(crate) struct Room {
    pub(crate) service: Service,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) address: SocketAddr,
    pub(crate) runtime: Runtime,
    index: Arc<Index>,
    ledger: Arc<MemoryLedger>,
}

impl Room {
    /// The console of a service that has this region, all of which can be held.
    pub(crate) fn of(region: &Region) -> Self {
        let room = Self::empty();
        for chunk in records(region).collect::<Vec<_>>().chunks(APPEND_ENTRIES_MAX) {
            let entries = chunk.iter().map(|body| Entry::put(body.clone(), 0)).collect();
            let outcome = room.runtime.block_on(room.ledger.append(Append { entries, request: None }));
            assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
        }
        room
    }

    /// The same to be looked at only: the index takes the region at once, and no ledger has it.
    pub(crate) fn showing(region: &Region) -> Self {
        let room = Self::empty();
        room.index.apply(&changes(records(region), 1));
        room
    }

    fn empty() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Arc::new(ManualClock::new(at_minute(MINUTE)));
        let index = Arc::new(Index::new());
        let sink = Arc::new(Applier(Arc::clone(&index)));
        let ledger = Arc::new(MemoryLedger::new(Arc::<ManualClock>::clone(&clock), sink));
        let parts = Parts {
            index: Arc::clone(&index),
            ledger: Arc::<MemoryLedger>::clone(&ledger),
            clock: Arc::<ManualClock>::clone(&clock),
            tasks: Tasks::new(),
            instance_id: uuid::Uuid::now_v7(),
            version: "test",
        };
        let service = Service::new(parts);
        let router = console::router(service.clone(), &Options::default());
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { service, clock, address, runtime, index, ledger }
    }

    /// Where the page is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn records(region: &Region) -> impl Iterator<Item = Body> {
    let slots = region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot)));
    region.directory.iter().cloned().chain(slots)
}
