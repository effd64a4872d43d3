//! The figures of a site that shares a ledger in Redis, each beside its target, from servers that it starts itself.
//!
//! Method: a primary and a replica that sync every write (`appendfsync always`), on this machine; instances are whole
//! services in this process (index, rules, ledger) without the transport; a write counts when a replica has it too. A region
//! is published through the service, a second instance starts on it, and slots are held: by 32 callers and by one. Rounds of
//! the 32 alternate with rounds of the bare script, which repeats their appends. Then the second instance notes when it has
//! been told what the first one acknowledged; each time counts from the call, so that the write itself is in it. Outages
//! are brought about on servers of their own (`outage.rs`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use sas_router::domain::id::SlotId;
use tokio::runtime::Runtime;

use crate::bare::Bare;
use crate::figures::{Target, judge, judge_ms, load, tell};
use crate::instance::{Instance, region_of_today};
use crate::outage;
use crate::redis_server::Server;
use crate::redis_topology::wait_until;
use crate::support::load::{Held, directory, hold_at_once, publish, quantile, single};
use crate::support::region::Region;

const CALLERS: usize = 32;
const ROUNDS: usize = 5;
/// Most holds of one round: the log still has all of their changes when it ends.
const HOLDS_MAX: usize = 6_000;
const LONE_HOLDS_MAX: usize = 1_000;
const IDLE_WRITES_MAX: usize = 500;
/// Fewest slots of a region, so that every measure has some.
const SLOTS_MIN: usize = 2_000;
/// Pause between writes while the site is idle.
const IDLE_PAUSE: Duration = Duration::from_millis(5);

/// Which numbers of holds were not used yet, and how many each measure takes: less than half of the slots in all.
struct Numbers {
    used: usize,
    a_round: usize,
    alone: usize,
    idle: usize,
}

impl Numbers {
    fn of(slots: usize) -> Self {
        assert!(slots >= SLOTS_MIN, "give at least {SLOTS_MIN} slots");
        let a_round = HOLDS_MAX.min(slots / 20);
        Self { used: 0, a_round, alone: LONE_HOLDS_MAX.min(slots / 100), idle: IDLE_WRITES_MAX.min(slots / 200) }
    }

    fn take(&mut self, count: usize) -> std::ops::Range<usize> {
        self.used += count;
        self.used - count..self.used
    }
}

/// Measures everything and prints it.
pub(crate) fn measure(runtime: &Runtime, slots: usize) {
    println!("a site on a primary with one replica; {slots} slots; load of the machine before: {}", load());
    let mut numbers = Numbers::of(slots);
    let (primary, replica) = servers();
    let region = region_of_today(slots);
    let writer = Instance::start(&primary.url());
    published(runtime, &writer, &region);
    let reader = bootstrapped(&primary, region.slots.len());
    drop(reader);
    let ids = Arc::new(single(&region.slots));
    holds(runtime, &primary, &writer, &ids, &mut numbers);
    let reader = Instance::start(&primary.url());
    visible(runtime, (&writer, &reader), &ids, &mut numbers);
    drop((writer, reader, primary, replica));
    outage::measure(runtime);
    println!("load of the machine after: {}", load());
}

fn servers() -> (Server, Server) {
    let (primary, replica) = (Server::start(), Server::start());
    replica.say(&format!("REPLICAOF 127.0.0.1 {}", primary.port()));
    wait_until("the replica follows", || primary.ask("INFO replication")[0].contains("state=online"));
    (primary, replica)
}

fn published(runtime: &Runtime, instance: &Instance, region: &Region) {
    let rate = runtime.block_on(directory(&instance.service, &region.directory));
    tell("directory", &format!("{} records, {rate:.0}/s", region.directory.len()));
    let rate = runtime.block_on(publish(&instance.service, &region.slots));
    judge("publish, acknowledged", rate, "slots/s", Target::AtLeast(5_000.0));
}

