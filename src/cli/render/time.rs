//! Times, durations and distances as a French regulator reads them.

use chrono_tz::Tz;

use crate::domain::department::Department;
use crate::domain::time::{UtcInstant, civil_date};
use crate::proto::routing as pb;

/// Short names of the days, Monday first.
const DAYS: [&str; 7] = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];

/// The instant of a timestamp, when there is one.
#[must_use]
pub fn instant(timestamp: Option<&prost_types::Timestamp>) -> Option<UtcInstant> {
    let timestamp = timestamp?;
    let ms = timestamp.seconds.checked_mul(1_000)?.checked_add(i64::from(timestamp.nanos) / 1_000_000)?;
    UtcInstant::parse_ms(ms)
}

/// The zone of an IANA name; Paris when it is none.
#[must_use]
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::Europe__Paris)
}

/// The zone in which a whole answer is read: of its first option, else of the department whose radius was used, else Paris.
#[must_use]
pub fn zone_of_answer(answer: &pb::FindCareResponse) -> Tz {
    let options = answer.options.iter().chain(answer.near_misses.iter().filter_map(|miss| miss.option.as_ref()));
    let of_option = options.map(|option| option.time_zone.as_str()).find(|name| !name.is_empty());
    let of_department = || {
        let code = &answer.radius.as_ref()?.department;
        Department::parse(code).ok().map(Department::zone)
    };
    of_option.map(zone).or_else(of_department).unwrap_or(Tz::Europe__Paris)
}

/// The local time of an instant, with the day when it is not today's, and the offset when it is not Paris' own.
#[must_use]
pub fn local(at: Option<UtcInstant>, zone: Tz, today: Option<UtcInstant>) -> String {
    use chrono::{Datelike as _, Offset as _, Timelike as _};
    let Some(at) = at else { return "?".to_owned() };
    let local = at.to_local(zone);
    let time = format!("{:02}:{:02}", local.hour(), local.minute());
    let is_today = today.is_some_and(|today| civil_date(zone, today) == civil_date(zone, at));
    let day = DAYS.get(local.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
    let day = if is_today { String::new() } else { format!("{day} {:02}/{:02} ", local.day(), local.month()) };
    let is_paris = at.to_local(Tz::Europe__Paris).offset().fix() == local.offset().fix();
    let offset = if is_paris { String::new() } else { format!(" {}", offset(local.offset().fix().local_minus_utc())) };
    format!("{day}{time}{offset}")
}

/// The local times of a window: `14:00-14:20`.
#[must_use]
pub fn local_window(window: Option<&pb::Window>, zone: Tz, today: Option<UtcInstant>) -> String {
    let Some(window) = window else { return "?".to_owned() };
    let start_at = instant(window.start_at.as_ref());
    let end_at = instant(window.end_at.as_ref());
    let start = local(start_at, zone, today);
    let end = local(end_at, zone, start_at);
    // The offset is said once, at the end.
    let start = start.split(" UTC").next().unwrap_or_default().to_owned();
    format!("{start}-{end}")
}

/// An offset from UTC: `UTC+4`, `UTC-9:30`.
fn offset(seconds: i32) -> String {
    let minutes = seconds.unsigned_abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    let rest = if minutes.is_multiple_of(60) { String::new() } else { format!(":{:02}", minutes % 60) };
    format!("UTC{sign}{}{rest}", minutes / 60)
}

/// Minutes, in hours from two on: `35 min`, `2 h 05`.
#[must_use]
pub fn minutes(minutes: u32) -> String {
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h {:02}", minutes / 60, minutes % 60) }
}

/// Metres, in kilometres from one on: `850 m`, `3,4 km`, `48 km`.
#[must_use]
pub fn metres(metres: u32) -> String {
    match metres {
        0..1_000 => format!("{metres} m"),
        1_000..10_000 => format!("{},{} km", metres / 1_000, metres % 1_000 / 100),
        _ => format!("{} km", metres / 1_000),
    }
}

/// An age of data in seconds: `42 s`, `12 min`, `3 h 20`.
#[must_use]
pub fn age(seconds: u32) -> String {
    if seconds < 120 { format!("{seconds} s") } else { minutes(seconds / 60) }
}
