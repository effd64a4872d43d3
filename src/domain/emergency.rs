//! Emergency departments and SMUR bases, and when they take patients.

use std::sync::Arc;

use chrono::{TimeDelta, Timelike as _};
use chrono_tz::Tz;

use super::department::Department;
use super::geo::{EarthVector, GeoPoint};
use super::id::{EmergencySiteId, PhoneNumber, StructureId};
use super::time::{UtcInstant, from_civil, minute_of_week};

/// Minutes in a week.
const MINUTES_PER_WEEK: u32 = 7 * 24 * 60;

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

/// A weekly rule of access in the site's local time; a later rule of the list wins over an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WeeklyAccess {
    start_minute: u32,
    length_minutes: u32,
    access: EmergencyAccess,
}

/// Why three numbers make no weekly rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WeeklyAccessError {
    /// Weekday out of range.
    #[error("weekday {0} is unknown: give 1 for Monday to 7 for Sunday")]
    Weekday(u32),
    /// Start out of range.
    #[error("start minute {0} is not of a day: give 0 to 1439")]
    Start(u32),
    /// End not after the start, or more than a day later.
    #[error("end minute {0} does not follow the start by 1 to 1440 minutes")]
    End(u32),
}

impl WeeklyAccess {
    /// The rule that starts on a weekday (1 for Monday) at a local minute of that day and ends at another, counted
    /// from the same midnight.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn new(weekday: u32, start: u32, end: u32, access: EmergencyAccess) -> Result<Self, WeeklyAccessError> {
        if !(1..=7).contains(&weekday) {
            return Err(WeeklyAccessError::Weekday(weekday));
        }
        if start >= 1_440 {
            return Err(WeeklyAccessError::Start(start));
        }
        if end <= start || end - start > 1_440 {
            return Err(WeeklyAccessError::End(end));
        }
        Ok(Self { start_minute: (weekday - 1) * 1_440 + start, length_minutes: end - start, access })
    }

    /// Weekday (1 for Monday), start minute and end minute, as given to [`Self::new`].
    #[must_use]
    pub const fn parts(&self) -> (u32, u32, u32) {
        let start = self.start_minute % 1_440;
        (self.start_minute / 1_440 + 1, start, start + self.length_minutes)
    }

    /// How patients come in while it applies.
    #[must_use]
    pub const fn access(&self) -> EmergencyAccess {
        self.access
    }

    /// Whether it applies at a minute of the week.
    const fn applies(&self, minute: u32) -> bool {
        (minute + MINUTES_PER_WEEK - self.start_minute) % MINUTES_PER_WEEK < self.length_minutes
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
    /// Zone of the weekly rules.
    pub zone: Tz,
    /// Weekly rules; empty when always open.
    pub weekly: Vec<WeeklyAccess>,
}

/// A site with its place on Earth, so that the nearest ones are found without looking at the others.
#[derive(Clone, Debug)]
pub struct LocatedSite {
    /// Where it is on Earth.
    pub vector: EarthVector,
    /// What it is.
    pub kind: EmergencySiteKind,
    /// The site.
    pub site: Arc<EmergencySite>,
}

impl From<Arc<EmergencySite>> for LocatedSite {
    fn from(site: Arc<EmergencySite>) -> Self {
        Self { vector: EarthVector::from(&site.position), kind: site.kind, site }
    }
}

impl EmergencySite {
    /// How patients come in at an instant: by the last rule that applies, closed when none does.
    #[must_use]
    pub fn access_at(&self, at: UtcInstant) -> EmergencyAccess {
        if self.weekly.is_empty() {
            return EmergencyAccess::Open;
        }
        self.access_at_minute(minute_of_week(self.zone, at))
    }

