//! Every call of the public interface, over a real connection.

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{fields, hold_refused, reason};
use crate::harness::in_process::InProcess;
use crate::harness::world::{
    SOURCE, TERRITORY, batch, emergency_site, hold, minutes, place, practitioner, publish, query, schedule, settle,
    settled, slot, territory,
};

#[tokio::test]
async fn directory_entries_are_kept_got_and_listed() {
    let town = InProcess::start().await;
    settle(&town).await;
    let mut directory = town.directory();

    let got = directory.get_territory(pb::GetTerritoryRequest { territory_id: "690000005".into() }).await.unwrap();
    assert_eq!(got.into_inner().territory.unwrap(), territory());
    let got = directory.get_place(pb::GetPlaceRequest { place_id: "place-1".into() }).await.unwrap().into_inner();
    let expected = pb::Place { department: "69".into(), time_zone: "Europe/Paris".into(), ..place(1) };
    assert_eq!(got.place.unwrap(), expected, "with what was derived");
    let request = pb::GetPractitionerRequest { practitioner_id: "10002909371".into() };
    let got = directory.get_practitioner(request).await.unwrap().into_inner();
    assert_eq!(got.practitioner.unwrap(), pb::Practitioner { profession: "10".into(), ..practitioner() });
    let request = pb::GetScheduleEntryRequest { schedule_id: "agenda-2".into() };
    let got = directory.get_schedule_entry(request).await.unwrap().into_inner().schedule.unwrap();
    assert_eq!(got, pb::Schedule { received_at: got.received_at, ..schedule(2) });
    let request = pb::GetEmergencySiteRequest { emergency_site_id: "sau-1".into() };
    let got = directory.get_emergency_site(request).await.unwrap().into_inner().emergency_site.unwrap();
    assert_eq!(
        got,
        pb::EmergencySite {
            department: "69".into(),
            time_zone: "Europe/Paris".into(),
            access: pb::EmergencyAccess::Open.into(),
            ..emergency_site()
        }
    );

    let listed = directory.list_territories(pb::ListTerritoriesRequest::default()).await.unwrap().into_inner();
    assert_eq!((listed.territories.len(), listed.next_page_token.as_str()), (1, ""));
    let listed = directory.list_practitioners(pb::ListPractitionersRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.practitioners.len(), 1);
    let listed = directory.list_emergency_sites(pb::ListEmergencySitesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.emergency_sites.len(), 1);
    let listed = directory.list_schedules(pb::ListSchedulesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.schedules.len(), 2);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let town = InProcess::start().await;
    settle(&town).await;
    let mut directory = town.directory();
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let request = pb::ListPlacesRequest { page_size: 1, page_token: token };
        let page = directory.list_places(request).await.unwrap().into_inner();
        seen.extend(page.places.into_iter().map(|place| place.place_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["place-1", "place-2"]);
    let refused = directory.list_places(pb::ListPlacesRequest { page_size: 1_001, page_token: "x".into() }).await;
    assert_eq!(fields(&refused.unwrap_err()), ["page_size", "page_token"]);
}

#[tokio::test]
async fn batches_are_answered_in_order_row_by_row() {
    let town = InProcess::start().await;
    settle(&town).await;
    let bad = pb::SlotInput { capacity: Some(0), ..slot("bad", 1, 90) };
    let batches = vec![
        batch("b1", 1, vec![slot("a", 1, 60), bad, slot("lost", 9, 60)]),
        batch("b2", 2, vec![slot("a", 1, 60), slot("b", 2, 120)]),
        batch("b3", 1, vec![slot("c", 1, 180)]),
    ];
    let mut answers = town.publishing().publish_slots(tokio_stream::iter(batches)).await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        let rows = answer
            .results
            .iter()
            .map(|row| (row.row, row.status().as_str_name(), row.reason.clone(), row.field.clone()));
        told.push((answer.request_id.clone(), rows.collect::<Vec<_>>()));
    }
    let row = |row, status, reason: &str, field: &str| (row, status, reason.to_owned(), field.to_owned());
    assert_eq!(told[0].0, "b1");
    assert_eq!(
        told[0].1,
        [
            row(0, "ROW_STATUS_CREATED", "", ""),
            row(1, "ROW_STATUS_REFUSED", "INVALID_ARGUMENT", "rows[1].capacity"),
            row(2, "ROW_STATUS_REFUSED", "UNKNOWN_SCHEDULE", "rows[2].schedule_id"),
        ]
    );
    assert_eq!(told[1].1, [row(0, "ROW_STATUS_UNCHANGED", "", ""), row(1, "ROW_STATUS_CREATED", "", "")]);
    assert_eq!(told[2].1[0].2, "STALE_REVISION");
}

