//! Local times as people write them: `10:30`, `tomorrow 08:00`, `2026-11-22 20:30`, `20:00 to 08:00 next day`.
//!
//! A time with its offset (`2026-10-25T02:30:00+01:00`) tells apart the two that an autumn night has.

use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::domain::time::{UtcInstant, Window, civil_date, from_civil};

/// How long a slot is when only its start is given, in minutes.
const SLOT_MINUTES: u32 = 15;
const EXPECTED: &str = "write `10:30`, `tomorrow 08:00` or `2026-11-22 20:30`";

/// Reads and writes the local times of a zone, on a day that is today.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalTime {
    zone: Tz,
    today: NaiveDate,
}

impl LocalTime {
    /// The local times of a zone at an instant.
    pub(super) fn at(zone: Tz, now: UtcInstant) -> Self {
        Self { zone, today: civil_date(zone, now) }
    }

    /// An instant; without a day it is today's.
    pub(super) fn parse(&self, text: &str) -> Result<UtcInstant, String> {
        self.parse_from(text, self.today).map(|(at, _)| at)
    }

    /// Start and end, or the start alone of a slot of 15 minutes; without a day the end is on that of the start.
    pub(super) fn window(&self, text: &str) -> Result<Window, String> {
        let Some((start, end)) = text.split_once(" to ") else {
            let start_at = self.parse(text)?;
            return Window::new(start_at, start_at.plus_minutes(SLOT_MINUTES)).map_err(|error| error.to_string());
        };
        let (start_at, day) = self.parse_from(start, self.today)?;
        let (end, day) = match end.trim().strip_suffix(" next day") {
            Some(end) => (end, day.checked_add_days(Days::new(1)).unwrap_or(day)),
            None => (end, day),
        };
        let (end_at, _) = self.parse_from(end, day)?;
        Window::new(start_at, end_at)
            .map_err(|error| format!("`{text}`: {error}; a night ends `next day`: `20:00 to 08:00 next day`"))
    }

    fn parse_from(&self, text: &str, day: NaiveDate) -> Result<(UtcInstant, NaiveDate), String> {
        let text = text.trim();
        if text.contains('T') {
            let at = UtcInstant::parse_rfc3339(text).ok_or_else(|| format!("`{text}` is no time: {EXPECTED}"))?;
            return Ok((at, civil_date(self.zone, at)));
        }
        let (day, time) = match text.rsplit_once(' ') {
            None => (day, text),
            Some((given, time)) => (self.day(given.trim())?, time),
        };
        let time = NaiveTime::parse_from_str(time, "%H:%M").map_err(|_| format!("`{text}` is no time: {EXPECTED}"))?;
        Ok((from_civil(self.zone, day.and_time(time)).chosen(), day))
    }

    fn day(&self, text: &str) -> Result<NaiveDate, String> {
        let day = match text {
            "today" => Some(self.today),
            "yesterday" => self.today.pred_opt(),
            "tomorrow" => self.today.succ_opt(),
            date => NaiveDate::parse_from_str(date, "%Y-%m-%d").ok(),
        };
        day.ok_or_else(|| format!("`{text}` is no day: {EXPECTED}"))
    }

    /// An instant as [`Self::parse`] reads it.
    pub(super) fn show(&self, at: UtcInstant) -> String {
        let local = at.to_local(self.zone);
        let time = local.format("%H:%M");
        match local.date_naive().signed_duration_since(self.today).num_days() {
            0 => time.to_string(),
            1 => format!("tomorrow {time}"),
            -1 => format!("yesterday {time}"),
            _ => local.format("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

/// Seconds of `90 s`, `2 min` or `3 h`.
pub(super) fn seconds(text: &str) -> Result<u32, String> {
    let factor = |unit: &str| match unit {
        "s" => Some(1),
        "min" => Some(60),
        "h" => Some(3_600),
        _ => None,
    };
    let read = text.split_once(' ').and_then(|(number, unit)| {
        let number: u32 = number.parse().ok()?;
        number.checked_mul(factor(unit)?)
    });
    read.filter(|seconds| (1..=3 * 86_400).contains(seconds))
        .ok_or_else(|| format!("`{text}` is no duration up to three days: write `90 s`, `2 min` or `3 h`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris(now: &str) -> LocalTime {
        LocalTime::at(chrono_tz::Europe::Paris, UtcInstant::parse_rfc3339(now).unwrap())
    }

    #[test]
    fn local_times_are_read_and_written_back() {
        let local = paris("2026-11-22T22:30:00+01:00");
        for (text, expected) in [
            ("23:45", "2026-11-22T23:45:00+01:00"),
            ("tomorrow 00:15", "2026-11-23T00:15:00+01:00"),
            ("yesterday 18:00", "2026-11-21T18:00:00+01:00"),
            ("2026-11-24 09:00", "2026-11-24T09:00:00+01:00"),
        ] {
            let at = local.parse(text).unwrap();
            assert_eq!(at, UtcInstant::parse_rfc3339(expected).unwrap(), "{text}");
            assert_eq!(local.show(at), text);
        }
    }

    #[test]
    fn a_window_is_on_one_day_unless_it_says_otherwise() {
        let local = paris("2026-11-22T22:30:00+01:00");
        let minutes = |text: &str| local.window(text).map(|window| window.length_ms() / 60_000);
        assert_eq!(minutes("20:00 to 24:00").ok(), None);
        assert_eq!(minutes("20:00 to 08:00 next day").ok(), Some(720));
        assert_eq!(minutes("tomorrow 20:00 to 08:00 next day").ok(), Some(720));
        assert_eq!(minutes("20:00 to tomorrow 08:00").ok(), Some(720));
        assert_eq!(minutes("20:00").ok(), Some(15));
        for text in ["20:00 to 08:00", "20:00 to 20:00", "soon", "later 10:00", "10h30"] {
            assert!(local.window(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_offset_tells_the_second_hour_of_an_autumn_night() {
        let local = paris("2026-10-25T00:30:00+02:00");
        let (first, second) = (local.parse("02:30").unwrap(), local.parse("2026-10-25T02:30:00+01:00").unwrap());
        assert_eq!(second.ms_since(first), 3_600_000);
    }

    #[test]
    fn durations_carry_their_unit() {
        assert_eq!((seconds("90 s"), seconds("2 min"), seconds("3 h")), (Ok(90), Ok(120), Ok(10_800)));
        assert!(seconds("2").is_err() && seconds("2 days").is_err() && seconds("0 s").is_err());
    }
}
