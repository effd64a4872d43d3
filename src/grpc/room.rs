//! Room for calls by class, so that when there is too little of it what matters least is refused first.
//!
//! | class | refused |
//! |---|---|
//! | a regulator's question | when the processors are behind, see [`Questions`]; whether it is an escalation is known only once it is read, so a refused one is still read, and an escalation answered |
//! | what ends something: confirm, release, cancel | last: beyond the places of all calls they have a reserve |
//! | whatever else | when as many calls are under way as are allowed |
//! | a watch | by the service, which limits watches |
//!
//! Invariant: nobody waits for room. Questions and writes take none of each other's: a ledger that stalls fills no place of a
//! question. Escalations are bounded by what the transport carries, and by nothing here. Deliberately absent: callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::witness::CallKind;
use crate::clock::Stopwatch;
use crate::service::limits::WATCHES_CEILING;

/// The call that stays open, whose number the service limits by caller and in all.
const WATCH_PATH: &str = "/sas.routing.v1.RoutingService/WatchCare";
/// The question, which costs processor time and no more.
const QUESTION_PATH: &str = "/sas.routing.v1.RoutingService/FindCare";
/// What ends something that was begun: a patient relies on it, or it gives back a place.
const COMPLETIONS: [&str; 3] = [
    "/sas.routing.v1.BookingService/ConfirmHold",
    "/sas.routing.v1.BookingService/ReleaseHold",
    "/sas.routing.v1.BookingService/CancelBooking",
];
/// The reserve of completions is this part of the places of all.
const RESERVE_PART: usize = 4;
/// More questions than a transport carries.
const HEARD_CEILING: usize = u32::MAX as usize;

/// The longest that a question may stand before it is begun, when not for a moment but all the time.
const STANDING: Duration = Duration::from_millis(1);
/// How long the time is in which that is judged.
const WINDOW: Duration = Duration::from_millis(10);
/// So many must have been begun in it, so that one late question after a pause lowers nothing.
const JUDGED_LEAST: usize = 8;
/// So many questions may be under way however late they begin.
const QUESTIONS_LEAST: usize = 8;
/// So many at the start.
const QUESTIONS_AT_FIRST: usize = 64;

/// Beside a request: it is to be answered only when it is an escalation, and refused as `OVERLOADED` otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EscalationsOnly;

/// What kind of call it is, as far as room is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// A regulator's question.
    Question,
    /// What ends something that was begun.
    Completion,
    /// Whatever else ends soon.
    Other,
    /// One that stays open.
    Watch,
}

impl Class {
    /// The class of a path.
    pub(super) fn of(path: &str) -> Self {
        match path {
            QUESTION_PATH => Self::Question,
            WATCH_PATH => Self::Watch,
            path if COMPLETIONS.contains(&path) => Self::Completion,
            _ => Self::Other,
        }
    }

    /// As what it is counted.
    pub(super) const fn kind(self) -> CallKind {
        match self {
            Self::Question => CallKind::Question,
            Self::Completion | Self::Other => CallKind::Call,
            Self::Watch => CallKind::Watch,
        }
    }
}

/// What a call found.
#[derive(Debug)]
pub(super) enum Entry {
    /// Its place.
    Place(Place),
    /// Room to be read, and to be answered if it is an escalation.
    Glance(Place),
    /// Nothing.
    Full,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// Until the last byte is sent.
    _permit: OwnedSemaphorePermit,
    /// Of a question among those that are worked on, until it is answered: sending takes no processor, and who does not
    /// read an answer must keep nobody out.
    at_work: Option<OwnedSemaphorePermit>,
    /// Who is told when a question is begun.
    questions: Option<Arc<Questions>>,
}

impl Place {
    /// Tells that the call is begun, so long after it came.
    pub(super) fn begun(&self, stood: Duration) {
        if let Some(questions) = &self.questions {
            questions.begun(stood);
        }
    }

    /// Tells that what remains is to send the answer.
    pub(super) fn answered(&mut self) {
        self.at_work = None;
    }
}

/// A number of places.
#[derive(Clone, Debug)]
struct Places {
    free: Arc<Semaphore>,
    max: usize,
}

impl Places {
    fn new(max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(max)), max }
    }

    fn enter(&self) -> Option<Place> {
        Arc::clone(&self.free).try_acquire_owned().ok().map(|permit| Place {
            _permit: permit,
            at_work: None,
            questions: None,
        })
    }

    fn taken(&self) -> usize {
        self.max - self.free.available_permits()
    }

    async fn idle(&self) {
        // An error would mean that the semaphore was closed, which nobody does.
        drop(self.free.acquire_many(u32::try_from(self.max).unwrap_or(u32::MAX)).await);
    }
}

/// What is under way, and the most of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Taken {
    pub(super) calls: usize,
    pub(super) calls_max: usize,
    pub(super) questions: usize,
    pub(super) questions_max: usize,
    pub(super) watches: usize,
}

