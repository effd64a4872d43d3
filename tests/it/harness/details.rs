//! What travels in the details of a status.

use prost::Message;
use sas_router::proto::routing as pb;
use tonic::Status;
use tonic_types::pb as rpc;

fn detail<M: Message + Default>(status: &Status, name: &str) -> Option<M> {
    let details = rpc::Status::decode(status.details()).unwrap();
    let found = details.details.into_iter().find(|detail| detail.type_url.ends_with(name))?;
    Some(M::decode(found.value.as_slice()).unwrap())
}

/// The stable reason; empty when there is none.
pub(crate) fn reason(status: &Status) -> String {
    detail::<rpc::ErrorInfo>(status, "google.rpc.ErrorInfo").map(|info| info.reason).unwrap_or_default()
}

/// The wrong fields, each with what to do.
pub(crate) fn violations(status: &Status) -> Vec<(String, String)> {
    let bad = detail::<rpc::BadRequest>(status, "google.rpc.BadRequest").unwrap_or_default();
    bad.field_violations.into_iter().map(|violation| (violation.field, violation.description)).collect()
}

/// The wrong fields.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    let bad = detail::<rpc::BadRequest>(status, "google.rpc.BadRequest").unwrap_or_default();
    bad.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// Whether it says when to try again.
pub(crate) fn says_when_to_retry(status: &Status) -> bool {
    detail::<rpc::RetryInfo>(status, "google.rpc.RetryInfo").is_some()
}

/// Why a hold was refused and what else there is.
pub(crate) fn hold_refused(status: &Status) -> Option<pb::HoldRefused> {
    detail(status, "sas.routing.v1.HoldRefused")
}
