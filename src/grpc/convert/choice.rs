//! Why an option goes before others, and what was left out for being like them.

use crate::domain::answer::{Alike, FairShare, FairShareReason, Likeness};
use crate::proto::routing as pb;

/// Writes why an option goes before equivalents that cost less.
pub(super) fn fair_share_to_proto(fair_share: &FairShare) -> pb::FairShare {
    let FairShare { reason, equivalent_count, passed_count } = fair_share;
    let reason = match reason {
        FairShareReason::LeastRecent => pb::FairShareReason::LeastRecent,
        FairShareReason::Newcomer => pb::FairShareReason::Newcomer,
    };
    pb::FairShare { reason: reason.into(), equivalent_count: *equivalent_count, passed_count: *passed_count }
}

/// Writes how many were left out.
pub(super) fn alike_to_proto(alike: &Alike) -> pb::AlikeLeftOut {
    let Alike { likeness, count } = alike;
    pb::AlikeLeftOut { likeness: likeness_to_proto(*likeness).into(), count: *count }
}

/// Writes in what options are alike.
pub(super) const fn likeness_to_proto(likeness: Likeness) -> pb::Likeness {
    match likeness {
        Likeness::Place => pb::Likeness::Place,
        Likeness::Practitioner => pb::Likeness::Practitioner,
    }
}
