//! `RoutingService`: where a patient goes next.

use tonic::{Request, Response, Status};

use super::convert::answer::answer_to_proto;
use super::convert::query::query_from_proto;
use super::findings::{Findings, Path};
use super::status;
use crate::proto::routing as pb;
use crate::proto::routing::routing_service_server::RoutingService;
use crate::service::Service;

/// Answers the regulator.
#[derive(Clone)]
pub(super) struct Routing {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl RoutingService for Routing {
    async fn find_care(&self, request: Request<pb::FindCareRequest>) -> Result<Response<pb::FindCareResponse>, Status> {
        let pb::FindCareRequest { query } = request.into_inner();
        let mut findings = Findings::default();
        match query_from_proto(query, Path::ROOT.field("query"), &mut findings) {
            Some(query) if findings.violations.is_empty() => {
                Ok(Response::new(answer_to_proto(&self.service.find(&query))))
            }
            Some(_) | None => Err(status::from_violations(findings.violations)),
        }
    }
}
