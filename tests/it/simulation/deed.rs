//! What callers do and are told in simulated runs, and how an append shows that it was done.

use sas_router::domain::id::{CaseId, ClaimId};
use sas_router::domain::record::Body;
use sas_router::domain::slot::{Claim, ClaimState};

use super::store::Taken;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Hold,
    Confirm,
    Release,
    Cancel,
}

impl Deed {
    /// Whether a claim shows that it was done; a hold that is over needs no release.
    pub(super) fn is_done(self, claim: &Claim) -> bool {
        match self {
            Self::Hold => true,
            Self::Confirm => claim.confirmed_at.is_some(),
            Self::Release => matches!(claim.state, ClaimState::Released | ClaimState::Held | ClaimState::Expired),
            Self::Cancel => claim.state == ClaimState::Cancelled,
        }
    }
}

/// Something that a caller was told is done.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) deed: Deed,
    pub(super) claim: ClaimId,
    pub(super) case: CaseId,
    /// Who said so, and which start of it.
    pub(super) by: (usize, u64),
    /// Names the history up to the append that did it.
    pub(super) digest: u64,
}

/// The claims on the slots that an append wrote.
pub(super) fn claims_of(taken: &Taken) -> impl Iterator<Item = &Claim> {
    let slots = taken.changes.iter().filter_map(|change| match &change.body {
        Some(Body::Slot(slot)) => Some(slot),
        Some(_) | None => None,
    });
    slots.flat_map(|slot| slot.claims.iter())
}
