//! What operators may get wrong, and what they are told.

use std::time::Duration;

use super::*;
use crate::road::EngineKind;

fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn in_memory() -> Overrides {
    Overrides {
        ledger: LedgerOverrides { kind: Some("memory".to_owned()), ..LedgerOverrides::default() },
        ..Overrides::default()
    }
}

fn file(text: &str) -> (tempfile::TempDir, Option<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sas-router.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Some(path))
}

fn problems(sources: Sources, pairs: &[(&str, &str)]) -> Vec<Problem> {
    load_with(sources, environment(pairs)).unwrap_err().0
}

#[test]
fn defaults_need_nothing_but_a_folder() {
    let found = problems(Sources::default(), &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "ledger.data_dir");
    assert!(found[0].expected.contains("--data-dir"), "{}", found[0]);

    let config = load_with(Sources { overrides: in_memory(), ..Sources::default() }, environment(&[])).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7410");
    assert_eq!(config.ledger.kind, LedgerKind::Memory);
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let (_folder, path) =
        file("[server]\nlisten = \"127.0.0.1:1\"\n[limits]\ncalls_max = 7\n[logging]\nlevel = \"warn\"\n");
    let mut overrides = in_memory();
    overrides.logging.level = Some("debug".to_owned());
    let variables = [("SAS_ROUTER_SERVER__LISTEN", "127.0.0.1:2"), ("SAS_ROUTER_LOGGING__LEVEL", "error")];
    let config = load_with(Sources { file: path, overrides }, environment(&variables)).unwrap();
    assert_eq!(config.limits.calls_max, 7, "of the file");
    assert_eq!(config.server.listen.port(), 2, "of the environment");
    assert_eq!(config.logging.level, "debug", "of the flags");
    let origin = |path| config.settings().iter().find(|setting| setting.path == path).unwrap().origin.to_string();
    assert!(origin("limits.calls_max").starts_with("file "));
    assert_eq!(origin("server.listen"), "environment");
    assert_eq!(origin("logging.level"), "flag");
    assert_eq!(origin("purge.interval_seconds"), "default");
}

#[test]
fn every_problem_is_reported_at_once() {
    let (_folder, path) = file(
        "colour = 1\n[server]\nlisten = \"localhost\"\ndrain_timeout_seconds = -1\nlisten_adress = \"x\"\n[logging]\nformat = 3\n",
    );
    let variables = [("SAS_ROUTER_LIMITS__CALLS_MAX", "many"), ("SAS_ROUTER_LEDGER__KIND", "postgres")];
    let found = problems(Sources { file: path, ..Sources::default() }, &variables);
    let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "server.listen",
            "server.drain_timeout_seconds",
            "limits.calls_max",
            "ledger.kind",
            "ledger.data_dir",
            "logging.format",
            "colour",
            "server.listen_adress",
        ]
    );
    let unknown = found.last().unwrap().to_string();
    assert!(unknown.contains("nearest known: server.listen"), "{unknown}");
    let listen = found[0].to_string();
    assert!(listen.contains("\"localhost\"") && listen.contains("127.0.0.1:7410"), "{listen}");
    let calls = found[2].to_string();
    assert!(calls.contains("environment") && calls.contains("1 to 1000000"), "{calls}");
}

#[test]
fn a_wrong_value_is_reported_even_when_another_layer_wins() {
    let (_folder, path) = file("[limits]\ncalls_max = 0\n");
    let variables = [("SAS_ROUTER_LIMITS__CALLS_MAX", "5")];
    let found = problems(Sources { file: path, overrides: in_memory() }, &variables);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].path.as_str(), found[0].given.as_str()), ("limits.calls_max", "0"));
}

#[test]
fn a_file_that_is_no_toml_names_line_and_column() {
    let (_folder, path) = file("[server]\nlisten = oops\n");
    let found = problems(Sources { file: path, overrides: in_memory() }, &[]);
    assert!(found[0].to_string().contains("line 2, column 10"), "{}", found[0]);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let found = problems(Sources { file: Some(folder.path().join("absent.toml")), overrides: in_memory() }, &[]);
    assert!(found[0].to_string().contains("absent.toml"), "{}", found[0]);
}

#[test]
fn variables_without_a_section_belong_to_the_command_line() {
    let variables = [("SAS_ROUTER_SERVER", "http://a.example"), ("PATH", "x__y")];
    assert!(load_with(Sources { overrides: in_memory(), ..Sources::default() }, environment(&variables)).is_ok());
}

