//! Offers that came to nothing, from outside: recorded by regulation, not made again, told to the CPTS.

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{fields, hold_refused, reason};
use crate::harness::in_process::InProcess;
use crate::harness::world::{TERRITORY, batch, hold, publish, query, refusal, slot, with_two_practitioners};

async fn find(town: &InProcess, query: pb::CareQuery) -> pb::FindCareResponse {
    town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap().into_inner()
}

fn offered(answer: &pb::FindCareResponse) -> Vec<&str> {
    answer.options.iter().map(|option| option.slot_id.as_str()).collect()
}

#[tokio::test]
async fn a_refused_practitioner_is_not_offered_to_that_case_again() {
    let town = with_two_practitioners().await;
    let of_case = |case_id: &str| pb::CareQuery { case_id: case_id.into(), ..query() };
    assert_eq!(offered(&find(&town, of_case("case-1")).await), ["a", "b"]);
    let request = refusal("r1", "case-1", "a", pb::RefusalReason::PatientChoice);
    let recorded = town.bookings().record_refusal(request.clone()).await.unwrap().into_inner();
    let told = recorded.refusal.unwrap();
    assert_eq!((told.schedule_id.as_str(), told.practitioner_id.as_str()), ("agenda-1", "810002909371"));
    assert!(town.bookings().record_refusal(request).await.unwrap().into_inner().replayed);

    let answer = find(&town, of_case("case-1")).await;
    assert_eq!(offered(&answer), ["b"]);
    assert!(answer.near_misses.iter().any(|miss| miss.rule() == pb::Rule::Excluded), "{:?}", answer.near_misses);
    assert!(answer.exclusions.iter().any(|one| one.rule() == pb::Rule::Excluded && one.count == 1));
    assert_eq!(offered(&find(&town, of_case("case-2")).await), ["a", "b"]);
}

/// Slots beside a refusal.
fn alternatives(status: &tonic::Status) -> Vec<String> {
    hold_refused(status).unwrap().alternatives.into_iter().map(|option| option.slot_id).collect()
}

#[tokio::test]
async fn what_a_case_refused_is_no_alternative_beside_a_refused_hold_or_rebooking() {
    let town = with_two_practitioners().await;
    publish(&town, batch("b2", 2, vec![slot("later", 2, 200)])).await;
    let of_case = |request_id: &str, slot_id: &str, case_id: &str| pb::HoldSlotRequest {
        case_id: case_id.into(),
        query: Some(query()),
        ..hold(request_id, slot_id)
    };
    let hold_id =
        town.bookings().hold_slot(of_case("h1", "later", "case-1")).await.unwrap().into_inner().hold.unwrap().hold_id;
    let confirm = pb::ConfirmHoldRequest { request_id: "c1".into(), hold_id: hold_id.clone() };
    town.bookings().confirm_hold(confirm).await.unwrap();
    town.bookings().hold_slot(of_case("h2", "b", "case-2")).await.unwrap();
    for case in ["case-1", "case-3"] {
        town.bookings().record_refusal(refusal(case, case, "a", pb::RefusalReason::TooFar)).await.unwrap();
    }

    let status = town.bookings().hold_slot(of_case("h3", "b", "case-3")).await.unwrap_err();
    assert_eq!((reason(&status).as_str(), alternatives(&status)), ("SLOT_TAKEN", vec![]));
    let status = town.bookings().hold_slot(of_case("h4", "b", "case-4")).await.unwrap_err();
    assert_eq!(alternatives(&status), ["a"], "it did not refuse that one");
    let rebook = |request_id: &str, query| pb::RebookRequest {
        request_id: request_id.into(),
        booking_id: hold_id.clone(),
        target: Some(pb::rebook_request::Target::SlotId("b".into())),
        query: Some(query),
        ..pb::RebookRequest::default()
    };
    let status = town.bookings().rebook(rebook("r1", query())).await.unwrap_err();
    assert_eq!((reason(&status).as_str(), alternatives(&status)), ("SLOT_TAKEN", vec![]));

    let others = || pb::CareQuery { case_id: "case-4".into(), ..query() };
    let status = town.bookings().rebook(rebook("r2", others())).await.unwrap_err();
    assert_eq!(fields(&status), ["query.case_id"]);
    let request = pb::HoldSlotRequest { query: Some(others()), ..of_case("h5", "a", "case-5") };
    assert_eq!(fields(&town.bookings().hold_slot(request).await.unwrap_err()), ["query.case_id"]);
}

