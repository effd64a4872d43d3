//! The way of changes from the ledger into the index; nothing else writes to it.

use std::sync::Arc;

use crate::domain::record::Change;
use crate::index::Index;
use crate::ledger::ChangeSink;

/// Hands every change of the ledger to an index.
#[derive(Clone, Debug)]
pub struct Applier(pub Arc<Index>);

impl ChangeSink for Applier {
    fn apply(&self, changes: &[Change]) {
        self.0.apply(changes);
    }
}
