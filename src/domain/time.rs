//! Instants, windows, and the way from civil time to an instant.
//!
//! Inside, every moment is a [`UtcInstant`]; a time zone appears only where people read or write local time.
//! Nothing here reads a clock.

use std::fmt;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// Milliseconds in a second.
pub const MS_PER_SECOND: i64 = 1_000;
/// Milliseconds in a minute.
pub const MS_PER_MINUTE: i64 = 60 * MS_PER_SECOND;
/// Milliseconds in an hour.
pub const MS_PER_HOUR: i64 = 60 * MS_PER_MINUTE;
/// Milliseconds in a day of 24 hours.
pub const MS_PER_DAY: i64 = 24 * MS_PER_HOUR;

/// Minutes in a civil day whose clocks do not change.
const MINUTES_PER_DAY: i64 = 24 * 60;

/// Longest jump of any zone's clocks in minutes: a whole day, where the date line was moved.
const GAP_MAX_MINUTES: u32 = 24 * 60 + 1;

/// First instant that the service accepts: 2000-01-01T00:00:00Z.
const FIRST_ACCEPTED_MS: i64 = 946_684_800_000;
/// First instant after those that the service accepts: 2200-01-01T00:00:00Z.
const AFTER_ACCEPTED_MS: i64 = 7_258_118_400_000;

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcInstant(i64);

impl UtcInstant {
    /// Earlier than every other instant.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every other instant.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant that many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// The same, refused outside the years 2000 to 2199 so that arithmetic on it cannot overflow.
    #[must_use]
    pub const fn parse_ms(ms: i64) -> Option<Self> {
        if ms >= FIRST_ACCEPTED_MS && ms < AFTER_ACCEPTED_MS { Some(Self(ms)) } else { None }
    }

    /// Parses an RFC 3339 date and time with offset, within the accepted years.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().and_then(|at| Self::parse_ms(at.timestamp_millis()))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The instant this many milliseconds later; stops at [`Self::MAX`].
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant this many minutes later.
    #[must_use]
    pub fn plus_minutes(self, minutes: u32) -> Self {
        self.plus_ms(i64::from(minutes) * MS_PER_MINUTE)
    }

    /// The instant this many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: u32) -> Self {
        self.plus_ms(i64::from(seconds) * MS_PER_SECOND)
    }

    /// Milliseconds from `earlier` to this instant, negative when it is later.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from `earlier`, 0 when it is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> u32 {
        u32::try_from((self.ms_since(earlier) / MS_PER_SECOND).max(0)).unwrap_or(u32::MAX)
    }

    /// Minutes from `earlier`, rounded up, 0 when it is later.
    #[must_use]
    pub fn minutes_since(self, earlier: Self) -> u32 {
        let ms = self.ms_since(earlier).max(0);
        u32::try_from(ms.saturating_add(MS_PER_MINUTE - 1) / MS_PER_MINUTE).unwrap_or(u32::MAX)
    }

    /// As a chrono value; the epoch for instants that chrono cannot hold.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// Local date and time in a zone.
    #[must_use]
    pub fn to_local(self, zone: Tz) -> DateTime<Tz> {
        self.to_chrono().with_timezone(&zone)
    }

    /// Local day and minute in a zone.
    #[must_use]
    pub fn to_local_minute(self, zone: Tz) -> LocalMinute {
        let utc = self.to_chrono();
        let offset_s = zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc();
        LocalMinute::of_minutes((utc.timestamp() + i64::from(offset_s)).div_euclid(60))
    }
}

/// A local time to the minute, for whoever needs no calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalMinute {
    /// Days since 1970-01-01 on the calendar of the place.
    pub day: i64,
    /// Minute that the clocks show there, from 0 to 1439.
    pub minute: u32,
}

impl LocalMinute {
    /// The local time so many minutes after midnight of 1970-01-01 on the calendar of the place, if every day had 24 hours.
    #[must_use]
    pub fn of_minutes(minutes: i64) -> Self {
        let minute = u32::try_from(minutes.rem_euclid(MINUTES_PER_DAY)).unwrap_or(0);
        Self { day: minutes.div_euclid(MINUTES_PER_DAY), minute }
    }

    /// These minutes.
    #[must_use]
    pub fn minutes(self) -> i64 {
        self.day * MINUTES_PER_DAY + i64::from(self.minute)
    }
}

impl From<DateTime<Utc>> for UtcInstant {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }
}

impl fmt::Display for UtcInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_chrono().format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl fmt::Debug for UtcInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MIN => f.write_str("UtcInstant::MIN"),
            Self::MAX => f.write_str("UtcInstant::MAX"),
            Self(_) => fmt::Display::fmt(self, f),
        }
    }
}

