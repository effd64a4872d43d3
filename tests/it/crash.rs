//! The real process is killed in the middle of a stream of writes, many times: what it acknowledged is there afterwards.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sas_router::clock::{Clock as _, SystemClock};
use sas_router::proto::routing as pb;
use tokio::sync::mpsc;
use tonic::transport::Channel;

use crate::harness::server_process::ServerProcess;

/// How often the process is killed.
const KILLS: u32 = 12;
/// Writers that hold and confirm at the same time.
const BOOKERS: u32 = 8;
/// Slots that every round publishes for the bookers.
const SLOTS_PER_ROUND: u32 = 600;
const SCHEDULE: &str = "agenda-1";

type Booking = pb::booking_service_client::BookingServiceClient<Channel>;
type Publishing = pb::publishing_service_client::PublishingServiceClient<Channel>;
type Directory = pb::directory_service_client::DirectoryServiceClient<Channel>;

/// An acknowledged write.
#[derive(Clone, Debug)]
enum Acknowledged {
    Held { request_id: String, slot_id: String, hold_id: String },
    Booked { hold_id: String, case_id: String },
    Published { slot_id: String },
}

async fn channel(server: &ServerProcess) -> Channel {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address())).unwrap();
    endpoint.tcp_nodelay(true).connect().await.unwrap()
}

fn slot(slot_id: String, number: u32) -> pb::SlotInput {
    let now_s = SystemClock.now().ms() / 1_000;
    let start_s = now_s + 7_200 + i64::from(number % 60) * 60;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    pb::SlotInput {
        slot_id,
        schedule_id: SCHEDULE.to_owned(),
        window: Some(pb::Window { start_at: at(start_s), end_at: at(start_s + 900) }),
        modalities: vec!["AMB".to_owned()],
        visibilities: vec!["PUBLIC".to_owned()],
        ..pb::SlotInput::default()
    }
}

async fn make_directory(channel: Channel) {
    let mut directory = Directory::new(channel);
    let place = pb::Place {
        place_id: "lieu-1".to_owned(),
        name: "Maison de santé".to_owned(),
        department: "18".to_owned(),
        position: Some(pb::GeoPoint { latitude: 47.08, longitude: 2.4 }),
        ..pb::Place::default()
    };
    directory
        .upsert_place(pb::UpsertPlaceRequest { request_id: "place".to_owned(), place: Some(place) })
        .await
        .unwrap();
    let schedule = pb::Schedule {
        schedule_id: SCHEDULE.to_owned(),
        source_id: "test".to_owned(),
        place_id: "lieu-1".to_owned(),
        specialties: vec!["SM54".to_owned()],
        ..pb::Schedule::default()
    };
    let request = pb::UpsertScheduleRequest { request_id: "schedule".to_owned(), schedule: Some(schedule) };
    directory.upsert_schedule(request).await.unwrap();
}

/// Publishes batches one after the other until the process is gone; says what was acknowledged.
async fn publish(channel: Channel, round: u32, acknowledged: mpsc::Sender<Acknowledged>) {
    let mut publishing = Publishing::new(channel);
    for batch in 0..1_000 {
        let rows: Vec<_> = (0..20).map(|row| slot(format!("neuf-{round}-{batch}-{row}"), row)).collect();
        let request = pb::PublishSlotsRequest {
            request_id: format!("publish-{round}-{batch}"),
            source_id: "test".to_owned(),
            source_revision: u64::from(round) + 1,
            rows,
        };
        let Ok(response) = publishing.publish_slots(tokio_stream::iter([request])).await else { return };
        let Ok(Some(response)) = response.into_inner().message().await else { return };
        for result in response.results {
            assert_eq!(result.status(), pb::RowStatus::Created, "{}", result.message);
            let _ = acknowledged.send(Acknowledged::Published { slot_id: result.slot_id }).await;
        }
    }
}

/// Holds and confirms one slot after the other until the process is gone.
async fn book(channel: Channel, round: u32, next: Arc<AtomicU32>, acknowledged: mpsc::Sender<Acknowledged>) {
    let mut booking = Booking::new(channel);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= SLOTS_PER_ROUND {
            return;
        }
        let (request_id, slot_id) = (format!("hold-{round}-{number}"), format!("libre-{round}-{number}"));
        let request = pb::HoldSlotRequest {
            request_id: request_id.clone(),
            slot_id: slot_id.clone(),
            case_id: format!("dossier-{round}-{number}"),
            ttl_seconds: Some(900),
            ..pb::HoldSlotRequest::default()
        };
        let Ok(held) = booking.hold_slot(request).await else { return };
        let hold_id = held.into_inner().hold.unwrap().hold_id;
        let _ = acknowledged.send(Acknowledged::Held { request_id, slot_id, hold_id: hold_id.clone() }).await;
        if number.is_multiple_of(2) {
            let request =
                pb::ConfirmHoldRequest { request_id: format!("confirm-{round}-{number}"), hold_id: hold_id.clone() };
            let Ok(_) = booking.confirm_hold(request).await else { return };
            let case_id = format!("dossier-{round}-{number}");
            let _ = acknowledged.send(Acknowledged::Booked { hold_id, case_id }).await;
        }
    }
}

