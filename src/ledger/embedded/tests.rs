//! The embedded ledger: the common suite, what survives closing, and what a failing disk does.

mod ageing;
mod disk;
mod survival;

use tempfile::TempDir;

use super::*;
use crate::ledger::conformance::{Factory, conformance_suite};

/// Each ledger in a folder of its own.
struct InFolder(TempDir);

impl InFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> Result<EmbeddedLedger, OpenError> {
        EmbeddedLedger::open(self.0.path(), EmbeddedOptions::default(), clock, sink)
    }
}

impl Factory for InFolder {
    type Ledger = EmbeddedLedger;

    fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> EmbeddedLedger {
        self.open(clock, sink).unwrap()
    }
}

conformance_suite!(InFolder::new());
