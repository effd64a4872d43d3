//! Real processes whose Redis goes away, or forgets: what callers are told, how soon, and what a retry is told after.

use std::time::Duration;

use sas_router::clock::Stopwatch;
use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{reason, says_when_to_retry};
use crate::harness::redis_server::Server;
use crate::harness::report;
use crate::harness::site::{Instance, Site, settle, slot};
use crate::harness::world::{hold, query};

/// Within which time anything that must come has come; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);
/// Calls of one measurement.
const CALLS: usize = 500;
/// Calls of one series of it.
const SERIES: usize = 50;
/// Within which a write is refused while Redis is away, in microseconds.
const REFUSED_WITHIN_US: u128 = 5_000;
/// The same for the slowest of a hundred: whatever else the machine does, nothing waited for a time-out.
const SLOWEST_WITHIN_US: u128 = 1_000_000;

#[tokio::test]
async fn while_redis_is_away_writes_are_refused_within_milliseconds_and_reads_go_on() {
    let mut site = Site::start(1).await;
    site.publish(1, vec![slot("a", 1, 60, 1)]).await;
    site.redis.kill();
    let instance = &site.instances[0];
    instance.wait_until("refusal", async |status| !status.writable).await;
    let (mut bookings, mut routing) = (instance.bookings(), instance.routing());
    let mut took_us = Vec::with_capacity(CALLS);
    for number in 0..CALLS {
        let stopwatch = Stopwatch::start();
        let refused = bookings.hold_slot(hold(&format!("h{number}"), "a")).await.unwrap_err();
        took_us.push(stopwatch.elapsed().as_micros());
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "LEDGER_UNAVAILABLE"));
        assert!(says_when_to_retry(&refused), "{refused:?}");
        let level = if number % 2 == 0 { "R3" } else { "R1" };
        let query = pb::CareQuery { care_level: level.into(), ..query() };
        let answer = routing.find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap().into_inner();
        let expected = [pb::CareOutcome::Appointment, pb::CareOutcome::EmergencyDispatch][number % 2];
        assert_eq!(answer.outcome(), expected, "{answer:?}");
    }
    // What else the machine does only adds: the quietest series is nearest to what the service takes.
    let median = |series: &mut [u128]| {
        series.sort_unstable();
        series[series.len() / 2]
    };
    let quietest = took_us.chunks_mut(SERIES).map(median).min().unwrap();
    took_us.sort_unstable();
    let (median, p99) = (took_us[CALLS / 2], took_us[CALLS * 99 / 100]);
    report(&format!("refusals while Redis is away: median {median} us ({quietest} us when quietest), p99 {p99} us"));
    assert!(quietest < REFUSED_WITHIN_US, "median {quietest} us");
    assert!(p99 < SLOWEST_WITHIN_US, "p99 {p99} us");
}

/// What a hold comes to for a caller who repeats it while nothing can be written.
async fn retried(instance: &Instance, request: &pb::HoldSlotRequest) -> pb::HoldSlotResponse {
    let mut bookings = instance.bookings();
    let repeating = async {
        loop {
            match bookings.hold_slot(request.clone()).await {
                Err(status) if status.code() == Code::Unavailable => assert!(says_when_to_retry(&status)),
                outcome => return outcome.unwrap().into_inner(),
            }
        }
    };
    tokio::time::timeout(DEADLINE, repeating).await.unwrap()
}

#[tokio::test]
async fn a_retry_after_redis_forgot_everything_is_told_the_first_outcome() {
    let site = Site::start(2).await;
    site.publish(1, vec![slot("a", 1, 60, 2)]).await;
    let request = hold("h", "a");
    let first = site.instances[0].bookings().hold_slot(request.clone()).await.unwrap().into_inner();
    assert_eq!(site.redis.say("FLUSHALL"), "+OK");
    for instance in &site.instances {
        let again = retried(instance, &request).await;
        assert!(again.replayed);
        assert_eq!(again.hold.unwrap().hold_id, first.hold.as_ref().unwrap().hold_id);
        assert_eq!(instance.status().await.counts.unwrap().claims, 1, "and nothing is held twice");
    }
}

#[tokio::test]
async fn while_a_replica_is_away_every_answer_says_that_durability_is_reduced() {
    let redis = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &redis.port().to_string()]);
    let settings = tempfile::NamedTempFile::new().unwrap();
    let text = format!("[ledger]\nurl = \"{}\"\nreplica_away_seconds = 1\n", redis.url());
    std::fs::write(settings.path(), text).unwrap();
    let site = Site { instances: vec![Instance::configured(settings.path()).await], redis, flags: Vec::new() };
    let instance = &site.instances[0];
    instance.wait_until("the replica", async |status| status.durability.starts_with("Redis with replicas")).await;
    settle(site.instances[0].directory()).await;
    site.publish(1, vec![slot("a", 1, 60, 1)]).await;
    replica.signal("-STOP");
    let unknown = instance.bookings().hold_slot(hold("h", "a")).await.unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::Unavailable, "OUTCOME_UNKNOWN"));

    let has_reduced = |status: &pb::GetStatusResponse| {
        status.conditions.iter().any(|condition| condition.code == "DURABILITY_REDUCED" && condition.degrades)
    };
    instance.wait_until("the reduction", async |status| has_reduced(&status)).await;
    assert!(instance.status().await.durability.starts_with("reduced"));
    let again = retried(instance, &hold("h", "a")).await;
    let find = async || {
        let answer = instance.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap();
        answer.into_inner().stamp.unwrap()
    };
    for stamp in [again.stamp.unwrap(), find().await] {
        assert!(stamp.durability_reduced && stamp.degraded, "{stamp:?}");
    }
    replica.signal("-CONT");
    instance.wait_until("the end of it", async |status| status.conditions.is_empty()).await;
    let stamp = find().await;
    assert!(!stamp.durability_reduced && !stamp.degraded, "{stamp:?}");
}
