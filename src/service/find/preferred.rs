//! The patient's own practitioner comes first when in time.
//!
//! Its schedules are looked up once and judged by themselves, so that the walk through the index and its bounds know
//! nothing of the preference.

use crate::domain::geo::EarthVector;
use crate::domain::offer::{Candidate, Judge as _};
use crate::index::Index;
use crate::routing::question::Question;
use crate::routing::ranking::{Match, Matcher};

/// The matches with those of the preferred practitioner first, at most `limit`.
pub(super) fn first(index: &Index, question: &Question<'_>, matches: Vec<Match>, limit: usize) -> Vec<Match> {
    let Some(practitioner_id) = &question.parts.preferred_practitioner else { return matches };
    let offers = index.offers_of(practitioner_id);
    let center = question.parts.position.as_ref().map(EarthVector::from);
    let mut matcher = Matcher::new(question, limit);
    for (number, offer) in &offers {
        let distance_m = center.as_ref().zip(offer.vector.as_ref()).map(|(from, to)| from.distance_m(to));
        matcher.judge(Candidate { number: *number, offer, distance_m });
    }
    let mut ordered = matcher.into_matches();
    ordered.extend(matches.into_iter().filter(|found| offers.iter().all(|(number, _)| *number != found.number)));
    ordered.truncate(limit);
    ordered
}
