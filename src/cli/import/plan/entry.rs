//! Directory entries that several rows state: the first statement stands, blanks are filled in, differences are named.

use std::collections::HashMap;

use super::{Origin, Planned};
use crate::proto::routing as pb;

/// A directory entry of the plan.
pub(super) trait Entry {
    /// Its identifier.
    fn id(&self) -> &str;

    /// Fills this entry's blanks from a later statement and names the fields that differ.
    fn merge(&mut self, later: Self) -> Vec<&'static str>;
}

/// Entries of one kind, in order of first statement.
#[derive(Debug)]
pub(super) struct Entries<T> {
    pub(super) list: Vec<Planned<T>>,
    by_id: HashMap<String, usize>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { list: Vec::new(), by_id: HashMap::new() }
    }
}

impl<T: Entry> Entries<T> {
    /// Takes a statement and names the fields in which it differs from an earlier one.
    pub(super) fn state(&mut self, origin: &Origin, message: T) -> Vec<&'static str> {
        if let Some(kept) = self.get_mut(message.id()) {
            return kept.merge(message);
        }
        self.by_id.insert(message.id().to_owned(), self.list.len());
        self.list.push(Planned { origin: origin.clone(), message });
        Vec::new()
    }

    /// The entry as stated so far.
    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.by_id.get(id).and_then(|place| self.list.get(*place)).map(|planned| &planned.message)
    }

    /// The same, to be added to.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = *self.by_id.get(id)?;
        self.list.get_mut(place).map(|planned| &mut planned.message)
    }
}

/// A value that may be left out.
trait Blank {
    fn is_blank(&self) -> bool;
}

impl Blank for String {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Blank for Vec<T> {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Blank for Option<T> {
    fn is_blank(&self) -> bool {
        self.is_none()
    }
}

/// Collects the fields that differ.
#[derive(Default)]
struct Differences(Vec<&'static str>);

impl Differences {
    fn keep<T: Blank + PartialEq>(&mut self, field: &'static str, kept: &mut T, later: T) {
        if kept.is_blank() {
            *kept = later;
        } else if !later.is_blank() && *kept != later {
            self.0.push(field);
        }
    }
}

/// Adds what is not yet there, up to `most`.
pub(super) fn unite(kept: &mut Vec<String>, later: &[String], most: usize) {
    for value in later {
        if kept.len() < most && !kept.contains(value) {
            kept.push(value.clone());
        }
    }
}

impl Entry for pb::Territory {
    fn id(&self) -> &str {
        &self.territory_id
    }

    fn merge(&mut self, later: Self) -> Vec<&'static str> {
        let Self { territory_id: _, name, commune_codes, neighbour_territory_ids, phone } = later;
        let mut differences = Differences::default();
        differences.keep("name", &mut self.name, name);
        differences.keep("commune_codes", &mut self.commune_codes, commune_codes);
        differences.keep("neighbour_territory_ids", &mut self.neighbour_territory_ids, neighbour_territory_ids);
        differences.keep("phone", &mut self.phone, phone);
        differences.0
    }
}

impl Entry for pb::Place {
    fn id(&self) -> &str {
        &self.place_id
    }

    fn merge(&mut self, later: Self) -> Vec<&'static str> {
        let Self {
            place_id: _,
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
        } = later;
        let mut differences = Differences::default();
        differences.keep("name", &mut self.name, name);
        differences.keep("address", &mut self.address, address);
        differences.keep("postal_code", &mut self.postal_code, postal_code);
        differences.keep("city", &mut self.city, city);
        differences.keep("commune_code", &mut self.commune_code, commune_code);
        differences.keep("department", &mut self.department, department);
        differences.keep("position", &mut self.position, position);
        differences.keep("time_zone", &mut self.time_zone, time_zone);
        differences.keep("structure_id", &mut self.structure_id, structure_id);
        differences.keep("phone", &mut self.phone, phone);
        differences.keep("needs", &mut self.needs, needs);
        differences.0
    }
}

impl Entry for pb::Practitioner {
    fn id(&self) -> &str {
        &self.practitioner_id
    }

    fn merge(&mut self, later: Self) -> Vec<&'static str> {
        let Self { practitioner_id: _, family_name, given_name, profession, specialties: _, languages, phone } = later;
        let mut differences = Differences::default();
        differences.keep("family_name", &mut self.family_name, family_name);
        differences.keep("given_name", &mut self.given_name, given_name);
        differences.keep("profession", &mut self.profession, profession);
        differences.keep("languages", &mut self.languages, languages);
        differences.keep("phone", &mut self.phone, phone);
        differences.0
    }
}

impl Entry for pb::Schedule {
    fn id(&self) -> &str {
        &self.schedule_id
    }

    /// Territories and specialties are added up by the builder; who is taken is compared by [`same_agenda`] before.
    fn merge(&mut self, later: Self) -> Vec<&'static str> {
        let mut differences = Differences::default();
        differences.keep("home_visit_radius_m", &mut self.home_visit_radius_m, later.home_visit_radius_m);
        differences.0
    }
}

/// The fields in which two statements of a schedule may not differ: whose it is, where, and which patients it takes.
pub(super) fn same_agenda(kept: &pb::Schedule, later: &pb::Schedule) -> Vec<&'static str> {
    let table = [
        ("place_id", kept.place_id == later.place_id),
        ("practitioner_id", kept.practitioner_id == later.practitioner_id),
        ("min_age", kept.min_age_days == later.min_age_days),
        ("max_age", kept.max_age_days == later.max_age_days),
        ("accepted_sexes", kept.accepted_sexes == later.accepted_sexes),
    ];
    table.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect()
}

impl Entry for pb::EmergencySite {
    fn id(&self) -> &str {
        &self.emergency_site_id
    }

    fn merge(&mut self, later: Self) -> Vec<&'static str> {
        if *self == later { Vec::new() } else { vec!["emergency site"] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(city: &str, phone: &str) -> pb::Place {
        pb::Place { place_id: "p".to_owned(), city: city.to_owned(), phone: phone.to_owned(), ..pb::Place::default() }
    }

    #[test]
    fn the_first_statement_stands_blanks_are_filled_and_differences_are_named() {
        let mut entries = Entries::default();
        assert_eq!(entries.state(&Origin::Line(2), place("Bourges", "")), Vec::<&str>::new());
        assert_eq!(entries.state(&Origin::Line(3), place("", "+33248000000")), Vec::<&str>::new());
        assert_eq!(entries.state(&Origin::Line(4), place("Amboise", "")), vec!["city"]);
        assert_eq!(entries.list, vec![Planned { origin: Origin::Line(2), message: place("Bourges", "+33248000000") }]);
    }
}
