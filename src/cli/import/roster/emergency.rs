//! Lines that describe an emergency department or a SMUR base.

use chrono::{NaiveDateTime, NaiveTime, Timelike as _};
use chrono_tz::Tz;

use super::columns::{Column, Row};
use super::directory;
use crate::cli::import::finding::Findings;
use crate::cli::import::reading::{self, TEXT_MAX};
use crate::cli::import::{ImportOptions, Reason};
use crate::domain::emergency::{
    Contradiction, DATED_RULES_MAX, DatedAccess, DayHours, EmergencyAccess, EmergencyCapability, HOLIDAY_RULES_MAX,
    HolidayAccess, WEEKLY_RULES_MAX, WeeklyAccess, dated_contradictions, holiday_contradictions, weekly_contradictions,
};
use crate::domain::time::{UtcInstant, Window, first_shown_at};
use crate::proto::routing as pb;

/// The days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WEEKLY_FORM: &str = "write days, hours and access, for instance `mon-fri 08:00-20:00 open`, `daily 20:00-08:00 regulated` or `sun closed`";
const HOLIDAY_FORM: &str = "write hours and access, for instance `08:00-20:00 regulated` or `closed`";
const DATED_FORM: &str =
    "write begin, end and access, for instance `2026-12-24T20:00/2026-12-26T08:00 closed`; the end is the later one";
const CAPABILITY_FORM: &str = "write `adult`, `paediatric`, `obstetric` or `psychiatric`, each once, with `no-` before it for what the site lacks";

/// Reads an emergency site; `None` when something refuses the line.
pub(super) fn read(
    row: &Row,
    kind: pb::EmergencySiteKind,
    options: &ImportOptions,
    findings: &mut Findings,
) -> Option<pb::EmergencySite> {
    let id = super::own_id(row, Column::PlaceId, options, findings);
    row.needed(Column::PlaceName, findings);
    let name = reading::short_text(findings, Column::PlaceName.name(), row.text(Column::PlaceName), TEXT_MAX);
    row.needed(Column::Latitude, findings);
    let position = directory::position(row, findings);
    let address = directory::address(row, findings);
    let time_zone = directory::time_zone(row, findings);
    let structure_id = directory::structure(row, findings);
    let phone = reading::phone(findings, Column::Phone.name(), row.text(Column::Phone));
    let weekly_access = rules(row, Column::WeeklyAccess, (WEEKLY_FORM, WEEKLY_RULES_MAX), findings, weekly);
    refuse_contradictions(Column::WeeklyAccess, &weekly_contradictions(&weekly_access), findings);
    let holiday_access = rules(row, Column::HolidayAccess, (HOLIDAY_FORM, HOLIDAY_RULES_MAX), findings, holiday);
    refuse_contradictions(Column::HolidayAccess, &holiday_contradictions(&holiday_access), findings);
    let zone = zone_of(&time_zone, &address, position);
    let dated = |text: &str| dated(text, zone);
    let dated_access = rules(row, Column::DatedAccess, (DATED_FORM, DATED_RULES_MAX), findings, dated);
    refuse_contradictions(Column::DatedAccess, &dated_contradictions(&dated_access), findings);
    let capabilities = capabilities(row, findings);
    if findings.is_refused() {
        return None;
    }
    Some(pb::EmergencySite {
        emergency_site_id: id?,
        name,
        kind: kind.into(),
        position: Some(position?),
        structure_id,
        department: address.department,
        phone,
        time_zone,
        weekly_access: weekly_access.into_iter().map(weekly_message).collect(),
        holiday_access: holiday_access.into_iter().map(holiday_message).collect(),
        dated_access: dated_access.into_iter().map(dated_message).collect(),
        capabilities,
        ..pb::EmergencySite::default()
    })
}

/// The zone of the site, by which its exceptions are read.
fn zone_of(time_zone: &str, address: &directory::Address, position: Option<pb::GeoPoint>) -> Tz {
    let (time_zone, department) = (time_zone.to_owned(), address.department.clone());
    let place = pb::Place { time_zone, department, position, ..pb::Place::default() };
    reading::zone_of(&place).unwrap_or(Tz::Europe__Paris)
}

