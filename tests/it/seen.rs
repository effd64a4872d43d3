//! Seen by the others: what instances that share a ledger tell of each other, and reading what was written elsewhere.

use std::time::Duration;

use sas_router::proto::routing as pb;
use tonic::{Code, Request};

use crate::harness::details::{fields, reason, says_when_to_retry};
use crate::harness::in_process::InProcess;
use crate::harness::server_process::program_command;
use crate::harness::site::{Site, slot};
use crate::harness::world::{hold, query, settled, territory};

/// A call that wants a state.
fn at_least<T>(message: T, position: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("sas-min-position", position.parse().unwrap());
    request
}

/// The position of a stamp, as calls want it.
fn position_of(stamp: &Option<pb::Stamp>) -> String {
    let stamp = stamp.as_ref().unwrap();
    format!("{}-{}", stamp.epoch, stamp.position)
}

fn find() -> pb::FindCareRequest {
    pb::FindCareRequest { query: Some(query()) }
}

#[tokio::test]
async fn what_was_written_through_one_instance_is_read_through_another_when_the_call_asks_for_it() {
    let mut site = Site::start(2).await;
    site.publish(1, (0..20).map(|number| slot(&format!("s{number}"), 1, 60 + number, 1)).collect()).await;
    let mut last = String::new();
    for number in 0..20 {
        let request = hold(&format!("h{number}"), &format!("s{number}"));
        let request = pb::HoldSlotRequest { case_id: format!("case-{number}"), ..request };
        let held = site.instances[0].bookings().hold_slot(request).await.unwrap().into_inner();
        last = position_of(&held.stamp);
        let hold_id = held.hold.unwrap().hold_id;
        let read = at_least(pb::GetHoldRequest { hold_id }, &last);
        assert!(site.instances[1].bookings().get_hold(read).await.is_ok(), "hold {number}");
    }
    // A recovery later, through instances old and new.
    site.redis.kill();
    site.instances[0].wait_until("refusal", async |status| !status.writable).await;
    site.redis.run();
    for instance in &site.instances {
        instance.wait_until("writes", async |status| status.writable).await;
    }
    site.instances.push(site.instance().await);
    for instance in &site.instances {
        let answer = instance.routing().find_care(at_least(find(), &last)).await.unwrap().into_inner();
        assert!(answer.options.is_empty() && !answer.stamp.unwrap().behind_min_position, "all are held");
    }
}

#[tokio::test]
async fn a_position_that_is_not_there_has_a_named_answer_and_a_regulator_gets_hers_all_the_same() {
    let town = settled().await;
    let stamp = town.routing().find_care(find()).await.unwrap().into_inner().stamp;
    let epoch = stamp.as_ref().unwrap().epoch;
    let ahead = format!("{epoch}-999999");
    let get = || pb::GetTerritoryRequest { territory_id: territory().territory_id };

    assert!(town.directory().get_territory(at_least(get(), &position_of(&stamp))).await.is_ok());
    let refused = town.directory().get_territory(at_least(get(), &ahead)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "POSITION_NOT_REACHED"));
    assert!(says_when_to_retry(&refused) && refused.message().contains(&ahead), "{refused:?}");
    let refused = town.directory().get_territory(at_least(get(), &format!("{}-1", epoch + 1))).await.unwrap_err();
    assert_eq!(reason(&refused), "POSITION_NOT_REACHED", "an epoch that has not begun here");
    if let Some(ended) = epoch.checked_sub(1) {
        let refused = town.directory().get_territory(at_least(get(), &format!("{ended}-1"))).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "POSITION_LOST"));
    }
    let refused = town.directory().get_territory(at_least(get(), "yesterday")).await.unwrap_err();
    assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["sas-min-position".to_owned()]));
    let refused = town.routing().find_care(at_least(find(), "yesterday")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);

    assert!(
        town.operations().get_status(at_least(pb::GetStatusRequest {}, &ahead)).await.is_ok(),
        "it tells how far it is"
    );
    let answer = town.routing().find_care(at_least(find(), &ahead)).await.unwrap().into_inner();
    assert!(answer.stamp.unwrap().behind_min_position);
    let mut hurried = at_least(find(), &ahead);
    hurried.set_timeout(Duration::from_millis(200));
    assert!(town.routing().find_care(hurried).await.is_ok(), "before her patience ends");
    let emergency = pb::CareQuery { care_level: "R1".into(), ..query() };
    let request = at_least(pb::FindCareRequest { query: Some(emergency) }, &ahead);
    let answer = town.routing().find_care(request).await.unwrap().into_inner();
    assert_eq!(answer.outcome(), pb::CareOutcome::EmergencyDispatch);
    assert!(!answer.stamp.unwrap().behind_min_position, "it needs no position");
    let request = pb::WatchCareRequest { query: Some(query()), ..pb::WatchCareRequest::default() };
    let mut updates = town.routing().watch_care(at_least(request, &ahead)).await.unwrap().into_inner();
    let first = updates.message().await.unwrap().unwrap();
    assert!(first.answer.unwrap().stamp.unwrap().behind_min_position);
}

