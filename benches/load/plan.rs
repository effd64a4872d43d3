//! The arithmetic of an open loop: when each call is due, how the rate grows while capacity is looked for, when a server is itself again.
//!
//! Invariant: the moment of a call depends on its number and the rate and on nothing that the server does. So a server that
//! stalls for a second makes every call that was due in it late by what was left of the second; a closed loop would have
//! sent one call in it, and seen one slow answer. Absent: clocks and sockets.

use std::time::Duration;

/// A server follows as long as it answers this share of what is offered.
pub const FOLLOWS: f64 = 0.95;
/// By how much the rate grows from step to step.
const GROWTH: f64 = 1.25;
/// So many steps at most.
const STEPS_MAX: usize = 24;
/// The length of a piece of time that is judged after an overload.
pub const PIECE: Duration = Duration::from_millis(100);
/// So many good pieces in a row are a recovery.
const GOOD_PIECES: usize = 5;
/// The share of bad calls that a good piece may have.
const BAD_SHARE: f64 = 0.02;

/// When the call of this number is due after the start, at this many calls a second.
pub fn due(number: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

/// How many calls are due before so much time is over.
pub fn count(rate: f64, time: Duration) -> u64 {
    (rate * time.as_secs_f64()).round() as u64
}

/// How long a call took that was due and ended so long after the start: what it waited before it was sent is in it.
pub fn latency(due: Duration, ended: Duration) -> Duration {
    ended.saturating_sub(due)
}

/// The search for capacity: one step after the other, until what is answered no longer follows.
#[derive(Debug)]
pub struct Search {
    rate: f64,
    steps: usize,
    best: f64,
}

impl Search {
    /// From this rate upwards.
    pub fn from(rate: f64) -> Self {
        Self { rate, steps: 0, best: 0.0 }
    }

    /// The rate to offer next.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes how many calls a second were answered, and says whether there is another step.
    pub fn answered(&mut self, goodput: f64) -> bool {
        self.best = self.best.max(goodput);
        self.steps += 1;
        let follows = goodput >= FOLLOWS * self.rate;
        self.rate *= GROWTH;
        follows && self.steps < STEPS_MAX
    }

    /// The most that was answered.
    pub fn capacity(&self) -> f64 {
        self.best
    }
}

/// A piece of time after an overload: calls that were due in it, and how many of these were refused, failed or slow.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Piece {
    pub calls: u64,
    pub bad: u64,
}

/// How long after an overload a server is itself again: the start of the first five good pieces in a row after which all that is
/// left together is good as well; `None` when there are none.
pub fn recovery(pieces: &[Piece]) -> Option<Duration> {
    let is_good = |piece: &Piece| piece.calls > 0 && piece.bad as f64 <= BAD_SHARE * piece.calls as f64;
    let stays_good = |at: usize| {
        let rest = pieces[at..]
            .iter()
            .fold(Piece::default(), |all, piece| Piece { calls: all.calls + piece.calls, bad: all.bad + piece.bad });
        is_good(&rest)
    };
    let mut rows = pieces.windows(GOOD_PIECES).enumerate();
    let (at, _) = rows.find(|(at, row)| row.iter().all(is_good) && stays_good(*at))?;
    Some(PIECE * u32::try_from(at).unwrap_or(u32::MAX))
}
