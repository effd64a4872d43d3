//! An open call over gRPC: the first answer, what changes of it, how the watch is resumed, bounded and ended.

mod told;

use std::time::Duration;

use sas_router::proto::routing as pb;
use tonic::{Code, Status, Streaming};

use crate::harness::details::{fields, reason, says_when_to_retry};
use crate::harness::in_process::{InProcess, Routing};
use crate::harness::world::{SOURCE, batch, emergency_site, hold, minutes, publish, query, settle, settled, slot};

/// Longer than any message here should take.
const PATIENCE: Duration = Duration::from_secs(20);

type Messages = Streaming<pb::WatchCareResponse>;

fn request() -> pb::WatchCareRequest {
    pb::WatchCareRequest { query: Some(query()), ..pb::WatchCareRequest::default() }
}

async fn open(town: &InProcess, request: pb::WatchCareRequest) -> Messages {
    town.routing().watch_care(request).await.unwrap().into_inner()
}

/// The next message.
async fn next(messages: &mut Messages) -> pb::WatchCareResponse {
    end(messages).await.unwrap().expect("a message before the end")
}

/// The next message, or how the stream ended.
async fn end(messages: &mut Messages) -> Result<Option<pb::WatchCareResponse>, Status> {
    tokio::time::timeout(PATIENCE, messages.message()).await.expect("neither a message nor an end came")
}

/// The slots of the options, best first.
fn slots(message: &pb::WatchCareResponse) -> Vec<&str> {
    message.answer.as_ref().unwrap().options.iter().map(|option| option.slot_id.as_str()).collect()
}

fn gone(message: &pb::WatchCareResponse) -> Vec<(&str, pb::GoneReason)> {
    message.gone_options.iter().map(|gone| (gone.slot_id.as_str(), gone.reason())).collect()
}

/// A watch of the town that has told its first answer: slots `a` and `b`.
async fn watched(town: &InProcess) -> (Messages, pb::WatchCareResponse) {
    let mut messages = open(town, request()).await;
    let first = next(&mut messages).await;
    assert_eq!((first.kind(), slots(&first)), (pb::WatchCareKind::Full, vec!["a", "b"]));
    (messages, first)
}

async fn held(town: &InProcess, request_id: &str, slot_id: &str) -> String {
    town.bookings().hold_slot(hold(request_id, slot_id)).await.unwrap().into_inner().hold.unwrap().hold_id
}

#[tokio::test]
async fn the_first_message_is_the_answer_of_find_care() {
    let town = settled().await;
    let (_messages, first) = watched(&town).await;
    let found = town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap().into_inner();
    assert_eq!(first.answer, Some(found));
    assert!(first.new_ranks.is_empty() && first.gone_options.is_empty() && !first.resume_token.is_empty());
}

#[tokio::test]
async fn a_slot_that_another_caller_holds_goes_and_comes_back_when_the_hold_expires() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    held(&town, "h1", "a").await;
    let told = next(&mut messages).await;
    assert_eq!((told.kind(), slots(&told)), (pb::WatchCareKind::Changed, vec!["b"]));
    assert_eq!(gone(&told), [("a", pb::GoneReason::Taken)]);
    assert_eq!(told.gone_options[0].free_from, minutes(2), "the end of the hold");
    assert_eq!(told.gone_options[0].start_at, minutes(60));
    assert!(told.gone_options[0].sentence.ends_with('.') && told.new_ranks.is_empty());

    town.clock.advance_seconds(120);
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), told.new_ranks.clone()), (vec!["a", "b"], vec![1]));
}

#[tokio::test]
async fn a_hold_that_is_given_back_or_a_booking_that_is_cancelled_brings_the_option_back() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    let hold_id = held(&town, "h1", "a").await;
    assert_eq!(slots(&next(&mut messages).await), ["b"]);
    let mut bookings = town.bookings();
    let release = pb::ReleaseHoldRequest { request_id: "r1".into(), hold_id };
    bookings.release_hold(release).await.unwrap();
    assert_eq!(slots(&next(&mut messages).await), ["a", "b"]);
    let hold_id = held(&town, "h2", "a").await;
    let told = next(&mut messages).await;
    assert_eq!(gone(&told), [("a", pb::GoneReason::Taken)]);
    let confirm = pb::ConfirmHoldRequest { request_id: "c2".into(), hold_id: hold_id.clone() };
    bookings.confirm_hold(confirm).await.unwrap();
    let cancel = pb::CancelBookingRequest { request_id: "x2".into(), booking_id: hold_id, reason: "mieux".into() };
    bookings.cancel_booking(cancel).await.unwrap();
    assert_eq!(slots(&next(&mut messages).await), ["a", "b"]);
}

