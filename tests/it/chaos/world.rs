//! The processes of a run: instances, each with a wire of its own, and the servers behind them.
//!
//! Invariant: everything ends with the world. Deliberately absent: when what fails; that is the nemesis's.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use sas_router::proto::routing as pb;
use tonic::transport::{Channel, Endpoint};

use super::history::{Shown, ShownClaim, ShownState};
use super::patience::Patience;
use super::pause::pause;
use super::proxy::Proxy;
use super::servers::{Servers, Topology};
use crate::harness::in_process::{Directory, Operations, Publishing};
use crate::harness::redis_server::free_port;
use crate::harness::server_process::{ServerProcess, command_of, program};
use crate::harness::site::settle;

/// Longest wait for an instance to answer how it stands.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a replica must have been away before writes do without it.
const REPLICA_AWAY_SECONDS: &str = "2";
/// How often instances are asked how they stand.
const ASKED_EVERY: Duration = Duration::from_millis(25);

/// How a world is made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Making {
    /// How the servers stand in for each other.
    pub(super) topology: Topology,
    /// A fault of the program that is to be awake.
    pub(super) fault: Option<&'static str>,
    /// How far the first instance's clock is ahead, in seconds.
    pub(super) skew_seconds: Option<i64>,
}

/// The processes.
pub(super) struct World {
    making: Making,
    /// The instances.
    pub(super) instances: Vec<Member>,
    /// The servers.
    pub(super) servers: Servers,
}

/// An instance.
pub(super) struct Member {
    /// Its wire to Redis.
    pub(super) wire: Proxy,
    /// The process, when it runs.
    pub(super) process: Option<ServerProcess>,
    /// How it is reached; found again by itself.
    pub(super) channel: Channel,
    listen: String,
}

impl World {
    /// Three instances that write, and a practice with two schedules.
    pub(super) async fn start(making: Making) -> Self {
        let servers = Servers::start(making.topology).await;
        let mut world = Self { making, instances: Vec::new(), servers };
        for number in 0..3 {
            world.add(number).await;
        }
        settle(Directory::new(world.instances[0].channel.clone())).await;
        world
    }

    /// One more instance.
    pub(super) async fn add(&mut self, number: usize) {
        let wire = Proxy::start(self.servers.primary().port()).await;
        let listen = format!("127.0.0.1:{}", free_port());
        let endpoint = Endpoint::from_shared(format!("http://{listen}")).unwrap().tcp_nodelay(true);
        let channel = endpoint.connect_timeout(Duration::from_secs(1)).connect_lazy();
        self.instances.push(Member { wire, process: None, channel, listen });
        self.run(number);
    }

    /// Starts an instance, the first time or again.
    pub(super) fn run(&mut self, number: usize) {
        let member = &mut self.instances[number];
        // Only the program that cargo built beside the tests has faults.
        let program = if self.making.fault.is_some() { env!("CARGO_BIN_EXE_sas-router").into() } else { program() };
        let mut command = command_of(&program);
        command.env("SAS_ROUTER_LEDGER__ACK_REPLICAS", self.making.topology.ack_replicas());
        command.env("SAS_ROUTER_LEDGER__REPLICA_AWAY_SECONDS", REPLICA_AWAY_SECONDS);
        if let Some(fault) = self.making.fault {
            command.env("SEEDED_BUG", fault);
        }
        if let Some(seconds) = self.making.skew_seconds.filter(|_| number == 0) {
            command.envs(shifted_clock(seconds).expect("the caller looked for libfaketime"));
        }
        let url = self.servers.url().unwrap_or_else(|| format!("redis://127.0.0.1:{}", member.wire.port));
        let ledger: [OsString; 2] = ["--ledger".into(), url.into()];
        let started = tokio::task::block_in_place(|| ServerProcess::try_start_by(command, &ledger, &member.listen));
        member.process = Some(started.unwrap_or_else(|ended| panic!("{}: {}", ended.status, ended.stderr)));
    }

    /// Every instance's wire leads to this server from now on.
    pub(super) fn turn_to(&mut self, primary: usize) {
        let own = self.servers.own();
        own.primary = primary;
        let port = own.servers[primary].port();
        self.instances.iter().for_each(|member| member.wire.turn_to(port));
    }

