//! Faults of servers that stand in for each other: one is away, cut off from the others, or replaced.
//!
//! Deliberately absent: when they happen, and what they excuse.

use std::time::Duration;

use sas_router::proto::routing as pb;

use super::history::{Forbidden, now_ms};
use super::pause::pause;
use super::proxy::Wire;
use super::servers::Servers;
use super::world::World;
use crate::harness::redis_server::Server;
use crate::harness::redis_topology::DOWN_AFTER;

/// Within which time writes do without a replica that is away, or ask for it again.
const REPLICA_NOTICED_WITHIN: Duration = Duration::from_secs(15);
/// How long a primary that is cut off from the other servers remains the only one.
const APART_AT_LEAST: Duration = Duration::from_secs(4);

/// One that does not take the ledger's writes.
pub(super) fn a_replica(world: &mut World) -> &mut Server {
    let (servers, primary) = world.servers.all();
    // Of a cluster the last ones are replicas at the beginning, of the ledger's primary or of another.
    let replica = if primary + 1 == servers.len() { 0 } else { servers.len() - 1 };
    &mut servers[replica]
}

/// Lets a replica be away until all answers say that writes do without it, and come back until none does; what did not come.
pub(super) async fn do_without_replica(world: &mut World) -> Vec<String> {
    let reduced = |is_reduced: bool| {
        move |all: &[pb::GetStatusResponse]| {
            let is_so = |one: &pb::GetStatusResponse| {
                one.stamp.as_ref().is_some_and(|stamp| stamp.durability_reduced) == is_reduced
            };
            all.iter().all(|one| is_so(one) && (one.writable || !is_reduced))
        }
    };
    a_replica(world).kill();
    let without = world.wait_until(REPLICA_NOTICED_WITHIN, reduced(true)).await;
    let away = world.servers.all().0.iter_mut().find(|server| !server.is_running()).unwrap();
    tokio::task::block_in_place(|| away.run());
    let back = world.wait_until(REPLICA_NOTICED_WITHIN, reduced(false)).await;
    let told =
        [("nothing is written without the replica that is away", without), ("the replica is not asked again", back)];
    told.into_iter().filter_map(|(what, came)| Some(format!("{what}: {}", came.err()?))).collect()
}

/// Cuts the primary off from replicas and sentinels; it may acknowledge nothing until there is another, nor then.
pub(super) async fn set_apart(world: &mut World, lasts: Duration) -> Forbidden {
    let (_, old) = world.servers.all();
    // A write is waited for a second at most, behind another one: two of them end before there is another primary.
    tokio::task::block_in_place(|| world.servers.watched().sentinels.believe_down_after(APART_AT_LEAST));
    world.servers.watched().wires[old].cut(Wire::Apart).await;
    let from = now_ms();
    let mut until = from;
    while !tokio::task::block_in_place(|| world.servers.has_other_primary(old)) {
        until = now_ms();
        pause(Duration::from_millis(5)).await;
    }
    pause(lasts).await;
    world.servers.watched().wires[old].set(Wire::Whole);
    tokio::task::block_in_place(|| world.servers.watched().sentinels.believe_down_after(DOWN_AFTER));
    Forbidden { from, until, why: "the primary was cut off from the other servers, and there was no other" }
}

/// Kills the primary and promotes its replica; the old one comes back as the replica.
pub(super) fn promote(world: &mut World) {
    let old = world.servers.own().primary;
    let new = 1 - old;
    tokio::task::block_in_place(|| {
        world.servers.own().servers[old].kill();
        assert_eq!(world.servers.own().servers[new].say("REPLICAOF NO ONE"), "+OK");
        assert_eq!(world.servers.own().servers[new].say("CONFIG REWRITE"), "+OK");
        world.turn_to(new);
        let own = world.servers.own();
        own.servers[old].run();
        own.follow(old);
    });
}

/// Kills the primary until the others have agreed on the next one.
pub(super) fn fail_over(servers: &mut Servers) {
    tokio::task::block_in_place(|| {
        let (all, old) = servers.all();
        all[old].kill();
        servers.wait_for_other_primary(old);
        let (all, _) = servers.all();
        all[old].run();
    });
}
