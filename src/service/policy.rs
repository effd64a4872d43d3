//! The policies in force, changed through the ledger: all instances switch at one position.
//!
//! An activation is valid as a whole or refused with every problem. Whoever activates says which version is to be replaced,
//! so that two administrators do not undo each other's work.
//! Deliberately absent: reading files, and the texts of earlier policies.

mod asked;
mod in_force;
mod preview;

use std::sync::Arc;

use super::error::{Error, Reason};
use super::find::Finder;
use super::fingerprint::Digest;
use super::limits::{POLICY_DOCUMENTS_MAX, POLICY_REASON_MAX_CHARS, POLICY_TEXTS_MAX_BYTES};
use super::outcome::{OutcomeError, decode_policy_activated, encode_policy_activated};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};
use crate::domain::answer::{CareAnswer, Stamp};
use crate::domain::id::RequestId;
use crate::domain::policy::{ActivePolicy, PolicyActivation, PolicyDocument};
use crate::domain::query::CareQuery;
use crate::domain::record::{Body, Key, Position, Versioned};
use crate::domain::road::RoadTimes;
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::ledger::Entry;
use crate::road::Roads;
use crate::routing::policy::{PolicyProblems, PolicySet};

pub(super) use asked::Asked;
use in_force::Loaded;
pub(super) use in_force::{InForce, Policies};
pub use preview::{AnswerDigest, ChangeSort, ChangedAnswer, Preview, PreviewRequest};

/// A change of policy that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRequest {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// The version that is to be replaced.
    pub expected_version: String,
    /// Why.
    pub reason: String,
    /// The files to be in force together over the national policy that ships; `None` for that alone.
    pub documents: Option<Vec<PolicyDocument>>,
}

/// The policies in force.
#[derive(Clone, Debug)]
pub struct PolicyView {
    /// Version of the policies that were put in force last.
    pub version: Arc<str>,
    /// Their files; none when the national policy that ships is in force alone.
    pub documents: Vec<PolicyDocument>,
    /// The last activations, the newest first.
    pub activations: Vec<PolicyActivation>,
    /// The policies under which this instance answers.
    pub in_force: PolicySet,
    /// The change that put them in force; `None` when this process was not there to see it.
    pub since: Option<Position>,
    /// Why this instance answers under others than those that were put in force last.
    pub problem: Option<String>,
    /// The state of which this is told.
    pub stamp: Stamp,
}

impl Service {
    /// The policies in force.
    #[must_use]
    pub fn policy_view(&self) -> PolicyView {
        let in_force = self.policies().load();
        let record = self.parts().index.active_policy().map(|record| record.value);
        PolicyView {
            version: version_of(record.as_deref()),
            documents: record.as_ref().map(|record| record.documents.clone()).unwrap_or_default(),
            activations: record.as_ref().map(|record| record.activations.clone()).unwrap_or_default(),
            in_force: in_force.set.clone(),
            since: in_force.changed_at,
            problem: in_force.problem.clone(),
            stamp: self.stamp(),
        }
    }

    /// Puts other policies in force.
    ///
    /// # Errors
    /// When they are not valid, with every problem; when another version is in force than the one that was to be replaced;
    /// when the ledger cannot write.
    pub async fn change_policy(
        &self,
        caller: &Caller,
        request: PolicyRequest,
    ) -> Result<Done<PolicyActivation>, Error> {
        let PolicyRequest { request_id, expected_version, reason, documents } = request;
        let mut digest = Digest::of("policy");
        digest.text(&expected_version).text(&reason).number(u64::from(documents.is_some()));
        let documents = match documents {
            Some(documents) => candidate(documents, &mut digest)?,
            None => Vec::new(),
        };
        let reason = checked_reason(&reason)?;
        let set = load(&documents)?;
        let head = Head { principal: caller.principal.clone(), request_id, fingerprint: digest.finish() };
        let by = caller.clone();
        let written = self.write(head, PolicyJob { by, expected_version, reason, documents, set }).await?;
        Ok(self.done(written, |activation| activation))
    }

    /// Answers a question under policies that still stand when the answer is stamped: one whose stamp has the position of a
    /// change of policy, or a later one, is of the new policies, and one with an earlier position of the old.
    pub(super) fn answered(&self, query: &CareQuery, now: UtcInstant) -> (Loaded, CareAnswer) {
        self.answered_by(query, now, |finder| finder.find(query, now))
    }

