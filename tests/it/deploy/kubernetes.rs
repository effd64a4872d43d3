//! The manifests for Kubernetes: what kustomize makes of them hangs together, is valid, and fits the program.
//!
//! Deliberately absent: a cluster; whether its plugins enforce what is asked for is known there alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use super::deployed;
use crate::harness::server_process::program_command;
use crate::harness::{skip, variable};

const OVERLAYS: [&str; 2] = ["single", "site"];
/// Kubernetes versions whose schemas the manifests must satisfy to the last field.
const VERSIONS: [&str; 3] = ["1.29.0", "1.32.0", "1.37.0"];
/// What the last writes may take once calls have ended, in seconds.
const WRITES_SECONDS: i64 = 15;

/// What an overlay is built into; `None` where there is nothing to build it with.
struct Built {
    file: PathBuf,
    resources: Vec<Yaml>,
    _folder: TempDir,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs whichever there is of the two programs that build.
fn kustomize(folder: &Path) -> Option<Output> {
    let kubectl = Command::new("kubectl").arg("kustomize").arg(folder).output();
    kubectl.or_else(|_| Command::new("kustomize").arg("build").arg(folder).output()).ok()
}

impl Built {
    /// The overlay, with the example of its settings where it has one, and with these components.
    fn of(overlay: &str, components: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let copied = folder.path().join("kubernetes");
        copy(&deployed("kubernetes"), &copied);
        let overlay = copied.join("overlays").join(overlay);
        let example = overlay.join("sas-router.example.toml");
        if example.exists() {
            fs::copy(example, overlay.join("sas-router.toml")).unwrap();
        }
        if !components.is_empty() {
            let file = overlay.join("kustomization.yaml");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(file, format!("{text}components: {components:?}\n")).unwrap();
        }
        let built = kustomize(&overlay)?;
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let text = String::from_utf8(built.stdout).unwrap();
        let file = folder.path().join("built.yaml");
        fs::write(&file, &text).unwrap();
        Some(Self { file, resources: YamlLoader::load_from_str(&text).unwrap(), _folder: folder })
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Yaml> {
        self.resources.iter().filter(move |resource| resource["kind"].as_str() == Some(kind))
    }

    fn pod(&self) -> &Yaml {
        &self.of_kind("StatefulSet").next().unwrap()["spec"]["template"]
    }

    fn container(&self) -> &Yaml {
        &self.pod()["spec"]["containers"][0]
    }

    /// Name and number of the ports of the container.
    fn ports(&self) -> Vec<(&str, i64)> {
        let ports = self.container()["ports"].as_vec().unwrap().iter();
        ports.map(|port| (port["name"].as_str().unwrap(), port["containerPort"].as_i64().unwrap())).collect()
    }

    /// The settings that are mounted where the command line looks for them.
    fn settings(&self) -> String {
        let volumes = self.pod()["spec"]["volumes"].as_vec().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"].as_str() == Some("config")).unwrap();
        let (kind, name) = match volume["secret"]["secretName"].as_str() {
            Some(name) => ("Secret", name),
            None => ("ConfigMap", volume["configMap"]["name"].as_str().unwrap()),
        };
        let found = self.of_kind(kind).find(|it| it["metadata"]["name"].as_str() == Some(name));
        let text =
            found.unwrap_or_else(|| panic!("{kind} {name} is nowhere"))["data"]["sas-router.toml"].as_str().unwrap();
        if kind == "ConfigMap" { text.to_owned() } else { decoded(text) }
    }
}

/// Base 64, as Secrets are written.
fn decoded(text: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.chars().filter_map(|character| ALPHABET.find(character)) {
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Judges what every overlay is built into, once alone and once with everything that may be added.
fn each(test: &str, judge: impl Fn(&Built)) {
    for overlay in OVERLAYS {
        for components in [&[][..], &["../../components/monitoring"]] {
            let Some(built) = Built::of(overlay, components) else {
                return skip(
                    test,
                    "neither kubectl (1.27 or newer) nor kustomize is there to build the manifests with",
                );
            };
            judge(&built);
        }
    }
}

/// Files below a folder, from there.
fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.canonicalize().unwrap());
        }
    }
}

