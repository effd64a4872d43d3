//! What the integration tests share.
//!
//! Deliberately absent: anything that judges; a harness brings about a situation, the test says what must hold.

pub(crate) mod in_process;
pub(crate) mod road_stub;
pub(crate) mod collector_stub;
pub(crate) mod stalled_ledger;
pub(crate) mod world;
pub(crate) mod details;
pub(crate) mod server_process;
#[allow(dead_code, reason = "shared with the tests of the ledger; either uses a part of it")]
pub(crate) mod redis_server;
#[allow(dead_code, reason = "shared with the tests of the ledger; either uses a part of it")]
pub(crate) mod redis_topology;
pub(crate) mod fake_redis;
pub(crate) mod http;
pub(crate) mod logged;
pub(crate) mod site;
pub(crate) mod promql;
pub(crate) mod browser;
pub(crate) mod room;

use std::ffi::OsString;
use std::io::{self, Write as _};

/// A variable that `tests/run` sets for the tests.
#[allow(clippy::disallowed_methods, reason = "the tests take what `tests/run` prepared from the environment")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Says that a test was skipped and why, past the test runner's capture.
pub(crate) fn skip(test: &str, reason: &str) {
    report(&format!("skipped {test}: {reason}"));
}

/// Says what a test found, past the test runner's capture.
pub(crate) fn report(line: &str) {
    // Nothing can be done about a closed stderr, and the test's verdict does not depend on it.
    let _ = writeln!(io::stderr(), "{line}");
}
