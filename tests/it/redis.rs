//! Many instances, one truth: real processes that share one real Redis.

use sas_router::proto::routing as pb;
use tonic::{Code, Status};

use crate::harness::details::{hold_refused, reason, says_when_to_retry};
use crate::harness::server_process::ServerProcess;
use crate::harness::site::{Site, slot};
use crate::harness::world::{hold, query};

/// A hold of its own case, with the question that led to it.
fn hold_of_case(number: usize, slot_id: &str) -> pb::HoldSlotRequest {
    let case_id = format!("case-{number}");
    pb::HoldSlotRequest { case_id, query: Some(query()), ..hold(&format!("h{number}"), slot_id) }
}

/// What becomes of holds of these cases at once, spread over the instances.
async fn race(site: &Site, cases: std::ops::Range<usize>, slot_id: &str) -> (Vec<pb::HoldSlotResponse>, Vec<Status>) {
    let mut racers = tokio::task::JoinSet::new();
    for number in cases {
        let mut bookings = site.instances[number % site.instances.len()].bookings();
        let request = hold_of_case(number, slot_id);
        racers.spawn(async move { bookings.hold_slot(request).await });
    }
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    for outcome in racers.join_all().await {
        match outcome {
            Ok(answer) => held.push(answer.into_inner()),
            Err(status) => refused.push(status),
        }
    }
    (held, refused)
}

#[tokio::test]
async fn of_64_holds_through_three_instances_one_wins_and_the_others_hear_what_else_there_is() {
    let site = Site::start(3).await;
    site.publish(1, vec![slot("wanted", 1, 60, 1), slot("other", 2, 90, 1)]).await;
    let (held, refused) = race(&site, 0..64, "wanted").await;
    assert_eq!((held.len(), refused.len()), (1, 63));
    for status in refused {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"), "{status:?}");
        let alternatives = hold_refused(&status).unwrap().alternatives;
        assert_eq!(alternatives.iter().map(|option| option.slot_id.as_str()).collect::<Vec<_>>(), ["other"]);
    }
}

