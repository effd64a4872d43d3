//! Every reason that a call can meet, walked to its gRPC code, its fields and what to do.

use sas_router::ledger::Unavailable;
use sas_router::proto::routing as pb;
use sas_router::service::Reason;
use tonic::{Code, Status};

use crate::harness::details::{fields, reason, says_when_to_retry};
use crate::harness::in_process::{Bookings, InProcess, connect};
use crate::harness::stalled_ledger::{Stalled, options};
use crate::harness::world::{
    SOURCE, batch, hold, minutes, place, practitioner, publish, query, schedule, settled, slot, territory,
};

#[track_caller]
fn assert_told(status: &Status, code: Code, expected: Reason) {
    assert_eq!((status.code(), reason(status).as_str()), (code, expected.code()), "{status:?}");
    assert!(!status.message().is_empty());
}

fn confirm(request_id: &str, hold_id: &str) -> pb::ConfirmHoldRequest {
    pb::ConfirmHoldRequest { request_id: request_id.into(), hold_id: hold_id.into() }
}

fn release(request_id: &str, hold_id: &str) -> pb::ReleaseHoldRequest {
    pb::ReleaseHoldRequest { request_id: request_id.into(), hold_id: hold_id.into() }
}

fn cancel(request_id: &str, booking_id: &str) -> pb::CancelBookingRequest {
    pb::CancelBookingRequest { request_id: request_id.into(), booking_id: booking_id.into(), reason: String::new() }
}

async fn held(bookings: &mut Bookings, request_id: &str, slot_id: &str) -> String {
    bookings.hold_slot(hold(request_id, slot_id)).await.unwrap().into_inner().hold.unwrap().hold_id
}

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let town = InProcess::start().await;
    let (mut directory, mut bookings) = (town.directory(), town.bookings());
    let status =
        directory.get_territory(pb::GetTerritoryRequest { territory_id: "690000005".into() }).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownTerritory);
    let status = directory.get_place(pb::GetPlaceRequest { place_id: "x".into() }).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownPlace);
    let request = pb::GetPractitionerRequest { practitioner_id: "10002909371".into() };
    let status = directory.get_practitioner(request).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownPractitioner);
    let status =
        directory.get_schedule_entry(pb::GetScheduleEntryRequest { schedule_id: "x".into() }).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownSchedule);
    let request = pb::GetEmergencySiteRequest { emergency_site_id: "x".into() };
    let status = directory.get_emergency_site(request).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownEmergencySite);
    let request = pb::GetScheduleRequest { schedule_id: "x".into(), window: None };
    let status = town.publishing().get_schedule(request).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownSchedule);
    let status = bookings.hold_slot(hold("h", "x")).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownSlot);
    let status = bookings.get_hold(pb::GetHoldRequest { hold_id: NOBODY.into() }).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownHold);
    let status = bookings.get_booking(pb::GetBookingRequest { booking_id: NOBODY.into() }).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownBooking);
    let status = bookings.confirm_hold(confirm("c", NOBODY)).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownHold);
    let status = bookings.cancel_booking(cancel("x", NOBODY)).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownBooking);
}

