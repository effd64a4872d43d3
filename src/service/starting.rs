//! Before the ledger is open: an index without its records must not say that nobody is free, nor that a booking never was.
//!
//! Invariant: an escalation is answered all the same, since it needs neither ledger nor index.

use std::sync::atomic::Ordering;

use super::Service;
use super::error::Error;
use crate::domain::query::CareQuery;
use crate::routing::triage::triage;

impl Service {
    /// Whether everything that is kept has been read.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.check_started().is_ok()
    }

    /// Refuses a call that needs what is kept, before it was read.
    ///
    /// # Errors
    /// While the ledger is not open, with the cause.
    pub fn check_started(&self) -> Result<(), Error> {
        if self.shared.has_opened.load(Ordering::Relaxed) {
            return Ok(());
        }
        let health = self.parts().ledger.health();
        if health.is_open {
            self.shared.has_opened.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(Error::starting(&health.refusal.unwrap_or_default()))
    }

    /// The same for a question, which passes when triage alone answers it.
    ///
    /// # Errors
    /// While the ledger is not open and slots would have to be looked for, with the cause.
    pub fn check_answerable(&self, query: &CareQuery) -> Result<(), Error> {
        let started = self.check_started();
        if started.is_err() && !triage(query, self.policies().load().set.of_query(query)).searches {
            return Ok(());
        }
        started
    }
}