#[test]
fn every_file_is_named_by_a_kustomization_and_every_name_has_its_file() {
    let root = deployed("kubernetes");
    let mut there = BTreeSet::new();
    files(&root, &mut there);
    // Scripts are for people; and the settings of a site are the operator's own, made from the example.
    there.retain(|file| file.extension().is_some() && !file.ends_with("site/sas-router.toml"));
    let is_kustomization = |file: &PathBuf| file.ends_with("kustomization.yaml");
    let mut named: BTreeSet<PathBuf> = there.iter().filter(|file| is_kustomization(file)).cloned().collect();
    for file in there.iter().filter(|file| is_kustomization(file)) {
        let yaml = YamlLoader::load_from_str(&fs::read_to_string(file).unwrap()).unwrap().remove(0);
        let list = |key: &str| yaml[key].as_vec().cloned().unwrap_or_default();
        let generators = [list("configMapGenerator"), list("secretGenerator")].concat();
        let generated =
            generators.iter().flat_map(|generator| generator["files"].as_vec().cloned().unwrap_or_default());
        let patches = list("patches").into_iter().map(|patch| patch["path"].clone());
        for name in list("resources").into_iter().chain(generated).chain(patches) {
            let name = name.as_str().unwrap();
            let folder = file.parent().unwrap();
            let example = folder.join(name.replace(".toml", ".example.toml"));
            let path = if example.exists() { example } else { folder.join(name) };
            named.insert(path.canonicalize().unwrap_or_else(|_| panic!("{}: no {name}", file.display())));
        }
    }
    named.retain(|path| path.is_file());
    assert_eq!(there, named);
}

#[test]
fn every_manifest_satisfies_the_schemas_and_the_restricted_profile() {
    const TEST: &str = "every_manifest_satisfies_the_schemas_and_the_restricted_profile";
    let Some(python) = variable("SAS_ROUTER_TEST_PYTHON") else {
        return skip(TEST, "`tests/run` installs Python and says where");
    };
    each(TEST, |built| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/manifests.py");
        let run = Command::new(&python).arg("-B").arg(script).arg(&built.file).args(VERSIONS).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{said}");
    });
}

#[test]
fn the_program_takes_the_settings_and_listens_where_the_ports_are() {
    each("the_program_takes_the_settings_and_listens_where_the_ports_are", |built| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sas-router.toml");
        fs::write(&file, built.settings()).unwrap();
        let arguments = built.container()["args"].as_vec().unwrap().iter().map(|argument| argument.as_str().unwrap());
        let mount = &built.container()["volumeMounts"].as_vec().unwrap().iter();
        let config = mount.clone().find(|mount| mount["name"].as_str() == Some("config")).unwrap();
        let mounted = format!("{}/sas-router.toml", config["mountPath"].as_str().unwrap());
        let here = arguments.map(|argument| argument.replace(&mounted, file.to_str().unwrap()));
        let mut command = program_command();
        command.args(here).arg("--print-config");
        for variable in built.container()["env"].as_vec().unwrap() {
            if let Some(value) = variable["value"].as_str() {
                command.env(variable["name"].as_str().unwrap(), value);
            }
        }
        let run = command.output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let in_force: toml::Table = String::from_utf8(run.stdout).unwrap().parse().unwrap();
        let port = |section: &str| {
            let address = in_force[section]["listen"].as_str().unwrap();
            address.strip_prefix("0.0.0.0:").unwrap_or_else(|| panic!("{address}")).parse::<i64>().unwrap()
        };
        assert_eq!(built.ports(), [("grpc", port("server")), ("admin", port("admin"))]);
        let seconds = |key: &str| in_force["server"][key].as_integer().unwrap();
        let grace = built.pod()["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap();
        assert!(seconds("drain_delay_seconds") > 0, "callers would hear of the end too late");
        assert!(grace >= seconds("drain_delay_seconds") + seconds("drain_timeout_seconds") + WRITES_SECONDS);
    });
}