#[tokio::test]
async fn a_schedule_needs_what_it_names() {
    let town = InProcess::start().await;
    let mut directory = town.directory();
    let upsert =
        |request_id: &str| pb::UpsertScheduleRequest { request_id: request_id.into(), schedule: Some(schedule(1)) };
    let status = directory.upsert_schedule(upsert("s1")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    let request = pb::UpsertPlaceRequest { request_id: "p".into(), place: Some(place(1)) };
    directory.upsert_place(request).await.unwrap();
    let request = pb::UpsertPractitionerRequest { request_id: "d".into(), practitioner: Some(practitioner()) };
    directory.upsert_practitioner(request).await.unwrap();
    let status = directory.upsert_schedule(upsert("s1")).await.unwrap_err();
    assert_told(&status, Code::NotFound, Reason::UnknownTerritory);
}

#[tokio::test]
async fn a_claim_that_cannot_be_made_says_why() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let first = held(&mut bookings, "h1", "a").await;
    let status = bookings.hold_slot(hold("h2", "a")).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::SlotTaken);
    let status = bookings.cancel_booking(cancel("x1", &first)).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::NotBooked);
    bookings.confirm_hold(confirm("c1", &first)).await.unwrap();
    let status = bookings.confirm_hold(confirm("c2", &first)).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::AlreadyBooked);
    let status = bookings.release_hold(release("r1", &first)).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::AlreadyBooked);
    bookings.cancel_booking(cancel("x2", &first)).await.unwrap();
    let status = bookings.confirm_hold(confirm("c3", &first)).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::BookingCancelled);

    let second = held(&mut bookings, "h3", "b").await;
    bookings.release_hold(release("r2", &second)).await.unwrap();
    let status = bookings.confirm_hold(confirm("c4", &second)).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::HoldReleased);

    let third = held(&mut bookings, "h4", "b").await;
    town.clock.advance_seconds(121);
    let status = bookings.confirm_hold(confirm("c5", &third)).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::HoldExpired);

    town.clock.advance_seconds(4 * 3_600);
    let status = bookings.hold_slot(hold("h5", "b")).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::SlotPast);
}

#[tokio::test]
async fn a_withdrawn_slot_says_so() {
    let town = settled().await;
    let request = pb::WithdrawSlotsRequest {
        request_id: "w".into(),
        source_id: SOURCE.into(),
        source_revision: 2,
        slot_ids: vec!["a".into()],
    };
    town.publishing().withdraw_slots(request).await.unwrap();
    let status = town.bookings().hold_slot(hold("h", "a")).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::SlotWithdrawn);
}

#[tokio::test]
async fn rows_that_cannot_be_taken_say_why() {
    let town = settled().await;
    held(&mut town.bookings(), "h", "a").await;
    let moved = slot("a", 1, 90);
    let elsewhere = pb::SlotInput { schedule_id: "agenda-2".into(), ..slot("a", 1, 60) };
    let small = pb::SlotInput { capacity: Some(2), ..slot("wide", 2, 300) };
    let past = slot("past", 1, -60);
    let twice = slot("twice", 2, 200);
    let rows = vec![moved, small, past, twice.clone(), twice];
    let reasons =
        |answer: pb::PublishSlotsResponse| answer.results.into_iter().map(|row| row.reason).collect::<Vec<_>>();
    let told = reasons(publish(&town, batch("b2", 2, rows)).await);
    assert_eq!(told, ["SLOT_CLAIMED", "", "SLOT_PAST", "", "DUPLICATE_SLOT_ID"]);
    let told = reasons(publish(&town, batch("b3", 3, vec![elsewhere])).await);
    assert_eq!(told, ["SLOT_ID_IN_USE"]);

    held(&mut town.bookings(), "h2", "wide").await;
    held(&mut town.bookings(), "h3", "wide").await;
    let told = reasons(publish(&town, batch("b4", 4, vec![slot("wide", 2, 300)])).await);
    assert_eq!(told, ["CAPACITY_BELOW_CLAIMS"]);
    let foreign = pb::PublishSlotsRequest { source_id: "other".into(), ..batch("b5", 5, vec![slot("c", 1, 400)]) };
    assert_eq!(reasons(publish(&town, foreign).await), ["SOURCE_MISMATCH"]);
    assert_eq!(reasons(publish(&town, batch("b6", 1, vec![slot("c", 2, 400)])).await), ["STALE_REVISION"]);
}

#[tokio::test]
async fn an_older_replacement_is_aborted() {
    let town = settled().await;
    publish(&town, batch("b2", 5, vec![slot("c", 1, 400)])).await;
    let request = pb::ReplaceScheduleRequest {
        request_id: "r".into(),
        schedule_id: "agenda-1".into(),
        source_id: SOURCE.into(),
        source_revision: 4,
        window: Some(pb::Window { start_at: minutes(0), end_at: minutes(60) }),
        ..pb::ReplaceScheduleRequest::default()
    };
    let status = town.publishing().replace_schedule(request.clone()).await.unwrap_err();
    assert_told(&status, Code::Aborted, Reason::StaleRevision);
    let foreign = pb::ReplaceScheduleRequest { source_id: "other".into(), source_revision: 9, ..request };
    let status = town.publishing().replace_schedule(foreign).await.unwrap_err();
    assert_told(&status, Code::FailedPrecondition, Reason::SourceMismatch);
}

