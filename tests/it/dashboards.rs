//! The files of `deploy/grafana`: dashboards that say in plain words what they show, of metrics that are there.
//!
//! Invariant: every declared metric is on a dashboard. Deliberately absent: how they look, for which Grafana is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sas_router::telemetry::catalog::METRICS;
use serde_json::Value;
use yaml_rust2::YamlLoader;

use crate::alarms::{promtool, recorded};
use crate::harness::promql;

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;
/// The dashboards: file, and the identifier under which links and bookmarks find each.
const DASHBOARDS: [(&str, &str); 5] = [
    ("overview.json", "sas-overview"),
    ("freshness.json", "sas-freshness"),
    ("tension.json", "sas-tension"),
    ("booking.json", "sas-booking"),
    ("instance.json", "sas-instance"),
];
/// Panels that show no series.
const WITHOUT_SERIES: [&str; 2] = ["text", "row"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana")
}

fn dashboards() -> Vec<(&'static str, Value)> {
    let load = |file: &str| serde_json::from_str(&fs::read_to_string(folder().join("dashboards").join(file)).unwrap());
    DASHBOARDS.iter().map(|(file, _)| (*file, load(file).unwrap_or_else(|error| panic!("{file}: {error}")))).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Expressions of the panels and of the variables, with Grafana's own variables filled in.
fn expressions(dashboard: &Value) -> Vec<String> {
    let targets = list(dashboard, "panels").iter().flat_map(|panel| list(panel, "targets"));
    let shown = targets.map(|target| text(target, "expr").to_owned());
    let variables = list(&dashboard["templating"], "list").iter().filter(|variable| text(variable, "type") == "query");
    let listed = variables.map(|variable| {
        let values =
            text(&variable["query"], "query").strip_prefix("label_values(").and_then(|it| it.strip_suffix(')'));
        let (series, label) = values.unwrap().rsplit_once(", ").unwrap();
        format!("count by ({label}) ({series})")
    });
    let filled = [("$__rate_interval", "5m"), ("$__range", "1h"), ("$__interval", "1m")];
    shown.chain(listed).map(|one| filled.iter().fold(one, |one, (from, to)| one.replace(from, to))).collect()
}

#[test]
fn dashboards_are_the_files_that_are_there_and_keep_their_identifiers() {
    let there = fs::read_dir(folder().join("dashboards")).unwrap();
    let there: BTreeSet<_> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, DASHBOARDS.iter().map(|(file, _)| (*file).to_owned()).collect());
    for ((file, uid), (_, dashboard)) in DASHBOARDS.iter().zip(dashboards()) {
        assert_eq!(text(&dashboard, "uid"), *uid, "{file}");
        assert!(!text(&dashboard, "title").is_empty() && !text(&dashboard, "description").is_empty(), "{file}");
        assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39, "{file}");
        assert!(dashboard["id"].is_null(), "{file}: an id belongs to one Grafana");
        assert_eq!(dashboard["editable"], false, "{file}: the file is the source");
        assert!(list(&dashboard, "tags").iter().any(|tag| tag == "sas-router"), "{file}");
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for (file, dashboard) in dashboards() {
        let mut ids = BTreeSet::new();
        for panel in list(&dashboard, "panels") {
            let title = text(panel, "title");
            assert!(!title.is_empty(), "{file}: a panel without title");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: {title}: its id is taken");
            if text(panel, "type") == "row" {
                continue;
            }
            assert!(text(panel, "description").len() > 30, "{file}: {title}: no description");
            if WITHOUT_SERIES.contains(&text(panel, "type")) {
                continue;
            }
            assert!(!text(&panel["fieldConfig"]["defaults"], "unit").is_empty(), "{file}: {title}: no unit");
            assert!(!list(panel, "targets").is_empty(), "{file}: {title}: asks for nothing");
            for target in list(panel, "targets") {
                assert_eq!(text(&target["datasource"], "uid"), "${datasource}", "{file}: {title}");
            }
            assert_eq!(text(&panel["datasource"], "uid"), "${datasource}", "{file}: {title}");
        }
    }
}