#[tokio::test]
async fn repeated_silence_lowers_a_schedule_and_its_cpts_sees_it() {
    let town = with_two_practitioners().await;
    for case in ["case-1", "case-2"] {
        let request = refusal(case, case, "a", pb::RefusalReason::CouldNotContact);
        town.bookings().record_refusal(request).await.unwrap();
    }
    let answer = find(&town, query()).await;
    assert_eq!(offered(&answer), ["b", "a"], "ten minutes later but reachable");
    assert_eq!(answer.options[1].parts.unwrap().contact_failure_count, 2);
    assert!(answer.options[1].sentence.contains("injoignable"), "{}", answer.options[1].sentence);

    let scope = |scope| pb::ListRefusalsRequest { scope: Some(scope) };
    let of_cpts = scope(pb::list_refusals_request::Scope::TerritoryId(TERRITORY.into()));
    let list = town.publishing().list_refusals(of_cpts).await.unwrap().into_inner();
    assert_eq!(list.schedules.len(), 1);
    let told = &list.schedules[0];
    assert_eq!((told.schedule_id.as_str(), told.doubted), ("agenda-1", true));
    assert_eq!(told.counts[0].reason(), pb::RefusalReason::CouldNotContact);
    assert_eq!(told.counts[0].case_count, 2);
    let of_other = scope(pb::list_refusals_request::Scope::ScheduleId("agenda-2".into()));
    assert!(town.publishing().list_refusals(of_other).await.unwrap().into_inner().schedules.is_empty());
    let nowhere = scope(pb::list_refusals_request::Scope::ScheduleId("nowhere".into()));
    let status = town.publishing().list_refusals(nowhere).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "UNKNOWN_SCHEDULE"));
    let status = town.publishing().list_refusals(pb::ListRefusalsRequest::default()).await.unwrap_err();
    assert_eq!(fields(&status), ["territory_id"]);
}

#[tokio::test]
async fn a_question_states_who_comes_first_and_who_not_at_all() {
    let town = with_two_practitioners().await;
    let preferred = pb::CareQuery { preferred_practitioner_id: "internal:other".into(), ..query() };
    let answer = find(&town, preferred).await;
    assert_eq!(offered(&answer), ["b", "a"]);
    assert!(answer.options[0].parts.unwrap().preferred && !answer.options[1].parts.unwrap().preferred);
    let without = pb::CareQuery { excluded_practitioner_ids: vec!["10002909371".into()], ..query() };
    assert_eq!(offered(&find(&town, without).await), ["b"]);
    let without = pb::CareQuery { excluded_schedule_ids: vec!["agenda-2".into()], ..query() };
    assert_eq!(offered(&find(&town, without).await), ["a"]);
    let wrong = pb::CareQuery {
        excluded_practitioner_ids: vec!["10002909371".into(), "?".into()],
        excluded_schedule_ids: vec!["x".into(); 51],
        preferred_practitioner_id: "?".into(),
        ..query()
    };
    let status = town.routing().find_care(pb::FindCareRequest { query: Some(wrong) }).await.unwrap_err();
    let expected =
        ["query.excluded_practitioner_ids[1]", "query.preferred_practitioner_id", "query.excluded_schedule_ids"];
    assert_eq!(fields(&status), expected);
}

#[tokio::test]
async fn a_wrong_refusal_names_every_wrong_field() {
    let town = with_two_practitioners().await;
    let wrong = pb::RecordRefusalRequest { reason: 8, ..pb::RecordRefusalRequest::default() };
    let status = town.bookings().record_refusal(wrong).await.unwrap_err();
    assert_eq!(fields(&status), ["request_id", "case_id", "slot_id", "reason"]);
    let unknown = refusal("r", "case-1", "nowhere", pb::RefusalReason::Declined);
    let status = town.bookings().record_refusal(unknown).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "UNKNOWN_SLOT"));
}
