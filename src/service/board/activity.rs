//! What this instance answered and wrote in the last hour, minute by minute.
//!
//! Invariant: sixty minutes are kept, of a fixed size, whatever happens. Each thread counts in a part of its own, so that
//! counting waits for nobody; who looks adds the parts up. Only that something happened is kept, and when.

use parking_lot::Mutex;

use crate::domain::answer::CareOutcome;
use crate::domain::time::{MS_PER_MINUTE, UtcInstant};
use crate::service::tension::{PARTS, own_part};

/// Minutes that are told, the one that runs included.
pub const ACTIVITY_MINUTES: usize = 60;

/// What is counted beside answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Deed {
    /// A slot was held.
    Hold,
    /// A hold was refused because the slot was taken.
    Conflict,
    /// A hold was confirmed.
    Confirm,
    /// A hold was given back.
    Release,
    /// A booking was cancelled.
    Cancel,
    /// A hold ended without confirmation or release.
    Expiry,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Hold, Self::Conflict, Self::Confirm, Self::Release, Self::Cancel, Self::Expiry];
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

/// The counters.
pub(in crate::service) struct Tallied {
    parts: Box<[Mutex<Ring>]>,
}

/// The last minutes, each at its number modulo how many there are.
struct Ring([Minute; ACTIVITY_MINUTES]);

impl Default for Tallied {
    fn default() -> Self {
        let empty = || Mutex::new(Ring([Minute::empty(UtcInstant::MIN); ACTIVITY_MINUTES]));
        Self { parts: (0..PARTS).map(|_| empty()).collect() }
    }
}

impl Tallied {
    /// Counts an answer.
    pub(in crate::service) fn note_answer(&self, outcome: CareOutcome, at: UtcInstant) {
        self.count(at, |minute| minute.answers.get_mut(outcome as usize));
    }

    /// Counts something that was done.
    pub(in crate::service) fn note_deed(&self, deed: Deed, at: UtcInstant) {
        self.count(at, |minute| minute.deeds.get_mut(deed as usize));
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
    use super::*;

    fn at(seconds: i64) -> UtcInstant {
        UtcInstant::from_ms(1_800_000_000_000 + seconds * 1_000)
    }

    #[test]
    fn an_hour_is_told_and_what_is_older_is_not() {
        let tallied = Tallied::default();
        tallied.note_answer(CareOutcome::Appointment, at(0));
        tallied.note_answer(CareOutcome::Appointment, at(59));
        tallied.note_answer(CareOutcome::NoSlotInTime, at(60));
        tallied.note_deed(Deed::Conflict, at(60));
        let told = tallied.told(at(61)).minutes;
        assert_eq!(told.len(), ACTIVITY_MINUTES);
        let [.., before, running] = &told[..] else { panic!() };
        assert_eq!((before.answers(CareOutcome::Appointment), before.answer_count()), (2, 2));
        assert_eq!((running.answers(CareOutcome::NoSlotInTime), running.deeds(Deed::Conflict)), (1, 1));
        assert_eq!((before.begins_at, running.begins_at), (at(0), at(60)));

        let sum = |now| tallied.told(now).minutes.iter().map(Minute::answer_count).sum::<u64>();
        assert_eq!([sum(at(59 * 60)), sum(at(60 * 60)), sum(at(61 * 60))], [3, 1, 0]);
        // The same place of the ring, an hour later.
        tallied.note_answer(CareOutcome::WalkIn, at(3_600));
        assert_eq!(sum(at(3_600)), 2);
    }

    #[test]
    fn no_count_is_lost_between_threads() {
        let tallied = Tallied::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1_000).for_each(|_| tallied.note_answer(CareOutcome::WalkIn, at(0))));
            }
        });
        assert_eq!(tallied.told(at(0)).minutes.last().unwrap().answers(CareOutcome::WalkIn), 8_000);
    }
}
