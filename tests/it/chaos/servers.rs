//! The Redis servers of a run: one, one with a replica, some under sentinels, or a cluster.
//!
//! Deliberately absent: instances, and any judgement.

use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::harness::redis_server::Server;
use crate::harness::redis_topology::{Cluster, Sentinels};

use super::proxy::Proxy;

/// How servers stand in for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Topology {
    /// One server.
    #[default]
    Single,
    /// A server and a replica that the run itself promotes.
    Replica,
    /// Three servers under three sentinels.
    Sentinel,
    /// Three primaries with a replica each.
    Cluster,
}

impl Topology {
    /// As the command line names it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Replica => "replica",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }

    /// Which replicas must have a write before it is acknowledged; under sentinels all, which is what nobody configures.
    pub(super) const fn ack_replicas(self) -> &'static str {
        match self {
            Self::Single => "0",
            Self::Replica | Self::Cluster => "1",
            Self::Sentinel => "all",
        }
    }
}

/// The servers.
pub(super) enum Servers {
    /// Reached through wires that the run turns.
    Own(Own),
    /// Found through sentinels.
    Sentinels(Watched),
    /// Found through each other.
    Cluster(Cluster),
}

/// Servers that sentinels watch, each known to all others at the port of a wire of its own.
pub(super) struct Watched {
    /// The servers and who watches them.
    pub(super) sentinels: Sentinels,
    /// The wires, in the order of the servers.
    pub(super) wires: Vec<Proxy>,
}

impl Watched {
    fn start() -> Self {
        let wires = Mutex::new(Vec::new());
        let sentinels = Sentinels::start_behind(|port| {
            let wire = Handle::current().block_on(Proxy::start(port));
            let known = wire.port;
            wires.lock().push(wire);
            known
        });
        Self { sentinels, wires: wires.into_inner() }
    }
}

/// One server, or two.
pub(super) struct Own {
    /// The servers, the second one a replica of the first at the beginning.
    pub(super) servers: Vec<Server>,
    /// Which of them is the primary.
    pub(super) primary: usize,
    /// The wire from the replica to the primary.
    pub(super) replication: Option<Proxy>,
}

impl Servers {
    /// Starts them, and waits until they serve.
    pub(super) async fn start(topology: Topology) -> Self {
        let own = |servers| Own { servers, primary: 0, replication: None };
        match topology {
            Topology::Single => Self::Own(own(vec![Server::start()])),
            Topology::Replica => {
                let mut own = own(vec![Server::start(), Server::start()]);
                own.replication = Some(Proxy::start(own.servers[0].port()).await);
                own.follow(1);
                Self::Own(own)
            }
            Topology::Sentinel => Self::Sentinels(tokio::task::block_in_place(Watched::start)),
            Topology::Cluster => Self::Cluster(tokio::task::block_in_place(Cluster::start)),
        }
    }

    /// Where they are found; `None` when every instance has a wire of its own.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Own(_) => None,
            Self::Sentinels(watched) => Some(watched.sentinels.url()),
            Self::Cluster(cluster) => Some(cluster.url()),
        }
    }

    /// Where the ledger is found, without a wire.
    pub(super) fn address(&mut self) -> String {
        self.url().unwrap_or_else(|| self.primary().url())
    }

    /// The servers that keep the ledger, whichever of them leads.
    fn every(&self) -> &[Server] {
        match self {
            Self::Own(own) => &own.servers,
            Self::Sentinels(watched) => &watched.sentinels.servers,
            Self::Cluster(cluster) => &cluster.servers,
        }
    }

    /// The servers that keep the ledger, and the place of the one that takes its writes.
    pub(super) fn all(&mut self) -> (&mut Vec<Server>, usize) {
        match self {
            Self::Own(own) => (&mut own.servers, own.primary),
            Self::Sentinels(watched) => {
                let primary = watched.sentinels.primary();
                (&mut watched.sentinels.servers, primary)
            }
            Self::Cluster(cluster) => {
                let primary = cluster.primary();
                (&mut cluster.servers, primary)
            }
        }
    }

    /// The server that takes the ledger's writes.
    pub(super) fn primary(&mut self) -> &mut Server {
        let (servers, primary) = self.all();
        &mut servers[primary]
    }

    /// The servers that sentinels watch.
    pub(super) fn watched(&self) -> &Watched {
        let Self::Sentinels(watched) = self else { panic!("nobody watches these servers") };
        watched
    }

    /// Whether a server other than this one calls itself a primary.
    pub(super) fn has_other_primary(&self, old: usize) -> bool {
        let others = self.every().iter().enumerate().filter(|(number, server)| *number != old && server.is_running());
        others.map(|(_, server)| server.ask("ROLE")).any(|role| role[0] == "master")
    }

    /// The numbers of their processes.
    pub(super) fn pids(&self) -> Vec<String> {
        let running = self.every().iter().filter(|server| server.is_running());
        running.map(Server::pid).collect()
    }

    /// The servers that a run manages itself.
    pub(super) fn own(&mut self) -> &mut Own {
        let Self::Own(own) = self else { panic!("these servers manage themselves") };
        own
    }

    /// Waits until another server than this one takes the ledger's writes; where the run promotes by itself, it does not wait.
    pub(super) fn wait_for_other_primary(&self, old: usize) {
        match self {
            Self::Own(_) => {}
            Self::Sentinels(watched) => {
                watched.sentinels.wait_for_other_primary(old);
            }
            Self::Cluster(cluster) => {
                cluster.wait_for_other_primary(old);
            }
        }
    }
}

impl Own {
    /// Makes a server follow the primary.
    pub(super) fn follow(&self, number: usize) {
        let wire = self.replication.as_ref().unwrap();
        wire.turn_to(self.servers[self.primary].port());
        assert_eq!(self.servers[number].say(&format!("REPLICAOF 127.0.0.1 {}", wire.port)), "+OK");
        // What is written to its file is what it is when it comes back.
        assert_eq!(self.servers[number].say("CONFIG REWRITE"), "+OK");
    }
}