/// One round: writes run, and the process is killed once `kill_after` of them are acknowledged.
async fn round(server: ServerProcess, round: u32, kill_after: u32) -> (ServerProcess, Vec<Acknowledged>) {
    let channel = channel(&server).await;
    let free = (0..SLOTS_PER_ROUND).map(|number| slot(format!("libre-{round}-{number}"), number)).collect::<Vec<_>>();
    for (batch, rows) in free.chunks(300).enumerate() {
        let request = pb::PublishSlotsRequest {
            request_id: format!("free-{round}-{batch}"),
            source_id: "test".to_owned(),
            source_revision: u64::from(round) + 1,
            rows: rows.to_vec(),
        };
        let answers = Publishing::new(channel.clone()).publish_slots(tokio_stream::iter([request])).await.unwrap();
        let answer = answers.into_inner().message().await.unwrap().unwrap();
        assert!(answer.results.iter().all(|result| result.status() == pb::RowStatus::Created));
    }
    let (sender, mut receiver) = mpsc::channel(4_096);
    let next = Arc::new(AtomicU32::new(0));
    let mut writers = tokio::task::JoinSet::new();
    writers.spawn(publish(channel.clone(), round, sender.clone()));
    for _ in 0..BOOKERS {
        writers.spawn(book(channel.clone(), round, Arc::clone(&next), sender.clone()));
    }
    drop(sender);
    let mut acknowledged = Vec::new();
    for _ in 0..kill_after {
        acknowledged.push(receiver.recv().await.expect("writers go on until the process is killed"));
    }
    let restarted = tokio::task::spawn_blocking(move || server.kill_and_restart()).await.unwrap();
    // What was acknowledged before the kill reached the writers counts too.
    while let Some(one) = receiver.recv().await {
        acknowledged.push(one);
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    (restarted, acknowledged)
}

async fn verify(server: &ServerProcess, acknowledged: &[Acknowledged]) {
    let channel = channel(server).await;
    let mut booking = Booking::new(channel.clone());
    let request = pb::GetScheduleRequest { schedule_id: SCHEDULE.to_owned(), window: None };
    let mut publishing = Publishing::new(channel).max_decoding_message_size(256 << 20);
    let schedule = publishing.get_schedule(request).await.unwrap().into_inner();
    let slots: HashMap<_, _> =
        schedule.slots.iter().map(|slot| (slot.input.as_ref().unwrap().slot_id.as_str(), slot)).collect();
    for one in acknowledged {
        match one {
            Acknowledged::Published { slot_id } => assert!(slots.contains_key(slot_id.as_str()), "{slot_id} is lost"),
            Acknowledged::Held { slot_id, hold_id, .. } => {
                let slot = slots.get(slot_id.as_str()).unwrap_or_else(|| panic!("{slot_id} is lost"));
                assert!(slot.claims.iter().any(|claim| claim.claim_id == *hold_id), "{hold_id} on {slot_id} is lost");
                assert_eq!(slot.remaining_count, 0, "{slot_id} is offered again");
            }
            Acknowledged::Booked { hold_id, case_id: _ } => {
                let request = pb::GetBookingRequest { booking_id: hold_id.clone() };
                let found = booking.get_booking(request).await.unwrap().into_inner().booking.unwrap();
                assert_eq!(found.state(), pb::ClaimState::Booked, "{hold_id}");
            }
        }
    }
    // What is kept of a case survived with its booking: there is no second one.
    let last = acknowledged.iter().rev().find_map(|one| match one {
        Acknowledged::Booked { hold_id, case_id } => Some((hold_id, case_id)),
        Acknowledged::Held { .. } | Acknowledged::Published { .. } => None,
    });
    if let Some((hold_id, case_id)) = last {
        let free = slots.values().find(|slot| slot.remaining_count > 0).expect("some slot is free");
        let request = pb::HoldSlotRequest {
            request_id: format!("second for {case_id}"),
            slot_id: free.input.as_ref().unwrap().slot_id.clone(),
            case_id: case_id.clone(),
            ..pb::HoldSlotRequest::default()
        };
        let refused = booking.hold_slot(request).await.unwrap_err();
        assert!(refused.message().contains(hold_id.as_str()), "{refused:?}");
    }
    // A retry of an acknowledged hold returns the first outcome, across the crash.
    let last = acknowledged.iter().rev().find_map(|one| match one {
        Acknowledged::Held { request_id, slot_id, hold_id } => Some((request_id, slot_id, hold_id)),
        Acknowledged::Booked { .. } | Acknowledged::Published { .. } => None,
    });
    if let Some((request_id, slot_id, hold_id)) = last {
        let request = pb::HoldSlotRequest {
            request_id: request_id.clone(),
            slot_id: slot_id.clone(),
            case_id: request_id.replace("hold", "dossier"),
            ttl_seconds: Some(900),
            ..pb::HoldSlotRequest::default()
        };
        let again = booking.hold_slot(request).await.unwrap().into_inner();
        assert!(again.replayed);
        assert_eq!(again.hold.unwrap().hold_id, *hold_id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir: &Path = folder.path();
    let mut server = ServerProcess::start(data_dir);
    make_directory(channel(&server).await).await;
    let mut all = Vec::new();
    for number in 0..KILLS {
        // Kills fall at different points of the stream: early, in the thick of it, late.
        let kill_after = 3 + (number * 37) % 150;
        let (restarted, mut acknowledged) = round(server, number, kill_after).await;
        server = restarted;
        assert!(acknowledged.len() >= kill_after as usize);
        all.append(&mut acknowledged);
        verify(&server, &all).await;
    }
    #[allow(clippy::print_stdout, reason = "how much was at stake belongs to the result")]
    {
        println!("{} acknowledged writes over {KILLS} kills, none lost", all.len());
    }
}
