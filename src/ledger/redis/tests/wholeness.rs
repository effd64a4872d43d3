//! Appends and states come whole or not at all, wherever a reply, a connection or a server is cut.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::domain::record::{Body, Change, Position, Versioned};
use crate::ledger::redis::history::Logged;
use crate::ledger::redis::recover::pieces;

/// A sink that is told something only when it was let.
#[derive(Default)]
struct Gated {
    recorder: Recorder,
    /// How often it may be told.
    let_in: AtomicU64,
    /// How often somebody came to tell.
    came: AtomicU64,
}

impl Gated {
    fn enter(&self) {
        let turn = self.came.fetch_add(1, Ordering::SeqCst) + 1;
        wait_until("it is let in", || self.let_in.load(Ordering::SeqCst) >= turn);
    }

    fn let_in(&self, times: u64) {
        self.let_in.store(times, Ordering::SeqCst);
    }

    /// Waits until somebody stands at the gate so many times in all.
    fn wait_for(&self, times: u64) {
        wait_until("somebody comes", || self.came.load(Ordering::SeqCst) >= times);
    }
}

impl ChangeSink for Gated {
    fn apply(&self, changes: &[Change]) {
        self.enter();
        self.recorder.apply(changes);
    }

    fn begin_reload(&self, position: Position) {
        self.recorder.begin_reload(position);
    }

    fn reload(&self, records: &[Change]) {
        self.enter();
        self.recorder.reload(records);
    }

    fn finish_reload(&self) {
        self.recorder.finish_reload();
    }

    fn advance(&self, head: Position) {
        self.recorder.advance(head);
    }

    fn records(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        self.recorder.records(take);
    }
}

fn open_gated(server: &Server, sink: &Arc<Gated>) -> RedisLedger {
    let told = Arc::clone(sink) as Arc<dyn ChangeSink>;
    RedisLedger::open(&address_of(server), options(), Uuid::now_v7(), told).unwrap()
}

fn head_of(ledger: &RedisLedger) -> (u64, u64) {
    let head = ledger.health().head;
    (head.epoch, head.sequence)
}

/// Puts these slots, all in one append.
fn put_at_once(instance: &Instance, numbers: std::ops::Range<u64>) {
    assert!(is_written(&instance.append(numbers.map(|number| put(number, 1, 0)).collect())));
}

#[test]
fn an_append_that_a_reply_cuts_is_told_at_once_when_it_is_whole() {
    let server = Server::start();
    let (first, sink) = (Instance::open(&server), Arc::new(Gated::default()));
    let second = open_gated(&server, &sink);
    put_at_once(&first, 0..1);
    sink.wait_for(1);
    // More than one reply brings, while the second instance is busy.
    put_at_once(&first, 1..701);
    put_at_once(&first, 701..1_401);
    put_at_once(&first, 1_401..2_401);
    sink.let_in(u64::MAX);
    wait_until("everything", || head_of(&second) == (1, 2_401));
    let stands = sink.recorder.stands();
    assert!(stands.iter().all(|stand| [1, 701, 1_401, 2_401].contains(stand)), "{stands:?}");
    assert_eq!(sink.recorder.held(), first.sink.held());
}

#[test]
fn half_an_append_is_not_given_back_to_a_server_that_lost_it() {
    let mut server = Server::start();
    let (first, sink) = (Instance::open(&server), Arc::new(Gated::default()));
    let second = open_gated(&server, &sink);
    put_at_once(&first, 0..1);
    sink.wait_for(1);
    let backup = server.frozen_copy();
    put_at_once(&first, 1..701);
    put_at_once(&first, 701..1_401);
    drop(first);
    sink.let_in(1);
    // It has the first reply of the log, which ends within the second append.
    sink.wait_for(2);
    server.kill();
    server.restore(&backup);
    server.run();
    sink.let_in(u64::MAX);
    wait_until("a new epoch", || head_of(&second).0 == 2);
    assert_eq!(head_of(&second), (2, 701));
    let newcomer = Instance::open(&server);
    assert_eq!((newcomer.head(), newcomer.sink.held().len()), ((2, 701), 701));
    put_at_once(&newcomer, 701..1_401);
    wait_until("it goes on", || head_of(&second) == (2, 1_401));
    assert_eq!(sink.recorder.held(), newcomer.sink.held());
}

