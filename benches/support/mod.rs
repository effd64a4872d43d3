//! What benches and their test share: a France-like region made from a seed, what a day does to it, questions about it,
//! what callers do to a service, and an oracle.
#![allow(missing_docs, reason = "a bench has no readers of its documentation pages")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by panicking")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "made figures are small"
)]
#![allow(dead_code, unreachable_pub, reason = "each bench uses its part")]

pub mod day;
pub mod load;
pub mod oracle;
pub mod questions;
pub mod random;
pub mod region;
pub mod server;
pub mod variety;
pub mod wire;
