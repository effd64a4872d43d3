//! What this instance answered and wrote in the last hour, minute by minute.
//!
//! Invariant: sixty minutes are kept, of a fixed size, whatever happens. Each thread counts in a part of its own, so that
//! counting waits for nobody; who looks adds the parts up. Only that something happened is kept, and when.

use parking_lot::Mutex;

use crate::clock::SharedClock;
use crate::domain::answer::CareOutcome;
use crate::domain::time::{MS_PER_MINUTE, UtcInstant};
use crate::service::error::Reason;
use crate::service::tension::{PARTS, own_part};
use crate::service::witness::{Answered, Operated, Operation, OperationResult, Witness};

/// Minutes that are told, the one that runs included.
pub const ACTIVITY_MINUTES: usize = 60;

/// What is counted beside answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Deed {
    /// A slot was held.
    Hold,
    /// A slot that was wanted, for a new booking or in place of another, was taken.
    Conflict,
    /// A hold was confirmed.
    Confirm,
    /// A hold was given back.
    Release,
    /// A booking was cancelled.
    Cancel,
    /// A booking was moved to another slot.
    Rebook,
    /// A hold ended without confirmation or release, whichever instance gave it: at least so many, since a slot remembers
    /// its last few claims only.
    Expiry,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Hold, Self::Conflict, Self::Confirm, Self::Release, Self::Cancel, Self::Rebook, Self::Expiry];

    /// What an operation on a booking was; `None` when nothing came of it but a refusal that is no conflict.
    const fn of(operated: &Operated<'_>) -> Option<Self> {
        match (operated.operation, operated.result) {
            (Operation::Hold | Operation::Rebook, OperationResult::Refused(Reason::SlotTaken)) => Some(Self::Conflict),
            (_, OperationResult::Refused(_) | OperationResult::Replayed) => None,
            (Operation::Hold, OperationResult::Done { .. }) => Some(Self::Hold),
            (Operation::Confirm, OperationResult::Done { .. }) => Some(Self::Confirm),
            (Operation::Release, OperationResult::Done { .. }) => Some(Self::Release),
            (Operation::Cancel, OperationResult::Done { .. }) => Some(Self::Cancel),
            (Operation::Rebook, OperationResult::Done { .. }) => Some(Self::Rebook),
        }
    }
}

/// What happened in a minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Minute {
    /// When it began.
    pub begins_at: UtcInstant,
    answers: [u64; CareOutcome::ALL.len()],
    deeds: [u64; Deed::ALL.len()],
}

impl Minute {
    const fn empty(begins_at: UtcInstant) -> Self {
        Self { begins_at, answers: [0; CareOutcome::ALL.len()], deeds: [0; Deed::ALL.len()] }
    }

    /// Answers of an outcome.
    #[must_use]
    pub fn answers(&self, outcome: CareOutcome) -> u64 {
        self.answers.get(outcome as usize).copied().unwrap_or(0)
    }

    /// All answers.
    #[must_use]
    pub fn answer_count(&self) -> u64 {
        self.answers.iter().sum()
    }

    /// How often something was done.
    #[must_use]
    pub fn deeds(&self, deed: Deed) -> u64 {
        self.deeds.get(deed as usize).copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Self) {
        let of = |own: &mut [u64], others: &[u64]| own.iter_mut().zip(others).for_each(|(own, more)| *own += more);
        of(&mut self.answers, &other.answers);
        of(&mut self.deeds, &other.deeds);
    }
}

/// The last hour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activity {
    /// [`ACTIVITY_MINUTES`] of them, the oldest first; the last one runs.
    pub minutes: Vec<Minute>,
}

impl Activity {
    /// Adds holds that ended, by when. What an earlier hour knew of them stands: it saw what was forgotten since.
    pub(super) fn note_expired(&mut self, ends: &[UtcInstant], earlier: Option<&Self>) {
        let Some(first) = self.minutes.first().map(|first| first.begins_at) else { return };
        for end in ends {
            let minutes = end.ms_since(first).div_euclid(MS_PER_MINUTE);
            let minute = usize::try_from(minutes).ok().and_then(|at| self.minutes.get_mut(at));
            if let Some(count) = minute.and_then(|minute| minute.deeds.get_mut(Deed::Expiry as usize)) {
                *count += 1;
            }
        }
        for old in earlier.into_iter().flat_map(|earlier| &earlier.minutes) {
            let known = self.minutes.iter_mut().find(|minute| minute.begins_at == old.begins_at);
            if let Some(count) = known.and_then(|minute| minute.deeds.get_mut(Deed::Expiry as usize)) {
                *count = (*count).max(old.deeds(Deed::Expiry));
            }
        }
    }

    /// How often something was done in the hour.
    #[must_use]
    pub fn deeds(&self, deed: Deed) -> u64 {
        self.minutes.iter().map(|minute| minute.deeds(deed)).sum()
    }
}

/// The counters.
pub(in crate::service) struct Tallied {
    clock: SharedClock,
    parts: Box<[Mutex<Ring>]>,
}

/// The last minutes, each at its number modulo how many there are.
struct Ring([Minute; ACTIVITY_MINUTES]);

impl Witness for Tallied {
    fn answered(&self, answered: &Answered<'_>) {
        self.note_answer(answered.answer.outcome, answered.answer.stamp.answered_at);
    }

