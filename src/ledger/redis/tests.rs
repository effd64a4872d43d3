//! The ledger in Redis, on real servers that each test starts and ends: the common suite first.

#[allow(dead_code, reason = "shared with the integration tests; either uses a part of it")]
#[path = "../../../tests/it/harness/redis_server.rs"]
mod redis_server;
#[allow(dead_code, reason = "shared with the integration tests; either uses a part of it")]
#[path = "../../../tests/it/harness/redis_topology.rs"]
mod redis_topology;
mod preflight;
mod sharing;
mod outages;
mod retries;
mod replicas;
mod storms;
mod wholeness;
mod clusters;
mod sentinels;
mod tls;
mod seen;
mod moving;

use std::sync::Arc;

use super::*;
use crate::clock::Stopwatch;
use crate::ledger::conformance::{Factory, Recorder, conformance_suite, put, request, wait};
use crate::ledger::{Entry, Request};
use redis_server::Server;

/// Each ledger on a server of its own.
struct OnServer;

/// A ledger with its servers, which end after it.
struct OnItsServer<S> {
    ledger: RedisLedger,
    _server: S,
}

impl<S: Send + Sync + 'static> Ledger for OnItsServer<S> {
    fn kind(&self) -> &'static str {
        self.ledger.kind()
    }

    fn durability(&self) -> &'static str {
        self.ledger.durability()
    }

    fn durability_class(&self) -> &'static str {
        self.ledger.durability_class()
    }

    fn append(&self, append: Append) -> PendingAppend {
        self.ledger.append(append)
    }

    fn trim(&self, steady_at: UtcInstant) -> PendingTrim {
        self.ledger.trim(steady_at)
    }

    fn health(&self) -> LedgerHealth {
        self.ledger.health()
    }
}

/// The address of a server.
fn address_of(server: &Server) -> RedisAddress {
    RedisAddress::parse(&server.url()).unwrap()
}

/// An instance with what its sink was told.
struct Instance {
    ledger: RedisLedger,
    sink: Arc<Recorder>,
}

impl Instance {
    fn open(server: &Server) -> Self {
        Self::open_with(server, options())
    }

    fn open_with(server: &Server, options: RedisOptions) -> Self {
        Self::open_at(&server.url(), options)
    }

    fn open_at(url: &str, options: RedisOptions) -> Self {
        let sink = Arc::new(Recorder::default());
        let told = Arc::clone(&sink) as Arc<dyn ChangeSink>;
        let ledger = RedisLedger::open(&RedisAddress::parse(url).unwrap(), options, Uuid::now_v7(), told).unwrap();
        Self { ledger, sink }
    }

    fn append(&self, entries: Vec<Entry>) -> AppendOutcome {
        wait(self.ledger.append(Append { entries, request: None }))
    }

    fn request(&self, entries: Vec<Entry>, request: Request) -> AppendOutcome {
        wait(self.ledger.append(Append { entries, request: Some(request) }))
    }

    fn head(&self) -> (u64, u64) {
        let head = self.ledger.health().head;
        (head.epoch, head.sequence)
    }

    fn wait_for(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        wait_until(what, || is_so(self));
    }

    /// Waits until writes are accepted.
    fn wait_for_writes(&self) {
        self.wait_for("writes are accepted", |instance| instance.ledger.health().refusal.is_none());
    }

    /// Waits until writes are refused.
    fn wait_for_refusal(&self) {
        self.wait_for("writes are refused", |instance| instance.ledger.health().refusal.is_some());
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let waited = Stopwatch::start();
    while !is_so() {
        assert!(waited.elapsed() < Duration::from_secs(30), "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Why an address is refused at start.
fn refusal(address: &RedisAddress) -> OpenError {
    match RedisLedger::open(address, options(), Uuid::now_v7(), Arc::new(Recorder::default())) {
        Ok(_) => panic!("{address} was accepted"),
        Err(error) => error,
    }
}

/// Why an address is waited for, with a ledger that refuses meanwhile.
fn waited_for(url: &str) -> String {
    let ledger = Instance::open_at(url, options()).ledger;
    let LedgerHealth { refusal, is_open, .. } = ledger.health();
    let refusal = refusal.unwrap();
    assert!(!is_open && !refusal.contains("s3cret"), "{refusal}");
    refusal
}

fn is_written(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Appended { .. })
}

/// Options of a ledger whose recovery waits for nobody.
fn options() -> RedisOptions {
    RedisOptions { recovery_window: Duration::ZERO, ..RedisOptions::default() }
}

impl Factory for OnServer {
    type Ledger = OnItsServer<Server>;

    fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> OnItsServer<Server> {
        let server = Server::start();
        let ledger = RedisLedger::open_by(&address_of(&server), options(), Uuid::now_v7(), Some(clock), sink).unwrap();
        OnItsServer { ledger, _server: server }
    }
}

conformance_suite!(OnServer);
