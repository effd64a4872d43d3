//! A service over a ledger that answers only when the test lets it, or refuses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sas_router::clock::ManualClock;
use sas_router::domain::time::UtcInstant;
use sas_router::grpc::{Options, Server};
use sas_router::index::Index;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::ledger::{Append, AppendOutcome, Ledger, LedgerHealth, PendingAppend, PendingTrim, Unavailable};
use sas_router::service::{Applier, Parts, Service};
use sas_router::tasks::Tasks;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::in_process::{listener, now};

/// A memory ledger behind a door.
pub(crate) struct StalledLedger {
    inner: Arc<MemoryLedger>,
    /// One permit lets one append through.
    pub(crate) door: Arc<Semaphore>,
    /// What every append is told instead, when set.
    pub(crate) unavailable: Mutex<Option<Unavailable>>,
}

impl Ledger for StalledLedger {
    fn kind(&self) -> &'static str {
        "stalled"
    }

    fn durability(&self) -> &'static str {
        self.inner.durability()
    }

    fn durability_class(&self) -> &'static str {
        self.inner.durability_class()
    }

    fn append(&self, append: Append) -> PendingAppend {
        if let Some(unavailable) = self.unavailable.lock().clone() {
            return Box::pin(std::future::ready(AppendOutcome::Unavailable(unavailable)));
        }
        let (inner, door) = (Arc::clone(&self.inner), Arc::clone(&self.door));
        Box::pin(async move {
            door.acquire().await.unwrap().forget();
            inner.append(append).await
        })
    }

    fn trim(&self, steady_at: UtcInstant) -> PendingTrim {
        self.inner.trim(steady_at)
    }

    fn health(&self) -> LedgerHealth {
        let refusal = self.unavailable.lock().as_ref().map(ToString::to_string);
        LedgerHealth { refusal, ..self.inner.health() }
    }
}

/// A server over such a ledger.
pub(crate) struct Stalled {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: Arc<StalledLedger>,
    pub(crate) service: Service,
    pub(crate) server: Server,
    pub(crate) writes: Tasks,
}

/// Options for tests, of which some may be altered.
pub(crate) fn options() -> Options {
    Options {
        calls_max: 100,
        call_timeout: Duration::from_secs(30),
        connections_max: 100,
        streams_per_connection_max: 100,
        preface_deadline: Duration::from_secs(5),
        keepalive_interval: Duration::from_secs(20),
        keepalive_timeout: Duration::from_secs(10),
        tracer: sas_router::trace::Tracer::default(),
    }
}

impl Stalled {
    /// Serves with the door closed.
    pub(crate) async fn start(options: Options) -> Self {
        let clock = Arc::new(ManualClock::new(now()));
        let index = Arc::new(Index::new());
        let inner = MemoryLedger::new(Arc::<ManualClock>::clone(&clock), Arc::new(Applier(Arc::clone(&index))));
        let ledger = Arc::new(StalledLedger {
            inner: Arc::new(inner),
            door: Arc::new(Semaphore::new(0)),
            unavailable: Mutex::new(None),
        });
        let writes = Tasks::new();
        let service = Service::new(Parts {
            index,
            ledger: Arc::<StalledLedger>::clone(&ledger),
            clock,
            tasks: writes.clone(),
            instance_id: Uuid::nil(),
            version: "test",
        });
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        let server = Server::start(service.clone(), listener, options, &Tasks::new()).await.unwrap();
        Self { address, ledger, service, server, writes }
    }

    /// Lets so many appends through.
    pub(crate) fn open_for(&self, appends: usize) {
        self.ledger.door.add_permits(appends);
    }
}
