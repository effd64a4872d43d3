//! Looks after the replicas: how many there are, whether they confirm, and what callers are told when one does not.
//!
//! Invariant: that a replica is back is believed only when it confirmed a write that was made for that; the server's word
//! that it is online is not enough. Deliberately absent: who replaces a primary.

use std::cell::RefCell;
use std::time::Duration;

use redis::{Pipeline, Value, cmd};

use super::demand::{Demand, Turn};
use super::keys::PROBE;
use super::link::{Link, LinkError};
use super::preflight::info;
use super::shared::Shared;
use super::{Ended, RedisOptions, Trouble, WhenReplicaAway};
use crate::clock::Stopwatch;

/// How often the replicas are looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for replicas that are tried, in milliseconds.
const PROBED_MS: u32 = 500;

/// What is known of the replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sight {
    /// How many are attached and have caught up once.
    pub(super) online: u16,
    /// How many of those that should be there whoever watches them says are away; `None` where nobody does.
    pub(super) away: Option<u16>,
}

impl Sight {
    /// As the server tells it: nobody but the server watches them, and it believes in a replica that hangs.
    pub(super) fn of_info(replication: &str) -> Self {
        let is_online = |line: &&str| line.starts_with("slave") && line.contains("state=online");
        let online = replication.lines().filter(is_online).count();
        Self { online: u16::try_from(online).unwrap_or(u16::MAX), away: None }
    }
}

/// The replicas, as this instance has seen them since it started.
pub(super) struct Replicas {
    demand: RefCell<Demand>,
    away: RefCell<Option<u16>>,
    when_away: WhenReplicaAway,
    away_after: Duration,
    running: Stopwatch,
}

impl Replicas {
    /// None was seen yet.
    pub(super) fn new(options: &RedisOptions) -> Self {
        let RedisOptions { ack_replicas, when_replica_away, replica_away_after, recovery_window: _ } = *options;
        Self {
            demand: RefCell::new(Demand::new(ack_replicas, when_replica_away, replica_away_after)),
            away: RefCell::new(None),
            when_away: when_replica_away,
            away_after: replica_away_after,
            running: Stopwatch::start(),
        }
    }

    /// Takes what is seen before a session begins.
    pub(super) fn see(&self, sight: Sight) {
        self.demand.borrow_mut().know(sight.online);
        *self.away.borrow_mut() = sight.away;
    }

    /// A session begins.
    pub(super) fn begin(&self) {
        self.demand.borrow_mut().begin();
    }

    /// How many must confirm a write now.
    pub(super) fn asked(&self) -> u16 {
        self.demand.borrow().asked()
    }

    /// How many should.
    pub(super) fn full(&self) -> u16 {
        self.demand.borrow().full()
    }

    /// Takes how many confirmed a write that waited for those that are asked for, and tells what follows.
    pub(super) fn observe(&self, reached: u64, shared: &Shared) -> Turn {
        let reached = u16::try_from(reached).unwrap_or(u16::MAX);
        let away = *self.away.borrow();
        let mut demand = self.demand.borrow_mut();
        let turn = demand.observe(reached, self.running.elapsed(), away);
        let (asked, full) = (demand.asked(), demand.full());
        match turn {
            Turn::Same => {}
            Turn::Reduced => {
                let seconds = self.away_after.as_secs_f32();
                let reason = format!(
                    "durability is reduced: {asked} of {full} replicas confirm writes, since the others have not for \
                     {seconds} s; start them, and they are waited for again by themselves"
                );
                tracing::error!(asked, wanted = full, "{reason}");
                shared.reduce(Some(reason));
            }
            Turn::Refusing => {
                tracing::error!(
                    reached,
                    wanted = full,
                    "a replica does not confirm writes: they are refused until it does"
                );
            }
            Turn::Restored => {
                tracing::info!(replicas = full, "as many replicas as wanted confirm writes again");
                shared.reduce(None);
            }
        }
        turn
    }

    /// Why writes are refused when so few confirm them.
    pub(super) fn refusal(&self, reached: u64) -> String {
        Trouble::FewReplicas { reached, wanted: self.full() }.to_string()
    }
}

/// Tries replicas that are missing or new.
pub(super) struct Probe<'a> {
    /// Its connection: waiting for a replica that is away must hold up nobody else.
    pub(super) link: Link,
    /// What is known of them.
    pub(super) replicas: &'a Replicas,
    /// What the callers see.
    pub(super) shared: &'a Shared,
}

impl Probe<'_> {
    /// Looks at them now and then until the link fails.
    pub(super) async fn run(&mut self) -> Ended {
        loop {
            tokio::time::sleep(INTERVAL).await;
            match self.step().await {
                // Refused by a server that is full or read-only: nothing was confirmed, and the writer is told the same.
                Ok(()) | Err(LinkError::Said { .. }) => {}
                Err(error) => return Ended::Lost(error),
            }
        }
    }

    async fn step(&mut self) -> Result<(), LinkError> {
        let sight = Sight::of_info(&info(&mut self.link, "replication").await?);
        *self.replicas.away.borrow_mut() = sight.away;
        let full = self.replicas.full();
        let newcomers = self.replicas.demand.borrow().would_take(sight.online);
        if self.replicas.demand.borrow().is_met() && !newcomers {
            return Ok(());
        }
        let wanted = if newcomers { sight.online } else { full };
        let reached = self.confirmed(wanted).await?;
        if newcomers && reached >= u64::from(wanted) {
            self.replicas.demand.borrow_mut().know(sight.online);
            self.shared.note_durability(self.shared.durability().confirmed_by(wanted));
        }
        let is_refused = match self.replicas.observe(reached, self.shared) {
            Turn::Refusing => Some(true),
            Turn::Restored => Some(false),
            Turn::Same | Turn::Reduced => None,
        };
        match is_refused.filter(|_| self.replicas.when_away == WhenReplicaAway::Refuse) {
            Some(true) => self.shared.refuse(&self.replicas.refusal(reached)),
            Some(false) => self.shared.accept(),
            None => {}
        }
        Ok(())
    }

    /// How many replicas have a write that is made for this.
    async fn confirmed(&mut self, wanted: u16) -> Result<u64, LinkError> {
        let mut commands = Pipeline::with_capacity(2);
        let mut write = cmd("HSET");
        write.arg(PROBE).arg("at").arg(self.replicas.running.elapsed().as_micros().to_string());
        commands.add_command(write);
        let mut wait = cmd("WAIT");
        wait.arg(wanted).arg(PROBED_MS);
        commands.add_command(wait);
        let mut replies = self.link.send(&commands).await?.into_iter();
        let missing = || LinkError::Odd("too few replies");
        replies.next().ok_or_else(missing)??;
        let Value::Int(reached) = replies.next().ok_or_else(missing)?? else { return Err(LinkError::Odd("WAIT")) };
        Ok(u64::try_from(reached).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_replicas_that_have_caught_up_are_seen() {
        let info = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
                    slave0:ip=127.0.0.1,port=1,state=online,offset=1,lag=0\r\n\
                    slave1:ip=127.0.0.1,port=2,state=wait_bgsave,offset=0,lag=0\r\n";
        assert_eq!(Sight::of_info(info), Sight { online: 1, away: None });
    }
}
