//! Who is named first among equivalents, counted over a real connection: shares are even, newcomers get theirs, and the order
//! survives a restart.

use std::collections::BTreeMap;

use sas_router::clock::{Clock as _, SystemClock};
use sas_router::proto::routing as pb;

use crate::harness::in_process::{Bookings, Directory, InProcess, Publishing, Routing};
use crate::harness::server_process::ServerProcess;
use crate::harness::world::{SOURCE, batch, hold, place, publish, query, schedule, slot};

/// Cases of each count.
const CASES: u32 = 1_000;

fn practitioner(number: u32) -> pb::Practitioner {
    pb::Practitioner {
        practitioner_id: format!("internal:dr-{number}"),
        family_name: format!("Docteur {number}"),
        specialties: vec!["SM54".into()],
        ..pb::Practitioner::default()
    }
}

fn agenda(number: u32) -> pb::Schedule {
    pb::Schedule {
        place_id: "place-1".into(),
        practitioner_id: format!("internal:dr-{number}"),
        territory_ids: vec![],
        ..schedule(number)
    }
}

/// Lets a professional practise at place 1, with a slot in an hour that takes 500 patients.
async fn add(town: &InProcess, number: u32) {
    keep(&mut town.directory(), number).await;
    let row = pb::SlotInput { capacity: Some(500), ..slot(&format!("slot-{number}"), number, 60) };
    publish(town, batch(&format!("b{number}"), 1, vec![row])).await;
}

/// Keeps a professional and an agenda at place 1.
async fn keep(directory: &mut Directory, number: u32) {
    let request =
        pb::UpsertPractitionerRequest { request_id: format!("p{number}"), practitioner: Some(practitioner(number)) };
    directory.upsert_practitioner(request).await.unwrap();
    let request = pb::UpsertScheduleRequest { request_id: format!("s{number}"), schedule: Some(agenda(number)) };
    directory.upsert_schedule(request).await.unwrap();
}

/// A place with so many equal professionals.
async fn equals(count: u32) -> InProcess {
    let town = InProcess::start().await;
    let request = pb::UpsertPlaceRequest { request_id: "pl".into(), place: Some(place(1)) };
    town.directory().upsert_place(request).await.unwrap();
    for number in 0..count {
        add(&town, number).await;
    }
    town
}

async fn asked(town: &InProcess, case: &str) -> pb::FindCareResponse {
    let query = pb::CareQuery { case_id: case.into(), limit: Some(3), ..query() };
    town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap().into_inner()
}

/// The slot that is named first to a case.
async fn first(town: &InProcess, case: &str) -> String {
    asked(town, case).await.options.swap_remove(0).slot_id
}

/// How often each of so many is named first, with something done after each answer.
async fn shares(town: &InProcess, count: u32, then: impl AsyncFn(&str, &str)) -> BTreeMap<String, u32> {
    let mut firsts: BTreeMap<String, u32> = (0..count).map(|number| (format!("slot-{number}"), 0)).collect();
    for number in 0..CASES {
        let case = format!("case-{number}");
        let slot_id = first(town, &case).await;
        then(&case, &slot_id).await;
        *firsts.get_mut(&slot_id).unwrap() += 1;
    }
    firsts
}

/// The greatest share over the median one.
fn spread(firsts: &BTreeMap<String, u32>) -> f64 {
    let mut shares: Vec<u32> = firsts.values().copied().collect();
    shares.sort_unstable();
    let middle = shares.len() / 2;
    let median = if shares.len() % 2 == 1 {
        f64::from(shares[middle])
    } else {
        f64::from(shares[middle - 1] + shares[middle]) / 2.0
    };
    f64::from(shares[shares.len() - 1]) / median
}

async fn held(town: &InProcess, case: &str, slot_id: &str) -> String {
    let request = pb::HoldSlotRequest { case_id: case.into(), ..hold(&format!("h-{case}"), slot_id) };
    town.bookings().hold_slot(request).await.unwrap().into_inner().hold.unwrap().hold_id
}

#[tokio::test]
async fn equal_professionals_are_named_first_equally_often() {
    for count in [2, 5, 10, 30] {
        let town = equals(count).await;
        let firsts = shares(&town, count, async |_, _| {}).await;
        assert!(spread(&firsts) <= 1.1, "{count} equals: {firsts:?}");
    }
}

#[tokio::test]
async fn they_are_while_what_is_named_is_held_and_given_back() {
    let town = equals(10).await;
    let firsts = shares(&town, 10, async |case, slot_id| {
        let hold_id = held(&town, case, slot_id).await;
        town.clock.advance_ms(500);
        let request = pb::ReleaseHoldRequest { request_id: format!("r-{case}"), hold_id };
        town.bookings().release_hold(request).await.unwrap();
    })
    .await;
    assert!(spread(&firsts) <= 1.1, "{firsts:?}");
}

#[tokio::test]
async fn they_are_while_what_is_named_is_booked() {
    let town = equals(5).await;
    let firsts = shares(&town, 5, async |case, slot_id| {
        let hold_id = held(&town, case, slot_id).await;
        let request = pb::ConfirmHoldRequest { request_id: format!("c-{case}"), hold_id };
        town.bookings().confirm_hold(request).await.unwrap();
    })
    .await;
    assert!(spread(&firsts) <= 1.1, "{firsts:?}");
}

