//! What callers do to a service: they publish a region, and hold its slots.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sas_router::domain::id::{CaseId, RequestId, SlotId, SourceId};
use sas_router::domain::record::Body;
use sas_router::domain::slot::{Published, Slot};
use sas_router::service::{Authority, Caller, HoldRequest, PublishBatch, PublishRow, RowStatus, Service};

/// Rows of one batch.
const BATCH: usize = 500;
const BATCHES_IN_FLIGHT: usize = 4;
const RECORDS_IN_FLIGHT: usize = 64;

/// A hold that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub asked: Instant,
    pub took: Duration,
    /// The change from which on it is visible.
    pub sequence: u64,
}

/// Writes a directory, and says how many records a second.
pub async fn directory(service: &Service, bodies: &[Body]) -> f64 {
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    // Places and practitioners before the schedules that name them.
    for wave in 0..2 {
        for (number, body) in bodies.iter().enumerate() {
            let (service, body, caller) = (service.clone(), body.clone(), Caller::local());
            let request_id = RequestId::parse(&format!("directory-{number}")).unwrap();
            if matches!(body, Body::Schedule(_)) != (wave == 1) {
                continue;
            }
            if calls.len() >= RECORDS_IN_FLIGHT {
                calls.join_next().await.unwrap().unwrap();
            }
            calls.spawn(async move {
                match body {
                    Body::Territory(one) => {
                        drop(service.upsert_territory(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::Place(one) => drop(service.upsert_place(&caller, request_id, (*one).clone()).await.unwrap()),
                    Body::Practitioner(one) => {
                        drop(service.upsert_practitioner(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::Schedule(one) => {
                        drop(service.upsert_schedule(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::EmergencySite(one) => {
                        drop(service.upsert_emergency_site(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::Source(_)
                    | Body::Slot(_)
                    | Body::Case(_)
                    | Body::Orientation(_)
                    | Body::Tally(_)
                    | Body::Policy(_) => {}
                }
            });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap();
        }
    }
    bodies.len() as f64 / started.elapsed().as_secs_f64()
}

/// Publishes slots, and says how many a second.
pub async fn publish(service: &Service, slots: &[Arc<Slot>]) -> f64 {
    let started = Instant::now();
    let mut batches = tokio::task::JoinSet::new();
    for (number, chunk) in slots.chunks(BATCH).enumerate() {
        if batches.len() >= BATCHES_IN_FLIGHT {
            batches.join_next().await.unwrap().unwrap();
        }
        let rows = chunk.iter().map(|slot| PublishRow::Parsed { published: published(slot), warnings: vec![] });
        let batch = PublishBatch {
            request_id: RequestId::parse(&format!("publish-{number}")).unwrap(),
            source_id: SourceId::parse("bench").unwrap(),
            source_revision: 2,
            rows: rows.collect(),
        };
        let service = service.clone();
        batches.spawn(async move {
            let done = service.publish(&Caller::local(), batch).await.unwrap();
            let refused = done.value.iter().find(|row| row.status == RowStatus::Refused);
            assert!(refused.is_none(), "{refused:?}");
        });
    }
    while let Some(done) = batches.join_next().await {
        done.unwrap();
    }
    slots.len() as f64 / started.elapsed().as_secs_f64()
}

/// The slots of which a case can have one each.
pub fn single(slots: &[Arc<Slot>]) -> Vec<SlotId> {
    slots.iter().filter(|slot| slot.capacity == 1).map(|slot| slot.id.clone()).collect()
}

/// The hold of this number; each has a case and a slot of its own.
pub fn hold_request(ids: &[SlotId], number: usize) -> HoldRequest {
    HoldRequest {
        request_id: RequestId::parse(&format!("hold-{number}")).unwrap(),
        slot_id: ids[number * 7_919 % ids.len()].clone(),
        case_id: CaseId::parse(&format!("dossier-{number}")).unwrap(),
        ttl_seconds: Some(900),
        query: None,
        regulator_id: None,
        rebooks: None,
        authority: Authority::default(),
    }
}

/// One caller after the other holds: each takes the next number until this one.
pub async fn holds(service: &Service, ids: &[SlotId], next: &AtomicUsize, until: usize) -> Vec<Held> {
    let until = until.min(ids.len());
    let mut all = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= until {
            return all;
        }
        let asked = Instant::now();
        match service.hold(&Caller::local(), hold_request(ids, number)).await {
            Ok(done) => {
                let sequence = done.stamp.position.sequence;
                all.push(Held { asked, took: asked.elapsed(), sequence });
            }
            // A few slots of the night are over; they are no holds.
            Err(refused) => assert!(refused.message.contains("over"), "{refused:?}"),
        }
    }
}

/// So many callers hold at the same time, each its own slots, from a number until another.
pub async fn hold_at_once(
    service: &Service,
    ids: &Arc<Vec<SlotId>>,
    callers: usize,
    numbers: std::ops::Range<usize>,
) -> Vec<Held> {
    let (next, until) = (Arc::new(AtomicUsize::new(numbers.start)), numbers.end);
    let mut holders = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (service, ids, next) = (service.clone(), Arc::clone(ids), Arc::clone(&next));
        holders.spawn(async move { holds(&service, &ids, &next, until).await });
    }
    holders.join_all().await.into_iter().flatten().collect()
}

/// The time at a share of the way from the shortest to the longest.
pub fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize]
}

fn published(slot: &Slot) -> Published {
    Published {
        id: slot.id.clone(),
        schedule_id: slot.schedule_id.clone(),
        window: slot.window,
        capacity: slot.capacity,
        traits: Arc::clone(&slot.traits),
    }
}
