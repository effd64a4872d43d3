//! What an outage costs: a primary that dies under sentinels, and no Redis at all.
//!
//! Method: three servers under three sentinels that call one down after a second. Three times the primary is killed while one
//! caller repeats a hold until it is acknowledged and another asks for care again and again. Then every server is killed,
//! and holds are refused: to a caller of the service, and to one over gRPC on the loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sas_router::domain::id::SlotId;
use sas_router::domain::query::CareQuery;
use sas_router::grpc::{Options, Server};
use sas_router::ledger::Ledger as _;
use sas_router::proto::routing as pb;
use sas_router::service::{Caller, Reason, Service};
use sas_router::tasks::Tasks;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::figures::{Target, judge, judge_ms, ms, tell};
use crate::instance::{Instance, region_of_today};
use crate::redis_topology::{SERVICE, Sentinels, wait_until};
use crate::support::load::{directory, hold_request, publish, quantile, single};
use crate::support::questions::questions;

const SLOTS: usize = 1_000;
const FAILOVERS: usize = 3;
const REFUSALS: usize = 2_000;
const QUESTIONS: usize = 200;
/// Pause between questions, so that they leave the machine to what is measured.
const ASKED_EVERY: Duration = Duration::from_millis(1);
/// Pause between two tries of a hold that was refused.
const TRIED_EVERY: Duration = Duration::from_millis(5);

/// What a reader saw meanwhile.
struct Reads {
    count: usize,
    /// Longest time between the ends of two answers.
    gap: Duration,
    /// Longest time that an answer took.
    longest: Duration,
}

/// Measures everything and prints it.
pub(crate) fn measure(runtime: &Runtime) {
    let mut redis = Sentinels::start();
    let region = region_of_today(SLOTS);
    let instance = Instance::start(&redis.url());
    runtime.block_on(async {
        directory(&instance.service, &region.directory).await;
        publish(&instance.service, &region.slots).await;
    });
    let ids = single(&region.slots);
    let asked: Arc<Vec<CareQuery>> =
        Arc::new(questions(&region, QUESTIONS, 7).into_iter().map(|(_, query, _)| query).collect());
    let (mut back, mut all) = (Vec::new(), Reads { count: 0, gap: Duration::ZERO, longest: Duration::ZERO });
    for number in 0..FAILOVERS {
        let (took, reads) = runtime.block_on(failover(&mut redis, &instance, &ids, number, &asked));
        tell(&format!("failover {}", number + 1), &format!("writes back after {took:.2?}"));
        back.push(took.as_secs_f64());
        all.gap = all.gap.max(reads.gap);
        all.longest = all.longest.max(reads.longest);
        all.count += reads.count;
    }
    let longest = back.into_iter().fold(0.0, f64::max);
    judge("failover by sentinels, writes back, longest", longest, "s", Target::AtMost(15.0));
    let (longest, gap) = (ms(all.longest), ms(all.gap));
    tell("reads meanwhile", &format!("{} answered, longest {longest:.2} ms, longest pause {gap:.2} ms", all.count));
    redis.servers.iter_mut().for_each(crate::redis_server::Server::kill);
    wait_until("writes are refused", || instance.ledger.health().refusal.is_some());
    runtime.block_on(refusals(&instance.service, &ids));
}

async fn failover(
    redis: &mut Sentinels,
    instance: &Instance,
    ids: &[SlotId],
    number: usize,
    asked: &Arc<Vec<CareQuery>>,
) -> (Duration, Reads) {
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read(instance.service.clone(), Arc::clone(asked), Arc::clone(&is_over)));
    let old = redis.primary();
    redis.servers[old].kill();
    let killed = Instant::now();
    while let Err(refused) = instance.service.hold(&Caller::local(), hold_request(ids, number)).await {
        let is_named = [Reason::LedgerUnavailable, Reason::OutcomeUnknown].contains(&refused.reason);
        assert!(is_named && killed.elapsed() < Duration::from_secs(60), "{refused:?}");
        tokio::time::sleep(TRIED_EVERY).await;
    }
    let back = killed.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let reads = reader.await.unwrap();
    redis.wait_for_other_primary(old);
    redis.servers[old].run();
    wait_until("the sentinels see two replicas follow", || has_two_replicas(redis));
    (back, reads)
}

/// Asked of a sentinel: it cuts the connections of servers that it makes follow another.
fn has_two_replicas(redis: &Sentinels) -> bool {
    let told = redis.sentinels[0].ask(&format!("SENTINEL REPLICAS {SERVICE}"));
    let count = |name: &str, value: &str| told.windows(2).filter(|pair| *pair == [name, value]).count();
    count("flags", "slave") == 2 && count("master-link-status", "ok") == 2
}

/// Asks for care until it is over.
async fn read(service: Service, asked: Arc<Vec<CareQuery>>, is_over: Arc<AtomicBool>) -> Reads {
    let mut reads = Reads { count: 0, gap: Duration::ZERO, longest: Duration::ZERO };
    let mut last = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        let asked_at = Instant::now();
        std::hint::black_box(service.find(&asked[reads.count % asked.len()]));
        let now = Instant::now();
        reads.gap = reads.gap.max(now - last);
        reads.longest = reads.longest.max(now - asked_at);
        last = now;
        reads.count += 1;
        tokio::time::sleep(ASKED_EVERY).await;
    }
    reads
}

async fn refusals(service: &Service, ids: &[SlotId]) {
    let mut times = Vec::with_capacity(REFUSALS);
    for number in FAILOVERS..FAILOVERS + REFUSALS {
        let started = Instant::now();
        let refused = service.hold(&Caller::local(), hold_request(ids, number)).await.unwrap_err();
        times.push(started.elapsed());
        assert_eq!(refused.reason, Reason::LedgerUnavailable, "{refused:?}");
    }
    report("refusal without Redis", times);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let tasks = Tasks::new();
    let _server = Server::start(service.clone(), listener, options(), &tasks).await.unwrap();
    let mut bookings = pb::booking_service_client::BookingServiceClient::connect(url).await.unwrap();
    let mut times = Vec::with_capacity(REFUSALS);
    for number in 0..REFUSALS {
        let request = pb::HoldSlotRequest {
            request_id: format!("refused-{number}"),
            slot_id: ids[number % ids.len()].as_str().to_owned(),
            case_id: format!("refused-{number}"),
            ..pb::HoldSlotRequest::default()
        };
        let started = Instant::now();
        let refused = bookings.hold_slot(request).await.unwrap_err();
        times.push(started.elapsed());
        assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused:?}");
    }
    report("refusal without Redis, over gRPC", times);
}

fn report(name: &str, mut times: Vec<Duration>) {
    judge_ms(&format!("{name}, p50"), quantile(&mut times, 0.5), 5.0);
    judge_ms(&format!("{name}, p99"), quantile(&mut times, 0.99), 5.0);
}

/// The product's defaults, written out so that the bench needs no configuration.
fn options() -> Options {
    Options {
        calls_max: 1_024,
        call_timeout: Duration::from_secs(30),
        connections_max: 1_024,
        streams_per_connection_max: 256,
        preface_deadline: Duration::from_secs(5),
        keepalive_interval: Duration::from_secs(20),
        keepalive_timeout: Duration::from_secs(10),
        tracer: sas_router::trace::Tracer::default(),
    }
}
