//! What the readers and the server say of a row: where it stands, how bad it is, why.
//!
//! Invariant: every finding names its origin, its field and a stable reason, and its message says what to do.

use std::fmt;

use serde::{Serialize, Serializer};

/// Where a statement stands in the imported file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Origin {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(u64),
    /// An entry of a Bundle.
    Entry {
        /// Its place in `Bundle.entry`, from 0.
        index: usize,
        /// Type and identifier of its resource, for instance `Slot/42`.
        resource: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Entry { index, resource } => write!(f, "entry {index} ({resource})"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// The row was taken as it stands.
    Ok,
    /// The row says nothing to import, for instance a slot that is not free.
    Skipped,
    /// The row was taken, and something about it is doubtful.
    Warning,
    /// Nothing of the row was taken.
    Refused,
}

impl Severity {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Skipped => "SKIPPED",
            Self::Warning => "WARNING",
            Self::Refused => "REFUSED",
        }
    }
}

/// Defines the reasons: `Variant = "CODE", "meaning";`.
macro_rules! reasons {
    ($($variant:ident = $code:literal, $meaning:literal;)+) => {
        /// Why a row was refused, doubted or skipped; the server's own reasons stand beside these in a report.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`: ", $meaning, ".")] $variant,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

reasons! {
    Read = "READ", "the row was read without any remark";
    Encoding = "ENCODING", "the text is not UTF-8";
    MalformedRow = "MALFORMED_ROW", "the line has a quote left open, or more or fewer fields than the header";
    UnknownColumn = "UNKNOWN_COLUMN", "the header names a column that is not read";
    MissingValue = "MISSING_VALUE", "a value that is needed is absent";
    InvalidValue = "INVALID_VALUE", "a value has another form than its field asks for";
    UnknownCode = "UNKNOWN_CODE", "a value is not a code of its national list";
    CheckDigit = "CHECK_DIGIT", "the check digit of an identifier fails; it was taken as given";
    TooLong = "TOO_LONG", "a text or a window is longer than the service takes";
    TooMany = "TOO_MANY", "there are more values than the service takes";
    ClockGap = "CLOCK_GAP", "the clocks jump over the local time in spring; the moment after the jump was taken";
    ClockOverlap = "CLOCK_OVERLAP", "the clocks repeat the local time in autumn; the first one was taken";
    Remainder = "REMAINDER", "the end of the opening is too short for another slot and is not offered";
    OfferedBeforeStart = "OFFERED_BEFORE_START", "a slot with appointment is offered before it starts only, and this one is long";
    AssumedZone = "ASSUMED_ZONE", "nothing tells the time zone; Europe/Paris was taken";
    NoPosition = "NO_POSITION", "the place has no position and is offered for teleconsultation only";
    ApproximatePosition = "APPROXIMATE_POSITION", "the place has the position of its town";
    SwappedPosition = "SWAPPED_POSITION", "the position is in France only when latitude and longitude change places; it was taken as given";
    OutsideFrance = "OUTSIDE_FRANCE", "the position is outside every French territory; it was taken as given";
    NoName = "NO_NAME", "no name is given; the identifier stands in";
    Conflict = "CONFLICT", "the same identifier was stated before with other content";
    DuplicateSlot = "DUPLICATE_SLOT", "the file states the same slot before";
    UnresolvedReference = "UNRESOLVED_REFERENCE", "a reference leads to nothing in the Bundle";
    FreeText = "FREE_TEXT", "a text stands where a code is needed";
    Ignored = "IGNORED", "a value is understood but not used";
    NotFree = "NOT_FREE", "the slot is not free";
    PartialBundle = "PARTIAL_BUNDLE", "the Bundle is one page, or its total is not the number of its slots";
    SlotPast = "SLOT_PAST", "the slot is over";
    StaleRevision = "STALE_REVISION", "the server has a newer revision of the same source";
    AllOrNothing = "ALL_OR_NOTHING", "nothing was sent because a row was refused";
    NotAnswered = "NOT_ANSWERED", "the connection ended before the server answered; import again with the same revision";
}

/// What is said of one row of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RowReport {
    /// Where it stands.
    pub origin: Origin,
    /// How bad it is.
    pub severity: Severity,
    /// Column, or FHIR path, or flag of the command; empty for the whole row.
    pub field: String,
    /// Stable reason code: one of [`Reason`], or the server's.
    pub reason: String,
    /// One sentence that says what is the matter and what to do.
    pub message: String,
    /// The row's slots that it is about, as the server named them; empty when it is about the row itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slot_ids: Vec<String>,
}

impl RowReport {
    /// A finding of a reader.
    #[must_use]
    pub fn new(origin: Origin, severity: Severity, field: &str, reason: Reason, message: impl fmt::Display) -> Self {
        Self {
            origin,
            severity,
            field: field.to_owned(),
            reason: reason.code().to_owned(),
            message: message.to_string(),
            slot_ids: Vec::new(),
        }
    }

    /// How often it was found: once for each slot that it is about.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slot_ids.len().max(1)
    }
}

/// The findings of one row while it is read.
#[derive(Debug)]
pub(super) struct Findings {
    origin: Origin,
    reports: Vec<RowReport>,
}

impl Findings {
    /// Nothing found yet.
    pub(super) fn at(origin: Origin) -> Self {
        Self { origin, reports: Vec::new() }
    }

    /// Where the row stands.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Doubts a value; the row is taken all the same.
    pub(super) fn warn(&mut self, field: &str, reason: Reason, message: impl fmt::Display) {
        self.add(Severity::Warning, field, reason, message);
    }

    /// Refuses the row.
    pub(super) fn refuse(&mut self, field: &str, reason: Reason, message: impl fmt::Display) {
        self.add(Severity::Refused, field, reason, message);
    }

    /// Takes a finding of any severity.
    pub(super) fn add(&mut self, severity: Severity, field: &str, reason: Reason, message: impl fmt::Display) {
        self.reports.push(RowReport::new(self.origin.clone(), severity, field, reason, message));
    }

    /// Whether something refuses the row.
    pub(super) fn is_refused(&self) -> bool {
        self.reports.iter().any(|report| report.severity == Severity::Refused)
    }

    /// All of them, or one that says `message` when the row has no fault.
    pub(super) fn into_reports(mut self, message: impl fmt::Display) -> Vec<RowReport> {
        if self.reports.is_empty() {
            self.add(Severity::Ok, "", Reason::Read, message);
        }
        self.reports
    }

    /// The findings without remark on a faultless row.
    pub(super) fn into_faults(self) -> Vec<RowReport> {
        self.reports
    }
}
