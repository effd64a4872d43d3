//! The policies in force and their stored form.
//!
//! Invariant: both directions name every field. Texts are kept as they are: what a build cannot read must not keep its
//! store from opening.

use super::field::{DecodeError, Of};
use crate::domain::id::PrincipalId;
use crate::domain::policy::{ActivePolicy, PolicyActivation, PolicyDocument};
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;

/// The stored form of the policies in force.
pub(super) fn to_policy(policy: &ActivePolicy) -> pb::Policy {
    let ActivePolicy { documents, activations } = policy;
    let document = |PolicyDocument { name, text }: &PolicyDocument| pb::PolicyDocument {
        name: name.as_ref().to_owned(),
        text: text.as_ref().to_owned(),
    };
    let activation = |one: &PolicyActivation| {
        let PolicyActivation { version, activated_at, activated_by, reason } = one;
        pb::PolicyActivation {
            version: version.as_ref().to_owned(),
            activated_at_ms: activated_at.ms(),
            activated_by: activated_by.to_string(),
            reason: reason.as_ref().to_owned(),
        }
    };
    pb::Policy {
        documents: documents.iter().map(document).collect(),
        activations: activations.iter().map(activation).collect(),
    }
}

/// The policies in force of a stored form.
pub(super) fn from_policy(message: pb::Policy) -> Result<ActivePolicy, DecodeError> {
    let pb::Policy { documents, activations } = message;
    let of = Of { kind: "policy", id: "active" };
    let document = |pb::PolicyDocument { name, text }| PolicyDocument { name: name.into(), text: text.into() };
    let activation = |one: pb::PolicyActivation| {
        let pb::PolicyActivation { version, activated_at_ms, activated_by, reason } = one;
        Ok(PolicyActivation {
            version: version.into(),
            activated_at: UtcInstant::from_ms(activated_at_ms),
            activated_by: of.read("activations.activated_by", PrincipalId::parse(&activated_by))?,
            reason: reason.into(),
        })
    };
    Ok(ActivePolicy {
        documents: documents.into_iter().map(document).collect(),
        activations: activations.into_iter().map(activation).collect::<Result<_, _>>()?,
    })
}
