//! The columns of a roster, its header line, and the fields of a line by column.

use super::line;
use crate::cli::import::finding::Findings;
use crate::cli::import::{ImportError, Reason};

/// Defines the columns: `Variant = "name";`.
macro_rules! columns {
    ($($variant:ident = $name:literal;)+) => {
        /// A column of the roster; `ROSTER.md` says what each means.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Column { $($variant,)+ }

        impl Column {
            /// Every column, in the order of the documentation.
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in the header line.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

columns! {
    Kind = "kind";
    TerritoryId = "territory_id";
    TerritoryName = "territory_name";
    PlaceId = "place_id";
    PlaceName = "place_name";
    Address = "address";
    PostalCode = "postal_code";
    City = "city";
    CommuneCode = "commune_code";
    Latitude = "latitude";
    Longitude = "longitude";
    TimeZone = "time_zone";
    StructureId = "structure_id";
    PractitionerId = "practitioner_id";
    FamilyName = "family_name";
    GivenName = "given_name";
    Profession = "profession";
    Specialties = "specialties";
    Languages = "languages";
    ScheduleId = "schedule_id";
    Date = "date";
    Start = "start";
    End = "end";
    SlotMinutes = "slot_minutes";
    Capacity = "capacity";
    Modalities = "modalities";
    AppointmentType = "appointment_type";
    Visibilities = "visibilities";
    Motives = "motives";
    MinAge = "min_age";
    MaxAge = "max_age";
    AcceptedSexes = "accepted_sexes";
    Wheelchair = "wheelchair";
    HomeVisitRadiusM = "home_visit_radius_m";
    Phone = "phone";
    BookingUrl = "booking_url";
    WeeklyAccess = "weekly_access";
    HolidayAccess = "holiday_access";
    DatedAccess = "dated_access";
    Capabilities = "capabilities";
}

/// Columns without which no opening can be read.
const NEEDED_OF_OPENINGS: [Column; 6] =
    [Column::PlaceId, Column::Date, Column::Start, Column::End, Column::Modalities, Column::Visibilities];

/// What the header line says: the separator, and the column of each field.
#[derive(Debug)]
pub(super) struct Header {
    delimiter: u8,
    columns: Vec<Option<Column>>,
    unknown: Vec<String>,
}

impl Header {
    /// Reads the header line.
    ///
    /// # Errors
    /// When it is not UTF-8, names a column twice, or lacks a column that every line needs.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ImportError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ImportError::HeaderEncoding)?;
        let count = |wanted: char| text.chars().filter(|character| *character == wanted).count();
        let delimiter = if count(';') >= count(',') { b';' } else { b',' };
        let record = line::fields(bytes, delimiter).ok_or(ImportError::NoHeader)?;
        let mut header = Self { delimiter, columns: Vec::new(), unknown: Vec::new() };
        for field in &record {
            let name = String::from_utf8_lossy(field).trim().to_ascii_lowercase();
            let column = Column::ALL.iter().find(|column| column.name() == name).copied();
            if column.is_some() && header.columns.contains(&column) {
                return Err(ImportError::DuplicateColumn(name));
            }
            header.columns.push(column);
            // Spreadsheets close lines with empty columns; nobody needs to hear of them.
            if column.is_none() && !name.is_empty() {
                header.unknown.push(name);
            }
        }
        header.check_needed()?;
        Ok(header)
    }

    fn check_needed(&self) -> Result<(), ImportError> {
        let has = |column: Column| self.columns.contains(&Some(column));
        // With a `kind` column the file may hold emergency sites only, so lines are asked one by one.
        let needed = if has(Column::Kind) { &NEEDED_OF_OPENINGS[..1] } else { &NEEDED_OF_OPENINGS[..] };
        let mut missing: Vec<&str> =
            needed.iter().filter(|column| !has(**column)).map(|column| column.name()).collect();
        if !has(Column::Kind) && !has(Column::PractitionerId) && !has(Column::StructureId) {
            missing.push("practitioner_id or structure_id");
        }
        if missing.is_empty() {
            return Ok(());
        }
        let known: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
        Err(ImportError::MissingColumns { missing: missing.join(", "), known: known.join(", ") })
    }

    /// Names of columns that are not known, each with the nearest known one.
    pub(super) fn unknown(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.unknown.iter().map(|name| {
            let distance = |column: &&Column| strsim::osa_distance(name, column.name());
            let nearest = Column::ALL.iter().min_by_key(distance).map_or("", |column| column.name());
            (name.as_str(), nearest)
        })
    }

    /// The fields of a line; `None` with a finding when it cannot be cut into fields.
    pub(super) fn row(&self, bytes: &[u8], findings: &mut Findings) -> Option<Row> {
        let Some(record) = line::fields(bytes, self.delimiter) else {
            findings.refuse("", Reason::MalformedRow, "a double quote is left open: close it");
            return None;
        };
        if record.len() != self.columns.len() {
            let message = format!("the line has {} fields, the header {}", record.len(), self.columns.len());
            findings.refuse("", Reason::MalformedRow, message);
            return None;
        }
        let mut row = Row { texts: vec![String::new(); Column::ALL.len()] };
        for (column, field) in self.columns.iter().zip(&record) {
            let Some(column) = column else { continue };
            match std::str::from_utf8(field) {
                Ok(text) => row.set(*column, text.trim()),
                Err(_) => {
                    findings.refuse(column.name(), Reason::Encoding, "not UTF-8: save the file as CSV UTF-8");
                }
            }
        }
        (!findings.is_refused()).then_some(row)
    }
}

/// The fields of a line, trimmed; a column that the file does not have is blank.
#[derive(Debug)]
pub(super) struct Row {
    texts: Vec<String>,
}

impl Row {
    fn set(&mut self, column: Column, text: &str) {
        if let Some(kept) = self.texts.get_mut(column as usize) {
            text.clone_into(kept);
        }
    }

    /// The text of a column.
    pub(super) fn text(&self, column: Column) -> &str {
        self.texts.get(column as usize).map_or("", String::as_str)
    }

    /// The values of a column that takes several, blanks left out.
    pub(super) fn values(&self, column: Column) -> impl Iterator<Item = &str> {
        self.text(column).split('|').map(str::trim).filter(|value| !value.is_empty())
    }

    /// The text of a column that is needed; refuses the line when it is blank.
    pub(super) fn needed(&self, column: Column, findings: &mut Findings) -> Option<&str> {
        let text = self.text(column);
        if text.is_empty() {
            findings.refuse(column.name(), Reason::MissingValue, "blank: give a value");
            return None;
        }
        Some(text)
    }

    /// The whole number of a column within bounds, if it is given; refuses the line when it is none.
    pub(super) fn number(&self, column: Column, least: u32, most: u32, findings: &mut Findings) -> Option<u32> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let shown: String = text.chars().take(40).collect();
            let message = format!("`{shown}` is no whole number from {least} to {most}");
            findings.refuse(column.name(), Reason::InvalidValue, message);
        }
        number
    }
}
