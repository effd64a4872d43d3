//! How far a search goes, and for what.

use crate::domain::code::{AppointmentTypeSet, ModalitySet, ProfessionSet, SpecialtySet, VisibilitySet};
use crate::domain::geo::GeoPoint;
use crate::domain::offer::CareWays;
use crate::domain::time::UtcInstant;

/// From where teleconsultation is looked for: so near, or of territories that have one of these bits.
#[derive(Clone, Copy, Debug)]
pub struct RemoteFrom {
    /// How near to the patient, in metres.
    pub near_m: u32,
    /// Bits of territories, by [`crate::domain::offer::territory_bits`].
    pub territory_bits: u64,
}

/// How far a search goes, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Where the patient is; without it only teleconsultation is searched.
    pub position: Option<GeoPoint>,
    /// Radius in metres.
    pub radius_m: u32,
    /// Now.
    pub now: UtcInstant,
    /// Care begins at this instant at the latest.
    pub until: UtcInstant,
    /// Accepted modalities.
    pub modalities: ModalitySet,
    /// Accepted appointment types.
    pub appointment_types: AppointmentTypeSet,
    /// What the regulator may see.
    pub visibilities: VisibilitySet,
    /// Accepted specialties.
    pub specialties: SpecialtySet,
    /// Accepted professions.
    pub professions: ProfessionSet,
    /// Whether cells around the patient are looked at; never without a position.
    pub by_place: bool,
    /// Whether teleconsultation is looked for by time.
    pub by_time: bool,
    /// From where, when not from anywhere.
    pub remote_from: Option<RemoteFrom>,
    /// True to look at everything of the groups within the radius, claimable or not.
    pub exhaustive: bool,
}

impl Reach {
    /// Accepted ways of care.
    pub(super) const fn ways(&self) -> CareWays {
        CareWays::new(self.modalities, self.appointment_types)
    }
}
