//! Every metric of the catalog as an instrument, once.
//!
//! Invariant: name, unit, help, buckets and the limit of series are the catalog's. What a metric is not recorded for is read
//! when somebody looks. Deliberately absent: instruments that the catalog does not know; the constructors give them no unit and no
//! help, and a test finds them.

use std::sync::Arc;

use opentelemetry::metrics::{Counter, Histogram, Meter};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, Stream};

use super::catalog::{self, Kind};
use super::readings::{Panel, read_names};
use super::recorder::RECORDED;

/// A counter of the catalog.
pub(super) fn counter(meter: &Meter, name: &'static str) -> Counter<u64> {
    let (unit, help) = unit_and_help(name);
    meter.u64_counter(name).with_unit(unit).with_description(help).build()
}

/// A histogram of the catalog.
pub(super) fn histogram(meter: &Meter, name: &'static str) -> Histogram<f64> {
    let (unit, help) = unit_and_help(name);
    meter.f64_histogram(name).with_unit(unit).with_description(help).build()
}

/// Makes an instrument of every metric that is read.
pub(super) fn read_from(meter: &Meter, panel: &Arc<Panel>) {
    for name in read_names(&RECORDED) {
        let (unit, help) = unit_and_help(name);
        let panel = Arc::clone(panel);
        let is_counter = catalog::named(name).is_some_and(|metric| metric.kind == Kind::Counter);
        let read = move |observe: &mut dyn FnMut(f64, &[opentelemetry::KeyValue])| {
            let reading = panel.reading();
            for (value, attributes) in reading.get(name).into_iter().flatten() {
                observe(*value, attributes);
            }
        };
        // The provider keeps the callback; the handle that is returned does nothing.
        if is_counter {
            let builder = meter.f64_observable_counter(name).with_unit(unit).with_description(help);
            drop(builder.with_callback(move |observer| read(&mut |value, by| observer.observe(value, by))).build());
        } else {
            let builder = meter.f64_observable_gauge(name).with_unit(unit).with_description(help);
            drop(builder.with_callback(move |observer| read(&mut |value, by| observer.observe(value, by))).build());
        }
    }
}

/// The stream of an instrument: as many series as the catalog allows, in its buckets.
pub(super) fn stream_of(instrument: &Instrument) -> Option<Stream> {
    let metric = catalog::named(instrument.name())?;
    let stream = Stream::builder().with_cardinality_limit(metric.series_max);
    let stream = match metric.kind {
        Kind::Histogram(buckets) => stream.with_aggregation(Aggregation::ExplicitBucketHistogram {
            boundaries: buckets.to_vec(),
            record_min_max: false,
        }),
        Kind::Counter | Kind::Gauge => stream,
    };
    stream.build().ok()
}

fn unit_and_help(name: &str) -> (&'static str, &'static str) {
    catalog::named(name).map_or(("", ""), |metric| (metric.unit, metric.help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_recorded_stands_in_the_catalog_as_what_it_is() {
        for name in RECORDED {
            let metric = catalog::named(name).unwrap();
            assert_ne!(metric.kind, Kind::Gauge, "{name}");
        }
        let histograms = catalog::METRICS.iter().filter(|metric| matches!(metric.kind, Kind::Histogram(_)));
        assert!(histograms.clone().all(|metric| RECORDED.contains(&metric.name)), "a histogram cannot be read");
    }
}
