//! The compose files name only what is there, and give an instance the time that it needs to end.

use std::fs;

use yaml_rust2::{Yaml, YamlLoader};

use super::{Folder, deployed};

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