#[tokio::test]
async fn a_call_waits_for_the_write_that_it_wants_to_see() {
    let town = settled().await;
    let stamp = town.routing().find_care(find()).await.unwrap().into_inner().stamp.unwrap();
    let next = format!("{}-{}", stamp.epoch, stamp.position + 1);
    let renamed = pb::Territory { name: "Renamed".to_owned(), ..territory() };
    let mut writer = town.directory();
    let write =
        writer.upsert_territory(pb::UpsertTerritoryRequest { request_id: "r".into(), territory: Some(renamed) });
    let mut reader = town.directory();
    let request = pb::GetTerritoryRequest { territory_id: territory().territory_id };
    let read = reader.get_territory(at_least(request, &next));
    // The read is asked first: without waiting it would be refused, or show the old name.
    let (read, written) = tokio::join!(read, write);
    assert!(written.is_ok());
    assert_eq!(read.unwrap().into_inner().territory.unwrap().name, "Renamed");
}

#[tokio::test]
async fn every_instance_tells_of_all_that_share_the_ledger() {
    let mut site = Site::start(3).await;
    site.publish(1, vec![slot("a", 1, 60, 1)]).await;
    let told = async |status: pb::GetStatusResponse| {
        let ledger = status.shared_ledger.unwrap();
        let digests: Vec<_> = ledger.instances.iter().map(|instance| instance.digest.as_str()).collect();
        let is_level = digests.iter().all(|digest| *digest == ledger.digest && digest.len() == 40);
        is_level && digests.len() == 3 && ledger.instances.iter().all(|instance| instance.lag_changes == 0)
    };
    for instance in &site.instances {
        instance.wait_until("three instances with one digest", told).await;
        let status = instance.status().await;
        let ledger = status.shared_ledger.unwrap();
        let own: Vec<_> = ledger.instances.iter().filter(|instance| instance.is_self).collect();
        assert_eq!((own.len(), own[0].instance_id.as_str()), (1, status.instance_id.as_str()));
        assert_eq!(
            (own[0].version.as_str(), own[0].digest.as_str()),
            (status.version.as_str(), status.history_digest.as_str())
        );
        assert_eq!((own[0].state(), own[0].digest_differs), (pb::InstanceState::Live, false));
        assert_eq!(
            (status.durability_class.as_str(), own[0].durability_class.as_str()),
            ("REDIS_SYNCED", "REDIS_SYNCED")
        );
        let counted: u64 = status.counters.iter().map(|counter| counter.value).sum();
        assert_eq!((status.counters.len(), counted), (5, 0), "{:?}", status.counters);
    }
    let url = format!("http://{}", site.instances[0].process.address());
    let shown = |output: &str| {
        let run = program_command().args(["--width", "200", "status", "--server", &url, "--output", output]).output();
        String::from_utf8(run.unwrap().stdout).unwrap()
    };
    let (table, json) = (shown("table"), shown("json"));
    assert!(table.contains("(celle-ci)") && table.contains("à jour") && table.contains("Registre partagé"), "{table}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["sharedLedger"]["instances"].as_array().unwrap().len(), 3);
    // One that ends in good order is not waited for.
    site.instances.pop().unwrap().process.terminate();
    let gone = async |status: pb::GetStatusResponse| status.shared_ledger.unwrap().instances.len() == 2;
    site.instances[0].wait_until("its end", gone).await;
}

#[tokio::test]
async fn a_ledger_that_nobody_shares_tells_of_no_instances() {
    let town = InProcess::start().await;
    let status = town.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.shared_ledger, status.history_digest.as_str()), (None, ""));
    assert_eq!(status.durability_class, "MEMORY");
}
