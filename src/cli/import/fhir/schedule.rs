//! A Schedule with its place, professional and structure.
//!
//! Two shapes: actors `Practitioner` and `PractitionerRole`, whose place is contained in the role; or a single actor
//! `Location`, whose structure decides who sees the patient.

use std::collections::HashMap;

use chrono_tz::Tz;
use serde_json::Value;

use super::Reader;
use super::bundle::Resource;
use super::element::{
    self, PRACTITIONER_SYSTEM, STRUCTURE_SYSTEM, codings, identifier, is_list, items, reference, text,
};
use crate::cli::import::finding::Findings;
use crate::cli::import::reading::{self, PERSON_NAME_MAX, TEXT_MAX};
use crate::cli::import::{Origin, Reason, identity};
use crate::domain::code::Profession;
use crate::domain::id::CommuneCode;
use crate::proto::routing as pb;

/// What a slot needs to know of its schedule.
#[derive(Clone, Debug)]
pub(super) struct ScheduleFacts {
    /// Identifier in the plan.
    pub(super) schedule_id: String,
    /// Zone of the place.
    pub(super) zone: Tz,
}

/// Schedules read so far, by entry; `None` for those that cannot be used.
pub(super) type Known = HashMap<usize, Option<ScheduleFacts>>;

/// A Location, what names it when it has no identifier, and the entry in which it stands.
type Location<'a> = (&'a Value, String, Origin);

