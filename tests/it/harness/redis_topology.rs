//! Real Redis servers that stand in for each other: a primary with replicas under sentinels, and a cluster.
//!
//! Deliberately absent: a client, and any judgement; a test brings about the failures.

use std::cell::Cell;
use std::io::{self, Write as _};
use std::time::Duration;

use super::redis_server::{Server, free_port};

/// Within which time servers agree; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often servers are asked whether they agree.
const ASKED_EVERY: Duration = Duration::from_millis(20);
/// How often it is asked whether a wish came true before it is told again.
const ASKED_PER_WISH: u32 = 300;
/// The name of the service that the sentinels watch.
pub(crate) const SERVICE: &str = "sas";
/// The slot of the keys with the hash tag `{0}`, by `CLUSTER KEYSLOT`.
const SLOT: u32 = 13_907;
/// Slots of a cluster, and of each of its three primaries.
const SLOTS: [(u32, u32); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

/// After how long sentinels call a server down that does not answer.
pub(crate) const DOWN_AFTER: Duration = Duration::from_secs(1);

/// A primary with two replicas, watched by three sentinels.
pub(crate) struct Sentinels {
    /// The servers; the first one was the first primary.
    pub(crate) servers: Vec<Server>,
    /// Who watches them.
    pub(crate) sentinels: Vec<Server>,
    /// The ports at which the servers are known: their own, or those of wires that lead to them.
    ports: Vec<u16>,
}

/// Where servers and sentinels connect from when they are known behind wires, so that a wire can tell them from clients.
pub(crate) const SERVERS_COME_FROM: &str = "127.0.0.2";

impl Sentinels {
    /// Starts them, and waits until all know each other.
    pub(crate) fn start() -> Self {
        Self::start_with(&[], "")
    }

    /// The same with further settings of the servers, and lines of the sentinels' configuration.
    pub(crate) fn start_with(settings: &[&str], watching: &str) -> Self {
        let servers: Vec<Server> = (0..3).map(|_| Server::start_with(settings)).collect();
        let ports = servers.iter().map(Server::port).collect();
        Self::watch(servers, ports, watching)
    }

    /// The same with each server known at the port of a wire, and sentinels that reach servers through these wires alone.
    pub(crate) fn start_behind(wire_to: impl Fn(u16) -> u16) -> Self {
        let servers: Vec<Server> = (0..3).map(|_| Server::start()).collect();
        let ports: Vec<u16> = servers.iter().map(|server| wire_to(server.port())).collect();
        for (server, port) in servers.iter().zip(&ports) {
            for setting in [
                "replica-announce-ip 127.0.0.1",
                &format!("replica-announce-port {port}"),
                &format!("bind-source-addr {SERVERS_COME_FROM}"),
            ] {
                assert_eq!(server.say(&format!("CONFIG SET {setting}")), "+OK");
            }
            assert_eq!(server.say("CONFIG REWRITE"), "+OK");
        }
        Self::watch(servers, ports, &format!("bind-source-addr {SERVERS_COME_FROM}\nsentinel announce-ip 127.0.0.1"))
    }

    fn watch(servers: Vec<Server>, ports: Vec<u16>, watching: &str) -> Self {
        let port = ports[0];
        for replica in &servers[1..] {
            // What is written to its file is what it is when it comes back.
            replica.say(&format!("REPLICAOF 127.0.0.1 {port}"));
            replica.say("CONFIG REWRITE");
        }
        wait_until("the replicas follow", || servers[1..].iter().all(is_in_step));
        let down_after_ms = DOWN_AFTER.as_millis();
        let configuration = format!(
            "sentinel monitor {SERVICE} 127.0.0.1 {port} 2\n\
             sentinel down-after-milliseconds {SERVICE} {down_after_ms}\n\
             sentinel failover-timeout {SERVICE} 3000\nsentinel parallel-syncs {SERVICE} 2\n{watching}\n"
        );
        let sentinels = (0..3).map(|_| Server::start_sentinel(&configuration)).collect();
        let started = Self { servers, sentinels, ports };
        wait_until("the sentinels know all", || {
            started.sentinels.iter().all(|sentinel| {
                let known = pairs(&sentinel.ask(&format!("SENTINEL MASTER {SERVICE}")));
                value(&known, "num-slaves") == "2" && value(&known, "num-other-sentinels") == "2"
            })
        });
        started
    }

    /// The address of the service, without credentials.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> =
            self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
        format!("redis+sentinel://{}/{SERVICE}", hosts.join(","))
    }

    /// The place of the server that the first running sentinel holds for the primary.
    pub(crate) fn primary(&self) -> usize {
        let sentinel = self.sentinels.iter().find(|sentinel| sentinel.is_running()).unwrap();
        let address = sentinel.ask(&format!("SENTINEL GET-MASTER-ADDR-BY-NAME {SERVICE}"));
        let port: u16 = address[1].parse().unwrap();
        self.ports.iter().position(|known| *known == port).unwrap()
    }

    /// Has the sentinels believe a server down after so long.
    pub(crate) fn believe_down_after(&self, most: Duration) {
        for sentinel in &self.sentinels {
            let set = format!("SENTINEL SET {SERVICE} down-after-milliseconds {}", most.as_millis());
            assert_eq!(sentinel.say(&set), "+OK");
        }
    }

    /// Waits until another server than this one is the primary, and gives its place.
    pub(crate) fn wait_for_other_primary(&self, old: usize) -> usize {
        wait_until("a failover", || self.primary() != old);
        self.primary()
    }

    /// Waits until so many replicas follow the primary.
    pub(crate) fn wait_for_replicas(&self, count: usize) {
        wait_until("the replicas follow", || replicas_in_step(&self.servers) == count);
    }
}