#[tokio::test]
async fn a_better_slot_that_is_published_comes_and_a_withdrawn_one_goes() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    publish(&town, batch("b2", 2, vec![slot("soon", 2, 30)])).await;
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), told.new_ranks.clone()), (vec!["soon", "a"], vec![1]));
    assert_eq!(gone(&told), [("b", pb::GoneReason::Outranked)], "one option a schedule: its sooner slot");

    let withdrawal = pb::WithdrawSlotsRequest {
        request_id: "w1".into(),
        source_id: SOURCE.into(),
        source_revision: 3,
        slot_ids: vec!["soon".into()],
    };
    town.publishing().withdraw_slots(withdrawal).await.unwrap();
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), told.new_ranks.clone()), (vec!["a", "b"], vec![2]));
    assert_eq!(gone(&told), [("soon", pb::GoneReason::Withdrawn)]);
}

#[tokio::test]
async fn a_slot_that_is_moved_goes_as_changed_and_comes_as_new() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    publish(&town, batch("b2", 2, vec![slot("b", 2, 30)])).await;
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), told.new_ranks.clone()), (vec!["b", "a"], vec![1]));
    assert_eq!(gone(&told), [("b", pb::GoneReason::Changed)]);
}

#[tokio::test]
async fn an_option_that_can_no_longer_be_reached_in_time_goes_as_time_passes() {
    let town = settled().await;
    let (mut messages, first) = watched(&town).await;
    let needed_by_at = first.answer.unwrap().needed_by_at;
    town.clock.advance_seconds(58 * 60);
    // The default quarter of an hour is over by then.
    assert!(end(&mut messages).await.unwrap().is_none());
    let mut messages = open(&town, pb::WatchCareRequest { resume_token: first.resume_token, ..request() }).await;
    let told = next(&mut messages).await;
    assert_eq!((slots(&told), gone(&told)), (vec!["b"], vec![("a", pb::GoneReason::TooLate)]));
    assert_eq!(told.answer.unwrap().needed_by_at, needed_by_at, "the delay counts from the first answer");

    let mut messages = open(&town, pb::WatchCareRequest { duration_seconds: Some(3_600), ..request() }).await;
    assert_eq!(slots(&next(&mut messages).await), ["b"]);
    town.clock.advance_seconds(55 * 60);
    let told = next(&mut messages).await;
    assert_eq!((slots(&told).len(), gone(&told)), (0, vec![("b", pb::GoneReason::TooLate)]));
    assert_eq!(told.answer.unwrap().outcome(), pb::CareOutcome::NoSlotInTime);
}

#[tokio::test]
async fn other_emergency_sites_are_told() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    let site = pb::EmergencySite { emergency_site_id: "sau-2".into(), ..emergency_site() };
    let upsert = pb::UpsertEmergencySiteRequest { request_id: "e2".into(), emergency_site: Some(site) };
    town.directory().upsert_emergency_site(upsert).await.unwrap();
    let told = next(&mut messages).await;
    assert!(told.emergency_sites_changed && told.gone_options.is_empty() && told.new_ranks.is_empty());
    assert_eq!(told.answer.unwrap().emergency_sites.len(), 2);
}

#[tokio::test]
async fn a_watch_whose_link_was_cut_is_told_only_what_changed_since() {
    let town = settled().await;
    let (messages, first) = watched(&town).await;
    drop(messages);
    held(&town, "h1", "a").await;
    let resumed = pb::WatchCareRequest { resume_token: first.resume_token, ..request() };
    let mut messages = open(&town, resumed.clone()).await;
    let told = next(&mut messages).await;
    assert_eq!((told.kind(), gone(&told)), (pb::WatchCareKind::Changed, vec![("a", pb::GoneReason::Taken)]));

    // From the newest token on nothing changed, until something does.
    let mut again = open(&town, pb::WatchCareRequest { resume_token: told.resume_token, ..request() }).await;
    publish(&town, batch("b2", 2, vec![slot("soon", 2, 30)])).await;
    let told = next(&mut again).await;
    assert_eq!((told.kind(), slots(&told)), (pb::WatchCareKind::Changed, vec!["soon"]));
    assert_eq!(gone(&told), [("b", pb::GoneReason::Outranked)]);
}

