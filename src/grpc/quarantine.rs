//! `QuarantineService`: what the ledger lost, and what becomes of it.

use tonic::{Request, Response, Status};

use super::convert::common::stamp_to_proto;
use super::convert::quarantine::{list_to_proto, settled_to_proto, settlement_from_proto, source_from_proto};
use super::findings::Findings;
use super::status;
use crate::proto::routing as pb;
use crate::proto::routing::quarantine_service_server::QuarantineService;
use crate::service::{Caller, Service};

/// Shows and settles what is in quarantine.
#[derive(Clone)]
pub(super) struct Quarantines {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl QuarantineService for Quarantines {
    async fn list_quarantined(
        &self,
        request: Request<pb::ListQuarantinedRequest>,
    ) -> Result<Response<pb::ListQuarantinedResponse>, Status> {
        let mut findings = Findings::default();
        let source_id = source_from_proto(request.into_inner(), &mut findings);
        if !findings.violations.is_empty() {
            return Err(status::from_violations(findings.violations));
        }
        Ok(Response::new(list_to_proto(&self.service.quarantined(source_id.as_ref()))))
    }

    async fn settle_quarantine(
        &self,
        request: Request<pb::SettleQuarantineRequest>,
    ) -> Result<Response<pb::SettleQuarantineResponse>, Status> {
        let mut findings = Findings::default();
        let settlement = settlement_from_proto(request.into_inner(), &mut findings);
        let settlement = settlement.ok_or_else(|| status::from_violations(findings.violations))?;
        let done = self.service.settle(&Caller::local(), settlement).await.map_err(status::from_error)?;
        Ok(Response::new(pb::SettleQuarantineResponse {
            claims: settled_to_proto(&done.value),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }
}