#[tokio::test]
async fn a_request_id_with_other_content_is_refused() {
    let town = settled().await;
    let mut bookings = town.bookings();
    held(&mut bookings, "same", "a").await;
    let status = bookings.hold_slot(hold("same", "b")).await.unwrap_err();
    assert_told(&status, Code::AlreadyExists, Reason::RequestIdReused);
}

#[tokio::test]
async fn wrong_requests_name_every_wrong_field() {
    let town = InProcess::start().await;
    let mut bookings = town.bookings();
    let request = pb::HoldSlotRequest {
        ttl_seconds: Some(4),
        query: Some(pb::CareQuery { sex: "?".into(), ..query() }),
        ..pb::HoldSlotRequest::default()
    };
    let status = bookings.hold_slot(request).await.unwrap_err();
    assert_told(&status, Code::InvalidArgument, Reason::InvalidArgument);
    assert_eq!(fields(&status), ["request_id", "slot_id", "case_id", "ttl_seconds", "query.sex"]);
    let status = bookings.confirm_hold(confirm("", "no uuid")).await.unwrap_err();
    assert_eq!(fields(&status), ["request_id", "hold_id"]);
    let long = pb::CancelBookingRequest { reason: "x".repeat(201), ..cancel("x", NOBODY) };
    assert_eq!(fields(&bookings.cancel_booking(long).await.unwrap_err()), ["reason"]);
    let request = pb::UpsertTerritoryRequest {
        request_id: "t".into(),
        territory: Some(pb::Territory { name: String::new(), phone: "15".into(), ..territory() }),
    };
    let status = town.directory().upsert_territory(request).await.unwrap_err();
    assert_eq!(fields(&status), ["territory.name", "territory.phone"]);
}

#[tokio::test]
async fn more_rows_than_the_limit_are_refused_before_they_are_read() {
    let town = InProcess::start().await;
    let rows = vec![pb::SlotInput::default(); 501];
    let mut answers =
        town.publishing().publish_slots(tokio_stream::once(batch("b", 1, rows))).await.unwrap().into_inner();
    let status = answers.message().await.unwrap_err();
    assert_told(&status, Code::InvalidArgument, Reason::TooManyRows);
    assert_eq!(fields(&status), ["rows"]);
    let request = pb::WithdrawSlotsRequest { slot_ids: vec!["a".into(); 301], ..pb::WithdrawSlotsRequest::default() };
    let status = town.publishing().withdraw_slots(request).await.unwrap_err();
    assert_told(&status, Code::InvalidArgument, Reason::TooManyRows);
}

#[tokio::test]
async fn a_ledger_that_cannot_write_says_when_to_try_again() {
    let stalled = Stalled::start(options()).await;
    let mut directory = pb::directory_service_client::DirectoryServiceClient::new(connect(stalled.address).await);
    let table = [
        (Unavailable::Refused("the disk is full".into()), Code::Unavailable, Reason::LedgerUnavailable),
        (Unavailable::OutcomeUnknown("cut".into()), Code::Unavailable, Reason::OutcomeUnknown),
        (Unavailable::Overloaded, Code::ResourceExhausted, Reason::Overloaded),
        (Unavailable::Closing, Code::Unavailable, Reason::ShuttingDown),
    ];
    for (unavailable, code, expected) in table {
        *stalled.ledger.unavailable.lock() = Some(unavailable);
        let request = pb::UpsertTerritoryRequest { request_id: "t".into(), territory: Some(territory()) };
        let status = directory.upsert_territory(request).await.unwrap_err();
        assert_told(&status, code, expected);
        assert!(says_when_to_retry(&status), "{status:?}");
    }
}