/// The room of a server.
#[derive(Clone, Debug)]
pub(super) struct Room {
    calls: Places,
    /// Completions beyond these.
    reserve: Places,
    questions: Arc<Questions>,
    /// Questions until their answers are sent, also those that are only read for escalations: counted, so that a drain waits
    /// for them.
    heard: Places,
    /// Open watches: counted, so that a drain waits for them, and kept from the places of calls.
    watches: Places,
}

impl Room {
    /// Room for so many calls, and at most so many questions beside them.
    pub(super) fn new(calls_max: usize) -> Self {
        Self {
            calls: Places::new(calls_max),
            reserve: Places::new(calls_max.div_ceil(RESERVE_PART)),
            questions: Arc::new(Questions::new(calls_max)),
            heard: Places::new(HEARD_CEILING),
            watches: Places::new(WATCHES_CEILING),
        }
    }

    /// What there is for a call.
    pub(super) fn enter(&self, class: Class) -> Entry {
        let place = match class {
            Class::Question => return self.heard.enter().map_or(Entry::Full, |place| self.questions.enter(place)),
            Class::Completion => self.calls.enter().or_else(|| self.reserve.enter()),
            Class::Other => self.calls.enter(),
            Class::Watch => self.watches.enter(),
        };
        place.map_or(Entry::Full, Entry::Place)
    }

    /// What is under way.
    pub(super) fn taken(&self) -> Taken {
        Taken {
            calls: self.calls.taken() + self.reserve.taken(),
            calls_max: self.calls.max,
            questions: self.heard.taken(),
            questions_max: self.questions.limit.load(Ordering::Relaxed),
            watches: self.watches.taken(),
        }
    }

    /// Waits until nothing is under way.
    pub(super) async fn idle(&self) {
        for places in [&self.calls, &self.reserve, &self.heard, &self.watches] {
            places.idle().await;
        }
    }
}

/// How many questions are under way, and how many may be: as many as are begun soon after they came.
///
/// A question costs processor time, so more of them than processors only stand in line. When most of those begun within
/// a window in which the limit was near stood too long, it is cut by an eighth; when not, it grows by a sixteenth. A question
/// that waits for road times or for a position takes no processor, makes nobody late, and so does not lower it.
#[derive(Debug)]
pub(super) struct Questions {
    /// As many as there can ever be room for.
    places: Places,
    limit: AtomicUsize,
    least: usize,
    age: Stopwatch,
    /// When the window ends, in microseconds of the age.
    ends_us: AtomicU64,
    begun: AtomicUsize,
    late: AtomicUsize,
    /// Whether the limit was near in this window.
    is_needed: AtomicBool,
}

impl Questions {
    fn new(most: usize) -> Self {
        Self {
            places: Places::new(most),
            limit: AtomicUsize::new(QUESTIONS_AT_FIRST.min(most)),
            least: QUESTIONS_LEAST.min(most),
            age: Stopwatch::start(),
            ends_us: AtomicU64::new(0),
            begun: AtomicUsize::new(0),
            late: AtomicUsize::new(0),
            is_needed: AtomicBool::new(false),
        }
    }

    /// Two that come at the same moment may both see the last place below the limit: it is a measure, the number of places is not.
    fn enter(self: &Arc<Self>, heard: Place) -> Entry {
        let (limit, taken) = (self.limit.load(Ordering::Relaxed), self.places.taken());
        if taken + 1 >= limit {
            self.is_needed.store(true, Ordering::Relaxed);
        }
        let at_work = if taken < limit { Arc::clone(&self.places.free).try_acquire_owned().ok() } else { None };
        match at_work {
            Some(_) => Entry::Place(Place { at_work, questions: Some(Arc::clone(self)), ..heard }),
            None => Entry::Glance(heard),
        }
    }

    fn begun(&self, stood: Duration) {
        self.judge(stood, self.age.elapsed());
    }

    /// Counts one that stood so long, at this age; ends the window when it is over.
    fn judge(&self, stood: Duration, age: Duration) {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        if stood > STANDING {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        let now_us = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        let ends_us = self.ends_us.load(Ordering::Relaxed);
        let next_us = now_us.saturating_add(u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX));
        if now_us < ends_us
            || begun < JUDGED_LEAST
            || self.ends_us.compare_exchange(ends_us, next_us, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        let (begun, late) = (self.begun.swap(0, Ordering::Relaxed), self.late.swap(0, Ordering::Relaxed));
        let was_needed = self.is_needed.swap(false, Ordering::Relaxed);
        let limit = self.limit.load(Ordering::Relaxed);
        if !was_needed {
            // Whoever made them late, it was not that too many questions were answered at once.
            return;
        }
        if late * 2 > begun {
            self.limit.store((limit - limit.div_ceil(8)).max(self.least), Ordering::Relaxed);
        } else {
            self.limit.store((limit + limit.div_ceil(16)).min(self.places.max), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
