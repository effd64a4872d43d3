//! How slots that are over are forgotten.

use std::time::Duration;

use super::reader::Reader;

/// How slots that are over are forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurgeConfig {
    /// How often slots that ended a day ago are looked for.
    pub interval: Duration,
}

impl PurgeConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let interval = reader.number(
            "purge.interval_seconds",
            "How often slots that ended more than 24 hours ago, old changes and old outcomes are forgotten, in seconds.",
            300,
            1..=86_400,
        );
        Self { interval: Duration::from_secs(interval) }
    }
}
