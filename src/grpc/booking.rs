//! `BookingService`: from an option to a booking that nobody else can take.

use tonic::{Request, Response, Status};

use super::convert::claim::{authority_from_proto, booking_to_proto, hold_to_proto};
use super::convert::common::{instant_to_proto, optional_id, request_id_from_proto, stamp_to_proto};
use super::convert::query::query_from_proto;
use super::convert::refusal::{refusal_from_proto, refusal_to_proto};
use super::findings::{Findings, Path};
use super::status;
use crate::domain::id::{CaseId, ClaimId, PrincipalId, RequestId, SlotId};
use crate::proto::routing as pb;
use crate::proto::routing::booking_service_server::BookingService;
use crate::service::limits::{CANCEL_REASON_MAX_CHARS, HOLD_TTL_MAX_SECONDS, HOLD_TTL_MIN_SECONDS};
use crate::service::{Caller, HoldRequest, RebookRequest, RebookTarget, Service};

/// Holds, confirms and gives back.
#[derive(Clone)]
pub(super) struct Booking {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl BookingService for Booking {
    async fn hold_slot(&self, request: Request<pb::HoldSlotRequest>) -> Result<Response<pb::HoldSlotResponse>, Status> {
        let request = hold_from_proto(request.into_inner())?;
        let slot_id = request.slot_id.clone();
        let held = self.service.hold(&Caller::local(), request).await;
        let done = held.map_err(|error| status::from_hold_error(error, slot_id.as_str()))?;
        Ok(Response::new(pb::HoldSlotResponse {
            hold: Some(hold_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn confirm_hold(
        &self,
        request: Request<pb::ConfirmHoldRequest>,
    ) -> Result<Response<pb::ConfirmHoldResponse>, Status> {
        let pb::ConfirmHoldRequest { request_id, hold_id } = request.into_inner();
        let (request_id, id) = write_from_proto(&request_id, "hold_id", &hold_id)?;
        let done = self.service.confirm(&Caller::local(), request_id, id).await.map_err(status::from_error)?;
        Ok(Response::new(pb::ConfirmHoldResponse {
            booking: Some(booking_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn release_hold(
        &self,
        request: Request<pb::ReleaseHoldRequest>,
    ) -> Result<Response<pb::ReleaseHoldResponse>, Status> {
        let pb::ReleaseHoldRequest { request_id, hold_id } = request.into_inner();
        let (request_id, id) = write_from_proto(&request_id, "hold_id", &hold_id)?;
        let done = self.service.release(&Caller::local(), request_id, id).await.map_err(status::from_error)?;
        Ok(Response::new(pb::ReleaseHoldResponse {
            hold: Some(hold_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn cancel_booking(
        &self,
        request: Request<pb::CancelBookingRequest>,
    ) -> Result<Response<pb::CancelBookingResponse>, Status> {
        let (request_id, id, reason) = cancel_from_proto(request.into_inner())?;
        let done = self.service.cancel(&Caller::local(), request_id, id, reason).await.map_err(status::from_error)?;
        Ok(Response::new(pb::CancelBookingResponse {
            booking: Some(booking_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn rebook(&self, request: Request<pb::RebookRequest>) -> Result<Response<pb::RebookResponse>, Status> {
        let request = rebook_from_proto(request.into_inner())?;
        let target = match &request.target {
            RebookTarget::Slot(id) => id.to_string(),
            RebookTarget::Hold(_) => String::new(),
        };
        let rebooked = self.service.rebook(&Caller::local(), request).await;
        let done = rebooked.map_err(|error| status::from_hold_error(error, &target))?;
        Ok(Response::new(pb::RebookResponse {
            booking: Some(booking_to_proto(&done.value.booked)),
            replaced: Some(booking_to_proto(&done.value.replaced)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn record_refusal(
        &self,
        request: Request<pb::RecordRefusalRequest>,
    ) -> Result<Response<pb::RecordRefusalResponse>, Status> {
        let mut findings = Findings::default();
        let request = refusal_from_proto(request.into_inner(), &mut findings);
        let request = request.ok_or_else(|| status::from_violations(findings.violations))?;
        let done = self.service.record_refusal(&Caller::local(), request).await.map_err(status::from_error)?;
        Ok(Response::new(pb::RecordRefusalResponse {
            refusal: Some(refusal_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn get_hold(&self, request: Request<pb::GetHoldRequest>) -> Result<Response<pb::GetHoldResponse>, Status> {
        let pb::GetHoldRequest { hold_id } = request.into_inner();
        let id = claim_id_from_proto("hold_id", &hold_id)?;
        let view = self.service.get_hold(id).map_err(status::from_error)?;
        let answered_at = Some(instant_to_proto(self.service.stamp().answered_at));
        Ok(Response::new(pb::GetHoldResponse { hold: Some(hold_to_proto(&view)), answered_at }))
    }

    async fn get_booking(
        &self,
        request: Request<pb::GetBookingRequest>,
    ) -> Result<Response<pb::GetBookingResponse>, Status> {
        let pb::GetBookingRequest { booking_id } = request.into_inner();
        let id = claim_id_from_proto("booking_id", &booking_id)?;
        let view = self.service.get_booking(id).map_err(status::from_error)?;
        let answered_at = Some(instant_to_proto(self.service.stamp().answered_at));
        Ok(Response::new(pb::GetBookingResponse { booking: Some(booking_to_proto(&view)), answered_at }))
    }
}

fn hold_from_proto(message: pb::HoldSlotRequest) -> Result<HoldRequest, Status> {
    let pb::HoldSlotRequest {
        request_id,
        slot_id,
        case_id,
        ttl_seconds,
        query,
        regulator_id,
        rebooks_booking_id,
        regulator_role,
        beyond_delay_reason,
    } = message;
    let (path, mut findings) = (Path::ROOT, Findings::default());
    let request_id = request_id_from_proto(&request_id, &mut findings);
    let slot_id = findings.take(path.field("slot_id"), SlotId::parse(&slot_id));
    let case_id = findings.take(path.field("case_id"), CaseId::parse(&case_id));
    if ttl_seconds.is_some_and(|seconds| !(HOLD_TTL_MIN_SECONDS..=HOLD_TTL_MAX_SECONDS).contains(&seconds)) {
        let message = format_args!("give {HOLD_TTL_MIN_SECONDS} to {HOLD_TTL_MAX_SECONDS} seconds");
        findings.refuse(path.field("ttl_seconds"), message);
    }
    let query = query.and_then(|query| query_from_proto(Some(query), path.field("query"), &mut findings));
    let regulator_id = optional_id(&regulator_id, path.field("regulator_id"), &mut findings, PrincipalId::parse);
    let rebooks = findings.optional(path.field("rebooks_booking_id"), &rebooks_booking_id, ClaimId::parse);
    let authority = authority_from_proto(regulator_role, &beyond_delay_reason, &mut findings);
    match (request_id, slot_id, case_id) {
        (Some(request_id), Some(slot_id), Some(case_id)) if findings.violations.is_empty() => {
            Ok(HoldRequest { request_id, slot_id, case_id, ttl_seconds, query, regulator_id, rebooks, authority })
        }
        _ => Err(status::from_violations(findings.violations)),
    }
}

fn rebook_from_proto(message: pb::RebookRequest) -> Result<RebookRequest, Status> {
    let pb::RebookRequest {
        request_id,
        booking_id,
        target,
        query,
        regulator_id,
        cancel_reason,
        regulator_role,
        beyond_delay_reason,
    } = message;
    let (path, mut findings) = (Path::ROOT, Findings::default());
    let request_id = request_id_from_proto(&request_id, &mut findings);
    let booking_id = findings.take(path.field("booking_id"), ClaimId::parse(&booking_id));
    let target = match target {
        Some(pb::rebook_request::Target::SlotId(id)) => {
            findings.take(path.field("slot_id"), SlotId::parse(&id)).map(RebookTarget::Slot)
        }
        Some(pb::rebook_request::Target::HoldId(id)) => {
            findings.take(path.field("hold_id"), ClaimId::parse(&id)).map(RebookTarget::Hold)
        }
        None => {
            findings.refuse(path.field("slot_id"), "missing: give the slot to book, or a hold");
            None
        }
    };
    let query = query.and_then(|query| query_from_proto(Some(query), path.field("query"), &mut findings));
    let regulator_id = optional_id(&regulator_id, path.field("regulator_id"), &mut findings, PrincipalId::parse);
    let cancel_reason = findings.text(path.field("cancel_reason"), &cancel_reason, 0, CANCEL_REASON_MAX_CHARS);
    let cancel_reason = cancel_reason.map(str::to_owned).unwrap_or_default();
    let authority = authority_from_proto(regulator_role, &beyond_delay_reason, &mut findings);
    match (request_id, booking_id, target) {
        (Some(request_id), Some(booking_id), Some(target)) if findings.violations.is_empty() => {
            Ok(RebookRequest { request_id, booking_id, target, query, regulator_id, cancel_reason, authority })
        }
        _ => Err(status::from_violations(findings.violations)),
    }
}

fn cancel_from_proto(message: pb::CancelBookingRequest) -> Result<(RequestId, ClaimId, String), Status> {
    let pb::CancelBookingRequest { request_id, booking_id, reason } = message;
    let (path, mut findings) = (Path::ROOT, Findings::default());
    let request_id = request_id_from_proto(&request_id, &mut findings);
    let id = findings.take(path.field("booking_id"), ClaimId::parse(&booking_id));
    let reason = findings.text(path.field("reason"), &reason, 0, CANCEL_REASON_MAX_CHARS).map(str::to_owned);
    let read = request_id.zip(id).zip(reason).map(|((request_id, id), reason)| (request_id, id, reason));
    read.ok_or_else(|| status::from_violations(findings.violations))
}

fn write_from_proto(request_id: &str, field: &'static str, id: &str) -> Result<(RequestId, ClaimId), Status> {
    let mut findings = Findings::default();
    let request_id = request_id_from_proto(request_id, &mut findings);
    let id = findings.take(Path::ROOT.field(field), ClaimId::parse(id));
    request_id.zip(id).ok_or_else(|| status::from_violations(findings.violations))
}

fn claim_id_from_proto(field: &'static str, id: &str) -> Result<ClaimId, Status> {
    let mut findings = Findings::default();
    let id = findings.take(Path::ROOT.field(field), ClaimId::parse(id));
    id.ok_or_else(|| status::from_violations(findings.violations))
}
