//! From failures to gRPC statuses: one table of codes, and the details that travel with them.
//!
//! Invariant: this is the only file that names gRPC codes. The details (`grpc-status-details-bin`) stay below
//! [`DETAILS_MAX_BYTES`] on the wire, because clients drop larger headers with the whole answer; what does not fit is
//! left out, the last alternatives and violations first. An internal failure shows a request id and nothing else.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb as rpc;
use uuid::Uuid;

use super::convert::option::write_option;
use super::wire::Written;
use crate::domain::violation::Violation;
use crate::proto::routing as pb;
use crate::service::limits::ALTERNATIVES_MAX;
use crate::service::{Error, ErrorKind, Reason};

/// Names the product in `google.rpc.ErrorInfo`.
pub(super) const DOMAIN: &str = "sas-router";
/// Most bytes of the details once written in base64.
pub(super) const DETAILS_MAX_BYTES: usize = 6 * 1_024;
/// The same before base64, which makes four bytes of three.
const DETAILS_RAW_MAX_BYTES: usize = DETAILS_MAX_BYTES / 4 * 3;
/// Longest message, in bytes.
const MESSAGE_MAX_BYTES: usize = 1_024;

/// How loudly a failure is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gravity {
    /// The caller's business.
    Refusal,
    /// The service could not do what it should.
    Trouble,
    /// A defect.
    Fault,
}

/// The gRPC code of a kind of failure.
const fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::FailedPrecondition => Code::FailedPrecondition,
        ErrorKind::Aborted => Code::Aborted,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::ResourceExhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The status of a failure.
pub(super) fn from_error(error: Error) -> Status {
    status(error, None)
}

/// The status of a hold that failed: it carries the next best options, where another slot helps, and what
/// stands in the way.
pub(super) fn from_hold_error(error: Error, slot_id: &str) -> Status {
    let names_something = !error.alternatives.is_empty() || !error.blocking.is_empty();
    let refused = (names_something || error.reason.kind() == ErrorKind::FailedPrecondition).then(|| {
        let options = (1..).zip(error.alternatives.iter().take(ALTERNATIVES_MAX));
        let told = pb::HoldRefused {
            reason: error.reason.code().to_owned(),
            slot_id: slot_id.to_owned(),
            alternatives: Vec::new(),
            standing_claim_ids: error.blocking.iter().map(ToString::to_string).collect(),
        };
        (told, options.map(|(rank, option)| Written::of(|to| write_option(to, option, rank))).collect())
    });
    status(error, refused)
}

/// The status of a message whose fields are wrong, all of them named.
pub(super) fn from_violations(violations: Vec<Violation>) -> Status {
    let message = match violations.as_slice() {
        [] => "the request is wrong".to_owned(),
        [only] => format!("{}: {}", only.field, only.message),
        [first, others @ ..] => format!("{}: {} (and {} more wrong fields)", first.field, first.message, others.len()),
    };
    from_error(Error { violations, ..Error::new(Reason::InvalidArgument, message) })
}

/// The status of a call beyond those that are served at once.
pub(super) fn overloaded(retry_after_ms: u32) -> Status {
    let message = "too many calls at once: wait and try again";
    from_error(Error { retry_after_ms: Some(retry_after_ms), ..Error::new(Reason::Overloaded, message) })
}

/// Whether a call was refused for want of room, by the transport or by the service.
pub(super) fn is_overloaded(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted && reason_of(status) == Reason::Overloaded.code()
}

/// The status of a call that meets a service that is closing.
pub(super) fn shutting_down(retry_after_ms: u32) -> Status {
    let message = "this instance is shutting down: try again, on another one if there is one";
    from_error(Error { retry_after_ms: Some(retry_after_ms), ..Error::new(Reason::ShuttingDown, message) })
}

/// The status of a list with more rows than are taken at once.
pub(super) fn too_many_rows(field: &str, given: usize, max: usize) -> Status {
    let message = format!("{given} entries are too many: give at most {max}");
    let violations = vec![Violation::new(field, message.clone())];
    from_error(Error { violations, ..Error::new(Reason::TooManyRows, message) })
}

/// The status of a stream that its client does not read.
pub(super) fn not_read(within: std::time::Duration) -> Status {
    let seconds = within.as_secs();
    let message =
        format!("no message was taken for {seconds} s, so the rest is not sent: read without a pause, or ask again");
    let info =
        rpc::ErrorInfo { reason: "NOT_READ".to_owned(), domain: DOMAIN.to_owned(), metadata: HashMap::default() };
    assemble(Code::DeadlineExceeded, message, vec![any("google.rpc.ErrorInfo", &info)])
}

/// The status of a call whose time is over; a write that was under way completes and may be retried by its request id.
pub(super) fn deadline_exceeded() -> Status {
    let message = "the deadline passed; a write may still complete: ask again with the same request id".to_owned();
    let info = rpc::ErrorInfo {
        reason: "DEADLINE_EXCEEDED".to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: HashMap::default(),
    };
    assemble(Code::DeadlineExceeded, message, vec![any("google.rpc.ErrorInfo", &info)])
}

/// The reason that a status carries; empty when it carries none.
pub(super) fn reason_of(status: &Status) -> String {
    let Ok(details) = rpc::Status::decode(status.details()) else { return String::new() };
    let info = details.details.iter().find(|detail| detail.type_url.ends_with("google.rpc.ErrorInfo"));
    let info = info.and_then(|detail| rpc::ErrorInfo::decode(detail.value.as_slice()).ok());
    info.map(|info| info.reason).unwrap_or_default()
}

