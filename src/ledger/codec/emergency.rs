//! Emergency sites and their stored form.
//!
//! Invariant: both directions name every field.

use chrono_tz::Tz;

use super::field::{DecodeError, Of, text_of, to_point};
use crate::domain::department::Department;
use crate::domain::emergency::{
    AccessRules, Capabilities, DatedAccess, DayHours, EmergencyAccess, EmergencyCapability, EmergencySite,
    EmergencySiteKind, HolidayAccess, WeeklyAccess,
};
use crate::domain::id::{EmergencySiteId, StructureId};
use crate::domain::time::{UtcInstant, Window};
use crate::proto::ledger as pb;

/// The stored form of an emergency site.
pub(super) fn to_site(site: &EmergencySite) -> pb::EmergencySite {
    let EmergencySite { id, name, kind, position, structure, department, phone, zone, rules, capabilities, saturation } =
        site;
    let AccessRules { weekly, holidays, dated } = rules;
    let to_saturation =
        |window: Window| pb::Saturation { start_at_ms: window.start_at().ms(), end_at_ms: window.end_at().ms() };
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
        holiday_access: holidays.iter().map(to_holiday).collect(),
        dated_access: dated.iter().map(to_dated).collect(),
        capabilities: capabilities.iter().map(to_capability).collect(),
        saturation: saturation.map(to_saturation),
    }
}

/// The emergency site of a stored form.
pub(super) fn from_site(message: pb::EmergencySite) -> Result<EmergencySite, DecodeError> {
    let pb::EmergencySite {
        id,
        name,
        kind,
        position,
        structure_id,
        department,
        phone,
        time_zone,
        weekly_access,
        holiday_access,
        dated_access,
        capabilities,
        saturation,
    } = message;
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
        rules: AccessRules {
            weekly: weekly_access.into_iter().map(|rule| from_weekly(of, rule)).collect::<Result<_, _>>()?,
            holidays: holiday_access.into_iter().map(|rule| from_holiday(of, rule)).collect::<Result<_, _>>()?,
            dated: dated_access.into_iter().map(|rule| from_dated(of, rule)).collect::<Result<_, _>>()?,
        },
        capabilities: from_capabilities(of, capabilities)?,
        saturation: saturation
            .map(|pb::Saturation { start_at_ms, end_at_ms }| of.read("saturation", window(start_at_ms, end_at_ms)))
            .transpose()?,
    })
}

fn window(start_at_ms: i64, end_at_ms: i64) -> Result<Window, crate::domain::time::WindowError> {
    Window::new(UtcInstant::from_ms(start_at_ms), UtcInstant::from_ms(end_at_ms))
}

fn to_weekly(rule: &WeeklyAccess) -> pb::WeeklyAccess {
    pb::WeeklyAccess {
        weekday: rule.weekday(),
        start_minute: rule.hours().start(),
        end_minute: rule.hours().end(),
        access: rule.access().code().to_owned(),
    }
}

fn from_weekly(of: Of<'_>, message: pb::WeeklyAccess) -> Result<WeeklyAccess, DecodeError> {
    let pb::WeeklyAccess { weekday, start_minute, end_minute, access } = message;
    let access = of.code("weekly_access.access", &access, EmergencyAccess::parse(&access))?;
    of.read("weekly_access", WeeklyAccess::new(weekday, start_minute, end_minute, access))
}

fn to_holiday(rule: &HolidayAccess) -> pb::HolidayAccess {
    let HolidayAccess { hours, access } = rule;
    pb::HolidayAccess { start_minute: hours.start(), end_minute: hours.end(), access: access.code().to_owned() }
}

fn from_holiday(of: Of<'_>, message: pb::HolidayAccess) -> Result<HolidayAccess, DecodeError> {
    let pb::HolidayAccess { start_minute, end_minute, access } = message;
    let access = of.code("holiday_access.access", &access, EmergencyAccess::parse(&access))?;
    Ok(HolidayAccess { hours: of.read("holiday_access", DayHours::new(start_minute, end_minute))?, access })
}

fn to_dated(rule: &DatedAccess) -> pb::DatedAccess {
    let DatedAccess { window, access } = rule;
    pb::DatedAccess {
        start_at_ms: window.start_at().ms(),
        end_at_ms: window.end_at().ms(),
        access: access.code().to_owned(),
    }
}

fn from_dated(of: Of<'_>, message: pb::DatedAccess) -> Result<DatedAccess, DecodeError> {
    let pb::DatedAccess { start_at_ms, end_at_ms, access } = message;
    let access = of.code("dated_access.access", &access, EmergencyAccess::parse(&access))?;
    Ok(DatedAccess { window: of.read("dated_access", window(start_at_ms, end_at_ms))?, access })
}

fn to_capability((capability, offered): (EmergencyCapability, bool)) -> pb::CapabilityAnswer {
    pb::CapabilityAnswer { capability: capability.code().to_owned(), offered }
}

fn from_capabilities(of: Of<'_>, messages: Vec<pb::CapabilityAnswer>) -> Result<Capabilities, DecodeError> {
    messages.into_iter().try_fold(Capabilities::UNKNOWN, |known, message| {
        let pb::CapabilityAnswer { capability, offered } = message;
        let capability = of.code("capabilities", &capability, EmergencyCapability::parse(&capability))?;
        Ok(known.with(capability, offered))
    })
}
