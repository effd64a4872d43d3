//! Every metric, declared once: name, kind, unit, help, attributes, and the most series that it has.
//!
//! Invariant: what is scraped, what is exported and what the documentation lists is this table. Names follow the conventions of
//! OpenTelemetry; a scrape writes them as Prometheus does (`sas.find.answers` becomes `sas_find_answers_total`).

/// How a metric behaves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// It only grows while the process runs.
    Counter,
    /// How something stands now.
    Gauge,
    /// How values are distributed, in these buckets.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its unit, as UCUM writes it; a pure number has what is counted in braces, and only a share or a ratio has `1`.
    pub unit: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// By what it is told apart.
    pub attributes: &'static [&'static str],
    /// Most series; what would be one more is told together, under `otel.metric.overflow`, or left out and counted in
    /// `sas.telemetry.series.left_out`.
    pub series_max: usize,
}

/// Buckets of a call, in seconds: from 50 microseconds to 10 seconds.
const CALL_SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Buckets of a search in memory, in seconds: from 5 microseconds to 50 milliseconds.
const SEARCH_SECONDS: &[f64] =
    &[0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05];
/// Buckets of how many options an answer has.
const OPTIONS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0];

const fn counter(name: &'static str, unit: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit, help, attributes: &[], series_max: 1 }
}

const fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, help, attributes: &[], series_max: 1 }
}

const fn histogram(name: &'static str, buckets: &'static [f64], unit: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram(buckets), unit, help, attributes: &[], series_max: 1 }
}

impl Metric {
    /// The same, told apart by attributes into at most so many series.
    const fn by(self, attributes: &'static [&'static str], series_max: usize) -> Self {
        Self { attributes, series_max, ..self }
    }

    /// Its name in a scrape: with the unit that is not an annotation, and `_total` where it only grows. A histogram is this name
    /// with `_bucket`, `_sum` and `_count`.
    #[must_use]
    pub fn scraped_name(&self) -> String {
        let name = scraped(self.name);
        let unit = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            "1" => "_ratio",
            _ => "",
        };
        let suffix = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{name}{unit}{suffix}")
    }

    /// Its attributes as the labels of a scrape.
    pub fn scraped_labels(&self) -> impl Iterator<Item = String> {
        self.attributes.iter().map(|attribute| scraped(attribute))
    }
}

/// A name of OpenTelemetry as Prometheus writes it.
fn scraped(name: &str) -> String {
    name.replace('.', "_")
}

/// The metric with this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Most series of one CPTS, need and band of ages.
pub const TENSION_SERIES_MAX: usize = 20_000;
/// Most series of one CPTS and its sorts of slots.
pub const SLOT_SERIES_MAX: usize = 20_000;
/// Most series by source.
pub const SOURCE_SERIES_MAX: usize = 500;
/// Most series by CPTS.
pub const TERRITORY_SERIES_MAX: usize = 1_500;