fn bootstrapped(primary: &Server, slots: usize) -> Instance {
    let started = Instant::now();
    let instance = Instance::start(&primary.url());
    let took = started.elapsed().as_secs_f64();
    assert_eq!(instance.index.counts().slots, slots);
    // Both targets are stated: one for each size.
    let at_most = if slots > 100_000 { 40.0 } else { 5.0 };
    judge(&format!("bootstrap of {slots} slots"), took, "s", Target::AtMost(at_most));
    instance
}

fn holds(runtime: &Runtime, primary: &Server, writer: &Instance, ids: &Arc<Vec<SlotId>>, numbers: &mut Numbers) {
    let mut bare = Bare::connect(&primary.url());
    let (mut rates, mut bare_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        let (epoch, before) = writer.head();
        let (held, rate) = held_at_once(runtime, writer, ids, numbers.take(numbers.a_round));
        let (repeated, took) = bare.repeat(epoch, before);
        assert_eq!(repeated, held.len());
        let bare_rate = repeated as f64 / took.as_secs_f64();
        // The first round warms up.
        if round > 0 {
            tell(&format!("round {round}"), &format!("holds {rate:.0}/s, bare script {bare_rate:.0}/s"));
            rates.push(rate);
            bare_rates.push(bare_rate);
            ratios.push(100.0 * rate / bare_rate);
            times.extend(held.iter().map(|held| held.took));
        }
    }
    let latency = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    let (rate, bare_rate) = (median(rates), median(bare_rates));
    tell("holds acknowledged, 32 callers", &format!("{rate:.0}/s, p50 {:.2?}, p99 {:.2?}", latency.0, latency.1));
    tell("bare script, batches of 16, one WAIT each", &format!("{bare_rate:.0}/s"));
    judge("holds to bare script, median of rounds", median(ratios), "%", Target::AtLeast(70.0));
    let lone = runtime.block_on(hold_at_once(&writer.service, ids, 1, numbers.take(numbers.alone)));
    let mut times: Vec<Duration> = lone.iter().map(|held| held.took).collect();
    judge_ms("lone hold p50", quantile(&mut times, 0.5), 3.0);
    tell("lone hold p99", &format!("{:.2?}", quantile(&mut times, 0.99)));
}

fn held_at_once(
    runtime: &Runtime,
    writer: &Instance,
    ids: &Arc<Vec<SlotId>>,
    numbers: std::ops::Range<usize>,
) -> (Vec<Held>, f64) {
    let started = Instant::now();
    let held = runtime.block_on(hold_at_once(&writer.service, ids, CALLERS, numbers));
    let rate = held.len() as f64 / started.elapsed().as_secs_f64();
    (held, rate)
}

/// How long after it was asked for a write is seen on another instance.
fn visible(runtime: &Runtime, instances: (&Instance, &Instance), ids: &Arc<Vec<SlotId>>, numbers: &mut Numbers) {
    let (writer, reader) = instances;
    let idle = runtime.block_on(async {
        let mut held = Vec::new();
        for number in numbers.take(numbers.idle) {
            held.extend(hold_at_once(&writer.service, ids, 1, number..number + 1).await);
            tokio::time::sleep(IDLE_PAUSE).await;
        }
        held
    });
    seen("idle", reader, &idle, 50.0);
    let (loaded, rate) = held_at_once(runtime, writer, ids, numbers.take(numbers.a_round));
    tell("holds acknowledged with two instances", &format!("{rate:.0}/s"));
    seen("at full load", reader, &loaded, 250.0);
}

fn seen(when: &str, reader: &Instance, held: &[Held], at_most_ms: f64) {
    let last = held.iter().map(|held| held.sequence).max().unwrap();
    wait_until("the other instance is told", || reader.told_at(last).is_some());
    let took = |held: &Held| reader.told_at(held.sequence).unwrap().saturating_duration_since(held.asked);
    let mut times: Vec<Duration> = held.iter().map(took).collect();
    tell(&format!("seen on another instance, {when}, p50"), &format!("{:.2?}", quantile(&mut times, 0.5)));
    judge_ms(&format!("seen on another instance, {when}, p99"), quantile(&mut times, 0.99), at_most_ms);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