    /// How its servers stand in for each other.
    pub(super) fn topology(&self) -> Topology {
        self.making.topology
    }

    /// Begins to wait for something that instances and servers do.
    pub(super) fn patience(&self, most: Duration) -> Patience {
        let instances = self.instances.iter().filter_map(|member| Some(member.process.as_ref()?.pid()));
        let pids = instances.chain(self.servers.pids()).collect();
        Patience::of(most, pids)
    }

    /// Waits until all stand so; how they stand when they do not in time.
    pub(super) async fn wait_until(
        &self,
        most: Duration,
        stand_so: impl Fn(&[pb::GetStatusResponse]) -> bool,
    ) -> Result<(), String> {
        let patience = self.patience(most);
        loop {
            let mut all = Vec::new();
            for member in &self.instances {
                all.extend(member.status().await);
            }
            if all.len() == self.instances.len() && stand_so(&all) {
                return Ok(());
            }
            if patience.is_over() {
                return Err(format!("after {}: {all:?}", patience.tell()));
            }
            pause(ASKED_EVERY).await;
        }
    }
}

impl Member {
    async fn status(&self) -> Option<pb::GetStatusResponse> {
        let mut operations = Operations::new(self.channel.clone());
        let asked = tokio::time::timeout(STATUS_TIMEOUT, operations.get_status(pb::GetStatusRequest {})).await;
        Some(asked.ok()?.ok()?.into_inner())
    }

    /// Compares every record with those in Redis.
    pub(super) fn verify(&self, ledger: &str) -> Result<(), String> {
        let server = format!("http://{}", self.listen);
        let mut command = command_of(&program());
        command.args(["verify", "--server", &server, "--ledger", ledger]);
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = || format!("{server} differs from Redis: {} {}", text(&output.stdout), text(&output.stderr));
        output.status.success().then_some(()).ok_or_else(told)
    }

    /// Every slot with its claims, as this instance shows them.
    pub(super) async fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for number in [1, 2] {
            let mut publishing = Publishing::new(self.channel.clone()).max_decoding_message_size(64 << 20);
            let request = pb::GetScheduleRequest { schedule_id: format!("agenda-{number}"), window: None };
            // A schedule that is lost has no slots.
            let Ok(schedule) = publishing.get_schedule(request).await.map(tonic::Response::into_inner) else {
                continue;
            };
            for slot in schedule.slots {
                let mut claims: Vec<_> = slot.claims.iter().map(shown_claim).collect();
                claims.sort();
                shown.insert(slot.input.unwrap().slot_id, claims);
            }
        }
        shown
    }
}

/// A claim as an instance shows it.
fn shown_claim(claim: &pb::Claim) -> ShownClaim {
    let state = match claim.state() {
        pb::ClaimState::Held | pb::ClaimState::Expired => ShownState::Held,
        pb::ClaimState::Booked | pb::ClaimState::ToReplace => ShownState::Booked,
        pb::ClaimState::Released => ShownState::Released,
        pb::ClaimState::Cancelled => ShownState::Cancelled,
        pb::ClaimState::Quarantined => ShownState::Quarantined,
        pb::ClaimState::Unspecified => panic!("{claim:?}"),
    };
    let (claim_id, case_id) = (claim.claim_id.clone(), claim.case_id.clone());
    ShownClaim { claim_id, case_id, state, expires_at: ms(claim.expires_at) }
}

/// Milliseconds since 1970; the greatest instant when there is none.
pub(super) fn ms(at: Option<prost_types::Timestamp>) -> i64 {
    at.map_or(i64::MAX, |at| at.seconds * 1_000 + i64::from(at.nanos) / 1_000_000)
}

/// The environment of a process whose clock is so many seconds ahead; `None` where libfaketime is not installed.
pub(super) fn shifted_clock(seconds: i64) -> Option<Vec<(&'static str, String)>> {
    let library = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok).find_map(|folder| {
        let library: PathBuf = folder.path().join("faketime/libfaketimeMT.so.1");
        library.exists().then_some(library)
    })?;
    Some(vec![
        // An allocator that reads the clock before libfaketime is ready gives way to the one of libc.
        ("LD_PRELOAD", format!("{} libc.so.6", library.display())),
        ("FAKETIME", format!("{seconds:+}s")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}
