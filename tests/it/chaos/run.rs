//! One run: a world, its clients, faults one after the other, and the judge.
//!
//! Invariant: a run is made by its plan; the same plan makes the same faults in the same order, though not the same
//! interleaving of processes.

use std::fmt;
use std::time::Duration;

use sas_router::clock::Stopwatch;
use sas_router::proto::routing as pb;

use super::checker::{Violation, violations};
use super::history::{Allowance, History, now_ms};
use super::load::Load;
use super::nemesis::Nemesis;
use super::world::{Making, World};
use crate::support::random::Random;

/// How many operations are acknowledged between two faults.
const BETWEEN: usize = 60;
/// How long that may take.
const GOES_ON_WITHIN: Duration = Duration::from_secs(30);
/// Within which time all instances show the same.
const SAME_WITHIN: Duration = Duration::from_secs(30);
/// Files that a process may have opened since it started and keeps: connections of clients and of its own.
const FILES_MORE_MAX: usize = 40;

/// A fault, and the other one that lasts meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Strike {
    /// Which.
    pub(super) fault: Nemesis,
    /// While which one lasts.
    pub(super) within: Option<Nemesis>,
}

/// What is to happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// From which all choices follow.
    pub(super) seed: u64,
    /// The processes.
    pub(super) making: Making,
    /// The faults, in their order.
    pub(super) strikes: Vec<Strike>,
    /// How long a fault lasts at least and at most.
    pub(super) lasts: (Duration, Duration),
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Promises about what was told and kept that were broken.
    pub(super) violations: Vec<Violation>,
    /// Promises about coming back that were broken.
    pub(super) unhealed: Vec<String>,
    /// How many operations were acknowledged.
    pub(super) acknowledged: usize,
    /// How many outcomes stayed unknown.
    pub(super) unknown: usize,
}

impl Report {
    /// Whether every promise was kept.
    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.unhealed.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { violations, unhealed, acknowledged, unknown } = self;
        write!(f, "{acknowledged} acknowledged, {unknown} unknown")?;
        violations.iter().take(6).try_for_each(|violation| write!(f, "\n- {violation}"))?;
        if violations.len() > 6 {
            write!(f, "\n- and {} more", violations.len() - 6)?;
        }
        unhealed.iter().try_for_each(|what| write!(f, "\n- {what}"))
    }
}

/// Tells how far it is: what was at stake belongs to the result.
#[allow(clippy::print_stdout, reason = "the test runner keeps it until a test fails, or `tests/chaos` shows it")]
pub(super) fn tell(what: &str) {
    println!("{what}");
}

/// Carries a plan out.
pub(super) async fn run(plan: Plan) -> Report {
    let Plan { seed, making, strikes, lasts } = plan;
    let mut random = Random::new(seed);
    let mut world = World::start(making).await;
    let files: Vec<_> =
        world.instances.iter().map(|member| open_files(&member.process.as_ref().unwrap().pid())).collect();
    let load = Load::start(seed, world.instances.iter().map(|member| member.channel.clone()).collect());
    let (mut report, played) = (Report::default(), Stopwatch::start());
    let mut history = History::default();
    for strike in strikes {
        if !load.goes_on(BETWEEN, &world.patience(GOES_ON_WITHIN)).await {
            report.unhealed.push(format!("nothing was acknowledged before {strike:?}"));
        }
        tell(&format!("{} s: {strike:?}", played.elapsed().as_secs()));
        let span = lasts.1.saturating_sub(lasts.0).mul_f64(random.unit());
        strike.happen(&mut world, &mut random, lasts.0 + span, &mut history, &mut report).await;
    }
    if !load.goes_on(BETWEEN, &world.patience(GOES_ON_WITHIN)).await {
        report.unhealed.push("nothing is acknowledged in the end".to_owned());
    }
    history.operations = load.end().await;
    settle(&mut world, &mut report).await;
    for (member, before) in world.instances.iter().zip(files) {
        let now = open_files(&member.process.as_ref().unwrap().pid());
        if now > before + FILES_MORE_MAX {
            report.unhealed.push(format!("{now} files are open, {before} were at the start"));
        }
    }
    let newcomer = world.instances.len();
    world.add(newcomer).await;
    if let Err(how) = world.wait_until(SAME_WITHIN, |all| all.iter().all(|one| one.writable)).await {
        report.unhealed.push(format!("a newcomer does not write: {how}"));
    }
    let url = world.servers.address();
    report.unhealed.extend(world.instances.iter().filter_map(|member| member.verify(&url).err()));
    history.shown_at = now_ms();
    for member in &world.instances {
        history.shown.push(member.shown().await);
    }
    report.acknowledged = history.operations.iter().filter(|operation| operation.done().is_some()).count();
    report.unknown = history.operations.iter().filter(|operation| operation.is_unknown()).count();
    report.violations = violations(&history);
    report
}

impl Strike {
    /// Lets it happen, and waits until every instance writes again.
    async fn happen(
        self,
        world: &mut World,
        random: &mut Random,
        lasts: Duration,
        history: &mut History,
        report: &mut Report,
    ) {
        let Self { fault, within } = self;
        let struck = match within {
            Some(other) => fault.strike_within(other, world, random, lasts).await,
            None => fault.strike(world, random, lasts).await,
        };
        history.forbidden.extend(struck.forbidden);
        report.unhealed.extend(struck.unhealed);
        let topology = world.topology();
        let heals_within = within.map_or(Duration::ZERO, |other| other.heals_within(topology));
        let heals_within = heals_within.max(fault.heals_within(topology));
        for nemesis in within.into_iter().chain([fault]) {
            let Allowance { clock_slack_ms } = nemesis.allowance();
            history.allowance.clock_slack_ms = history.allowance.clock_slack_ms.max(clock_slack_ms);
        }
        if let Err(how) = world.wait_until(heals_within, |all| all.iter().all(|one| one.writable)).await {
            report.unhealed.push(format!("not all write after {self:?}: {how}"));
        }
    }
}

/// Waits until all instances have followed one history to the same position, and the server has nothing left of a recovery.
async fn settle(world: &mut World, report: &mut Report) {
    let position = |one: &pb::GetStatusResponse| one.stamp.as_ref().map(|stamp| (stamp.epoch, stamp.position));
    let same = world
        .wait_until(SAME_WITHIN, |all| {
            all.iter().all(|one| position(one) == position(&all[0]) && one.history_digest == all[0].history_digest)
        })
        .await;
    if let Err(how) = same {
        report.unhealed.push(format!("positions or digests differ: {how}"));
    }
    let left = world
        .servers
        .primary()
        .ask("KEYS sas:{0}:new:*")
        .into_iter()
        .chain(world.servers.primary().ask("KEYS sas:{0}:rec"));
    let left: Vec<_> = left.filter(|key| !key.is_empty()).collect();
    if !left.is_empty() {
        report.unhealed.push(format!("a recovery left {left:?}"));
    }
}

fn open_files(pid: &str) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count).unwrap_or_default()
}
