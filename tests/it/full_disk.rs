//! The real process on a disk that runs full: writes are refused by name, reads go on, and it heals when there is room.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sas_router::clock::{Clock as _, SystemClock};
use sas_router::proto::routing as pb;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use crate::harness::server_process::ServerProcess;
use crate::harness::skip;

/// Batches of a hundred slots that fill the small disk several times over.
const BATCHES_MAX: u32 = 2_000;
/// Within which time writes are accepted again after there is room; far above the second that it takes.
const HEALING_DEADLINE: Duration = Duration::from_secs(60);

/// A disk of its own, small; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(folder.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server under test may still be ending.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

async fn directory(channel: &Channel) {
    let mut directory = pb::directory_service_client::DirectoryServiceClient::new(channel.clone());
    let place = pb::Place {
        place_id: "lieu-1".to_owned(),
        name: "Maison de santé".to_owned(),
        department: "18".to_owned(),
        position: Some(pb::GeoPoint { latitude: 47.08, longitude: 2.4 }),
        ..pb::Place::default()
    };
    directory.upsert_place(pb::UpsertPlaceRequest { request_id: "p".to_owned(), place: Some(place) }).await.unwrap();
    let schedule = pb::Schedule {
        schedule_id: "agenda-1".to_owned(),
        source_id: "test".to_owned(),
        place_id: "lieu-1".to_owned(),
        specialties: vec!["SM54".to_owned()],
        ..pb::Schedule::default()
    };
    let request = pb::UpsertScheduleRequest { request_id: "s".to_owned(), schedule: Some(schedule) };
    directory.upsert_schedule(request).await.unwrap();
}

fn batch(number: u32) -> pb::PublishSlotsRequest {
    let start_s = SystemClock.now().ms() / 1_000 + 7_200;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let row = |row: u32| pb::SlotInput {
        slot_id: format!("{}-{number}-{row}", "x".repeat(100)),
        schedule_id: "agenda-1".to_owned(),
        window: Some(pb::Window { start_at: at(start_s), end_at: at(start_s + 900) }),
        modalities: vec!["AMB".to_owned()],
        visibilities: vec!["PUBLIC".to_owned()],
        ..pb::SlotInput::default()
    };
    pb::PublishSlotsRequest {
        request_id: format!("batch-{number}"),
        source_id: "test".to_owned(),
        source_revision: 1,
        rows: (0..100).map(row).collect(),
    }
}

async fn publish(channel: &Channel, number: u32) -> Result<(), tonic::Status> {
    let mut publishing = pb::publishing_service_client::PublishingServiceClient::new(channel.clone());
    let mut answers = publishing.publish_slots(tokio_stream::iter([batch(number)])).await?.into_inner();
    let answer = answers.message().await?.expect("one answer a batch");
    assert!(answer.results.iter().all(|row| row.status() != pb::RowStatus::Refused), "{:?}", answer.results.first());
    Ok(())
}

async fn kept(channel: &Channel) -> u64 {
    let mut operations = pb::operations_service_client::OperationsServiceClient::new(channel.clone());
    operations.get_status(pb::GetStatusRequest {}).await.unwrap().into_inner().counts.unwrap().slots
}

async fn options(channel: &Channel) -> usize {
    let mut routing = pb::routing_service_client::RoutingServiceClient::new(channel.clone());
    let query =
        pb::CareQuery { position: Some(pb::GeoPoint { latitude: 47.08, longitude: 2.4 }), ..pb::CareQuery::default() };
    routing.find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap().into_inner().options.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_goes_on_reading() {
    let Some(disk) = SmallDisk::mount() else {
        skip("a_full_disk_refuses_writes_and_goes_on_reading", "mounting a small disk needs root");
        return;
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![7; 6 << 20]).unwrap();
    let server = ServerProcess::start(disk.path());
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    directory(&channel).await;
    let mut acknowledged = 0;
    let mut refused = None;
    for number in 0..BATCHES_MAX {
        match publish(&channel, number).await {
            Ok(()) => acknowledged += 100,
            Err(status) => {
                refused = Some((number, status));
                break;
            }
        }
    }
    let (number, status) = refused.expect("the disk runs full");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    let reason = status.get_details_error_info().unwrap().reason;
    assert!(["LEDGER_UNAVAILABLE", "OUTCOME_UNKNOWN"].contains(&reason.as_str()), "{reason}");
    assert!(status.get_details_retry_info().is_some(), "it says when to try again");
    assert_eq!(options(&channel).await, 1, "reads go on");
    std::fs::remove_file(&ballast).unwrap();
    // Refusals come at once, and the ledger tries to heal at most once a second, driven by what is asked of it.
    let heal = async { while publish(&channel, number).await.is_err() {} };
    tokio::time::timeout(HEALING_DEADLINE, heal).await.expect("writes are accepted again once there is room");
    let visible = kept(&channel).await;
    assert!(visible >= acknowledged + 100, "{visible} of {acknowledged} acknowledged and the retried batch");
    let restarted = tokio::task::spawn_blocking(move || server.kill_and_restart()).await.unwrap();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", restarted.address())).unwrap();
    let found = kept(&endpoint.connect().await.unwrap()).await;
    assert!(found >= visible, "{found} found after the restart, {visible} were visible");
}
