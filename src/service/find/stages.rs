//! How long the stages of a walk take, of a question that is traced.
//!
//! A walk looks at cells and judges schedules in turns. Of a question that is traced the time in the judge is taken apart and told as
//! one stage behind the other, so that both have the length that they have together. Invariant: a question that is not traced walks as
//! if this file were not there, but for one look.

use std::time::Duration;

use super::Search;
use crate::clock::Stopwatch;
use crate::domain::answer::CareAnswer;
use crate::domain::id::{ScheduleId, TerritoryId};
use crate::domain::offer::{Candidate, CareWays, Judge};
use crate::domain::time::UtcInstant;
use crate::index::{Index, Reach};
use crate::routing::near::Miss;
use crate::trace::{self, Attribute, Moment};

/// Walks through the index, and tells `candidates` and `eligibility` when the question is traced.
pub(super) fn search<J: Judge>(index: &Index, reach: &Reach, judge: &mut J) {
    let parent = trace::parent();
    if !parent.is_traced() {
        return index.search(reach, judge);
    }
    let (from, stopwatch) = (Moment::now(), Stopwatch::start());
    let mut timed = Timed { judge, judging: Duration::ZERO, judged: 0 };
    index.search(reach, &mut timed);
    let Timed { judging, judged, .. } = timed;
    let walking = stopwatch.elapsed().saturating_sub(judging);
    parent.tell("candidates", from, walking, &[]);
    parent.tell("eligibility", from.plus(walking), judging, &[(Attribute::JUDGED, judged.into())]);
}

/// Makes an answer, and tells what it is.
pub(super) fn answering(make: impl FnOnce() -> CareAnswer) -> CareAnswer {
    let span = trace::part("answer");
    let answer = make();
    span.set(Attribute::OUTCOME, answer.outcome.code());
    span.set(Attribute::OPTIONS, answer.options.len());
    answer
}

/// Looks for near misses, and tells among how many schedules.
pub(super) fn examining(examine: impl FnOnce() -> (Search, Vec<Miss>)) -> (Search, Vec<Miss>) {
    let span = trace::part("near_misses");
    let (search, misses) = examine();
    span.set(Attribute::EXAMINED, usize::try_from(search.examination.examined_count).unwrap_or(usize::MAX));
    (search, misses)
}

/// A judge whose time is taken.
struct Timed<'j, J> {
    judge: &'j mut J,
    judging: Duration,
    judged: usize,
}

impl<J: Judge> Judge for Timed<'_, J> {
    fn earliest_at(&self, distance_m: u32, ways: CareWays) -> UtcInstant {
        self.judge.earliest_at(distance_m, ways)
    }

    fn least_cost(&self, distance_m: u32, care_begins_at: UtcInstant) -> u32 {
        self.judge.least_cost(distance_m, care_begins_at)
    }

    fn least_remote_cost(&self, care_begins_at: UtcInstant) -> u32 {
        self.judge.least_remote_cost(care_begins_at)
    }

    fn territory_cost(&self, territories: &[TerritoryId]) -> u32 {
        self.judge.territory_cost(territories)
    }

    fn staleness_cost(&self, received_at: UtcInstant) -> u32 {
        self.judge.staleness_cost(received_at)
    }

    fn bound(&self) -> u32 {
        self.judge.bound()
    }

    fn admits_at_bound(&self, id: &ScheduleId) -> bool {
        self.judge.admits_at_bound(id)
    }

    fn judged_in_order(&self) -> usize {
        self.judge.judged_in_order()
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        let stopwatch = Stopwatch::start();
        self.judge.judge(candidate);
        self.judging += stopwatch.elapsed();
        self.judged += 1;
    }
}
