//! `ExplanationService`: why a slot is in an answer, or is not.

use tonic::{Request, Response, Status};

use super::convert::explanation::{explained_to_proto, subject_from_proto};
use super::convert::query::query_from_proto;
use super::findings::{Findings, Path};
use super::status;
use crate::proto::routing as pb;
use crate::proto::routing::explanation_service_server::ExplanationService;
use crate::service::Service;

/// Explains to regulators and publishers.
#[derive(Clone)]
pub(super) struct Explanation {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl ExplanationService for Explanation {
    async fn explain_slot(
        &self,
        request: Request<pb::ExplainSlotRequest>,
    ) -> Result<Response<pb::ExplainSlotResponse>, Status> {
        let pb::ExplainSlotRequest { subject, query } = request.into_inner();
        let mut findings = Findings::default();
        let subject = subject_from_proto(subject, Path::ROOT, &mut findings);
        let query = query.and_then(|query| query_from_proto(Some(query), Path::ROOT.field("query"), &mut findings));
        match subject {
            Some(subject) if findings.violations.is_empty() => {
                let explained = self.service.explain(&subject, query.as_ref()).map_err(status::from_error)?;
                Ok(Response::new(explained_to_proto(&explained)))
            }
            Some(_) | None => Err(status::from_violations(findings.violations)),
        }
    }
}
