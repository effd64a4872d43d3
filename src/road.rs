//! Road times from the `table` service of an OSRM or Valhalla server: few, soon, or not at all.
//!
//! Invariant: asking takes the deadline at most, whatever the server does; what is kept, what is under way and what is read of
//! an answer are bounded; an answer that cannot be true is not used at all. The position of a patient leaves this module only
//! in a request, as a corner of a grid of about 100 metres, and never as text: failures have names, not messages.
//! Deliberately absent: what a time means for an option, which is `routing`'s.

mod base;
mod breaker;
mod cache;
mod client;
mod engine;
mod osrm;
mod plausibility;
mod valhalla;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::domain::geo::GeoPoint;
use crate::domain::road::{Heading, Journey, RoadDoubt, RoadProfile, RoadTime, RoadTimes};
use crate::domain::time::UtcInstant;
use crate::trace::{self, Attribute};

use breaker::Breaker;
use cache::{Cache, Corner};
use client::Client;
use engine::{Table, TableEngine};

pub use base::{BaseAddress, BaseAddressError};
pub use client::CertificatesError;

/// Most tables that are asked for at once; a server that needs longer for more would miss the deadline anyway.
const UNDER_WAY_MAX: usize = 32;
/// Most times that are kept.
const KEPT_MAX: usize = 65_536;

/// Which server is asked, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoadOptions {
    /// What it speaks.
    pub engine: EngineKind,
    /// Where tables by car are.
    pub car: BaseAddress,
    /// Where tables on foot are; absent when nobody has any.
    pub walking: Option<BaseAddress>,
    /// Longest wait for an answer, connecting included.
    pub deadline: Duration,
}

/// What a server speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EngineKind {
    /// The HTTP interface of OSRM 5.
    Osrm,
    /// The HTTP interface of Valhalla 3.
    Valhalla,
}

impl EngineKind {
    /// Its name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Osrm => "osrm",
            Self::Valhalla => "valhalla",
        }
    }
}

/// How road times stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoadHealth {
    /// What the server speaks.
    pub engine: EngineKind,
    /// Tables that were asked for.
    pub asked_count: u64,
    /// Of these, how many failed.
    pub failed_count: u64,
    /// Times that were known from an earlier table.
    pub known_count: u64,
    /// Tables that were not asked for, because too many were or the last ones failed.
    pub skipped_count: u64,
    /// Why the last one failed; `None` once one succeeded.
    pub last_failure: Option<RoadDoubt>,
    /// Until when none is asked for; `None` when they are.
    pub paused_until: Option<UtcInstant>,
    /// Whether so many failed in a row that one at a time is tried.
    pub is_failing: bool,
}

/// Road times of one server.
pub struct Roads {
    kind: EngineKind,
    engine: Box<dyn TableEngine>,
    car: Client,
    walking: Option<Client>,
    deadline: Duration,
    under_way: Semaphore,
    cache: Mutex<Cache>,
    breaker: Mutex<Breaker>,
    counts: Counters,
}

#[derive(Default)]
struct Counters {
    asked: AtomicU64,
    failed: AtomicU64,
    known: AtomicU64,
    skipped: AtomicU64,
}

impl Roads {
    /// Road times under these options.
    ///
    /// # Errors
    /// When a server is to be asked over TLS and the machine's certificates cannot be read.
    pub fn new(options: RoadOptions) -> Result<Arc<Self>, CertificatesError> {
        let RoadOptions { engine: kind, car, walking, deadline } = options;
        let engine: Box<dyn TableEngine> = match kind {
            EngineKind::Osrm => Box::new(osrm::Osrm),
            EngineKind::Valhalla => Box::new(valhalla::Valhalla),
        };
        Ok(Arc::new(Self {
            kind,
            engine,
            car: Client::new(car)?,
            walking: walking.map(Client::new).transpose()?,
            deadline,
            under_way: Semaphore::new(UNDER_WAY_MAX),
            cache: Mutex::new(Cache::new(KEPT_MAX)),
            breaker: Mutex::default(),
            counts: Counters::default(),
        }))
    }

    /// How they stand.
    #[must_use]
    pub fn health(&self, now: UtcInstant) -> RoadHealth {
        let Counters { asked, failed, known, skipped } = &self.counts;
        let breaker = *self.breaker.lock();
        RoadHealth {
            engine: self.kind,
            asked_count: asked.load(Ordering::Relaxed),
            failed_count: failed.load(Ordering::Relaxed),
            known_count: known.load(Ordering::Relaxed),
            skipped_count: skipped.load(Ordering::Relaxed),
            last_failure: breaker.last_failure(),
            paused_until: breaker.paused_until(now),
            is_failing: breaker.is_failing(),
        }
    }

    /// What is known of journeys from or to a position, without asking.
    #[must_use]
    pub fn known(&self, position: GeoPoint, journeys: &[Journey], now: UtcInstant) -> RoadTimes {
        self.recall(Corner::of(position), journeys, now).0
    }