/// Three primaries with one replica each, or none; a server is down after one second and a half.
pub(crate) struct Cluster {
    /// The servers: three primaries, then the replica of each in their order.
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    /// Starts them, and waits until all slots are served and all replicas follow.
    pub(crate) fn start() -> Self {
        Self::start_with(6, &[])
    }

    /// Starts the primaries alone.
    pub(crate) fn start_primaries() -> Self {
        Self::start_with(3, &[])
    }

    /// Starts so many servers, three or six, with further settings.
    pub(crate) fn start_with(count: usize, settings: &[&str]) -> Self {
        let servers: Vec<Server> = (0..count).map(|_| start_node(settings)).collect();
        for (number, (server, (first, last))) in servers.iter().zip(SLOTS).enumerate() {
            assert_eq!(server.say(&format!("CLUSTER ADDSLOTSRANGE {first} {last}")), "+OK");
            server.say(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1));
        }
        for server in &servers[1..] {
            server.say(&format!("CLUSTER MEET 127.0.0.1 {} {}", servers[0].port(), bus_port(&servers[0])));
        }
        wait_until("the servers know each other", || {
            servers.iter().all(|server| {
                let info = info(server, "CLUSTER INFO");
                value(&info, "cluster_known_nodes") == count.to_string() && value(&info, "cluster_state") == "ok"
            })
        });
        for (primary, replica) in servers[..3].iter().zip(&servers[3..]) {
            let id = primary.ask("CLUSTER MYID").remove(0);
            wait_until("a replica", || replica.say(&format!("CLUSTER REPLICATE {id}")) == "+OK");
        }
        wait_until("the replicas follow", || servers[3..].iter().all(is_in_step));
        let started = Self { servers };
        // Every server knows every replica, so that any of them may be asked.
        wait_until("the replicas are known", || {
            started.servers.iter().all(|server| server.ask("CLUSTER NODES")[0].matches("slave ").count() == count - 3)
        });
        started
    }

    /// Gives the first primary of the ledger's keys a second replica, which was that of the second primary.
    pub(crate) fn add_replica(&self) {
        let id = self.servers[2].ask("CLUSTER MYID").remove(0);
        assert_eq!(self.servers[4].say(&format!("CLUSTER REPLICATE {id}")), "+OK");
        self.wait_for_replicas(2);
    }

    /// The address of the cluster, without credentials: its first and its last server.
    pub(crate) fn url(&self) -> String {
        let (first, last) = (self.servers[0].port(), self.servers[self.servers.len() - 1].port());
        format!("redis+cluster://127.0.0.1:{first},127.0.0.1:{last}")
    }

    /// The place of the primary of the ledger's keys, once a running server knows one: while they replace it, none is.
    pub(crate) fn primary(&self) -> usize {
        wait_until("a primary of the ledger's slot", || self.known_primary().is_some());
        self.known_primary().expect("a primary of the ledger's slot")
    }

    /// Waits until another server than this one is the primary of the ledger's keys, and gives its place.
    pub(crate) fn wait_for_other_primary(&self, old: usize) -> usize {
        wait_until("a failover", || self.known_primary().is_some_and(|known| known != old));
        self.primary()
    }

    /// Makes a replica the primary of the ledger's keys. A server gives such a wish up after five seconds, so that it may
    /// have to be told again.
    pub(crate) fn hand_over(&self, to: usize) {
        let asked = Cell::new(0);
        wait_until("a hand-over", || {
            if self.known_primary() == Some(to) {
                return true;
            }
            if asked.replace(asked.get() + 1_u32).is_multiple_of(ASKED_PER_WISH) {
                self.servers[to].say("CLUSTER FAILOVER");
            }
            false
        });
    }

    /// Waits until so many replicas follow the primary of the ledger's keys.
    pub(crate) fn wait_for_replicas(&self, count: usize) {
        wait_until("the replicas follow", || {
            let Some(primary) = self.known_primary().map(|place| &self.servers[place]) else { return false };
            primary.is_running() && value(&info(primary, "INFO replication"), "connected_slaves") == count.to_string()
        });
    }

    fn known_primary(&self) -> Option<usize> {
        let running: Vec<&Server> = self.servers.iter().filter(|server| server.is_running()).collect();
        let nodes = running.first()?.ask("CLUSTER NODES").remove(0);
        let holder = nodes.lines().find(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let is_live = !fields[2].contains("fail") && fields[2].contains("master");
            is_live && fields[8..].iter().any(|range| holds(range))
        })?;
        let port: u16 = holder.split([' ', '@']).nth(1)?.rsplit(':').next()?.parse().ok()?;
        self.servers.iter().position(|server| server.port() == port)
    }
}

