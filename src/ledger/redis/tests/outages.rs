//! Servers that die, freeze, forget, or come back as they were before: nothing acknowledged is lost that anybody saw.

use super::*;

/// Longest answer of a ledger that refuses.
const REFUSED_WITHIN: Duration = Duration::from_millis(5);

fn filled(instance: &Instance, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert!(is_written(&instance.append(vec![put(number, 1, 0)])), "{number}");
    }
}

/// Every change of the sink that is told twice tells the same.
fn assert_same(instances: &[&Instance]) {
    for instance in instances {
        instance.wait_for("the same head", |instance| instance.head() == instances[0].head());
        assert_eq!(instance.sink.held(), instances[0].sink.held());
    }
}

#[test]
fn a_killed_server_comes_back_with_every_acknowledged_write() {
    let mut server = Server::start();
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    filled(&first, 0..50);
    server.kill();
    first.wait_for_refusal();
    let refused = first.append(vec![put(100, 1, 0)]);
    assert!(matches!(refused, AppendOutcome::Unavailable(Unavailable::Refused(_))), "{refused:?}");
    server.run();
    first.wait_for_writes();
    second.wait_for_writes();
    assert_eq!(first.sink.held().len(), 50);
    filled(&first, 100..110);
    assert_same(&[&first, &second]);
    assert_eq!(first.head(), (2, 60), "an epoch of its own, and no number twice");
}

#[test]
fn appends_are_refused_at_once_while_the_server_is_frozen_and_go_on_after() {
    let server = Server::start();
    let instance = Instance::open(&server);
    filled(&instance, 0..5);
    server.signal("-STOP");
    let unknown = instance.append(vec![put(5, 1, 0)]);
    assert!(matches!(unknown, AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(_))), "{unknown:?}");
    instance.wait_for_refusal();
    let stopwatch = Stopwatch::start();
    let refused = instance.append(vec![put(6, 1, 0)]);
    assert!(stopwatch.elapsed() < REFUSED_WITHIN, "{:?}", stopwatch.elapsed());
    assert!(matches!(refused, AppendOutcome::Unavailable(Unavailable::Refused(_))), "{refused:?}");
    assert_eq!(instance.sink.held().len(), 5, "what is known stays");
    server.signal("-CONT");
    instance.wait_for_writes();
    assert!(is_written(&instance.append(vec![put(7, 1, 0)])));
}

#[test]
fn a_server_that_forgot_its_scripts_is_given_them_again() {
    let server = Server::start();
    let instance = Instance::open(&server);
    filled(&instance, 0..3);
    assert_eq!(server.say("SCRIPT FLUSH"), "+OK");
    filled(&instance, 3..6);
    assert_eq!(instance.head(), (1, 6));
}

#[test]
fn a_full_server_refuses_and_takes_writes_again_when_there_is_room() {
    let server = Server::start();
    let instance = Instance::open(&server);
    filled(&instance, 0..3);
    assert_eq!(server.say("CONFIG SET maxmemory 1"), "+OK");
    let refused = instance.append(vec![put(3, 1, 0)]);
    assert!(matches!(refused, AppendOutcome::Unavailable(Unavailable::Refused(_))), "{refused:?}");
    assert_eq!(server.say("CONFIG SET maxmemory 0"), "+OK");
    filled(&instance, 3..6);
    assert_eq!((instance.head(), instance.sink.held().len()), ((1, 6), 6));
}

#[test]
fn an_instance_that_ends_is_not_waited_for() {
    let server = Server::start();
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    assert_eq!(server.say("HLEN sas:{0}:i"), ":2");
    drop(second);
    assert_eq!(server.say("HLEN sas:{0}:i"), ":1");
    server.say("HSET sas:{0}:i long-gone '1 1 1'");
    drop(first);
    let third = Instance::open(&server);
    assert_eq!(server.say("HLEN sas:{0}:i"), ":1", "an old one is forgotten");
    drop(third);
}

