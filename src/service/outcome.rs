//! The stored form of outcomes, which a retry is told.
//!
//! Invariant: an outcome that was stored by any release decodes; what follows from the request itself (identifiers of
//! rows, warnings) is not stored, because a retry brings it again. Decoding trusts nothing and never panics.

use std::sync::Arc;

use prost::Message as _;

use crate::domain::case::Case;
use crate::domain::emergency::EmergencySite;
use crate::domain::orientation::Orientation;
use crate::domain::policy::{ActivePolicy, PolicyActivation};
use crate::domain::record::Body;
use crate::domain::slot::Slot;
use crate::ledger::codec::{self, Interner};
use crate::proto::ledger::{
    StoredOutcome, StoredRebooking, StoredReplacement, StoredRow, StoredRows, StoredUpsert, stored_outcome,
};

use super::error::Reason;
use super::publish::{RowOutcome, RowStatus};

/// Why a stored outcome cannot be told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the stored outcome of the request cannot be read: {0}")]
pub(super) struct OutcomeError(String);

impl OutcomeError {
    pub(super) fn new(why: impl ToString) -> Self {
        Self(why.to_string())
    }
}

/// The stored form of a claim's outcome: the slot with this claim only.
pub(super) fn encode_claimed(slot: &Arc<Slot>) -> Vec<u8> {
    encode(stored_outcome::Kind::Claimed(codec::encode(&Body::Slot(Arc::clone(slot)))))
}

/// The slot with one claim of a stored form.
pub(super) fn decode_claimed(stored: &[u8]) -> Result<Arc<Slot>, OutcomeError> {
    let stored_outcome::Kind::Claimed(record) = decode(stored)? else {
        return Err(OutcomeError::new("it is not about a claim"));
    };
    decode_slot(&record)
}

/// The stored form of a rebooking: two slots with one claim each, the new one first.
pub(super) fn encode_rebooking(booked: &Arc<Slot>, replaced: &Arc<Slot>) -> Vec<u8> {
    let encoded = |slot: &Arc<Slot>| codec::encode(&Body::Slot(Arc::clone(slot)));
    encode(stored_outcome::Kind::Rebooking(StoredRebooking { booked: encoded(booked), replaced: encoded(replaced) }))
}

/// The two slots of a stored form.
pub(super) fn decode_rebooking(stored: &[u8]) -> Result<(Arc<Slot>, Arc<Slot>), OutcomeError> {
    let stored_outcome::Kind::Rebooking(StoredRebooking { booked, replaced }) = decode(stored)? else {
        return Err(OutcomeError::new("it is not about a rebooking"));
    };
    Ok((decode_slot(&booked)?, decode_slot(&replaced)?))
}

fn decode_slot(record: &[u8]) -> Result<Arc<Slot>, OutcomeError> {
    let body = codec::decode(record, &mut Interner::new()).map_err(OutcomeError::new)?;
    if let Body::Slot(slot) = body { Ok(slot) } else { Err(OutcomeError::new("it is not about a slot")) }
}

/// The stored form of an emergency site.
pub(super) fn encode_emergency_site(site: &Arc<EmergencySite>) -> Vec<u8> {
    encode(stored_outcome::Kind::EmergencySite(codec::encode(&Body::EmergencySite(Arc::clone(site)))))
}

/// The emergency site of a stored form.
pub(super) fn decode_emergency_site(stored: &[u8]) -> Result<Arc<EmergencySite>, OutcomeError> {
    let stored_outcome::Kind::EmergencySite(record) = decode(stored)? else {
        return Err(OutcomeError::new("it is not about an emergency site"));
    };
    let body = codec::decode(&record, &mut Interner::new()).map_err(OutcomeError::new)?;
    if let Body::EmergencySite(site) = body { Ok(site) } else { Err(OutcomeError::new("its record is not one")) }
}

/// The stored form of a refusal: the case with this refusal only.
pub(super) fn encode_refused(case: &Arc<Case>) -> Vec<u8> {
    encode(stored_outcome::Kind::Refused(codec::encode(&Body::Case(Arc::clone(case)))))
}

/// The case with one refusal of a stored form.
pub(super) fn decode_refused(stored: &[u8]) -> Result<Arc<Case>, OutcomeError> {
    let stored_outcome::Kind::Refused(record) = decode(stored)? else {
        return Err(OutcomeError::new("it is not about a refusal"));
    };
    let body = codec::decode(&record, &mut Interner::new()).map_err(OutcomeError::new)?;
    if let Body::Case(case) = body { Ok(case) } else { Err(OutcomeError::new("it is not about a case")) }
}

/// The stored form of a recorded orientation.
pub(super) fn encode_oriented(orientation: &Arc<Orientation>) -> Vec<u8> {
    encode(stored_outcome::Kind::Oriented(codec::encode(&Body::Orientation(Arc::clone(orientation)))))
}

/// The orientation of a stored form.
pub(super) fn decode_oriented(stored: &[u8]) -> Result<Arc<Orientation>, OutcomeError> {
    if let stored_outcome::Kind::Oriented(record) = decode(stored)?
        && let Body::Orientation(orientation) =
            codec::decode(&record, &mut Interner::new()).map_err(OutcomeError::new)?
    {
        return Ok(orientation);
    }
    Err(OutcomeError::new("it is not about an orientation"))
}

/// The stored form of an activation of policies.
pub(super) fn encode_policy_activated(activation: &PolicyActivation) -> Vec<u8> {
    let told = ActivePolicy { documents: Vec::new(), activations: vec![activation.clone()] };
    encode(stored_outcome::Kind::PolicyActivated(codec::encode(&Body::Policy(Arc::new(told)))))
}

