//! Figures as French people read them, written straight into a sentence.

use std::fmt::{self, Write as _};

use chrono::Datelike as _;
use chrono_tz::Tz;

use super::clocks::Clocks;
use crate::domain::time::UtcInstant;

/// Local hour and minute, with the day when it is another one than now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    pub(super) zone: Tz,
    pub(super) clocks: Clocks,
    pub(super) at: UtcInstant,
}

impl Local {
    /// The same with `à` or `vers` where it belongs: before the hour, not before the day.
    pub(super) const fn with(self, preposition: &'static str) -> LocalWith {
        LocalWith { local: self, preposition }
    }

    fn write(self, f: &mut fmt::Formatter<'_>, preposition: &str) -> fmt::Result {
        let local = self.clocks.show(self.zone, self.at);
        match local.day - self.clocks.today(self.zone) {
            0 => {}
            1 => f.write_str("demain ")?,
            _ => {
                let date = self.at.to_local(self.zone);
                write!(f, "le {:02}/{:02} ", date.day(), date.month())?;
            }
        }
        f.write_str(preposition)?;
        two_digits(f, local.minute / 60)?;
        f.write_char(':')?;
        two_digits(f, local.minute % 60)
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

/// A number below 100 in two digits.
fn two_digits(f: &mut fmt::Formatter<'_>, number: u32) -> fmt::Result {
    let digit = |digit: u32| char::from_digit(digit % 10, 10).unwrap_or('0');
    f.write_char(digit(number / 10))?;
    f.write_char(digit(number))
}

/// A number in digits: most are short, and those need no padding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) u32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            short @ 0..=9 => f.write_char(char::from_digit(short, 10).unwrap_or('0')),
            short @ 10..=99 => two_digits(f, short),
            long => write!(f, "{long}"),
        }
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
    pub(super) clocks: Clocks,
    pub(super) at: UtcInstant,
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, clocks, at } = *self;
        let at = Local { zone, clocks, at }.to_string();
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
            minutes => {
                f.write_str("dans ")?;
                fmt::Display::fmt(&Minutes(minutes), f)
            }
        }
    }
}

/// A duration in minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minutes(pub(super) u32);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes) = (self.0 / 60, self.0 % 60);
        if hours == 0 {
            fmt::Display::fmt(&Number(minutes), f)?;
            return f.write_str(" min");
        }
        fmt::Display::fmt(&Number(hours), f)?;
        f.write_str(" h")?;
        if minutes == 0 {
            return Ok(());
        }
        f.write_char(' ')?;
        two_digits(f, minutes)
    }
}

/// Metres as kilometres with one decimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kilometres(pub(super) u32);

impl fmt::Display for Kilometres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.saturating_add(50) / 100;
        fmt::Display::fmt(&Number(tenths / 10), f)?;
        f.write_char(',')?;
        fmt::Display::fmt(&Number(tenths % 10), f)?;
        f.write_str(" km")
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
            (Kilometres(123_456).to_string(), "123,5 km"),
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
        let (zone, clocks) = (chrono_tz::Europe::Paris, Clocks::at(now, chrono_tz::Europe::Paris));
        let local = |text| Local { zone, clocks, at: at(text) }.to_string();
        assert_eq!(local("2026-11-22T23:45:00+01:00"), "23:45");
        assert_eq!(local("2026-11-23T00:15:00+01:00"), "demain 00:15");
        assert_eq!(local("2026-11-24T09:00:00+01:00"), "le 24/11 09:00");
        let until = |text| Until { zone, clocks, at: at(text) }.to_string();
        assert_eq!(until("2026-11-22T23:45:00+01:00"), "jusqu'à 23:45");
        assert_eq!(until("2026-11-23T08:00:00+01:00"), "jusqu'à demain 08:00");
        assert_eq!(until("2026-11-24T09:00:00+01:00"), "jusqu'au 24/11 09:00");
    }

    #[test]
    fn the_preposition_stands_before_the_hour() {
        let at = |text: &str| UtcInstant::parse_rfc3339(text).unwrap();
        let now = at("2026-11-22T22:30:00+01:00");
        let (zone, clocks) = (chrono_tz::Europe::Paris, Clocks::at(now, chrono_tz::Indian::Reunion));
        let with = |text, word| Local { zone, clocks, at: at(text) }.with(word).to_string();
        assert_eq!(with("2026-11-22T23:45:00+01:00", "à "), "à 23:45");
        assert_eq!(with("2026-11-23T00:15:00+01:00", "à "), "demain à 00:15");
        assert_eq!(with("2026-11-24T09:00:00+01:00", "vers "), "le 24/11 vers 09:00");
    }
}
