//! A query's way through the index: which cells and ticks are visited, for which judge.

use super::Index;
use super::reach::Reach;
use super::scan::CellScan;
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::Judge;

impl Index {
    /// Hands to the judge every schedule that might still matter to it: by place, nearest cells first, then by time.
    ///
    /// A schedule may be handed over more than once. What is left out could not have suited: the judge's own bounds said
    /// so, or the filters did.
    pub fn search<J: Judge>(&self, reach: &Reach, judge: &mut J) {
        let ways = Ways::asked(reach);
        let vector = reach.position.as_ref().map(EarthVector::from);
        for group in self.groups_of(reach.specialties, reach.professions) {
            if let (Some(position), Some(center), true) = (&reach.position, vector, reach.by_place) {
                let (radius_m, until, exhaustive) = (reach.radius_m, reach.until, reach.exhaustive);
                group.grid.scan(position, &CellScan { center, radius_m, ways, until, exhaustive }, judge);
            }
            if reach.by_time {
                group.remote.scan(vector.as_ref(), ways, reach, judge);
            }
        }
    }
}