#[tokio::test]
async fn a_slot_of_five_takes_exactly_five() {
    let site = Site::start(3).await;
    site.publish(1, vec![slot("wide", 1, 60, 5)]).await;
    let (mut held, mut refused) = (0, 0);
    // A hold that lost too often against others is told to try again.
    let mut open: Vec<usize> = (0..24).collect();
    while let Some(number) = open.pop() {
        let instance = &site.instances[number % 3];
        match instance.bookings().hold_slot(hold_of_case(number, "wide")).await {
            Ok(_) => held += 1,
            Err(status) if status.code() == Code::Aborted => open.push(number),
            Err(status) => {
                assert_eq!(reason(&status), "SLOT_TAKEN", "{status:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((held, refused), (5, 19));
    site.publish(2, vec![slot("wide-2", 1, 90, 5)]).await;
    let (held, _) = race(&site, 100..164, "wide-2").await;
    assert!(held.len() <= 5, "{}", held.len());
}

#[tokio::test]
async fn sixteen_identical_calls_have_one_effect() {
    let site = Site::start(3).await;
    site.publish(1, vec![slot("wide", 1, 60, 20)]).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..16 {
        let mut bookings = site.instances[number % 3].bookings();
        calls.spawn(async move { bookings.hold_slot(hold_of_case(7, "wide")).await });
    }
    let mut hold_ids = Vec::new();
    let mut first = 0;
    for outcome in calls.join_all().await {
        let answer = outcome.unwrap().into_inner();
        hold_ids.push(answer.hold.unwrap().hold_id);
        first += usize::from(!answer.replayed);
    }
    hold_ids.dedup();
    assert_eq!((hold_ids.len(), first), (1, 1));
}

#[tokio::test]
async fn what_one_instance_writes_all_show_and_a_new_one_too() {
    let mut site = Site::start(2).await;
    site.publish(1, vec![slot("a", 1, 60, 1), slot("b", 2, 70, 1)]).await;
    let held = site.instances[0].bookings().hold_slot(hold_of_case(1, "a")).await.unwrap().into_inner();
    let position = held.stamp.unwrap().position;
    let seen = async |status: pb::GetStatusResponse| status.stamp.unwrap().position >= position;
    site.instances[1].wait_until("the hold", seen).await;
    let restarted = site.instances.remove(1).process.kill_and_restart();
    drop(restarted);
    site.instances.push(site.instance().await);
    for instance in &site.instances {
        let answer = instance.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap();
        let offered: Vec<_> = answer.into_inner().options.into_iter().map(|option| option.slot_id).collect();
        assert_eq!(offered, ["b"], "the other is held");
        let status = instance.status().await;
        assert_eq!((status.ledger_kind.as_str(), status.writable, status.counts.unwrap().slots), ("redis", true, 2));
        assert!(status.durability.contains("synced before it is acknowledged"), "{}", status.durability);
        assert_eq!(status.stamp.map(|stamp| (stamp.epoch, stamp.position)), Some((1, position)));
    }
    let hold_id = held.hold.unwrap().hold_id;
    let confirm = pb::ConfirmHoldRequest { request_id: "c".into(), hold_id };
    let mut elsewhere = site.instances[1].bookings();
    assert!(elsewhere.confirm_hold(confirm).await.is_ok(), "a hold may be confirmed on another instance");
}

#[tokio::test]
async fn while_redis_is_away_reads_go_on_and_writes_are_refused_by_name() {
    let mut site = Site::start(3).await;
    site.publish(1, (0..12).map(|number| slot(&format!("s{number}"), 1, 60 + number, 1)).collect()).await;
    let mut booked = Vec::new();
    for number in 0..6 {
        let mut bookings = site.instances[number % 3].bookings();
        let held = bookings.hold_slot(hold_of_case(number, &format!("s{number}"))).await.unwrap().into_inner();
        let confirm = pb::ConfirmHoldRequest { request_id: format!("c{number}"), hold_id: held.hold.unwrap().hold_id };
        booked.push(bookings.confirm_hold(confirm).await.unwrap().into_inner().booking.unwrap().booking_id);
    }
    site.redis.kill();
    for instance in &site.instances {
        instance.wait_until("refusal", async |status| !status.writable).await;
        let status = instance.status().await;
        assert!(
            status.stamp.unwrap().degraded && status.write_refusal.contains("Redis at"),
            "{}",
            status.write_refusal
        );
        let refused = instance.bookings().hold_slot(hold_of_case(50, "s7")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "LEDGER_UNAVAILABLE"));
        assert!(says_when_to_retry(&refused));
        let answer = instance.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap();
        assert!(!answer.into_inner().options.is_empty(), "from memory");
    }
    site.redis.run();
    for instance in &site.instances {
        instance.wait_until("writes", async |status| status.writable).await;
        for booking_id in &booked {
            let request = pb::GetBookingRequest { booking_id: booking_id.clone() };
            assert!(instance.bookings().get_booking(request).await.is_ok(), "what was acknowledged is there");
        }
    }
    let (held, _) = race(&site, 100..106, "s7").await;
    assert_eq!(held.len(), 1);
    let newcomer = site.instance().await;
    for booking_id in booked {
        assert!(newcomer.bookings().get_booking(pb::GetBookingRequest { booking_id }).await.is_ok());
    }
}

#[test]
fn a_redis_that_cannot_be_used_is_named_at_start_without_the_password() {
    let secured = crate::harness::redis_server::Server::start_with(&["--requirepass", "right"]);
    let with_password = |url: String| url.replace("redis://", "redis://:s3cret@");
    let cases = [
        (with_password(secured.url()), 2, "refuses the credentials"),
        ("redis://:s3cret@127.0.0.1:1".to_owned(), 1, "check that it runs"),
        ("redis+sentry://:s3cret@127.0.0.1:1".to_owned(), 2, "ledger.url"),
        ("redis+sentinel://:s3cret@127.0.0.1:1/sas".to_owned(), 1, "none of those that know the primary answers"),
        ("redis://:s3cret@127.0.0.1:1/x".to_owned(), 2, "the address of Redis is wrong"),
    ];
    for (url, code, words) in cases {
        let Err(ended) = ServerProcess::try_start_on(&["--ledger".into(), url.clone().into()], "127.0.0.1:0") else {
            panic!("{url} was accepted");
        };
        assert_eq!(ended.status.code(), Some(code), "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{url}: {}", ended.stderr);
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
}