#[tokio::test]
async fn a_token_that_cannot_be_compared_gets_the_whole_answer() {
    let (town, other) = (settled().await, settled().await);
    let (_messages, first) = watched(&town).await;
    publish(&town, batch("b2", 2, vec![slot("soon", 2, 30)])).await;
    let (_messages, ahead) = {
        let mut messages = open(&town, request()).await;
        let first = next(&mut messages).await;
        (messages, first)
    };
    let mut messages = open(&other, pb::WatchCareRequest { resume_token: ahead.resume_token, ..request() }).await;
    assert_eq!(next(&mut messages).await.kind(), pb::WatchCareKind::Full, "a state that this service never had");
    let question = pb::CareQuery { limit: Some(1), ..query() };
    let token = first.resume_token;
    let asked = pb::WatchCareRequest { query: Some(question), resume_token: token.clone(), ..request() };
    let mut messages = open(&town, asked).await;
    assert_eq!(next(&mut messages).await.kind(), pb::WatchCareKind::Full, "another question");
    town.clock.advance_seconds(3_601);
    let mut messages = open(&town, pb::WatchCareRequest { resume_token: token, ..request() }).await;
    assert_eq!(next(&mut messages).await.kind(), pb::WatchCareKind::Full, "another call by now");
}

#[tokio::test]
async fn what_is_wrong_with_a_watch_is_named_by_field() {
    let town = settled().await;
    let refused = async |request: pb::WatchCareRequest| town.routing().watch_care(request).await.unwrap_err();
    let wrong = pb::WatchCareRequest {
        query: Some(pb::CareQuery { limit: Some(21), ..query() }),
        duration_seconds: Some(3_601),
        resume_token: b"no token".to_vec(),
    };
    let status = refused(wrong).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(fields(&status), ["duration_seconds", "resume_token", "query.limit"]);
    let status = refused(pb::WatchCareRequest { duration_seconds: Some(0), ..request() }).await;
    assert_eq!(fields(&status), ["duration_seconds"]);
    let status = refused(pb::WatchCareRequest { resume_token: vec![0; 8_193], ..request() }).await;
    assert_eq!(fields(&status), ["resume_token"]);
    assert_eq!(fields(&refused(pb::WatchCareRequest::default()).await), ["query"]);
}

#[tokio::test]
async fn the_end_of_its_time_ends_a_watch_with_ok() {
    let town = settled().await;
    let mut messages = open(&town, pb::WatchCareRequest { duration_seconds: Some(30), ..request() }).await;
    next(&mut messages).await;
    town.clock.advance_seconds(30);
    assert!(end(&mut messages).await.unwrap().is_none());
}

#[tokio::test]
async fn a_drain_ends_watches_with_a_status_that_says_so() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    town.shut_down();
    let status = end(&mut messages).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
    assert!(says_when_to_retry(&status));
    drop(messages);
    assert_eq!(town.ended().await.cut_calls, 0);
}

#[tokio::test]
async fn watches_beyond_the_limits_are_refused_until_one_is_closed() {
    for (alter_all, limit) in [(true, 2), (false, 1)] {
        let town = InProcess::start_with(|config| {
            config.limits.calls_max = 1;
            let max =
                if alter_all { &mut config.limits.watches_max } else { &mut config.limits.watches_per_caller_max };
            *max = limit;
        })
        .await;
        let mut open_ones = Vec::new();
        for _ in 0..limit {
            let mut messages = open(&town, request()).await;
            next(&mut messages).await;
            open_ones.push(messages);
        }
        let status = town.routing().watch_care(request()).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_WATCHES"));
        assert!(says_when_to_retry(&status));
        let found = town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await;
        assert!(found.is_ok(), "open watches take no place of calls");
        open_ones.pop();
        let reopened = async { while town.routing().watch_care(request()).await.is_err() {} };
        tokio::time::timeout(PATIENCE, reopened).await.expect("a closed watch makes room");
    }
}