    /// The times of journeys from or to a position: those that are known, and the others by asking.
    pub async fn times(&self, position: GeoPoint, journeys: &[Journey], now: UtcInstant) -> RoadTimes {
        let corner = Corner::of(position);
        let (mut times, unknown) = self.recall(corner, journeys, now);
        let ask = |profile, heading| {
            let of_table = |journey: &&Journey| (journey.profile, journey.heading) == (profile, heading);
            self.ask(corner, unknown.iter().filter(of_table).copied().collect(), now)
        };
        let (there, back, there_on_foot, back_on_foot) = tokio::join!(
            ask(RoadProfile::Car, Heading::FromPatient),
            ask(RoadProfile::Car, Heading::ToPatient),
            ask(RoadProfile::Walking, Heading::FromPatient),
            ask(RoadProfile::Walking, Heading::ToPatient),
        );
        for asked in [there, back, there_on_foot, back_on_foot] {
            times.known.extend(asked.known);
            times.doubt = times.doubt.max(asked.doubt);
        }
        times
    }

    /// What is known, and the journeys of which nothing is although somebody might know.
    fn recall(&self, corner: Corner, journeys: &[Journey], now: UtcInstant) -> (RoadTimes, Vec<Journey>) {
        let (mut times, mut unknown) = (RoadTimes::default(), Vec::new());
        let cache = self.cache.lock();
        for journey in journeys.iter().filter(|journey| self.client(journey.profile).is_some()) {
            match cache.get(corner, journey, now) {
                Some(Some(time)) => times.known.push((*journey, time)),
                Some(None) => times.doubt = times.doubt.max(Some(RoadDoubt::NoRoad)),
                None => unknown.push(*journey),
            }
        }
        drop(cache);
        let known = u64::try_from(times.known.len()).unwrap_or(u64::MAX);
        self.counts.known.fetch_add(known, Ordering::Relaxed);
        (times, unknown)
    }

    const fn client(&self, profile: RoadProfile) -> Option<&Client> {
        match profile {
            RoadProfile::Car => Some(&self.car),
            RoadProfile::Walking => self.walking.as_ref(),
        }
    }

    /// Asks for one table, if it may be asked for now.
    async fn ask(&self, corner: Corner, journeys: Vec<Journey>, now: UtcInstant) -> RoadTimes {
        let Some(first) = journeys.first() else { return RoadTimes::default() };
        let Some(client) = self.client(first.profile) else { return RoadTimes::default() };
        let doubted = |doubt| RoadTimes { known: Vec::new(), doubt: Some(doubt) };
        let Ok(_permit) = self.under_way.try_acquire() else {
            self.counts.skipped.fetch_add(1, Ordering::Relaxed);
            return doubted(RoadDoubt::Busy);
        };
        if !self.breaker.lock().admits(now) {
            self.counts.skipped.fetch_add(1, Ordering::Relaxed);
            return doubted(RoadDoubt::Paused);
        }
        self.counts.asked.fetch_add(1, Ordering::Relaxed);
        let span = trace::parent().question("road.table");
        span.set(Attribute::PLACES, journeys.len());
        let table = Table::new(corner.position(), (first.profile, first.heading), &journeys);
        // On the heap, so that calls that ask nothing carry no room for an exchange.
        let answer = timeout(self.deadline, Box::pin(span.parent().carry(self.answer(client, &table)))).await;
        let answer = answer.unwrap_or(Err(RoadDoubt::Late));
        match answer {
            Ok(seconds) => {
                self.breaker.lock().succeeded();
                self.keep(corner, journeys, &seconds, now)
            }
            Err(doubt) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                self.breaker.lock().failed(doubt, now);
                span.fail(doubt.code());
                let trace_id = span.parent().trace_id();
                tracing::warn!(reason = doubt.code(), trace_id, "a road table could not be had, travel is estimated");
                doubted(doubt)
            }
        }
    }

    async fn answer(&self, client: &Client, table: &Table) -> Result<Vec<Option<u32>>, RoadDoubt> {
        let (status, body) = client.send(self.engine.question(table)).await?;
        let seconds = self.engine.answer(status, &body, table.places.len())?;
        plausibility::checked(table, &seconds)
    }

    fn keep(&self, corner: Corner, journeys: Vec<Journey>, seconds: &[Option<u32>], now: UtcInstant) -> RoadTimes {
        let mut times = RoadTimes::default();
        let mut cache = self.cache.lock();
        for (journey, seconds) in journeys.into_iter().zip(seconds.iter().copied()) {
            cache.keep(corner, &journey, seconds, now);
            match seconds {
                Some(seconds) => times.known.push((journey, RoadTime { seconds, age_seconds: 0 })),
                None => times.doubt = Some(RoadDoubt::NoRoad),
            }
        }
        times
    }
}

impl fmt::Debug for Roads {
    /// Without what is kept, which tells where patients are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roads").field("kind", &self.kind).finish_non_exhaustive()
    }
}
