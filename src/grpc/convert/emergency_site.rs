//! Emergency sites.

use std::sync::Arc;

use super::access::{
    access_to_proto, dated_from_proto, dated_to_proto, holiday_to_proto, holidays_from_proto, weekly_from_proto,
    weekly_to_proto,
};
use super::common::{
    NAME_MAX_CHARACTERS, department_from_proto, instant_from_proto, instant_to_proto, phone_from_proto, phone_to_proto,
    position_from_proto, position_to_proto, window_to_proto, zone_from_proto,
};
use super::place::structure_from_proto;
use crate::domain::department::Department;
use crate::domain::emergency::{
    AccessRules, Capabilities, DayHours, EmergencyCapability, EmergencySite, EmergencySiteKind, MINUTES_PER_DAY,
};
use crate::domain::id::{EmergencySiteId, StructureId};
use crate::domain::time::UtcInstant;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::SaturationEnd;

/// Reads an emergency site; derives its department from the position and its zone from the department.
pub(in crate::grpc) fn emergency_site_from_proto(
    message: Option<pb::EmergencySite>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<EmergencySite> {
    let Some(message) = message else {
        findings.refuse(path, "missing: give the emergency site");
        return None;
    };
    let pb::EmergencySite {
        emergency_site_id,
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
        saturation: _,
        access: _,
        access_changes_at: _,
    } = message;
    let id = findings.take(path.field("emergency_site_id"), EmergencySiteId::parse(&emergency_site_id));
    let name = findings.text(path.field("name"), &name, 1, NAME_MAX_CHARACTERS);
    let kind = kind_from_proto(kind, path.field("kind"), findings);
    if position.is_none() {
        findings.refuse(path.field("position"), "missing: give the position of the site");
    }
    let position = position.and_then(|position| position_from_proto(position, path.field("position"), findings));
    let structure = structure_from_proto(&structure_id, path.field("structure_id"), findings);
    let department = department_from_proto(&department, path.field("department"), findings);
    let phone = phone_from_proto(&phone, path.field("phone"), findings);
    let zone = zone_from_proto(&time_zone, path.field("time_zone"), findings);
    let rules = AccessRules {
        weekly: weekly_from_proto(&weekly_access, path.field("weekly_access"), findings),
        holidays: holidays_from_proto(&holiday_access, path.field("holiday_access"), findings),
        dated: dated_from_proto(&dated_access, path.field("dated_access"), findings),
    };
    warn_of_closed_nights(&rules, path.field("holiday_access"), findings);
    let capabilities = capabilities_from_proto(&capabilities, kind, path.field("capabilities"), findings);
    let position = position?;
    let department = department.unwrap_or_else(|| Department::nearest_to(position.latitude(), position.longitude()));
    Some(EmergencySite {
        id: id?,
        name: Arc::from(name?),
        kind: kind?,
        position,
        structure,
        department,
        phone,
        zone: zone.unwrap_or_else(|| department.zone()),
        rules,
        capabilities,
        saturation: None,
    })
}

/// A rule belongs to the day on which it starts, so the night after a holiday is the holiday's; that is easily forgotten.
fn warn_of_closed_nights(rules: &AccessRules, path: Path<'_>, findings: &mut Findings) {
    let runs_on = |hours: DayHours| hours.end() > MINUTES_PER_DAY;
    let has_nights = rules.weekly.iter().any(|rule| runs_on(rule.hours()));
    if has_nights && !rules.holidays.is_empty() && !rules.holidays.iter().any(|rule| runs_on(rule.hours)) {
        let message = "no rule runs past midnight although weekly ones do: the night after a public holiday is closed";
        findings.warn(path, message);
    }
}

fn capabilities_from_proto(
    messages: &[pb::CapabilityAnswer],
    kind: Option<EmergencySiteKind>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Capabilities {
    if !findings.within(path, messages.len(), EmergencyCapability::ALL.len()) {
        return Capabilities::UNKNOWN;
    }
    let mut known = Capabilities::UNKNOWN;
    let mut stated = Vec::with_capacity(messages.len());
    for (index, pb::CapabilityAnswer { capability, offered }) in messages.iter().enumerate() {
        let path = path.index(index);
        let capability = capability_from_proto(*capability, path.field("capability"), findings);
        let offered = match pb::Knowledge::try_from(*offered) {
            Ok(pb::Knowledge::Yes) => Some(true),
            Ok(pb::Knowledge::No) => Some(false),
            Ok(pb::Knowledge::Unknown) => None,
            Ok(pb::Knowledge::Unspecified) | Err(_) => {
                let message = format_args!("{offered} says nothing: give 1 (YES), 2 (NO) or 3 (UNKNOWN)");
                findings.refuse(path.field("offered"), message);
                None
            }
        };
        let Some(capability) = capability else { continue };
        if stated.contains(&capability) {
            findings.refuse(path.field("capability"), format_args!("state {} once", capability.code()));
        }
        stated.push(capability);
        let takes_no_children = kind == Some(EmergencySiteKind::Paediatric)
            && (capability, offered) == (EmergencyCapability::Paediatric, Some(false));
        if takes_no_children {
            findings
                .refuse(path.field("offered"), "a paediatric department takes children: correct its kind, or say YES");
        }
        known = offered.map_or(known, |offered| known.with(capability, offered));
    }
    known
}

fn capability_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> Option<EmergencyCapability> {
    match pb::EmergencyCapability::try_from(number) {
        Ok(pb::EmergencyCapability::Adult) => Some(EmergencyCapability::Adult),
        Ok(pb::EmergencyCapability::Paediatric) => Some(EmergencyCapability::Paediatric),
        Ok(pb::EmergencyCapability::Obstetric) => Some(EmergencyCapability::Obstetric),
        Ok(pb::EmergencyCapability::Psychiatric) => Some(EmergencyCapability::Psychiatric),
        Ok(pb::EmergencyCapability::Unspecified) | Err(_) => {
            let message = "no capability: give 1 (ADULT), 2 (PAEDIATRIC), 3 (OBSTETRIC) or 4 (PSYCHIATRIC)";
            findings.refuse(path, format_args!("{number} is {message}"));
            None
        }
    }
}

/// Reads when a saturation ends; there is none without an end.
pub(in crate::grpc) fn saturation_end_from_proto(
    end: Option<pb::set_saturation_request::End>,
    findings: &mut Findings,
) -> Option<SaturationEnd> {
    match end {
        Some(pb::set_saturation_request::End::UntilAt(until_at)) => {
            instant_from_proto(Some(until_at), Path::ROOT.field("until_at"), findings).map(SaturationEnd::At)
        }
        Some(pb::set_saturation_request::End::ForMinutes(minutes)) => Some(SaturationEnd::After { minutes }),
        None => {
            let message = "missing: give until_at or for_minutes, a saturation ends by itself";
            findings.refuse(Path::ROOT.field("until_at"), message);
            None
        }
    }
}

/// Writes a capability.
pub(in crate::grpc) const fn capability_to_proto(capability: EmergencyCapability) -> pb::EmergencyCapability {
    match capability {
        EmergencyCapability::Adult => pb::EmergencyCapability::Adult,
        EmergencyCapability::Paediatric => pb::EmergencyCapability::Paediatric,
        EmergencyCapability::Obstetric => pb::EmergencyCapability::Obstetric,
        EmergencyCapability::Psychiatric => pb::EmergencyCapability::Psychiatric,
    }
}

/// Writes an emergency site as it stands at an instant.
pub(in crate::grpc) fn emergency_site_to_proto(site: &EmergencySite, now: UtcInstant) -> pb::EmergencySite {
    let EmergencySite { id, name, kind, position, structure, department, phone, zone, rules, capabilities, saturation } =
        site;
    let AccessRules { weekly, holidays, dated } = rules;
    let kind = match kind {
        EmergencySiteKind::Department => pb::EmergencySiteKind::Department,
        EmergencySiteKind::Smur => pb::EmergencySiteKind::Smur,
        EmergencySiteKind::Paediatric => pb::EmergencySiteKind::Paediatric,
    };
    let answer = |(capability, offered): (EmergencyCapability, bool)| pb::CapabilityAnswer {
        capability: capability_to_proto(capability).into(),
        offered: if offered { pb::Knowledge::Yes } else { pb::Knowledge::No }.into(),
    };
    pb::EmergencySite {
        emergency_site_id: id.to_string(),
        name: name.to_string(),
        kind: kind.into(),
        position: Some(position_to_proto(position)),
        structure_id: structure.as_ref().map(StructureId::wire).unwrap_or_default(),
        department: department.to_string(),
        phone: phone_to_proto(*phone),
        time_zone: zone.name().to_owned(),
        weekly_access: weekly.iter().map(weekly_to_proto).collect(),
        holiday_access: holidays.iter().map(holiday_to_proto).collect(),
        dated_access: dated.iter().map(dated_to_proto).collect(),
        capabilities: capabilities.iter().map(answer).collect(),
        saturation: saturation.filter(|window| window.contains(now)).map(window_to_proto),
        access: access_to_proto(site.access_at(now)).into(),
        access_changes_at: site.access_changes_at(now).map(instant_to_proto),
    }
}

fn kind_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> Option<EmergencySiteKind> {
    match pb::EmergencySiteKind::try_from(number) {
        Ok(pb::EmergencySiteKind::Department) => Some(EmergencySiteKind::Department),
        Ok(pb::EmergencySiteKind::Smur) => Some(EmergencySiteKind::Smur),
        Ok(pb::EmergencySiteKind::Paediatric) => Some(EmergencySiteKind::Paediatric),
        Ok(pb::EmergencySiteKind::Unspecified) | Err(_) => {
            findings.refuse(
                path,
                format_args!("{number} is no kind of site: give 1 (DEPARTMENT), 2 (SMUR) or 3 (PAEDIATRIC)"),
            );
            None
        }
    }
}
