//! The rules by which an emergency site opens, asks for an announcement, or closes: weekly, on public holidays, by date.
//!
//! Invariant: a rule is a half-open interval that is not empty. Two rules of one list that overlap with different access
//! contradict each other; the edge refuses such a list, and where one was stored the later rule wins.

use super::EmergencyAccess;
use crate::domain::time::Window;

/// Minutes of a day.
pub const MINUTES_PER_DAY: u32 = 24 * 60;
/// Minutes of a week.
const MINUTES_PER_WEEK: u32 = 7 * MINUTES_PER_DAY;
/// Most weekly rules of a site.
pub const WEEKLY_RULES_MAX: usize = 50;
/// Most rules for public holidays of a site.
pub const HOLIDAY_RULES_MAX: usize = 20;
/// Most exceptions by date of a site.
pub const DATED_RULES_MAX: usize = 100;

/// Local hours of a day, counted in minutes from its midnight; they may run past the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayHours {
    start: u32,
    end: u32,
}

/// Why numbers make no rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HoursError {
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

impl DayHours {
    /// From one local minute of a day to another, counted from the same midnight.
    ///
    /// # Errors
    /// When the start is not of the day, or the end does not follow it by a minute to a day.
    pub const fn new(start: u32, end: u32) -> Result<Self, HoursError> {
        if start >= MINUTES_PER_DAY {
            return Err(HoursError::Start(start));
        }
        if end <= start || end - start > MINUTES_PER_DAY {
            return Err(HoursError::End(end));
        }
        Ok(Self { start, end })
    }

    /// The whole day.
    pub const WHOLE_DAY: Self = Self { start: 0, end: MINUTES_PER_DAY };

    /// First minute.
    #[must_use]
    pub const fn start(self) -> u32 {
        self.start
    }

    /// First minute after it; above 1440 past midnight.
    #[must_use]
    pub const fn end(self) -> u32 {
        self.end
    }

    const fn length(self) -> u32 {
        self.end - self.start
    }
}

/// A weekly rule of access in the site's local time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WeeklyAccess {
    weekday: u32,
    hours: DayHours,
    access: EmergencyAccess,
}

impl WeeklyAccess {
    /// The rule that starts on a weekday (1 for Monday) at a local minute of that day and ends at another, counted
    /// from the same midnight.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn new(weekday: u32, start: u32, end: u32, access: EmergencyAccess) -> Result<Self, HoursError> {
        if !(1..=7).contains(&weekday) {
            return Err(HoursError::Weekday(weekday));
        }
        Ok(Self { weekday, hours: DayHours::new(start, end)?, access })
    }

    /// Day on which it starts, 1 for Monday.
    #[must_use]
    pub const fn weekday(&self) -> u32 {
        self.weekday
    }

    /// Local hours, counted from that day's midnight.
    #[must_use]
    pub const fn hours(&self) -> DayHours {
        self.hours
    }

    /// How patients come in while it applies.
    #[must_use]
    pub const fn access(&self) -> EmergencyAccess {
        self.access
    }

    /// Whether both apply at some minute of the week, which has neither beginning nor end.
    fn overlaps(&self, other: &Self) -> bool {
        let start = |rule: &Self| (rule.weekday - 1) * MINUTES_PER_DAY + rule.hours.start;
        let after = |first: u32, second: u32| (second + MINUTES_PER_WEEK - first) % MINUTES_PER_WEEK;
        let (own, others) = (start(self), start(other));
        after(own, others) < self.hours.length() || after(others, own) < other.hours.length()
    }
}

/// A rule of access on every public holiday, in the site's local time; it takes the place of that day's weekly rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HolidayAccess {
    /// Local hours, counted from the holiday's midnight.
    pub hours: DayHours,
    /// How patients come in while it applies.
    pub access: EmergencyAccess,
}

/// An exception for once; it takes precedence over every other rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DatedAccess {
    /// While it applies.
    pub window: Window,
    /// How patients come in while it applies.
    pub access: EmergencyAccess,
}

/// When a site takes patients.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AccessRules {
    /// By day of the week; without any, always open.
    pub weekly: Vec<WeeklyAccess>,
    /// On public holidays, in place of the day's weekly rules; without any, holidays are like other days.
    pub holidays: Vec<HolidayAccess>,
    /// For once, whatever the other rules say.
    pub dated: Vec<DatedAccess>,
}

