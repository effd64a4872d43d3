//! What is logged, and how.

use super::reader::Reader;

/// Known levels, the most telling first.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// What is logged, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggingConfig {
    /// Least level that is written: `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How lines of the log look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl LoggingConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let level = |text: &str| {
            let level = text.trim().to_ascii_lowercase();
            let is_known = LEVELS.contains(&level.as_str());
            if is_known { Ok(level) } else { Err(format!("give one of {}", LEVELS.join(", "))) }
        };
        let format = |text: &str| match text.trim() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("give text or json".to_owned()),
        };
        Self {
            level: reader.text(
                "logging.level",
                "Least level that is written to the error output: error, warn, info, debug or trace.",
                ("info", "info".to_owned()),
                level,
            ),
            format: reader.text(
                "logging.format",
                "How lines look: text for people, json for programs.",
                ("text", LogFormat::Text),
                format,
            ),
        }
    }
}