/// Starts a server of a cluster that knows no other.
pub(crate) fn start_node(settings: &[&str]) -> Server {
    let bus = free_port().to_string();
    let mut all = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-port", &bus];
    // On a machine that is busy a replica that was not heard for a while is still the one to stand in, each stays with its
    // primary, and the other slots do not matter to the ledger.
    all.extend(["--cluster-replica-validity-factor", "0", "--cluster-allow-replica-migration", "no"]);
    all.extend(["--cluster-require-full-coverage", "no"]);
    all.extend(settings);
    Server::start_with(&all)
}

fn bus_port(server: &Server) -> String {
    server.ask("CONFIG GET cluster-port").remove(1)
}

fn holds(range: &str) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let slots = (first.parse::<u32>(), last.parse::<u32>());
    matches!(slots, (Ok(first), Ok(last)) if (first..=last).contains(&SLOT))
}

fn is_in_step(replica: &Server) -> bool {
    value(&info(replica, "INFO replication"), "master_link_status") == "up"
}

fn replicas_in_step(servers: &[Server]) -> usize {
    servers.iter().filter(|server| server.is_running() && is_in_step(server)).count()
}

/// What a server answers in lines `name:value`.
fn info(server: &Server, command: &str) -> Vec<(String, String)> {
    let text = server.ask(command).remove(0);
    text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.into(), value.into())).collect()
}

fn pairs(answer: &[String]) -> Vec<(String, String)> {
    answer.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// Says a figure past the test runner's capture.
pub(crate) fn report(figure: &str) {
    // Nothing can be done about a closed stderr, and the test's verdict does not depend on it.
    let _ = writeln!(io::stderr(), "{figure}");
}

/// Waits until servers say so.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..DEADLINE.as_millis() / ASKED_EVERY.as_millis() {
        if is_so() {
            return;
        }
        std::thread::park_timeout(ASKED_EVERY);
    }
    panic!("in vain: {what}");
}
