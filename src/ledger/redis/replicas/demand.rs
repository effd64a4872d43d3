//! How many replicas must confirm a write, and what follows when one of them does not.
//!
//! Invariant: fewer than wanted are asked for only where that is allowed, one at a time, each after a replica has been away
//! for the whole time, and a replica counts again only once it confirmed a write. Pure: the time that has passed is an
//! argument.

use std::time::Duration;

/// Longest pause between two looks after which the time that a replica has been away goes on counting.
const LOOKED_AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// How many replicas must have a write before it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AckReplicas {
    /// Every one that is known.
    All,
    /// So many.
    Count(u16),
}

/// What becomes of writes while a replica is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenReplicaAway {
    /// After a while one fewer is asked for, and everybody is told.
    Reduce,
    /// They are refused.
    Refuse,
}

/// What those who decide on a failover say of the replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ledger::redis) enum Watched {
    /// Nobody but the server watches them.
    ByNobody,
    /// They cannot be asked, or not enough of them: nobody is given up on a guess.
    Unknown,
    /// They hold so many for reachable.
    Reachable(u16),
}

impl Watched {
    /// Whether fewer can be reached than are asked for, as far as anybody can tell.
    const fn agrees(self, asked: u16) -> bool {
        match self {
            Self::ByNobody => true,
            Self::Unknown => false,
            Self::Reachable(reachable) => reachable < asked,
        }
    }
}

/// What follows from what was confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ledger::redis) enum Turn {
    /// Nothing new.
    Same,
    /// Another number than before is asked for, fewer than wanted.
    Reduced,
    /// Nothing can be acknowledged.
    Refusing,
    /// As many as wanted confirm again.
    Restored,
}

/// How many replicas must confirm a write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ledger::redis) struct Demand {
    wanted: AckReplicas,
    when_away: WhenReplicaAway,
    away_after: Duration,
    /// Most replicas that were ever there.
    known: u16,
    /// How many of the wanted ones are not asked for.
    given_up: u16,
    /// Since when fewer confirm than are asked for, and when that was last seen.
    short: Option<(Duration, Duration)>,
    is_refusing: bool,
}

impl Demand {
    /// Before anything is known of replicas.
    pub(in crate::ledger::redis) const fn new(
        wanted: AckReplicas,
        when_away: WhenReplicaAway,
        away_after: Duration,
    ) -> Self {
        Self { wanted, when_away, away_after, known: 0, given_up: 0, short: None, is_refusing: false }
    }

    /// So many replicas are there; those that were there before are still missed.
    pub(in crate::ledger::redis) fn know(&mut self, replicas: u16) {
        self.known = self.known.max(replicas);
    }

    /// Whoever watches the replicas knows so many, of which so many can be reached. Where that is fewer than are asked for, a
    /// session begins with one given up: after a failover the primary that died is the replica that is away. Whether any
    /// is given up.
    pub(in crate::ledger::redis) fn know_watched(&mut self, known: u16, reachable: u16) -> bool {
        self.know(known);
        if self.when_away == WhenReplicaAway::Reduce && self.given_up == 0 && reachable < self.asked() {
            self.given_up = 1;
        }
        self.given_up > 0
    }

    /// How many should confirm.
    pub(in crate::ledger::redis) const fn full(&self) -> u16 {
        match self.wanted {
            AckReplicas::All => self.known,
            AckReplicas::Count(count) => count,
        }
    }

    /// How many must confirm now.
    pub(in crate::ledger::redis) const fn asked(&self) -> u16 {
        self.full().saturating_sub(self.given_up)
    }

    /// Whether a replica that is attached would be asked for once it confirms.
    pub(in crate::ledger::redis) fn would_take(&self, attached: u16) -> bool {
        self.wanted == AckReplicas::All && attached > self.known
    }

    /// Whether all is as wanted, as far as is known.
    pub(in crate::ledger::redis) const fn is_met(&self) -> bool {
        self.given_up == 0 && self.short.is_none() && !self.is_refusing
    }

    /// A session begins: whether anything must be refused is found out anew.
    pub(in crate::ledger::redis) const fn begin(&mut self) {
        self.is_refusing = false;
    }