/// A half-open interval: `start_at` belongs to it, `end_at` does not, and it is never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Window {
    start_at: UtcInstant,
    end_at: UtcInstant,
}

/// Why two instants make no window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WindowError {
    /// Start and end are the same instant.
    #[error("the window is empty: give an end later than the start")]
    Empty,
    /// The end is before the start.
    #[error("the window is inverted: the end is before the start")]
    Inverted,
}

impl Window {
    /// The window from `start_at` to `end_at`.
    ///
    /// # Errors
    /// When it would be empty or inverted.
    pub fn new(start_at: UtcInstant, end_at: UtcInstant) -> Result<Self, WindowError> {
        match start_at.cmp(&end_at) {
            std::cmp::Ordering::Less => Ok(Self { start_at, end_at }),
            std::cmp::Ordering::Equal => Err(WindowError::Empty),
            std::cmp::Ordering::Greater => Err(WindowError::Inverted),
        }
    }

    /// First instant.
    #[must_use]
    pub const fn start_at(&self) -> UtcInstant {
        self.start_at
    }

    /// First instant after it.
    #[must_use]
    pub const fn end_at(&self) -> UtcInstant {
        self.end_at
    }

    /// Length in milliseconds.
    #[must_use]
    pub const fn length_ms(&self) -> i64 {
        self.end_at.ms_since(self.start_at)
    }

    /// Whether an instant belongs to it.
    #[must_use]
    pub fn contains(&self, at: UtcInstant) -> bool {
        self.start_at <= at && at < self.end_at
    }
}

/// What a civil time names in a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CivilInstant {
    /// One instant.
    Exact(UtcInstant),
    /// None, the clocks jump over it in spring: the instant by the offset in force before the jump (RFC 5545, 3.3.5).
    Gap(UtcInstant),
    /// Two, the clocks repeat it in autumn: the first and the second.
    Overlap(UtcInstant, UtcInstant),
}

impl CivilInstant {
    /// The instant that the product takes: the first of two, the shifted one in a gap.
    #[must_use]
    pub const fn chosen(self) -> UtcInstant {
        match self {
            Self::Exact(at) | Self::Gap(at) | Self::Overlap(at, _) => at,
        }
    }
}

/// The instant that a civil date and time names in a zone.
#[must_use]
pub fn from_civil(zone: Tz, civil: NaiveDateTime) -> CivilInstant {
    match zone.from_local_datetime(&civil) {
        LocalResult::Single(at) => CivilInstant::Exact(at.with_timezone(&Utc).into()),
        LocalResult::Ambiguous(first, second) => {
            CivilInstant::Overlap(first.with_timezone(&Utc).into(), second.with_timezone(&Utc).into())
        }
        LocalResult::None => {
            let before = civil.checked_sub_signed(TimeDelta::hours(24)).unwrap_or(civil);
            let offset_s = zone.offset_from_utc_datetime(&before).fix().local_minus_utc();
            let utc = civil.checked_sub_signed(TimeDelta::seconds(i64::from(offset_s))).unwrap_or(civil);
            CivilInstant::Gap(utc.and_utc().into())
        }
    }
}

/// The first instant at which the clocks of a zone show a civil time, given to the minute, or a later one.
///
/// The instant itself, the first of two in autumn, the jump itself in spring: unlike [`CivilInstant::chosen`] it never goes
/// back while civil times go on, so that hours that follow each other locally do so in truth.
#[must_use]
pub fn first_shown_at(zone: Tz, civil: NaiveDateTime) -> UtcInstant {
    let mut shown = civil;
    for _ in 0..GAP_MAX_MINUTES {
        if let Some(at) = zone.from_local_datetime(&shown).earliest() {
            return at.with_timezone(&Utc).into();
        }
        shown = shown.checked_add_signed(TimeDelta::minutes(1)).unwrap_or(shown);
    }
    from_civil(zone, civil).chosen()
}

/// The civil day in a zone, from midnight to the next midnight; 23 or 25 hours when the clocks change.
#[must_use]
pub fn civil_day(zone: Tz, day: NaiveDate) -> Option<Window> {
    let midnight = |day: NaiveDate| from_civil(zone, day.and_time(NaiveTime::MIN)).chosen();
    Window::new(midnight(day), midnight(day.succ_opt()?)).ok()
}

