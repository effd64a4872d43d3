//! How the process stands: before its ledger is open, while it serves, while it ends.
//!
//! Invariant: what was started once stays started. Deliberately absent: whether writes are taken, which is a condition that is told
//! and no reason to send calls elsewhere: care is found without them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::clock::Stopwatch;
use crate::service::{Condition, ConditionKind, Service};

/// What keeps an instance from getting calls, or is not as it should be.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct Remark {
    /// Stable code.
    pub(super) code: &'static str,
    /// Whether callers are served less than they should be.
    pub(super) degrades: bool,
    /// What was seen, what follows from it, and what to do.
    pub(super) message: String,
}

/// How the process stands at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Report {
    /// Whether the state was complete once.
    pub(super) has_started: bool,
    /// Why calls should go elsewhere; nothing when they may come.
    pub(super) missing: Vec<Remark>,
    /// What else is not as it should be.
    pub(super) conditions: Vec<Remark>,
}

/// Remembers how far start and end have come.
#[derive(Default)]
pub struct Standing {
    service: OnceLock<Service>,
    /// Where the ledger is that is being opened, and since when it is.
    opening: OnceLock<(String, Stopwatch)>,
    has_started: AtomicBool,
    is_draining: AtomicBool,
}

impl Standing {
    /// Says that a ledger is being opened from now on, and where it is, without credentials.
    pub fn await_ledger(&self, place: String) {
        // The one that is waited for stays the first.
        let _ = self.opening.set((place, Stopwatch::start()));
    }

    /// Tells from now on how this service stands; the first one stays.
    pub fn attach(&self, service: Service) {
        // A second one would be another process's state.
        let _ = self.service.set(service);
    }

    /// Says that the instance is not ready, since it ends.
    pub fn begin_drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    /// Whether this instance should get calls, as `/readyz` says.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.report().missing.is_empty()
    }

    /// Whether the ledger is open.
    pub(super) fn is_open(&self) -> bool {
        self.service.get().is_some()
    }

    pub(super) fn report(&self) -> Report {
        let conditions = self.service.get().map(Service::conditions);
        let is_complete = conditions.as_ref().is_some_and(|told| !told.iter().any(is_starting));
        let has_started = self.has_started.fetch_or(is_complete, Ordering::SeqCst) || is_complete;
        let draining = self.is_draining.load(Ordering::SeqCst).then(draining);
        let opening = conditions.is_none().then(|| opening(self.opening.get()));
        let (starting, conditions) = conditions.into_iter().flatten().partition::<Vec<_>, _>(is_starting);
        let starting = starting.into_iter().map(Remark::from);
        let missing = draining.into_iter().chain(opening).chain(starting).collect();
        Report { has_started, missing, conditions: conditions.into_iter().map(Remark::from).collect() }
    }
}

impl From<Condition> for Remark {
    fn from(Condition { kind, message }: Condition) -> Self {
        Self { code: kind.code(), degrades: kind.degrades(), message }
    }
}

fn is_starting(condition: &Condition) -> bool {
    condition.kind == ConditionKind::Starting
}

fn draining() -> Remark {
    let message = "the instance ends: calls under way are finished, new ones go to another instance".to_owned();
    Remark { code: "DRAINING", degrades: true, message }
}

fn opening(ledger: Option<&(String, Stopwatch)>) -> Remark {
    let (place, for_long) = ledger.map_or((String::new(), String::new()), |(place, since)| {
        (format!(" at {place}"), format!(" for {} s", since.elapsed().as_secs()))
    });
    let message = format!("the ledger{place} is being opened and read{for_long}: wait; the log says what it waits for");
    Remark { code: "OPENING_LEDGER", degrades: true, message }
}
