//! How much is served at once.

use std::time::Duration;

use super::reader::Reader;

/// How much is served at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitsConfig {
    /// Most calls at once.
    pub calls_max: usize,
    /// Longest wait for an answer, whatever deadline the caller sets.
    pub call_timeout: Duration,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most calls at once on one connection.
    pub streams_per_connection_max: u32,
    /// Most open watches of all callers together.
    pub watches_max: usize,
    /// Most open watches of one caller.
    pub watches_per_caller_max: usize,
}

impl LimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let calls_max = reader.number(
            "limits.calls_max",
            "Most questions at once, and most other calls; health and reflection aside. More are refused with OVERLOADED, but no escalation.",
            1_024,
            1..=1_000_000,
        );
        let call_timeout = reader.number(
            "limits.call_timeout_ms",
            "Longest wait for an answer, whatever deadline the caller sets, in milliseconds.",
            30_000,
            10..=600_000,
        );
        let connections_max =
            reader.number("limits.connections_max", "Most connections at once; more wait.", 1_024, 1..=1_000_000);
        let streams = reader.number(
            "limits.streams_per_connection_max",
            "Most calls at once on one connection; more wait at the client.",
            256,
            1..=65_536,
        );
        let watches_max = reader.number(
            "limits.watches_max",
            "Most open watches (WatchCare) at once; more are refused with TOO_MANY_WATCHES.",
            4_096,
            1..=65_536,
        );
        let watches_per_caller_max = reader.number(
            "limits.watches_per_caller_max",
            "Most open watches of one caller; more are refused with TOO_MANY_WATCHES.",
            2_048,
            1..=65_536,
        );
        Self {
            watches_max: usize::try_from(watches_max).unwrap_or(usize::MAX),
            watches_per_caller_max: usize::try_from(watches_per_caller_max).unwrap_or(usize::MAX),
            calls_max: usize::try_from(calls_max).unwrap_or(usize::MAX),
            call_timeout: Duration::from_millis(call_timeout),
            connections_max: usize::try_from(connections_max).unwrap_or(usize::MAX),
            streams_per_connection_max: u32::try_from(streams).unwrap_or(u32::MAX),
        }
    }
}
