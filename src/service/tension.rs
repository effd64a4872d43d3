//! Which needs found nothing: counts of answers, in memory, by local day.
//!
//! Invariant: nothing is kept of a question but the counters that it raised, whose number is bounded; no position, no case.
//! Each thread counts in a part of its own, so that counting waits for nobody; a listing adds the parts up. What finds no
//! room is counted without detail. Answers are counted, not cases: who asks twice counts twice, who watches once, with the
//! first answer.
//! Deliberately absent: durability; a restart begins anew, and the answer says since when it counts.

use std::cell::Cell as ThreadCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{Days, NaiveDate, Timelike as _};
use chrono_tz::Tz;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::clock::Stopwatch;
use crate::domain::answer::{CareAnswer, CareOutcome, Stamp};
use crate::domain::department::Department;
use crate::domain::id::TerritoryId;
use crate::domain::query::CareQuery;
use crate::domain::tally::{Scope, TallyId};
use crate::domain::tension::{AskedFor, SMALL_COUNT_MIN, UnmetCount, UnmetNeed, told};
use crate::domain::time::UtcInstant;
use crate::index::Index;

use super::Service;
use super::error::Error;
use super::limits::{TENSION_CELLS_MAX, TENSION_DAYS_KEPT};

/// Parts in which threads count.
pub(super) const PARTS: usize = 16;
/// Most counters of one part.
const PART_CELLS_MAX: usize = TENSION_CELLS_MAX / PARTS;

/// Needs of a day that found nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unmet {
    /// How many answers were looked for; `None` when too few to be told.
    pub asked_count: Option<u64>,
    /// How many of them found nothing; `None` when too few to be told.
    pub nothing_found_count: Option<u64>,
    /// Those in as much detail as hides everybody.
    pub needs: Vec<UnmetCount>,
    /// The zone in which the day begins and ends.
    pub zone: Tz,
    /// Since when answers are counted.
    pub counted_since: UtcInstant,
    /// The state of which this is told.
    pub stamp: Stamp,
}

/// The counters.
pub(super) struct Tension {
    parts: Box<[Mutex<Part>]>,
}

/// Needs of one sort, of a day, that found nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Sort {
    day: NaiveDate,
    department: Department,
    territory: Option<TerritoryId>,
    need: UnmetNeed,
}

#[derive(Clone, Copy, Default)]
struct Totals {
    asked: u64,
    unmet: u64,
}

/// What one thread counted, and those that share its part.
struct Part {
    newest: NaiveDate,
    sorts: FxHashMap<Sort, u64>,
    totals: FxHashMap<TallyId, Totals>,
}

impl Tension {
    /// Nothing was counted yet.
    pub(super) fn new() -> Self {
        let empty = || Part { newest: NaiveDate::MIN, sorts: FxHashMap::default(), totals: FxHashMap::default() };
        Self { parts: (0..PARTS).map(|_| Mutex::new(empty())).collect() }
    }

    /// Counts the answer to a question.
    pub(super) fn note(&self, index: &Index, query: &CareQuery, answer: &CareAnswer) {
        // A territory that nobody knows would be a counter for whoever makes up numbers.
        let territory = query.parts().territories.first().and_then(|id| index.territory(id));
        let of_territory = || territory.as_ref().and_then(|territory| territory.value.department());
        let Some(department) = query.department().or_else(of_territory) else { return };
        let local = answer.stamp.answered_at.to_local(department.zone());
        let need = UnmetNeed {
            asked: AskedFor::of(query.parts()),
            age_band: query.parts().age.map(|age| age.category()),
            local_hour: u8::try_from(local.hour()).unwrap_or(0),
            commune: query.parts().commune,
        };
        let territory = territory.map(|territory| territory.value.id);
        let sort = Sort { day: local.date_naive(), department, territory, need };
        if let Some(part) = self.parts.get(own_part()) {
            part.lock().count(sort, answer.outcome == CareOutcome::NoSlotInTime);
        }
    }

    /// The totals of a scope and day, and its needs that found nothing.
    fn of(&self, id: TallyId) -> (Totals, Vec<(UnmetNeed, u64)>) {
        let mut totals = Totals::default();
        let mut needs: FxHashMap<UnmetNeed, u64> = FxHashMap::default();
        for part in &self.parts {
            let part = part.lock();
            let of_part = part.totals.get(&id).copied().unwrap_or_default();
            totals.asked += of_part.asked;
            totals.unmet += of_part.unmet;
            for (sort, count) in part.sorts.iter().filter(|(sort, _)| sort.is_of(id)) {
                *needs.entry(sort.need).or_default() += count;
            }
        }
        (totals, needs.into_iter().collect())
    }
}

impl Sort {
    fn is_of(&self, id: TallyId) -> bool {
        let is_theirs = match id.scope {
            Scope::Territory(territory) => self.territory == Some(territory),
            Scope::Department(department) => self.department == department,
        };
        is_theirs && self.day == id.day
    }
}

impl Part {
    fn count(&mut self, sort: Sort, is_unmet: bool) {
        self.turn_to(sort.day);
        let scopes = sort.territory.map(Scope::Territory).into_iter().chain([Scope::Department(sort.department)]);
        for scope in scopes {
            let totals = self.totals.entry(TallyId { scope, day: sort.day }).or_default();
            totals.asked += 1;
            totals.unmet += u64::from(is_unmet);
        }
        if !is_unmet {
            return;
        }
        let has_room = self.sorts.len() < PART_CELLS_MAX;
        match self.sorts.get_mut(&sort) {
            Some(count) => *count += 1,
            None if has_room => {
                self.sorts.insert(sort, 1);
            }
            // Counted in the totals alone, and so told without detail.
            None => {}
        }
    }

