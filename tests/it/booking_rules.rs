//! The rules of booking as callers meet them: one booking a case, rebooking, the clinical delay, how many holds.

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{fields, hold_refused, reason};
use crate::harness::in_process::{Bookings, InProcess};
use crate::harness::world::{batch, hold, minutes, publish, query, settled, slot};

const CASE: &str = "fr.health.samu690.1";

async fn held(bookings: &mut Bookings, request: pb::HoldSlotRequest) -> String {
    bookings.hold_slot(request).await.unwrap().into_inner().hold.unwrap().hold_id
}

async fn booked(bookings: &mut Bookings, request_id: &str, slot_id: &str) -> String {
    let hold_id = held(bookings, hold(request_id, slot_id)).await;
    confirm(bookings, request_id, &hold_id).await.unwrap();
    hold_id
}

async fn confirm(bookings: &mut Bookings, request_id: &str, hold_id: &str) -> Result<pb::Booking, tonic::Status> {
    let request = pb::ConfirmHoldRequest { request_id: format!("confirm {request_id}"), hold_id: hold_id.into() };
    bookings.confirm_hold(request).await.map(|answer| answer.into_inner().booking.unwrap())
}

async fn booking(bookings: &mut Bookings, booking_id: &str) -> pb::Booking {
    let request = pb::GetBookingRequest { booking_id: booking_id.into() };
    bookings.get_booking(request).await.unwrap().into_inner().booking.unwrap()
}

fn rebook(request_id: &str, booking_id: &str, target: pb::rebook_request::Target) -> pb::RebookRequest {
    pb::RebookRequest {
        request_id: request_id.into(),
        booking_id: booking_id.into(),
        target: Some(target),
        cancel_reason: "trop loin".into(),
        ..pb::RebookRequest::default()
    }
}

fn to_slot(request_id: &str, booking_id: &str, slot_id: &str) -> pb::RebookRequest {
    rebook(request_id, booking_id, pb::rebook_request::Target::SlotId(slot_id.into()))
}

async fn town_with_wide_slot() -> InProcess {
    let town = settled().await;
    let wide = pb::SlotInput { capacity: Some(50), ..slot("wide", 1, 180) };
    publish(&town, batch("wide", 2, vec![wide])).await;
    town
}

#[tokio::test]
async fn a_second_booking_of_a_case_is_refused_and_names_the_first() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let second = held(&mut bookings, hold("h2", "b")).await;
    let first = booked(&mut bookings, "h1", "a").await;
    let status = confirm(&mut bookings, "h2", &second).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "CASE_BOOKED"));
    assert!(status.message().contains(&first), "{}", status.message());
    let status = bookings.hold_slot(hold("h3", "b")).await.unwrap_err();
    assert_eq!(reason(&status), "CASE_BOOKED");
    assert_eq!(hold_refused(&status).unwrap().standing_claim_ids, [first]);
    let other = pb::HoldSlotRequest { case_id: "fr.health.samu690.2".into(), ..hold("h4", "b") };
    let status = bookings.hold_slot(other).await.unwrap_err();
    assert_eq!(reason(&status), "SLOT_TAKEN", "the slot is still held, the case is not in the way");
}

#[tokio::test]
async fn a_rebooking_moves_the_patient_in_one_call() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let old = booked(&mut bookings, "h1", "a").await;
    let done = bookings.rebook(to_slot("r", &old, "b")).await.unwrap().into_inner();
    let (new, replaced) = (done.booking.unwrap(), done.replaced.unwrap());
    assert_eq!((new.state(), new.slot_id.as_str(), new.case_id.as_str()), (pb::ClaimState::Booked, "b", CASE));
    assert_eq!((replaced.state(), replaced.cancel_reason.as_str()), (pb::ClaimState::Cancelled, "trop loin"));
    assert_eq!((&new.replaces_booking_id, &replaced.replaced_by_booking_id), (&old, &new.booking_id));
    assert_eq!(booking(&mut bookings, &old).await, replaced);
    assert!(bookings.rebook(to_slot("r", &old, "b")).await.unwrap().into_inner().replayed);
    let other = pb::HoldSlotRequest { case_id: "fr.health.samu690.2".into(), ..hold("h3", "a") };
    held(&mut bookings, other).await;
}