    /// So many confirmed a write.
    pub(in crate::ledger::redis) fn observe(&mut self, reached: u16, at: Duration, watched: Watched) -> Turn {
        let (full, asked) = (self.full(), self.asked());
        if reached >= full {
            let was_met = self.given_up == 0 && !self.is_refusing;
            (self.given_up, self.short, self.is_refusing) = (0, None, false);
            return if was_met { Turn::Same } else { Turn::Restored };
        }
        if self.when_away == WhenReplicaAway::Refuse {
            let was_refusing = std::mem::replace(&mut self.is_refusing, true);
            return if was_refusing { Turn::Same } else { Turn::Refusing };
        }
        if reached >= asked {
            self.short = None;
            self.given_up = full - reached;
            return if reached > asked { Turn::Reduced } else { Turn::Same };
        }
        let going_on = self.short.filter(|(_, seen)| at.saturating_sub(*seen) <= LOOKED_AGAIN_WITHIN);
        let since = going_on.map_or(at, |(since, _)| since);
        self.short = Some((since, at));
        let is_long = at.saturating_sub(since) >= self.away_after;
        if !is_long || !watched.agrees(asked) {
            return Turn::Same;
        }
        self.given_up += 1;
        self.short = (reached < self.asked()).then_some((at, at));
        Turn::Reduced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn all_of(known: u16, when_away: WhenReplicaAway) -> Demand {
        let mut demand = Demand::new(AckReplicas::All, when_away, seconds(10));
        demand.know(known);
        demand
    }

    /// Looks every second, from one second to another; the last thing that followed.
    fn look(demand: &mut Demand, reached: u16, watched: Watched, from: u64, to: u64) -> Turn {
        (from..=to).map(|at| demand.observe(reached, seconds(at), watched)).last().unwrap()
    }

    #[test]
    fn one_fewer_is_asked_for_once_a_replica_was_away_for_the_whole_time() {
        let mut demand = all_of(2, WhenReplicaAway::Reduce);
        assert_eq!(demand.observe(2, seconds(0), Watched::ByNobody), Turn::Same);
        assert_eq!(look(&mut demand, 1, Watched::ByNobody, 5, 14), Turn::Same);
        assert_eq!((demand.asked(), demand.is_met()), (2, false));
        assert_eq!(look(&mut demand, 1, Watched::ByNobody, 15, 15), Turn::Reduced);
        assert_eq!((demand.asked(), demand.full()), (1, 2));
        assert_eq!(look(&mut demand, 1, Watched::ByNobody, 16, 100), Turn::Same, "the other one confirms");
        assert_eq!(demand.observe(2, seconds(101), Watched::ByNobody), Turn::Restored);
        assert_eq!((demand.asked(), demand.is_met()), (2, true));
    }

    #[test]
    fn a_replica_that_confirms_in_between_begins_the_time_anew() {
        let mut demand = all_of(1, WhenReplicaAway::Reduce);
        look(&mut demand, 0, Watched::ByNobody, 0, 8);
        demand.observe(1, seconds(9), Watched::ByNobody);
        assert_eq!(look(&mut demand, 0, Watched::ByNobody, 10, 19), Turn::Same);
        assert_eq!(look(&mut demand, 0, Watched::ByNobody, 20, 20), Turn::Reduced);
    }

    #[test]
    fn time_in_which_nobody_looked_does_not_count() {
        let mut demand = all_of(1, WhenReplicaAway::Reduce);
        look(&mut demand, 0, Watched::ByNobody, 0, 5);
        assert_eq!(look(&mut demand, 0, Watched::ByNobody, 60, 69), Turn::Same, "the server itself was away");
        assert_eq!(look(&mut demand, 0, Watched::ByNobody, 70, 70), Turn::Reduced);
    }

    #[test]
    fn two_that_are_away_are_given_up_one_after_the_other_and_come_back_as_they_confirm() {
        let mut demand = all_of(3, WhenReplicaAway::Reduce);
        assert_eq!((look(&mut demand, 1, Watched::ByNobody, 0, 10), demand.asked()), (Turn::Reduced, 2));
        assert_eq!((look(&mut demand, 1, Watched::ByNobody, 11, 19), demand.asked()), (Turn::Same, 2));
        assert_eq!((look(&mut demand, 1, Watched::ByNobody, 20, 20), demand.asked()), (Turn::Reduced, 1));
        assert_eq!((demand.observe(2, seconds(21), Watched::ByNobody), demand.asked()), (Turn::Reduced, 2));
        assert_eq!((demand.observe(3, seconds(22), Watched::ByNobody), demand.asked()), (Turn::Restored, 3));
    }

    #[test]
    fn a_session_begins_with_one_given_up_that_its_watchers_cannot_reach() {
        let mut demand = all_of(1, WhenReplicaAway::Reduce);
        assert!(!demand.know_watched(2, 2));
        assert_eq!((demand.full(), demand.asked()), (2, 2), "the one that is not attached yet is waited for");
        assert!(demand.know_watched(2, 0));
        assert_eq!((demand.full(), demand.asked()), (2, 1), "never all at once");
        assert!(demand.know_watched(2, 0));
        assert_eq!(demand.asked(), 1, "nor one at each of several beginnings");
        assert_eq!((demand.observe(2, seconds(1), Watched::Unknown), demand.asked()), (Turn::Restored, 2));
        let mut refusing = all_of(1, WhenReplicaAway::Refuse);
        assert!(!refusing.know_watched(2, 1));
        assert_eq!((refusing.full(), refusing.asked()), (2, 2));
    }

    #[test]
    fn where_one_of_two_is_enough_the_other_one_may_be_away_and_this_one_is_still_waited_for() {
        let mut one = Demand::new(AckReplicas::Count(1), WhenReplicaAway::Reduce, seconds(10));
        assert!(!one.know_watched(2, 1), "one is enough");
        assert_eq!((look(&mut one, 0, Watched::Reachable(1), 0, 60), one.asked()), (Turn::Same, 1));
        assert_eq!((look(&mut one, 0, Watched::Reachable(0), 61, 61), one.asked()), (Turn::Reduced, 0));
    }

    #[test]
    fn a_replica_that_its_watchers_say_is_there_is_not_given_up() {
        let mut demand = all_of(2, WhenReplicaAway::Reduce);
        assert_eq!((look(&mut demand, 1, Watched::Reachable(2), 0, 60), demand.asked()), (Turn::Same, 2));
        assert_eq!((look(&mut demand, 1, Watched::Unknown, 61, 90), demand.asked()), (Turn::Same, 2), "not on a guess");
        assert_eq!((look(&mut demand, 1, Watched::Reachable(1), 91, 91), demand.asked()), (Turn::Reduced, 1));
        assert_eq!((look(&mut demand, 0, Watched::Reachable(1), 62, 120), demand.asked()), (Turn::Same, 1));
    }

    #[test]
    fn where_it_is_so_configured_writes_are_refused_from_the_first_that_was_short() {
        let mut demand = all_of(1, WhenReplicaAway::Refuse);
        assert_eq!(demand.observe(0, seconds(0), Watched::ByNobody), Turn::Refusing);
        assert_eq!(demand.observe(0, seconds(60), Watched::ByNobody), Turn::Same);
        assert_eq!((demand.asked(), demand.is_met()), (1, false));
        assert_eq!(demand.observe(1, seconds(61), Watched::ByNobody), Turn::Restored);
        demand.observe(0, seconds(62), Watched::ByNobody);
        demand.begin();
        assert_eq!(demand.observe(0, seconds(63), Watched::ByNobody), Turn::Refusing, "said anew in a new session");
    }

    #[test]
    fn replicas_that_are_gone_are_missed_and_a_number_is_a_number() {
        let mut demand = all_of(2, WhenReplicaAway::Reduce);
        demand.know(1);
        assert_eq!(demand.full(), 2);
        assert!(demand.would_take(3) && !demand.would_take(2));
        let mut demand = Demand::new(AckReplicas::Count(1), WhenReplicaAway::Reduce, seconds(10));
        demand.know(5);
        assert_eq!((demand.full(), demand.would_take(6)), (1, false));
        assert_eq!(demand.observe(3, seconds(0), Watched::ByNobody), Turn::Same, "more than asked for is as good");
    }
}
