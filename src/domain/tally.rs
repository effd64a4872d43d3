//! The anonymous counts of one day: what remains of cases and slots once they are forgotten.
//!
//! Invariant: a tally holds numbers only, one dimension at a time. What of them is told is for [`told`] to say: on a day with
//! one case, two dimensions are two facts about it.

pub mod told;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use super::answer::CareOutcome;
use super::code::{PatientCategory, Specialty};
use super::department::Department;
use super::id::TerritoryId;
use super::slot::{AttendanceKind, ClaimState, Slot, SlotState};

/// Whose counts they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Scope {
    /// Of a territory (CPTS).
    Territory(TerritoryId),
    /// Of a department, those of its territories included.
    Department(Department),
}

/// Names a tally.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TallyId {
    /// Whose counts they are.
    pub scope: Scope,
    /// Civil day, in local time.
    pub day: NaiveDate,
}

/// Why a text names no tally.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` names no tally: expected territory or department, its identifier and a day")]
pub struct TallyIdError(String);

impl TallyId {
    /// Parses the form that `Display` writes, for instance `territory/690000005/2026-11-23`.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, TallyIdError> {
        let error = || TallyIdError(text.chars().take(64).collect());
        let mut parts = text.split('/');
        let scope = match (parts.next(), parts.next()) {
            (Some("territory"), Some(id)) => TerritoryId::parse(id).ok().map(|id| Scope::Territory(id.value)),
            (Some("department"), Some(code)) => Department::parse(code).ok().map(Scope::Department),
            _ => None,
        };
        let day = parts.next().and_then(parse_day).ok_or_else(error)?;
        let id = Self { scope: scope.ok_or_else(error)?, day };
        if parts.next().is_some() { Err(error()) } else { Ok(id) }
    }
}

impl fmt::Display for TallyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            Scope::Territory(id) => write!(f, "territory/{id}/{}", self.day),
            Scope::Department(department) => write!(f, "department/{}/{}", department.code(), self.day),
        }
    }
}

/// Parses a civil day of the years 2000 to 2199, `2026-11-23`.
#[must_use]
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    use chrono::Datelike as _;
    if text.len() != 10 {
        return None;
    }
    text.parse::<NaiveDate>().ok().filter(|day| (2000..2200).contains(&day.year()))
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum MeasureKind {
    /// Cases by what was decided; the detail is the outcome.
    Orientation,
    /// Cases by the specialty asked for; the detail is its code, empty when none was stated.
    SpecialtyAsked,
    /// Those of them for which nothing was found.
    SpecialtyNothingFound,
    /// Cases by band of ages; the detail is its code, empty when none was stated.
    AgeBandAsked,
    /// Those of them for which nothing was found.
    AgeBandNothingFound,
    /// Slots that stood open or were closed around their bookings.
    SlotsPublished,
    /// Patients whom those slots took.
    PlacesPublished,
    /// Patients who were booked on them.
    PlacesBooked,
    /// Slots that their publishers took back.
    SlotsWithdrawn,
    /// Bookings by what became of them; the detail is the attendance.
    Attendance,
}

impl MeasureKind {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Orientation,
        Self::SpecialtyAsked,
        Self::SpecialtyNothingFound,
        Self::AgeBandAsked,
        Self::AgeBandNothingFound,
        Self::SlotsPublished,
        Self::PlacesPublished,
        Self::PlacesBooked,
        Self::SlotsWithdrawn,
        Self::Attendance,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Orientation => "ORIENTATION",
            Self::SpecialtyAsked => "SPECIALTY_ASKED",
            Self::SpecialtyNothingFound => "SPECIALTY_NOTHING_FOUND",
            Self::AgeBandAsked => "AGE_BAND_ASKED",
            Self::AgeBandNothingFound => "AGE_BAND_NOTHING_FOUND",
            Self::SlotsPublished => "SLOTS_PUBLISHED",
            Self::PlacesPublished => "PLACES_PUBLISHED",
            Self::PlacesBooked => "PLACES_BOOKED",
            Self::SlotsWithdrawn => "SLOTS_WITHDRAWN",
            Self::Attendance => "ATTENDANCE",
        }
    }
}

/// One thing that is counted: a kind, and of which sort.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Measure {
    /// What is counted.
    pub kind: MeasureKind,
    /// Of which sort, as a code; empty when there are none, or none was stated.
    pub detail: &'static str,
}

impl Measure {
    /// Those that are told of every day, 0 included.
    #[must_use]
    pub fn always_told() -> Vec<Self> {
        let of = |kind| move |detail| Self { kind, detail };
        let outcomes = CareOutcome::ALL.into_iter().map(CareOutcome::code).map(of(MeasureKind::Orientation));
        let places = [
            MeasureKind::SlotsPublished,
            MeasureKind::PlacesPublished,
            MeasureKind::PlacesBooked,
            MeasureKind::SlotsWithdrawn,
        ];
        let places = places.into_iter().map(|kind| Self { kind, detail: "" });
        let attendance = AttendanceKind::ALL.into_iter().map(AttendanceKind::code).map(of(MeasureKind::Attendance));
        outcomes.chain(places).chain(attendance).collect()
    }

