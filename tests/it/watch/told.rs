//! What a watch tells that is not the coming and going of slots, at once where somebody wrote it, and with its true reason.
//! The clock stands still unless a test moves it, so that nothing here is found by the look of every 15 seconds.

use super::*;
use crate::harness::world::{OTHER_PRACTITIONER, refusal, schedule, with_two_practitioners};

/// The watch of a question that has told its first answer, of these slots.
async fn watching(town: &InProcess, query: pb::CareQuery, expected: &[&str]) -> Messages {
    let asked = pb::WatchCareRequest { query: Some(query), duration_seconds: Some(3_600), ..request() };
    let mut messages = open(town, asked).await;
    assert_eq!(slots(&next(&mut messages).await), expected);
    messages
}

/// One option only, so that there are enough at once, within a radius that is never widened.
fn best() -> pb::CareQuery {
    pb::CareQuery { limit: Some(1), radius_m: Some(5_000), ..query() }
}

async fn saturate(town: &InProcess, until_at: Option<prost_types::Timestamp>) {
    let end = until_at.map(pb::set_saturation_request::End::UntilAt);
    let request_id = format!("saturate {end:?}");
    let request = pb::SetSaturationRequest { request_id, emergency_site_id: "sau-1".into(), end };
    town.directory().set_saturation(request).await.unwrap();
}

#[tokio::test]
async fn a_saturation_that_begins_is_extended_or_ends_is_told_though_the_order_of_sites_stays() {
    let town = settled().await;
    let on_the_spot = pb::EmergencySite { position: query().position, ..emergency_site() };
    let upsert = pb::UpsertEmergencySiteRequest { request_id: "near".into(), emergency_site: Some(on_the_spot) };
    town.directory().upsert_emergency_site(upsert).await.unwrap();
    let mut messages = open(&town, request()).await;
    let first = next(&mut messages).await.answer.unwrap();
    let travel_minutes = i64::from(first.emergency_sites[0].travel_minutes);
    for until in [minutes(travel_minutes + 30), minutes(travel_minutes + 60)] {
        saturate(&town, until).await;
        let told = next(&mut messages).await;
        assert!(told.emergency_sites_changed && told.gone_options.is_empty());
        assert_eq!(told.answer.unwrap().emergency_sites[0].saturated_until_at, until);
    }
    // Ten seconds are less than the time between two looks.
    let soon = minutes(travel_minutes).map(|at| prost_types::Timestamp { seconds: at.seconds + 10, ..at });
    saturate(&town, soon).await;
    assert_eq!(next(&mut messages).await.answer.unwrap().emergency_sites[0].saturated_until_at, soon);
    town.clock.advance_seconds(10);
    let told = next(&mut messages).await;
    assert!(told.emergency_sites_changed);
    assert_eq!(told.answer.unwrap().emergency_sites[0].saturated_until_at, None);
}

#[tokio::test]
async fn a_later_opening_of_the_preferred_practitioner_comes_at_once() {
    let town = with_two_practitioners().await;
    held(&town, "h", "b").await;
    let preferred = pb::CareQuery { preferred_practitioner_id: OTHER_PRACTITIONER.into(), ..best() };
    let mut messages = watching(&town, preferred, &["a"]).await;
    publish(&town, batch("b2", 2, vec![slot("theirs", 2, 150)])).await;
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), gone(&told)), (vec!["theirs"], vec![("a", pb::GoneReason::Outranked)]));
}

/// Schedule 3, of its own place, with a slot in an hour.
async fn elsewhere(town: &InProcess, position: pb::GeoPoint, modality: &str) {
    let mut directory = town.directory();
    let place = pb::Place { position: Some(position), ..crate::harness::world::place(3) };
    let request = pb::UpsertPlaceRequest { request_id: "pl3".into(), place: Some(place) };
    directory.upsert_place(request).await.unwrap();
    let schedule = pb::Schedule { territory_ids: vec![], ..schedule(3) };
    let request = pb::UpsertScheduleRequest { request_id: "s3".into(), schedule: Some(schedule) };
    directory.upsert_schedule(request).await.unwrap();
    let row = pb::SlotInput { modalities: vec![modality.into()], ..slot("far", 3, 60) };
    publish(town, batch("b-far", 10, vec![row])).await;
}

#[tokio::test]
async fn a_later_opening_nearby_replaces_teleconsultation_of_last_resort_at_once() {
    let town = InProcess::start().await;
    settle(&town).await;
    elsewhere(&town, pb::GeoPoint { latitude: 48.85, longitude: 2.35 }, "VR").await;
    let mut messages = watching(&town, best(), &["far"]).await;
    publish(&town, batch("b2", 11, vec![slot("near", 1, 150)])).await;
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), gone(&told)), (vec!["near"], vec![("far", pb::GoneReason::Outranked)]));
}

#[tokio::test]
async fn a_later_opening_in_the_first_radius_makes_the_wider_one_needless_at_once() {
    let town = InProcess::start().await;
    settle(&town).await;
    elsewhere(&town, pb::GeoPoint { latitude: 45.76, longitude: 4.88 }, "AMB").await;
    let mut messages = watching(&town, pb::CareQuery { radius_m: None, ..best() }, &["far"]).await;
    publish(&town, batch("b2", 11, vec![slot("near", 1, 150)])).await;
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), gone(&told)), (vec!["near"], vec![("far", pb::GoneReason::Outranked)]));
}

