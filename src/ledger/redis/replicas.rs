//! Looks after the replicas: how many there are, whether they confirm, and what callers are told when one does not.
//!
//! Invariant: that a replica is back is believed only when it confirmed a write that was made for that; the server's word
//! that it is online is not enough. Deliberately absent: who replaces a primary.

pub(super) mod demand;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use redis::{Pipeline, Value, cmd};

use super::keys::PROBE;
use super::link::{Link, LinkError};
use super::preflight::info;
use super::shared::Shared;
use super::topology::{self, Topology};
use super::{Ended, RedisOptions, Trouble, WhenReplicaAway};
use crate::clock::Stopwatch;
use demand::{Demand, Turn, Watched};

/// How often the replicas are looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for replicas that are tried, in milliseconds.
const PROBED_MS: u32 = 500;

/// How many replicas are attached and have caught up once, as the server tells it, which believes in one that hangs, and
/// tells one that came back twice until it notices that the first connection is dead.
pub(super) fn online(replication: &str) -> u16 {
    let online = replication.lines().filter(|line| line.starts_with("slave")).filter_map(|line| {
        let (address, state) = line.split_once(':')?.1.split_once(",state=")?;
        state.starts_with("online").then_some(address)
    });
    u16::try_from(online.collect::<BTreeSet<_>>().len()).unwrap_or(u16::MAX)
}

/// What an answer, or none, of those who decide on a failover says.
fn watched(known: &Result<Option<topology::Replicas>, Trouble>) -> Watched {
    match known {
        Ok(None) => Watched::ByNobody,
        Ok(Some(replicas)) => Watched::Reachable(replicas.reachable),
        Err(_) => Watched::Unknown,
    }
}

/// The replicas, as this instance has seen them since it started.
pub(super) struct Replicas {
    demand: RefCell<Demand>,
    watched: Cell<Watched>,
    /// Whether those who watch them could not be asked when the session began, and are still to be.
    awaits_watchers: Cell<bool>,
    when_away: WhenReplicaAway,
    running: Stopwatch,
}

impl Replicas {
    /// None was seen yet.
    pub(super) fn new(options: &RedisOptions) -> Self {
        let RedisOptions { ack_replicas, when_replica_away, replica_away_after, recovery_window: _ } = *options;
        Self {
            demand: RefCell::new(Demand::new(ack_replicas, when_replica_away, replica_away_after)),
            watched: Cell::new(Watched::Unknown),
            awaits_watchers: Cell::new(false),
            when_away: when_replica_away,
            running: Stopwatch::start(),
        }
    }

    /// Takes how many are attached before a session begins.
    pub(super) fn see(&self, online: u16) {
        self.demand.borrow_mut().know(online);
    }

    /// Takes what whoever watches them knows before a session begins, or as soon as they can be asked: one that is not attached
    /// is missed only by them.
    pub(super) fn see_watched(&self, known: &Result<Option<topology::Replicas>, Trouble>, shared: &Shared) {
        self.watched.set(watched(known));
        self.awaits_watchers.set(known.is_err());
        if let Ok(Some(topology::Replicas { known, reachable })) = *known {
            let before = (self.asked(), self.full());
            // One that was not attached when this began is as much away as one that left.
            if self.demand.borrow_mut().know_watched(known, reachable) && (self.asked(), self.full()) != before {
                self.tell_reduced(shared);
            }
        }
    }

    fn tell_reduced(&self, shared: &Shared) {
        let (asked, full) = (self.asked(), self.full());
        let reason = format!(
            "durability is reduced: {asked} of {full} replicas confirm writes; start the others, and they are waited for again \
             by themselves, or make those who watch them forget one that is gone for good (SENTINEL RESET, CLUSTER FORGET)"
        );
        tracing::error!(asked, wanted = full, "{reason}");
        shared.reduce(Some(reason));
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

    /// Below how many a server should take no write of its own accord: those that it takes while it is cut off are lost.
    pub(super) fn least(&self) -> u16 {
        match self.when_away {
            WhenReplicaAway::Reduce => self.full().min(1),
            WhenReplicaAway::Refuse => self.full(),
        }
    }

    /// Takes how many confirmed a write that waited for those that are asked for, and tells what follows.
    pub(super) fn observe(&self, reached: u64, shared: &Shared) -> Turn {
        let reached = u16::try_from(reached).unwrap_or(u16::MAX);
        let turn = self.demand.borrow_mut().observe(reached, self.running.elapsed(), self.watched.get());
        let full = self.full();
        match turn {
            Turn::Same => {}
            Turn::Reduced => self.tell_reduced(shared),
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

    /// The same while a session stands, in which writes may have to be refused, or accepted again.
    pub(super) fn observe_in_session(&self, reached: u64, shared: &Shared) {
        match self.observe(reached, shared) {
            Turn::Refusing => shared.refuse(&self.refusal(reached)),
            Turn::Restored if self.when_away == WhenReplicaAway::Refuse => shared.accept(),
            Turn::Restored | Turn::Same | Turn::Reduced => {}
        }
    }

    /// Why writes are refused when so few confirm them.
    fn refusal(&self, reached: u64) -> String {
        Trouble::FewReplicas { reached, wanted: self.full() }.to_string()
    }
}

/// Tries replicas that are missing or new.
pub(super) struct Probe<'a> {
    /// Its connection: waiting for a replica that is away must hold up nobody else.
    pub(super) link: Link,
    /// Who watches them besides the server.
    pub(super) topology: &'a Topology,
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
        if self.replicas.awaits_watchers.get() {
            self.replicas.see_watched(&self.topology.known_replicas().await, self.shared);
        }
        let online = online(&info(&mut self.link, "replication").await?);
        let full = self.replicas.full();
        let newcomers = self.replicas.demand.borrow().would_take(online);
        // An instance that writes nothing must find out too that one is away.
        if self.replicas.demand.borrow().is_met() && !newcomers && online >= full {
            return Ok(());
        }
        self.replicas.watched.set(watched(&self.topology.known_replicas().await));
        let wanted = if newcomers { online } else { full };
        let reached = self.confirmed(wanted).await?;
        if newcomers && reached >= u64::from(wanted) {
            self.replicas.demand.borrow_mut().know(online);
            self.shared.note_durability(self.shared.durability().confirmed_by(wanted));
        }
        self.replicas.observe_in_session(reached, self.shared);
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
        assert_eq!(online(info), 1);
        let again = format!("{info}slave2:ip=127.0.0.1,port=1,state=online,offset=9,lag=1\r\n");
        assert_eq!(online(&again), 1, "it is attached twice");
    }
}
