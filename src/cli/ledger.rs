//! The address of a Redis that a command is given, and how what happens there is told: never with its password.

use super::failure::Failure;
use crate::ledger::redis::{OpenError, RedisAddress};

/// Reads the address of a Redis.
///
/// # Errors
/// When it is none; the failure does not repeat it.
pub fn redis_address(url: &str) -> Result<RedisAddress, Failure> {
    RedisAddress::parse(url).map_err(|error| Failure::Usage(format!("--ledger: {error}")))
}

/// A Redis that cannot be used: what the command line names may be wrong, or something is down.
#[must_use]
pub fn unusable(error: &OpenError) -> Failure {
    if error.trouble.is_of_settings() { Failure::Usage(error.to_string()) } else { Failure::Local(error.to_string()) }
}
