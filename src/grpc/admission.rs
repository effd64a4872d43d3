//! What is served before the ledger is open: how the service stands, and questions, of which the service picks escalations.
//!
//! Invariant: whatever else is asked is refused here, so that no handler reads an index that has no records yet.

use std::fmt;

use tonic::Status;

use super::status;
use crate::service::Service;

/// Calls that pass always.
const ALWAYS: [&str; 2] = ["/sas.routing.v1.OperationsService/GetStatus", "/sas.routing.v1.RoutingService/FindCare"];

/// Admits calls once the service has started.
#[derive(Clone)]
pub(super) struct Admission(pub(super) Service);

impl Admission {
    /// Refuses a call that comes too early.
    pub(super) fn check(&self, path: &str) -> Result<(), Status> {
        match self.0.check_started() {
            Err(_) if ALWAYS.contains(&path) => Ok(()),
            started => started.map_err(status::from_error),
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}
