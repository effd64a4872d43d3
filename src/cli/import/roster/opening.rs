//! When a line opens and what it offers.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::columns::{Column, Row};
use super::directory;
use crate::cli::import::Reason;
use crate::cli::import::finding::Findings;
use crate::cli::import::reading::{self, TEXT_MAX, WINDOW_MAX_MS};
use crate::domain::code::{AppointmentType, Modality, UnknownCode, Visibility};
use crate::domain::time::{CivilInstant, MS_PER_HOUR, MS_PER_MINUTE, UtcInstant, Window, from_civil};
use crate::proto::routing as pb;

/// Shortest slot that an opening is cut into, in minutes.
const SLOT_MIN_MINUTES: u32 = 5;
/// Longest, in minutes.
const SLOT_MAX_MINUTES: u32 = 1_440;
/// Longest opening that may run past midnight, in hours: a night duty; what is longer is more likely a slip.
const NIGHT_MAX_HOURS: i64 = 14;
/// Longest slot with appointment that raises no doubt, in milliseconds.
const LONG_ROUTINE_MS: i64 = 4 * MS_PER_HOUR;
/// Most patients of a slot.
const CAPACITY_MAX: u32 = 500;
/// Most motives of a line.
const MOTIVES_MAX: usize = 10;

/// Doubts a long slot with appointment: it is offered until its start, which is seldom what its hours mean.
pub(super) fn doubt_long_routine(offer: &pb::SlotInput, windows: &[Window], findings: &mut Findings) {
    let is_long = |window: &Window| window.length_ms() > LONG_ROUTINE_MS;
    if offer.appointment_type == AppointmentType::Routine.code() && windows.iter().any(is_long) {
        let message = "a slot with appointment is offered before it starts only: cut it by `slot_minutes`, or write `WALKIN` \
                       when patients may come at any time of it";
        findings.warn(Column::AppointmentType.name(), Reason::OfferedBeforeStart, message);
    }
}

/// What the slots of a line have in common; schedule, window, territories and identifier are set by the caller.
pub(super) fn offer(row: &Row, findings: &mut Findings) -> Option<pb::SlotInput> {
    let modalities = codes(row, Column::Modalities, findings, |text| Modality::parse(text).map(Modality::code));
    let visibilities = codes(row, Column::Visibilities, findings, |text| Visibility::parse(text).map(Visibility::code));
    let appointment_type = match row.text(Column::AppointmentType) {
        "" => Some(AppointmentType::Routine),
        text => reading::code(findings, Column::AppointmentType.name(), AppointmentType::parse(text)),
    };
    let capacity = row.number(Column::Capacity, 1, CAPACITY_MAX, findings);
    let specialties = directory::specialties(row, findings);
    let motives = motives(row, findings);
    let booking_url = reading::booking_url(findings, Column::BookingUrl.name(), row.text(Column::BookingUrl));
    Some(pb::SlotInput {
        modalities: modalities?,
        visibilities: visibilities?,
        appointment_type: appointment_type?.code().to_owned(),
        capacity: Some(capacity.unwrap_or(1)),
        specialties,
        motives,
        booking_url,
        ..pb::SlotInput::default()
    })
}

