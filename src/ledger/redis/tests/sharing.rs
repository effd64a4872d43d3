//! Many instances on one server: one order, one winner, and everybody sees it.

use std::sync::Barrier;

use super::*;

#[test]
fn what_one_instance_writes_reaches_the_others() {
    let server = Server::start();
    let instances: Vec<_> = (0..3).map(|_| Instance::open(&server)).collect();
    for (number, instance) in (0..30).zip(instances.iter().cycle()) {
        assert!(is_written(&instance.append(vec![put(number, 1, 0)])));
    }
    for instance in &instances {
        instance.wait_for("thirty changes", |instance| instance.head() == (1, 30));
        assert_eq!(instance.sink.changes(), instances[0].sink.changes(), "in one order");
    }
}

#[test]
fn an_instance_that_comes_later_has_every_record() {
    let server = Server::start();
    let first = Instance::open(&server);
    for number in 0..40 {
        first.append((0..100).map(|of| put(number * 100 + of, 1, 0)).collect());
    }
    first.append(vec![put(0, 2, 1), Entry::remove(put(1, 1, 0).key, 1)]);
    let second = Instance::open(&server);
    assert_eq!(second.ledger.records_restored(), 3_999);
    assert_eq!((second.head(), second.sink.held()), (first.head(), first.sink.held()));
    assert_eq!(second.ledger.deployment_id(), first.ledger.deployment_id());
    assert!(is_written(&second.append(vec![put(0, 3, 2)])));
    first.wait_for("the other's change", |first| first.head() == second.head());
}

#[test]
fn of_64_appends_from_three_instances_exactly_one_wins() {
    let server = Server::start();
    let instances: Vec<_> = (0..3).map(|_| Instance::open(&server)).collect();
    instances[0].append(vec![put(1, 1, 0)]);
    let barrier = Barrier::new(64);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (100..164u16)
            .map(|shape| {
                let (instance, barrier) = (&instances[usize::from(shape) % 3], &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    instance.append(vec![put(1, shape, 1)])
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let conflicts = outcomes.iter().filter(|outcome| matches!(outcome, AppendOutcome::Conflict { .. }));
    assert_eq!((outcomes.iter().filter(|outcome| is_written(outcome)).count(), conflicts.count()), (1, 63));
}

#[test]
fn a_retry_on_another_instance_gets_the_first_outcome() {
    let server = Server::start();
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    assert!(is_written(&first.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "first"))));
    let replayed = second.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "second"));
    assert!(matches!(&replayed, AppendOutcome::Replayed { result, .. } if result == "first"), "{replayed:?}");
    assert_eq!(second.head().1, 1, "and has seen what it did");
    let reused = second.request(vec![put(2, 1, 0)], request("lrm", "r1", 2, "other"));
    assert_eq!(reused, AppendOutcome::RequestIdReused);
}

#[test]
fn a_log_that_says_something_else_is_not_followed() {
    let server = Server::start();
    let instance = Instance::open(&server);
    instance.append(vec![put(1, 1, 0)]);
    // Somebody meddles: a change with a digest that does not follow.
    server.say("XADD sas:{0}:log 1-2 k slot:x v 1 b x d nonsense t 1");
    instance.wait_for_refusal();
    server.say("XDEL sas:{0}:log 1-2");
    instance.wait_for_writes();
    assert_eq!(instance.sink.held().len(), 1);
}
