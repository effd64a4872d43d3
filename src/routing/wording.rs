//! Figures as French people read them, written straight into a sentence.

use std::fmt;

use chrono::{Datelike as _, Timelike as _};
use chrono_tz::Tz;

use crate::domain::time::UtcInstant;

/// Local hour and minute, with the day when it is another one than now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    pub(super) zone: Tz,
    pub(super) now: UtcInstant,
    pub(super) at: UtcInstant,
}

impl Local {
    /// The same with `à` or `vers` where it belongs: before the hour, not before the day.
    pub(super) const fn with(self, preposition: &'static str) -> LocalWith {
        LocalWith { local: self, preposition }
    }

    fn write(self, f: &mut fmt::Formatter<'_>, preposition: &str) -> fmt::Result {
        let (local, now) = (self.at.to_local(self.zone), self.now.to_local(self.zone));
        match local.date_naive().signed_duration_since(now.date_naive()).num_days() {
            0 => {}
            1 => f.write_str("demain ")?,
            _ => write!(f, "le {:02}/{:02} ", local.day(), local.month())?,
        }
        write!(f, "{preposition}{:02}:{:02}", local.hour(), local.minute())
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

/// A local time with its preposition and a space.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalWith {
    local: Local,
    preposition: &'static str,
}

impl fmt::Display for LocalWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.local.write(f, self.preposition)
    }
}

/// Until when, as `jusqu'à 20:00`, `jusqu'à demain 08:00`, `jusqu'au 25/12 08:00`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    pub(super) zone: Tz,
    pub(super) now: UtcInstant,
    pub(super) at: UtcInstant,
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, now, at } = *self;
        let at = Local { zone, now, at }.to_string();
        match at.strip_prefix("le ") {
            Some(on) => write!(f, "jusqu'au {on}"),
            None => write!(f, "jusqu'à {at}"),
        }
    }
}

/// How long it takes until something begins, in minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait(pub(super) u32);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("tout de suite"),
            minutes => write!(f, "dans {}", Minutes(minutes)),
        }
    }
}

/// A duration in minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minutes(pub(super) u32);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 60, self.0 % 60) {
            (0, minutes) => write!(f, "{minutes} min"),
            (hours, 0) => write!(f, "{hours} h"),
            (hours, minutes) => write!(f, "{hours} h {minutes:02}"),
        }
    }
}

/// Metres as kilometres with one decimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kilometres(pub(super) u32);

impl fmt::Display for Kilometres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.saturating_add(50) / 100;
        write!(f, "{},{} km", tenths / 10, tenths % 10)
    }
}

/// An age in days, in the unit in which people say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct AgeLabel(pub(super) u32);

impl fmt::Display for AgeLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 jour"),
            days @ 0..=90 => write!(f, "{days} jours"),
            days @ 91..=729 => write!(f, "{} mois", (f64::from(days) / 30.4375).round()),
            days => write!(f, "{} ans", (f64::from(days) / 365.25).round()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_french() {
        let table = [
            (Kilometres(2_349).to_string(), "2,3 km"),
            (Kilometres(49).to_string(), "0,0 km"),
            (Minutes(59).to_string(), "59 min"),
            (Minutes(120).to_string(), "2 h"),
            (Minutes(125).to_string(), "2 h 05"),
            (Wait(0).to_string(), "tout de suite"),
            (Wait(61).to_string(), "dans 1 h 01"),
            (AgeLabel(1).to_string(), "1 jour"),
            (AgeLabel(28).to_string(), "28 jours"),
            (AgeLabel(91).to_string(), "3 mois"),
            (AgeLabel(5_844).to_string(), "16 ans"),
        ];
        for (written, expected) in table {
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn another_day_is_said() {
        let at = |text: &str| UtcInstant::parse_rfc3339(text).unwrap();
        let now = at("2026-11-22T22:30:00+01:00");
        let local = |text| Local { zone: chrono_tz::Europe::Paris, now, at: at(text) }.to_string();
        assert_eq!(local("2026-11-22T23:45:00+01:00"), "23:45");
        assert_eq!(local("2026-11-23T00:15:00+01:00"), "demain 00:15");
        assert_eq!(local("2026-11-24T09:00:00+01:00"), "le 24/11 09:00");
        let until = |text| Until { zone: chrono_tz::Europe::Paris, now, at: at(text) }.to_string();
        assert_eq!(until("2026-11-22T23:45:00+01:00"), "jusqu'à 23:45");
        assert_eq!(until("2026-11-23T08:00:00+01:00"), "jusqu'à demain 08:00");
        assert_eq!(until("2026-11-24T09:00:00+01:00"), "jusqu'au 24/11 09:00");
    }

    #[test]
    fn the_preposition_stands_before_the_hour() {
        let at = |text: &str| UtcInstant::parse_rfc3339(text).unwrap();
        let now = at("2026-11-22T22:30:00+01:00");
        let with = |text, word| Local { zone: chrono_tz::Europe::Paris, now, at: at(text) }.with(word).to_string();
        assert_eq!(with("2026-11-22T23:45:00+01:00", "à "), "à 23:45");
        assert_eq!(with("2026-11-23T00:15:00+01:00", "à "), "demain à 00:15");
        assert_eq!(with("2026-11-24T09:00:00+01:00", "vers "), "le 24/11 vers 09:00");
    }
}
