//! What the service tells about itself: logs, metrics, traces.
//!
//! Invariant: no signal holds the position of a patient, a case, a name or a secret, and the number of series of every metric is
//! bounded ([`catalog`]). Deliberately absent: what operators are shown as a page, which is the console's.

pub mod catalog;
mod logs;
mod export;

pub use export::{Dropped, Export, ExportError, Identity};
pub use logs::{TelemetryError, start};
