//! The answer to an open call, and then what changes of it.
//!
//! A watch hears that something may have changed ([`mod@hub`]), answers the question anew, and tells only a difference that
//! matters ([`shown`]). Invariant: what is told is worked out when the client can take it, so it always is the newest state,
//! and what waits for a slow client is a mark, never a queue. The clinical delay counts from the first answer.
//! Deliberately absent: anything that a write would wait for, and the wire.

mod answer;
mod bell;
mod gone;
mod hub;
mod interest;
mod notice;
mod registry;
mod shown;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::limits::{
    RETRY_WATCH_AFTER_MS, WATCH_INTERVAL_MS, WATCH_RECHECK_MIN_MS, WATCH_RECHECK_MS, WATCH_SECONDS_DEFAULT,
    WATCH_SECONDS_MAX, WATCHES_MAX, WATCHES_PER_CALLER_MAX,
};
use super::{Caller, Service};
use crate::clock::Stopwatch;
use crate::domain::answer::CareAnswer;
use crate::domain::query::CareQuery;
use crate::domain::record::Position;
use crate::domain::road::RoadTimes;
use crate::domain::time::{MS_PER_SECOND, UtcInstant};
use crate::domain::violation::Violation;

use hub::Seat;
use interest::Interest;

pub use gone::{Gone, GoneReason};
pub(super) use hub::Hub;
pub use shown::{Shown, ShownOption};

/// How many watches may be open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchLimits {
    /// Of all callers together.
    pub watches_max: usize,
    /// Of one caller.
    pub watches_per_caller_max: usize,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self { watches_max: WATCHES_MAX, watches_per_caller_max: WATCHES_PER_CALLER_MAX }
    }
}

/// Digest of a question, by which a token is told to belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuestionDigest(pub [u8; 16]);

impl QuestionDigest {
    /// The digest of a question in any form that is the same whenever the question is.
    #[must_use]
    pub fn of(question: &[u8]) -> Self {
        Self(Digest::of("watch").bytes(question).finish().0)
    }
}

/// What a client resumes with: what it was shown, and of which state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WatchToken {
    /// The question.
    pub question: QuestionDigest,
    /// The last change that the answer took into account.
    pub position: Position,
    /// When the answer was given.
    pub answered_at: UtcInstant,
    /// Latest instant at which care may begin, as the first answer had it.
    pub needed_by_at: Option<UtcInstant>,
    /// What the client was shown.
    pub shown: Shown,
}

/// A watch that is asked for.
#[derive(Clone, Debug)]
pub struct WatchRequest {
    /// The question.
    pub query: CareQuery,
    /// Its digest.
    pub question: QuestionDigest,
    /// How long to watch; absent for [`WATCH_SECONDS_DEFAULT`].
    pub seconds: Option<u32>,
    /// Where a watch that was cut is resumed.
    pub token: Option<WatchToken>,
}

/// What a client is told.
#[derive(Clone, Debug)]
pub struct WatchUpdate {
    /// What is different from what the client was shown; `None` when that cannot be told, or nothing was shown.
    pub difference: Option<Difference>,
    /// The whole answer as it is now.
    pub answer: CareAnswer,
    /// What to resume with.
    pub token: WatchToken,
}

/// What is different between two answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// Places of the options that are new, from 0.
    pub new: Vec<usize>,
    /// Places of those that are not new and are believed otherwise, from 0.
    pub confidence_changed: Vec<usize>,
    /// Options that are no longer among them.
    pub gone: Vec<Gone>,
    /// Whether the availability is another.
    pub availability_changed: bool,
    /// Whether other emergency sites are shown, or their access or saturation changed.
    pub sites_changed: bool,
}

/// An open watch; closed when it is dropped.
#[derive(Debug)]
pub struct Watch {
    service: Service,
    seat: Seat,
    query: CareQuery,
    question: QuestionDigest,
    ends_at: UtcInstant,
    shown: Option<Shown>,
    /// Whether the first answer is still to be counted: it is, unless the watch goes on from an earlier one.
    to_be_counted: bool,
    /// Before this instant it is not answered anew.
    rests_until: Option<Instant>,
    /// The road times of the first answer, which later ones keep so that their order is altered by nothing but the availability.
    first_roads: Option<(RoadTimes, UtcInstant)>,
}

impl Service {
    /// Sets how many watches may be open; those that are stay so.
    pub fn limit_watches(&self, limits: WatchLimits) {
        self.shared.watches.limit(limits);
    }

    /// How many watches are open.
    #[must_use]
    pub fn open_watches(&self) -> usize {
        self.shared.watches.open()
    }

