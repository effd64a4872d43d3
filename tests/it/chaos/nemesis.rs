//! What goes wrong in a run, each fault with what it excuses.
//!
//! Invariant: a fault ends by itself, and what it broke is mended; that the program comes back is the run's business.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::disk::{cut_tail, fill, restart};
use super::history::{Allowance, Forbidden, now_ms};
use super::pause::pause;
use super::proxy::Wire;
use super::replacing::{a_replica, do_without_replica, fail_over, promote, set_apart};
use super::servers::Topology;
use super::world::{World, shifted_clock};
use crate::support::random::Random;

/// How long an instance may take to write again.
const WRITES_WITHIN: Duration = Duration::from_secs(10);
/// The same after another server became the primary.
const WRITES_AFTER_FAILOVER_WITHIN: Duration = Duration::from_secs(15);
/// How long a fault has lasted when another joins it.
const ALREADY: Duration = Duration::from_millis(200);
/// How far the clock of a server jumps, in seconds.
const JUMP_SECONDS: i64 = 4;

/// A fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nemesis {
    /// An instance is killed and started again.
    InstanceKilled,
    /// An instance stands still.
    InstanceFrozen,
    /// The server is killed and started again.
    ServerKilled,
    /// The server stands still.
    ServerFrozen,
    /// The wire of an instance is cut, or swallows one direction.
    WireBroken,
    /// Every wire is slow.
    WiresSlow,
    /// The server forgets the scripts.
    ScriptsForgotten,
    /// The server is emptied while it runs.
    Flushed,
    /// The server is killed and comes back without its files.
    Erased,
    /// The server is killed and comes back without the end of its log.
    TailCut,
    /// The server's disk is full, so that it ends; it is started again when there is room.
    DiskFull,
    /// The server comes back with a clock that is ahead.
    ClockAhead,
    /// The wire between primary and replica is cut.
    ReplicaCut,
    /// A replica is killed and started again.
    ReplicaKilled,
    /// Every connection to the primary is closed.
    ConnectionsCut,
    /// The primary is killed, others agree on the next one, and the old one comes back.
    FailedOver,
    /// The primary is cut off from replicas and sentinels but not from instances, until long after others agreed on the next.
    Apart,
    /// A replica is away for so long that writes do without it, and comes back.
    ReplicaAway,
    /// The primary is killed and the replica promoted; the old one comes back as its replica.
    Promoted,
}

/// A fault that lasts until it is ended.
enum Ongoing {
    /// A process stands still.
    Frozen(String),
    /// The wire of an instance is not whole.
    Wire(usize),
    /// No wire is whole.
    Wires,
    /// The wire between primary and replica is cut, since this instant.
    Replica(i64),
}

/// What came of a fault beside what clients were told.
#[derive(Default)]
pub(super) struct Struck {
    /// When nothing may have been acknowledged.
    pub(super) forbidden: Vec<Forbidden>,
    /// What should have come about, and did not.
    pub(super) unhealed: Vec<String>,
}

