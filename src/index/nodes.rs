//! Every schedule that was ever named, by identifier and by number.

use std::sync::Arc;

use dashmap::DashMap;
use parking_lot::RwLock;
use rustc_hash::FxBuildHasher;

use super::Index;
use super::node::Node;
use crate::domain::id::ScheduleId;
use crate::domain::offer::Offer;

/// The nodes. Locks are held for single operations; nothing borrowed leaves.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    by_id: DashMap<ScheduleId, Arc<Node>, FxBuildHasher>,
    /// In order of their numbers, which are never given twice.
    by_number: RwLock<Vec<Arc<Node>>>,
}

impl Nodes {
    pub(super) fn get(&self, id: &ScheduleId) -> Option<Arc<Node>> {
        self.by_id.get(id).map(|entry| Arc::clone(entry.value()))
    }

    pub(super) fn numbered(&self, number: u32) -> Option<Arc<Node>> {
        self.by_number.read().get(usize::try_from(number).ok()?).cloned()
    }

    /// The node of a schedule, made when there is none; for the one writer.
    pub(super) fn get_or_make(&self, id: &ScheduleId) -> Arc<Node> {
        if let Some(known) = self.get(id) {
            return known;
        }
        let mut by_number = self.by_number.write();
        // Far more schedules than memory holds would be needed to run out of numbers.
        let number = u32::try_from(by_number.len()).unwrap_or(u32::MAX);
        let node = Arc::new(Node::new(id.clone(), number));
        by_number.push(Arc::clone(&node));
        drop(by_number);
        self.by_id.insert(id.clone(), Arc::clone(&node));
        node
    }

    /// All of them, as they are now.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        self.by_number.read().clone()
    }
}

impl Index {
    /// Looks at every resolved schedule. For operations, never on the way of a question.
    pub fn each_offer(&self, mut look: impl FnMut(&Offer)) {
        for node in self.nodes.all() {
            if let Some(offer) = node.peek().as_ref() {
                look(offer);
            }
        }
    }
}
