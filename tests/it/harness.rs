//! What the integration tests share.

pub(crate) mod in_process;
pub(crate) mod stalled_ledger;
pub(crate) mod world;
pub(crate) mod details;
