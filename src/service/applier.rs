//! The way of changes from the ledger into the index; nothing else writes to it.

use std::sync::Arc;

use crate::domain::record::{Body, Change, Position, Versioned};
use crate::index::Index;
use crate::ledger::ChangeSink;

/// Hands every change of the ledger to an index.
#[derive(Clone, Debug)]
pub struct Applier(pub Arc<Index>);

impl ChangeSink for Applier {
    fn apply(&self, changes: &[Change]) {
        self.0.apply(changes);
    }

    fn begin_reload(&self, position: Position) {
        self.0.begin_reload(position);
    }

    fn reload(&self, records: &[Change]) {
        self.0.reload(records);
    }

    fn finish_reload(&self) {
        self.0.finish_reload();
    }

    fn advance(&self, head: Position) {
        self.0.advance(head);
    }

    fn records(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        self.0.each_record(take);
    }
}