#[tokio::test]
async fn a_rebooking_that_fails_leaves_the_booking_and_offers_others() {
    let town = town_with_wide_slot().await;
    let mut bookings = town.bookings();
    let old = booked(&mut bookings, "h1", "a").await;
    held(&mut bookings, pb::HoldSlotRequest { case_id: "another".into(), ..hold("h2", "b") }).await;
    let request = pb::RebookRequest { query: Some(query()), ..to_slot("r1", &old, "b") };
    let status = bookings.rebook(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    let refused = hold_refused(&status).unwrap();
    assert_eq!(refused.slot_id, "b");
    assert_eq!(refused.alternatives.iter().map(|option| option.slot_id.as_str()).collect::<Vec<_>>(), ["wide"]);
    assert_eq!(booking(&mut bookings, &old).await.state(), pb::ClaimState::Booked);

    let status = bookings.rebook(to_slot("r2", &old, "a")).await.unwrap_err();
    assert_eq!(reason(&status), "SAME_SLOT");
    let nothing = pb::RebookRequest { target: None, ..to_slot("r3", "no uuid", "a") };
    assert_eq!(fields(&bookings.rebook(nothing).await.unwrap_err()), ["booking_id", "slot_id"]);
}

#[tokio::test]
async fn a_slot_is_held_for_a_rebooking_while_the_booking_lives() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let old = booked(&mut bookings, "h1", "a").await;
    let meant = pb::HoldSlotRequest { rebooks_booking_id: old.clone(), ..hold("h2", "b") };
    let hold_id = held(&mut bookings, meant).await;
    assert_eq!(reason(&confirm(&mut bookings, "h2", &hold_id).await.unwrap_err()), "CASE_BOOKED");
    let target = pb::rebook_request::Target::HoldId(hold_id.clone());
    let done = bookings.rebook(rebook("r1", &old, target)).await.unwrap().into_inner();
    assert_eq!(done.booking.unwrap().booking_id, hold_id);

    let other = pb::HoldSlotRequest { case_id: "another".into(), ..hold("h3", "a") };
    let other = held(&mut bookings, other).await;
    let target = pb::rebook_request::Target::HoldId(other);
    assert_eq!(reason(&bookings.rebook(rebook("r2", &hold_id, target)).await.unwrap_err()), "CASE_MISMATCH");
}

#[tokio::test]
async fn a_slot_beyond_the_delay_is_for_a_physician_who_says_why() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let soon = pb::CareQuery { needed_within_minutes: Some(90), ..query() };
    let late = pb::HoldSlotRequest { query: Some(soon), ..hold("h1", "b") };
    let status = bookings.hold_slot(late.clone()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "BEYOND_DELAY"));
    assert!(
        status.message().contains("care begins 30 min after") && status.message().contains("physician"),
        "{}",
        status.message()
    );
    let alternatives = hold_refused(&status).unwrap().alternatives;
    assert_eq!(alternatives.iter().map(|option| option.slot_id.as_str()).collect::<Vec<_>>(), ["a"]);

    let by_physician = pb::HoldSlotRequest {
        regulator_role: pb::RegulatorRole::Physician.into(),
        beyond_delay_reason: "seul créneau de pédiatrie".into(),
        ..late.clone()
    };
    let wrong = pb::HoldSlotRequest { regulator_role: 9, beyond_delay_reason: "x".repeat(201), ..late };
    assert_eq!(fields(&bookings.hold_slot(wrong).await.unwrap_err()), ["regulator_role", "beyond_delay_reason"]);
    let hold = bookings.hold_slot(by_physician).await.unwrap().into_inner().hold.unwrap();
    let noted = hold.beyond_delay.clone().unwrap();
    assert_eq!(
        (noted.regulator_role(), noted.reason.as_str()),
        (pb::RegulatorRole::Physician, "seul créneau de pédiatrie")
    );
    let request = pb::GetHoldRequest { hold_id: hold.hold_id.clone() };
    assert_eq!(bookings.get_hold(request).await.unwrap().into_inner().hold.unwrap(), hold);
    confirm(&mut bookings, "h1", &hold.hold_id).await.unwrap();
    assert_eq!(booking(&mut bookings, &hold.hold_id).await.beyond_delay, Some(noted));
    let status = town.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.beyond_delay_count, 1);
}

