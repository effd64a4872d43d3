//! What an expression of Prometheus reads: metrics, and the labels by which it picks and groups them.
//!
//! Invariant: nothing that could be a metric is passed over in silence. Deliberately absent: whether the expression makes sense,
//! which promtool says.

use std::collections::{BTreeMap, BTreeSet};

use sas_router::telemetry::catalog::{Kind, METRICS, Metric};
use sas_router::telemetry::values;

/// Labels that Prometheus itself gives.
const LABELS_OF_PROMETHEUS: [&str; 6] = ["instance", "job", "le", "alertname", "alertstate", "severity"];
/// Series that Prometheus itself makes, and those that the program does not declare.
const SERIES_OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];
/// What may stand before a list of labels in parentheses.
const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Words that are neither metrics nor functions.
const WORDS: [&str; 7] = ["and", "or", "unless", "bool", "offset", "inf", "nan"];

/// What an expression reads.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Read {
    /// Metrics, with the labels by which each is picked.
    pub(crate) metrics: BTreeMap<String, BTreeSet<String>>,
    /// Labels by which it is grouped or matched.
    pub(crate) groups: BTreeSet<String>,
}

/// What an expression reads; Grafana's variables stand for values.
pub(crate) fn read(expression: &str) -> Read {
    let tokens = tokens(expression);
    let mut read = Read::default();
    let mut last_metric = String::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1).map_or("", String::as_str);
        if token == "{" {
            let end = closing(&tokens, at, "}");
            let labels = tokens[at..end].windows(2).filter(|pair| ["=", "!"].contains(&pair[1].as_str()));
            let labels = labels.map(|pair| pair[0].clone()).filter(|label| is_name(label));
            read.metrics.entry(last_metric.clone()).or_default().extend(labels);
            at = end;
        } else if GROUPING.contains(&token.as_str()) {
            if next == "(" {
                let end = closing(&tokens, at, ")");
                read.groups.extend(tokens[at + 1..end].iter().filter(|one| is_name(one)).cloned());
                at = end;
            }
        } else if is_name(token) && next != "(" && !WORDS.contains(&token.to_lowercase().as_str()) {
            // An aggregation may say `by` before its parentheses.
            if !GROUPING.contains(&next) {
                last_metric.clone_from(token);
                read.metrics.entry(token.clone()).or_default();
            }
        }
        at += 1;
    }
    read
}

/// What is wrong with the metrics and labels of an expression, given the rules that record series.
pub(crate) fn misread(expression: &str, recorded: &BTreeMap<String, String>) -> Vec<String> {
    let read = read(expression);
    let mut wrong = Vec::new();
    let mut known: BTreeSet<String> = LABELS_OF_PROMETHEUS.map(str::to_owned).into();
    for (metric, picked_by) in &read.metrics {
        let Some(labels) = labels_of(metric, recorded) else {
            wrong.push(format!("{metric}: nothing of this name is declared or recorded"));
            continue;
        };
        let strange = picked_by.iter().filter(|label| !labels.contains(*label));
        wrong.extend(strange.map(|label| format!("{metric} has no label {label}")));
        known.extend(labels);
    }
    for (metric, label, value) in picked_values(expression) {
        let closed = declared_metric(&metric).and_then(|metric| values(metric.name, attribute_of(metric, &label)?));
        if closed.is_some_and(|closed| !closed.contains(&value.as_str())) {
            wrong.push(format!("{label} of {metric} is never {value}"));
        }
    }
    let strange = read.groups.iter().filter(|label| !known.contains(*label));
    wrong.extend(strange.map(|label| format!("nothing in it has a label {label}")));
    wrong
}

/// The declared metrics that an expression reads, also through rules that record series.
pub(crate) fn declared(expression: &str, recorded: &BTreeMap<String, String>) -> BTreeSet<&'static str> {
    let names: Vec<_> = read(expression).metrics.into_keys().collect();
    let through = |name: &String| recorded.get(name).map(|inner| declared(inner, recorded)).unwrap_or_default();
    names.iter().flat_map(|name| base(name).into_iter().chain(through(name))).collect()
}

