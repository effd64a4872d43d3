//! The record of the policies in force, with where it changed last.
//!
//! Deliberately absent: what its texts mean; whoever reads them hears of a change before the head shows it.

use std::sync::Arc;

use super::Index;
use crate::domain::policy::ActivePolicy;
use crate::domain::record::{Position, Versioned};

/// The record as a change left it.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyRecord {
    /// Version of the record.
    pub version: u64,
    /// The change that made it so; the head when the record was read back from a store.
    pub position: Position,
    /// The policies; `None` when the record was removed.
    pub policy: Option<Arc<ActivePolicy>>,
}

impl Index {
    /// The policies in force.
    #[must_use]
    pub fn active_policy(&self) -> Option<Versioned<Arc<ActivePolicy>>> {
        let record = self.policy.load();
        let record = record.as_deref()?;
        Some(Versioned { version: record.version, value: Arc::clone(record.policy.as_ref()?) })
    }

    /// The record of the policies, removed or not; `None` when there never was one.
    #[must_use]
    pub fn policy_record(&self) -> Option<Arc<PolicyRecord>> {
        self.policy.load_full()
    }

    /// Lets an older record be taken; the writer alone does this.
    pub(super) fn forget_policy(&self) {
        self.policy.store(None);
    }

    /// Takes the record when it is newer; the writer alone does this.
    pub(super) fn take_policy(&self, record: PolicyRecord) -> bool {
        let is_newer = self.policy.load().as_ref().is_none_or(|known| known.version < record.version);
        if is_newer {
            self.policy.store(Some(Arc::new(record)));
        }
        is_newer
    }
}
