//! Emergency sites.

use std::sync::Arc;

use super::common::{
    NAME_MAX_CHARACTERS, department_from_proto, phone_from_proto, phone_to_proto, position_from_proto,
    position_to_proto, zone_from_proto,
};
use super::place::structure_from_proto;
use crate::domain::department::Department;
use crate::domain::emergency::{EmergencyAccess, EmergencySite, EmergencySiteKind, WeeklyAccess, WeeklyAccessError};
use crate::domain::id::{EmergencySiteId, StructureId};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Most weekly rules of a site.
const WEEKLY_MAX: usize = 50;

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
    let weekly = weekly_from_proto(&weekly_access, path.field("weekly_access"), findings);
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
        weekly,
    })
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

fn weekly_from_proto(messages: &[pb::WeeklyAccess], path: Path<'_>, findings: &mut Findings) -> Vec<WeeklyAccess> {
    if !findings.within(path, messages.len(), WEEKLY_MAX) {
        return Vec::new();
    }
    let mut weekly = Vec::with_capacity(messages.len());
    for (index, pb::WeeklyAccess { weekday, start_minute, end_minute, access }) in messages.iter().enumerate() {
        let path = path.index(index);
        let access = access_from_proto(*access, path.field("access"), findings);
        let rule = WeeklyAccess::new(*weekday, *start_minute, *end_minute, access.unwrap_or(EmergencyAccess::Closed));
        let field = match &rule {
            Err(WeeklyAccessError::Weekday(_)) => "weekday",
            Err(WeeklyAccessError::Start(_)) => "start_minute",
            Ok(_) | Err(WeeklyAccessError::End(_)) => "end_minute",
        };
        weekly.extend(findings.take(path.field(field), rule));
    }
    weekly
}

fn access_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> Option<EmergencyAccess> {
    match pb::EmergencyAccess::try_from(number) {
        Ok(pb::EmergencyAccess::Open) => Some(EmergencyAccess::Open),
        Ok(pb::EmergencyAccess::Regulated) => Some(EmergencyAccess::Regulated),
        Ok(pb::EmergencyAccess::Closed) => Some(EmergencyAccess::Closed),
        Ok(pb::EmergencyAccess::Unspecified) | Err(_) => {
            findings.refuse(path, format_args!("{number} is no access: give 1 (OPEN), 2 (REGULATED) or 3 (CLOSED)"));
            None
        }
    }
}

/// Writes an emergency site.
pub(in crate::grpc) fn emergency_site_to_proto(site: &EmergencySite) -> pb::EmergencySite {
    let EmergencySite { id, name, kind, position, structure, department, phone, zone, weekly } = site;
    let kind = match kind {
        EmergencySiteKind::Department => pb::EmergencySiteKind::Department,
        EmergencySiteKind::Smur => pb::EmergencySiteKind::Smur,
        EmergencySiteKind::Paediatric => pb::EmergencySiteKind::Paediatric,
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
    }
}

fn weekly_to_proto(rule: &WeeklyAccess) -> pb::WeeklyAccess {
    let (weekday, start_minute, end_minute) = rule.parts();
    let access = match rule.access() {
        EmergencyAccess::Open => pb::EmergencyAccess::Open,
        EmergencyAccess::Regulated => pb::EmergencyAccess::Regulated,
        EmergencyAccess::Closed => pb::EmergencyAccess::Closed,
    };
    pb::WeeklyAccess { weekday, start_minute, end_minute, access: access.into() }
}