/// The rules of a column, each text of which may stand for several.
fn rules<R>(
    row: &Row,
    column: Column,
    (form, max): (&str, usize),
    findings: &mut Findings,
    read: impl Fn(&str) -> Option<Vec<R>>,
) -> Vec<R> {
    let mut rules = Vec::new();
    for text in row.values(column) {
        match read(text) {
            Some(read) => rules.extend(read),
            None => {
                let shown: String = text.chars().take(60).collect();
                findings.refuse(column.name(), Reason::InvalidValue, format!("`{shown}` is no rule: {form}"));
            }
        }
    }
    if rules.len() > max {
        let message = format!("more than {max} rules once each day has its own: write fewer");
        findings.refuse(column.name(), Reason::TooMany, message);
    }
    rules
}

fn refuse_contradictions(column: Column, contradictions: &[Contradiction], findings: &mut Findings) {
    if !contradictions.is_empty() {
        let message = "rules overlap with another access: let one end where the other begins";
        findings.refuse(column.name(), Reason::InvalidValue, message);
    }
}

/// A rule for each of its days: `<days> [<start>-<end>] <access>`.
fn weekly(text: &str) -> Option<Vec<WeeklyAccess>> {
    let (days, rest) = text.trim().split_once(char::is_whitespace)?;
    let (hours, access) = hours_and_access(rest)?;
    let rules = days_of(days)?.map(|weekday| WeeklyAccess::new(weekday, hours.start(), hours.end(), access).ok());
    rules.collect()
}

/// `[<start>-<end>] <access>`.
fn holiday(text: &str) -> Option<Vec<HolidayAccess>> {
    let (hours, access) = hours_and_access(text)?;
    Some(vec![HolidayAccess { hours, access }])
}

/// `<begin>/<end> <access>`, local times.
fn dated(text: &str, zone: Tz) -> Option<Vec<DatedAccess>> {
    let (times, access) = text.trim().rsplit_once(char::is_whitespace)?;
    let (begin, end) = times.split_once('/')?;
    let at = |text: &str| {
        let civil = NaiveDateTime::parse_from_str(&text.trim().replace(' ', "T"), "%Y-%m-%dT%H:%M").ok()?;
        UtcInstant::parse_ms(first_shown_at(zone, civil).ms())
    };
    let window = Window::new(at(begin)?, at(end)?).ok()?;
    Some(vec![DatedAccess { window, access: EmergencyAccess::parse(&access.to_ascii_uppercase())? }])
}

fn hours_and_access(text: &str) -> Option<(DayHours, EmergencyAccess)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (hours, access) = match words.as_slice() {
        [hours, access] => (*hours, *access),
        [access] => ("00:00-24:00", *access),
        _ => return None,
    };
    let access = EmergencyAccess::parse(&access.to_ascii_uppercase())?;
    let (start, end) = hours.split_once('-')?;
    let (start, mut end) = (minute(start)?, minute(end)?);
    if end <= start {
        end += 1_440;
    }
    Some((DayHours::new(start, end).ok()?, access))
}

/// Weekdays of `daily`, `sat` or `mon-fri`, from 1; a range may run over Sunday.
fn days_of(text: &str) -> Option<impl Iterator<Item = u32>> {
    let text = text.to_ascii_lowercase();
    let (first, last) = if text == "daily" { ("mon", "sun") } else { text.split_once('-').unwrap_or((&text, &text)) };
    let place = |day: &str| DAYS.iter().position(|known| *known == day).and_then(|place| u32::try_from(place).ok());
    let (first, last) = (place(first)?, place(last)?);
    let count = (last + 7 - first) % 7 + 1;
    Some((0..count).map(move |day| (first + day) % 7 + 1))
}

