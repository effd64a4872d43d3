//! Emergency departments and SMUR bases, and when they take patients.

mod capability;
mod rules;
mod access;

use std::sync::Arc;

use chrono_tz::Tz;

use super::department::Department;
use super::geo::{EarthVector, GeoPoint};
use super::id::{EmergencySiteId, PhoneNumber, StructureId};
use super::time::{MS_PER_HOUR, UtcInstant, Window};

pub use capability::{Capabilities, EmergencyCapability};
pub use rules::{
    AccessRules, Contradiction, DATED_RULES_MAX, DatedAccess, DayHours, HOLIDAY_RULES_MAX, HolidayAccess, HoursError,
    MINUTES_PER_DAY, WEEKLY_RULES_MAX, WeeklyAccess, dated_contradictions, holiday_contradictions,
    weekly_contradictions,
};

/// Longest time in hours for which a site can be said to be saturated; whoever says so again extends it.
pub const SATURATION_MAX_HOURS: u32 = 24;

/// What an emergency site is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EmergencySiteKind {
    /// Emergency department (SAU).
    Department,
    /// Base of a mobile emergency unit (SMUR).
    Smur,
    /// Paediatric emergency department.
    Paediatric,
}

impl EmergencySiteKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Department, Self::Smur, Self::Paediatric];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Department => "DEPARTMENT",
            Self::Smur => "SMUR",
            Self::Paediatric => "PAEDIATRIC",
        }
    }

    /// The kind with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// How patients come in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum EmergencyAccess {
    /// Anybody may come.
    Open,
    /// Only after the regulation centre announced the patient.
    Regulated,
    /// Nobody is taken in.
    Closed,
}

impl EmergencyAccess {
    /// All of them, the most open first.
    pub const ALL: [Self; 3] = [Self::Open, Self::Regulated, Self::Closed];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Regulated => "REGULATED",
            Self::Closed => "CLOSED",
        }
    }

    /// The access with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.code() == code)
    }
}

/// Emergency department or SMUR base.
#[derive(Clone, PartialEq, Debug)]
pub struct EmergencySite {
    /// The publisher's identifier.
    pub id: EmergencySiteId,
    /// Name shown to regulators.
    pub name: Arc<str>,
    /// What it is.
    pub kind: EmergencySiteKind,
    /// Where it is.
    pub position: GeoPoint,
    /// Establishment.
    pub structure: Option<StructureId>,
    /// Department.
    pub department: Department,
    /// Telephone.
    pub phone: Option<PhoneNumber>,
    /// Zone of the rules.
    pub zone: Tz,
    /// When it takes patients.
    pub rules: AccessRules,
    /// Whom it takes, as it states.
    pub capabilities: Capabilities,
    /// While it is saturated, as was said last; ends by the clock.
    pub saturation: Option<Window>,
}

impl EmergencySite {
    /// Whom it takes, by what it states and what it is.
    #[must_use]
    pub fn takes(&self) -> Capabilities {
        self.capabilities.completed(self.kind)
    }

    /// Until when it is saturated, at an instant; `None` when it is not.
    #[must_use]
    pub fn saturated_until(&self, at: UtcInstant) -> Option<UtcInstant> {
        self.saturation.filter(|saturation| saturation.contains(at)).map(|saturation| saturation.end_at())
    }
}

/// Why an instant ends no saturation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SaturationError {
    /// It is over already.
    #[error("the end is not later than now: end the saturation instead, or give a later end")]
    Past,
    /// It would last too long to be believed without somebody looking again.
    #[error(
        "the end is more than {SATURATION_MAX_HOURS} hours away: give an earlier one, and extend it while it lasts"
    )]
    TooLong,
}

/// The saturation that is said now, with its end; one that runs already goes on from its own start.
///
/// # Errors
/// When it would be over already or last too long.
pub fn saturation(running: Option<Window>, now: UtcInstant, until_at: UtcInstant) -> Result<Window, SaturationError> {
    if until_at.ms_since(now) > i64::from(SATURATION_MAX_HOURS) * MS_PER_HOUR {
        return Err(SaturationError::TooLong);
    }
    let started_at = running.filter(|running| running.contains(now)).map_or(now, |running| running.start_at());
    if until_at <= now {
        return Err(SaturationError::Past);
    }
    Window::new(started_at, until_at).map_err(|_| SaturationError::Past)
}

/// A site with its place on Earth, so that the nearest ones are found without looking at the others.
#[derive(Clone, Debug)]
pub struct LocatedSite {
    /// Where it is on Earth.
    pub vector: EarthVector,
    /// What it is.
    pub kind: EmergencySiteKind,
    /// Whom it takes, by what it states and what it is.
    pub takes: Capabilities,
    /// The site.
    pub site: Arc<EmergencySite>,
}

impl From<Arc<EmergencySite>> for LocatedSite {
    fn from(site: Arc<EmergencySite>) -> Self {
        Self { vector: EarthVector::from(&site.position), kind: site.kind, takes: site.takes(), site }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saturation_has_an_end_that_is_neither_past_nor_far() {
        let at = |minutes: i64| UtcInstant::from_ms(minutes * 60_000);
        assert_eq!(saturation(None, at(0), at(0)), Err(SaturationError::Past));
        assert_eq!(saturation(None, at(5), at(0)), Err(SaturationError::Past));
        assert_eq!(saturation(None, at(0), at(24 * 60)).unwrap(), Window::new(at(0), at(24 * 60)).unwrap());
        assert_eq!(saturation(None, at(0), at(24 * 60).plus_ms(1)), Err(SaturationError::TooLong));
        assert_eq!(saturation(None, at(0), UtcInstant::MAX), Err(SaturationError::TooLong));
    }

    #[test]
    fn a_running_saturation_is_extended_and_an_ended_one_starts_anew() {
        let at = |minutes: i64| UtcInstant::from_ms(minutes * 60_000);
        let first = Window::new(at(0), at(60)).unwrap();
        assert_eq!(saturation(Some(first), at(30), at(90)).unwrap(), Window::new(at(0), at(90)).unwrap());
        assert_eq!(saturation(Some(first), at(60), at(90)).unwrap(), Window::new(at(60), at(90)).unwrap());
    }
}