#[tokio::test]
async fn a_walk_in_window_begins_for_a_patient_who_can_be_there() {
    let town = settled().await;
    let open = |id: &str, modalities: &[&str]| pb::SlotInput {
        window: Some(pb::Window { start_at: minutes(-60), end_at: minutes(300) }),
        appointment_type: "WALKIN".into(),
        modalities: modalities.iter().map(|one| (*one).into()).collect(),
        ..slot(id, 1, 0)
    };
    publish(&town, batch("open", 2, vec![open("open", &["AMB"]), open("open-vr", &["AMB", "VR"])])).await;
    let mut bookings = town.bookings();
    let far = pb::GeoPoint { latitude: 45.3, longitude: 4.88 };
    let asked = |within, modalities: &[&str]| pb::CareQuery {
        position: Some(far),
        needed_within_minutes: Some(within),
        modalities: modalities.iter().map(|one| (*one).into()).collect(),
        radius_m: Some(100_000),
        ..query()
    };
    let request = |number: u32, slot_id: &str, query| pb::HoldSlotRequest {
        case_id: format!("case-{number}"),
        query: Some(query),
        ..hold(&format!("h{number}"), slot_id)
    };
    let late = request(1, "open", asked(20, &[]));
    let status = bookings.hold_slot(late.clone()).await.unwrap_err();
    assert_eq!(reason(&status), "BEYOND_DELAY", "it is open, but 44 km away");
    let physician = pb::HoldSlotRequest {
        regulator_role: pb::RegulatorRole::Physician.into(),
        beyond_delay_reason: "aucun autre".into(),
        ..late
    };
    assert!(bookings.hold_slot(physician).await.unwrap().into_inner().hold.unwrap().beyond_delay.is_some());
    let status = bookings.hold_slot(request(2, "open-vr", asked(20, &["AMB"]))).await.unwrap_err();
    assert_eq!(reason(&status), "BEYOND_DELAY", "teleconsultation was not asked for");
    held(&mut bookings, request(3, "open-vr", asked(20, &[]))).await;
    publish(&town, batch("again", 3, vec![open("again", &["AMB"])])).await;
    held(&mut bookings, request(4, "again", asked(200, &[]))).await;
}

#[tokio::test]
async fn a_hold_is_judged_by_the_delay_of_the_answer_that_led_to_it() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let soon = pb::CareQuery { needed_within_minutes: Some(50), ..query() };
    let find = async |query| {
        let request = pb::FindCareRequest { query: Some(query) };
        town.routing().find_care(request).await.unwrap().into_inner()
    };
    let answer = find(soon.clone()).await;
    assert_eq!((answer.options.len(), &answer.needed_by_at), (0, &minutes(50)));
    town.clock.advance_seconds(15 * 60);
    let as_answered = pb::CareQuery { needed_by_at: answer.needed_by_at, ..soon.clone() };
    let later = find(as_answered.clone()).await;
    assert_eq!((later.options.len(), &later.needed_by_at), (0, &minutes(50)), "it does not begin anew");
    let status = bookings.hold_slot(pb::HoldSlotRequest { query: Some(as_answered.clone()), ..hold("h1", "a") }).await;
    assert_eq!(reason(&status.unwrap_err()), "BEYOND_DELAY");
    held(&mut bookings, pb::HoldSlotRequest { query: Some(soon), ..hold("h2", "a") }).await;

    let request = pb::WatchCareRequest { query: Some(as_answered), ..pb::WatchCareRequest::default() };
    let mut watch = town.routing().watch_care(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().answer.unwrap().needed_by_at, minutes(50));
    let far_off = pb::CareQuery { needed_by_at: minutes(10 * 24 * 60), ..query() };
    assert_eq!(find(far_off).await.needed_by_at, minutes(15 + 3 * 24 * 60), "three days at most");
    let wrong = pb::CareQuery { needed_by_at: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }), ..query() };
    let status = town.routing().find_care(pb::FindCareRequest { query: Some(wrong) }).await.unwrap_err();
    assert_eq!(fields(&status), ["query.needed_by_at"]);
}

#[tokio::test]
async fn a_regulator_holds_eight_slots_at_once() {
    let town = town_with_wide_slot().await;
    let mut bookings = town.bookings();
    let request = |number: u32| pb::HoldSlotRequest {
        case_id: format!("case-{number}"),
        regulator_id: "arm-7".into(),
        ..hold(&format!("h{number}"), "wide")
    };
    let mut live = Vec::new();
    for number in 0..8 {
        live.push(held(&mut bookings, request(number)).await);
    }
    let status = bookings.hold_slot(request(8)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "QUOTA_EXCEEDED"));
    let mut named = hold_refused(&status).unwrap().standing_claim_ids;
    live.sort();
    named.sort();
    assert_eq!(named, live);
    town.clock.advance_seconds(121);
    held(&mut bookings, request(8)).await;
}
