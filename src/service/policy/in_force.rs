//! The policies under which this instance answers, swapped as a whole when the ledger's record changes.
//!
//! Invariant: a record that this build cannot read changes nothing but what is told of it: the last policies that could be
//! read stay in force, the national ones after a start.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use crate::domain::policy::ActivePolicy;
use crate::domain::record::Position;
use crate::index::{Index, PolicyRecord};
use crate::routing::policy::{Policy, PolicySet};

/// Policies as they were when somebody looked; holding them keeps nobody waiting.
pub(in crate::service) type Loaded = Guard<Arc<InForce>>;

/// The policies in force.
#[derive(Debug)]
pub(in crate::service) struct InForce {
    /// The policies.
    pub(in crate::service) set: PolicySet,
    /// Version of the record from which they are, or which could not be read; 0 while there is none.
    record_version: u64,
    /// Up to here at least, everything is visible to whoever sees these policies.
    pub(in crate::service) visible_at: Position,
    /// The change that brought them; `None` when this process was not there to see it.
    pub(super) changed_at: Option<Position>,
    /// Why the newest record is not in force.
    pub(in crate::service) problem: Option<String>,
}

/// Holds them.
#[derive(Debug)]
pub(in crate::service) struct Policies {
    in_force: ArcSwap<InForce>,
    /// One taker at a time, so that an older record never replaces a newer one.
    taking: Mutex<()>,
}

impl Policies {
    /// Those that ship, until a record says otherwise.
    pub(in crate::service) fn shipped() -> Self {
        let set = PolicySet::load(&[]).unwrap_or_else(|_| PolicySet::of(Arc::new(Policy::default())));
        let visible_at = Position::default();
        let in_force = InForce { set, record_version: 0, visible_at, changed_at: None, problem: None };
        Self { in_force: ArcSwap::from_pointee(in_force), taking: Mutex::new(()) }
    }

    /// The policies in force.
    pub(in crate::service) fn load(&self) -> Loaded {
        self.in_force.load()
    }

    /// The same, to be kept while something is waited for.
    pub(in crate::service) fn load_full(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Takes the record that an index has from before anybody listened.
    pub(in crate::service) fn take_from(&self, index: &Index) {
        if let Some(record) = index.policy_record() {
            self.take(&record, None);
        }
    }

    /// Takes a record that a change has just brought.
    pub(in crate::service) fn take_change(&self, record: &PolicyRecord) {
        self.take(record, Some(record.position));
    }

    fn take(&self, record: &PolicyRecord, changed_at: Option<Position>) {
        let PolicyRecord { version, position, policy } = record;
        let documents = policy.as_ref().map(|policy| policy.documents.as_slice()).unwrap_or_default();
        let read = PolicySet::load(documents);
        let _one_at_a_time = self.taking.lock();
        let current = self.load();
        // By position, not by version: a ledger that lost its last changes goes back to an older version at a later position.
        if (current.visible_at, current.record_version) >= (*position, *version) {
            return;
        }
        let in_force = match read {
            Ok(set) => {
                tracing::info!(policy.version = %set.version(), "these policies are in force");
                InForce { set, record_version: *version, visible_at: *position, changed_at, problem: None }
            }
            Err(problems) => {
                let wanted = policy.as_deref().map(named).unwrap_or_default();
                let first = problems.0.first().map(ToString::to_string).unwrap_or_default();
                let problem = format!(
                    "policies {wanted} were put in force, which this version of the program cannot read ({} problem(s), \
                     the first: {first}); this instance goes on with {}. Update the program, or activate policies that it \
                     can read",
                    problems.0.len(),
                    current.set.version()
                );
                InForce {
                    set: current.set.clone(),
                    record_version: *version,
                    visible_at: *position,
                    changed_at: current.changed_at,
                    problem: Some(problem),
                }
            }
        };
        self.in_force.store(Arc::new(in_force));
    }
}

/// The version of policies as it was named when they were put in force.
fn named(policy: &ActivePolicy) -> String {
    policy.activations.first().map(|newest| format!("`{}`", newest.version)).unwrap_or_default()
}
