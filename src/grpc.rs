//! The gRPC transport: decodes, calls the service, encodes; and the server around it.
//!
//! One file a service, conversions under `convert`, and one table from reasons to codes in `status`. Names the service and
//! the domain, never the index or the ledger. Every limit of the transport stands here, with its unit.

mod findings;
mod convert;
mod status;
mod wire;
mod served;
mod page;
mod directory;
mod publishing;
mod routing;
mod watching;
mod explanation;
mod orientation;
mod indicators;
mod policy;
mod booking;
mod operations;
mod quarantine;
mod reflection;
mod min_position;
mod admission;
mod room;
mod shedding;
mod gate;
mod witness;
mod incoming;
mod server;

pub use server::{Options, ServeError, Server};
pub use witness::{CallEnd, CallKind, CallWitness, Load, OTHER, Witnessed};

/// Largest message of a publisher, in bytes: 4 MiB, which 500 rows with the longest texts in Latin letters stay below.
pub const PUBLISHING_MESSAGE_MAX_BYTES: usize = 4 * 1_024 * 1_024;
/// Largest other message, in bytes: 256 KiB.
pub const MESSAGE_MAX_BYTES: usize = 256 * 1_024;
/// Largest answer, in bytes: 16 MiB; a client must raise its own limit for answers above 4 MiB.
pub const ANSWER_MAX_BYTES: usize = 16 * 1_024 * 1_024;
/// Largest header list of a call, in bytes.
pub const HEADERS_MAX_BYTES: u32 = 16 * 1_024;
