//! Reads a roster, a CSV file of openings, into a plan.
//!
//! Invariant: a line is taken whole or not at all, and no line affects another.
//! Deliberately absent: other layouts; a spreadsheet is brought to these columns first.
#![doc = include_str!("ROSTER.md")]

mod columns;
mod line;
mod directory;
mod opening;
mod emergency;

use super::finding::{Findings, Origin};
use super::plan::{PlanBuilder, ReadResult, SlotDraft, SlotNaming};
use super::reading;
use super::{ImportError, ImportOptions, Reason, identity, without_mark};
use crate::domain::id::{PlaceId, ScheduleId};
use crate::proto::routing as pb;
use columns::{Column, Header, Row};

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RowKind {
    Opening,
    EmergencySite(pb::EmergencySiteKind),
}

/// Reads a roster into a plan.
///
/// # Errors
/// [`ImportError`] when the header cannot be read or the file is too large; faults of single lines are in the plan's reports.
pub fn parse_roster(bytes: &[u8], options: &ImportOptions) -> ReadResult {
    let mut lines = line::lines(without_mark(bytes)?);
    let (header_line, header_bytes) = lines.next().ok_or(ImportError::NoHeader)?;
    let header = Header::parse(header_bytes)?;
    let mut builder = PlanBuilder::new();
    let mut header_findings = Findings::at(Origin::Line(header_line));
    for (name, nearest) in header.unknown() {
        let message = format!("the column `{name}` is not known and ignored; nearest known: {nearest}");
        header_findings.warn(name, Reason::UnknownColumn, message);
    }
    builder.report(header_findings.into_faults());
    for (number, bytes) in lines {
        let findings = Findings::at(Origin::Line(number));
        read_line(&header, bytes, options, &mut builder, findings);
    }
    Ok(builder.finish(options))
}

fn read_line(
    header: &Header,
    bytes: &[u8],
    options: &ImportOptions,
    builder: &mut PlanBuilder,
    mut findings: Findings,
) {
    let given = header.row(bytes, &mut findings).and_then(|row| {
        let given = match kind_of(&row, &mut findings)? {
            RowKind::Opening => read_opening(&row, options, builder, &mut findings)?,
            RowKind::EmergencySite(kind) => {
                let site = emergency::read(&row, kind, options, &mut findings)?;
                builder.state_emergency_site(&mut findings, site);
                "1 emergency site".to_owned()
            }
        };
        Some(given)
    });
    builder.report(findings.into_reports(given.unwrap_or_default()));
}

fn kind_of(row: &Row, findings: &mut Findings) -> Option<RowKind> {
    match row.text(Column::Kind) {
        "" | "opening" => Some(RowKind::Opening),
        "emergency_department" => Some(RowKind::EmergencySite(pb::EmergencySiteKind::Department)),
        "smur" => Some(RowKind::EmergencySite(pb::EmergencySiteKind::Smur)),
        "paediatric_emergency" => Some(RowKind::EmergencySite(pb::EmergencySiteKind::Paediatric)),
        unknown => {
            let shown: String = unknown.chars().take(40).collect();
            let known = "opening, emergency_department, smur or paediatric_emergency";
            findings.refuse(Column::Kind.name(), Reason::UnknownCode, format!("unknown kind `{shown}`: write {known}"));
            None
        }
    }
}

/// Reads an opening and, when nothing refuses it, states it; what it gives, in words.
fn read_opening(
    row: &Row,
    options: &ImportOptions,
    builder: &mut PlanBuilder,
    findings: &mut Findings,
) -> Option<String> {
    let place = directory::place(row, options, findings);
    let practitioner = directory::practitioner(row, findings);
    let territories = directory::territories(row, findings);
    let zone = place.as_ref().and_then(|place| {
        reading::zone_of(place).or_else(|| builder.place(&place.place_id).and_then(reading::zone_of))
    });
    let zone = zone.unwrap_or_else(|| {
        if !findings.is_refused() {
            let message = "nothing tells the time zone: Europe/Paris is taken";
            findings.warn(Column::CommuneCode.name(), Reason::AssumedZone, message);
        }
        chrono_tz::Europe::Paris
    });
    let windows = opening::windows(row, zone, findings);
    let offer = opening::offer(row, findings);
    let schedule = directory::schedule(row, options, place.as_ref(), practitioner.as_ref(), findings);
    if let Some(schedule) = &schedule {
        builder.check_schedule(findings, schedule);
    }
    // Everything was read before the first return, so that all faults of a line are named at once.
    let (mut place, windows, offer, schedule) = (place?, windows?, offer?, schedule?);
    if findings.is_refused() {
        return None;
    }
    opening::doubt_long_routine(&offer, &windows, findings);
    place.time_zone = zone.name().to_owned();
    let territory_ids: Vec<String> = territories.iter().map(|territory| territory.territory_id.clone()).collect();
    for territory in territories {
        builder.state_territory(findings, territory);
    }
    let origin = findings.origin().clone();
    builder.state_place(findings, &origin, place);
    if let Some(practitioner) = practitioner {
        builder.state_practitioner(findings, &origin, practitioner);
    }
    let input = pb::SlotInput { schedule_id: schedule.schedule_id.clone(), territory_ids, ..offer };
    builder.state_schedule(findings, schedule);
    let mut count = 0_usize;
    for window in windows {
        let draft = SlotDraft { input: input.clone(), window, zone, naming: SlotNaming::Derived };
        count += usize::from(builder.state_slot(findings, draft));
    }
    Some(format!("{count} slots"))
}

/// The identifier of a place or emergency site, with the source's prefix; refuses the line when it is blank or cannot be read.
fn own_id(row: &Row, column: Column, options: &ImportOptions, findings: &mut Findings) -> Option<String> {
    let text = identity::fitted(row.text(column));
    let id = if column == Column::ScheduleId {
        ScheduleId::parse(&text).map(|id| id.to_string())
    } else {
        PlaceId::parse(&text).map(|id| id.to_string())
    };
    match id {
        Ok(id) => Some(identity::prefixed(options.id_prefix.as_deref(), &id)),
        Err(error) => {
            let reason = if row.text(column).is_empty() { Reason::MissingValue } else { Reason::InvalidValue };
            findings.refuse(column.name(), reason, error);
            None
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