#[test]
fn changes_are_given_back_in_pieces_of_whole_appends() {
    let append = |length: usize| (0..length).rev().map(|more| Logged { more, ..Logged::numbered(0) });
    let changes: Vec<_> = [400, 400, 1, 511, 1_024, 3].into_iter().flat_map(append).collect();
    let lengths: Vec<_> = pieces(&changes).iter().map(|piece| piece.len()).collect();
    assert_eq!(lengths, [800, 512, 1_024, 3]);
    assert!(pieces(&changes).iter().all(|piece| piece.last().is_some_and(|last| last.more == 0)));
    assert!(pieces(&[]).is_empty());
}

/// An instance that stands in the middle of reading every record anew, from a server on which another history went on; the
/// files of its own history; and the records of that.
fn reading_anew() -> (Server, Arc<Gated>, RedisLedger, tempfile::TempDir) {
    let mut server = Server::start();
    let first = Instance::open(&server);
    put_at_once(&first, 0..1_000);
    let backup = server.frozen_copy();
    put_at_once(&first, 1_000..2_000);
    put_at_once(&first, 2_000..3_000);
    let sink = Arc::new(Gated::default());
    sink.let_in(u64::MAX);
    let instance = open_gated(&server, &sink);
    drop(first);
    let own = server.frozen_copy();
    server.kill();
    let mut elsewhere = Server::start_on(backup.path());
    let other = Instance::open(&elsewhere);
    assert!(is_written(&other.append((0..1_000).map(|number| put(number, 9, 1)).collect())));
    (5..8).for_each(|of| put_at_once(&other, of * 1_000..(of + 1) * 1_000));
    drop(other);
    elsewhere.kill();
    server.restore(elsewhere.folder());
    let came = sink.came.load(Ordering::SeqCst);
    sink.let_in(came + 1);
    server.run();
    // One page was taken, the next one waits.
    sink.wait_for(came + 2);
    (server, sink, instance, own)
}

#[test]
fn a_reload_that_is_cut_is_begun_anew_also_where_the_log_has_what_was_followed() {
    let (mut server, sink, instance, own) = reading_anew();
    server.kill();
    server.restore(&own);
    server.run();
    sink.let_in(u64::MAX);
    wait_until("writes", || instance.health().refusal.is_none() && head_of(&instance).0 != 1);
    let newcomer = Instance::open(&server);
    assert_eq!(newcomer.sink.held().len(), 3_000);
    assert!(sink.recorder.held() == newcomer.sink.held(), "no mixture of two histories");
    assert_eq!(head_of(&instance), (4, 3_000), "no epoch that it knew begins twice");
}

#[test]
fn a_mixture_is_not_given_to_a_server_that_lost_everything() {
    let (mut server, sink, instance, _own) = reading_anew();
    server.kill();
    server.forget();
    server.run();
    sink.let_in(u64::MAX);
    wait_until("writes", || instance.health().refusal.is_none() && head_of(&instance).0 == 4);
    let newcomer = Instance::open(&server);
    assert_eq!((newcomer.head(), newcomer.sink.held().len()), ((4, 0), 0));
    assert_eq!(sink.recorder.held().len(), 0);
}

#[test]
fn a_first_reading_that_is_cut_leaves_nothing_that_is_gone() {
    let server = Server::start();
    let first = Instance::open(&server);
    (0..5).for_each(|of| put_at_once(&first, of * 1_000..(of + 1) * 1_000));
    let sink = Arc::new(Gated::default());
    sink.let_in(1);
    let newcomer = std::thread::scope(|scope| {
        let newcomer = scope.spawn(|| open_gated(&server, &sink));
        sink.wait_for(2);
        for of in 0..5 {
            let gone = (of * 1_000 + 10..(of + 1) * 1_000).map(|number| Entry::remove(put(number, 1, 0).key, 1));
            assert!(is_written(&first.append(gone.collect())));
        }
        server.say("CLIENT KILL TYPE normal");
        sink.let_in(u64::MAX);
        newcomer.join().unwrap()
    });
    wait_until("it is open", || newcomer.health().is_open);
    assert_eq!(sink.recorder.held().len(), 50);
    assert_eq!(head_of(&newcomer), (1, 9_950));
}

#[test]
fn an_epoch_without_a_change_is_told() {
    let mut server = Server::start();
    let instance = Instance::open(&server);
    put_at_once(&instance, 0..3);
    server.kill();
    server.run();
    instance.wait_for("the second epoch", |instance| instance.head() == (2, 3));
    instance.wait_for("it is told", |instance| {
        instance.sink.heads().last() == Some(&Position { partition: 0, epoch: 2, sequence: 3 })
    });
}
