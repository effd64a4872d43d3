//! What the file calls a field of the interface: the roster's column, or the element of the Bundle.
//!
//! Invariant: every field of every message that an import sends has a row here, so that no finding leaves the publisher
//! with a path of the interface, which stands nowhere in the file.

use super::Origin;

/// What a message of the plan is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Territory,
    Place,
    Practitioner,
    Schedule,
    EmergencySite,
    Slot,
}

/// The flag that names the publishing system.
const SOURCE_FLAG: &str = "--source-id";
/// The flag that gives the revision.
const REVISION_FLAG: &str = "--revision";
/// Reasons of the server that name no field, and the field that they are about.
const FIELDS_OF_REASONS: [(&str, &str); 4] = [
    ("UNKNOWN_PLACE", "place_id"),
    ("UNKNOWN_PRACTITIONER", "practitioner_id"),
    ("UNKNOWN_TERRITORY", "territory_ids"),
    ("SOURCE_MISMATCH", "source_id"),
];

/// A field of a message, the column that gives it, the element that gives it; blank where the file has no say.
type Row = (&'static str, &'static str, &'static str);

/// The first row of a kind is its identifier, which stands in for what the file has no say in.
const TERRITORY: [Row; 5] = [
    ("territory_id", "territory_id", "Organization.identifier"),
    ("name", "territory_name", "Organization.name"),
    ("commune_codes", "", ""),
    ("neighbour_territory_ids", "", ""),
    ("phone", "", "Organization.telecom"),
];
const PLACE: [Row; 14] = [
    ("place_id", "place_id", "Location.identifier"),
    ("name", "place_name", "Location.name"),
    ("address", "address", "Location.address.line"),
    ("postal_code", "postal_code", "Location.address.postalCode"),
    ("city", "city", "Location.address.city"),
    ("commune_code", "commune_code", "Location.address.extension"),
    ("department", "commune_code", "Location.address.extension"),
    ("position", "latitude", "Location.position"),
    ("position.latitude", "latitude", "Location.position.latitude"),
    ("position.longitude", "longitude", "Location.position.longitude"),
    ("time_zone", "time_zone", "Location.address"),
    ("structure_id", "structure_id", "Location.managingOrganization"),
    ("phone", "phone", "Location.telecom"),
    ("needs", "wheelchair", ""),
];
const PRACTITIONER: [Row; 7] = [
    ("practitioner_id", "practitioner_id", "Practitioner.identifier"),
    ("family_name", "family_name", "Practitioner.name.family"),
    ("given_name", "given_name", "Practitioner.name.given"),
    ("profession", "profession", "PractitionerRole.code"),
    ("specialties", "specialties", "Slot.specialty"),
    ("languages", "languages", ""),
    ("phone", "", "PractitionerRole.telecom"),
];
const SCHEDULE: [Row; 14] = [
    ("schedule_id", "schedule_id", "Schedule.id"),
    ("source_id", SOURCE_FLAG, SOURCE_FLAG),
    ("place_id", "place_id", "Schedule.actor"),
    ("practitioner_id", "practitioner_id", "Schedule.actor"),
    ("territory_ids", "territory_id", "Slot.serviceType"),
    ("specialties", "specialties", "Slot.specialty"),
    ("min_age_days", "min_age", ""),
    ("max_age_days", "max_age", ""),
    ("accepted_sexes", "accepted_sexes", ""),
    ("home_visit_radius_m", "home_visit_radius_m", ""),
    ("booking_url", "booking_url", "Slot.comment"),
    ("source_revision", REVISION_FLAG, REVISION_FLAG),
    ("received_at", "", ""),
    ("no_show_call_back", "", ""),
];
const EMERGENCY_SITE: [Row; 17] = [
    ("emergency_site_id", "place_id", ""),
    ("name", "place_name", ""),
    ("kind", "kind", ""),
    ("position", "latitude", ""),
    ("position.latitude", "latitude", ""),
    ("position.longitude", "longitude", ""),
    ("structure_id", "structure_id", ""),
    ("department", "commune_code", ""),
    ("phone", "phone", ""),
    ("time_zone", "time_zone", ""),
    ("weekly_access", "weekly_access", ""),
    ("holiday_access", "holiday_access", ""),
    ("dated_access", "dated_access", ""),
    ("capabilities", "capabilities", ""),
    // What the service says itself is never at fault in a file.
    ("saturation", "", ""),
    ("access", "", ""),
    ("access_changes_at", "", ""),
];
const SLOT: [Row; 15] = [
    ("slot_id", "schedule_id", "Slot.id"),
    ("schedule_id", "schedule_id", "Slot.schedule"),
    ("window", "end", "Slot.end"),
    ("window.start_at", "start", "Slot.start"),
    ("window.end_at", "end", "Slot.end"),
    ("modalities", "modalities", "Slot.serviceType"),
    ("appointment_type", "appointment_type", "Slot.appointmentType"),
    ("visibilities", "visibilities", "Slot.meta.security"),
    ("capacity", "capacity", ""),
    ("specialties", "specialties", "Slot.specialty"),
    ("territory_ids", "territory_id", "Slot.serviceType"),
    ("motives", "motives", "Slot.serviceType.text"),
    ("booking_url", "booking_url", "Slot.comment"),
    // Of the batch, not of a row: every slot of the file has them in common.
    ("source_id", SOURCE_FLAG, SOURCE_FLAG),
    ("source_revision", REVISION_FLAG, REVISION_FLAG),
];

impl Kind {
    /// The field of a request in which the message stands; batches carry slots in rows.
    pub(super) const fn wrapper(self) -> &'static str {
        match self {
            Self::Territory => "territory",
            Self::Place => "place",
            Self::Practitioner => "practitioner",
            Self::Schedule => "schedule",
            Self::EmergencySite => "emergency_site",
            Self::Slot => "rows",
        }
    }

    const fn rows(self) -> &'static [Row] {
        match self {
            Self::Territory => &TERRITORY,
            Self::Place => &PLACE,
            Self::Practitioner => &PRACTITIONER,
            Self::Schedule => &SCHEDULE,
            Self::EmergencySite => &EMERGENCY_SITE,
            Self::Slot => &SLOT,
        }
    }

    /// The column or element that gives a field, by its path in the request or in the message: `rows[3].window.end_at`.
    pub(super) fn field(self, path: &str, origin: &Origin) -> &'static str {
        let plain = without_indices(path);
        // `place.name`, but not `place_id`.
        let inner = plain.split_once('.').filter(|(outer, _)| *outer == self.wrapper());
        let plain = inner.map_or(plain.as_str(), |(_, inner)| inner);
        let named = |wanted: &str| self.rows().iter().find(|(field, _, _)| *field == wanted);
        // What lies deeper than the table goes stands where its parent does.
        let parents = std::iter::successors(Some(plain), |path| path.rsplit_once('.').map(|(parent, _)| parent));
        let found = parents.filter_map(named).chain(self.rows().first());
        let in_file = found.map(|(_, column, element)| match origin {
            Origin::File => "",
            Origin::Line(_) => *column,
            Origin::Entry { .. } => *element,
        });
        in_file.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
    }

    /// The column or element that a reason is about, when the server names no field.
    pub(super) fn field_of_reason(self, reason: &str, origin: &Origin) -> &'static str {
        let of_reason = FIELDS_OF_REASONS.iter().find(|(known, _)| *known == reason);
        self.field(of_reason.map_or("", |(_, field)| field), origin)
    }
}

