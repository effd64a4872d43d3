//! Servers that cannot be used: each refused at start, with words that help and without a password.

use super::*;

fn address(server: &Server, credentials: &str) -> RedisAddress {
    RedisAddress::parse(&format!("redis://{credentials}127.0.0.1:{}", server.port())).unwrap()
}

#[test]
fn a_server_that_is_not_there_is_waited_for_and_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for host in [format!("127.0.0.1:{port}"), "no-such-host.invalid".to_owned()] {
        let address = RedisAddress::parse(&format!("redis://:s3cret@{host}")).unwrap();
        let ledger = RedisLedger::open(&address, options(), Uuid::now_v7(), Arc::new(Recorder::default())).unwrap();
        let LedgerHealth { refusal, is_open, .. } = ledger.health();
        let refusal = refusal.unwrap();
        assert!(!is_open && ledger.deployment_id().is_none());
        assert!(refusal.contains(&host) && refusal.contains("check that it runs"), "{refusal}");
        assert!(!refusal.contains("s3cret"), "{refusal}");
        let refused = wait(ledger.append(Append { entries: vec![put(1, 1, 0)], request: None }));
        assert!(matches!(refused, AppendOutcome::Unavailable(Unavailable::Refused(_))), "{refused:?}");
    }
}

#[test]
fn wrong_credentials_are_named_and_not_repeated() {
    let server = Server::start_with(&["--requirepass", "right"]);
    for credentials in ["", ":s3cret@", "somebody:s3cret@"] {
        let error = refusal(&address(&server, credentials));
        assert!(matches!(*error.trouble, Trouble::Credentials(_)), "{credentials}: {error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    let sink = Arc::new(Recorder::default());
    assert!(RedisLedger::open(&address(&server, ":right@"), options(), Uuid::now_v7(), sink).is_ok());
}

#[test]
fn a_replica_names_its_primary() {
    let primary = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    let error = refusal(&address_of(&replica));
    let expected = Trouble::Replica { primary: format!("127.0.0.1:{}", primary.port()) };
    assert_eq!(*error.trouble, expected);
}

#[test]
fn commands_that_the_user_may_not_run_are_named() {
    let server = Server::start();
    server.say("ACL SETUSER sas on >pw ~sas:{0}:* +@all -xadd -rename -config");
    let error = refusal(&address(&server, "sas:pw@"));
    let Trouble::Permissions { user, missing, pattern: _ } = &*error.trouble else { panic!("{error}") };
    assert_eq!((user.as_str(), missing.as_str()), ("sas", "+xadd +rename"));
    server.say("ACL SETUSER sas +xadd +rename");
    let ledger =
        RedisLedger::open(&address(&server, "sas:pw@"), options(), Uuid::now_v7(), Arc::new(Recorder::default()))
            .unwrap();
    assert!(ledger.durability().starts_with("unknown"), "CONFIG may be forbidden: {}", ledger.durability());
}

#[test]
fn a_database_of_its_own_needs_the_right_to_choose_it() {
    let server = Server::start();
    server.say("ACL SETUSER sas on >pw ~sas:{0}:* +@all -select");
    let url = |database: &str| format!("redis://sas:pw@127.0.0.1:{}{database}", server.port());
    let error = refusal(&RedisAddress::parse(&url("/1")).unwrap());
    let Trouble::Permissions { user: _, missing, pattern: _ } = &*error.trouble else { panic!("{error}") };
    assert_eq!(missing, "+select");
    assert!(is_written(&Instance::open_at(&url(""), options()).append(vec![put(1, 1, 0)])));
}

#[test]
fn what_is_checked_is_all_that_is_needed() {
    let server = Server::start();
    let names = super::super::preflight::COMMANDS.iter().map(|command| format!("+{}", command[0].to_lowercase()));
    let rights = names.collect::<Vec<_>>().join(" ");
    let user = format!("ACL SETUSER sas reset on >pw ~sas:{{0}}:* +acl|whoami +acl|dryrun {rights}");
    assert_eq!(server.say(&user), "+OK");
    let sink = Arc::new(Recorder::default());
    let told = Arc::clone(&sink) as Arc<dyn ChangeSink>;
    let ledger = RedisLedger::open(&address(&server, "sas:pw@"), options(), Uuid::now_v7(), told).unwrap();
    let instance = Instance { ledger, sink };
    assert!(is_written(&instance.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "first"))));
    assert!(is_written(&instance.append(vec![Entry::remove(put(1, 1, 0).key, 1), put(2, 1, 0)])));
    assert_eq!(wait(instance.ledger.trim(UtcInstant::from_ms(1))), Ok(0));
    assert_eq!(server.say("FLUSHALL"), "+OK");
    instance.wait_for("recovery", |instance| instance.head().0 == 2);
    assert_eq!(Instance::open(&server).sink.held().len(), 1);
}

#[test]
fn data_of_another_shape_are_left_alone() {
    let server = Server::start();
    drop(Instance::open(&server));
    server.say("HSET sas:{0}:m partitions 16");
    let partitions = refusal(&address_of(&server));
    assert_eq!(*partitions.trouble, Trouble::Partitions { found: "16".to_owned() });
    server.say("HSET sas:{0}:m partitions 1 format 99");
    assert_eq!(*refusal(&address_of(&server)).trouble, Trouble::NewerFormat { found: 99 });
}

#[test]
fn another_deployments_data_are_not_taken_for_ours() {
    let server = Server::start();
    let instance = Instance::open(&server);
    instance.append(vec![put(1, 1, 0)]);
    server.say("HSET sas:{0}:m deployment another run x");
    instance.wait_for_refusal();
    instance.wait_for("the reason", |instance| {
        instance.ledger.health().refusal.is_some_and(|refusal| refusal.contains("deployment another"))
    });
    assert_eq!(instance.sink.held().len(), 1);
}

#[test]
fn durability_is_what_the_server_is_set_to() {
    let server = Server::start();
    assert!(Instance::open(&server).ledger.durability().contains("synced before it is acknowledged"));
    server.say("CONFIG SET appendfsync everysec");
    assert!(Instance::open(&server).ledger.durability().contains("synced every second"));
    server.say("CONFIG SET appendonly no");
    assert!(Instance::open(&server).ledger.durability().starts_with("none"));
}

#[test]
fn an_acknowledgement_waits_for_the_replicas() {
    let primary = Server::start();
    let mut replica = Server::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    wait_until("the replica follows", || primary.say("WAIT 1 100") == ":1");
    let instance = Instance::open_with(&primary, RedisOptions { ack_replicas: AckReplicas::Count(1), ..options() });
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    replica.kill();
    let lone = || instance.request(vec![put(2, 1, 0)], request("lrm", "r1", 1, "held"));
    let unknown = lone();
    assert!(matches!(unknown, AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(_))), "{unknown:?}");
    replica.run();
    wait_until("a retry that is replayed", || matches!(lone(), AppendOutcome::Replayed { .. }));
}