    /// Drops the oldest day when a new one begins.
    fn turn_to(&mut self, day: NaiveDate) {
        let first_kept = |newest: NaiveDate| newest.checked_sub_days(Days::new(TENSION_DAYS_KEPT - 1));
        if day > self.newest {
            self.newest = day;
        } else if first_kept(self.newest).is_some_and(|first| day < first) {
            // The clock was ahead and was set right: what it counted then is of days that have not come.
            self.newest = day;
            self.sorts.retain(|sort, _| sort.day <= day);
            self.totals.retain(|id, _| id.day <= day);
        } else {
            return;
        }
        let first = first_kept(self.newest).unwrap_or(NaiveDate::MIN);
        self.sorts.retain(|sort, _| sort.day >= first);
        self.totals.retain(|id, _| id.day >= first);
    }
}

/// The part in which this thread counts.
pub(super) fn own_part() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: ThreadCell<Option<usize>> = const { ThreadCell::new(None) };
    }
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let part = NEXT.fetch_add(1, Ordering::Relaxed) % PARTS;
            own.set(Some(part));
            part
        })
    })
}

impl Service {
    /// Answers the regulator's question, counts whether it found anything, and notes whose turn it was.
    #[must_use]
    pub fn find_counted(&self, query: &CareQuery) -> CareAnswer {
        let stopwatch = Stopwatch::start();
        self.count(query, self.find(query), stopwatch)
    }

    /// Counts whether an answer found anything, and the turn of whom it names first, and tells of it; the watch was started when
    /// the question was asked.
    pub(super) fn count(&self, query: &CareQuery, answer: CareAnswer, stopwatch: Stopwatch) -> CareAnswer {
        self.note_turn(query, &answer);
        // Where nothing was looked for, nothing was missed.
        if answer.needed_by_at.is_some() {
            self.shared.tension.note(&self.parts().index, query, &answer);
        }
        self.tell_answered(query, &answer, stopwatch);
        answer
    }

    /// Which needs of a territory or department found nothing on a day.
    ///
    /// # Errors
    /// When the territory is unknown.
    pub fn unmet_needs(&self, scope: Scope, day: NaiveDate) -> Result<Unmet, Error> {
        let zone = self.zone_of(scope)?;
        let (totals, needs) = self.shared.tension.of(TallyId { scope, day });
        let tellable = |count: u64| (count >= SMALL_COUNT_MIN).then_some(count);
        Ok(Unmet {
            asked_count: tellable(totals.asked),
            nothing_found_count: tellable(totals.unmet),
            needs: told(&needs, totals.unmet),
            zone,
            counted_since: self.started_at(),
            stamp: self.stamp(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn sort(on: &str, local_hour: u8) -> Sort {
        let need = UnmetNeed { asked: AskedFor::Unstated, age_band: None, local_hour, commune: None };
        Sort { day: day(on), department: Department::parse("69").unwrap(), territory: None, need }
    }

    fn unmet(tension: &Tension, on: &str) -> u64 {
        let scope = Scope::Department(Department::parse("69").unwrap());
        tension.of(TallyId { scope, day: day(on) }).0.unmet
    }

    fn count(tension: &Tension, on: &str, local_hour: u8) {
        tension.parts[0].lock().count(sort(on, local_hour), true);
    }

    #[test]
    fn the_oldest_day_is_dropped_when_a_new_one_begins() {
        let tension = Tension::new();
        for on in ["2026-11-20", "2026-11-23", "2026-11-22", "2026-11-27"] {
            count(&tension, on, 9);
        }
        let known = |on| unmet(&tension, on);
        assert_eq!(["2026-11-20", "2026-11-22", "2026-11-23", "2026-11-27"].map(known), [1, 1, 1, 1]);
        count(&tension, "2026-11-28", 9);
        assert_eq!(unmet(&tension, "2026-11-20"), 0, "kept for 8 days");
        assert_eq!(unmet(&tension, "2026-11-22"), 1);
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_stop_the_counting() {
        let tension = Tension::new();
        count(&tension, "2026-11-23", 9);
        count(&tension, "2030-01-01", 9);
        count(&tension, "2026-11-23", 10);
        count(&tension, "2026-11-24", 10);
        assert_eq!((unmet(&tension, "2026-11-23"), unmet(&tension, "2026-11-24")), (1, 1));
        assert_eq!(unmet(&tension, "2030-01-01"), 0);
    }

    #[test]
    fn what_finds_no_room_is_counted_without_detail() {
        let tension = Tension::new();
        let ages = PART_CELLS_MAX + 100;
        for number in 0..ages {
            let number = u32::try_from(number).unwrap();
            let mut sort = sort("2026-11-23", u8::try_from(number % 24).unwrap());
            let commune = format!("{:02}{:03}", 1 + number / 999 % 19, 1 + number % 999);
            sort.need.commune = crate::domain::id::CommuneCode::parse(&commune).ok();
            tension.parts[0].lock().count(sort, true);
        }
        let scope = Scope::Department(Department::parse("69").unwrap());
        let (totals, needs) = tension.of(TallyId { scope, day: day("2026-11-23") });
        assert_eq!((totals.unmet, needs.len()), (ages as u64, PART_CELLS_MAX));
        let told = told(&needs, totals.unmet);
        assert_eq!(told.iter().map(|one| one.count).sum::<u64>(), ages as u64);
    }

    #[test]
    fn many_threads_lose_no_count() {
        let tension = Tension::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for hour in 0..1_000u32 {
                        let part = &tension.parts[own_part()];
                        part.lock().count(sort("2026-11-23", u8::try_from(hour % 24).unwrap()), true);
                    }
                });
            }
        });
        assert_eq!(unmet(&tension, "2026-11-23"), 8_000);
    }
}
