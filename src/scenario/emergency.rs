//! Reads emergency sites: `fri 20:00 to 08:00 next day REGULATED`, holidays, exceptions, whom they take, saturation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::Fields;
use super::given::parse_zone;
use super::local_time::LocalTime;
use super::town::Towns;
use super::words::capability;
use crate::domain::emergency::{
    AccessRules, Capabilities, Contradiction, DatedAccess, DayHours, EmergencyAccess, EmergencySite, EmergencySiteKind,
    HolidayAccess, MINUTES_PER_DAY, WeeklyAccess, dated_contradictions, holiday_contradictions, weekly_contradictions,
};
use crate::domain::id::EmergencySiteId;
use crate::domain::time::{UtcInstant, Window};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EXPECTED: &str = "write `daily 08:00 to 20:00 OPEN` or `sat-sun 20:00 to 08:00 next day REGULATED`";

/// Reads the emergency sites as they stand at an instant.
pub(super) fn read_sites(fields: &mut Fields<'_>, towns: &Towns, now: UtcInstant) -> BTreeMap<String, EmergencySite> {
    let mut sites = BTreeMap::new();
    for (name, mut fields) in fields.named("emergency_sites") {
        if let Some(site) = read_site(&mut fields, towns, name, now) {
            sites.insert(name.to_owned(), site);
        }
        fields.finish();
    }
    sites
}

fn read_site(fields: &mut Fields<'_>, towns: &Towns, name: &str, now: UtcInstant) -> Option<EmergencySite> {
    if !fields.has("at") {
        fields.refuse("at", "is missing: say in which town");
    }
    let position = towns.position(fields, "at");
    let kind =
        fields.parsed("kind", |text| EmergencySiteKind::parse(text).ok_or("give DEPARTMENT, SMUR or PAEDIATRIC"));
    let zone = fields.parsed("zone", parse_zone);
    let id = EmergencySiteId::parse(name).map_err(|error| fields.refuse("at", error)).ok()?;
    let department = position.as_ref().map(|(town, _)| town.commune.department());
    let zone = zone.or(department.map(|department| department.zone())).unwrap_or(chrono_tz::Europe::Paris);
    let local = LocalTime::at(zone, now);
    let rules = read_rules(fields, &local);
    let takes = fields.all("takes", capability).unwrap_or_default();
    let lacks = fields.all("lacks", capability).unwrap_or_default();
    let capabilities = takes.iter().fold(Capabilities::UNKNOWN, |known, capability| known.with(*capability, true));
    let until = |text: &str| Window::new(now, local.parse(text)?).map_err(|error| error.to_string());
    let saturation = fields.parsed("saturated_until", until);
    let (_, position) = position?;
    Some(EmergencySite {
        id,
        name: Arc::from(name),
        kind: kind.unwrap_or(EmergencySiteKind::Department),
        position,
        structure: None,
        department: department?,
        phone: None,
        zone,
        rules,
        capabilities: lacks.iter().fold(capabilities, |known, capability| known.with(*capability, false)),
        saturation,
    })
}

/// The rules of access; those that contradict each other are refused, as they are by the interface.
fn read_rules(fields: &mut Fields<'_>, local: &LocalTime) -> AccessRules {
    let weekly = fields.all("access", rules).unwrap_or_default().concat();
    let holidays = fields.all("holiday_access", holiday_rule).unwrap_or_default();
    let dated = fields.all("exceptions", |text| dated_rule(text, local)).unwrap_or_default();
    let refuse = |key: &str, contradictions: &[Contradiction]| {
        if !contradictions.is_empty() {
            fields.refuse(key, "rules overlap with another access: let one end where the other begins");
        }
    };
    refuse("access", &weekly_contradictions(&weekly));
    refuse("holiday_access", &holiday_contradictions(&holidays));
    refuse("exceptions", &dated_contradictions(&dated));
    AccessRules { weekly, holidays, dated }
}

