//! The compose files name only what is there, and give an instance the time that it needs to end.

use std::fs;

use yaml_rust2::{Yaml, YamlLoader};

use super::{Folder, deployed};
use crate::harness::server_process::program_command;

fn read(file: &str) -> Yaml {
    let text = fs::read_to_string(deployed(file)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

#[test]
fn the_compose_file_names_only_what_is_there() {
    let file = &read("compose.yaml");
    let services = file["services"].as_hash().unwrap();
    let names: Vec<_> = services.keys().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["redis-1", "redis-2", "redis-3", "sentinel-1", "sentinel-2", "sentinel-3", "sas-1", "sas-2", "sas-3"]
    );
    let folder = Folder::new();
    let file_of = |entry: &Yaml| entry["file"].as_str().unwrap().trim_start_matches("./").to_owned();
    for config in file["configs"].as_hash().unwrap().values() {
        assert!(deployed(&file_of(config)).is_file(), "{config:?}");
    }
    for secret in file["secrets"].as_hash().unwrap().values() {
        assert!(folder.0.path().join(file_of(secret)).is_file(), "{secret:?}: `make-secrets` does not make it");
    }
    let router = &file["x-router"];
    let dockerfile = router["build"]["dockerfile"].as_str().unwrap();
    assert!(deployed("..").join(dockerfile).is_file());
    for kind in ["x-server", "x-sentinel", "x-router"] {
        for secret in file[kind]["secrets"].as_vec().unwrap() {
            assert!(!file["secrets"][secret.as_str().unwrap()].is_badvalue(), "{kind}: {secret:?} is not defined");
        }
        assert!(!file[kind]["healthcheck"]["test"].is_badvalue(), "{kind} has no health check");
    }
    for config in file["x-redis"]["configs"].as_vec().unwrap() {
        assert!(!file["configs"][config["source"].as_str().unwrap()].is_badvalue(), "{config:?} is not defined");
    }
    for service in services.values() {
        assert!(service["environment"].is_badvalue(), "secrets and settings come as files: {service:?}");
    }
}

/// The settings that `make-secrets` writes, and what the program takes them for together with these variables.
fn in_force(variables: &[(&str, &str)]) -> toml::Table {
    let folder = Folder::new();
    let file = folder.0.path().join("secrets/sas-router.toml");
    let mut command = program_command();
    command.arg("serve").arg("--config").arg(file).arg("--print-config").envs(variables.iter().copied());
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().parse().unwrap()
}

#[test]
fn an_instance_has_the_time_to_end_and_listens_where_ports_lead() {
    let file = read("compose.yaml");
    let settings = in_force(&[]);
    let seconds = |key: &str| settings["server"][key].as_integer().unwrap();
    let grace = file["x-router"]["stop_grace_period"].as_str().unwrap().strip_suffix('s').unwrap();
    // What the last writes may take.
    let writes = 15;
    assert!(
        grace.parse::<i64>().unwrap() >= seconds("drain_delay_seconds") + seconds("drain_timeout_seconds") + writes
    );
    for instance in ["sas-1", "sas-2", "sas-3"] {
        for port in file["services"][instance]["ports"].as_vec().unwrap() {
            let inside = port.as_str().unwrap().rsplit(':').next().unwrap();
            let listens = ["server", "admin"].map(|section| settings[section]["listen"].as_str().unwrap().to_owned());
            assert!(listens.contains(&format!("0.0.0.0:{inside}")), "{instance}: {inside}");
        }
    }
}

#[test]
fn what_watches_a_site_is_closed_and_names_only_what_is_there() {
    let (site, file) = (read("compose.yaml"), read("compose.observability.yaml"));
    let secrets = Folder::new();
    for (name, service) in file["services"].as_hash().unwrap() {
        let name = name.as_str().unwrap();
        let merged = |key: &str| if service[key].is_badvalue() { &service["<<"][key] } else { &service[key] };
        let networks = merged("networks").as_vec().unwrap().iter();
        let known =
            |network: &Yaml| [&site, &file].iter().any(|it| !it["networks"][network.as_str().unwrap()].is_badvalue());
        assert!(networks.clone().all(known), "{name}: a network that nobody defines");
        if name.starts_with("sas-") {
            assert!(!site["services"][name].is_badvalue(), "{name}");
            continue;
        }
        assert_eq!(merged("read_only").as_bool(), Some(true), "{name}");
        assert_eq!(merged("cap_drop")[0].as_str(), Some("ALL"), "{name}");
        assert!(!service["user"].as_str().unwrap().starts_with("0:"), "{name} runs as root");
        let (_, version) = service["image"].as_str().unwrap().rsplit_once(':').unwrap();
        assert!(version.contains('.'), "{name}: an image without a version is another one tomorrow");
        for volume in service["volumes"].as_vec().into_iter().flatten() {
            let (from, _) = volume.as_str().unwrap().split_once(':').unwrap();
            let is_there = from.strip_prefix("./").map(|folder| deployed(folder).is_dir());
            assert!(is_there.unwrap_or_else(|| !file["volumes"][from].is_badvalue()), "{name}: {from}");
        }
    }
    for config in file["configs"].as_hash().unwrap().values() {
        assert!(deployed(config["file"].as_str().unwrap()).is_file(), "{config:?}");
    }
    for secret in file["secrets"].as_hash().unwrap().values() {
        assert!(
            secrets.0.path().join(secret["file"].as_str().unwrap()).is_file(),
            "`make-secrets` makes no {secret:?}"
        );
    }
}

#[test]
fn instances_export_to_the_collector_that_is_started_with_them() {
    let (file, collector) = (read("compose.observability.yaml"), read("otel/collector.yaml"));
    let variables = file["x-watched"]["environment"].as_hash().unwrap().iter();
    let variables: Vec<_> = variables.map(|(name, value)| (name.as_str().unwrap(), value.as_str().unwrap())).collect();
    let endpoint = in_force(&variables)["telemetry"]["otlp_endpoint"].as_str().unwrap().to_owned();
    let (host, port) = endpoint.strip_prefix("http://").unwrap().split_once(':').unwrap();
    assert!(!file["services"][host].is_badvalue(), "{host}");
    let listens = collector["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].as_str().unwrap();
    assert_eq!(listens, format!("0.0.0.0:{port}"));
}

#[test]
fn every_pipeline_of_the_collector_is_bounded_and_made_of_what_is_defined() {
    let collector = read("otel/collector.yaml");
    let pipelines = collector["service"]["pipelines"].as_hash().unwrap();
    let names: Vec<_> = pipelines.keys().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, ["traces", "metrics"], "what the instances export");
    for pipeline in pipelines.values() {
        assert_eq!(pipeline["processors"][0].as_str(), Some("memory_limiter"), "it bounds what comes after it");
        for part in ["receivers", "processors", "exporters"] {
            for name in pipeline[part].as_vec().unwrap() {
                assert!(!collector[part][name.as_str().unwrap()].is_badvalue(), "{part}: {name:?}");
            }
        }
    }
    let limit = collector["processors"]["memory_limiter"]["limit_mib"].as_i64().unwrap();
    let given = read("compose.observability.yaml")["services"]["collector"]["mem_limit"].as_str().unwrap().to_owned();
    assert!(limit < given.strip_suffix('m').unwrap().parse().unwrap(), "it refuses before the container is ended");
}