    /// When the access at an instant changes next, within a week; `None` when it never does.
    #[must_use]
    pub fn access_changes_at(&self, at: UtcInstant) -> Option<UtcInstant> {
        if self.weekly.is_empty() {
            return None;
        }
        let minute = minute_of_week(self.zone, at);
        let access = self.access_at_minute(minute);
        let boundaries =
            self.weekly.iter().flat_map(|rule| [rule.start_minute, rule.start_minute + rule.length_minutes]);
        let ahead = boundaries
            .map(|boundary| boundary % MINUTES_PER_WEEK)
            .filter(|boundary| self.access_at_minute(*boundary) != access)
            .map(|boundary| (boundary + MINUTES_PER_WEEK - minute) % MINUTES_PER_WEEK)
            .min()?;
        // Counted on the local clock, so that a rule keeps its local hour when the clocks change in between.
        let local = at.to_local(self.zone).naive_local().with_second(0)?.with_nanosecond(0)?;
        let civil = local.checked_add_signed(TimeDelta::minutes(i64::from(ahead)))?;
        Some(from_civil(self.zone, civil).chosen())
    }

    /// The access by the rules, of which there must be some.
    fn access_at_minute(&self, minute: u32) -> EmergencyAccess {
        let rule = self.weekly.iter().rev().find(|rule| rule.applies(minute));
        rule.map_or(EmergencyAccess::Closed, WeeklyAccess::access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(weekly: Vec<WeeklyAccess>) -> EmergencySite {
        EmergencySite {
            id: EmergencySiteId::parse("sau-1").unwrap(),
            name: "CH de Bourges".into(),
            kind: EmergencySiteKind::Department,
            position: GeoPoint::new(47.08, 2.4).unwrap(),
            structure: None,
            department: Department::parse("18").unwrap(),
            phone: None,
            zone: chrono_tz::Europe::Paris,
            weekly,
        }
    }

    fn at(text: &str) -> UtcInstant {
        UtcInstant::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_site_without_rules_is_always_open() {
        let site = site(vec![]);
        assert_eq!(site.access_at(at("2026-11-22T03:00:00Z")), EmergencyAccess::Open);
        assert_eq!(site.access_changes_at(at("2026-11-22T03:00:00Z")), None);
    }

    #[test]
    fn a_night_rule_runs_past_midnight_and_past_sunday() {
        let night = WeeklyAccess::new(7, 20 * 60, 32 * 60, EmergencyAccess::Regulated).unwrap();
        let site = site(vec![night]);
        assert_eq!(site.access_at(at("2026-11-22T21:00:00+01:00")), EmergencyAccess::Regulated);
        assert_eq!(site.access_at(at("2026-11-23T07:59:00+01:00")), EmergencyAccess::Regulated);
        assert_eq!(site.access_at(at("2026-11-23T08:00:00+01:00")), EmergencyAccess::Closed);
        assert_eq!(site.access_changes_at(at("2026-11-22T21:00:30+01:00")), Some(at("2026-11-23T08:00:00+01:00")));
    }

    #[test]
    fn a_rule_keeps_its_local_hour_when_the_clocks_change() {
        let night = WeeklyAccess::new(6, 20 * 60, 32 * 60, EmergencyAccess::Open).unwrap();
        let site = site(vec![night]);
        assert_eq!(site.access_changes_at(at("2026-10-24T21:00:00+02:00")), Some(at("2026-10-25T08:00:00+01:00")));
    }

    #[test]
    fn the_later_rule_wins() {
        let day = WeeklyAccess::new(1, 0, 1_440, EmergencyAccess::Open).unwrap();
        let lunch = WeeklyAccess::new(1, 720, 780, EmergencyAccess::Closed).unwrap();
        let site = site(vec![day, lunch]);
        assert_eq!(site.access_at(at("2026-11-23T12:30:00+01:00")), EmergencyAccess::Closed);
        assert_eq!(site.access_changes_at(at("2026-11-23T12:30:00+01:00")), Some(at("2026-11-23T13:00:00+01:00")));
    }

    #[test]
    fn impossible_rules_are_refused() {
        let open = EmergencyAccess::Open;
        assert_eq!(WeeklyAccess::new(0, 0, 1, open), Err(WeeklyAccessError::Weekday(0)));
        assert_eq!(WeeklyAccess::new(1, 1_440, 1_441, open), Err(WeeklyAccessError::Start(1_440)));
        assert_eq!(WeeklyAccess::new(1, 10, 10, open), Err(WeeklyAccessError::End(10)));
        assert_eq!(WeeklyAccess::new(1, 10, 1_451, open), Err(WeeklyAccessError::End(1_451)));
    }
}