/// All of them, in the order in which they are listed.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    // Calls.
    histogram("rpc.server.call.duration", CALL_SECONDS, "s", "Duration of calls, streams until their end")
        .by(&["rpc.system.name", "rpc.method", "rpc.response.status_code", "error.type"], 1_000),
    gauge("sas.calls.active", "{call}", "Calls under way").by(&["kind"], 3),
    gauge("sas.calls.max", "{call}", "Calls that may be under way; one more is refused, unless it confirms, releases, cancels or is an escalation").by(&["kind"], 3),
    counter("sas.calls.shed", "{call}", "Calls refused for want of room").by(&["kind"], 3),
    gauge("sas.connections.active", "{connection}", "Connections that are open"),
    // Questions.
    counter("sas.find.answers", "{answer}", "Answers to FindCare and the first answers of WatchCare; modality is that of the first option, `none` without one")
        .by(&["outcome", "department", "care_level", "modality"], 6_000),
    histogram("sas.find.duration", SEARCH_SECONDS, "s", "Time that the service took for an answer, transport aside").by(&["outcome"], 10),
    histogram("sas.find.options", OPTIONS, "{option}", "Options per answer").by(&["outcome"], 10),
    counter("sas.find.near_misses", "{near_miss}", "Near misses told, by the rule that each failed").by(&["rule"], 64),
    counter("sas.find.unknown", "{answer}", "Answers that could not tell whether there is care, because sources are silent"),
    gauge("sas.find.first_offers.share", "1", "Of practitioners named first in answers since the start: the most, the 99th percentile and the median of their shares; max_to_median is the ratio")
        .by(&["statistic"], 4),
    gauge("sas.watches.active", "{watch}", "Calls followed through WatchCare now"),
    // Tension.
    gauge("sas.tension.first_slot", "s", "Time to the first free slot; absent where none is free")
        .by(&["territory", "specialty", "age_band"], TENSION_SERIES_MAX),
    gauge("sas.tension.threshold", "s", "Time to the first slot above which a need is tense")
        .by(&["territory", "specialty", "age_band"], TENSION_SERIES_MAX),
    gauge("sas.tension.needs", "{need}", "Needs (CPTS, specialty, band of ages) by how they stand: met, tense, none_free")
        .by(&["territory", "state"], 3 * TERRITORY_SERIES_MAX),
    // Slots and sources.
    gauge("sas.slots", "{slot}", "Slots that are not over, by state: free, held, booked, closed; one of several territories counts in each, and territory is empty where a slot has none")
        .by(&["territory", "state", "visibility"], SLOT_SERIES_MAX),
    counter("sas.publish.rows", "{row}", "Rows of publishers by what became of them: created, updated, unchanged, withdrawn, refused").by(&["source", "status"], 5 * SOURCE_SERIES_MAX),
    histogram("sas.publish.visible", CALL_SECONDS, "s", "Time from taking a batch of rows until questions see it"),
    gauge("sas.source.age", "s", "Time since a source was heard, by a heartbeat or by stating something").by(&["source"], SOURCE_SERIES_MAX),
    gauge("sas.source.schedules", "{schedule}", "Schedules of a source").by(&["source"], SOURCE_SERIES_MAX),
    gauge("sas.sources", "{source}", "Sources by how far they are believed: CERTAIN, UNCERTAIN, HIDDEN").by(&["confidence"], 3),
    gauge("sas.sources.silent", "{source}", "Sources that have a lease and do not keep it"),
    // Booking.
    counter("sas.booking.operations", "{operation}", "Holds, confirmations, releases, cancellations and rebookings by result: done, replayed, or the reason of the refusal")
        .by(&["operation", "result"], 200),
    counter("sas.booking.conflicts", "{hold}", "Holds and rebookings refused because the slot was taken").by(&["source"], SOURCE_SERIES_MAX),
    counter("sas.booking.phantoms", "{refusal}", "Offers refused because there was no appointment after all").by(&["source"], SOURCE_SERIES_MAX),
    counter("sas.booking.late_confirms", "{operation}", "Confirmations refused because the hold had ended"),
    counter("sas.booking.beyond_delay", "{operation}", "Slots held or booked beyond the clinical delay"),
    gauge("sas.booking.holds", "{hold}", "Holds that live now"),
    counter("sas.booking.expired_holds", "{hold}", "Holds that ended without confirmation or release, noticed when somebody looks; every instance counts all"),
    gauge("sas.booking.fill", "1", "Part of the units of slots that begin today, by local day, that is booked").by(&["territory"], TERRITORY_SERIES_MAX),
    gauge("sas.booking.quarantined", "{claim}", "Claims that the ledger lost and nobody settled yet"),
    // The ledger.
    gauge("sas.ledger.position", "{change}", "Number of the last change that is shown"),
    gauge("sas.ledger.epoch", "{epoch}", "Generation of the history that is followed"),
    gauge("sas.ledger.lag", "{change}", "Changes of the shared ledger that are not shown yet"),
    gauge("sas.ledger.lag.duration", "s", "How far what is shown is behind the shared ledger at most; it grows while the ledger's server is not heard"),
    gauge("sas.ledger.durability", "{class}", "1 for the class of what an acknowledged write survives").by(&["class"], 8),
    gauge("sas.ledger.writable", "{instance}", "1 while writes are accepted"),
    gauge("sas.ledger.queue", "{append}", "Appends that were asked for and are not answered"),
    histogram("sas.ledger.append.duration", CALL_SECONDS, "s", "Time from asking for an append until it is durable and shown; conflict also is how a retry is looked for").by(&["result"], 12),
    counter("sas.ledger.refusals", "{append}", "Appends that the ledger did not carry out").by(&["reason"], 16),
    counter("sas.ledger.divergences", "{divergence}", "Times that the log did not continue what was followed"),
    counter("sas.ledger.reloads", "{reload}", "Times that every record was read anew"),
    counter("sas.ledger.digest_mismatches", "{mismatch}", "Times that another instance had another digest at the same position"),
    counter("sas.ledger.reconnections", "{session}", "Sessions with the ledger's server that ended"),
    counter("sas.ledger.epochs", "{epoch}", "Epochs that began"),
    gauge("sas.instances", "{instance}", "Instances that share the ledger, by state: live, silent").by(&["state"], 2),
    // The process.
    gauge("sas.conditions", "{condition}", "1 while a condition stands; `status` tells what to do about it").by(&["code", "degrades"], 32),
    gauge("sas.ready", "{instance}", "1 while this instance should get calls, as `/readyz` says: it has its whole state and does not end; one that refuses writes is ready"),
    gauge("sas.index.records", "{record}", "Records in memory").by(&["kind"], 10),
    gauge("process.memory.usage", "By", "Resident memory of the process"),
    gauge("process.uptime", "s", "Time since the process began, before its ledger was open"),
    counter("sas.road.tables", "{table}", "Tables of road times by result: asked, failed, skipped").by(&["result"], 3),
    counter("sas.telemetry.dropped", "{item}", "Spans and batches of metrics that could not be exported").by(&["signal"], 2),
    gauge("sas.telemetry.series.left_out", "{series}", "Series left out now because their metric has too many; absent for one that never had").by(&["metric"], 16),
    gauge("sas.build.info", "{build}", "1, with the version of the program").by(&["version"], 1),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use opentelemetry::KeyValue;
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    use super::*;

    #[test]
    fn every_metric_has_one_name_a_help_and_a_bound() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            let is_plain = |one: char| one.is_ascii_lowercase() || matches!(one, '.' | '_');
            assert!(metric.name.chars().all(is_plain), "{}", metric.name);
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{}", metric.name);
            assert!(
                metric.attributes.is_empty() == (metric.series_max == 1) || metric.name == "sas.build.info",
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn names_in_a_scrape_are_those_that_the_exporter_writes() {
        for metric in METRICS {
            let registry = prometheus::Registry::new();
            let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
            let exporter = exporter.without_target_info().scope_info_enabled(false).build().unwrap();
            let provider = SdkMeterProvider::builder().with_reader(exporter).build();
            let meter = provider.meter("test");
            let attributes: Vec<_> = metric.attributes.iter().map(|name| KeyValue::new(*name, "x")).collect();
            match metric.kind {
                Kind::Counter => meter.u64_counter(metric.name).with_unit(metric.unit).build().add(1, &attributes),
                Kind::Gauge => meter.f64_gauge(metric.name).with_unit(metric.unit).build().record(1.0, &attributes),
                Kind::Histogram(_) => {
                    meter.f64_histogram(metric.name).with_unit(metric.unit).build().record(1.0, &attributes);
                }
            }
            let families = registry.gather();
            let [family] = families.as_slice() else { panic!("{}: {families:?}", metric.name) };
            assert_eq!(metric.scraped_name(), family.name());
            let labels: BTreeSet<_> = family.get_metric()[0].get_label().iter().map(|label| label.name()).collect();
            assert_eq!(
                metric.scraped_labels().collect::<Vec<_>>().iter().map(String::as_str).collect::<BTreeSet<_>>(),
                labels
            );
        }
    }
}