#[tokio::test]
async fn what_the_case_refuses_goes_at_once() {
    let town = with_two_practitioners().await;
    let of_case = pb::CareQuery { case_id: "case-1".into(), ..best() };
    let mut messages = watching(&town, of_case, &["a"]).await;
    let mut of_another = watching(&town, pb::CareQuery { case_id: "case-2".into(), ..best() }, &["a"]).await;
    let refused = refusal("r1", "case-1", "a", pb::RefusalReason::PatientChoice);
    town.bookings().record_refusal(refused).await.unwrap();
    let told = next(&mut messages).await;
    assert_eq!(slots(&told), ["b"]);
    held(&town, "h", "a").await;
    assert_eq!(gone(&next(&mut of_another).await), [("a", pb::GoneReason::Taken)], "nothing was told of before");
}

async fn heartbeat(town: &InProcess) {
    let request = pb::HeartbeatRequest { source_id: SOURCE.into(), lease_seconds: Some(300) };
    town.publishing().heartbeat(request).await.unwrap();
}

fn confidences(message: &pb::WatchCareResponse) -> Vec<pb::Confidence> {
    let options = &message.answer.as_ref().unwrap().options;
    options.iter().map(|option| option.parts.as_ref().unwrap().confidence()).collect()
}

#[tokio::test]
async fn a_source_that_falls_silent_or_speaks_again_is_told_though_the_options_stay() {
    let town = settled().await;
    heartbeat(&town).await;
    let mut messages = watching(&town, query(), &["a", "b"]).await;
    town.clock.advance_seconds(301);
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), told.confidence_changed_ranks.clone()), (vec!["a", "b"], vec![1, 2]));
    assert_eq!(confidences(&told), [pb::Confidence::Uncertain; 2]);
    assert!(told.new_ranks.is_empty() && told.gone_options.is_empty() && !told.availability_changed);

    heartbeat(&town).await;
    let asked = pb::WatchCareRequest { resume_token: told.resume_token, ..request() };
    let mut resumed = open(&town, asked).await;
    let told_anew = next(&mut resumed).await;
    assert_eq!((told_anew.kind(), told_anew.confidence_changed_ranks), (pb::WatchCareKind::Changed, vec![1, 2]));
    town.clock.advance_seconds(15);
    let told = next(&mut messages).await;
    assert_eq!((confidences(&told), told.confidence_changed_ranks), (vec![pb::Confidence::Certain; 2], vec![1, 2]));
}

#[tokio::test]
async fn options_of_a_source_that_is_hidden_go_as_silent_and_nothing_free_becomes_unknown() {
    let town = settled().await;
    heartbeat(&town).await;
    let mut messages = watching(&town, query(), &["a", "b"]).await;
    town.clock.advance_seconds(300 + 30 * 60 + 1);
    let told = next(&mut messages).await;
    assert_eq!(gone(&told), [("a", pb::GoneReason::Silent), ("b", pb::GoneReason::Silent)]);
    assert!(told.availability_changed);
    assert_eq!(told.answer.unwrap().availability(), pb::Availability::Unknown);
}

#[tokio::test]
async fn what_the_case_refused_is_not_said_to_be_free_though_another_option_takes_its_place() {
    let town = with_two_practitioners().await;
    let mut messages = watching(&town, pb::CareQuery { case_id: "case-1".into(), ..best() }, &["a"]).await;
    let refused = refusal("r1", "case-1", "a", pb::RefusalReason::CouldNotContact);
    town.bookings().record_refusal(refused).await.unwrap();
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), gone(&told)), (vec!["b"], vec![("a", pb::GoneReason::Excluded)]));
}

#[tokio::test]
async fn what_suits_the_patient_no_longer_is_not_said_to_be_free_though_another_option_takes_its_place() {
    let town = with_two_practitioners().await;
    let adult = pb::CareQuery { age: "P40Y".into(), ..best() };
    let mut messages = watching(&town, adult, &["a"]).await;
    let children = pb::Schedule { max_age_days: Some(6_000), ..schedule(1) };
    let upsert = pb::UpsertScheduleRequest { request_id: "children".into(), schedule: Some(children) };
    town.directory().upsert_schedule(upsert).await.unwrap();
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), gone(&told)), (vec!["b"], vec![("a", pb::GoneReason::Changed)]));
}

#[tokio::test]
async fn a_slot_that_is_held_and_refused_is_not_said_to_come_back() {
    let town = with_two_practitioners().await;
    let asked = pb::WatchCareRequest {
        query: Some(pb::CareQuery { case_id: "case-1".into(), ..best() }),
        ..pb::WatchCareRequest::default()
    };
    let first = next(&mut open(&town, asked.clone()).await).await;
    held(&town, "h", "a").await;
    let refused = refusal("r1", "case-1", "a", pb::RefusalReason::Declined);
    town.bookings().record_refusal(refused).await.unwrap();
    let resumed = pb::WatchCareRequest { resume_token: first.resume_token, ..asked };
    let told = next(&mut open(&town, resumed).await).await;
    assert_eq!((gone(&told), told.gone_options[0].free_from), (vec![("a", pb::GoneReason::Excluded)], None));
}

#[tokio::test]
async fn a_token_of_an_earlier_version_gets_the_whole_answer() {
    let town = settled().await;
    let of_form_1 = vec![0x08, 0x01];
    let mut messages = open(&town, pb::WatchCareRequest { resume_token: of_form_1, ..request() }).await;
    let first = next(&mut messages).await;
    assert_eq!((first.kind(), slots(&first)), (pb::WatchCareKind::Full, vec!["a", "b"]));
}
