//! A primary of Redis that dies under real processes: writes come back by themselves, reads never stop, and every hold
//! that was acknowledged is found.

use std::time::Duration;

use sas_router::clock::Stopwatch;
use sas_router::proto::routing as pb;

use crate::harness::redis_topology::{Cluster, Sentinels, report};
use crate::harness::site::{Instance, Redis, Site, slot};
use crate::harness::world::{hold, query};

/// Within which time writes are back after the primary died.
const WRITES_WITHIN: Duration = Duration::from_secs(15);
/// Longest answer to a query meanwhile; far above what it takes.
const FOUND_WITHIN: Duration = Duration::from_secs(1);
/// Slots that are published.
const SLOTS: i64 = 12;

/// Instances on these servers whose acknowledged writes are on a replica too, with slots that can be held.
async fn site_on<R: Redis>(redis: R) -> (Site<R>, tempfile::NamedTempFile) {
    let configuration = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(configuration.path(), "[ledger]\nack_replicas = 1\n").unwrap();
    let path = configuration.path().to_str().unwrap().to_owned();
    let site = Site::start_on(redis, 2, &["--config", &path]).await;
    site.publish(1, (0..SLOTS).map(|number| slot(&format!("s{number}"), 1, 60 + number, 1)).collect()).await;
    (site, configuration)
}

fn hold_of(number: usize) -> pb::HoldSlotRequest {
    let case_id = format!("case-{number}");
    pb::HoldSlotRequest { case_id, query: Some(query()), ..hold(&format!("h{number}"), &format!("s{number}")) }
}

async fn held(instance: &Instance, number: usize) -> Result<String, tonic::Status> {
    let answer = instance.bookings().hold_slot(hold_of(number)).await?;
    Ok(answer.into_inner().hold.unwrap().hold_id)
}

/// Repeats a hold until it is acknowledged, asking the other instance for care all the while.
async fn time_to_hold(site: &Site<impl Redis>, number: usize) -> (Duration, usize) {
    let stopped = Stopwatch::start();
    let mut queries = 0;
    loop {
        let asked = Stopwatch::start();
        let found = site.instances[1].routing().find_care(pb::FindCareRequest { query: Some(query()) }).await;
        assert!(!found.unwrap().into_inner().options.is_empty(), "from memory");
        assert!(asked.elapsed() < FOUND_WITHIN, "{:?}", asked.elapsed());
        queries += 1;
        match tokio::time::timeout(Duration::from_secs(5), held(&site.instances[0], number)).await {
            Ok(Ok(_)) => return (stopped.elapsed(), queries),
            Ok(Err(status)) => assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}"),
            Err(_) => panic!("a write hangs"),
        }
        assert!(stopped.elapsed() < 4 * WRITES_WITHIN, "writes do not come back");
    }
}

async fn survives<R: Redis>(site: &mut Site<R>, what: &str, kill: impl AsyncFnOnce(&mut R)) {
    let mut holds = Vec::new();
    for number in 0..4 {
        holds.push(held(&site.instances[number % 2], number).await.unwrap());
    }
    kill(&mut site.redis).await;
    let (back, queries) = time_to_hold(site, 4).await;
    report(&format!(
        "{what}: writes are back {back:?} after the primary was killed; {queries} queries were answered meanwhile"
    ));
    assert!(back < WRITES_WITHIN, "{back:?}");
    site.instances[1].wait_until("writes", async |status| status.writable).await;
    // The hold that came back is told again to whoever repeats it.
    for number in [4, 5] {
        holds.push(held(&site.instances[1], number).await.unwrap());
    }
    site.instances.push(site.instance().await);
    for (number, hold_id) in holds.into_iter().enumerate() {
        let confirm = pb::ConfirmHoldRequest { request_id: format!("c{number}"), hold_id };
        let confirmed = site.instances[2].bookings().confirm_hold(confirm).await;
        assert!(confirmed.is_ok(), "hold {number} was acknowledged and is gone: {confirmed:?}");
    }
}

#[tokio::test]
async fn acknowledged_holds_survive_a_primary_that_sentinels_replace() {
    let (mut site, _configuration) = site_on(Sentinels::start()).await;
    survives(&mut site, "sentinels", async |redis| redis.servers[0].kill()).await;
    site.redis.servers[0].run();
    site.redis.wait_for_replicas(2);
    held(&site.instances[2], 6).await.unwrap();
    let status = site.instances[2].status().await;
    assert!(status.writable && status.write_refusal.is_empty(), "the old primary came back and confuses nobody");
}

#[tokio::test]
async fn acknowledged_holds_survive_a_primary_that_a_cluster_replaces() {
    let (mut site, _configuration) = site_on(Cluster::start()).await;
    site.redis.add_replica();
    survives(&mut site, "cluster", async |redis| redis.servers[2].kill()).await;
}