    /// The same, answered in another way.
    pub(super) fn answered_by(
        &self,
        query: &CareQuery,
        now: UtcInstant,
        answer: impl Fn(&Finder<'_>) -> CareAnswer,
    ) -> (Loaded, CareAnswer) {
        let mut in_force = self.policies().load();
        loop {
            let mut answer = answer(&self.finder(&in_force, query, now));
            let newest = self.policies().load();
            if Arc::ptr_eq(&newest, &in_force) {
                self.complete(&mut answer.stamp, &in_force);
                return (in_force, answer);
            }
            in_force = newest;
        }
    }

    /// Says in a stamp what only the service knows.
    fn complete(&self, stamp: &mut Stamp, in_force: &InForce) {
        // What came before a change of policy is visible too, although the head may not show it yet.
        stamp.position = stamp.position.max(in_force.visible_at);
        stamp.durability_reduced = self.is_durability_reduced();
    }

    /// The same, by road times that are asked for; and these.
    pub(super) async fn answered_asking(
        &self,
        query: &CareQuery,
        now: UtcInstant,
        roads: &Roads,
    ) -> (Arc<InForce>, CareAnswer, RoadTimes) {
        loop {
            let in_force = self.policies().load_full();
            let (mut answer, times) = self.finder(&in_force, query, now).find_asking(query, now, roads).await;
            if Arc::ptr_eq(&self.policies().load(), &in_force) {
                self.complete(&mut answer.stamp, &in_force);
                return (in_force, answer, times);
            }
        }
    }
}

/// Checks what is stated of a candidate beside its meaning, and takes it into the digest of a request.
fn candidate(documents: Vec<PolicyDocument>, digest: &mut Digest) -> Result<Vec<PolicyDocument>, Error> {
    let refuse = |field: &str, message: String| Err(Error::invalid(vec![Violation::new(field, message)]));
    if documents.is_empty() || documents.len() > POLICY_DOCUMENTS_MAX {
        return refuse(
            "documents",
            format!("give 1 to {POLICY_DOCUMENTS_MAX} files; reset to go back to the one that ships"),
        );
    }
    let bytes: usize = documents.iter().map(|document| document.text.len() + document.name.len()).sum();
    if bytes > POLICY_TEXTS_MAX_BYTES {
        return refuse("documents", format!("{bytes} bytes are too many: at most {POLICY_TEXTS_MAX_BYTES} together"));
    }
    for (at, PolicyDocument { name, text }) in documents.iter().enumerate() {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return refuse(&format!("documents[{at}].name"), "give a name that can be shown".to_owned());
        }
        if documents.iter().take(at).any(|other| other.name == *name) {
            return refuse(&format!("documents[{at}].name"), format!("`{name}` names two files: give each its own"));
        }
        digest.text(name).text(text);
    }
    Ok(documents)
}

fn checked_reason(reason: &str) -> Result<Arc<str>, Error> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > POLICY_REASON_MAX_CHARS || reason.chars().any(char::is_control) {
        let message = format!("say why in 1 to {POLICY_REASON_MAX_CHARS} characters on one line");
        return Err(Error::invalid(vec![Violation::new("reason", message)]));
    }
    Ok(Arc::from(reason))
}

/// The policies of documents.
///
/// # Errors
/// With every problem and its line, each about the text in which it stands.
fn load(documents: &[PolicyDocument]) -> Result<PolicySet, Error> {
    PolicySet::load(documents).map_err(|PolicyProblems(problems)| {
        let message = format!("the policy has {} problem(s): correct the lines that are named", problems.len());
        let violations = problems.iter().map(|problem| {
            let at = documents.iter().position(|document| *document.name == *problem.place.file);
            let field = at.map_or_else(|| "documents".to_owned(), |at| format!("documents[{at}].text"));
            Violation::new(field, problem.to_string())
        });
        Error { violations: violations.collect(), ..Error::new(Reason::InvalidArgument, message) }
    })
}

/// Everything that is wrong with documents that are meant to be in force together.
#[must_use]
pub fn policy_problems(documents: &[PolicyDocument]) -> Vec<Violation> {
    load(documents).err().map(|error| error.violations).unwrap_or_default()
}

/// The version of a record as this build names it; as it was named when this build cannot read it.
fn version_of(record: Option<&ActivePolicy>) -> Arc<str> {
    let documents = record.map(|record| record.documents.as_slice()).unwrap_or_default();
    let named = || record.and_then(|record| record.activations.first()).map(|newest| Arc::clone(&newest.version));
    match PolicySet::load(documents) {
        Ok(set) => Arc::clone(set.version()),
        Err(_) => named().unwrap_or_else(|| Arc::from("unknown")),
    }
}

struct PolicyJob {
    by: Caller,
    expected_version: String,
    reason: Arc<str>,
    documents: Vec<PolicyDocument>,
    set: PolicySet,
}

impl PolicyJob {
    /// Refuses a policy that could be mistaken for one that is in force.
    fn check_names(&self, known: Option<&ActivePolicy>) -> Result<(), Error> {
        let documents = known.map(|known| known.documents.as_slice()).unwrap_or_default();
        // What cannot be read cannot be mistaken for anything.
        let Ok(current) = PolicySet::load(documents) else { return Ok(()) };
        let mistakable = |one| current.all().any(|other| other.is_mistakable_for(one));
        match self.set.all().find(|one| mistakable(one)) {
            None => Ok(()),
            Some(one) => {
                let name = &one.policy.name;
                let message =
                    format!("another text is in force under the version name `{name}`: give this one a new name");
                Err(Error::new(Reason::PolicyNameInUse, message).about(name))
            }
        }
    }
}

impl Job for PolicyJob {
    type Outcome = PolicyActivation;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<PolicyActivation>, Error> {
        let known = match sight.record(&Key::Policy) {
            Some(Versioned { version, value: Body::Policy(known) }) => Some((version, known)),
            Some(_) | None => None,
        };
        let policy = known.as_ref().map(|(_, policy)| &**policy);
        let current = version_of(policy);
        if *current != *self.expected_version {
            let expected = &self.expected_version;
            let message =
                format!("version `{current}` is in force, not `{expected}`: look at what changed, then name it");
            return Err(Error::new(Reason::PolicyChanged, message).about(current));
        }
        self.check_names(policy)?;
        let activation = PolicyActivation {
            version: Arc::clone(self.set.version()),
            activated_at: sight.now,
            activated_by: self.by.principal.clone(),
            reason: Arc::clone(&self.reason),
        };
        let next = ActivePolicy::after(policy, self.documents.clone(), activation.clone());
        let version = known.as_ref().map_or(0, |(version, _)| *version);
        let entry = Entry::put(Body::Policy(Arc::new(next)), version);
        Ok(Plan::Write { entries: vec![entry], outcome: activation })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(Key::Policy)
    }

    fn encode(&self, activation: &PolicyActivation) -> Vec<u8> {
        encode_policy_activated(activation)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<PolicyActivation, OutcomeError> {
        decode_policy_activated(stored)
    }
}