fn minute(text: &str) -> Option<u32> {
    if text == "24:00" {
        return Some(1_440);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
    Some(time.hour() * 60 + time.minute())
}

fn capabilities(row: &Row, findings: &mut Findings) -> Vec<pb::CapabilityAnswer> {
    let mut answers: Vec<pb::CapabilityAnswer> = Vec::new();
    for text in row.values(Column::Capabilities) {
        let wanted = text.to_ascii_uppercase();
        let (name, offered) = match wanted.strip_prefix("NO-") {
            Some(name) => (name, pb::Knowledge::No),
            None => (wanted.as_str(), pb::Knowledge::Yes),
        };
        let capability = EmergencyCapability::parse(name).map(capability_to_pb);
        match capability.filter(|known| answers.iter().all(|answer| answer.capability != i32::from(*known))) {
            Some(known) => {
                answers.push(pb::CapabilityAnswer { capability: known.into(), offered: offered.into() });
            }
            None => {
                let shown: String = text.chars().take(60).collect();
                let message = format!("`{shown}`: {CAPABILITY_FORM}");
                findings.refuse(Column::Capabilities.name(), Reason::InvalidValue, message);
            }
        }
    }
    answers
}

const fn capability_to_pb(capability: EmergencyCapability) -> pb::EmergencyCapability {
    match capability {
        EmergencyCapability::Adult => pb::EmergencyCapability::Adult,
        EmergencyCapability::Paediatric => pb::EmergencyCapability::Paediatric,
        EmergencyCapability::Obstetric => pb::EmergencyCapability::Obstetric,
        EmergencyCapability::Psychiatric => pb::EmergencyCapability::Psychiatric,
    }
}

const fn access_to_pb(access: EmergencyAccess) -> pb::EmergencyAccess {
    match access {
        EmergencyAccess::Open => pb::EmergencyAccess::Open,
        EmergencyAccess::Regulated => pb::EmergencyAccess::Regulated,
        EmergencyAccess::Closed => pb::EmergencyAccess::Closed,
    }
}

fn weekly_message(rule: WeeklyAccess) -> pb::WeeklyAccess {
    let (weekday, hours, access) = (rule.weekday(), rule.hours(), access_to_pb(rule.access()).into());
    pb::WeeklyAccess { weekday, start_minute: hours.start(), end_minute: hours.end(), access }
}

fn holiday_message(rule: HolidayAccess) -> pb::HolidayAccess {
    let HolidayAccess { hours, access } = rule;
    pb::HolidayAccess { start_minute: hours.start(), end_minute: hours.end(), access: access_to_pb(access).into() }
}

fn dated_message(rule: DatedAccess) -> pb::DatedAccess {
    let DatedAccess { window, access } = rule;
    let timestamp = |at: UtcInstant| prost_types::Timestamp { seconds: at.ms().div_euclid(1_000), nanos: 0 };
    let window = pb::Window { start_at: Some(timestamp(window.start_at())), end_at: Some(timestamp(window.end_at())) };
    pb::DatedAccess { window: Some(window), access: access_to_pb(access).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_expanded_day_by_day() {
        let parts = |text| {
            let rules = weekly(text)?;
            let parts = |rule: &WeeklyAccess| (rule.weekday(), rule.hours().start(), rule.hours().end());
            Some(rules.iter().map(parts).collect::<Vec<_>>())
        };
        let table = [
            ("sat 08:00-20:00 open", Some(vec![(6, 480, 1_200)])),
            ("sat-mon 20:00-08:00 regulated", Some(vec![(6, 1_200, 1_920), (7, 1_200, 1_920), (1, 1_200, 1_920)])),
            ("daily closed", Some((1..=7).map(|day| (day, 0, 1_440)).collect())),
            ("mon 00:00-24:00 OPEN", Some(vec![(1, 0, 1_440)])),
            ("mon 24:00-08:00 open", None),
            ("mon 8-20 open", None),
            ("lun 08:00-20:00 open", None),
            ("mon 08:00-20:00 ajar", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn exceptions_are_local_times_of_the_site() {
        let parts = |text, zone| {
            let rules = dated(text, zone)?;
            Some((rules[0].window.start_at().to_string(), rules[0].window.end_at().to_string(), rules[0].access))
        };
        let closed = "2026-12-24T20:00/2026-12-26 08:00 closed";
        let (from, until) = ("2026-12-24T19:00:00.000Z".to_owned(), "2026-12-26T07:00:00.000Z".to_owned());
        assert_eq!(parts(closed, Tz::Europe__Paris), Some((from, until, EmergencyAccess::Closed)));
        let (from, until) = ("2026-12-24T16:00:00.000Z".to_owned(), "2026-12-26T04:00:00.000Z".to_owned());
        assert_eq!(parts(closed, Tz::Indian__Reunion), Some((from, until, EmergencyAccess::Closed)));
        for wrong in [
            "2026-12-26T08:00/2026-12-24T20:00 closed",
            "2026-12-24T20:00/2026-12-24T20:00 closed",
            "2026-12-24/2026-12-26 closed",
            "2026-12-24T20:00 closed",
            "closed",
        ] {
            assert_eq!(parts(wrong, Tz::Europe__Paris), None, "{wrong}");
        }
    }
}