#[test]
fn the_printed_configuration_gives_itself_again() {
    let mut overrides = in_memory();
    overrides.server.listen = Some("[::]:9".to_owned());
    overrides.ledger.data_dir = Some(PathBuf::from("a \"quoted\" folder"));
    overrides.ledger.kind = None;
    let config = load_with(Sources { overrides, ..Sources::default() }, environment(&[])).unwrap();
    let (_folder, path) = file(&config.to_toml());
    let again = load_with(Sources { file: path, ..Sources::default() }, environment(&[])).unwrap();
    assert_eq!((&again.server, &again.limits, &again.ledger), (&config.server, &config.limits, &config.ledger));
    assert_eq!((&again.purge, &again.logging), (&config.purge, &config.logging));
    assert!(config.to_toml().contains("listen = \"[::]:9\" # flag"), "{}", config.to_toml());
}

#[test]
fn names_of_hosts_are_a_list_or_stand_in_one_text() {
    let of = |text: &str| {
        let (_folder, path) = file(&format!("[admin]\nhosts = {text}\n"));
        load_with(Sources { file: path, overrides: in_memory() }, environment(&[]))
    };
    let names = ["console.sas.example", "sas-1"];
    let listed = of("[\"console.sas.example\", \"sas-1\"]").unwrap();
    assert_eq!(listed.admin.hosts, names);
    assert_eq!(of("\"console.sas.example, sas-1\"").unwrap().admin.hosts, names);
    let variables = [("SAS_ROUTER_ADMIN__HOSTS", "console.sas.example,sas-1")];
    let of_variable = load_with(Sources { overrides: in_memory(), file: None }, environment(&variables)).unwrap();
    assert_eq!(of_variable.admin.hosts, names);
    let (_folder, path) = file(&listed.to_toml());
    assert_eq!(
        load_with(Sources { file: path, overrides: in_memory() }, environment(&[])).unwrap().admin,
        listed.admin
    );
    assert_eq!(
        load_with(Sources { overrides: in_memory(), file: None }, environment(&[])).unwrap().admin.hosts,
        [""; 0]
    );
    for wrong in ["[\"http://a.example\"]", "\"a.example:7411\"", "[\"*.example\"]", "[\"\"]", "[7]", "7", "[\"a..b\"]"]
    {
        let found = of(wrong).unwrap_err().0;
        assert!(found.len() == 1 && found[0].path == "admin.hosts" && found[0].expected.contains("give"), "{found:?}");
    }
}

#[test]
fn an_address_of_redis_is_enough_to_choose_it() {
    let url = || SecretUrl("redis://host:7000/1".to_owned());
    let variables = [("SAS_ROUTER_LEDGER__URL", "redis://host:7000/1"), ("SAS_ROUTER_LEDGER__ACK_REPLICAS", "1")];
    let config = load_with(Sources::default(), environment(&variables)).unwrap();
    let away_after = Duration::from_secs(10);
    let replicas = ReplicasConfig { ack_replicas: Some(1), refuse_when_away: false, away_after };
    assert_eq!(config.ledger.kind, LedgerKind::Redis { url: url(), replicas });
    let (_folder, path) = file(&config.to_toml());
    let again = load_with(Sources { file: path, ..Sources::default() }, environment(&[])).unwrap();
    assert_eq!(again.ledger, config.ledger);

    let refusing = [variables[0], ("SAS_ROUTER_LEDGER__WHEN_REPLICA_AWAY", "refuse")];
    let config = load_with(Sources::default(), environment(&refusing)).unwrap();
    let replicas = ReplicasConfig { ack_replicas: None, refuse_when_away: true, ..replicas };
    assert_eq!(config.ledger.kind, LedgerKind::Redis { url: url(), replicas });
    let (_folder, path) = file(&config.to_toml());
    let again = load_with(Sources { file: path, ..Sources::default() }, environment(&[])).unwrap();
    assert_eq!(again.ledger, config.ledger, "all is a word between quotes");
    let found = problems(Sources::default(), &[variables[0], ("SAS_ROUTER_LEDGER__ACK_REPLICAS", "most")]);
    assert!(found[0].to_string().contains("give \"all\", or a whole number from 0 to 16"), "{}", found[0]);

    let found = problems(Sources::default(), &[("SAS_ROUTER_LEDGER__KIND", "redis")]);
    assert_eq!(found[0].path, "ledger.url");
    assert!(found[0].expected.contains("--ledger"), "{}", found[0]);
}