/// The civil date of an instant in a zone.
#[must_use]
pub fn civil_date(zone: Tz, at: UtcInstant) -> NaiveDate {
    at.to_local(zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike as _;
    use proptest::prelude::*;

    fn civil(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn civil_times_resolve_in_every_french_zone() {
        let table = [
            (chrono_tz::Europe::Paris, "2026-11-22 08:00", "2026-11-22T07:00:00.000Z"),
            (chrono_tz::Indian::Reunion, "2026-11-22 08:00", "2026-11-22T04:00:00.000Z"),
            (chrono_tz::America::Martinique, "2026-11-22 08:00", "2026-11-22T12:00:00.000Z"),
            (chrono_tz::America::Cayenne, "2026-11-22 08:00", "2026-11-22T11:00:00.000Z"),
            (chrono_tz::Pacific::Noumea, "2026-11-22 08:00", "2026-11-21T21:00:00.000Z"),
            (chrono_tz::Pacific::Marquesas, "2026-11-22 08:00", "2026-11-22T17:30:00.000Z"),
            (chrono_tz::America::Miquelon, "2026-07-01 08:00", "2026-07-01T10:00:00.000Z"),
        ];
        for (zone, local, utc) in table {
            assert_eq!(
                from_civil(zone, civil(local)),
                CivilInstant::Exact(UtcInstant::parse_rfc3339(utc).unwrap()),
                "{zone} {local}"
            );
        }
    }

    #[test]
    fn spring_gap_takes_the_offset_before_it() {
        let gap = from_civil(chrono_tz::Europe::Paris, civil("2026-03-29 02:30"));
        assert_eq!(gap, CivilInstant::Gap(UtcInstant::parse_rfc3339("2026-03-29T01:30:00Z").unwrap()));
    }

    #[test]
    fn autumn_overlap_takes_the_first() {
        let overlap = from_civil(chrono_tz::Europe::Paris, civil("2026-10-25 02:30"));
        assert_eq!(overlap.chosen(), UtcInstant::parse_rfc3339("2026-10-25T00:30:00Z").unwrap());
        assert!(matches!(overlap, CivilInstant::Overlap(first, second) if second.ms_since(first) == MS_PER_HOUR));
    }

    #[test]
    fn the_first_instant_that_shows_a_civil_time_is_the_jump_or_the_first_of_two() {
        let table = [
            ("2026-03-29 01:59", "2026-03-29T00:59:00Z"),
            ("2026-03-29 02:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
            ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
            ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
        ];
        for (local, utc) in table {
            let expected = UtcInstant::parse_rfc3339(utc).unwrap();
            assert_eq!(first_shown_at(chrono_tz::Europe::Paris, civil(local)), expected, "{local}");
        }
    }

    #[test]
    fn civil_days_are_23_24_or_25_hours_long() {
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-22", 24)] {
            let window = civil_day(chrono_tz::Europe::Paris, day.parse().unwrap()).unwrap();
            assert_eq!(window.length_ms(), hours * MS_PER_HOUR, "{day}");
        }
    }

    #[test]
    fn empty_and_inverted_windows_are_refused() {
        let at = UtcInstant::from_ms(5);
        assert_eq!(Window::new(at, at), Err(WindowError::Empty));
        assert_eq!(Window::new(at, UtcInstant::from_ms(4)), Err(WindowError::Inverted));
    }

    proptest! {
        #[test]
        fn the_local_minute_is_that_of_the_calendar(minute in -20i64 * 366 * 1_440..80 * 366 * 1_440, zone in 0usize..chrono_tz::TZ_VARIANTS.len()) {
            let (zone, at) = (chrono_tz::TZ_VARIANTS[zone], UtcInstant::from_ms(minute * MS_PER_MINUTE + 59_999));
            let (local, short) = (at.to_local(zone), at.to_local_minute(zone));
            let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
            prop_assert_eq!(short.day, local.date_naive().signed_duration_since(epoch).num_days());
            prop_assert_eq!(short.minute, local.hour() * 60 + local.minute());
        }

        #[test]
        fn a_later_civil_time_is_never_shown_earlier(minute in 0i64..20 * 366 * 1_440, later in 0i64..3_000, zone in 0usize..chrono_tz::TZ_VARIANTS.len()) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let civil = civil("2020-01-01 00:00") + TimeDelta::minutes(minute);
            prop_assert!(first_shown_at(zone, civil) <= first_shown_at(zone, civil + TimeDelta::minutes(later)));
        }

        #[test]
        fn consecutive_civil_days_never_leave_a_hole(days in 0i64..40_000, zone in 0usize..chrono_tz::TZ_VARIANTS.len()) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let day = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + TimeDelta::days(days);
            if let (Some(first), Some(second)) = (civil_day(zone, day), civil_day(zone, day.succ_opt().unwrap())) {
                prop_assert_eq!(first.end_at(), second.start_at());
            }
        }

        #[test]
        fn a_window_contains_its_start_and_never_its_end(start in -1_000_000i64..1_000_000, length in 1i64..1_000_000) {
            let window = Window::new(UtcInstant::from_ms(start), UtcInstant::from_ms(start + length)).unwrap();
            prop_assert!(window.contains(window.start_at()) && !window.contains(window.end_at()));
        }
    }
}