#[tokio::test]
async fn a_schedule_is_replaced_previewed_withdrawn_and_shown() {
    let town = settled().await;
    let mut publishing = town.publishing();
    let request = pb::ReplaceScheduleRequest {
        request_id: "r1".into(),
        schedule_id: "agenda-1".into(),
        source_id: SOURCE.into(),
        source_revision: 2,
        window: Some(pb::Window { start_at: minutes(0), end_at: minutes(600) }),
        rows: vec![slot("new", 1, 90)],
        validate_only: true,
    };
    let preview = publishing.replace_schedule(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (preview.added_slot_ids, preview.withdrawn_slot_ids, preview.applied),
        (vec!["new".into()], vec!["a".into()], false)
    );
    let request = pb::ReplaceScheduleRequest { request_id: "r2".into(), validate_only: false, ..request };
    assert!(publishing.replace_schedule(request).await.unwrap().into_inner().applied);

    let request = pb::WithdrawSlotsRequest {
        request_id: "w1".into(),
        source_id: SOURCE.into(),
        source_revision: 3,
        slot_ids: vec!["new".into(), "nowhere".into()],
    };
    let withdrawn = publishing.withdraw_slots(request).await.unwrap().into_inner();
    assert_eq!(withdrawn.results[0].status(), pb::RowStatus::Updated);
    assert_eq!(withdrawn.results[1].reason, "UNKNOWN_SLOT");

    let request = pb::GetScheduleRequest { schedule_id: "agenda-1".into(), window: None };
    let shown = publishing.get_schedule(request).await.unwrap().into_inner();
    let states: Vec<_> =
        shown.slots.iter().map(|slot| (slot.input.as_ref().unwrap().slot_id.as_str(), slot.state())).collect();
    assert_eq!(states, [("a", pb::SlotState::Withdrawn), ("new", pb::SlotState::Withdrawn)]);
    assert_eq!(shown.schedule.unwrap().source_revision, 3);
}

#[tokio::test]
async fn care_is_found_held_confirmed_and_cancelled() {
    let town = settled().await;
    let found = town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap().into_inner();
    assert_eq!(found.outcome(), pb::CareOutcome::Appointment);
    assert_eq!((found.decision_type.as_str(), found.orientation_type.as_str()), ("ORIENT", "CABINET"));
    let first = &found.options[0];
    assert_eq!((first.rank, first.slot_id.as_str(), first.place_address.as_str()), (1, "a", "69200 Vénissieux"));
    assert_eq!((first.practitioner_id.as_str(), first.practitioner_name.as_str()), ("810002909371", "Anne Durand"));
    assert_eq!(
        (first.territory_ids.as_slice(), first.time_zone.as_str()),
        ([TERRITORY.to_owned()].as_slice(), "Europe/Paris")
    );
    assert_eq!(found.emergency_sites[0].emergency_site_id, "sau-1");
    assert!(!first.sentence.is_empty() && !found.stamp.unwrap().policy_version.is_empty());

    let mut bookings = town.bookings();
    let held = bookings.hold_slot(hold("h1", "a")).await.unwrap().into_inner();
    let hold_id = held.hold.as_ref().unwrap().hold_id.clone();
    assert_eq!((held.hold.unwrap().state(), held.replayed), (pb::ClaimState::Held, false));
    assert!(bookings.hold_slot(hold("h1", "a")).await.unwrap().into_inner().replayed);
    let got = bookings.get_hold(pb::GetHoldRequest { hold_id: hold_id.clone() }).await.unwrap().into_inner();
    assert_eq!((got.hold.unwrap().state(), got.answered_at), (pb::ClaimState::Held, minutes(0)));

    let request = pb::ConfirmHoldRequest { request_id: "c1".into(), hold_id: hold_id.clone() };
    let booking = bookings.confirm_hold(request).await.unwrap().into_inner().booking.unwrap();
    assert_eq!((booking.booking_id.as_str(), booking.state()), (hold_id.as_str(), pb::ClaimState::Booked));
    assert_eq!(booking.place.unwrap().place_id, "place-1");
    assert_eq!(booking.practitioner.unwrap().family_name, "Durand");
    let got = bookings.get_booking(pb::GetBookingRequest { booking_id: hold_id.clone() }).await.unwrap().into_inner();
    assert_eq!(got.booking.unwrap().confirmed_at, minutes(0));

    let request = pb::CancelBookingRequest { request_id: "x1".into(), booking_id: hold_id, reason: "rétabli".into() };
    let cancelled = bookings.cancel_booking(request).await.unwrap().into_inner().booking.unwrap();
    assert_eq!((cancelled.state(), cancelled.cancel_reason.as_str()), (pb::ClaimState::Cancelled, "rétabli"));
}