/// How loudly a status is logged; `None` when it is no failure.
pub(super) fn gravity_of(status: &Status) -> Option<Gravity> {
    match status.code() {
        Code::Ok => None,
        Code::Internal | Code::Unknown | Code::DataLoss => Some(Gravity::Fault),
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Unimplemented => {
            Some(Gravity::Trouble)
        }
        Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => Some(Gravity::Refusal),
    }
}

/// The name of a status' code, as the gRPC documentation spells it.
pub(super) fn code_name(status: &Status) -> &'static str {
    match status.code() {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The status of an error, and of a hold that it refused: what is told of it, and the next best options.
fn status(error: Error, refused: Option<(pb::HoldRefused, Vec<Written>)>) -> Status {
    let Error { reason, message, violations, retry_after_ms, alternatives: _, blocking: _, subject } = error;
    let code = code_of(reason.kind());
    let mut metadata = HashMap::from([("help".to_owned(), reason.help().to_owned())]);
    let mut details = Vec::with_capacity(4);
    let mut shown = message;
    if reason.kind() == ErrorKind::Internal {
        let request_id = Uuid::now_v7().to_string();
        tracing::error!(request.id = %request_id, cause = %shown, "an internal failure");
        shown = format!("internal failure: tell the operator the request id {request_id}");
        details.push(any("google.rpc.RequestInfo", &rpc::RequestInfo { request_id, serving_data: String::new() }));
    } else if let Some(subject) = subject {
        metadata.insert("subject".to_owned(), subject);
    }
    let info = rpc::ErrorInfo { reason: reason.code().to_owned(), domain: DOMAIN.to_owned(), metadata };
    details.insert(0, any("google.rpc.ErrorInfo", &info));
    if let Some(delay_ms) = retry_after_ms {
        details.push(any("google.rpc.RetryInfo", &rpc::RetryInfo { retry_delay: Some(duration(delay_ms)) }));
    }
    let mut room = room_beside(&details);
    if !violations.is_empty() {
        let bad_request = any("google.rpc.BadRequest", &fit_violations(violations, room));
        room = room.saturating_sub(bad_request.encoded_len());
        details.push(bad_request);
    }
    details.extend(
        refused.map(|(told, options)| any_of("sas.routing.v1.HoldRefused", fit_options(&told, &options, room))),
    );
    assemble(code, shown, details)
}

fn duration(ms: u32) -> prost_types::Duration {
    let nanos = i32::try_from(ms % 1_000).unwrap_or_default() * 1_000_000;
    prost_types::Duration { seconds: i64::from(ms / 1_000), nanos }
}

fn any(name: &str, message: &impl prost::Message) -> Any {
    any_of(name, message.encode_to_vec())
}

fn any_of(name: &str, value: Vec<u8>) -> Any {
    Any { type_url: format!("type.googleapis.com/{name}"), value }
}

/// Bytes left beside these details, the longest message and the frames around them.
fn room_beside(details: &[Any]) -> usize {
    let taken: usize = details.iter().map(|detail| detail.encoded_len() + 8).sum();
    DETAILS_RAW_MAX_BYTES.saturating_sub(taken + MESSAGE_MAX_BYTES + 64)
}

/// As many violations as there is room for; the last one says how many are left out.
fn fit_violations(violations: Vec<Violation>, room: usize) -> rpc::BadRequest {
    let total = violations.len();
    let mut kept = rpc::BadRequest::default();
    // Enough for the line that counts what is left out.
    let mut room = room.saturating_sub(128);
    for Violation { field, message } in violations {
        let violation = rpc::bad_request::FieldViolation { field, description: message, ..Default::default() };
        let length = violation.encoded_len() + 4;
        if length > room {
            break;
        }
        room -= length;
        kept.field_violations.push(violation);
    }
    let left_out = total - kept.field_violations.len();
    if left_out > 0 {
        let description = format!("{left_out} more wrong fields are not listed");
        kept.field_violations.push(rpc::bad_request::FieldViolation { description, ..Default::default() });
    }
    kept
}

/// A refused hold with as many options as there is room for, the best first.
fn fit_options(told: &pb::HoldRefused, options: &[Written], room: usize) -> Vec<u8> {
    // The name of the type and the frames around it.
    let mut room = room.saturating_sub(80 + told.encoded_len());
    let fitting = options.iter().take_while(|option| {
        let length = option.as_bytes().len() + 4;
        let fits = length <= room;
        room = room.saturating_sub(length);
        fits
    });
    let fitting: Vec<_> = fitting.collect();
    let written = Written::of(|to| {
        to.fields(told);
        fitting.iter().for_each(|option| to.written(3, option));
    });
    written.into_bytes()
}

/// Both forms of the status say the same, since clients read the one or the other.
fn assemble(code: Code, mut message: String, details: Vec<Any>) -> Status {
    let cut = (0..=MESSAGE_MAX_BYTES.min(message.len())).rev().find(|at| message.is_char_boundary(*at));
    message.truncate(cut.unwrap_or_default());
    let status = rpc::Status { code: code.into(), message: message.clone(), details };
    Status::with_details(code, message, status.encode_to_vec().into())
}

#[cfg(test)]
mod tests;
