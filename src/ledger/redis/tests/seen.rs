//! What instances see of each other, and what they do when one shows something else under the same position.

use super::*;
use crate::ledger::InstanceView;

impl Instance {
    fn instance(&self, is_wanted: impl Fn(&InstanceView) -> bool) -> Option<InstanceView> {
        self.ledger.overview().instances.into_iter().find(|instance| is_wanted(instance))
    }

    fn counted(&self, name: &str) -> u64 {
        let counters = self.ledger.overview().counters;
        counters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).unwrap()
    }
}

/// What another instance says of itself, now by the server's clock.
fn say_beat(server: &Server, instance: &str, beat: &str) {
    let now_ms = crate::clock::Clock::now(&crate::clock::SystemClock).ms();
    server.say(&format!("HSET sas:{{0}}:i {instance} '{now_ms} {beat}'"));
}

#[test]
fn instances_tell_each_other_how_far_they_have_followed() {
    let server = Server::start();
    let first = Instance::open(&server);
    for number in 0..3 {
        assert!(is_written(&first.append(vec![put(number, 1, 0)])));
    }
    let started_at = Some(UtcInstant::from_ms(1_700_000_000_000));
    let identity = Identity { version: "9.9".to_owned(), address: "http://second:1".to_owned(), started_at };
    let member = Member { instance_id: Uuid::now_v7(), identity };
    let (sink, told) = (Arc::new(Recorder::default()), member.instance_id.to_string());
    let ledger = RedisLedger::open(&address_of(&server), options(), member, sink.clone()).unwrap();
    let second = Instance { ledger, sink };
    let own = second.instance(|instance| instance.is_self).unwrap();
    let overview = second.ledger.overview();
    assert_eq!((own.instance_id.as_str(), own.version.as_str(), own.started_at), (told.as_str(), "9.9", started_at));
    assert_eq!((own.address.as_str(), own.durability_class.as_str()), ("http://second:1", "REDIS_SYNCED"));
    assert_eq!((Some(&own.standpoint), overview.own.as_ref()), (overview.head.as_ref(), overview.head.as_ref()));
    assert_eq!((own.standpoint.position.sequence, own.lag_changes, own.lag_ms), (3, 0, 0));
    assert_eq!(overview.instances.len(), 2);
    first.wait_for("the other", |first| first.instance(|instance| instance.version == "9.9").is_some());
    assert_eq!(first.ledger.overview().own, overview.own, "one history, one digest");
}

#[test]
fn an_instance_that_is_not_heard_is_silent_and_then_forgotten() {
    let server = Server::start();
    let _first = Instance::open(&server);
    let ago = |seconds: i64| crate::clock::Clock::now(&crate::clock::SystemClock).ms() - seconds * 1_000;
    server.say(&format!("HSET sas:{{0}}:i silent '{} 1 0 d 0 0 1 X v -'", ago(60)));
    server.say(&format!("HSET sas:{{0}}:i gone '{} 1 0 d 0 0 1 X v -'", ago(3_700)));
    let second = Instance::open(&server);
    assert!(second.instance(|instance| instance.instance_id == "silent").unwrap().is_silent);
    assert!(!second.instance(|instance| instance.is_self).unwrap().is_silent);
    assert_eq!(second.instance(|instance| instance.instance_id == "gone"), None);
}

#[test]
fn an_instance_with_another_digest_at_the_same_position_is_found_out_and_the_ledger_decides() {
    let server = Server::start();
    let first = Instance::open(&server);
    (0..3).for_each(|number| assert!(is_written(&first.append(vec![put(number, 1, 0)]))));
    say_beat(&server, "other", "1 3 somethingelse 0 0 1 X v -");
    let second = Instance::open(&server);
    let other = second.instance(|instance| instance.instance_id == "other").unwrap();
    assert!(other.differs && second.counted("sas.ledger.digest_mismatches") == 1);
    assert!(second.instance(|instance| instance.standpoint.digest.len() == 40 && instance.differs).is_none());
    assert_eq!(second.counted("sas.ledger.reloads"), 0, "it is the other that differs from the ledger");
    // Now the ledger is at one with the other.
    server.say("HSET sas:{0}:m digest somethingelse");
    first.wait_for("a reload", |first| first.counted("sas.ledger.reloads") == 1);
    first.wait_for_writes();
    let digest = first.ledger.overview().own.unwrap().digest;
    assert_eq!((digest.as_str(), first.sink.held().len()), ("somethingelse", 3));
    assert_eq!(first.counted("sas.ledger.divergences"), 1);
}

#[test]
fn where_an_epoch_ended_is_known_to_every_instance() {
    let mut server = Server::start();
    let first = Instance::open(&server);
    (0..3).for_each(|number| assert!(is_written(&first.append(vec![put(number, 1, 0)]))));
    for epoch in 2..4 {
        server.kill();
        first.wait_for_refusal();
        server.run();
        first.wait_for("the next epoch", |first| first.head().0 == epoch);
        first.wait_for_writes();
        assert!(is_written(&first.append(vec![put(epoch * 10, 1, 0)])));
    }
    let second = Instance::open(&server);
    for instance in [&first, &second] {
        let ends = [0, 1, 2, 3].map(|epoch| instance.ledger.end_of_epoch(epoch));
        assert_eq!(ends, [Some(0), Some(3), Some(4), None]);
    }
    assert_eq!(first.counted("sas.ledger.epochs"), 2);
}
