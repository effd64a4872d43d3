//! `PolicyService`: which policies are in force, and others in their place.

use tonic::{Request, Response, Status};

use super::convert::common::{request_id_from_proto, stamp_to_proto};
use super::convert::policy::{activation_to_proto, document_from_proto, view_to_proto};
use super::convert::policy_preview::{preview_from_proto, preview_to_proto};
use super::findings::Findings;
use super::status;
use crate::domain::policy::{PolicyActivation, PolicyDocument};
use crate::proto::routing as pb;
use crate::proto::routing::policy_service_server::PolicyService;
use crate::service::{Caller, Done, PolicyRequest, Service};

/// Changes the matching policy.
#[derive(Clone)]
pub(super) struct Policies {
    pub(super) service: Service,
}

impl Policies {
    async fn change(
        &self,
        request_id: &str,
        (expected_version, reason): (String, String),
        documents: Option<Vec<PolicyDocument>>,
    ) -> Result<Done<PolicyActivation>, Status> {
        let mut findings = Findings::default();
        let Some(request_id) = request_id_from_proto(request_id, &mut findings) else {
            return Err(status::from_violations(findings.violations));
        };
        let request = PolicyRequest { request_id, expected_version, reason, documents };
        self.service.change_policy(&Caller::local(), request).await.map_err(status::from_error)
    }
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn get_policy(
        &self,
        request: Request<pb::GetPolicyRequest>,
    ) -> Result<Response<pb::GetPolicyResponse>, Status> {
        let pb::GetPolicyRequest {} = request.into_inner();
        Ok(Response::new(view_to_proto(self.service.policy_view())))
    }

    async fn activate_policy(
        &self,
        request: Request<pb::ActivatePolicyRequest>,
    ) -> Result<Response<pb::ActivatePolicyResponse>, Status> {
        let pb::ActivatePolicyRequest { request_id, documents, expected_version, reason } = request.into_inner();
        let documents = documents.into_iter().map(document_from_proto).collect();
        let done = self.change(&request_id, (expected_version, reason), Some(documents)).await?;
        Ok(Response::new(pb::ActivatePolicyResponse {
            activation: Some(activation_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn reset_policy(
        &self,
        request: Request<pb::ResetPolicyRequest>,
    ) -> Result<Response<pb::ResetPolicyResponse>, Status> {
        let pb::ResetPolicyRequest { request_id, expected_version, reason } = request.into_inner();
        let done = self.change(&request_id, (expected_version, reason), None).await?;
        Ok(Response::new(pb::ResetPolicyResponse {
            activation: Some(activation_to_proto(&done.value)),
            replayed: done.replayed,
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn preview_policy(
        &self,
        request: Request<pb::PreviewPolicyRequest>,
    ) -> Result<Response<pb::PreviewPolicyResponse>, Status> {
        let mut findings = Findings::default();
        let request = preview_from_proto(request.into_inner(), &mut findings);
        if !findings.violations.is_empty() {
            return Err(status::from_violations(findings.violations));
        }
        let preview = self.service.preview_policy(request).await.map_err(status::from_error)?;
        Ok(Response::new(preview_to_proto(preview)))
    }
}
