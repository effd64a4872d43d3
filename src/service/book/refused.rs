//! A refusal together with the record on which it rests, so that the ledger can be asked for just that record.

use std::sync::Arc;

use crate::domain::case::Case;
use crate::domain::id::ClaimId;
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::Slot;
use crate::ledger::{Entry, Write};
use crate::service::error::{Error, from_has_booking};
use crate::service::write::{Plan, Sight};

/// A refusal and what it rests on.
pub(super) struct Refused {
    pub(super) error: Box<Error>,
    pub(super) rests_on: Key,
}

impl Refused {
    /// A refusal that rests on a slot, known or not.
    pub(super) fn by_slot(error: Error, id: &crate::domain::id::SlotId) -> Self {
        Self { error: error.into(), rests_on: Key::Slot(id.clone()) }
    }

    /// A refusal that rests on a case.
    pub(super) fn by_case(error: Error, id: &crate::domain::id::CaseId) -> Self {
        Self { error: error.into(), rests_on: Key::Case(id.clone()) }
    }
}

/// The record on which a decision rests: that of its refusal, else the slot.
pub(super) fn rests_on<T>(decided: Result<Plan<T>, Refused>, slot: Key) -> Key {
    decided.err().map_or(slot, |refused| refused.rests_on)
}

/// The entry of a case: as it stands, unless `next` is what becomes of it, and only while no other booking lives than the
/// one that is to be replaced.
pub(super) fn case_entry(
    sight: &Sight<'_>,
    case: &Versioned<Arc<Case>>,
    replaced: Option<ClaimId>,
    next: Option<Case>,
) -> Result<Entry, Refused> {
    let Versioned { version, value: case } = case;
    let checked = case.check_free(replaced, sight.now);
    let not_before = checked.map_err(|has| Refused::by_case(from_has_booking(&has), &case.id))?;
    let write = next.map_or(Write::Check, |next| Write::Put(Body::Case(Arc::new(next))));
    Ok(Entry { key: Key::Case(case.id.clone()), expected_version: *version, not_before, not_after: None, write })
}

/// The key of a slot.
pub(super) fn slot_key(slot: &Slot) -> Key {
    Key::Slot(slot.id.clone())
}
