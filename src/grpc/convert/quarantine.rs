//! Claims in quarantine, and what became of them.

use std::sync::Arc;

use super::claim::claim_to_proto;
use super::common::{
    count, instant_to_proto, optional_id, phone_to_proto, request_id_from_proto, stamp_to_proto, window_to_proto,
};
use super::slot::state_to_proto;
use crate::domain::id::{ClaimId, PrincipalId, SlotId, SourceId};
use crate::domain::offer::Offer;
use crate::domain::slot::{Claim, Slot, Verdict};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::limits::SETTLE_REASON_MAX_CHARS;
use crate::service::{QuarantineList, SettleRequest};

/// Reads of which source quarantines are listed.
pub(in crate::grpc) fn source_from_proto(
    message: pb::ListQuarantinedRequest,
    findings: &mut Findings,
) -> Option<SourceId> {
    let pb::ListQuarantinedRequest { source_id } = message;
    optional_id(&source_id, Path::ROOT.field("source_id"), findings, SourceId::parse)
}

/// Reads what became of claims.
pub(in crate::grpc) fn settlement_from_proto(
    message: pb::SettleQuarantineRequest,
    findings: &mut Findings,
) -> Option<SettleRequest> {
    let pb::SettleQuarantineRequest { request_id, slot_id, claim_id, verdict, settled_by, reason, source_id } = message;
    let path = Path::ROOT;
    let request_id = request_id_from_proto(&request_id, findings);
    let slot_id = findings.take(path.field("slot_id"), SlotId::parse(&slot_id));
    let claim_id = optional_id(&claim_id, path.field("claim_id"), findings, ClaimId::parse);
    let verdict = match pb::QuarantineVerdict::try_from(verdict) {
        Ok(pb::QuarantineVerdict::Free) => Some(Verdict::Free),
        Ok(pb::QuarantineVerdict::Stands) => Some(Verdict::Stands),
        Ok(pb::QuarantineVerdict::Unspecified) | Err(_) => {
            findings.refuse(path.field("verdict"), "missing or unknown: give FREE or STANDS");
            None
        }
    };
    let settled_by = findings.take(path.field("settled_by"), PrincipalId::parse(&settled_by));
    let reason = findings.text(path.field("reason"), &reason, 1, SETTLE_REASON_MAX_CHARS).map(str::to_owned);
    let source_id = optional_id(&source_id, path.field("source_id"), findings, SourceId::parse);
    if !findings.violations.is_empty() {
        return None;
    }
    Some(SettleRequest {
        request_id: request_id?,
        slot_id: slot_id?,
        claim_id,
        verdict: verdict?,
        settled_by: settled_by?,
        reason: reason?,
        source_id,
    })
}

/// Writes what is in quarantine.
pub(in crate::grpc) fn list_to_proto(list: &QuarantineList) -> pb::ListQuarantinedResponse {
    let QuarantineList { slots, claim_count, truncated, stamp } = list;
    pb::ListQuarantinedResponse {
        slots: slots.iter().map(|(slot, offer)| slot_to_proto(slot, offer.as_ref())).collect(),
        claim_count: count(*claim_count),
        truncated: *truncated,
        stamp: Some(stamp_to_proto(stamp)),
    }
}

fn slot_to_proto(slot: &Slot, offer: Option<&Arc<Offer>>) -> pb::QuarantinedSlot {
    let phone = offer.and_then(|offer| {
        let of_practitioner = || offer.practitioner.as_ref().and_then(|practitioner| practitioner.phone);
        offer.place.phone.or_else(of_practitioner)
    });
    pb::QuarantinedSlot {
        slot_id: slot.id.to_string(),
        schedule_id: slot.schedule_id.to_string(),
        window: Some(window_to_proto(slot.window)),
        state: state_to_proto(slot.state).into(),
        capacity: u32::from(slot.capacity),
        booked_count: count(slot.booked_count()),
        claims: slot.quarantined().map(quarantined_to_proto).collect(),
        place_name: offer.map(|offer| offer.place.name.to_string()).unwrap_or_default(),
        phone: phone_to_proto(phone),
    }
}

fn quarantined_to_proto(claim: &Claim) -> pb::QuarantinedClaim {
    let quarantine = claim.quarantine.as_deref();
    pb::QuarantinedClaim {
        claim_id: claim.id.to_string(),
        case_id: claim.case_id.to_string(),
        confirmed_at: claim.confirmed_at.map(instant_to_proto),
        since: quarantine.map(|quarantine| instant_to_proto(quarantine.since)),
        reported_by_instance_id: quarantine.map(|quarantine| quarantine.reported_by.to_string()).unwrap_or_default(),
    }
}

/// Writes the claims that were settled, as they stood then.
pub(in crate::grpc) fn settled_to_proto(slot: &Slot) -> Vec<pb::Claim> {
    slot.claims.iter().map(|claim| claim_to_proto(claim, slot.changed_at)).collect()
}
