//! The order of UPGRADE.md: instances are replaced one by one, and callers who ask the next one never go without an answer.

use std::error::Error as _;

use sas_router::proto::routing as pb;
use tonic::{Code, Status};

use crate::harness::details::reason;
use crate::harness::in_process::{Bookings, Routing};
use crate::harness::site::{Site, slot};
use crate::harness::world::{hold, query};

/// Holds and questions while each instance is replaced; all holds are fewer than a regulator may have.
const CALLS: usize = 2;

/// Calls every instance in turn from one on, until one answers.
async fn answered<T>(first: usize, call: impl AsyncFn(usize) -> Result<T, Status>) -> T {
    for attempt in 0..6 {
        match call((first + attempt) % 3).await {
            Ok(answer) => return answer,
            // A connection that ended tells nothing: the same request is asked of the next one.
            Err(status) => assert!(status.code() == Code::Unavailable || is_of_transport(&status), "{status:?}"),
        }
    }
    panic!("three instances, one of them replaced, and nobody answered");
}

/// Whether the status is of the client's transport and not of the service.
fn is_of_transport(status: &Status) -> bool {
    status.source().is_some()
}

/// Asks and holds, at first of the instance that is being replaced.
async fn call(round: usize, routings: &[Routing], bookings: &[Bookings]) {
    for number in 0..CALLS {
        let request = pb::FindCareRequest { query: Some(query()) };
        let found = answered(round, async |at| routings[at].clone().find_care(request.clone()).await).await;
        assert!(!found.into_inner().options.is_empty());
        // The same request, wherever it is repeated.
        let request = hold(&format!("hold {round} {number}"), &format!("slot-{round}-{number}"));
        let request = pb::HoldSlotRequest { ttl_seconds: Some(600), ..request };
        answered(round, async |at| bookings[at].clone().hold_slot(request.clone()).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_are_replaced_one_by_one_and_nobody_goes_without_an_answer() {
    let mut site = Site::start(3).await;
    let numbers = (0..3).flat_map(|round| (0..=CALLS).map(move |number| (round, number)));
    let rows =
        (60..).step_by(15).zip(numbers).map(|(at, (round, number))| slot(&format!("slot-{round}-{number}"), 1, at, 1));
    site.publish(1, rows.collect()).await;
    for round in 0..3 {
        let routings: Vec<_> = site.instances.iter().map(|instance| instance.routing()).collect();
        let bookings: Vec<_> = site.instances.iter().map(|instance| instance.bookings()).collect();
        let replaced = site.instances.remove(round).process;
        let ending = tokio::task::spawn_blocking(move || replaced.terminate());
        let (ended, ()) = tokio::join!(ending, call(round, &routings, &bookings));
        let ended = ended.unwrap();
        assert!(ended.status.success(), "{}", ended.stderr);
        let new = site.instance().await;
        new.wait_until_serving("sas.routing.v1.BookingService").await;
        site.instances.insert(round, new);
    }
    for instance in &site.instances {
        for (round, number) in (0..3).flat_map(|round| (0..CALLS).map(move |number| (round, number))) {
            let taken = hold(&format!("another {round} {number}"), &format!("slot-{round}-{number}"));
            let refused = instance.bookings().hold_slot(taken).await.unwrap_err();
            assert_eq!(reason(&refused), "SLOT_TAKEN", "{refused:?}");
        }
    }
}
