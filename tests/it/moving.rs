//! A site moves: out of one ledger and into another, with what is booked; and its copies are compared, record by record.

use std::path::Path;
use std::process::Output;

use sas_router::proto::routing as pb;

use crate::harness::in_process::Bookings;
use crate::harness::redis_server::Server;
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::site::{Site, slot};
use crate::harness::world::hold;

fn sas_router(arguments: &[&str]) -> Output {
    program_command().args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asks for the comparison in JSON; how it ended, and what it says.
fn verify(server: &str, other: [&str; 2]) -> (Option<i32>, serde_json::Value) {
    let output = sas_router(&["verify", "--server", server, other[0], other[1], "--output", "json"]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output))))
}

/// A site with a booking.
async fn booked(count: usize) -> (Site, String) {
    let site = Site::start(count).await;
    site.publish(1, (0..30).map(|number| slot(&format!("s{number}"), 1, 60 + number, 1)).collect()).await;
    let mut bookings = site.instances[0].bookings();
    let held = bookings.hold_slot(hold("h", "s1")).await.unwrap().into_inner();
    let confirm = pb::ConfirmHoldRequest { request_id: "c".into(), hold_id: held.hold.unwrap().hold_id };
    let booking = bookings.confirm_hold(confirm).await.unwrap().into_inner().booking.unwrap();
    (site, booking.booking_id)
}

async fn has_booking(process: &ServerProcess, booking_id: &str) -> bool {
    let mut bookings = Bookings::connect(format!("http://{}", process.address())).await.unwrap();
    bookings.get_booking(pb::GetBookingRequest { booking_id: booking_id.to_owned() }).await.is_ok()
}

#[tokio::test]
async fn copies_are_compared_in_full_and_a_record_that_somebody_changed_is_named() {
    let (site, _) = booked(2).await;
    let urls: Vec<_> = site.instances.iter().map(|one| format!("http://{}", one.process.address())).collect();
    let redis = site.redis.url();
    for other in [["--with", urls[1].as_str()], ["--ledger", redis.as_str()]] {
        let (code, told) = verify(&urls[0], other);
        assert_eq!((code, &told["equal"], &told["difference_count"]), (Some(0), &true.into(), &0.into()), "{told}");
        assert_eq!(told["first"]["records"], told["second"]["records"]);
        assert!(told["first"]["records"].as_u64().unwrap() > 30, "{told}");
        assert_eq!(told["first"]["position"], told["second"]["position"]);
    }
    // A record with another version, and one that is missing.
    let script =
        "local r = redis.call('HGET', KEYS[1], ARGV[1]) redis.call('HSET', KEYS[1], ARGV[1], '9' .. r) return 1";
    assert_eq!(site.redis.say(&format!("EVAL \"{script}\" 1 sas:{{0}}:r:slot slot:s2")), ":1");
    assert_eq!(site.redis.say("HDEL sas:{0}:r:slot slot:s3"), ":1");
    let (code, told) = verify(&urls[0], ["--ledger", &redis]);
    assert_eq!((code, &told["equal"], &told["difference_count"]), (Some(3), &false.into(), &2.into()), "{told}");
    let differences = told["differences"].as_array().unwrap();
    let keys: Vec<_> = differences.iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["slot:s2", "slot:s3"]);
    assert_eq!((&differences[0]["first_version"], &differences[0]["second_version"]), (&1.into(), &91.into()));
    assert!(differences[1]["second_version"].is_null());
    assert_eq!(verify(&urls[0], ["--with", &urls[1]]).0, Some(0), "the instances still show what was written");
    let table = text(&sas_router(&["verify", "--server", &urls[0], "--ledger", &redis]));
    assert!(table.contains("DIFFÉRENTS : 2") && table.contains("slot:s3") && table.contains("absent"), "{table}");
}

#[tokio::test]
async fn a_site_moves_from_redis_to_another_redis_and_to_a_folder_with_its_bookings() {
    let (site, booking_id) = booked(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (state, data_dir) = (path("state.jsonl"), path("data"));
    let export = sas_router(&["export", "--ledger", &site.redis.url(), "--to", &state]);
    assert!(export.status.success(), "{}", text(&export));

    let secured = Server::start_with(&["--requirepass", "s3cret"]);
    let url = secured.url().replace("redis://", "redis://:s3cret@");
    for expected in [r#""unchanged":0"#, r#""imported":0"#] {
        let import = sas_router(&["import", &state, "--ledger", &url, "--output", "json"]);
        assert!(import.status.success() && text(&import).contains(expected), "{}", text(&import));
        assert!(!text(&import).contains("s3cret"));
    }
    let process = ServerProcess::start_on_redis(&url, &[]);
    assert!(has_booking(&process, &booking_id).await);
    let server = format!("http://{}", process.address());
    let (code, told) = verify(&server, ["--ledger", &url]);
    assert_eq!((code, told.to_string().contains("s3cret")), (Some(0), false), "{told}");

    let import = sas_router(&["import", &state, "--data-dir", &data_dir]);
    assert!(import.status.success(), "{}", text(&import));
    assert!(has_booking(&ServerProcess::start(Path::new(&data_dir)), &booking_id).await);

    // The first site goes on; its export no longer fits.
    let mut bookings = site.instances[0].bookings();
    bookings.hold_slot(pb::HoldSlotRequest { case_id: "another".into(), ..hold("h2", "s5") }).await.unwrap();
    let refused = sas_router(&["import", &state, "--ledger", &site.redis.url()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused).contains("slot:s5") && text(&refused).contains("already holds other records"),
        "{}",
        text(&refused)
    );
}

#[test]
fn a_redis_that_cannot_be_read_is_named_without_its_password() {
    let empty = Server::start();
    let secured = Server::start_with(&["--requirepass", "right"]);
    let cases = [
        (empty.url(), 2, "holds no ledger"),
        (secured.url().replace("redis://", "redis://:s3cret@"), 2, "refuses the credentials"),
        ("redis://:s3cret@127.0.0.1:1".to_owned(), 1, "check that it runs"),
        ("http://:s3cret@127.0.0.1:1".to_owned(), 2, "redis://"),
        ("sas:s3cret@127.0.0.1:1".to_owned(), 2, "redis://"),
        ("redis:/:s3cret@127.0.0.1:1".to_owned(), 2, "redis://"),
    ];
    for (url, code, words) in cases {
        let output = sas_router(&["export", "--ledger", &url]);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(code), "{url}: {text}");
        assert!(text.contains(words) && !text.contains("s3cret"), "{url}: {text}");
    }
    assert_eq!(empty.say("DBSIZE"), ":0", "nothing was begun there");
}
