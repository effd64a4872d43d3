//! The last candidates judged anew by road: whose ways are asked of a road table, and what its times make of the options.
//!
//! Invariant: nothing here is a rule. A candidate is judged by the same matcher, asked about its place alone with the time by
//! road in the place of the pace; where no time is known the estimate stands. So the order is the same total order.
//! Deliberately absent: asking, which is not for a module that only computes.

use crate::domain::answer::Rule;
use crate::domain::code::Modality;
use crate::domain::offer::{Candidate, Judge as _, Offer};
use crate::domain::patient::TravelMode;
use crate::domain::road::{Heading, Journey, RoadProfile, RoadTimes};

use super::near::{Examiner, Miss};
use super::question::{PlaceByRoad, Question};
use super::ranking::Match;
use super::verdict::offered;

/// How many candidates beyond the options are judged by road: one of them may come before an option.
pub const JUDGED_BEYOND: usize = 5;

/// What the candidates are by road.
#[derive(Debug)]
pub struct ByRoad<'q> {
    /// Those that suit, best first, each with the question as it was asked about its place.
    pub suited: Vec<(Question<'q>, Match)>,
    /// Those that suit by the straight line and not by road, nearest to fitting first.
    pub missed: Vec<(Question<'q>, Miss)>,
}

/// The journey of whoever travels for care in a modality; none for teleconsultation, for public transport, of which tables
/// know nothing, and for a place without a position.
#[must_use]
pub fn journey(question: &Question<'_>, offer: &Offer, modality: Modality) -> Option<Journey> {
    let place = offer.place.position?;
    let (profile, heading) = match (modality, question.parts.travel_mode) {
        (Modality::Vr, _) | (Modality::Amb, TravelMode::NoCar) => return None,
        (Modality::Amb, TravelMode::Car) => (RoadProfile::Car, Heading::FromPatient),
        (Modality::Amb, TravelMode::Walking) => (RoadProfile::Walking, Heading::FromPatient),
        (Modality::Hh, _) => (RoadProfile::Car, Heading::ToPatient),
    };
    Some(Journey { place, profile, heading })
}

/// The journeys of candidates, each once.
#[must_use]
pub fn journeys<'m>(question: &Question<'_>, candidates: impl Iterator<Item = &'m Match>) -> Vec<Journey> {
    let mut journeys = Vec::new();
    for found in candidates {
        for modality in found.kind.modalities().iter().filter(|modality| question.suitable.contains(*modality)) {
            let journey = journey(question, &found.offer, modality);
            journeys.extend(journey.filter(|journey| !journeys.contains(journey)));
        }
    }
    journeys
}

/// Whether a near miss might be none by road: the patient would come too late, or care begin too late on arrival.
#[must_use]
pub fn may_suit_by_road(miss: &Miss) -> bool {
    miss.found.modality == Modality::Amb && matches!(miss.rule, Rule::Arrival | Rule::Delay)
}

/// What candidates are by road: those that suit by the straight line, and near misses of it.
#[must_use]
pub fn by_road<'q>(question: &Question<'q>, matches: Vec<Match>, misses: &[Miss], times: &RoadTimes) -> ByRoad<'q> {
    let mut by_road = ByRoad { suited: Vec::with_capacity(matches.len()), missed: Vec::new() };
    let mut near: Vec<Match> = Vec::new();
    for miss in misses.iter().filter(|miss| may_suit_by_road(miss)).map(|miss| &miss.found) {
        if matches.iter().chain(&near).all(|found| found.number != miss.number) {
            near.push(miss.clone());
        }
    }
    for found in matches {
        match asked_by_road(question, &found.offer, times) {
            None => by_road.suited.push((question.clone(), found)),
            Some(asked) => match offered(&asked, candidate(&found)) {
                Some(found) => by_road.suited.push((asked, found)),
                None => by_road.missed.extend(missed(&asked, &found).map(|miss| (asked, miss))),
            },
        }
    }
    for found in near {
        let Some(asked) = asked_by_road(question, &found.offer, times) else { continue };
        by_road.suited.extend(offered(&asked, candidate(&found)).map(|found| (asked, found)));
    }
    by_road.suited.sort_by(|(_, a), (_, b)| a.order(b));
    let preferred = question.parts.preferred_practitioner.as_ref();
    if preferred.is_some() {
        by_road.suited.sort_by_key(|(_, found)| found.offer.schedule.practitioner_id.as_ref() != preferred);
    }
    by_road.missed.sort_by(|(_, a), (_, b)| a.found.order(&b.found));
    by_road
}

/// The question about one place by road; `None` when nothing is known of the ways there.
#[must_use]
pub fn asked_by_road<'q>(question: &Question<'q>, offer: &Offer, times: &RoadTimes) -> Option<Question<'q>> {
    let time = |modality| times.of(&journey(question, offer, modality)?);
    let road = PlaceByRoad { patient: time(Modality::Amb), professional: time(Modality::Hh) };
    (road != PlaceByRoad::default()).then(|| question.by_road(road))
}

fn candidate(found: &Match) -> Candidate<'_> {
    Candidate { number: found.number, offer: &found.offer, distance_m: found.distance_m }
}

/// What comes nearest to fitting of a candidate that does not suit.
fn missed(question: &Question<'_>, found: &Match) -> Option<Miss> {
    let mut examiner = Examiner::new(question, 1);
    examiner.judge(candidate(found));
    examiner.finish().misses.into_iter().next()
}