/// A Location with an entry of its own.
fn whole(location: Resource<'_>) -> Location<'_> {
    (location.value, location.id.to_owned(), location.origin())
}

/// The actors of a schedule.
#[derive(Default)]
struct Actors<'a> {
    practitioner: Option<Resource<'a>>,
    role: Option<Resource<'a>>,
    location: Option<Resource<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads a schedule once.
    pub(super) fn schedule_of(&mut self, schedule: &Resource<'a>) -> Option<ScheduleFacts> {
        if let Some(known) = self.schedules.get(&schedule.index) {
            return known.clone();
        }
        let mut findings = Findings::at(schedule.origin());
        let facts = self.read_schedule(schedule, &mut findings);
        let facts = facts.filter(|_| !findings.is_refused());
        self.builder.report(findings.into_reports("schedule"));
        self.schedules.insert(schedule.index, facts.clone());
        facts
    }

    fn read_schedule(&mut self, schedule: &Resource<'a>, findings: &mut Findings) -> Option<ScheduleFacts> {
        if schedule.id.is_empty() {
            findings.refuse("Schedule.id", Reason::MissingValue, "no id and no fullUrl: give one of them");
            return None;
        }
        let actors = self.actors(schedule, findings);
        let place = self.place(&actors, findings);
        let practitioner = self.practitioner(&actors, findings);
        let (mut place, place_origin) = place?;
        let zone = reading::zone_of(&place).unwrap_or_else(|| {
            let message = "nothing tells the time zone of the place: Europe/Paris is taken";
            findings.warn("Location.address", Reason::AssumedZone, message);
            chrono_tz::Europe::Paris
        });
        place.time_zone = zone.name().to_owned();
        let message = pb::Schedule {
            schedule_id: identity::prefixed(self.options.id_prefix.as_deref(), schedule.id),
            source_id: self.options.source_id.clone(),
            place_id: place.place_id.clone(),
            practitioner_id: practitioner.as_ref().map(|found| found.practitioner_id.clone()).unwrap_or_default(),
            ..pb::Schedule::default()
        };
        self.builder.check_schedule(findings, &message);
        if findings.is_refused() {
            return None;
        }
        self.builder.state_place(findings, &place_origin, place);
        if let Some((practitioner, origin)) = practitioner.zip(actors.practitioner.map(|found| found.origin())) {
            self.builder.state_practitioner(findings, &origin, practitioner);
        }
        let facts = ScheduleFacts { schedule_id: message.schedule_id.clone(), zone };
        self.builder.state_schedule(findings, message);
        Some(facts)
    }

    fn actors(&self, schedule: &Resource<'a>, findings: &mut Findings) -> Actors<'a> {
        let mut actors = Actors::default();
        for (place, actor) in items(schedule.value, "actor").iter().enumerate() {
            let target = text(actor, "reference");
            let Some(resource) = self.index.resolve(target) else {
                let message = format!("`{target}` leads to nothing in the Bundle: include it");
                findings.warn(&format!("Schedule.actor[{place}]"), Reason::UnresolvedReference, message);
                continue;
            };
            match resource.kind {
                "Practitioner" => actors.practitioner = actors.practitioner.or(Some(resource)),
                "PractitionerRole" => actors.role = actors.role.or(Some(resource)),
                "Location" => actors.location = actors.location.or(Some(resource)),
                _ => {}
            }
        }
        if let Some(role) = actors.role {
            let of_role = || self.index.resolve_kind(reference(role.value, "practitioner"), "Practitioner");
            actors.practitioner = actors.practitioner.or_else(of_role);
        }
        actors
    }

    /// The place and where it stands: the role's location, contained or not, else the schedule's own.
    fn place(&self, actors: &Actors<'a>, findings: &mut Findings) -> Option<(pb::Place, Origin)> {
        let found = actors.role.and_then(|role| self.location_of_role(role, findings));
        let Some((location, fallback_id, origin)) = found.or_else(|| actors.location.map(whole)) else {
            let message = "no place: give a PractitionerRole with a location, or a Location, that is in the Bundle";
            findings.refuse("Schedule.actor", Reason::UnresolvedReference, message);
            return None;
        };
        let organization = actors.role.and_then(|role| role.value.get("organization"));
        let organization = organization.or_else(|| location.get("managingOrganization"));
        let structure_id = self.structure(organization, findings);
        if actors.role.is_none() && structure_id.is_empty() {
            let message =
                "neither a professional nor a structure with a national identifier: nobody to send a patient to";
            findings.warn("Location.managingOrganization", Reason::MissingValue, message);
        }
        let place_id = self.place_id(location, &fallback_id);
        Some((place_message(location, place_id, structure_id, findings), origin))
    }

    /// The first location of a role.
    fn location_of_role(&self, role: Resource<'a>, findings: &mut Findings) -> Option<Location<'a>> {
        let locations = items(role.value, "location");
        if locations.len() > 1 {
            let message =
                format!("the role has {} locations and a schedule one place; the first is taken", locations.len());
            findings.warn("PractitionerRole.location", Reason::Ignored, message);
        }
        let target = text(locations.first()?, "reference");
        let Some(contained_id) = target.strip_prefix('#') else {
            return self.index.resolve_kind(target, "Location").map(whole);
        };
        let mut contained = items(role.value, "contained").iter();
        let is_meant = |value: &&Value| text(value, "resourceType") == "Location" && text(value, "id") == contained_id;
        // The same `#id` in another role is another resource, so the role is part of the name.
        contained.find(is_meant).map(|value| (value, format!("{}#{contained_id}", role.id), role.origin()))
    }

    /// `<system>|<value>` of the place's identifier, else what names it in the Bundle.
    fn place_id(&self, location: &Value, fallback_id: &str) -> String {
        let identifiers = items(location, "identifier");
        let named = identifiers.iter().find(|identifier| !text(identifier, "value").is_empty());
        let id = named.map_or_else(
            || fallback_id.to_owned(),
            |identifier| match (text(identifier, "system"), text(identifier, "value")) {
                ("", value) => value.to_owned(),
                (system, value) => format!("{system}|{value}"),
            },
        );
        identity::prefixed(self.options.id_prefix.as_deref(), &id)
    }

    /// The structure in its prefixed form, from an identifier in the reference or from the Organization it leads to.
    fn structure(&self, organization: Option<&'a Value>, findings: &mut Findings) -> String {
        let Some(organization) = organization else { return String::new() };
        let own = organization.get("identifier").map(std::slice::from_ref).unwrap_or_default();
        let mut number = identifier(own, STRUCTURE_SYSTEM, "IDNST");
        if number.is_empty() {
            let target = self.index.resolve_kind(text(organization, "reference"), "Organization");
            number = target.map_or("", |found| identifier(items(found.value, "identifier"), STRUCTURE_SYSTEM, "IDNST"));
        }
        if number.is_empty() {
            String::new()
        } else {
            reading::structure_id(findings, "organization.identifier", number)
        }
    }

    fn practitioner(&self, actors: &Actors<'a>, findings: &mut Findings) -> Option<pb::Practitioner> {
        let Some(practitioner) = actors.practitioner else {
            if actors.role.is_some() {
                let message = "the role's Practitioner is not in the Bundle: include it";
                findings.refuse("PractitionerRole.practitioner", Reason::UnresolvedReference, message);
            }
            return None;
        };
        let number = identifier(items(practitioner.value, "identifier"), PRACTITIONER_SYSTEM, "IDNPS");
        let id = reading::practitioner_id(findings, "Practitioner.identifier", number)?;
        let name = items(practitioner.value, "name").first();
        let given = name.map_or(&[][..], |name| items(name, "given"));
        let given: Vec<&str> = given.iter().filter_map(Value::as_str).collect();
        let family = name.map_or("", |name| text(name, "family"));
        let role = actors.role.map(|role| role.value);
        let telecom = [role, Some(practitioner.value)].into_iter().flatten().map(element::phone);
        let phone = telecom.into_iter().find(|phone| !phone.is_empty()).unwrap_or_default();
        Some(pb::Practitioner {
            practitioner_id: id.wire(),
            family_name: reading::short_text(findings, "Practitioner.name.family", family, PERSON_NAME_MAX),
            given_name: reading::short_text(findings, "Practitioner.name.given", &given.join(" "), PERSON_NAME_MAX),
            profession: role.map(profession).unwrap_or_default(),
            phone: reading::phone(findings, "PractitionerRole.telecom", phone),
            ..pb::Practitioner::default()
        })
    }
}

/// The profession that a role states, if any: a code of `TRE_G15` that is known.
fn profession(role: &Value) -> String {
    let mut known = codings(role, "code").filter(|(system, _)| is_list(system, "TRE_G15"));
    known.find_map(|(_, code)| Profession::parse(code).ok()).map(|code| code.code().to_owned()).unwrap_or_default()
}

fn place_message(location: &Value, place_id: String, structure_id: String, findings: &mut Findings) -> pb::Place {
    let blank = Value::Null;
    let address = location.get("address").unwrap_or(&blank);
    let lines: Vec<&str> = items(address, "line").iter().filter_map(Value::as_str).map(str::trim).collect();
    let postal_code = postal_code(address, findings);
    let commune = commune(address, findings);
    let department = reading::department(commune, &postal_code);
    pb::Place {
        place_id,
        name: reading::short_text(findings, "Location.name", text(location, "name"), TEXT_MAX),
        address: reading::short_text(findings, "Location.address.line", &lines.join(", "), TEXT_MAX),
        postal_code,
        city: reading::short_text(findings, "Location.address.city", text(address, "city"), TEXT_MAX),
        commune_code: commune.map(|commune| commune.to_string()).unwrap_or_default(),
        department: department.map(|department| department.code().to_owned()).unwrap_or_default(),
        position: position(location, findings),
        structure_id,
        phone: reading::phone(findings, "Location.telecom", element::phone(location)),
        ..pb::Place::default()
    }
}

fn postal_code(address: &Value, findings: &mut Findings) -> String {
    let postal_code = text(address, "postalCode");
    let is_one = postal_code.len() == 5 && postal_code.bytes().all(|byte| byte.is_ascii_digit());
    if !postal_code.is_empty() && !is_one {
        let message = "a postal code has five digits; it is left out";
        findings.warn("Location.address.postalCode", Reason::InvalidValue, message);
        return String::new();
    }
    postal_code.to_owned()
}

fn commune(address: &Value, findings: &mut Findings) -> Option<CommuneCode> {
    let mut extensions = items(address, "extension").iter();
    let extension = extensions.find(|extension| text(extension, "url").ends_with("FrAddressInseeCode"))?;
    let coding = extension.get("valueCoding").map(|coding| text(coding, "code"));
    let code = coding.filter(|code| !code.is_empty()).unwrap_or_else(|| text(extension, "valueString"));
    CommuneCode::parse(code)
        .inspect_err(|error| {
            findings.warn("Location.address.extension", Reason::InvalidValue, format!("{error}; it is left out"));
        })
        .ok()
}

fn position(location: &Value, findings: &mut Findings) -> Option<pb::GeoPoint> {
    let position = location.get("position")?;
    let degrees = |key| position.get(key).and_then(Value::as_f64);
    let point = degrees("latitude")
        .zip(degrees("longitude"))
        .and_then(|(latitude, longitude)| crate::domain::geo::GeoPoint::new(latitude, longitude).ok());
    match &point {
        Some(point) => reading::doubt_position(findings, "Location.position", point),
        None => {
            let message = "latitude or longitude is absent or impossible; the position is left out";
            findings.warn("Location.position", Reason::InvalidValue, message);
        }
    }
    point.map(|point| pb::GeoPoint { latitude: point.latitude(), longitude: point.longitude() })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SOS, faults, read_changed};
    use crate::cli::import::Severity;

    #[test]
    fn a_position_that_is_given_longitude_first_is_doubted() {
        let at = |latitude: f64, longitude: f64| {
            let plan = read_changed(SOS, |bundle| {
                let mut entries = bundle["entry"].as_array_mut().unwrap().iter_mut();
                let location = entries.find(|entry| entry["resource"]["resourceType"] == "Location").unwrap();
                location["resource"]["position"] = serde_json::json!({"latitude": latitude, "longitude": longitude});
            });
            let doubts = faults(&plan).into_iter().filter(|(_, _, field, _)| *field == "Location.position");
            doubts.map(|(severity, _, _, reason)| (severity, reason.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(at(48.11, -1.68), []);
        assert_eq!(at(-1.68, 48.11), [(Severity::Warning, "SWAPPED_POSITION".to_owned())]);
        assert_eq!(at(0.0, 0.0), [(Severity::Warning, "OUTSIDE_FRANCE".to_owned())]);
    }
}
