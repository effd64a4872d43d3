//! Who gives care, where, for which territory: the slow-moving half of the state.
//!
//! Values are valid by the time they are built here (identifiers parsed, codes known); relations between them
//! (a schedule's place is known) are checked by the service that stores them.

use std::sync::Arc;

use chrono_tz::Tz;

use super::code::{Profession, Sex, SpecialtySet};
use super::department::Department;
use super::geo::GeoPoint;
use super::id::{CommuneCode, PhoneNumber, PlaceId, PractitionerId, ScheduleId, SourceId, StructureId, TerritoryId};
use super::patient::{Age, Language, NeedSet};
use super::time::UtcInstant;

/// A territorial community of professionals (CPTS) and its area.
#[derive(Clone, PartialEq, Debug)]
pub struct Territory {
    /// FINESS of the CPTS.
    pub id: TerritoryId,
    /// Name shown to regulators.
    pub name: Arc<str>,
    /// Communes of its area.
    pub communes: Vec<CommuneCode>,
    /// Territories with which patients are shared first.
    pub neighbours: Vec<TerritoryId>,
    /// Telephone of its coordination.
    pub phone: Option<PhoneNumber>,
}

impl Territory {
    /// The department of its first commune, else the one that its FINESS opens with; overseas those numbers do not say.
    #[must_use]
    pub fn department(&self) -> Option<Department> {
        let of_number = || {
            let prefix = self.id.as_str().get(..2).filter(|prefix| !["97", "98"].contains(prefix))?;
            Department::parse(prefix).ok()
        };
        self.communes.first().map(|commune| commune.department()).or_else(of_number)
    }
}

/// Where care is given.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// The publisher's identifier.
    pub id: PlaceId,
    /// Name shown to regulators.
    pub name: Arc<str>,
    /// Street lines.
    pub address: Arc<str>,
    /// Postal code, five digits; empty when unknown.
    pub postal_code: Arc<str>,
    /// Town.
    pub city: Arc<str>,
    /// Commune, when known.
    pub commune: Option<CommuneCode>,
    /// Department.
    pub department: Department,
    /// Position; without it the place is offered for teleconsultation only.
    pub position: Option<GeoPoint>,
    /// Zone of its local time.
    pub zone: Tz,
    /// Structure to which it belongs.
    pub structure: Option<StructureId>,
    /// Telephone.
    pub phone: Option<PhoneNumber>,
    /// Needs that it is stated to meet.
    pub needs_met: NeedSet,
    /// Needs that it is stated not to meet; disjoint from those it meets.
    pub needs_unmet: NeedSet,
}

/// Who gives care.
#[derive(Clone, PartialEq, Debug)]
pub struct Practitioner {
    /// RPPS, ADELI or the publisher's own identifier.
    pub id: PractitionerId,
    /// Family name.
    pub family_name: Arc<str>,
    /// Given name; empty when unknown.
    pub given_name: Arc<str>,
    /// Profession, when known.
    pub profession: Option<Profession>,
    /// Specialties.
    pub specialties: SpecialtySet,
    /// Languages spoken; empty when unknown.
    pub languages: Vec<Language>,
    /// Telephone.
    pub phone: Option<PhoneNumber>,
}

impl Practitioner {
    /// Given name, then family name.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.given_name.is_empty() {
            return self.family_name.to_string();
        }
        format!("{} {}", self.given_name, self.family_name)
    }
}

/// Which patients a schedule takes; what is absent is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub struct PatientLimits {
    /// Youngest accepted age.
    pub min_age: Option<Age>,
    /// Oldest accepted age.
    pub max_age: Option<Age>,
    /// Accepted sexes as bits by [`sex_bit`]; 0 when all are accepted.
    pub sexes: u8,
}

/// The bit of a sex in [`PatientLimits::sexes`].
#[must_use]
pub const fn sex_bit(sex: Sex) -> u8 {
    1 << sex as u8
}

/// The agenda of one professional or structure at one place.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    /// The publisher's identifier.
    pub id: ScheduleId,
    /// Publishing system that owns it.
    pub source_id: SourceId,
    /// Where care is given.
    pub place_id: PlaceId,
    /// Who gives care; absent when the structure decides later (SOS Médecins).
    pub practitioner_id: Option<PractitionerId>,
    /// Territories to which it belongs.
    pub territories: Vec<TerritoryId>,
    /// Specialties offered; empty to take the practitioner's.
    pub specialties: SpecialtySet,
    /// Which patients it takes.
    pub limits: PatientLimits,
    /// How far home visits go, in metres; absent for the policy's default.
    pub home_visit_radius_m: Option<u32>,
    /// Whether regulation is asked to call a patient back who did not come; absent for the service's default.
    pub no_show_call_back: Option<bool>,
    /// Where it is booked by hand; empty when nowhere.
    pub booking_url: Arc<str>,
    /// Newest revision that the source published.
    pub source_revision: u64,
    /// When the source was last heard for it.
    pub received_at: UtcInstant,
    /// When it was first kept; absent when that was before it was written down.
    pub first_published_at: Option<UtcInstant>,
}
