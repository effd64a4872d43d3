//! Reads emergency sites and their weekly access: `fri 20:00 to 08:00 next day REGULATED`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::Fields;
use super::given::parse_zone;
use super::town::Towns;
use crate::domain::emergency::{EmergencyAccess, EmergencySite, EmergencySiteKind, WeeklyAccess};
use crate::domain::id::EmergencySiteId;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_PER_DAY: u32 = 1_440;
const EXPECTED: &str = "write `daily 08:00 to 20:00 OPEN` or `sat-sun 20:00 to 08:00 next day REGULATED`";

/// Reads the emergency sites.
pub(super) fn read_sites(fields: &mut Fields<'_>, towns: &Towns) -> BTreeMap<String, EmergencySite> {
    let mut sites = BTreeMap::new();
    for (name, mut fields) in fields.named("emergency_sites") {
        if let Some(site) = read_site(&mut fields, towns, name) {
            sites.insert(name.to_owned(), site);
        }
        fields.finish();
    }
    sites
}

fn read_site(fields: &mut Fields<'_>, towns: &Towns, name: &str) -> Option<EmergencySite> {
    if !fields.has("at") {
        fields.refuse("at", "is missing: say in which town");
    }
    let position = towns.position(fields, "at");
    let kind =
        fields.parsed("kind", |text| EmergencySiteKind::parse(text).ok_or("give DEPARTMENT, SMUR or PAEDIATRIC"));
    let zone = fields.parsed("zone", parse_zone);
    let weekly = fields.all("access", rules).unwrap_or_default().concat();
    let id = EmergencySiteId::parse(name).map_err(|error| fields.refuse("at", error)).ok()?;
    let (town, position) = position?;
    let department = town.commune.department();
    Some(EmergencySite {
        id,
        name: Arc::from(name),
        kind: kind.unwrap_or(EmergencySiteKind::Department),
        position,
        structure: None,
        department,
        phone: None,
        zone: zone.unwrap_or_else(|| department.zone()),
        weekly,
    })
}

/// The rules of one text, one a day.
fn rules(text: &str) -> Result<Vec<WeeklyAccess>, String> {
    let wrong = || format!("`{text}` is no access: {EXPECTED}");
    let (days, rest) = text.split_once(' ').ok_or_else(wrong)?;
    let (hours, access) = rest.rsplit_once(' ').ok_or_else(wrong)?;
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
    let weekdays = weekdays(days).ok_or_else(wrong)?;
    weekdays.map(|day| WeeklyAccess::new(day, start, end, access).map_err(|error| error.to_string())).collect()
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
        assert_eq!(night.iter().map(WeeklyAccess::parts).collect::<Vec<_>>(), [(6, 1_200, 1_920), (7, 1_200, 1_920)]);
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