#[tokio::test]
async fn a_hold_is_given_back() {
    let town = settled().await;
    let mut bookings = town.bookings();
    let hold_id = bookings.hold_slot(hold("h1", "a")).await.unwrap().into_inner().hold.unwrap().hold_id;
    let released = bookings.release_hold(pb::ReleaseHoldRequest { request_id: "r1".into(), hold_id }).await.unwrap();
    assert_eq!(released.into_inner().hold.unwrap().state(), pb::ClaimState::Released);
}

#[tokio::test]
async fn the_loser_of_a_race_gets_the_reason_and_the_next_best_option() {
    let town = settled().await;
    let mut bookings = town.bookings();
    bookings.hold_slot(hold("h1", "a")).await.unwrap();
    let request = pb::HoldSlotRequest { case_id: "other".into(), query: Some(query()), ..hold("h2", "a") };
    let refused = bookings.hold_slot(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    let told = hold_refused(&refused).unwrap();
    assert_eq!((told.reason.as_str(), told.slot_id.as_str()), ("SLOT_TAKEN", "a"));
    assert_eq!(told.alternatives.iter().map(|option| option.slot_id.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn status_tells_how_the_instance_stands() {
    let town = settled().await;
    let status = town.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.ledger_kind.as_str(), status.writable, status.write_refusal.as_str()), ("memory", true, ""));
    assert_eq!(status.started_at, minutes(0));
    let counts = status.counts.unwrap();
    assert_eq!(
        (counts.territories, counts.places, counts.schedules, counts.slots, counts.emergency_sites),
        (1, 2, 2, 2, 1)
    );
    assert_eq!(status.version, env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_check_digit_that_fails_is_told_and_accepted() {
    let town = InProcess::start().await;
    let odd = pb::Practitioner { practitioner_id: "10100050075".into(), ..practitioner() };
    let request = pb::UpsertPractitionerRequest { request_id: "p".into(), practitioner: Some(odd) };
    let kept = town.directory().upsert_practitioner(request).await.unwrap().into_inner();
    assert_eq!(kept.practitioner.unwrap().practitioner_id, "810100050075");
    assert_eq!(kept.warnings[0].field, "practitioner.practitioner_id");
}

#[tokio::test]
async fn an_escalation_is_answered_without_any_state() {
    let town = InProcess::start().await;
    let r1 = pb::CareQuery { care_level: "R1".into(), ..pb::CareQuery::default() };
    let found = town.routing().find_care(pb::FindCareRequest { query: Some(r1) }).await.unwrap().into_inner();
    assert_eq!(found.outcome(), pb::CareOutcome::EmergencyDispatch);
}

#[tokio::test]
async fn the_row_of_a_batch_is_replayed_with_its_request() {
    let town = InProcess::start().await;
    settle(&town).await;
    let first = publish(&town, batch("b1", 1, vec![slot("a", 1, 60)])).await;
    let again = publish(&town, batch("b1", 1, vec![slot("a", 1, 60)])).await;
    assert_eq!(first.results, again.results);
}