/// `2026-12-24 20:00 to 2026-12-26 08:00 CLOSED`.
fn dated_rule(text: &str, local: &LocalTime) -> Result<DatedAccess, String> {
    let wrong = || format!("`{text}` is no exception: write `2026-12-24 20:00 to 2026-12-26 08:00 CLOSED`");
    let (window, access) = text.rsplit_once(' ').ok_or_else(wrong)?;
    let access = EmergencyAccess::parse(access).ok_or_else(wrong)?;
    Ok(DatedAccess { window: local.window(window)?, access })
}

/// `08:00 to 20:00 REGULATED`.
fn holiday_rule(text: &str) -> Result<HolidayAccess, String> {
    let (hours, access) = hours_and_access(text, text)?;
    Ok(HolidayAccess { hours, access })
}

/// The rules of one text, one a day.
fn rules(text: &str) -> Result<Vec<WeeklyAccess>, String> {
    let wrong = || format!("`{text}` is no access: {EXPECTED}");
    let (days, rest) = text.split_once(' ').ok_or_else(wrong)?;
    let (hours, access) = hours_and_access(rest, text)?;
    let weekdays = weekdays(days).ok_or_else(wrong)?;
    let rule = |day| WeeklyAccess::new(day, hours.start(), hours.end(), access).map_err(|error| error.to_string());
    weekdays.map(rule).collect()
}

/// `20:00 to 08:00 next day REGULATED`, a part of a whole text.
fn hours_and_access(part: &str, text: &str) -> Result<(DayHours, EmergencyAccess), String> {
    let wrong = || format!("`{text}` is no access: {EXPECTED}");
    let (hours, access) = part.rsplit_once(' ').ok_or_else(wrong)?;
    let access = EmergencyAccess::parse(access).ok_or_else(wrong)?;
    let (start, end) = hours.split_once(" to ").ok_or_else(wrong)?;
    let (end, days_later) = match end.strip_suffix(" next day") {
        Some(end) => (end, 1),
        None => (end, 0),
    };
    let start = minute(start).ok_or_else(wrong)?;
    let end = minute(end).ok_or_else(wrong)? + days_later * MINUTES_PER_DAY;
    if end <= start {
        return Err(format!("`{text}`: the window ends before it starts; a night ends `next day`"));
    }
    Ok((DayHours::new(start, end).map_err(|error| error.to_string())?, access))
}

fn weekdays(text: &str) -> Option<std::ops::RangeInclusive<u32>> {
    let number = |day: &str| DAYS.iter().position(|known| *known == day).and_then(|at| u32::try_from(at + 1).ok());
    if text == "daily" {
        return Some(1..=7);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let days = number(first)?..=number(last)?;
    (!days.is_empty()).then_some(days)
}

/// The minute of a day of `20:00`; `24:00` is its end.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let at = hour * 60 + minute;
    (minute < 60 && at <= MINUTES_PER_DAY).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_is_read_by_days_and_hours() {
        let night = rules("sat-sun 20:00 to 08:00 next day REGULATED").unwrap();
        let parts = |rule: &WeeklyAccess| (rule.weekday(), rule.hours().start(), rule.hours().end());
        assert_eq!(night.iter().map(parts).collect::<Vec<_>>(), [(6, 1_200, 1_920), (7, 1_200, 1_920)]);
        assert_eq!(rules("daily 00:00 to 24:00 CLOSED").unwrap().len(), 7);
        assert_eq!(rules("wed 08:00 to 20:00 OPEN").unwrap()[0].access(), EmergencyAccess::Open);
    }

    #[test]
    fn impossible_access_is_refused() {
        for text in ["daily", "daily 08:00 OPEN", "sun-mon 08:00 to 20:00 OPEN", "daily 20:00 to 08:00 OPEN"] {
            assert!(rules(text).is_err(), "{text}");
        }
        assert!(rules("daily 08:00 to 08:00 OPEN").unwrap_err().contains("ends before it starts"));
        assert!(rules("daily 08:00 to 20:00 AJAR").is_err());
    }
}