/// Two rules of one list that contradict each other, by their places in it, the later one first.
pub type Contradiction = (usize, usize);

/// The rules that contradict an earlier one of their weekly list, each with the first that it contradicts.
#[must_use]
pub fn weekly_contradictions(rules: &[WeeklyAccess]) -> Vec<Contradiction> {
    contradictions(rules, |one, other| one.access != other.access && one.overlaps(other))
}

/// The same for public holidays; one that runs past midnight is not held against the next day, which may be a holiday too.
#[must_use]
pub fn holiday_contradictions(rules: &[HolidayAccess]) -> Vec<Contradiction> {
    contradictions(rules, |one, other| {
        let (hours, others) = (one.hours, other.hours);
        one.access != other.access && hours.start < others.end && others.start < hours.end
    })
}

/// The same for exceptions by date.
#[must_use]
pub fn dated_contradictions(rules: &[DatedAccess]) -> Vec<Contradiction> {
    contradictions(rules, |one, other| {
        let (window, others) = (one.window, other.window);
        one.access != other.access && window.start_at() < others.end_at() && others.start_at() < window.end_at()
    })
}

fn contradictions<T>(rules: &[T], contradict: impl Fn(&T, &T) -> bool) -> Vec<Contradiction> {
    let of_one = |(place, rule): (usize, &T)| {
        rules.iter().take(place).position(|earlier| contradict(earlier, rule)).map(|earlier| (place, earlier))
    };
    rules.iter().enumerate().filter_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::UtcInstant;
    use EmergencyAccess::{Closed, Open, Regulated};

    fn weekly(weekday: u32, start: u32, end: u32, access: EmergencyAccess) -> WeeklyAccess {
        WeeklyAccess::new(weekday, start, end, access).unwrap()
    }

    #[test]
    fn impossible_rules_are_refused() {
        assert_eq!(WeeklyAccess::new(0, 0, 1, Open), Err(HoursError::Weekday(0)));
        assert_eq!(WeeklyAccess::new(1, 1_440, 1_441, Open), Err(HoursError::Start(1_440)));
        assert_eq!(WeeklyAccess::new(1, 10, 10, Open), Err(HoursError::End(10)));
        assert_eq!(WeeklyAccess::new(1, 10, 9, Open), Err(HoursError::End(9)));
        assert_eq!(WeeklyAccess::new(1, 10, 1_451, Open), Err(HoursError::End(1_451)));
    }

    #[test]
    fn rules_that_overlap_with_another_access_contradict_each_other() {
        let day = weekly(1, 480, 1_200, Open);
        assert_eq!(weekly_contradictions(&[day, weekly(1, 1_199, 1_300, Closed)]), [(1, 0)]);
        assert_eq!(weekly_contradictions(&[day, weekly(1, 1_200, 1_920, Regulated)]), [], "they only meet");
        assert_eq!(weekly_contradictions(&[day, weekly(1, 500, 600, Open)]), [], "they say the same");
        assert_eq!(weekly_contradictions(&[day, weekly(2, 480, 1_200, Closed)]), []);
        // Sunday's night runs into Monday.
        assert_eq!(weekly_contradictions(&[day, weekly(7, 1_200, 1_921, Closed)]), [(1, 0)]);
        assert_eq!(weekly_contradictions(&[weekly(7, 1_200, 1_921, Closed), day]), [(1, 0)]);
    }

    #[test]
    fn holiday_rules_and_exceptions_contradict_each_other_too() {
        let holiday = |start, end, access| HolidayAccess { hours: DayHours::new(start, end).unwrap(), access };
        assert_eq!(holiday_contradictions(&[holiday(0, 600, Open), holiday(599, 700, Closed)]), [(1, 0)]);
        assert_eq!(holiday_contradictions(&[holiday(0, 600, Open), holiday(600, 700, Closed)]), []);
        let at = |hour: i64| UtcInstant::from_ms(hour * 3_600_000);
        let dated = |start, end, access| DatedAccess { window: Window::new(at(start), at(end)).unwrap(), access };
        assert_eq!(dated_contradictions(&[dated(0, 5, Open), dated(9, 10, Open), dated(4, 6, Closed)]), [(2, 0)]);
        assert_eq!(dated_contradictions(&[dated(0, 5, Open), dated(5, 6, Closed)]), []);
    }
}