    fn operated(&self, operated: &Operated<'_>) {
        if let Some(deed) = Deed::of(operated) {
            self.count(self.clock.now(), |minute| minute.deeds.get_mut(deed as usize));
        }
    }
}

impl Tallied {
    /// Nothing was counted yet.
    pub(in crate::service) fn new(clock: SharedClock) -> Self {
        let empty = || Mutex::new(Ring([Minute::empty(UtcInstant::MIN); ACTIVITY_MINUTES]));
        Self { clock, parts: (0..PARTS).map(|_| empty()).collect() }
    }

    fn note_answer(&self, outcome: CareOutcome, at: UtcInstant) {
        self.count(at, |minute| minute.answers.get_mut(outcome as usize));
    }

    fn count(&self, at: UtcInstant, counter: impl FnOnce(&mut Minute) -> Option<&mut u64>) {
        let Some(part) = self.parts.get(own_part()) else { return };
        let mut ring = part.lock();
        let begins_at = minute_of(at);
        let Some(minute) = ring.0.get_mut(place_of(begins_at)) else { return };
        if minute.begins_at != begins_at {
            *minute = Minute::empty(begins_at);
        }
        if let Some(counter) = counter(minute) {
            *counter += 1;
        }
    }

    /// The hour that ends with the minute of an instant.
    pub(super) fn told(&self, now: UtcInstant) -> Activity {
        let last = minute_of(now);
        let back = (0..).take(ACTIVITY_MINUTES).map(|minutes: i64| last.plus_ms(-minutes * MS_PER_MINUTE));
        let mut minutes: Vec<_> = back.map(Minute::empty).collect();
        minutes.reverse();
        for part in &self.parts {
            let ring = part.lock();
            for minute in &mut minutes {
                let kept = ring.0.get(place_of(minute.begins_at));
                if let Some(kept) = kept.filter(|kept| kept.begins_at == minute.begins_at) {
                    minute.add(kept);
                }
            }
        }
        Activity { minutes }
    }
}

/// The beginning of the minute of an instant.
fn minute_of(at: UtcInstant) -> UtcInstant {
    UtcInstant::from_ms(at.ms().div_euclid(MS_PER_MINUTE) * MS_PER_MINUTE)
}

/// The place of a minute in a ring.
fn place_of(begins_at: UtcInstant) -> usize {
    let number = begins_at.ms().div_euclid(MS_PER_MINUTE);
    usize::try_from(number).unwrap_or(0) % ACTIVITY_MINUTES
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    fn at(seconds: i64) -> UtcInstant {
        UtcInstant::from_ms(1_800_000_000_000 + seconds * 1_000)
    }

    fn tallied() -> (Tallied, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(at(0)));
        (Tallied::new(Arc::<ManualClock>::clone(&clock)), clock)
    }

    #[test]
    fn an_hour_is_told_and_what_is_older_is_not() {
        let (tallied, clock) = tallied();
        tallied.note_answer(CareOutcome::Appointment, at(0));
        tallied.note_answer(CareOutcome::Appointment, at(59));
        tallied.note_answer(CareOutcome::NoSlotInTime, at(60));
        clock.advance_seconds(60);
        let refused = OperationResult::Refused(Reason::SlotTaken);
        tallied.operated(&Operated { operation: Operation::Hold, result: refused, source: None });
        tallied.operated(&Operated { operation: Operation::Confirm, result: refused, source: None });
        let told = tallied.told(at(61)).minutes;
        assert_eq!(told.len(), ACTIVITY_MINUTES);
        let [.., before, running] = &told[..] else { panic!() };
        assert_eq!((before.answers(CareOutcome::Appointment), before.answer_count()), (2, 2));
        assert_eq!((running.answers(CareOutcome::NoSlotInTime), running.deeds(Deed::Conflict)), (1, 1));
        assert_eq!((before.begins_at, running.begins_at, running.deeds(Deed::Confirm)), (at(0), at(60), 0));

        let sum = |now| tallied.told(now).minutes.iter().map(Minute::answer_count).sum::<u64>();
        assert_eq!([sum(at(59 * 60)), sum(at(60 * 60)), sum(at(61 * 60))], [3, 1, 0]);
        // The same place of the ring, an hour later.
        tallied.note_answer(CareOutcome::WalkIn, at(3_600));
        assert_eq!(sum(at(3_600)), 2);
    }

    #[test]
    fn a_hold_that_ended_stays_counted_when_its_slot_forgets_it() {
        let (tallied, _) = tallied();
        let mut first = tallied.told(at(120));
        first.note_expired(&[at(10), at(70), at(71), at(-3_600)], None);
        assert_eq!(first.deeds(Deed::Expiry), 3, "the last is older than the hour");
        let mut second = tallied.told(at(180));
        second.note_expired(&[at(70), at(130)], Some(&first));
        assert_eq!(second.deeds(Deed::Expiry), 4);
    }

    #[test]
    fn no_count_is_lost_between_threads() {
        let (tallied, _) = tallied();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1_000).for_each(|_| tallied.note_answer(CareOutcome::WalkIn, at(0))));
            }
        });
        assert_eq!(tallied.told(at(0)).minutes.last().unwrap().answers(CareOutcome::WalkIn), 8_000);
    }
}