    /// The measure with these codes.
    #[must_use]
    pub fn parse(kind: &str, detail: &str) -> Option<Self> {
        let kind = MeasureKind::ALL.into_iter().find(|known| known.code() == kind)?;
        let detail = match kind {
            MeasureKind::Orientation => CareOutcome::parse(detail)?.code(),
            MeasureKind::SpecialtyAsked | MeasureKind::SpecialtyNothingFound if !detail.is_empty() => {
                Specialty::parse(detail).ok()?.code()
            }
            MeasureKind::AgeBandAsked | MeasureKind::AgeBandNothingFound if !detail.is_empty() => {
                PatientCategory::parse(detail).ok()?.code()
            }
            MeasureKind::Attendance => AttendanceKind::parse(detail)?.code(),
            MeasureKind::SpecialtyAsked
            | MeasureKind::SpecialtyNothingFound
            | MeasureKind::AgeBandAsked
            | MeasureKind::AgeBandNothingFound
            | MeasureKind::SlotsPublished
            | MeasureKind::PlacesPublished
            | MeasureKind::PlacesBooked
            | MeasureKind::SlotsWithdrawn => detail.is_empty().then_some("")?,
        };
        Some(Self { kind, detail })
    }
}

/// The counts of one scope and day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Whose, and of which day.
    pub id: TallyId,
    /// The counts; none is 0.
    pub counts: Counts,
}

/// Numbers by what they count.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts(BTreeMap<Measure, u64>);

impl Counts {
    /// Counts something so often.
    pub fn add(&mut self, measure: Measure, count: u64) {
        if count > 0 {
            let known = self.0.entry(measure).or_default();
            *known = known.saturating_add(count);
        }
    }

    /// Counts all that another counted.
    pub fn add_all(&mut self, other: &Self) {
        other.iter().for_each(|(measure, count)| self.add(measure, count));
    }

    /// How often something was counted.
    #[must_use]
    pub fn get(&self, measure: Measure) -> u64 {
        self.0.get(&measure).copied().unwrap_or(0)
    }

    /// What was counted, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, u64)> {
        self.0.iter().map(|(measure, count)| (*measure, *count))
    }
}

impl FromIterator<Measure> for Counts {
    fn from_iter<I: IntoIterator<Item = Measure>>(measures: I) -> Self {
        let mut counts = Self::default();
        measures.into_iter().for_each(|measure| counts.add(measure, 1));
        counts
    }
}

/// What a slot counts for.
#[must_use]
pub fn counts_of_slot(slot: &Slot) -> Counts {
    let mut counts = Counts::default();
    let of = |kind| Measure { kind, detail: "" };
    match slot.state {
        SlotState::Withdrawn => counts.add(of(MeasureKind::SlotsWithdrawn), 1),
        SlotState::Open | SlotState::Closed => {
            counts.add(of(MeasureKind::SlotsPublished), 1);
            counts.add(of(MeasureKind::PlacesPublished), u64::from(slot.capacity));
        }
    }
    for claim in slot.claims.iter() {
        // What is to be re-placed is counted where it is booked again. Of whom it is known what became had a place here,
        // whatever became of the booking since.
        if claim.state == ClaimState::Booked || claim.attendance.is_some() {
            counts.add(of(MeasureKind::PlacesBooked), 1);
        }
        if let Some(attendance) = claim.attendance {
            counts.add(Measure { kind: MeasureKind::Attendance, detail: attendance.kind.code() }, 1);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tally_is_named_as_it_is_read() {
        for text in ["territory/690000005/2026-11-23", "department/2A/2026-02-28", "department/974/2199-12-31"] {
            assert_eq!(TallyId::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "territory/690000005",
            "territory/1/2026-11-23",
            "region/84/2026-11-23",
            "department/69/2026-02-30",
            "department/69/2026-11-23/x",
            "department/69/12026-11-23",
            "department/69/1999-12-31",
        ] {
            assert!(TallyId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_measure_returns_from_its_codes() {
        let details = [("SPECIALTY_ASKED", "SM54"), ("SPECIALTY_ASKED", ""), ("AGE_BAND_NOTHING_FOUND", "ENFANT")];
        let always = Measure::always_told();
        let told = always.iter().map(|measure| (measure.kind.code(), measure.detail));
        for (kind, detail) in told.chain(details) {
            let measure = Measure::parse(kind, detail).unwrap();
            assert_eq!((measure.kind.code(), measure.detail), (kind, detail));
        }
        for (kind, detail) in [("ORIENTATION", ""), ("ATTENDANCE", "ASLEEP"), ("SLOTS_PUBLISHED", "1"), ("CASES", "")] {
            assert_eq!(Measure::parse(kind, detail), None, "{kind} {detail}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(kind in "\\PC*", detail in "\\PC*") {
            let _ = TallyId::parse(&kind);
            let _ = parse_day(&kind);
            let _ = Measure::parse(&kind, &detail);
        }
    }
}