#[test]
fn an_emptied_server_is_given_every_record_by_an_instance_that_has_them() {
    let server = Server::start();
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    filled(&first, 0..1_200);
    let held = first.sink.held();
    second.wait_for("everything", |second| second.head() == first.head());
    assert_eq!(server.say("FLUSHALL"), "+OK");
    let refused = first.append(vec![put(5_000, 1, 0)]);
    assert!(matches!(refused, AppendOutcome::Unavailable(Unavailable::Refused(_))), "{refused:?}");
    first.wait_for_writes();
    assert!(is_written(&first.append(vec![put(5_000, 1, 0)])));
    second.wait_for("the new epoch", |second| second.head() == (2, 1_201));
    let third = Instance::open(&server);
    assert_eq!(third.sink.held().len(), held.len() + 1);
    assert_same(&[&first, &second, &third]);
    assert_eq!(third.ledger.deployment_id(), first.ledger.deployment_id(), "it is the same ledger");
}

#[test]
fn a_server_without_its_files_is_given_every_record() {
    let mut server = Server::start();
    let instance = Instance::open(&server);
    filled(&instance, 0..20);
    server.kill();
    server.forget();
    server.run();
    instance.wait_for("a new epoch", |instance| instance.head().0 == 2);
    instance.wait_for_writes();
    assert!(is_written(&instance.append(vec![put(20, 1, 0)])));
    assert_eq!(Instance::open(&server).sink.held().len(), 21);
}

#[test]
fn a_server_that_lost_its_last_writes_gets_them_back() {
    let mut server = Server::start();
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    filled(&first, 0..10);
    let backup = server.copy();
    filled(&first, 10..25);
    second.wait_for("everything", |second| second.head() == first.head());
    server.kill();
    server.restore(&backup);
    server.run();
    first.wait_for("a new epoch", |first| first.head() == (2, 25));
    first.wait_for_writes();
    second.wait_for_writes();
    assert_same(&[&first, &second]);
    assert_eq!(
        (first.sink.changes().len(), Instance::open(&server).sink.held().len()),
        (25, 25),
        "and nobody had to read anew"
    );
}

#[test]
fn an_instance_whose_history_was_left_behind_takes_the_other() {
    let mut server = Server::start();
    let instance = Instance::open(&server);
    filled(&instance, 0..10);
    let backup = server.copy();
    filled(&instance, 10..20);
    assert!(is_written(&instance.append(vec![put(0, 9, 1), Entry::remove(put(1, 1, 0).key, 1)])));
    server.kill();
    // Others go on from the backup while this instance cannot reach it: what it alone saw is of a history that ended.
    let mut elsewhere = Server::start_on(backup.path());
    let other = Instance::open(&elsewhere);
    filled(&other, 30..33);
    other.append(vec![Entry::remove(put(2, 1, 0).key, 1)]);
    let held = other.sink.held();
    drop(other);
    elsewhere.kill();
    server.restore(elsewhere.folder());
    server.run();
    instance.wait_for("the third epoch", |instance| instance.head().0 == 3);
    instance.wait_for_writes();
    assert_eq!(instance.sink.held(), held, "older versions and missing records included");
}

#[test]
fn an_epoch_that_began_twice_is_not_written_over_by_who_followed_the_other_one() {
    let mut server = Server::start();
    let instance = Instance::open(&server);
    for number in 1..=5 {
        assert!(is_written(&instance.append(vec![put(number, 1, 0)])));
    }
    let (epoch, _) = instance.head();
    // The server has another history of this epoch, shorter than what was followed here.
    server.say(&format!("XDEL sas:{{0}}:log {epoch}-5"));
    server.say("HSET sas:{0}:m seq 4 digest 0123456789012345678901234567890123456789");
    server.kill();
    server.run();
    instance.wait_for("a new epoch", |instance| instance.head().0 > epoch);
    instance.wait_for_writes();
    assert_eq!(instance.head(), (epoch + 1, 4), "the server's stands");
    assert!(is_written(&instance.append(vec![put(6, 1, 0)])));
}
