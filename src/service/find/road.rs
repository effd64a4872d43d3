//! The answer with road times: the match in memory first, then one asking for the last candidates, then the same rules again.
//!
//! Invariant: without road times the answer is that of [`Finder::find`]; asking takes its deadline at most, and nothing is held
//! meanwhile that others wait for. Deliberately absent: how a table is asked, which is `road`'s.

use super::{Finder, Search, Survey, stages, told_miss};
use crate::clock::Stopwatch;
use crate::domain::answer::CareAnswer;
use crate::domain::geo::GeoPoint;
use crate::domain::id::TerritoryId;
use crate::domain::query::CareQuery;
use crate::domain::record::Position;
use crate::domain::road::{Journey, RoadTimes};
use crate::domain::time::UtcInstant;
use crate::road::Roads;
use crate::routing::diversity::Choice;
use crate::routing::explanation::option;
use crate::routing::fairness::fair_shares;
use crate::routing::near::{Miss, NEAR_MISSES_MAX};
use crate::routing::question::Question;
use crate::routing::ranking::Match;
use crate::routing::road::{ByRoad, JUDGED_BEYOND, by_road, journeys, may_suit_by_road};
use crate::routing::triage::{Triage, triage};
use crate::service::Service;
use crate::trace::timed;

/// An answer that lacks its road times.
struct Draft<'q> {
    query: &'q CareQuery,
    asked_of: (Position, UtcInstant),
    triage: Triage,
    /// What was found by the straight line, when anything was looked for.
    found: Option<Found<'q>>,
}

/// What was found by the straight line.
struct Found<'q> {
    question: Question<'q>,
    /// The options and some candidates beyond.
    candidates: Vec<Match>,
    search: Search,
    misses: Vec<Miss>,
}

impl Service {
    /// Answers the regulator's question, by road where road times are had, and counts whether it found anything.
    pub async fn find_care(&self, query: &CareQuery) -> CareAnswer {
        let Some(roads) = self.roads() else { return self.find_counted(query) };
        let stopwatch = Stopwatch::start();
        let now = self.parts().clock.now();
        let (_, answer, _) = self.answered_asking(query, now, roads).await;
        self.count(query, answer, stopwatch)
    }

    /// The same by road times that are known already; neither waits nor counts.
    #[must_use]
    pub fn find_by_known_roads(&self, query: &CareQuery) -> CareAnswer {
        let Some(roads) = self.roads() else { return self.find(query) };
        let now = self.parts().clock.now();
        let known = |from, wanted: &[Journey]| roads.known(from, wanted, now);
        self.answered_by(query, now, |finder| finder.find_knowing(query, now, known)).1
    }
}

impl Finder<'_> {
    /// Answers a question with road times that are asked for; and these.
    pub(in crate::service) async fn find_asking(
        &self,
        query: &CareQuery,
        now: UtcInstant,
        roads: &Roads,
    ) -> (CareAnswer, RoadTimes) {
        let refused = self.without_refused(query);
        let query = refused.as_ref().unwrap_or(query);
        let neighbours = self.neighbours(query);
        let draft = self.draft(query, now, &neighbours);
        let times = match draft.wanted() {
            Some((from, wanted)) => roads.times(from, &wanted, now).await,
            None => RoadTimes::default(),
        };
        (stages::answering(|| self.finish(draft, &times)), times)
    }

    /// Answers a question with road times that are had at once.
    #[must_use]
    pub fn find_knowing(
        &self,
        query: &CareQuery,
        now: UtcInstant,
        known: impl FnOnce(GeoPoint, &[Journey]) -> RoadTimes,
    ) -> CareAnswer {
        let refused = self.without_refused(query);
        let query = refused.as_ref().unwrap_or(query);
        let neighbours = self.neighbours(query);
        let draft = self.draft(query, now, &neighbours);
        let times = draft.wanted().map(|(from, wanted)| known(from, &wanted)).unwrap_or_default();
        self.finish(draft, &times)
    }

    fn draft<'q>(&'q self, query: &'q CareQuery, now: UtcInstant, neighbours: &'q [TerritoryId]) -> Draft<'q> {
        let position = self.index.head();
        let triage = timed("triage", || triage(query, self.policy));
        let found = triage.searches.then(|| {
            let survey = self.survey(query, now, neighbours, query.limit() + JUDGED_BEYOND);
            let (search, misses) = stages::examining(|| self.examine(query, &survey));
            let Survey { question, choice, .. } = survey;
            Found { question, candidates: choice.into_candidates(JUDGED_BEYOND), search, misses }
        });
        Draft { query, asked_of: (position, now), triage, found }
    }

    fn finish(&self, draft: Draft<'_>, times: &RoadTimes) -> CareAnswer {
        let Draft { query, asked_of, triage, found } = draft;
        let Some(Found { question, candidates, search, misses }) = found else {
            return self.answer(query, asked_of, triage, Search::default());
        };
        let ByRoad { suited, missed } = by_road(&question, candidates, &misses, times);
        let choice = Choice::of(&question, suited.iter().map(|(_, found)| found.clone()).collect(), query.limit());
        let (alike, shares) = (choice.alike(), fair_shares(&question, &choice.told));
        let told = choice.told.into_iter().zip(shares).filter_map(|(found, fair_share)| {
            // Each schedule is there once, asked about by its own road.
            let (asked, _) = suited.iter().find(|(_, known)| known.number == found.number)?;
            let slot = found.slot()?;
            Some(option(asked, found, slot, fair_share))
        });
        let options: Vec<_> = told.collect();
        let by_road = missed.into_iter().filter_map(|(asked, miss)| told_miss(&asked, miss));
        let by_line = misses.into_iter().filter_map(|miss| told_miss(&question, miss));
        let is_no_option = |id| options.iter().all(|option| option.slot.id != id);
        let near_misses = by_road.chain(by_line).filter(|miss| is_no_option(miss.option.slot.id.clone()));
        let near_misses = near_misses.take(NEAR_MISSES_MAX).collect();
        self.answer(query, asked_of, triage, Search { options, near_misses, alike, road_doubt: times.doubt, ..search })
    }
}

impl Draft<'_> {
    /// From where which journeys are wanted; `None` when nobody travels.
    fn wanted(&self) -> Option<(GeoPoint, Vec<Journey>)> {
        let from = self.query.parts().position?;
        let Found { question, candidates, misses, .. } = self.found.as_ref()?;
        let near = misses.iter().filter(|miss| may_suit_by_road(miss)).map(|miss| &miss.found);
        let wanted = journeys(question, candidates.iter().chain(near));
        (!wanted.is_empty()).then_some((from, wanted))
    }
}