impl Nemesis {
    /// Those that servers of this topology may have.
    pub(super) const fn all(topology: Topology) -> &'static [Self] {
        match topology {
            Topology::Single => &[
                Self::InstanceKilled,
                Self::InstanceFrozen,
                Self::ServerKilled,
                Self::ServerFrozen,
                Self::WireBroken,
                Self::WiresSlow,
                Self::ScriptsForgotten,
                Self::ConnectionsCut,
                Self::Flushed,
                Self::Erased,
                Self::TailCut,
                Self::DiskFull,
                Self::ClockAhead,
            ],
            Topology::Replica => &[
                Self::InstanceKilled,
                Self::InstanceFrozen,
                Self::ServerFrozen,
                Self::WireBroken,
                Self::WiresSlow,
                Self::ScriptsForgotten,
                Self::ConnectionsCut,
                Self::ReplicaCut,
                Self::ReplicaKilled,
                Self::Promoted,
            ],
            Topology::Sentinel => &[
                Self::InstanceKilled,
                Self::InstanceFrozen,
                Self::ServerFrozen,
                Self::ScriptsForgotten,
                Self::ConnectionsCut,
                Self::Flushed,
                Self::ReplicaKilled,
                Self::ReplicaAway,
                Self::FailedOver,
                Self::Apart,
            ],
            Topology::Cluster => &[
                Self::InstanceKilled,
                Self::InstanceFrozen,
                Self::ServerFrozen,
                Self::ScriptsForgotten,
                Self::ConnectionsCut,
                Self::Flushed,
                Self::ReplicaKilled,
                Self::FailedOver,
            ],
        }
    }

    /// What it excuses: nothing that was acknowledged may be lost, whatever happens to one server while instances live.
    pub(super) fn allowance(self) -> Allowance {
        match self {
            Self::ClockAhead => Allowance { clock_slack_ms: (JUMP_SECONDS + 1) * 1_000 },
            // What instances give back to a server are records and the outcomes of requests.
            Self::Flushed
            | Self::Erased
            | Self::TailCut
            | Self::DiskFull
            | Self::InstanceKilled
            | Self::InstanceFrozen
            | Self::ServerKilled
            | Self::ServerFrozen
            | Self::WireBroken
            | Self::WiresSlow
            | Self::ScriptsForgotten
            | Self::ReplicaCut
            | Self::ReplicaKilled
            | Self::ConnectionsCut
            | Self::FailedOver
            | Self::Apart
            | Self::ReplicaAway
            | Self::Promoted => Allowance::default(),
        }
    }

    /// Within which time after it every instance writes again.
    pub(super) fn heals_within(self, topology: Topology) -> Duration {
        // Servers that agree among themselves may replace one that only stands still.
        let may_fail_over = match topology {
            Topology::Single => false,
            Topology::Replica => self == Self::Promoted,
            Topology::Sentinel | Topology::Cluster => true,
        };
        if may_fail_over { WRITES_AFTER_FAILOVER_WITHIN } else { WRITES_WITHIN }
    }

    /// Whether it can happen while another one lasts: whoever must be talked to for it must not stand still.
    pub(super) fn may_join(self, other: Self) -> bool {
        let needs_no_server =
            matches!(self, Self::InstanceKilled | Self::InstanceFrozen | Self::WireBroken | Self::WiresSlow);
        let needs_all = self == Self::ReplicaAway;
        if other == Self::ServerFrozen {
            needs_no_server
        } else if other == Self::ReplicaCut {
            self != other && self != Self::Promoted
        } else {
            let leaves_servers = matches!(other, Self::InstanceFrozen | Self::WireBroken | Self::WiresSlow);
            leaves_servers && self != other && !needs_all
        }
    }

    /// Lets it happen, for so long where it lasts.
    pub(super) async fn strike(self, world: &mut World, random: &mut Random, lasts: Duration) -> Struck {
        let mut struck = Struck::default();
        if let Some(ongoing) = self.begin(world, random).await {
            pause(lasts).await;
            struck.forbidden.extend(ongoing.end(world));
        } else {
            self.happen(world, random, lasts, &mut struck).await;
        }
        struck
    }

    /// The same while another one lasts.
    pub(super) async fn strike_within(
        self,
        other: Self,
        world: &mut World,
        random: &mut Random,
        lasts: Duration,
    ) -> Struck {
        let ongoing = other.begin(world, random).await.expect("what another joins lasts");
        pause(ALREADY).await;
        let mut struck = self.strike(world, random, lasts).await;
        struck.forbidden.extend(ongoing.end(world));
        struck
    }

    /// Begins it when it lasts.
    async fn begin(self, world: &mut World, random: &mut Random) -> Option<Ongoing> {
        let instance = random.below(world.instances.len());
        let frozen = |pid: String| {
            signal(&pid, "-STOP");
            Ongoing::Frozen(pid)
        };
        Some(match self {
            Self::InstanceFrozen => frozen(world.instances[instance].process.as_ref().unwrap().pid()),
            Self::ServerFrozen => frozen(world.servers.primary().pid()),
            Self::WireBroken => {
                let wire = [Wire::Cut, Wire::Mute, Wire::Deaf][random.below(3)];
                world.instances[instance].wire.set(wire);
                Ongoing::Wire(instance)
            }
            Self::WiresSlow => {
                world.instances.iter().for_each(|member| member.wire.set(Wire::Slow(Duration::from_millis(60))));
                Ongoing::Wires
            }
            Self::ReplicaCut => {
                world.servers.own().replication.as_ref().unwrap().cut(Wire::Cut).await;
                Ongoing::Replica(now_ms())
            }
            Self::InstanceKilled
            | Self::ServerKilled
            | Self::ScriptsForgotten
            | Self::Flushed
            | Self::Erased
            | Self::TailCut
            | Self::DiskFull
            | Self::ClockAhead
            | Self::ReplicaKilled
            | Self::ReplicaAway
            | Self::ConnectionsCut
            | Self::FailedOver
            | Self::Apart
            | Self::Promoted => return None,
        })
    }

    async fn happen(self, world: &mut World, random: &mut Random, lasts: Duration, struck: &mut Struck) {
        match self {
            Self::InstanceKilled => {
                let instance = random.below(world.instances.len());
                let process = world.instances[instance].process.take().unwrap();
                tokio::task::block_in_place(|| process.kill());
                world.run(instance);
            }
            Self::ServerKilled => restart(world.servers.primary(), |_| {}),
            Self::ScriptsForgotten => assert_eq!(world.servers.primary().say("SCRIPT FLUSH"), "+OK"),
            Self::Flushed => assert_eq!(world.servers.primary().say("FLUSHALL"), "+OK"),
            Self::Erased => restart(world.servers.primary(), |server| server.forget()),
            Self::TailCut => {
                let bytes = 8_192 + u64::try_from(random.below(16_384)).unwrap();
                restart(world.servers.primary(), |server| cut_tail(server, bytes));
            }
            Self::DiskFull => fill(world.servers.primary()).await,
            Self::ClockAhead => {
                let ahead = shifted_clock(JUMP_SECONDS).expect("the run looked for libfaketime");
                let server = world.servers.primary();
                tokio::task::block_in_place(|| {
                    server.kill();
                    server.run_in(&ahead);
                });
                pause(lasts).await;
                restart(world.servers.primary(), |_| {});
            }
            Self::ReplicaKilled => restart(a_replica(world), |_| {}),
            Self::ReplicaAway => struck.unhealed.extend(do_without_replica(world).await),
            Self::ConnectionsCut => {
                world.servers.primary().say("CLIENT KILL TYPE normal");
            }
            Self::FailedOver => fail_over(&mut world.servers),
            Self::Apart => struck.forbidden.push(set_apart(world, lasts).await),
            Self::Promoted => promote(world),
            Self::InstanceFrozen | Self::ServerFrozen | Self::WireBroken | Self::WiresSlow | Self::ReplicaCut => {}
        }
    }
}

impl Ongoing {
    /// Ends it; when nothing may have been acknowledged meanwhile.
    fn end(self, world: &mut World) -> Option<Forbidden> {
        match self {
            Self::Frozen(pid) => signal(&pid, "-CONT"),
            Self::Wire(instance) => world.instances[instance].wire.set(Wire::Whole),
            Self::Wires => world.instances.iter().for_each(|member| member.wire.set(Wire::Whole)),
            Self::Replica(from) => {
                let until = now_ms();
                world.servers.own().replication.as_ref().unwrap().set(Wire::Whole);
                return Some(Forbidden { from, until, why: "no replica was reached" });
            }
        }
        None
    }
}

fn signal(pid: &str, signal: &str) {
    // Who stood still may have been killed meanwhile.
    let mut kill = Command::new("kill");
    let sent = kill.args([signal, pid]).stderr(Stdio::null()).status();
    assert!(sent.unwrap().success() || signal == "-CONT");
}
