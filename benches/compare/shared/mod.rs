//! What the comparison and its test share: the job with its oracle, and the engine that needs no server.
#![allow(missing_docs, reason = "a bench has no readers of its documentation pages")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by panicking")]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "made figures are small")]
#![allow(dead_code, unreachable_pub, reason = "the test uses its part")]

pub mod job;
pub mod sql;
pub mod sqlite;