#[test]
fn a_password_is_never_repeated() {
    let url = ("SAS_ROUTER_LEDGER__URL", "rediss://sas:s3c@ret@host");
    let config = load_with(Sources::default(), environment(&[url])).unwrap();
    assert!(config.to_toml().contains("rediss://***@host"), "{}", config.to_toml());
    for url in ["redis+sentinel://a,b/sas?sentinel_password=x@s3c", "redis+cluster://u:s3c?x@a,b"] {
        let config = load_with(Sources::default(), environment(&[("SAS_ROUTER_LEDGER__URL", url)])).unwrap();
        assert!(!format!("{} {config:?}", config.to_toml()).contains("s3c"), "{config:?}");
    }
    assert!(!format!("{} {config:?}", config.to_toml()).contains("s3c"), "{config:?}");
    let wrong =
        ["http://sas:s3c@ret@host", "redis+sentry://:s3c@ret@host", "sas:s3c@ret@host:6379", "redis:/:s3c@host"];
    for wrong in wrong {
        let found = problems(Sources::default(), &[("SAS_ROUTER_LEDGER__URL", wrong)]);
        assert!(found[0].to_string().contains("redis+cluster://"), "{}", found[0]);
        assert!(!format!("{found:?}").contains("s3c"), "{found:?}");
    }
    for wrong in ["redis://:s3c@ret@host", "sas:s3c@ret@host:6379", "redis:/:s3c@host?db=1"] {
        let found = problems(Sources::default(), &[url, ("SAS_ROUTER_LEDGER__URI", wrong)]);
        assert!(!format!("{found:?}").contains("s3c"), "a misspelt setting neither: {found:?}");
    }
}

#[test]
fn road_times_are_off_until_a_server_is_named() {
    let load = |pairs: &[(&str, &str)]| {
        let sources = Sources { overrides: in_memory(), ..Sources::default() };
        load_with(sources, environment(pairs)).unwrap().road_times.options
    };
    assert_eq!(load(&[]), None);
    let osrm = load(&[("SAS_ROUTER_ROAD_TIMES__URL", "http://127.0.0.1:5000")]).unwrap();
    assert_eq!((osrm.engine, osrm.deadline.as_millis(), osrm.walking), (EngineKind::Osrm, 150, None));
    let valhalla = [
        ("SAS_ROUTER_ROAD_TIMES__URL", "https://roads.example"),
        ("SAS_ROUTER_ROAD_TIMES__ENGINE", "valhalla"),
        ("SAS_ROUTER_ROAD_TIMES__DEADLINE_MS", "80"),
    ];
    let valhalla = load(&valhalla).unwrap();
    assert_eq!((valhalla.engine, valhalla.deadline.as_millis()), (EngineKind::Valhalla, 80));
    assert_eq!(valhalla.walking, Some(valhalla.car), "one server knows cars and pedestrians");
}

#[test]
fn every_mistake_about_road_times_is_told_and_no_secret_repeated() {
    let (_folder, path) =
        file("[road_times]\nurl = \"http://me:hunter2@roads\"\nengine = \"graphhopper\"\ndeadline_ms = 0\n");
    let variables = [("SAS_ROUTER_ROAD_TIMES__WALKING_URL", "http://roads/?key=hunter2")];
    let found = problems(Sources { file: path, overrides: in_memory() }, &variables);
    let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["road_times.engine", "road_times.deadline_ms", "road_times.url", "road_times.walking_url"]);
    let told = Problems(found).to_string();
    assert!(!told.contains("hunter2") && told.contains("without user and password"), "{told}");
    let walking_only = [("SAS_ROUTER_ROAD_TIMES__WALKING_URL", "http://roads")];
    let found = problems(Sources { file: None, overrides: in_memory() }, &walking_only);
    assert_eq!(found.len(), 1);
    assert!(found[0].to_string().starts_with("road_times.url: missing"), "{}", found[0]);
}

#[test]
fn a_wrong_address_of_redis_is_one_problem() {
    for url in ["localhost:6379", "http://host", ""] {
        let found = problems(Sources::default(), &[("SAS_ROUTER_LEDGER__URL", url)]);
        let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["ledger.url"], "{url}");
    }
}