/// A path without the places in lists: the file has columns and elements, and counts otherwise.
fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once(']').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::DESCRIPTORS;

    const KINDS: [(Kind, &str); 6] = [
        (Kind::Territory, "Territory"),
        (Kind::Place, "Place"),
        (Kind::Practitioner, "Practitioner"),
        (Kind::Schedule, "Schedule"),
        (Kind::EmergencySite, "EmergencySite"),
        (Kind::Slot, "SlotInput"),
    ];

    fn entry() -> Origin {
        Origin::Entry { index: 4, resource: "Slot/1".to_owned() }
    }

    #[test]
    fn every_field_that_an_import_sends_has_a_row() {
        let pool = prost_reflect::DescriptorPool::decode(DESCRIPTORS).unwrap();
        for (kind, message) in KINDS {
            let message = pool.get_message_by_name(&format!("sas.routing.v1.{message}")).unwrap();
            for field in message.fields() {
                let rows = kind.rows().iter().filter(|(known, _, _)| *known == field.name()).count();
                assert_eq!(rows, 1, "{kind:?}: {}", field.name());
            }
        }
    }

    #[test]
    fn columns_and_elements_stand_for_paths() {
        let table = [
            (Kind::Slot, "rows[3].window.end_at", "end", "Slot.end"),
            (Kind::Slot, "rows[3].window.start_at", "start", "Slot.start"),
            (Kind::Slot, "rows[499].specialties[2]", "specialties", "Slot.specialty"),
            (Kind::Slot, "rows[0].capacity", "capacity", "Slot.id"),
            (Kind::Slot, "source_revision", "--revision", "--revision"),
            (Kind::Slot, "", "schedule_id", "Slot.id"),
            (Kind::Place, "place.position.longitude", "longitude", "Location.position.longitude"),
            (Kind::Place, "position", "latitude", "Location.position"),
            (Kind::Place, "place.name", "place_name", "Location.name"),
            (Kind::Place, "place.place_id", "place_id", "Location.identifier"),
            (Kind::Schedule, "place_id", "place_id", "Schedule.actor"),
            (Kind::Schedule, "schedule", "schedule_id", "Schedule.id"),
            (Kind::Territory, "territory.phone", "territory_id", "Organization.telecom"),
            (Kind::Practitioner, "practitioner.new_field", "practitioner_id", "Practitioner.identifier"),
            (Kind::EmergencySite, "emergency_site.weekly_access[3].end_minute", "weekly_access", ""),
        ];
        for (kind, path, column, element) in table {
            assert_eq!(kind.field(path, &Origin::Line(2)), column, "{path}");
            assert_eq!(kind.field(path, &entry()), element, "{path}");
            assert_eq!(kind.field(path, &Origin::File), "", "{path}");
        }
    }

    #[test]
    fn a_reason_without_a_field_leads_to_the_field_it_is_about() {
        assert_eq!(Kind::Schedule.field_of_reason("UNKNOWN_PLACE", &Origin::Line(2)), "place_id");
        assert_eq!(Kind::Schedule.field_of_reason("SOURCE_MISMATCH", &entry()), "--source-id");
        assert_eq!(Kind::Schedule.field_of_reason("CONTENTION", &entry()), "Schedule.id");
    }

    #[test]
    fn every_column_that_is_named_is_one_of_the_roster() {
        let known = include_str!("ROSTER.md");
        for (kind, _) in KINDS {
            for (field, column, _) in kind.rows().iter().filter(|(_, column, _)| !column.starts_with("--")) {
                assert!(known.contains(&format!("`{column}`")) || column.is_empty(), "{kind:?}: {field}: {column}");
            }
        }
    }
}
