//! Policies and their activations on the wire.

use super::common::{instant_to_proto, stamp_to_proto};
use crate::domain::policy::{PolicyActivation, PolicyDocument};
use crate::proto::routing as pb;
use crate::service::{PolicyScope, PolicyView};

/// Reads a file; the service judges it.
pub(in crate::grpc) fn document_from_proto(message: pb::PolicyDocument) -> PolicyDocument {
    let pb::PolicyDocument { name, text } = message;
    PolicyDocument { name: name.into(), text: text.into() }
}

/// Writes an activation.
pub(in crate::grpc) fn activation_to_proto(activation: &PolicyActivation) -> pb::PolicyActivation {
    let PolicyActivation { version, activated_at, activated_by, reason } = activation;
    pb::PolicyActivation {
        version: version.to_string(),
        activated_at: Some(instant_to_proto(*activated_at)),
        activated_by: activated_by.to_string(),
        reason: reason.to_string(),
    }
}

/// Writes the policies in force.
pub(in crate::grpc) fn view_to_proto(view: PolicyView) -> pb::GetPolicyResponse {
    let PolicyView { version, documents, activations, in_force, since, problem, stamp } = view;
    let document = |PolicyDocument { name, text }: PolicyDocument| pb::PolicyDocument {
        name: name.to_string(),
        text: text.to_string(),
    };
    let in_force = in_force.all().map(|one| {
        let (territory_id, department) = match one.scope {
            PolicyScope::National => (String::new(), String::new()),
            PolicyScope::Territory(territory) => (territory.wire(), String::new()),
            PolicyScope::Department(department) => (String::new(), department.code().to_owned()),
        };
        pb::PolicyInForce { territory_id, department, version: one.policy.version.to_string() }
    });
    pb::GetPolicyResponse {
        version: version.to_string(),
        in_force: in_force.collect(),
        documents: documents.into_iter().map(document).collect(),
        activations: activations.iter().map(activation_to_proto).collect(),
        since_position: since.map(|position| position.sequence),
        problem: problem.unwrap_or_default(),
        stamp: Some(stamp_to_proto(&stamp)),
    }
}