#[test]
fn there_is_an_admin_port_only_where_one_is_asked_for() {
    let listening = |listen: Option<&str>| {
        let admin = AdminOverrides { listen: listen.map(str::to_owned) };
        let sources = Sources { overrides: Overrides { admin, ..in_memory() }, ..Sources::default() };
        load_with(sources, environment(&[("SAS_ROUTER_SERVER__LISTEN", "127.0.0.1:7410")]))
    };
    assert_eq!(listening(None).unwrap().admin.listen, None);
    for given in ["127.0.0.1:7411", "[::]:7411", "127.0.0.1:0", "127.0.0.2:7410"] {
        assert_eq!(listening(Some(given)).unwrap().admin.listen, given.parse().ok(), "{given}");
    }
    let table =
        [("7411", "127.0.0.1:7411"), ("localhost:7411", "127.0.0.1:7411"), ("127.0.0.1:70000", "127.0.0.1:7411")];
    let taken =
        [("127.0.0.1:7410", "server.listen"), ("0.0.0.0:7410", "server.listen"), ("[::]:7410", "server.listen")];
    for (given, said) in table.into_iter().chain(taken) {
        let found = listening(Some(given)).unwrap_err().0;
        assert_eq!(found.len(), 1, "{given}");
        assert!(found[0].path == "admin.listen" && found[0].expected.contains(said), "{given}: {}", found[0]);
    }
}

#[test]
fn a_collector_is_asked_for_and_its_headers_are_never_shown() {
    let config = load_with(Sources { overrides: in_memory(), ..Sources::default() }, environment(&[])).unwrap();
    assert_eq!(config.telemetry.export, None, "off by default");
    let variables = [
        ("SAS_ROUTER_TELEMETRY__OTLP_ENDPOINT", "https://collector.example:4317/"),
        ("SAS_ROUTER_TELEMETRY__OTLP_CA", "ca.pem"),
        ("SAS_ROUTER_TELEMETRY__OTLP_HEADERS", "Authorization=Bearer s3cret==, x-scope-orgid=samu"),
        ("SAS_ROUTER_TELEMETRY__TRACES_RATIO", "0.25"),
    ];
    let config = load_with(Sources { overrides: in_memory(), ..Sources::default() }, environment(&variables)).unwrap();
    let export = config.telemetry.export.clone().unwrap();
    assert_eq!(export.endpoint, "https://collector.example:4317");
    assert_eq!(export.tls, Some(ExportTls { ca: "ca.pem".into(), client: None }));
    assert_eq!(export.traces_ratio, 0.25);
    assert_eq!(export.headers.0[0].0, "authorization");
    assert_eq!(export.headers.0[0].1, "Bearer s3cret==");
    assert_eq!(export.headers.0.len(), 2);
    for shown in [format!("{config:?}"), config.to_toml()] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    assert!(config.to_toml().contains("traces_ratio = 0.25"), "{}", config.to_toml());
}

#[test]
fn what_is_wrong_with_a_collector_is_said_at_once_without_its_secrets() {
    let (_folder, path) = file(
        "[telemetry]\notlp_endpoint = \"http://user:s3cret@host\"\notlp_headers = \"s3cret\"\ntraces_ratio = 1.5\n\
         queue_max = 0\nservice_name = \"\"\notlp_client_key = \"key.pem\"\n",
    );
    let found = problems(Sources { file: path, overrides: in_memory() }, &[]);
    let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
    let expected = [
        "telemetry.otlp_endpoint",
        "telemetry.otlp_client_certificate",
        "telemetry.otlp_headers",
        "telemetry.traces_ratio",
        "telemetry.service_name",
        "telemetry.queue_max",
    ];
    assert_eq!(paths, expected);
    assert!(found.iter().all(|problem| !problem.to_string().contains("s3cret")), "{found:?}");
}

#[test]
fn tls_to_a_collector_needs_an_authority_and_only_tls_does() {
    let of = |text: &str| {
        let (_folder, path) = file(&format!("[telemetry]\n{text}"));
        let found = problems(Sources { file: path, overrides: in_memory() }, &[]);
        found.into_iter().map(|problem| problem.path).collect::<Vec<_>>()
    };
    assert_eq!(of("otlp_endpoint = \"https://host:4317\"\n"), ["telemetry.otlp_ca"]);
    assert_eq!(of("otlp_endpoint = \"http://host:4317\"\notlp_ca = \"ca.pem\"\n"), ["telemetry.otlp_ca"]);
    for wrong in ["host:4317", "grpc://host", "http://host/v1/traces", "http://host?key=1", "http://"] {
        assert_eq!(of(&format!("otlp_endpoint = \"{wrong}\"\n")), ["telemetry.otlp_endpoint"], "{wrong}");
    }
    for wrong in ["nan", "-0.1", "much"] {
        assert_eq!(of(&format!("traces_ratio = \"{wrong}\"\n")), ["telemetry.traces_ratio"], "{wrong}");
    }
}
