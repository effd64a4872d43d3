//! What is wrong with a slot that was an option and is none: the rules that it fails, as an explanation asks them.
//!
//! Invariant: the question is as wide as it can become, so that what fails nothing gave way to others: nearer ones that made
//! the radius smaller, or any at all beside a teleconsultation of last resort.

use std::sync::Arc;

use super::Finder;
use crate::domain::code::Modality;
use crate::domain::geo::EarthVector;
use crate::domain::id::SlotId;
use crate::domain::offer::{Candidate, Offer};
use crate::domain::query::CareQuery;
use crate::domain::road::RoadTimes;
use crate::domain::time::UtcInstant;
use crate::routing::eligibility::RuleSet;
use crate::routing::policy::BeyondTerritory;
use crate::routing::question::{Question, Surroundings};
use crate::routing::radius::RadiusPlan;
use crate::routing::road::asked_by_road;
use crate::routing::verdict::failed;

impl Finder<'_> {
    /// Which rules a slot of a schedule fails in a modality, by road where times are known; `None` when the schedule does not
    /// have it.
    pub(in crate::service) fn failed(
        &self,
        query: &CareQuery,
        (now, times): (UtcInstant, &RoadTimes),
        (offer, slot_id): (&Arc<Offer>, &SlotId),
        modality: Modality,
    ) -> Option<RuleSet> {
        let at = offer.row.slots().position(|slot| slot.id.is(slot_id.as_str()))?;
        let opening = offer.row.openings().get(at)?;
        let refused = self.without_refused(query);
        let query = refused.as_ref().unwrap_or(query);
        let neighbours = self.neighbours(query);
        let surroundings = Surroundings { department: query.department(), neighbours: &neighbours };
        let radius_m = RadiusPlan::new(query, self.policy).widest().radius().radius_m;
        let question = Question::new(query, self.policy, now, radius_m, surroundings);
        let last_resort = self.policy.teleconsultation.beyond == BeyondTerritory::LastResort;
        let question = if last_resort { question.from_anywhere() } else { question };
        let question = asked_by_road(&question, offer, times).unwrap_or(question);
        let patient = query.parts().position.as_ref().map(EarthVector::from);
        let distance_m = patient.zip(offer.vector).map(|(patient, place)| patient.distance_m(&place));
        Some(failed(&question, &Candidate { number: 0, offer, distance_m }, opening, modality))
    }
}
