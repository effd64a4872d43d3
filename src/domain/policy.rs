//! Which policy is in force, as it was put in force: texts that the ledger keeps, and who wanted them when and why.
//!
//! Invariant: there is one such record, so all instances change policy at one position.
//! Deliberately absent: what the texts mean, which is the matching's; and the texts of earlier policies.

use std::sync::Arc;

use super::id::PrincipalId;
use super::time::UtcInstant;

/// Most activations that the record remembers.
pub const ACTIVATIONS_KEPT_MAX: usize = 20;

/// A policy file as it was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyDocument {
    /// Its name, for messages.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

/// One change of policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyActivation {
    /// Version of the policies as a whole, as the build that put them in force named it.
    pub version: Arc<str>,
    /// When.
    pub activated_at: UtcInstant,
    /// Who.
    pub activated_by: PrincipalId,
    /// Why.
    pub reason: Arc<str>,
}

/// The policies in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActivePolicy {
    /// The files over the national policy that ships; none when that alone is in force.
    pub documents: Vec<PolicyDocument>,
    /// This activation and those before it, the newest first, at most [`ACTIVATIONS_KEPT_MAX`].
    pub activations: Vec<PolicyActivation>,
}

impl ActivePolicy {
    /// These documents put in force after what was before.
    #[must_use]
    pub fn after(previous: Option<&Self>, documents: Vec<PolicyDocument>, activation: PolicyActivation) -> Self {
        let earlier = previous.map(|previous| previous.activations.as_slice()).unwrap_or_default();
        let activations = std::iter::once(activation).chain(earlier.iter().cloned());
        Self { documents, activations: activations.take(ACTIVATIONS_KEPT_MAX).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_activations_are_remembered() {
        let activation = |number: usize| PolicyActivation {
            version: Arc::from(format!("v{number}")),
            activated_at: UtcInstant::from_ms(0),
            activated_by: PrincipalId::local(),
            reason: Arc::from("because"),
        };
        let last = (0..30).fold(None, |previous: Option<ActivePolicy>, number| {
            Some(ActivePolicy::after(previous.as_ref(), Vec::new(), activation(number)))
        });
        let versions: Vec<_> = last.unwrap().activations.iter().map(|one| one.version.to_string()).collect();
        assert_eq!(versions.len(), ACTIVATIONS_KEPT_MAX);
        assert_eq!((versions[0].as_str(), versions[19].as_str()), ("v29", "v10"));
    }
}
