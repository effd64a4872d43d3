//! Retries after the server lost what it had acknowledged: the first outcome is told again, and nothing happens twice.

use super::*;

/// Carries out a request, and tells whether it was the first time.
fn ask(instance: &Instance, number: u64, result: &'static str) -> AppendOutcome {
    instance.request(vec![put(number, 1, 0)], request("lrm", &format!("r{number}"), 1, result))
}

fn assert_replayed(outcome: &AppendOutcome, result: &str) {
    assert!(matches!(outcome, AppendOutcome::Replayed { result: told, .. } if told == result), "{outcome:?}");
}

#[test]
fn outcomes_of_requests_come_back_with_the_last_writes() {
    let mut server = Server::start();
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    assert!(is_written(&ask(&first, 1, "kept")));
    let backup = server.copy();
    assert!(is_written(&ask(&first, 2, "lost")));
    let several = vec![put(3, 1, 0), Entry::check(put(1, 1, 0).key, 1), put(4, 1, 0)];
    assert!(is_written(&first.request(several.clone(), request("lrm", "several", 1, "both"))));
    server.kill();
    server.restore(&backup);
    server.run();
    first.wait_for("a new epoch", |first| first.head() == (2, 4));
    first.wait_for_writes();
    second.wait_for_writes();
    assert_replayed(&ask(&first, 1, "again"), "kept");
    assert_replayed(&ask(&second, 2, "again"), "lost");
    assert_replayed(&second.request(several, request("lrm", "several", 1, "again")), "both");
    let reused = first.request(vec![put(9, 1, 0)], request("lrm", "r2", 2, "other"));
    assert_eq!(reused, AppendOutcome::RequestIdReused);
    assert_eq!((first.head(), second.head()), ((2, 4), (2, 4)), "nothing was written twice");
}

#[test]
fn outcomes_of_requests_come_back_to_an_emptied_server() {
    let mut server = Server::start();
    let instance = Instance::open(&server);
    assert!(is_written(&ask(&instance, 1, "of the first epoch")));
    server.kill();
    server.run();
    instance.wait_for("the second epoch", |instance| instance.head().0 == 2);
    instance.wait_for_writes();
    assert!(is_written(&ask(&instance, 2, "of the second epoch")));
    assert_eq!(server.say("FLUSHALL"), "+OK");
    instance.wait_for("the third epoch", |instance| instance.head() == (3, 2));
    instance.wait_for_writes();
    assert_replayed(&ask(&instance, 1, "again"), "of the first epoch");
    assert_replayed(&ask(&instance, 2, "again"), "of the second epoch");
    assert_eq!(server.say("ZCARD sas:{0}:qt"), ":2", "they end with their time");
    assert_eq!(instance.head(), (3, 2));
}

#[test]
fn outcomes_of_a_history_that_ended_do_not_outlive_it() {
    let mut server = Server::start();
    let instance = Instance::open(&server);
    assert!(is_written(&ask(&instance, 1, "of both")));
    let backup = server.copy();
    assert!(is_written(&ask(&instance, 2, "of the end")));
    drop(instance);
    let end = server.copy();
    // Another history goes on from the backup, further than the end that is put back in its place then.
    server.kill();
    server.restore(&backup);
    server.run();
    let other = Instance::open(&server);
    assert!(is_written(&ask(&other, 3, "of the other")));
    server.kill();
    server.restore(&end);
    server.run();
    other.wait_for("the third epoch", |other| other.head().0 == 3);
    other.wait_for_writes();
    assert!(is_written(&ask(&other, 2, "anew")), "its effect is not there, so it must not be said to be");
    assert_replayed(&ask(&other, 3, "again"), "of the other");
}

#[test]
fn a_ledger_of_the_format_before_is_read_and_raised() {
    let server = Server::start();
    drop(Instance::open(&server));
    server.say("HSET sas:{0}:m format 1");
    let instance = Instance::open(&server);
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    assert!(is_written(&ask(&instance, 2, "first")));
    assert_replayed(&ask(&Instance::open(&server), 2, "again"), "first");
    let raised = "EVAL 'return tonumber(redis.call(\"HGET\",KEYS[1],\"format\"))' 1 sas:{0}:m";
    assert_eq!(server.say(raised), format!(":{LEDGER_FORMAT}"));
}