#[tokio::test]
async fn a_watch_whose_time_is_over_makes_room_although_its_client_does_not_read() {
    let town = InProcess::start_with(|config| config.limits.watches_max = 1).await;
    let unread = open(&town, pb::WatchCareRequest { duration_seconds: Some(30), ..request() }).await;
    assert!(town.routing().watch_care(request()).await.is_err());
    town.clock.advance_seconds(30);
    let reopened = async { while town.routing().watch_care(request()).await.is_err() {} };
    tokio::time::timeout(PATIENCE, reopened).await.expect("its place was given back");
    drop(unread);
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_the_newest_state_and_not_every_one_between() {
    let town = settled().await;
    // The transport takes part of a message, and no more until it is read.
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", town.address)).unwrap();
    let channel = endpoint.initial_stream_window_size(1_024).connect().await.unwrap();
    let mut slow = Routing::new(channel).watch_care(request()).await.unwrap().into_inner();
    assert_eq!(slots(&next(&mut slow).await), ["a", "b"]);
    let (mut quick, _) = watched(&town).await;
    for number in 1..=12 {
        let row = slot("a", 1, 60 + number);
        publish(&town, batch(&format!("move {number}"), 1 + number.unsigned_abs(), vec![row])).await;
        assert_eq!(starts_of(&next(&mut quick).await, "a"), minutes(60 + number), "every state was shown to somebody");
    }
    let mut read = 1;
    while starts_of(&next(&mut slow).await, "a") != minutes(72) {
        read += 1;
    }
    // What the transport had begun to send, and the newest.
    assert!(read <= 6, "{read} messages for 12 changes");
}

/// When the option of a slot begins.
fn starts_of(message: &pb::WatchCareResponse, slot_id: &str) -> Option<prost_types::Timestamp> {
    let options = &message.answer.as_ref().unwrap().options;
    options.iter().find(|option| option.slot_id == slot_id).and_then(|option| option.start_at)
}

#[tokio::test]
async fn care_that_would_begin_after_the_delay_goes_although_the_window_is_open() {
    let town = settled().await;
    let window = pb::Window { start_at: minutes(0), end_at: minutes(240) };
    let walk_in = pb::SlotInput {
        window: Some(window),
        appointment_type: "WALKIN".into(),
        capacity: Some(5),
        ..slot("walk-in", 1, 0)
    };
    publish(&town, batch("b2", 2, vec![walk_in])).await;
    let soon = pb::CareQuery { needed_within_minutes: Some(30), ..query() };
    let asked = pb::WatchCareRequest { query: Some(soon), duration_seconds: Some(3_600), ..request() };
    let mut messages = open(&town, asked).await;
    assert_eq!(slots(&next(&mut messages).await), ["walk-in"]);
    town.clock.advance_seconds(20 * 60);
    held(&town, "h1", "walk-in").await;
    town.clock.advance_seconds(8 * 60);
    let told = next(&mut messages).await;
    assert_eq!(gone(&told), [("walk-in", pb::GoneReason::BeyondDelay)], "and nothing was told of the count");
}

#[tokio::test]
async fn a_change_that_shows_nothing_else_sends_nothing() {
    let town = settled().await;
    let (mut messages, _) = watched(&town).await;
    // Another slot of the same schedule, behind the one that is shown; then one that matters.
    publish(&town, batch("b2", 2, vec![slot("later", 1, 300)])).await;
    publish(&town, batch("b3", 3, vec![slot("soon", 2, 30)])).await;
    assert_eq!(slots(&next(&mut messages).await), ["soon", "a"]);
}

#[tokio::test]
async fn an_escalation_is_watched_for_its_sites() {
    let town = settled().await;
    let vital = pb::CareQuery { care_level: "R1".into(), ..query() };
    let mut messages = open(&town, pb::WatchCareRequest { query: Some(vital), ..request() }).await;
    let first = next(&mut messages).await.answer.unwrap();
    assert_eq!((first.outcome(), first.emergency_sites.len()), (pb::CareOutcome::EmergencyDispatch, 1));
    let base = pb::EmergencySite {
        emergency_site_id: "smur".into(),
        kind: pb::EmergencySiteKind::Smur.into(),
        ..emergency_site()
    };
    let upsert = pb::UpsertEmergencySiteRequest { request_id: "e2".into(), emergency_site: Some(base) };
    town.directory().upsert_emergency_site(upsert).await.unwrap();
    assert!(next(&mut messages).await.emergency_sites_changed);
}

#[tokio::test]
async fn a_service_without_watches_ends_at_once_after_one_was_open() {
    let town = settled().await;
    let (messages, _) = watched(&town).await;
    drop(messages);
    town.shut_down();
    let ended = tokio::time::timeout(PATIENCE, town.ended()).await.expect("nothing waits for a closed watch");
    assert_eq!(ended.cut_calls, 0);
}
