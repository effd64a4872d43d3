//! Replicas that hang, come back and join: what must confirm a write, and what callers are told meanwhile.

use super::*;

/// Longest answer of a ledger that refuses.
const REFUSED_WITHIN: Duration = Duration::from_millis(5);

fn replica_of(primary: &Server) -> Server {
    Server::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()])
}

/// A primary with a replica that confirms.
fn pair() -> (Server, Server) {
    let primary = Server::start();
    let replica = replica_of(&primary);
    wait_until("the replica follows", || primary.say("WAIT 1 100") == ":1");
    (primary, replica)
}

fn waiting_briefly(when_replica_away: WhenReplicaAway) -> RedisOptions {
    RedisOptions { when_replica_away, replica_away_after: Duration::from_secs(1), ..options() }
}

fn is_unknown(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(_)))
}

#[test]
fn a_replica_that_hangs_is_given_up_for_a_while_and_waited_for_again_once_it_confirms() {
    let (primary, replica) = pair();
    let instance = Instance::open_with(&primary, waiting_briefly(WhenReplicaAway::Reduce));
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    replica.signal("-STOP");
    let lone = || instance.request(vec![put(2, 1, 0)], request("lrm", "r1", 1, "held"));
    assert!(is_unknown(&lone()), "nothing is acknowledged without its evidence");
    instance.wait_for("the reduction", |instance| instance.ledger.health().reduction.is_some());
    let reason = instance.ledger.health().reduction.unwrap();
    assert!(reason.contains("0 of 1 replicas"), "{reason}");
    assert!(instance.ledger.durability().starts_with("reduced"), "{}", instance.ledger.durability());
    assert!(matches!(lone(), AppendOutcome::Replayed { .. }));
    assert!(is_written(&instance.append(vec![put(3, 1, 0)])));
    // The server still believes in it, so its word cannot be what brings it back.
    assert!(instance.ledger.health().reduction.is_some());
    replica.signal("-CONT");
    instance.wait_for("the end of it", |instance| instance.ledger.health().reduction.is_none());
    assert!(instance.ledger.durability().starts_with("Redis with replicas"), "{}", instance.ledger.durability());
    assert!(is_written(&instance.append(vec![put(4, 1, 0)])));
    replica.signal("-STOP");
    assert!(is_unknown(&instance.append(vec![put(5, 1, 0)])), "it is waited for again");
}

#[test]
fn where_it_is_so_configured_writes_are_refused_at_once_while_a_replica_hangs() {
    let (primary, replica) = pair();
    let instance = Instance::open_with(&primary, waiting_briefly(WhenReplicaAway::Refuse));
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    replica.signal("-STOP");
    assert!(is_unknown(&instance.append(vec![put(2, 1, 0)])));
    instance.wait_for_refusal();
    let stopwatch = Stopwatch::start();
    let refused = instance.append(vec![put(3, 1, 0)]);
    assert!(stopwatch.elapsed() < REFUSED_WITHIN, "{:?}", stopwatch.elapsed());
    let AppendOutcome::Unavailable(Unavailable::Refused(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("0 of 1 replicas answer"), "{reason}");
    assert_eq!(instance.ledger.health().reduction, None);
    replica.signal("-CONT");
    instance.wait_for_writes();
    assert!(is_written(&instance.append(vec![put(3, 1, 0)])));
}

#[test]
fn replicas_that_join_are_waited_for_once_they_have_confirmed() {
    let primary = Server::start();
    let instance = Instance::open(&primary);
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    let joined = [replica_of(&primary), replica_of(&primary)];
    instance.wait_for("the replicas", |instance| instance.ledger.durability().starts_with("Redis with replicas"));
    for (replica, slots) in joined.iter().zip([100, 200_000]) {
        let number = std::cell::Cell::new(slots);
        wait_until("an append that waits for it", || {
            number.set(number.get() + 1);
            replica.signal("-STOP");
            let outcome = instance.append(vec![put(number.get(), 1, 0)]);
            replica.signal("-CONT");
            is_unknown(&outcome)
        });
    }
}

#[test]
fn a_primary_that_comes_back_without_its_replica_is_written_to_after_a_while() {
    let (mut primary, mut replica) = pair();
    let instance = Instance::open_with(&primary, waiting_briefly(WhenReplicaAway::Reduce));
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    replica.kill();
    primary.kill();
    instance.wait_for_refusal();
    primary.run();
    instance.wait_for_writes();
    assert!(is_written(&instance.append(vec![put(2, 1, 0)])));
    assert!(instance.ledger.health().reduction.is_some());
}

#[test]
fn writes_are_accepted_again_when_those_that_waited_found_the_replica_well() {
    let (primary, replica) = pair();
    let instance = Instance::open_with(&primary, waiting_briefly(WhenReplicaAway::Refuse));
    for round in 0..3 {
        replica.signal("-STOP");
        let waiting: Vec<_> = (0..300)
            .map(|number| {
                let entries = vec![put(round * 1_000 + number, 1, 0)];
                instance.ledger.append(Append { entries, request: None })
            })
            .collect();
        instance.wait_for_refusal();
        replica.signal("-CONT");
        waiting.into_iter().map(wait).for_each(drop);
        instance.wait_for_writes();
        assert!(is_written(&instance.append(vec![put(round * 1_000 + 999, 1, 0)])));
    }
}

#[test]
fn a_server_that_is_full_is_read_and_followed_all_the_same() {
    let primary = Server::start();
    let first = Instance::open(&primary);
    assert!(is_written(&first.append(vec![put(1, 1, 0)])));
    primary.say("CONFIG SET maxmemory 1");
    let second = Instance::open(&primary);
    assert!(second.ledger.health().is_open, "{:?}", second.ledger.health().refusal);
    assert_eq!(second.sink.held().len(), 1);
    let refused = second.append(vec![put(2, 1, 0)]);
    let AppendOutcome::Unavailable(Unavailable::Refused(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("OOM"), "{reason}");
    primary.say("CONFIG SET maxmemory 0");
    assert!(is_written(&second.append(vec![put(2, 1, 0)])));
    wait_until("the other one is told", || first.sink.held().len() == 2);
}

#[test]
fn an_instance_that_writes_nothing_finds_out_that_a_replica_is_away() {
    let (primary, mut replica) = pair();
    let instance = Instance::open_with(&primary, waiting_briefly(WhenReplicaAway::Reduce));
    instance.wait_for_writes();
    replica.kill();
    instance.wait_for("the reduction", |instance| instance.ledger.health().reduction.is_some());
}
