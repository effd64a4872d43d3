//! A watch as the service keeps it: what waits for a slow client, how often it is told, how it is resumed.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::world::*;
use crate::domain::code::{Modality, ModalitySet, Specialty, SpecialtySet};
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::record::Position;
use crate::domain::slot::{Published, SlotTraits};
use crate::service::limits::WATCH_INTERVAL_MS;
use crate::service::*;

/// Longer than any update should take; the runtime's clock is paused, so that waiting takes none.
const PATIENCE: Duration = Duration::from_secs(10);

/// A teleconsultation in some minutes.
fn remote(id: &str, start_minutes: i64) -> Published {
    let at_place = slot(id, "schedule-1", start_minutes);
    let traits = SlotTraits { modalities: ModalitySet::of(&[Modality::Vr]), ..SlotTraits::clone(&at_place.traits) };
    Published { traits: Arc::new(traits), ..at_place }
}

fn query() -> CareQuery {
    let specialties = SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]);
    let modalities = ModalitySet::of(&[Modality::Vr]);
    CareQuery::parse(CareQueryDraft { modalities, specialties, ..CareQueryDraft::default() }).unwrap()
}

fn asked(token: Option<WatchToken>) -> WatchRequest {
    WatchRequest { query: query(), question: QuestionDigest::of(b"question"), seconds: None, token }
}

fn open(world: &World, token: Option<WatchToken>) -> Watch {
    world.service.watch(&Caller::local(), asked(token)).unwrap()
}

async fn next(watch: &mut Watch) -> WatchUpdate {
    timeout(PATIENCE, watch.next()).await.expect("an update comes").expect("the watch is open")
}

fn slot_of(update: &WatchUpdate) -> Option<&str> {
    update.answer.options.first().map(|option| option.slot.id.as_str())
}

/// A world with a teleconsultation in an hour.
async fn world() -> World {
    let world = World::new().await;
    world.publish("first", 1, vec![remote("first", 60)]).await;
    world
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_ask_is_told_the_newest_state_once() {
    let world = world().await;
    let mut watch = open(&world, None);
    assert_eq!(slot_of(&next(&mut watch).await), Some("first"));
    for (revision, start) in (2_u64..).zip([55, 50, 45, 40, 35]) {
        world.publish(&format!("sooner {start}"), revision, vec![remote(&format!("in-{start}"), start)]).await;
        // Long enough for each to be told, if somebody asked.
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let told = next(&mut watch).await;
    assert_eq!(slot_of(&told), Some("in-35"));
    let gone = told.difference.unwrap().gone;
    assert_eq!((gone.len(), gone[0].reason), (1, GoneReason::Outranked), "against what was told before");
    assert!(timeout(PATIENCE, watch.next()).await.is_err(), "none of those between waits");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_at_once_and_the_next_one_after_a_rest() {
    let world = world().await;
    let mut watch = open(&world, None);
    next(&mut watch).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    for (revision, start, at_most_ms) in [(2, 50, 20), (3, 40, WATCH_INTERVAL_MS + 20)] {
        let asked_at = Instant::now();
        world.publish(&format!("sooner {start}"), revision, vec![remote(&format!("in-{start}"), start)]).await;
        next(&mut watch).await;
        let ms = u64::try_from(asked_at.elapsed().as_millis()).unwrap();
        assert!(ms <= at_most_ms, "{ms} ms");
        assert!(revision == 2 || ms >= WATCH_INTERVAL_MS - 20, "{ms} ms: no sooner");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_watch_is_silent_until_something_changes() {
    let world = world().await;
    let token = next(&mut open(&world, None)).await.token;
    let mut resumed = open(&world, Some(token.clone()));
    assert!(timeout(PATIENCE, resumed.next()).await.is_err());
    world.publish("sooner", 2, vec![remote("sooner", 30)]).await;
    assert_eq!(next(&mut resumed).await.difference.unwrap().new, [0]);

    let of_another_history = Position { epoch: 7, ..token.position };
    let strange = WatchToken { position: of_another_history, ..token.clone() };
    assert!(next(&mut open(&world, Some(strange))).await.difference.is_none());
    let of_the_future = Position { sequence: u64::MAX, ..token.position };
    let strange = WatchToken { position: of_the_future, ..token };
    assert!(next(&mut open(&world, Some(strange))).await.difference.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_only_time_alters_shows_without_any_change() {
    let world = world().await;
    let mut watch = open(&world, None);
    next(&mut watch).await;
    world.clock.advance_seconds(14 * 60);
    assert!(timeout(PATIENCE, watch.next()).await.is_err(), "still in time");
    let token = {
        let mut again = open(&world, None);
        next(&mut again).await.token
    };
    world.clock.advance_seconds(46 * 60);
    let mut late = open(&world, Some(token));
    assert!(timeout(PATIENCE, late.next()).await.is_err(), "who joins at the start is in time");
    world.clock.advance_ms(1);
    let told = next(&mut late).await;
    assert_eq!(told.difference.unwrap().gone[0].reason, GoneReason::TooLate);
}

#[tokio::test(start_paused = true)]
async fn a_watch_too_long_is_refused_and_closed_ones_are_not_counted() {
    let world = world().await;
    for seconds in [0, 3_601] {
        let error = world.service.watch(&Caller::local(), WatchRequest { seconds: Some(seconds), ..asked(None) });
        assert_eq!(error.unwrap_err().reason, Reason::InvalidArgument);
    }
    assert_eq!(world.service.open_watches(), 0);
    let open = open(&world, None);
    assert_eq!(world.service.open_watches(), 1);
    drop(open);
    assert_eq!(world.service.open_watches(), 0);
    timeout(PATIENCE, world.tasks.drain()).await.expect("nobody is told any more");
}
