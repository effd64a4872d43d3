//! A query's way through the index: which cells and ticks are visited, for which judge.

use super::Index;
use super::cell::CellScan;
use super::node::Ways;
use crate::domain::code::{AppointmentTypeSet, Modality, ModalitySet, ProfessionSet, SpecialtySet, VisibilitySet};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::offer::Judge;
use crate::domain::time::UtcInstant;

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
    /// True to look at everything of the groups within the radius, claimable or not.
    pub exhaustive: bool,
}

impl Index {
    /// Hands to the judge every schedule that might still matter to it: by place, nearest cells first, then by time.
    ///
    /// A schedule may be handed over more than once. What is left out could not have suited: the judge's own bounds said
    /// so, or the filters did.
    pub fn search<J: Judge>(&self, reach: &Reach, judge: &mut J) {
        let ways = Ways::asked(reach);
        let vector = reach.position.as_ref().map(EarthVector::from);
        let at_distance = ModalitySet::of(&[Modality::Amb, Modality::Hh]);
        let by_place = reach.exhaustive || reach.modalities.intersects(at_distance);
        for group in self.groups_of(reach.specialties, reach.professions) {
            if let (Some(position), Some(center), true) = (&reach.position, vector, by_place) {
                let (radius_m, until, exhaustive) = (reach.radius_m, reach.until, reach.exhaustive);
                group.grid.scan(position, &CellScan { center, radius_m, ways, until, exhaustive }, judge);
            }
            if reach.modalities.contains(Modality::Vr) {
                group.remote.scan(vector.as_ref(), ways, reach.now, reach.until, judge);
            }
        }
    }
}
