//! What the clocks of places show, for an answer that says it many times of one zone.
//!
//! Invariant: what is shown is what the calendar of the zone says, however it was worked out.

use chrono_tz::Tz;

use crate::domain::time::{LocalMinute, MS_PER_MINUTE, UtcInstant};

/// How long before and after now the clocks of the zone of the question are known beforehand, in minutes: two days.
const KNOWN_MINUTES: u32 = 2 * 24 * 60;

/// Now, as the clocks of places show it: an answer says many times of one zone, which is looked up for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    now: UtcInstant,
    zone: Tz,
    today: LocalMinute,
    /// Offset of the zone in minutes, when it is the same before and after now as well.
    offset_minutes: Option<i64>,
}

impl Clocks {
    /// Those at an instant, of which most will be asked for a zone.
    #[must_use]
    pub fn at(now: UtcInstant, zone: Tz) -> Self {
        let offset = |at: UtcInstant| at.to_local_minute(zone).minutes() - at.ms().div_euclid(MS_PER_MINUTE);
        let (first, last) = (now.plus_ms(-i64::from(KNOWN_MINUTES) * MS_PER_MINUTE), now.plus_minutes(KNOWN_MINUTES));
        let steady = offset(now);
        // No zone changes its clocks and takes that back within days.
        let offset_minutes = (offset(first) == steady && offset(last) == steady).then_some(steady);
        Self { now, zone, today: now.to_local_minute(zone), offset_minutes }
    }

    /// What they show there at an instant.
    pub(super) fn show(&self, zone: Tz, at: UtcInstant) -> LocalMinute {
        let known_ms = i64::from(KNOWN_MINUTES) * MS_PER_MINUTE;
        match self.offset_minutes {
            Some(offset) if zone == self.zone && at.ms_since(self.now).abs() <= known_ms => {
                LocalMinute::of_minutes(at.ms().div_euclid(MS_PER_MINUTE) + offset)
            }
            Some(_) | None => at.to_local_minute(zone),
        }
    }

    /// The day there.
    pub(super) fn today(&self, zone: Tz) -> i64 {
        if zone == self.zone { self.today.day } else { self.now.to_local_minute(zone).day }
    }

    /// Now.
    pub(super) const fn now(&self) -> UtcInstant {
        self.now
    }

    /// The minute of the day in the zone that most is asked for.
    #[must_use]
    pub const fn minute(&self) -> u32 {
        self.today.minute
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::department::Department;

    #[test]
    fn clocks_show_what_the_calendar_does_around_every_change() {
        let first = UtcInstant::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let zones: BTreeSet<&str> = Department::ALL.iter().map(|department| department.zone().name()).collect();
        for zone in zones.into_iter().map(|name| name.parse::<Tz>().unwrap()) {
            for hour in 0..366 * 24 {
                let now = first.plus_minutes(hour * 60);
                let clocks = Clocks::at(now, zone);
                for away in [-49, -48, -47, -5, 0, 1, 24, 47, 48, 49] {
                    let at = now.plus_ms(away * 60 * MS_PER_MINUTE);
                    assert_eq!(clocks.show(zone, at), at.to_local_minute(zone), "{zone} {at}");
                }
            }
        }
    }
}
