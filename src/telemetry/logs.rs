//! Logs: to the error output, as text for people or JSON for programs.
//!
//! A message reads alone and its fields have dotted names. Never in a log: positions, cases, names of patients, secrets.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LoggingConfig};

/// Libraries whose every step is noise below this level.
const QUIET: [&str; 4] = ["h2=warn", "hyper=warn", "hyper_util=warn", "tower=warn"];

/// Why logs cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is no filter.
    #[error("`{level}` is no log level: give error, warn, info, debug or trace")]
    Level {
        /// As configured.
        level: String,
    },
    /// The instruments cannot be made.
    #[error("the metrics cannot be started: {0}: report it with the log")]
    Metrics(String),
    /// Something else of the process took the logs first.
    #[error("the logs of this process are started already")]
    Started,
}

/// Starts the logs of this process; once.
///
/// # Errors
/// When the level is unknown, or logs were started before.
pub fn start(config: &LoggingConfig) -> Result<(), TelemetryError> {
    let LoggingConfig { level, format } = config;
    let filter = std::iter::once(level.as_str()).chain(QUIET).collect::<Vec<_>>().join(",");
    let filter = EnvFilter::try_new(filter).map_err(|_| TelemetryError::Level { level: level.clone() })?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
    started.map_err(|_| TelemetryError::Started)
}
