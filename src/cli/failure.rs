//! Why a command did not do what was asked, with all that the service said about it.
//!
//! Invariant: every failure ends the process with the number that [`Exit`] gives it, and says what to do.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use prost::Message as _;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::exit::Exit;
use super::json::JsonError;
use super::render::Names;
use crate::app::StartError;
use crate::ledger::embedded::OpenError;
use crate::ledger::transfer::TransferError;
use crate::proto::routing as pb;
use crate::telemetry::ExportError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A value or a file is not valid.
    #[error("{0}")]
    Usage(String),
    /// No connection to the service.
    #[error("no service answers at {server}: {message}\nStart one with `sas-router serve`, or name it with --server")]
    Unreachable {
        /// Address that was tried.
        server: String,
        /// What went wrong.
        message: String,
    },
    /// The service answered with an error.
    #[error("{}", .0.message)]
    Answered(Box<Refusal>),
    /// A file that the command line names cannot be read or made.
    #[error("{what}: {source}")]
    File {
        /// The file and what was done with it.
        what: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The answer has no JSON form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Something on this machine went wrong.
    #[error("{0}")]
    Local(String),
}

impl Failure {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::File { .. } => Exit::Usage,
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Answered(refusal) => refusal.exit,
            Self::Json(_) | Self::Local(_) => Exit::Failure,
        }
    }

    /// A service that does not start: what the command line or the settings name may be wrong, or this machine.
    #[must_use]
    pub fn of_start(error: &StartError) -> Self {
        match error {
            StartError::Ledger(fault) => Self::of_ledger(fault, error),
            StartError::Redis(fault) if fault.trouble.is_of_settings() => Self::Usage(error.to_string()),
            StartError::Export(ExportError::Thread(_)) => Self::Local(error.to_string()),
            StartError::Address { .. } | StartError::RedisAddress(_) | StartError::Export(_) => {
                Self::Usage(error.to_string())
            }
            StartError::AddressInUse { .. }
            | StartError::LedgerTask { .. }
            | StartError::RoadTimes(_)
            | StartError::Serve(_)
            | StartError::Redis(_)
            | StartError::Telemetry(_) => Self::Local(error.to_string()),
        }
    }

    /// An export or its import that failed: the file or the folder may be wrong, or this machine.
    #[must_use]
    pub fn of_transfer(error: &TransferError, message: impl ToString) -> Self {
        match error {
            TransferError::Store(fault) => Self::of_ledger(fault, message),
            TransferError::Redis(fault) if fault.trouble.is_of_settings() => Self::Usage(message.to_string()),
            TransferError::Redis(_) => Self::Local(message.to_string()),
            TransferError::Read { .. }
            | TransferError::Line { .. }
            | TransferError::NewerFormat { .. }
            | TransferError::Incomplete { .. }
            | TransferError::NotEmpty { .. } => Self::Usage(message.to_string()),
            TransferError::Write(_) | TransferError::Definitions(_) => Self::Local(message.to_string()),
        }
    }

    /// A data folder that cannot be opened.
    fn of_ledger(error: &OpenError, message: impl ToString) -> Self {
        match error {
            OpenError::Folder { .. }
            | OpenError::Missing { .. }
            | OpenError::NotALedger { .. }
            | OpenError::NewerFormat { .. } => Self::Usage(message.to_string()),
            OpenError::InUse { .. } | OpenError::Damaged { .. } | OpenError::Io { .. } | OpenError::Thread(_) => {
                Self::Local(message.to_string())
            }
        }
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        Self::Answered(Box::new(Refusal::from_status(&status)))
    }
}

/// What the service said when it did not do what was asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    /// How the process ends.
    pub exit: Exit,
    /// Name of the gRPC code, for instance `FAILED_PRECONDITION`.
    pub code: &'static str,
    /// Stable reason, for instance `SLOT_TAKEN`; empty when none was given.
    pub reason: String,
    /// One sentence that says what to do.
    pub message: String,
    /// Wrong fields: path and what to do.
    pub field_violations: Vec<(String, String)>,
    /// After how long a retry makes sense.
    pub retry_delay: Option<Duration>,
    /// The next best options when a slot could not be held.
    pub hold_refused: Option<pb::HoldRefused>,
    /// Names of the territories that these options name, as far as somebody asked for them.
    pub names: Names,
}

impl Refusal {
    /// Everything that a status says; details that cannot be read are left out.
    #[must_use]
    pub fn from_status(status: &tonic::Status) -> Self {
        let (code, exit) = code_and_exit(status.code());
        let exit = if is_of_transport(status) { Exit::Unreachable } else { exit };
        let details = status.get_error_details();
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let hold_refused = hold_refused(status.details());
        let reason = details.error_info().map(|info| info.reason.clone());
        Self {
            exit,
            code,
            reason: reason.or_else(|| hold_refused.as_ref().map(|refused| refused.reason.clone())).unwrap_or_default(),
            message: message_of(status),
            field_violations: violations.iter().map(|one| (one.field.clone(), one.description.clone())).collect(),
            retry_delay: details.retry_info().and_then(|info| info.retry_delay),
            hold_refused,
            names: Names::default(),
        }
    }
}

