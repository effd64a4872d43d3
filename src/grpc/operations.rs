//! `OperationsService`: how the service stands.

use tonic::{Request, Response, Status};

use super::convert::common::{instant_to_proto, stamp_to_proto};
use crate::proto::routing as pb;
use crate::proto::routing::operations_service_server::OperationsService;
use crate::service::{self, Condition, Service};

/// Tells operations people how the service stands.
#[derive(Clone)]
pub(super) struct Operations {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl OperationsService for Operations {
    async fn get_status(
        &self,
        request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        let pb::GetStatusRequest {} = request.into_inner();
        Ok(Response::new(status_to_proto(self.service.status())))
    }
}

fn status_to_proto(status: service::Status) -> pb::GetStatusResponse {
    let service::Status {
        instance_id,
        version,
        started_at,
        ledger_kind,
        durability,
        refusal,
        conditions,
        stamp,
        counts,
    } = status;
    let condition = |Condition { kind, message }| pb::Condition {
        code: kind.code().to_owned(),
        message,
        degrades: kind.degrades(),
    };
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    pb::GetStatusResponse {
        instance_id: instance_id.to_string(),
        version: version.to_owned(),
        started_at: Some(instant_to_proto(started_at)),
        ledger_kind: ledger_kind.to_owned(),
        durability: durability.to_owned(),
        writable: refusal.is_none(),
        write_refusal: refusal.unwrap_or_default(),
        conditions: conditions.into_iter().map(condition).collect(),
        stamp: Some(stamp_to_proto(&stamp)),
        counts: Some(pb::Counts {
            territories: count(counts.territories),
            places: count(counts.places),
            practitioners: count(counts.practitioners),
            schedules: count(counts.schedules),
            slots: count(counts.slots),
            emergency_sites: count(counts.emergency_sites),
            claims: count(counts.claims),
        }),
    }
}
