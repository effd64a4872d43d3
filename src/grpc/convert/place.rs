//! Places.

use std::sync::Arc;

use super::common::{
    NAME_MAX_CHARACTERS, department_from_proto, need_from_proto, need_to_proto, phone_from_proto, phone_to_proto,
    position_from_proto, position_to_proto, zone_from_proto,
};
use crate::domain::department::Department;
use crate::domain::directory::Place;
use crate::domain::id::{CommuneCode, PlaceId, StructureId};
use crate::domain::patient::{Need, NeedSet};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Longest street lines, in characters.
const ADDRESS_MAX_CHARACTERS: usize = 200;
/// Longest name of a town, in characters.
const CITY_MAX_CHARACTERS: usize = 100;

/// Reads a place; derives its department from the commune, else the position, and its zone from the department.
pub(in crate::grpc) fn place_from_proto(
    message: Option<pb::Place>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Place> {
    let Some(message) = message else {
        findings.refuse(path, "missing: give the place");
        return None;
    };
    let pb::Place {
        place_id,
        name,
        address,
        postal_code,
        city,
        commune_code,
        department,
        position,
        time_zone,
        structure_id,
        phone,
        needs,
    } = message;
    let id = findings.take(path.field("place_id"), PlaceId::parse(&place_id));
    let name = findings.text(path.field("name"), &name, 1, NAME_MAX_CHARACTERS);
    let address = findings.text(path.field("address"), &address, 0, ADDRESS_MAX_CHARACTERS);
    let postal_code = postal_code_from_proto(&postal_code, path.field("postal_code"), findings);
    let city = findings.text(path.field("city"), &city, 0, CITY_MAX_CHARACTERS);
    let commune = findings.optional(path.field("commune_code"), &commune_code, CommuneCode::parse);
    let given = department_from_proto(&department, path.field("department"), findings);
    let position = position.and_then(|position| position_from_proto(position, path.field("position"), findings));
    let estimate = || position.map(|position| Department::nearest_to(position.latitude(), position.longitude()));
    let derived = given.or_else(|| commune.map(|commune| commune.department())).or_else(estimate);
    if derived.is_none() && department.trim().is_empty() && commune_code.trim().is_empty() {
        findings.refuse(path.field("department"), "missing: give the department, the commune or the position");
    }
    let zone = zone_from_proto(&time_zone, path.field("time_zone"), findings);
    let structure = structure_from_proto(&structure_id, path.field("structure_id"), findings);
    let phone = phone_from_proto(&phone, path.field("phone"), findings);
    let (needs_met, needs_unmet) = needs_from_proto(&needs, path.field("needs"), findings);
    let department = derived?;
    Some(Place {
        id: id?,
        name: Arc::from(name?),
        address: Arc::from(address?),
        postal_code: Arc::from(postal_code?),
        city: Arc::from(city?),
        commune,
        department,
        position,
        zone: zone.unwrap_or_else(|| department.zone()),
        structure,
        phone,
        needs_met,
        needs_unmet,
    })
}

/// Five digits, or nothing.
fn postal_code_from_proto<'t>(text: &'t str, path: Path<'_>, findings: &mut Findings) -> Option<&'t str> {
    let text = text.trim();
    let is_sound = text.is_empty() || (text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_sound {
        findings.refuse(path, "no postal code: give five digits, or nothing when it is unknown");
    }
    is_sound.then_some(text)
}

/// Reads a structure that may be empty.
pub(in crate::grpc) fn structure_from_proto(
    text: &str,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<StructureId> {
    if text.trim().is_empty() { None } else { findings.checked(path, StructureId::parse(text)) }
}

/// The needs that are stated to be met, and those stated not to be.
fn needs_from_proto(messages: &[pb::NeedAnswer], path: Path<'_>, findings: &mut Findings) -> (NeedSet, NeedSet) {
    let (mut met_needs, mut unmet_needs, mut stated) = (NeedSet::EMPTY, NeedSet::EMPTY, NeedSet::EMPTY);
    if !findings.within(path, messages.len(), Need::ALL.len()) {
        return (met_needs, unmet_needs);
    }
    for (index, pb::NeedAnswer { need, met }) in messages.iter().enumerate() {
        let path = path.index(index);
        let need = need_from_proto(*need, path.field("need"), findings);
        if need.is_some_and(|need| stated.contains(need)) {
            findings.refuse(path.field("need"), "stated before: state each need once");
        }
        let Some(need) = need else { continue };
        stated = stated.with(need);
        match pb::Knowledge::try_from(*met) {
            Ok(pb::Knowledge::Yes) => met_needs = met_needs.with(need),
            Ok(pb::Knowledge::No) => unmet_needs = unmet_needs.with(need),
            Ok(pb::Knowledge::Unknown) => {}
            Ok(pb::Knowledge::Unspecified) | Err(_) => {
                let message =
                    format_args!("{met} is no statement: give KNOWLEDGE_YES, KNOWLEDGE_NO or KNOWLEDGE_UNKNOWN");
                findings.refuse(path.field("met"), message);
            }
        }
    }
    (met_needs, unmet_needs)
}

/// Writes a place, with what was derived.
pub(in crate::grpc) fn place_to_proto(place: &Place) -> pb::Place {
    let Place {
        id,
        name,
        address,
        postal_code,
        city,
        commune,
        department,
        position,
        zone,
        structure,
        phone,
        needs_met,
        needs_unmet,
    } = place;
    let answer = |need, met: pb::Knowledge| pb::NeedAnswer { need: need_to_proto(need).into(), met: met.into() };
    let met = needs_met.iter().map(|need| answer(need, pb::Knowledge::Yes));
    let unmet = needs_unmet.iter().map(|need| answer(need, pb::Knowledge::No));
    pb::Place {
        place_id: id.to_string(),
        name: name.to_string(),
        address: address.to_string(),
        postal_code: postal_code.to_string(),
        city: city.to_string(),
        commune_code: commune.map(|commune| commune.to_string()).unwrap_or_default(),
        department: department.to_string(),
        position: position.as_ref().map(position_to_proto),
        time_zone: zone.name().to_owned(),
        structure_id: structure.as_ref().map(StructureId::wire).unwrap_or_default(),
        phone: phone_to_proto(*phone),
        needs: met.chain(unmet).collect(),
    }
}
