//! What goes wrong in a run, each fault with what it excuses.
//!
//! Invariant: a fault ends by itself, and what it broke is mended; that the program comes back is the run's business.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::history::{Allowance, Forbidden, now_ms};
use super::pause::pause;
use super::proxy::Wire;
use super::servers::{Servers, Topology};
use super::world::{World, shifted_clock};
use crate::harness::redis_server::Server;
use crate::support::random::Random;

/// How long an instance may take to write again.
const WRITES_WITHIN: Duration = Duration::from_secs(10);
/// The same after another server became the primary.
const WRITES_AFTER_FAILOVER_WITHIN: Duration = Duration::from_secs(15);
/// How long after the last replica was cut off a write may still be acknowledged: those that had reached it.
const GRACE_MS: i64 = 50;
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
    /// The primary is killed and the replica promoted; the old one comes back as its replica.
    Promoted,
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
            Topology::Sentinel | Topology::Cluster => &[
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
            // What is given back to a server are records, without the outcomes of requests.
            Self::Flushed | Self::Erased | Self::TailCut => Allowance { outcomes_forgotten: true, clock_slack_ms: 0 },
            // A disk that is full may end a log in the middle.
            Self::DiskFull => Allowance { outcomes_forgotten: true, clock_slack_ms: 0 },
            Self::ClockAhead => Allowance { outcomes_forgotten: false, clock_slack_ms: (JUMP_SECONDS + 1) * 1_000 },
            Self::InstanceKilled
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

    /// Lets it happen, for so long where it lasts; the span in which nothing may have been acknowledged.
    pub(super) async fn strike(self, world: &mut World, random: &mut Random, lasts: Duration) -> Option<Forbidden> {
        let instance = random.below(world.instances.len());
        match self {
            Self::InstanceKilled => {
                let process = world.instances[instance].process.take().unwrap();
                tokio::task::block_in_place(|| process.kill());
                world.run(instance);
            }
            Self::InstanceFrozen => {
                let pid = world.instances[instance].process.as_ref().unwrap().pid();
                signal(&pid, "-STOP");
                pause(lasts).await;
                signal(&pid, "-CONT");
            }
            Self::ServerKilled => restart(world.servers.primary(), |_| {}),
            Self::ServerFrozen => {
                let pid = world.servers.primary().pid();
                signal(&pid, "-STOP");
                pause(lasts).await;
                signal(&pid, "-CONT");
            }
            Self::WireBroken => {
                let wire = [Wire::Cut, Wire::Mute, Wire::Deaf][random.below(3)];
                world.instances[instance].wire.set(wire);
                pause(lasts).await;
                world.instances[instance].wire.set(Wire::Whole);
            }
            Self::WiresSlow => {
                world.instances.iter().for_each(|member| member.wire.set(Wire::Slow(Duration::from_millis(60))));
                pause(lasts).await;
                world.instances.iter().for_each(|member| member.wire.set(Wire::Whole));
            }
            Self::ScriptsForgotten => assert_eq!(world.servers.primary().say("SCRIPT FLUSH"), "+OK"),
            Self::Flushed => assert_eq!(world.servers.primary().say("FLUSHALL"), "+OK"),
            Self::Erased => restart(world.servers.primary(), |server| server.forget()),
            Self::TailCut => {
                let bytes = 8_192 + u64::try_from(random.below(16_384)).unwrap();
                restart(world.servers.primary(), |server| cut_tail(server, bytes));
            }
            Self::DiskFull => fill_disk(world.servers.primary()).await,
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
            Self::ReplicaCut => return Some(cut_replica(world, lasts).await),
            Self::ReplicaKilled => {
                let (servers, primary) = world.servers.all();
                // Of a cluster the last ones are replicas at the beginning, of the ledger's primary or of another.
                let replica = if primary + 1 == servers.len() { 0 } else { servers.len() - 1 };
                restart(&mut servers[replica], |_| {});
            }
            Self::ConnectionsCut => {
                world.servers.primary().say("CLIENT KILL TYPE normal");
            }
            Self::FailedOver => fail_over(&mut world.servers),
            Self::Promoted => promote(world),
        }
        None
    }
}

fn signal(pid: &str, signal: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

fn restart(server: &mut Server, meanwhile: impl FnOnce(&mut Server)) {
    tokio::task::block_in_place(|| {
        server.kill();
        meanwhile(server);
        server.run();
    });
}

/// Cuts the end of the log off, at a boundary.
fn cut_tail(server: &Server, bytes: u64) {
    let path = log_of(server);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len().saturating_sub(bytes)).unwrap();
    repair(server);
}

fn log_of(server: &Server) -> std::path::PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(server.folder().join("appendonlydir"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .collect();
    files.sort();
    files.pop().unwrap()
}

/// What an operator does about a log that ends in the middle.
fn repair(server: &Server) {
    let mut check = Command::new("redis-check-aof");
    let mut check = check.arg("--fix").arg(log_of(server)).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // A log that is whole is not asked about.
    let _ = std::io::Write::write_all(&mut check.stdin.take().unwrap(), b"y\n");
    assert!(check.wait().unwrap().success());
}

/// Lets the server write a little more, and no more; with every write synced it ends by that.
async fn fill_disk(server: &mut Server) {
    let size = std::fs::metadata(log_of(server)).unwrap().len() + 4_096;
    let limit = Command::new("prlimit").args(["--pid", &server.pid(), &format!("--fsize={size}")]).status();
    assert!(limit.unwrap().success());
    let is_full = || std::net::TcpStream::connect(("127.0.0.1", server.port())).is_err();
    while !is_full() {
        pause(Duration::from_millis(20)).await;
    }
    restart(server, |server| repair(server));
}

async fn cut_replica(world: &mut World, lasts: Duration) -> Forbidden {
    let wire = world.servers.own().replication.as_ref().unwrap();
    wire.set(Wire::Cut);
    let from = now_ms() + GRACE_MS;
    pause(lasts).await;
    let until = now_ms();
    wire.set(Wire::Whole);
    Forbidden { from, until, why: "no replica was reached" }
}

fn promote(world: &mut World) {
    let old = world.servers.own().primary;
    let new = 1 - old;
    tokio::task::block_in_place(|| {
        world.servers.own().servers[old].kill();
        assert_eq!(world.servers.own().servers[new].say("REPLICAOF NO ONE"), "+OK");
        assert_eq!(world.servers.own().servers[new].say("CONFIG REWRITE"), "+OK");
        world.turn_to(new);
        let own = world.servers.own();
        own.servers[old].run();
        own.follow(old);
    });
}

fn fail_over(servers: &mut Servers) {
    tokio::task::block_in_place(|| {
        let (all, old) = servers.all();
        all[old].kill();
        servers.wait_for_other_primary(old);
        let (all, _) = servers.all();
        all[old].run();
    });
}
