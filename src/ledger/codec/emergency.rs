//! Emergency sites and their stored form.
//!
//! Invariant: both directions name every field.

use chrono_tz::Tz;

use super::field::{DecodeError, Of, text_of, to_point};
use crate::domain::department::Department;
use crate::domain::emergency::{EmergencyAccess, EmergencySite, EmergencySiteKind, WeeklyAccess};
use crate::domain::id::{EmergencySiteId, StructureId};
use crate::proto::ledger as pb;

/// The stored form of an emergency site.
pub(super) fn to_site(site: &EmergencySite) -> pb::EmergencySite {
    let EmergencySite { id, name, kind, position, structure, department, phone, zone, weekly } = site;
    pb::EmergencySite {
        id: id.to_string(),
        name: name.to_string(),
        kind: kind.code().to_owned(),
        position: Some(to_point(position)),
        structure_id: structure.as_ref().map(StructureId::wire).unwrap_or_default(),
        department: department.code().to_owned(),
        phone: text_of(phone.as_ref()),
        time_zone: zone.name().to_owned(),
        weekly_access: weekly.iter().map(to_weekly).collect(),
    }
}

/// The emergency site of a stored form.
pub(super) fn from_site(message: pb::EmergencySite) -> Result<EmergencySite, DecodeError> {
    let pb::EmergencySite { id, name, kind, position, structure_id, department, phone, time_zone, weekly_access } =
        message;
    let of = Of { kind: "emergency", id: &id };
    let position = position.ok_or_else(|| of.wrong("position", "is missing"))?;
    Ok(EmergencySite {
        id: of.read("id", EmergencySiteId::parse(&id))?,
        name: name.into(),
        kind: of.code("kind", &kind, EmergencySiteKind::parse(&kind))?,
        position: of.point("position", position)?,
        structure: of.structure("structure_id", &structure_id)?,
        department: of.read("department", Department::parse(&department))?,
        phone: of.phone("phone", &phone)?,
        zone: of.read("time_zone", time_zone.parse::<Tz>())?,
        weekly: weekly_access.into_iter().map(|rule| from_weekly(of, rule)).collect::<Result<_, _>>()?,
    })
}

fn to_weekly(rule: &WeeklyAccess) -> pb::WeeklyAccess {
    let (weekday, start_minute, end_minute) = rule.parts();
    pb::WeeklyAccess { weekday, start_minute, end_minute, access: rule.access().code().to_owned() }
}

fn from_weekly(of: Of<'_>, message: pb::WeeklyAccess) -> Result<WeeklyAccess, DecodeError> {
    let pb::WeeklyAccess { weekday, start_minute, end_minute, access } = message;
    let access = of.code("weekly_access.access", &access, EmergencyAccess::parse(&access))?;
    of.read("weekly_access", WeeklyAccess::new(weekday, start_minute, end_minute, access))
}
