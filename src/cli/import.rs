//! `import`: a CSV roster or a FHIR R4 Bundle becomes territories, places, professionals, schedules and slots of a running server.
//!
//! Two halves that meet in an [`ImportPlan`]: the readers ([`roster`], [`fhir`]) turn bytes into a plan and touch nothing else;
//! [`mod@send`] feeds a plan to a server. Invariant: a bad row never takes down the good ones, and every row has its say in the report.
//! Deliberately absent: command-line options, tables and JSON output, which belong to the command; the system clock, which is an argument.

mod finding;
pub mod plan;
mod identity;
mod reading;
mod wording;
pub mod positions;
pub mod roster;
pub mod fhir;
pub mod shift;
pub mod send;

pub use fhir::parse_bundle;
pub use finding::{Origin, Reason, RowReport, Severity};
pub use plan::{ImportPlan, Planned, PlannedSlot, SlotNaming};
pub use positions::Positions;
pub(crate) use reading::position_doubt;
pub use roster::parse_roster;
pub use send::{ImportReport, SendOptions, send};

/// Largest file that is read, in bytes.
pub const FILE_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Most slots that one file may give.
pub const SLOTS_MAX: usize = 500_000;

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Publishing system that will own the schedules, 1 to 128 characters.
    pub source_id: String,
    /// Put, with a colon, before every place, schedule, slot and emergency site identifier of the file, so that two vendors'
    /// `1` stay apart; absent to keep them as they are.
    pub id_prefix: Option<String>,
    /// Positions of places and towns for files that give none.
    pub positions: Positions,
}

impl ImportOptions {
    /// Reads as the given publishing system, its name before every identifier, with the positions that are compiled in.
    #[must_use]
    pub fn for_source(source_id: &str) -> Self {
        Self {
            source_id: source_id.to_owned(),
            id_prefix: Some(source_id.to_owned()),
            positions: Positions::compiled_in(),
        }
    }
}

/// Why a file cannot be read at all; everything smaller is a [`RowReport`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is too large.
    #[error("the file has {given_bytes} bytes: split it into files of at most {FILE_MAX_BYTES}")]
    TooLarge {
        /// Its size in bytes.
        given_bytes: usize,
    },
    /// The file has no header line.
    #[error("the roster is empty: its first line names the columns")]
    NoHeader,
    /// The header line is not UTF-8.
    #[error("the header line is not UTF-8: save the file as CSV UTF-8")]
    HeaderEncoding,
    /// The header lacks columns without which no row can be read.
    #[error("the header lacks {missing}: known columns are {known}")]
    MissingColumns {
        /// Names of the columns that lack, separated by commas.
        missing: String,
        /// Names of all known columns.
        known: String,
    },
    /// The header names a column twice.
    #[error("the header names the column `{0}` twice: keep one")]
    DuplicateColumn(String),
    /// The file is not JSON.
    #[error("the file is not JSON: line {line}, column {column}: {message}")]
    Json {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
        /// What the JSON reader says.
        message: String,
    },
    /// The file is JSON but no Bundle.
    #[error("the file is a {found}, not a FHIR Bundle: give the Bundle that the search returned")]
    NotABundle {
        /// Its `resourceType`, or what it is instead.
        found: String,
    },
}

/// The bytes without a UTF-8 byte order mark.
///
/// # Errors
/// When there are more than [`FILE_MAX_BYTES`].
fn without_mark(bytes: &[u8]) -> Result<&[u8], ImportError> {
    if bytes.len() > FILE_MAX_BYTES {
        return Err(ImportError::TooLarge { given_bytes: bytes.len() });
    }
    Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}
