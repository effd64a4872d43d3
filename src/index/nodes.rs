//! Every schedule that was ever named, by identifier and by number.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::RwLock;
use rustc_hash::FxBuildHasher;

use super::Index;
use super::node::Node;
use crate::domain::id::ScheduleId;
use crate::domain::offer::Offer;

/// The nodes. The lock is held for single operations; nothing borrowed leaves.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// In order of their numbers, which are never given twice.
    by_number: Vec<Arc<Node>>,
    /// Their numbers, found by their identifiers.
    by_id: HashTable<u32>,
}

impl Known {
    fn numbered(&self, number: u32) -> Option<&Arc<Node>> {
        self.by_number.get(usize::try_from(number).ok()?)
    }

    fn get(&self, id: &ScheduleId) -> Option<&Arc<Node>> {
        let is_meant = |number: &u32| self.numbered(*number).is_some_and(|node| node.id == *id);
        self.numbered(*self.by_id.find(hash(id), is_meant)?)
    }
}

impl Nodes {
    pub(super) fn get(&self, id: &ScheduleId) -> Option<Arc<Node>> {
        self.known.read().get(id).cloned()
    }

    pub(super) fn numbered(&self, number: u32) -> Option<Arc<Node>> {
        self.known.read().numbered(number).cloned()
    }

    /// The node of a schedule, made when there is none; for the one writer.
    pub(super) fn get_or_make(&self, id: &ScheduleId) -> Arc<Node> {
        if let Some(known) = self.get(id) {
            return known;
        }
        let mut known = self.known.write();
        // Far more schedules than memory holds would be needed to run out of numbers.
        let number = u32::try_from(known.by_number.len()).unwrap_or(u32::MAX);
        let node = Arc::new(Node::new(id.clone(), number));
        known.by_number.push(Arc::clone(&node));
        let Known { by_number, by_id } = &mut *known;
        let hash_of = |number: &u32| {
            let node = usize::try_from(*number).ok().and_then(|number| by_number.get(number));
            node.map_or(0, |node| hash(&node.id))
        };
        by_id.insert_unique(hash(id), number, hash_of);
        node
    }

    /// All of them, as they are now.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        self.known.read().by_number.clone()
    }

    /// Whether nothing was ever named.
    pub(super) fn is_empty(&self) -> bool {
        self.known.read().by_number.is_empty()
    }
}

fn hash(id: &ScheduleId) -> u64 {
    FxBuildHasher.hash_one(id)
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