/// The activation of a stored form.
pub(super) fn decode_policy_activated(stored: &[u8]) -> Result<PolicyActivation, OutcomeError> {
    if let stored_outcome::Kind::PolicyActivated(record) = decode(stored)?
        && let Body::Policy(policy) = codec::decode(&record, &mut Interner::new()).map_err(OutcomeError::new)?
        && let Some(activation) = policy.activations.first()
    {
        return Ok(activation.clone());
    }
    Err(OutcomeError::new("it is not about an activation of policies"))
}

/// The stored form of the results of rows.
pub(super) fn encode_rows(rows: &[RowOutcome]) -> Vec<u8> {
    let rows = rows.iter().map(|row| StoredRow {
        status: row.status.number(),
        reason: row.reason.map(|reason| reason.code().to_owned()).unwrap_or_default(),
        message: row.message.clone(),
        field: row.field.clone(),
    });
    encode(stored_outcome::Kind::Rows(StoredRows { rows: rows.collect() }))
}

/// The results of rows of a stored form; what a retry brings itself is filled in by `row`.
pub(super) fn decode_rows(
    stored: &[u8],
    count: usize,
    row: impl Fn(usize) -> RowOutcome,
) -> Result<Vec<RowOutcome>, OutcomeError> {
    let stored_outcome::Kind::Rows(StoredRows { rows }) = decode(stored)? else {
        return Err(OutcomeError::new("it is not about rows"));
    };
    if rows.len() != count {
        return Err(OutcomeError::new("it has another number of rows"));
    }
    let fill = |(place, StoredRow { status, reason, message, field }): (usize, StoredRow)| {
        let status = RowStatus::from_number(status).ok_or_else(|| OutcomeError::new("unknown status of a row"))?;
        let reason = (status == RowStatus::Refused).then(|| Reason::parse(&reason).unwrap_or(Reason::Internal));
        Ok(RowOutcome { status, reason, message, field, ..row(place) })
    };
    rows.into_iter().enumerate().map(fill).collect()
}

/// The stored form of a replacement.
pub(super) fn encode_replacement(replacement: StoredReplacement) -> Vec<u8> {
    encode(stored_outcome::Kind::Replacement(replacement))
}

/// The replacement of a stored form.
pub(super) fn decode_replacement(stored: &[u8]) -> Result<StoredReplacement, OutcomeError> {
    match decode(stored)? {
        stored_outcome::Kind::Replacement(replacement) => Ok(replacement),
        stored_outcome::Kind::Claimed(_)
        | stored_outcome::Kind::Rows(_)
        | stored_outcome::Kind::Upsert(_)
        | stored_outcome::Kind::EmergencySite(_)
        | stored_outcome::Kind::Rebooking(_)
        | stored_outcome::Kind::Refused(_)
        | stored_outcome::Kind::Oriented(_)
        | stored_outcome::Kind::PolicyActivated(_) => Err(OutcomeError::new("it is not about a replacement")),
    }
}

/// The stored form of an upsert.
pub(super) fn encode_upsert(upsert: StoredUpsert) -> Vec<u8> {
    encode(stored_outcome::Kind::Upsert(upsert))
}

/// The upsert of a stored form.
pub(super) fn decode_upsert(stored: &[u8]) -> Result<StoredUpsert, OutcomeError> {
    match decode(stored)? {
        stored_outcome::Kind::Upsert(upsert) => Ok(upsert),
        stored_outcome::Kind::Claimed(_)
        | stored_outcome::Kind::Rows(_)
        | stored_outcome::Kind::Replacement(_)
        | stored_outcome::Kind::EmergencySite(_)
        | stored_outcome::Kind::Rebooking(_)
        | stored_outcome::Kind::Refused(_)
        | stored_outcome::Kind::Oriented(_)
        | stored_outcome::Kind::PolicyActivated(_) => Err(OutcomeError::new("it is not about a directory record")),
    }
}

fn encode(kind: stored_outcome::Kind) -> Vec<u8> {
    StoredOutcome { kind: Some(kind) }.encode_to_vec()
}

fn decode(stored: &[u8]) -> Result<stored_outcome::Kind, OutcomeError> {
    let outcome = StoredOutcome::decode(stored).map_err(OutcomeError::new)?;
    outcome.kind.ok_or_else(|| OutcomeError::new("a newer release stored it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_break_a_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let row = |_| RowOutcome::refused(String::new(), Reason::Internal, "", "");
            let _ = (decode_claimed(&bytes), decode_rows(&bytes, 1, row), decode_replacement(&bytes), decode_upsert(&bytes));
            let _ = decode_emergency_site(&bytes);
            let _ = decode_rebooking(&bytes);
            let _ = decode_refused(&bytes);
            let _ = decode_oriented(&bytes);
            let _ = decode_policy_activated(&bytes);
        }

        #[test]
        fn rows_return_from_their_stored_form(statuses in proptest::collection::vec(1_u32..=4, 0..70)) {
            let row = |place: usize| RowOutcome::accepted(format!("slot-{place}"), RowStatus::Created, vec![]);
            let rows: Vec<_> = statuses.iter().enumerate().map(|(place, status)| {
                let status = RowStatus::from_number(*status).unwrap();
                let reason = (status == RowStatus::Refused).then_some(Reason::StaleRevision);
                RowOutcome { status, reason, ..row(place) }
            }).collect();
            prop_assert_eq!(decode_rows(&encode_rows(&rows), rows.len(), row).unwrap(), rows);
        }
    }
}
