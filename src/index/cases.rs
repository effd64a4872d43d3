//! What follows from the cases: for schedules, in how many of them nobody could be contacted; for a case, what it refuses.
//!
//! Invariant: the figure of a schedule is that of the cases that are kept, so that it ends with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dashmap::mapref::entry::Entry;

use super::Index;
use super::batch::Touched;
use crate::domain::case::{Case, Refusal, RefusalReason};
use crate::domain::id::{CaseId, ScheduleId};

/// Takes a case as it is now, `None` when it is gone; notes the schedules that stand otherwise for it, and itself when it
/// refuses other offers.
pub(super) fn take(index: &Index, id: &CaseId, version: u64, case: Option<&Arc<Case>>, touched: &mut Touched) {
    let old = index.cases.get(id);
    if !index.cases.apply(id, version, case.cloned()) {
        return;
    }
    let known: &[Refusal] = old.as_ref().map_or(&[], |old| &old.value.refusals);
    if known != case.map_or(&[] as &[Refusal], |case| &case.refusals) {
        touched.cases.push(id.clone());
    }
    let before = old.map(|old| unreached(&old.value)).unwrap_or_default();
    let after = case.map(|case| unreached(case)).unwrap_or_default();
    for id in after.difference(&before) {
        *index.contact_failures.entry(id.clone()).or_default() += 1;
    }
    for id in before.difference(&after) {
        if let Entry::Occupied(mut entry) = index.contact_failures.entry(id.clone()) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
    touched.offers.extend(before.symmetric_difference(&after).cloned());
}

/// In how many cases nobody of a schedule could be contacted.
pub(super) fn contact_failures(index: &Index, id: &ScheduleId) -> u32 {
    index.contact_failures.get(id).map_or(0, |count| *count)
}

/// The schedules of which nobody could be contacted in a case.
fn unreached(case: &Case) -> BTreeSet<ScheduleId> {
    let failures = case.refusals.iter().filter(|refusal| refusal.reason == RefusalReason::CouldNotContact);
    failures.map(|refusal| refusal.schedule_id.clone()).collect()
}