    /// Opens a watch of a question.
    ///
    /// # Errors
    /// When it is to last too long, or too many are open.
    pub fn watch(&self, caller: &Caller, request: WatchRequest) -> Result<Watch, Error> {
        let WatchRequest { query, question, seconds, token } = request;
        let seconds = seconds.unwrap_or(WATCH_SECONDS_DEFAULT);
        if !(1..=WATCH_SECONDS_MAX).contains(&seconds) {
            let message = format!("give 1 to {WATCH_SECONDS_MAX} seconds, then watch again with the last token");
            return Err(Error::invalid(vec![Violation::new("duration_seconds", message)]));
        }
        let now = self.parts().clock.now();
        let ends_at = now.plus_seconds(seconds);
        let seat = Hub::sit_down(&self.shared.watches, caller, ends_at).map_err(too_many)?;
        seat.keep_dispatched(self);
        let to_be_counted = token.is_none();
        let token = token.filter(|token| self.can_resume(token, question, now));
        let needed_by_at = token.as_ref().and_then(|token| token.needed_by_at).or(query.parts().needed_by_at);
        let shown = token.map(|token| token.shown);
        let query = query.needed_by(needed_by_at).shown(shown.as_ref().map(Shown::slot_ids).unwrap_or_default());
        let (service, rests_until, first_roads) = (self.clone(), None, None);
        Ok(Watch { service, seat, query, question, ends_at, shown, to_be_counted, rests_until, first_roads })
    }

    /// Whether what changed since a token can be told: it is of this question and of a state that this history contains.
    fn can_resume(&self, token: &WatchToken, question: QuestionDigest, now: UtcInstant) -> bool {
        let head = self.parts().index.head();
        let is_of_history = (token.position.partition, token.position.epoch) == (head.partition, head.epoch);
        let is_known = is_of_history && token.position.sequence <= head.sequence;
        let age_ms = now.ms_since(token.answered_at);
        let is_of_this_call = age_ms <= i64::from(WATCH_SECONDS_MAX) * MS_PER_SECOND;
        token.question == question && is_known && is_of_this_call
    }
}

fn too_many(message: String) -> Error {
    Error { retry_after_ms: Some(RETRY_WATCH_AFTER_MS), ..Error::new(Reason::TooManyWatches, message) }
}

impl Watch {
    /// Waits for what the client is to be told next; `None` when the time of the watch is over.
    pub async fn next(&mut self) -> Option<WatchUpdate> {
        loop {
            self.seat.rung().await;
            if let Some(until) = self.rests_until {
                sleep_until(until).await;
            }
            self.seat.quiet();
            let now = self.service.parts().clock.now();
            if now >= self.ends_at || !self.seat.is_taken() {
                return None;
            }
            let update = self.look(now).await;
            self.rests_until = Some(Instant::now() + Duration::from_millis(WATCH_INTERVAL_MS));
            if update.is_some() {
                return update;
            }
        }
    }

    /// Answers the question anew, says what to listen for next, and what to tell the client, if anything.
    async fn look(&mut self, now: UtcInstant) -> Option<WatchUpdate> {
        let stopwatch = Stopwatch::start();
        let dispatched = self.seat.dispatched();
        let (in_force, mut answer, times) = self.answered(now).await;
        let finder = self.service.finder(&in_force, &self.query, now);
        if std::mem::take(&mut self.to_be_counted) {
            answer = self.service.count(&self.query, answer, stopwatch);
        }
        if self.query.parts().needed_by_at.is_none() {
            self.query = self.query.clone().needed_by(answer.needed_by_at);
        }
        let shown = Shown::of(&answer);
        let difference = self.shown.as_ref().map(|old| old.difference(&shown, &finder, &self.query, (&answer, &times)));
        let interest = Interest::of(&self.query, &answer, &finder);
        let gone = difference.iter().flat_map(|difference| difference.gone.iter());
        let returns = gone.filter_map(|gone| gone.free_from);
        let wake_at = wake_at(&answer, finder.policy.arrival_margin_minutes, now);
        self.seat.settle(interest, returns.collect(), wake_at, dispatched);
        if self.shown.as_ref() == Some(&shown) {
            return None;
        }
        // The turns of others must not move what is looked at.
        self.query = self.query.clone().shown(shown.slot_ids());
        self.shown = Some(shown.clone());
        let token = WatchToken {
            question: self.question,
            position: answer.stamp.position,
            answered_at: now,
            needed_by_at: self.query.parts().needed_by_at,
            shown,
        };
        Some(WatchUpdate { difference, answer, token })
    }
}

/// When time alone may alter an answer, at most [`WATCH_RECHECK_MS`] from now.
fn wake_at(answer: &CareAnswer, margin_minutes: u32, now: UtcInstant) -> UtcInstant {
    let options = answer.options.iter().map(|option| shown::may_fail_at(option, answer.needed_by_at, margin_minutes));
    let misses = answer.near_misses.iter().map(|miss| miss.option.slot.free_from()).filter(|at| *at > now);
    let sites = answer.emergency_sites.iter().flat_map(|site| {
        let travel_ms = i64::from(site.travel_minutes) * 60 * MS_PER_SECOND;
        let changes = [site.access_changes_at, site.saturated_until].into_iter().flatten();
        changes.map(move |at| at.plus_ms(-travel_ms))
    });
    // An instant that has passed without effect was a minute early at most: it is looked again soon.
    let next = |at: UtcInstant| if at > now { at } else { now.plus_ms(WATCH_RECHECK_MIN_MS) };
    let first = options.chain(misses).chain(sites).map(next).min();
    first.unwrap_or(UtcInstant::MAX).min(now.plus_ms(WATCH_RECHECK_MS))
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}