/// The values by which series are picked, as metric, label and value; each of several, and no patterns and variables.
pub(crate) fn picked_values(expression: &str) -> Vec<(String, String, String)> {
    let mut picked = Vec::new();
    for (at, _) in expression.match_indices('{') {
        let before = &expression[..at];
        let is_part = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | ':');
        let metric = &before[before.trim_end_matches(is_part).len()..];
        let Some(end) = expression[at..].find('}') else { continue };
        for pair in expression[at + 1..at + end].split("\",") {
            let Some((label, texts)) = pair.split_once('"') else { continue };
            let label = label.trim_matches(|one: char| !is_part(one));
            let texts =
                texts.trim_end_matches('"').split('|').filter(|text| !text.is_empty() && text.chars().all(is_part));
            picked.extend(texts.map(|text| (metric.to_owned(), label.to_owned(), text.to_owned())));
        }
    }
    picked
}

/// The metric of which a series is part.
pub(crate) fn declared_metric(series: &str) -> Option<&'static Metric> {
    let name = base(series)?;
    METRICS.iter().find(|metric| metric.name == name)
}

/// The attribute that is scraped as a label.
pub(crate) fn attribute_of(metric: &Metric, label: &str) -> Option<&'static str> {
    metric
        .attributes
        .iter()
        .copied()
        .zip(metric.scraped_labels())
        .find(|(_, scraped)| scraped == label)
        .map(|(it, _)| it)
}

/// The labels that a series may have; `None` when there is no such series.
fn labels_of(name: &str, recorded: &BTreeMap<String, String>) -> Option<BTreeSet<String>> {
    let mut labels: BTreeSet<String> = LABELS_OF_PROMETHEUS.map(str::to_owned).into();
    if let Some(expression) = recorded.get(name) {
        labels.extend(read(expression).groups);
    } else if let Some(name) = base(name) {
        let metric = METRICS.iter().find(|metric| metric.name == name)?;
        labels.extend(metric.scraped_labels());
    } else if !SERIES_OF_PROMETHEUS.contains(&name) {
        return None;
    }
    Some(labels)
}

/// The declared metric of which a series is part.
fn base(name: &str) -> Option<&'static str> {
    METRICS.iter().find_map(|metric| {
        let scraped = metric.scraped_name();
        let is_it = match metric.kind {
            Kind::Histogram(_) => ["_bucket", "_sum", "_count"].iter().any(|part| format!("{scraped}{part}") == name),
            Kind::Counter | Kind::Gauge => scraped == name,
        };
        is_it.then_some(metric.name)
    })
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// Where what opens at or after a token closes; lists of labels do not nest.
fn closing(tokens: &[String], from: usize, end: &str) -> usize {
    from + tokens[from..].iter().position(|token| token == end).expect("it closes")
}

/// Names, numbers with their unit, and single signs; texts and comments are left out.
fn tokens(expression: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let is_word = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | ':' | '.' | '$');
        let length = if first == '"' || first == '\'' {
            2 + rest[1..].find(first).expect("a text ends")
        } else if first == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if is_word(first) {
            rest.find(|one| !is_word(one)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let token = &rest[..length];
        if !first.is_whitespace() && !matches!(first, '"' | '\'' | '#') {
            tokens.push(token.to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

#[test]
fn an_expression_is_read_to_its_last_label() {
    let text = "sum by (source) (rate(sas_booking_phantoms_total{source!=\"a{b}\", job=~'x'}[5m])) > on (instance) up offset 1h # sas_x";
    let read = read(text);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(read.metrics["sas_booking_phantoms_total"], names(&["source", "job"]));
    assert_eq!(read.metrics.keys().collect::<Vec<_>>(), ["sas_booking_phantoms_total", "up"]);
    assert_eq!(read.groups, names(&["source", "instance"]));
    assert_eq!(misread(text, &BTreeMap::new()), [""; 0]);
    let wrong =
        misread("sum by (colour) (sas_find_answers{case_id=\"1\"}) + sas_ready{outcome=\"x\"}", &BTreeMap::new());
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    let never =
        misread("sas_slots{territory=\"1\", state=~\"free|gone\"} and sas_slots{state!=\"$state\"}", &BTreeMap::new());
    assert_eq!(never, ["state of sas_slots is never gone"]);
}
