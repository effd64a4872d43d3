//! `OrientationService`: how cases and bookings ended.

use tonic::{Request, Response, Status};

use super::convert::claim::booking_to_proto;
use super::convert::common::{instant_to_proto, request_id_from_proto, stamp_to_proto};
use super::convert::orientation::{
    attendance_from_proto, attendance_to_proto, orientation_from_proto, orientation_to_proto,
};
use super::findings::{Findings, Path};
use super::status;
use crate::domain::id::ClaimId;
use crate::proto::routing as pb;
use crate::proto::routing::orientation_service_server::OrientationService;
use crate::service::{Caller, Service};

/// Records how cases and bookings ended.
#[derive(Clone)]
pub(super) struct Orientations {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl OrientationService for Orientations {
    async fn record_orientation(
        &self,
        request: Request<pb::RecordOrientationRequest>,
    ) -> Result<Response<pb::RecordOrientationResponse>, Status> {
        let pb::RecordOrientationRequest { request_id, orientation } = request.into_inner();
        let mut findings = Findings::default();
        let request_id = request_id_from_proto(&request_id, &mut findings);
        let read = orientation_from_proto(orientation, Path::ROOT.field("orientation"), &mut findings);
        let request = match request_id.zip(read) {
            Some((request_id, read)) if findings.violations.is_empty() => read(request_id),
            Some(_) | None => return Err(status::from_violations(findings.violations)),
        };
        let done = self.service.record_orientation(&Caller::local(), request).await.map_err(status::from_error)?;
        Ok(Response::new(pb::RecordOrientationResponse {
            orientation: Some(orientation_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn record_attendance(
        &self,
        request: Request<pb::RecordAttendanceRequest>,
    ) -> Result<Response<pb::RecordAttendanceResponse>, Status> {
        let pb::RecordAttendanceRequest { request_id, booking_id, attendance } = request.into_inner();
        let mut findings = Findings::default();
        let request_id = request_id_from_proto(&request_id, &mut findings);
        let id = findings.take(Path::ROOT.field("booking_id"), ClaimId::parse(&booking_id));
        let kind = attendance_from_proto(attendance, Path::ROOT.field("attendance"), &mut findings);
        let Some(((request_id, id), kind)) = request_id.zip(id).zip(kind) else {
            return Err(status::from_violations(findings.violations));
        };
        let done = self.service.record_attendance(&Caller::local(), request_id, id, kind).await;
        let done = done.map_err(status::from_error)?;
        Ok(Response::new(pb::RecordAttendanceResponse {
            booking: Some(booking_to_proto(&done.value.booking)),
            attendance: attendance_to_proto(done.value.attendance.kind).into(),
            recorded_at: Some(instant_to_proto(done.value.attendance.recorded_at)),
            call_back_requested: done.value.call_back_requested,
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }
}
