//! The ledger in a cluster: the common suite unchanged, what a start refuses, and a primary that dies.

use super::redis_topology::{Cluster, start_node};
use super::*;

/// Each ledger in a cluster of its own, whose first server is not the one with the ledger's keys.
struct InCluster;

impl Factory for InCluster {
    type Ledger = OnItsServer<Cluster>;

    fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> OnItsServer<Cluster> {
        let cluster = Cluster::start_primaries();
        assert_eq!(cluster.primary(), 2);
        let address = RedisAddress::parse(&cluster.url()).unwrap();
        let ledger = RedisLedger::open_by(&address, options(), Uuid::now_v7(), Some(clock), sink).unwrap();
        OnItsServer { ledger, _server: cluster }
    }
}

mod conformance {
    use super::*;

    conformance_suite!(InCluster);
}

fn refused(url: &str) -> Trouble {
    let error = refusal(&RedisAddress::parse(url).unwrap());
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    (*error.trouble).clone()
}

#[test]
fn the_slot_is_the_one_that_the_cluster_computes() {
    let server = Server::start_with(&["--cluster-enabled", "yes"]);
    let slot = server.ask(&format!("CLUSTER KEYSLOT {}", keys::META)).remove(0);
    assert_eq!(slot, keys::SLOT.to_string());
}

#[test]
fn what_is_of_the_other_kind_is_named_at_start() {
    let (alone, node) = (Server::start(), start_node(&[]));
    let (of_alone, of_node) = (format!("127.0.0.1:{}", alone.port()), format!("127.0.0.1:{}", node.port()));
    assert_eq!(refused(&format!("redis+cluster://{of_alone}")), Trouble::NoCluster { server: of_alone });
    assert_eq!(refused(&format!("redis://{of_node}")), Trouble::ClusterServer);
    node.say("CLUSTER ADDSLOTSRANGE 0 13906 13908 16383");
    assert_eq!(refused(&format!("redis+cluster://{of_node}")), Trouble::SlotUnassigned { slot: 13_907 });
}

#[test]
fn a_cluster_that_cannot_be_used_is_named_at_start() {
    let cluster = Cluster::start_with(3, &["--requirepass", "right", "--masterauth", "right"]);
    for credentials in ["", ":s3cret@", "somebody:s3cret@"] {
        let url = cluster.url().replace("//", &format!("//{credentials}"));
        assert!(matches!(refused(&url), Trouble::Credentials(_)), "{credentials}");
    }
    let nobody = refused("redis+cluster://:s3cret@127.0.0.1:1,no-such-host.invalid");
    let Trouble::NobodyKnows(why) = &nobody else { panic!("{nobody}") };
    assert!(why.contains("127.0.0.1:1: ") && why.contains("no-such-host.invalid:6379: "), "{why}");
}