#[tokio::test]
async fn a_case_that_asks_again_is_answered_alike() {
    let town = equals(5).await;
    for case in ["a", "b", "c", "d", "e", "f"] {
        let names = async || asked(&town, case).await.options.into_iter().map(|one| one.slot_id).collect::<Vec<_>>();
        let before = names().await;
        assert_eq!(names().await, before, "{case}");
    }
    let of_b = first(&town, "b").await;
    held(&town, "b", &of_b).await;
    assert_eq!(first(&town, "b").await, of_b, "its own hold is no turn in its eyes");
}

#[tokio::test]
async fn newcomers_together_get_their_part_and_the_others_stay_even() {
    let town = equals(9).await;
    town.clock.advance_seconds(30 * 24 * 3_600);
    let day = |minutes: i64| {
        let seconds = town.clock.now().ms() / 1_000 + minutes * 60;
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    };
    keep(&mut town.directory(), 9).await;
    let again = (0..10).map(|number| pb::SlotInput {
        capacity: Some(500),
        window: Some(pb::Window { start_at: day(60), end_at: day(75) }),
        ..slot(&format!("slot-{number}"), number, 60)
    });
    publish(&town, batch("again", 2, again.collect())).await;

    let mut firsts = shares(&town, 10, async |_, _| {}).await;
    let newcomer = firsts.remove("slot-9").unwrap();
    assert!((170..=260).contains(&newcomer), "a fifth and what comes by turn: {newcomer} beside {firsts:?}");
    assert!(spread(&firsts) <= 1.1, "{firsts:?}");
}

#[tokio::test]
async fn the_turns_of_others_do_not_move_what_a_watch_shows() {
    let town = equals(6).await;
    let query = pb::CareQuery { case_id: "open".into(), limit: Some(3), ..query() };
    let request = pb::WatchCareRequest { query: Some(query), ..pb::WatchCareRequest::default() };
    let mut messages = town.routing().watch_care(request).await.unwrap().into_inner();
    let shown = |message: pb::WatchCareResponse| -> Vec<String> {
        message.answer.unwrap().options.into_iter().map(|option| option.slot_id).collect()
    };
    assert_eq!(shown(messages.message().await.unwrap().unwrap()), ["slot-0", "slot-1", "slot-2"]);
    for number in 0..8 {
        let case = format!("case-{number}");
        let slot_id = first(&town, &case).await;
        held(&town, &case, &slot_id).await;
    }
    let withdrawal = pb::WithdrawSlotsRequest {
        request_id: "w".into(),
        source_id: SOURCE.into(),
        source_revision: 2,
        slot_ids: vec!["slot-1".into()],
    };
    town.publishing().withdraw_slots(withdrawal).await.unwrap();
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), messages.message()).await.unwrap();
    let told = told.unwrap().unwrap();
    let gone: Vec<_> = told.gone_options.iter().map(|gone| (gone.slot_id.as_str(), gone.reason())).collect();
    assert_eq!(gone, [("slot-1", pb::GoneReason::Withdrawn)], "the first thing that is told");
    let now_shown = shown(told);
    assert_eq!(now_shown[..2], ["slot-0", "slot-2"], "as they stood");
}

#[tokio::test]
async fn the_order_goes_on_from_the_claims_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(folder.path());
    let channel = crate::harness::in_process::connect(server.address().parse().unwrap()).await;
    let mut directory = Directory::new(channel.clone());
    let request = pb::UpsertPlaceRequest { request_id: "pl".into(), place: Some(place(1)) };
    directory.upsert_place(request).await.unwrap();
    for number in 0..4 {
        keep(&mut directory, number).await;
    }
    let in_an_hour = |minutes: i64| {
        let seconds = SystemClock.now().ms() / 1_000 + (60 + minutes) * 60;
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    };
    let window = Some(pb::Window { start_at: in_an_hour(0), end_at: in_an_hour(15) });
    let rows =
        (0..4).map(|number| pb::SlotInput { capacity: Some(5), window, ..slot(&format!("slot-{number}"), number, 60) });
    let mut answers = Publishing::new(channel.clone())
        .publish_slots(tokio_stream::once(batch("b", 1, rows.collect())))
        .await
        .unwrap()
        .into_inner();
    answers.message().await.unwrap().unwrap();
    for (number, slot_id) in ["slot-2", "slot-0", "slot-3", "slot-1", "slot-2"].into_iter().enumerate() {
        let request = pb::HoldSlotRequest {
            case_id: format!("case-{slot_id}-{number}"),
            ttl_seconds: Some(600),
            ..hold(&format!("h-{slot_id}-{number}"), slot_id)
        };
        Bookings::new(channel.clone()).hold_slot(request).await.unwrap();
        // What is held says when to the millisecond, and so does the order that is known from it after a restart.
        let held_by = SystemClock.now();
        while SystemClock.now() <= held_by {
            tokio::task::yield_now().await;
        }
    }
    let order = async |channel| {
        let query = pb::CareQuery { case_id: "later".into(), limit: Some(3), ..query() };
        let request = pb::FindCareRequest { query: Some(query) };
        let found = Routing::new(channel).find_care(request).await.unwrap().into_inner();
        found.options.into_iter().map(|option| option.slot_id).collect::<Vec<_>>()
    };
    server.kill();
    let server = ServerProcess::start(folder.path());
    let channel = crate::harness::in_process::connect(server.address().parse().unwrap()).await;
    assert_eq!(order(channel).await, ["slot-0", "slot-3", "slot-1"], "least recently held first");
}
