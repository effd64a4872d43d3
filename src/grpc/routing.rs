//! `RoutingService`: where a patient goes next.

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::convert::answer::write_answer;
use super::convert::query::query_from_proto;
use super::convert::watch::watch_from_proto;
use super::findings::{Findings, Path};
use super::gate::RETRY_AFTER_MS;
use super::min_position::{self, Expected};
use super::room::EscalationsOnly;
use super::served::routing_service_server::RoutingService;
use super::status;
use super::watching::Updates;
use super::wire::Written;
use crate::proto::routing as pb;
use crate::service::{Caller, Service};

/// Answers the regulator.
#[derive(Clone)]
pub(super) struct Routing {
    pub(super) service: Service,
    /// Ends watches.
    pub(super) draining: CancellationToken,
}

#[tonic::async_trait]
impl RoutingService for Routing {
    type WatchCareStream = Updates;

    async fn find_care(&self, request: Request<pb::FindCareRequest>) -> Result<Response<Written>, Status> {
        let wanted = min_position::of(request.metadata()).map_err(status::from_error)?;
        let is_glance = request.extensions().get::<EscalationsOnly>().is_some();
        let pb::FindCareRequest { query } = request.into_inner();
        let mut findings = Findings::default();
        match query_from_proto(query, Path::ROOT.field("query"), &mut findings) {
            Some(query) if findings.violations.is_empty() => {
                self.service.check_answerable(&query).map_err(status::from_error)?;
                if is_glance && self.service.answers_from_slots(&query) {
                    return Err(status::overloaded(RETRY_AFTER_MS));
                }
                let is_behind = min_position::awaited(&self.service, wanted, &query).await;
                let answer = self.service.find_care(&query).await;
                let written = Written::of(|to| write_answer(to, &answer, is_behind));
                self.service.keep_question(query);
                Ok(Response::new(written))
            }
            Some(_) | None => Err(status::from_violations(findings.violations)),
        }
    }

    async fn watch_care(&self, request: Request<pb::WatchCareRequest>) -> Result<Response<Updates>, Status> {
        let wanted = min_position::of(request.metadata()).map_err(status::from_error)?;
        let mut findings = Findings::default();
        match watch_from_proto(request.into_inner(), &mut findings) {
            Some(request) if findings.violations.is_empty() => {
                min_position::awaited(&self.service, wanted, &request.query).await;
                let watch = self.service.watch(&Caller::local(), request).map_err(status::from_error)?;
                Ok(Response::new(Updates::of(watch, self.draining.clone(), Expected::of(&self.service, wanted))))
            }
            Some(_) | None => Err(status::from_violations(findings.violations)),
        }
    }
}