#[test]
fn whatever_selects_pods_selects_the_instances_and_names_their_ports() {
    each("whatever_selects_pods_selects_the_instances_and_names_their_ports", |built| {
        let labels = built.pod()["metadata"]["labels"].as_hash().unwrap();
        let selects = |selector: &Yaml| {
            let wanted = selector.as_hash().unwrap_or_else(|| panic!("{selector:?}"));
            assert!(
                !wanted.is_empty() && wanted.iter().all(|(key, value)| labels.get(key) == Some(value)),
                "{wanted:?}"
            );
        };
        let is_port = |port: &Yaml| {
            let known = built
                .ports()
                .iter()
                .any(|(name, number)| port.as_str() == Some(name) || port.as_i64() == Some(*number));
            assert!(known, "{port:?}");
        };
        for set in built.of_kind("StatefulSet") {
            selects(&set["spec"]["selector"]["matchLabels"]);
            let governing = set["spec"]["serviceName"].as_str();
            assert!(built.of_kind("Service").any(|service| service["metadata"]["name"].as_str() == governing));
        }
        for service in built.of_kind("Service") {
            selects(&service["spec"]["selector"]);
            service["spec"]["ports"].as_vec().unwrap().iter().for_each(|port| is_port(&port["targetPort"]));
        }
        for budget in built.of_kind("PodDisruptionBudget") {
            selects(&budget["spec"]["selector"]["matchLabels"]);
        }
        for policy in built.of_kind("NetworkPolicy") {
            selects(&policy["spec"]["podSelector"]["matchLabels"]);
            let rules = policy["spec"]["ingress"].as_vec().into_iter().flatten();
            rules.for_each(|rule| rule["ports"].as_vec().unwrap().iter().for_each(|port| is_port(&port["port"])));
        }
        for monitor in built.of_kind("PodMonitor") {
            selects(&monitor["spec"]["selector"]["matchLabels"]);
            monitor["spec"]["podMetricsEndpoints"].as_vec().unwrap().iter().for_each(|end| is_port(&end["port"]));
        }
        for probe in ["livenessProbe", "readinessProbe"] {
            assert_eq!(built.container()[probe]["httpGet"]["port"].as_str(), Some("admin"), "{probe}");
        }
        let spread =
            built.pod()["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
                .as_vec();
        spread.into_iter().flatten().for_each(|term| selects(&term["labelSelector"]["matchLabels"]));
    });
}

#[test]
fn a_site_may_lose_a_machine_and_an_instance_alone_keeps_its_volume() {
    let Some(site) = Built::of("site", &[]) else {
        return skip(
            "a_site_may_lose_a_machine_and_an_instance_alone_keeps_its_volume",
            "nothing builds the manifests",
        );
    };
    let set = site.of_kind("StatefulSet").next().unwrap();
    assert_eq!(set["spec"]["replicas"].as_i64(), Some(3));
    assert!(!site.pod()["spec"]["affinity"]["podAntiAffinity"].is_badvalue());
    let budget = site.of_kind("PodDisruptionBudget").next().unwrap();
    assert_eq!(budget["spec"]["maxUnavailable"].as_i64(), Some(1));
    let single = Built::of("single", &[]).unwrap();
    let set = single.of_kind("StatefulSet").next().unwrap();
    assert_eq!(set["spec"]["replicas"].as_i64(), Some(1), "one process owns the folder");
    assert_eq!(set["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"].as_str(), Some("Retain"));
    let claim = set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"].as_str();
    let mounts = single.container()["volumeMounts"].as_vec().unwrap();
    let mount = mounts.iter().find(|mount| mount["name"].as_str() == claim).unwrap();
    let settings: toml::Table = single.settings().parse().unwrap();
    assert_eq!(mount["mountPath"].as_str(), settings["ledger"]["data_dir"].as_str());
}

#[test]
fn the_image_is_that_of_this_version() {
    each("the_image_is_that_of_this_version", |built| {
        let image = format!("sas-router:{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(built.container()["image"].as_str(), Some(image.as_str()));
    });
    let dockerfile = fs::read_to_string(deployed("Dockerfile")).unwrap();
    assert!(dockerfile.contains(&format!("ARG VERSION={}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_rules_for_the_operator_are_those_of_prometheus() {
    const TEST: &str = "the_rules_for_the_operator_are_those_of_prometheus";
    let Some(built) = Built::of("site", &["../../components/monitoring"]) else {
        return skip(TEST, "nothing builds the manifests");
    };
    let mut rules = BTreeSet::new();
    files(&deployed("prometheus/rules"), &mut rules);
    for file in &rules {
        let name = format!("sas-router-{}", file.file_stem().unwrap().to_str().unwrap());
        let is_named = |rule: &&Yaml| rule["metadata"]["name"].as_str() == Some(name.as_str());
        let rule = built.of_kind("PrometheusRule").find(is_named);
        let expected = YamlLoader::load_from_str(&fs::read_to_string(file).unwrap()).unwrap().remove(0);
        // Keys come back in another order.
        let same = rule.is_some_and(|rule| sorted(&rule["spec"]) == sorted(&expected));
        assert!(same, "{name}: run deploy/kubernetes/components/monitoring/make-rules");
    }
    assert_eq!(built.of_kind("PrometheusRule").count(), rules.len());
}

/// The same with the keys of every map in order.
fn sorted(yaml: &Yaml) -> Yaml {
    if let Some(items) = yaml.as_vec() {
        return Yaml::Array(items.iter().map(sorted).collect());
    }
    let Some(map) = yaml.as_hash() else { return yaml.clone() };
    let entries: BTreeMap<Yaml, Yaml> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
    Yaml::Hash(entries.into_iter().collect())
}