/// The codes of a column that needs at least one, in order of first mention.
fn codes(
    row: &Row,
    column: Column,
    findings: &mut Findings,
    parse: impl Fn(&str) -> Result<&'static str, UnknownCode>,
) -> Option<Vec<String>> {
    row.needed(column, findings)?;
    let mut codes: Vec<String> = Vec::new();
    for text in row.values(column) {
        let code = reading::code(findings, column.name(), parse(text))?.to_owned();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    if codes.is_empty() {
        findings.refuse(column.name(), Reason::MissingValue, "no code between the `|`: give a value");
        return None;
    }
    Some(codes)
}

fn motives(row: &Row, findings: &mut Findings) -> Vec<String> {
    let field = Column::Motives.name();
    let mut motives = Vec::new();
    for text in row.values(Column::Motives) {
        let motive = reading::short_text(findings, field, text, TEXT_MAX);
        if motives.len() == MOTIVES_MAX {
            findings.warn(field, Reason::TooMany, format!("more than {MOTIVES_MAX} motives; the rest is left out"));
            break;
        }
        motives.push(motive);
    }
    motives
}

/// The windows of a line's slots; refuses the line when its times make none.
pub(super) fn windows(row: &Row, zone: Tz, findings: &mut Findings) -> Option<Vec<Window>> {
    let date = date(row, findings);
    let start = time(row, Column::Start, findings);
    let end = time(row, Column::End, findings);
    let slot_minutes = row.number(Column::SlotMinutes, SLOT_MIN_MINUTES, SLOT_MAX_MINUTES, findings);
    let (date, start, end) = (date?, start?, end?);
    let start = match start {
        LocalTime::At(start) => start,
        LocalTime::EndOfDay => {
            findings.refuse(Column::Start.name(), Reason::InvalidValue, "write 00:00 of the day after");
            return None;
        }
    };
    let end = match end {
        LocalTime::At(end) if end > start => date.and_time(end),
        LocalTime::At(end) => {
            if !is_night(start, end, findings) {
                return None;
            }
            date.succ_opt()?.and_time(end)
        }
        LocalTime::EndOfDay => date.succ_opt()?.and_time(NaiveTime::MIN),
    };
    let start_at = instant(zone, date.and_time(start), Column::Start, findings)?;
    let end_at = instant(zone, end, Column::End, findings)?;
    let opening = Window::new(start_at, end_at)
        .inspect_err(|error| findings.refuse(Column::End.name(), Reason::InvalidValue, error))
        .ok()?;
    match slot_minutes {
        Some(minutes) => cut(opening, minutes, findings),
        None if !row.text(Column::SlotMinutes).is_empty() => None,
        None => whole(opening, findings),
    }
}

/// Whether an end that is not after its start can be meant for the next morning; refuses what looks like a slip.
fn is_night(start: NaiveTime, end: NaiveTime, findings: &mut Findings) -> bool {
    let field = Column::End.name();
    if start == end {
        findings.refuse(field, Reason::InvalidValue, "the opening is empty: for a whole day write 00:00 to 24:00");
        return false;
    }
    if 24 * 60 + (end - start).num_minutes() > NIGHT_MAX_HOURS * 60 {
        let message = format!(
            "the end is before the start: an opening past midnight is at most {NIGHT_MAX_HOURS} hours long, split it if \
             this one is meant"
        );
        findings.refuse(field, Reason::InvalidValue, message);
        return false;
    }
    true
}

fn whole(opening: Window, findings: &mut Findings) -> Option<Vec<Window>> {
    if opening.length_ms() > WINDOW_MAX_MS {
        let message = "longer than 24 hours, because the clocks change: cut it by `slot_minutes`";
        findings.refuse(Column::End.name(), Reason::TooLong, message);
        return None;
    }
    Some(vec![opening])
}

/// Cuts by elapsed minutes, so that a change of the clocks neither loses nor doubles a slot.
fn cut(opening: Window, minutes: u32, findings: &mut Findings) -> Option<Vec<Window>> {
    let field = Column::SlotMinutes.name();
    let mut windows = Vec::new();
    let mut start_at = opening.start_at();
    while start_at.plus_minutes(minutes) <= opening.end_at() {
        let end_at = start_at.plus_minutes(minutes);
        windows.push(Window::new(start_at, end_at).ok()?);
        start_at = end_at;
    }
    if windows.is_empty() {
        findings.refuse(
            field,
            Reason::InvalidValue,
            format!("the opening is shorter than one slot of {minutes} minutes"),
        );
        return None;
    }
    let rest = opening.end_at().ms_since(start_at) / MS_PER_MINUTE;
    if rest > 0 {
        let message = format!("the last {rest} minutes are shorter than a slot of {minutes} and are not offered");
        findings.warn(field, Reason::Remainder, message);
    }
    Some(windows)
}

fn date(row: &Row, findings: &mut Findings) -> Option<NaiveDate> {
    let text = row.needed(Column::Date, findings)?;
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    if date.is_none() {
        findings.refuse(
            Column::Date.name(),
            Reason::InvalidValue,
            "no day: write year-month-day, for instance 2026-01-05",
        );
    }
    date
}

/// A local time of day, or the midnight that ends it.
enum LocalTime {
    At(NaiveTime),
    EndOfDay,
}

fn time(row: &Row, column: Column, findings: &mut Findings) -> Option<LocalTime> {
    let text = row.needed(column, findings)?;
    if text == "24:00" {
        return Some(LocalTime::EndOfDay);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok();
    if time.is_none() {
        findings.refuse(column.name(), Reason::InvalidValue, "no time of day: write hours:minutes, for instance 08:30");
    }
    time.map(LocalTime::At)
}

/// The instant of a local time, with a warning when the clocks change over it.
fn instant(zone: Tz, civil: NaiveDateTime, column: Column, findings: &mut Findings) -> Option<UtcInstant> {
    let named = from_civil(zone, civil);
    let at = UtcInstant::parse_ms(named.chosen().ms());
    if at.is_none() {
        findings.refuse(Column::Date.name(), Reason::InvalidValue, "give a day of the years 2000 to 2199");
        return None;
    }
    let taken = named.chosen().to_local(zone).format("%H:%M %Z");
    match named {
        CivilInstant::Exact(_) => {}
        CivilInstant::Gap(_) => {
            let message = format!("{civil} does not exist, the clocks jump over it; {taken} is taken");
            findings.warn(column.name(), Reason::ClockGap, message);
        }
        CivilInstant::Overlap(_, _) => {
            let message = format!("{civil} exists twice, the clocks go back over it; the first, {taken}, is taken");
            findings.warn(column.name(), Reason::ClockOverlap, message);
        }
    }
    at
}