#[test]
fn panels_lie_beside_each_other_on_the_grid() {
    for (file, dashboard) in dashboards() {
        let mut taken: BTreeMap<(u64, u64), String> = BTreeMap::new();
        for panel in list(&dashboard, "panels") {
            let [x, y, width, height] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            let title = text(panel, "title");
            assert!(width > 0 && height > 0 && x + width <= COLUMNS, "{file}: {title} is beside the grid");
            for cell in (x..x + width).flat_map(|column| (y..y + height).map(move |row| (column, row))) {
                let before = taken.insert(cell, title.to_owned());
                assert_eq!(before, None, "{file}: {title} covers another panel");
            }
        }
    }
}

#[test]
fn variables_are_defined_where_they_are_used_and_used_where_they_are_defined() {
    for (file, dashboard) in dashboards() {
        let whole = dashboard.to_string();
        let variables = list(&dashboard["templating"], "list");
        let defined: BTreeSet<_> = variables.iter().map(|variable| text(variable, "name")).collect();
        assert!(defined.contains("datasource"), "{file}");
        let all = expressions(&dashboard).concat();
        for name in defined.iter().filter(|name| **name != "datasource") {
            assert!(all.contains(&format!("=~\"${name}\"")), "{file}: nothing is picked by ${name}");
        }
        for (at, _) in all.match_indices('$') {
            let name: String =
                all[at + 1..].chars().take_while(|one| one.is_ascii_alphanumeric() || *one == '_').collect();
            assert!(defined.contains(name.as_str()), "{file}: ${name} is not defined");
        }
        for (at, _) in whole.match_indices("/d/") {
            let uid = whole[at + 3..].split(['/', '"', '?']).next().unwrap();
            assert!(DASHBOARDS.iter().any(|(_, known)| *known == uid), "{file}: links to {uid}");
        }
    }
}

#[test]
fn dashboards_ask_only_for_what_is_declared_or_recorded() {
    let recorded = recorded();
    for (file, dashboard) in dashboards() {
        for expression in expressions(&dashboard) {
            let wrong = promql::misread(&expression, &recorded);
            assert!(wrong.is_empty(), "{file}: {expression}: {wrong:?}");
        }
    }
}

#[test]
fn prometheus_understands_every_expression_of_a_dashboard() {
    let mut rules = "groups:\n- name: dashboards\n  rules:\n".to_owned();
    let all: Vec<_> = dashboards().iter().flat_map(|(_, dashboard)| expressions(dashboard)).collect();
    for (at, expression) in all.iter().enumerate() {
        writeln!(rules, "  - record: panel:{at}\n    expr: {}", Value::from(expression.as_str())).unwrap();
    }
    let site = tempfile::tempdir().unwrap();
    let file = site.path().join("rules.yaml");
    fs::write(&file, rules).unwrap();
    let said = promtool(&["check", "rules"], &[file]);
    assert!(said.contains(&format!("{} rules found", all.len())), "{said}");
}

#[test]
fn every_declared_metric_is_on_a_dashboard() {
    let recorded = recorded();
    let all: Vec<_> = dashboards().iter().flat_map(|(_, dashboard)| expressions(dashboard)).collect();
    let shown: BTreeSet<_> = all.iter().flat_map(|expression| promql::declared(expression, &recorded)).collect();
    let missing: Vec<_> = METRICS.iter().map(|metric| metric.name).filter(|name| !shown.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn grafana_is_told_where_prometheus_and_the_dashboards_are() {
    let load = |file: &str| {
        let text = fs::read_to_string(folder().join("provisioning").join(file)).unwrap();
        YamlLoader::load_from_str(&text).unwrap().remove(0)
    };
    let source = &load("datasources/prometheus.yaml")["datasources"][0];
    assert_eq!(source["type"].as_str(), Some("prometheus"));
    assert_eq!(source["uid"].as_str(), Some("sas-prometheus"));
    for (file, dashboard) in dashboards() {
        let variables = list(&dashboard["templating"], "list");
        let datasource = variables.iter().find(|variable| text(variable, "name") == "datasource").unwrap();
        assert_eq!(text(datasource, "query"), "prometheus", "{file}");
        assert_eq!(text(&datasource["current"], "value"), "sas-prometheus", "{file}");
    }
    let provider = &load("dashboards/sas-router.yaml")["providers"][0];
    assert_eq!(provider["options"]["path"].as_str(), Some("/etc/grafana/dashboards"));
    assert_eq!(provider["allowUiUpdates"].as_bool(), Some(false));
}
