//! Writers that never rest while the server is killed, frozen, or cut short: what was acknowledged is there, once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

/// Writers at the same time.
const WRITERS: u64 = 6;

/// What one writer was told: the numbers that were acknowledged.
fn write_until(done: &AtomicBool, instance: &Instance, next: &AtomicU64) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let id = format!("r{number}");
        // The same request until something is known of it.
        loop {
            match instance.request(vec![put(number, 1, 0)], request("lrm", &id, 1, "done")) {
                AppendOutcome::Appended { .. } | AppendOutcome::Replayed { .. } => {
                    acknowledged.push(number);
                    break;
                }
                AppendOutcome::Unavailable(_) => std::thread::yield_now(),
                other @ (AppendOutcome::Conflict { .. }
                | AppendOutcome::OutOfTime { .. }
                | AppendOutcome::RequestIdReused
                | AppendOutcome::Invalid(_)) => panic!("{number}: {other:?}"),
            }
        }
    }
    acknowledged
}

/// Runs writers on three instances through a storm; everything that was acknowledged must be there, once.
fn survives(mut storm: impl FnMut(&mut Server, &dyn Fn(u64))) {
    let mut server = Server::start();
    let instances: Vec<_> = (0..3).map(|_| Instance::open(&server)).collect();
    let (done, next) = (AtomicBool::new(false), AtomicU64::new(0));
    let acknowledged: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let instance = &instances[usize::try_from(writer).unwrap() % 3];
                let (done, next) = (&done, &next);
                scope.spawn(move || write_until(done, instance, next))
            })
            .collect();
        let head = || instances.iter().map(|instance| instance.head().1).max().unwrap_or_default();
        let more = |count: u64| {
            let target = head() + count;
            wait_until("writes go on", || head() >= target);
        };
        storm(&mut server, &more);
        done.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let newcomer = Instance::open(&server);
    let held = newcomer.sink.held();
    for number in &acknowledged {
        let record = held.get(&put(*number, 1, 0).key);
        assert_eq!(record.map(|record| record.version), Some(1), "{number} was acknowledged");
    }
    assert_eq!(held.len() as u64, next.load(Ordering::Relaxed), "every request had its effect");
    for instance in &instances {
        instance.wait_for("the same head", |instance| instance.head() == newcomer.head());
        assert_eq!(instance.sink.held(), held);
        assert_eq!(instance.sink.changes().len(), held.len(), "one effect each, told once");
    }
}

#[test]
fn nothing_acknowledged_is_lost_while_the_server_is_killed_again_and_again() {
    survives(|server, more| {
        for _ in 0..4 {
            more(60);
            server.kill();
            server.run();
        }
        more(60);
    });
}

#[test]
fn nothing_acknowledged_is_lost_while_the_server_freezes() {
    survives(|server, more| {
        for _ in 0..2 {
            more(60);
            server.signal("-STOP");
            // Longer than any reply is waited for.
            let frozen = Stopwatch::start();
            wait_until("the freeze is over", || frozen.elapsed() > Duration::from_secs(4));
            server.signal("-CONT");
        }
        more(60);
    });
}

#[test]
fn nothing_acknowledged_is_lost_while_connections_are_cut() {
    survives(|server, more| {
        for _ in 0..12 {
            more(20);
            server.say("CLIENT KILL TYPE normal");
        }
        more(20);
    });
}