/// Whether a status was made up by the transport, since the connection ended or was answered in another protocol.
fn is_of_transport(status: &tonic::Status) -> bool {
    status.source().is_some() && matches!(status.code(), Code::Cancelled | Code::Unknown)
}

/// What a status says; one of the transport's own says nothing to anybody.
fn message_of(status: &tonic::Status) -> String {
    if !is_of_transport(status) {
        return status.message().to_owned();
    }
    let message = "the connection ended without an answer: try again; if it ends again, what listens there does not speak gRPC, so \
                   name the service's own address (server.listen), not its admin port";
    message.to_owned()
}

/// The refusal of a hold among the details of a status.
fn hold_refused(details: &[u8]) -> Option<pb::HoldRefused> {
    let status = tonic_types::Status::decode(details).ok()?;
    let any = status.details.iter().find(|any| any.type_url.ends_with("/sas.routing.v1.HoldRefused"))?;
    pb::HoldRefused::decode(any.value.as_slice()).ok()
}

/// A code's published name, and how the process ends with it.
const fn code_and_exit(code: Code) -> (&'static str, Exit) {
    match code {
        Code::Ok => ("OK", Exit::Success),
        Code::Cancelled => ("CANCELLED", Exit::Unreachable),
        Code::Unknown => ("UNKNOWN", Exit::Failure),
        Code::InvalidArgument => ("INVALID_ARGUMENT", Exit::Usage),
        Code::DeadlineExceeded => ("DEADLINE_EXCEEDED", Exit::Unreachable),
        Code::NotFound => ("NOT_FOUND", Exit::Refused),
        Code::AlreadyExists => ("ALREADY_EXISTS", Exit::Refused),
        Code::PermissionDenied => ("PERMISSION_DENIED", Exit::Refused),
        Code::ResourceExhausted => ("RESOURCE_EXHAUSTED", Exit::Unreachable),
        Code::FailedPrecondition => ("FAILED_PRECONDITION", Exit::Refused),
        Code::Aborted => ("ABORTED", Exit::Refused),
        Code::OutOfRange => ("OUT_OF_RANGE", Exit::Usage),
        Code::Unimplemented => ("UNIMPLEMENTED", Exit::Failure),
        Code::Internal => ("INTERNAL", Exit::Failure),
        Code::Unavailable => ("UNAVAILABLE", Exit::Unreachable),
        Code::DataLoss => ("DATA_LOSS", Exit::Failure),
        Code::Unauthenticated => ("UNAUTHENTICATED", Exit::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::Any;
    use tonic_types::{ErrorDetails, RpcStatusExt as _};

    #[test]
    fn everything_a_status_says_is_read() {
        let mut details = ErrorDetails::with_error_info("SLOT_TAKEN", "sas-router", std::collections::HashMap::new());
        details.add_bad_request_violation("query.age", "write P10Y").set_retry_info(Some(Duration::from_secs(2)));
        let mut status = tonic::Status::with_error_details(Code::FailedPrecondition, "taken", details);
        let mut pb_status = tonic_types::Status::decode(status.details()).unwrap();
        let refused = pb::HoldRefused { slot_id: "s".to_owned(), ..pb::HoldRefused::default() };
        pb_status.details.push(Any {
            type_url: "type.googleapis.com/sas.routing.v1.HoldRefused".to_owned(),
            value: refused.encode_to_vec(),
        });
        status = tonic::Status::with_details(status.code(), status.message(), pb_status.encode_to_vec().into());

        let refusal = Refusal::from_status(&status);
        assert_eq!(refusal.exit, Exit::Refused);
        assert_eq!((refusal.code, refusal.reason.as_str()), ("FAILED_PRECONDITION", "SLOT_TAKEN"));
        assert_eq!(refusal.field_violations, [("query.age".to_owned(), "write P10Y".to_owned())]);
        assert_eq!(refusal.retry_delay, Some(Duration::from_secs(2)));
        assert_eq!(refusal.hold_refused, Some(refused));
        assert!(pb_status.get_error_details().error_info().is_some());
    }

    #[test]
    fn details_that_are_no_status_are_left_out() {
        let status = tonic::Status::with_details(Code::Unavailable, "later", vec![0xff, 0xff, 0xff].into());
        let refusal = Refusal::from_status(&status);
        assert_eq!((refusal.exit, refusal.reason.as_str(), refusal.hold_refused), (Exit::Unreachable, "", None));
    }
}
