//! A server whose places are all taken: what is refused, and what still gets in.

use std::time::Duration;

use sas_router::grpc::Options;
use sas_router::proto::routing as pb;
use sas_router::tasks::Tasks;
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};

use crate::grpc_limits::until;
use crate::harness::details::{reason, says_when_to_retry};
use crate::harness::in_process::{Bookings, Directory, Routing, connect};
use crate::harness::stalled_ledger::{Stalled, options};
use crate::harness::world::{hold, query, territory};

/// A server of two places, both taken by writes that the ledger does not answer, and those of questions by two that wait for a
/// position that does not come.
struct Full {
    stalled: Stalled,
    channel: tonic::transport::Channel,
    _waiting: Vec<JoinHandle<()>>,
}

impl Full {
    async fn start() -> Self {
        let stalled = Stalled::start(Options { calls_max: 2, ..options() }).await;
        let channel = connect(stalled.address).await;
        let mut waiting = Vec::new();
        for request_id in ["a", "b"] {
            let mut directory = Directory::new(channel.clone());
            waiting.push(Tasks::new().spawn(async move {
                let upsert = pb::UpsertTerritoryRequest { request_id: request_id.into(), territory: Some(territory()) };
                drop(directory.upsert_territory(upsert).await);
            }));
            waiting.push(Tasks::new().spawn(keep_asking(Routing::new(channel.clone()))));
        }
        until(|| stalled.server.load().calls == 2 && stalled.server.load().questions == 2).await;
        Self { stalled, channel, _waiting: waiting }
    }

    async fn find(&self, query: pb::CareQuery) -> Result<pb::FindCareResponse, Status> {
        let mut routing = Routing::new(self.channel.clone());
        Ok(routing.find_care(pb::FindCareRequest { query: Some(query) }).await?.into_inner())
    }
}

/// Asks, again and again, for a state that does not come.
async fn keep_asking(mut routing: Routing) {
    loop {
        let mut request = Request::new(pb::FindCareRequest { query: Some(query()) });
        request.metadata_mut().insert("sas-min-position", "1-999999".parse().unwrap());
        drop(routing.find_care(request).await);
    }
}

/// Asks until it is refused: one that waits may just be giving its place to its next try.
async fn refused<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> Status {
    let asking = async {
        loop {
            if let Err(status) = ask().await {
                return status;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("it is never refused")
}

#[tokio::test]
async fn a_question_without_room_is_refused_and_an_escalation_answered() {
    let full = Full::start().await;
    let status = refused(|| full.find(query())).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(says_when_to_retry(&status));
    for urgent in
        [pb::CareQuery { care_level: "R1".into(), ..query() }, pb::CareQuery { priority: "P0".into(), ..query() }]
    {
        for _ in 0..20 {
            let answer = full.find(urgent.clone()).await.unwrap();
            assert_eq!(answer.outcome(), pb::CareOutcome::EmergencyDispatch, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_question_without_room_is_told_what_is_wrong() {
    let full = Full::start().await;
    let wrong = pb::CareQuery { care_level: "R9".into(), ..query() };
    assert_eq!(full.find(wrong).await.unwrap_err().code(), Code::InvalidArgument);
}

/// What ends something that never was begun: the ledger must be asked, so it waits for it as the writes before do.
async fn complete(mut bookings: Bookings, what: &str) -> Status {
    let (request_id, id) = (what.to_owned(), uuid::Uuid::nil().to_string());
    let said = match what {
        "confirm" => bookings.confirm_hold(pb::ConfirmHoldRequest { request_id, hold_id: id }).await.map(drop),
        "release" => bookings.release_hold(pb::ReleaseHoldRequest { request_id, hold_id: id }).await.map(drop),
        _ => {
            let reason = String::new();
            bookings.cancel_booking(pb::CancelBookingRequest { request_id, booking_id: id, reason }).await.map(drop)
        }
    };
    said.unwrap_err()
}

#[tokio::test]
async fn what_ends_something_gets_in_where_a_hold_is_refused() {
    for (what, answer) in [("confirm", "UNKNOWN_HOLD"), ("release", "UNKNOWN_HOLD"), ("cancel", "UNKNOWN_BOOKING")] {
        let full = Full::start().await;
        let mut bookings = Bookings::new(full.channel.clone());
        assert_eq!(reason(&bookings.hold_slot(hold("h", "a")).await.unwrap_err()), "OVERLOADED");
        let completion = Tasks::new().spawn(complete(bookings.clone(), what));
        until(|| full.stalled.server.load().calls == 3).await;
        assert_eq!(reason(&bookings.hold_slot(hold("h", "a")).await.unwrap_err()), "OVERLOADED", "{what}");
        full.stalled.open_for(8);
        assert_eq!(reason(&completion.await.unwrap()), answer);
    }
}

#[tokio::test]
async fn a_ledger_that_stalls_keeps_no_question_out() {
    let stalled = Stalled::start(Options { calls_max: 1, ..options() }).await;
    let channel = connect(stalled.address).await;
    let mut directory = Directory::new(channel.clone());
    let _write = Tasks::new().spawn(async move {
        let upsert = pb::UpsertTerritoryRequest { request_id: "t".into(), territory: Some(territory()) };
        drop(directory.upsert_territory(upsert).await);
    });
    until(|| stalled.server.load().calls == 1).await;
    assert!(Routing::new(channel).find_care(pb::FindCareRequest { query: Some(query()) }).await.is_ok());
}
