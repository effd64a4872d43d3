//! The ledger under sentinels and in a cluster while servers die, freeze and come back, and what a start refuses.

use super::redis_topology::{Cluster, SERVICE, Sentinels, report};
use super::*;

/// Within which time writes are back after the primary died.
const WRITES_WITHIN: Duration = Duration::from_secs(15);

fn replicated() -> RedisOptions {
    RedisOptions { ack_replicas: AckReplicas::Count(1), ..options() }
}

fn fill(instance: &Instance, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let outcome = instance.append(vec![put(number, 1, 0)]);
        assert!(is_written(&outcome), "{number}: {outcome:?}");
    }
}

/// How long it takes until an append is acknowledged again.
fn time_to_write(instance: &Instance, number: u64) -> Duration {
    let stopped = Stopwatch::start();
    let put = || instance.request(vec![put(number, 1, 0)], request("lrm", &format!("back {number}"), 1, "held"));
    wait_until("writes are back", || matches!(put(), AppendOutcome::Appended { .. } | AppendOutcome::Replayed { .. }));
    stopped.elapsed()
}

fn replicas_of(url: &str) -> Option<(u16, u16)> {
    let topology = Topology::new(RedisAddress::parse(url).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let replicas = runtime.block_on(topology.known_replicas()).unwrap()?;
    Some((replicas.known, replicas.reachable))
}

#[test]
fn a_primary_that_died_is_replaced_and_comes_back_as_a_replica() {
    let mut site = Sentinels::start();
    let (first, second) = (Instance::open_at(&site.url(), replicated()), Instance::open_at(&site.url(), replicated()));
    fill(&first, 0..20);
    site.servers[0].kill();
    let back = time_to_write(&second, 100);
    report(&format!("sentinels: writes are back {back:?} after the primary was killed"));
    assert!(back < WRITES_WITHIN, "{back:?}");
    let primary = site.primary();
    assert_ne!(primary, 0);
    site.servers[0].run();
    site.wait_for_replicas(2);
    first.wait_for_writes();
    fill(&first, 200..205);
    let newcomer = Instance::open_at(&site.url(), replicated());
    assert_eq!(newcomer.sink.held().len(), 26, "what was acknowledged before, meanwhile and after");
    assert_eq!(site.servers[0].say("HGET sas:{0}:m seq"), site.servers[primary].say("HGET sas:{0}:m seq"));
}

#[test]
fn a_primary_that_froze_is_replaced_and_takes_no_write_when_it_wakes() {
    let site = Sentinels::start();
    let (first, second) = (Instance::open_at(&site.url(), replicated()), Instance::open_at(&site.url(), replicated()));
    fill(&first, 0..5);
    site.servers[0].signal("-STOP");
    let back = time_to_write(&first, 100);
    report(&format!("sentinels: writes are back {back:?} after the primary froze"));
    assert!(back < WRITES_WITHIN, "{back:?}");
    site.servers[0].signal("-CONT");
    second.wait_for_writes();
    fill(&second, 200..205);
    site.wait_for_replicas(2);
    for instance in [&first, &second] {
        instance.wait_for("all", |instance| instance.sink.held().len() == 11);
    }
}

#[test]
fn a_primary_that_was_replaced_without_knowing_it_is_left() {
    let (old, new) = (Server::start(), Server::start());
    let monitor = |server: &Server| format!("{SERVICE} 127.0.0.1 {} 1", server.port());
    let sentinel = Server::start_sentinel(&format!("sentinel monitor {}\n", monitor(&old)));
    let url = format!("redis+sentinel://127.0.0.1:{}/{SERVICE}", sentinel.port());
    let instance = Instance::open_at(&url, options());
    fill(&instance, 0..5);
    assert_eq!(sentinel.say(&format!("SENTINEL REMOVE {SERVICE}")), "+OK");
    assert_eq!(sentinel.say(&format!("SENTINEL MONITOR {}", monitor(&new))), "+OK");
    let is_there = || new.say("HEXISTS sas:{0}:m seq") == ":1";
    wait_until("the other server has the ledger, though nothing was written", is_there);
    instance.wait_for_writes();
    fill(&instance, 5..6);
    assert_eq!((instance.head(), Instance::open_at(&url, options()).sink.held().len()), ((2, 6), 6));
}

#[test]
fn a_primary_in_a_cluster_that_died_is_replaced() {
    let mut cluster = Cluster::start();
    let (first, second) =
        (Instance::open_at(&cluster.url(), replicated()), Instance::open_at(&cluster.url(), options()));
    fill(&first, 0..20);
    cluster.servers[2].kill();
    let back = time_to_write(&second, 100);
    report(&format!("cluster: writes are back {back:?} after the primary was killed"));
    assert!(back < WRITES_WITHIN, "{back:?}");
    assert_eq!(cluster.primary(), 5);
    cluster.servers[2].run();
    cluster.wait_for_replicas(1);
    first.wait_for_writes();
    fill(&first, 200..205);
    assert_eq!(Instance::open_at(&cluster.url(), replicated()).sink.held().len(), 26);
    // The slot goes back where it was, on purpose this time.
    cluster.hand_over(2);
    time_to_write(&second, 300);
    assert_eq!(cluster.primary(), 2);
}

#[test]
fn the_replicas_are_counted_by_those_who_decide() {
    let mut site = Sentinels::start();
    wait_until("both are reachable", || replicas_of(&site.url()) == Some((2, 2)));
    site.servers[2].kill();
    wait_until("one is not reachable", || replicas_of(&site.url()) == Some((2, 1)));
    assert_eq!(replicas_of(&site.servers[0].url()), None);
    let mut cluster = Cluster::start();
    wait_until("it is reachable", || replicas_of(&cluster.url()) == Some((1, 1)));
    cluster.servers[5].kill();
    wait_until("it is not reachable", || replicas_of(&cluster.url()) == Some((1, 0)));
}

#[test]
fn a_replica_that_is_away_is_missed_once_the_sentinels_can_be_asked() {
    let mut site = Sentinels::start();
    wait_until("both are reachable", || replicas_of(&site.url()) == Some((2, 2)));
    site.servers[2].kill();
    wait_until("one is not reachable", || replicas_of(&site.url()) == Some((2, 1)));
    let all = || RedisOptions { ack_replicas: AckReplicas::All, ..options() };
    assert!(Instance::open_at(&site.url(), all()).ledger.health().reduction.is_some(), "it was away before the start");
    // One of three knows the primary, and is not believed about replicas.
    site.sentinels[1..].iter().for_each(|sentinel| sentinel.signal("-STOP"));
    let instance = Instance::open_at(&site.url(), all());
    fill(&instance, 0..1);
    assert_eq!(instance.ledger.health().reduction, None);
    site.sentinels[1..].iter().for_each(|sentinel| sentinel.signal("-CONT"));
    instance.wait_for("it is missed", |instance| instance.ledger.health().reduction.is_some());
}

#[test]
fn sentinels_that_cannot_be_used_are_named_at_start() {
    let mut site = Sentinels::start_with(
        &["--requirepass", "right", "--masterauth", "right"],
        "requirepass watch\nsentinel auth-pass sas right",
    );
    let hosts = site.url().trim_start_matches("redis+sentinel://").trim_end_matches("/sas").to_owned();
    let trouble = |user: &str, service: &str| {
        let url = format!("redis+sentinel://{user}{hosts}/{service}");
        let error = refusal(&RedisAddress::parse(&url).unwrap());
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        (*error.trouble).clone()
    };
    for options in ["sas", "sas?sentinel_password=s3cret", "sas?sentinel_user=x&sentinel_password=s3cret"] {
        let found = trouble(":right@", options);
        assert!(matches!(found, Trouble::SentinelCredentials { .. }), "{options}: {found}");
    }
    let unknown = Trouble::UnknownService { service: "paris".to_owned(), known: format!("`{SERVICE}`") };
    assert_eq!(trouble(":right@", "paris?sentinel_password=watch"), unknown);
    let found = trouble(":s3cret@", "sas?sentinel_password=watch");
    assert!(matches!(found, Trouble::Credentials(_)), "{found}");
    let url = format!("redis+sentinel://:right@127.0.0.1:1,{hosts}/sas?sentinel_password=watch");
    fill(&Instance::open_at(&url, options()), 0..1);
    // A sentinel taken for a server, and a server taken for a sentinel.
    let sentinel = format!("redis://:watch@127.0.0.1:{}", site.sentinels[0].port());
    assert_eq!(*refusal(&RedisAddress::parse(&sentinel).unwrap()).trouble, Trouble::Sentinel);
    let server = format!("127.0.0.1:{}", site.servers[0].port());
    let url = format!("redis+sentinel://{server}/sas?sentinel_password=right");
    assert_eq!(*refusal(&RedisAddress::parse(&url).unwrap()).trouble, Trouble::NoSentinel { server });
    site.sentinels.iter_mut().for_each(Server::kill);
    let said = waited_for(&format!("redis+sentinel://:right@{hosts}/sas?sentinel_password=watch"));
    assert!(
        said.contains("none of those that know the primary answers")
            && said.contains(&site.sentinels[0].port().to_string()),
        "{said}"
    );
}
