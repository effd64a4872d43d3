//! Lines that describe an emergency department or a SMUR base.

use chrono::{NaiveTime, Timelike as _};

use super::columns::{Column, Row};
use super::directory;
use crate::cli::import::finding::Findings;
use crate::cli::import::reading::{self, TEXT_MAX};
use crate::cli::import::{ImportOptions, Reason};
use crate::domain::emergency::{EmergencyAccess, WeeklyAccess};
use crate::proto::routing as pb;

/// Most weekly rules of a site.
const RULES_MAX: usize = 50;
/// The days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const RULE_FORM: &str = "write days, hours and access, for instance `mon-fri 08:00-20:00 open`, `daily 20:00-08:00 regulated` or `sun closed`";

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
    let weekly_access = weekly_access(row, findings);
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
        weekly_access,
    })
}

fn weekly_access(row: &Row, findings: &mut Findings) -> Vec<pb::WeeklyAccess> {
    let field = Column::WeeklyAccess.name();
    let mut rules = Vec::new();
    for text in row.values(Column::WeeklyAccess) {
        match rule(text) {
            Some(expanded) => rules.extend(expanded),
            None => {
                let shown: String = text.chars().take(60).collect();
                findings.refuse(field, Reason::InvalidValue, format!("`{shown}` is no rule: {RULE_FORM}"));
            }
        }
    }
    if rules.len() > RULES_MAX {
        let message = format!("more than {RULES_MAX} rules once each day has its own: write fewer");
        findings.refuse(field, Reason::TooMany, message);
    }
    rules
}

/// A rule for each of its days: `<days> [<start>-<end>] <access>`.
fn rule(text: &str) -> Option<Vec<pb::WeeklyAccess>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (days, hours, access) = match words.as_slice() {
        [days, hours, access] => (*days, *hours, *access),
        [days, access] => (*days, "00:00-24:00", *access),
        _ => return None,
    };
    let access = EmergencyAccess::parse(&access.to_ascii_uppercase())?;
    let (start, end) = hours.split_once('-')?;
    let (start, mut end) = (minute(start)?, minute(end)?);
    if end <= start {
        end += 1_440;
    }
    let rules = days_of(days)?.map(|weekday| WeeklyAccess::new(weekday, start, end, access).ok().map(message));
    rules.collect()
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

fn message(rule: WeeklyAccess) -> pb::WeeklyAccess {
    let (weekday, start_minute, end_minute) = rule.parts();
    let access = match rule.access() {
        EmergencyAccess::Open => pb::EmergencyAccess::Open,
        EmergencyAccess::Regulated => pb::EmergencyAccess::Regulated,
        EmergencyAccess::Closed => pb::EmergencyAccess::Closed,
    };
    pb::WeeklyAccess { weekday, start_minute, end_minute, access: access.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_expanded_day_by_day() {
        let parts = |text| {
            let rules: Vec<_> = rule(text)?;
            Some(rules.iter().map(|rule| (rule.weekday, rule.start_minute, rule.end_minute)).collect::<Vec<_>>())
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
}
