//! The series of a metric, each bound to its attributes at its first time: recording it again looks nothing up but a short key.
//!
//! Invariant: keys are the program's own words, so that there are only so many; one key is one set of attributes, and what goes
//! beyond the catalog's limit is told together, as without keys. Nobody waits, but whoever meets a series first copies the keys.
//! Deliberately absent: sources and whatever else publishers name. There is no end of them, and they are rare: they are recorded
//! without a key.

use std::hash::Hash;

use arc_swap::ArcSwap;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram};
use rustc_hash::FxHashMap;

/// What records values that attributes tell apart.
pub(super) trait Instrument {
    /// What it records.
    type Value;
    /// The same of one set of attributes.
    type Bound: Clone;

    /// Settles the attributes.
    fn bind(&self, attributes: &[KeyValue]) -> Self::Bound;

    /// Records a value of settled attributes.
    fn record(bound: &Self::Bound, value: Self::Value);
}

impl Instrument for Counter<u64> {
    type Value = u64;
    type Bound = BoundCounter<u64>;

    fn bind(&self, attributes: &[KeyValue]) -> Self::Bound {
        Counter::bind(self, attributes)
    }

    fn record(bound: &Self::Bound, count: u64) {
        bound.add(count);
    }
}

impl Instrument for Histogram<f64> {
    type Value = f64;
    type Bound = BoundHistogram<f64>;

    fn bind(&self, attributes: &[KeyValue]) -> Self::Bound {
        Histogram::bind(self, attributes)
    }

    fn record(bound: &Self::Bound, value: f64) {
        bound.record(value);
    }
}

/// The series of a metric by what tells them apart.
pub(super) struct Series<K, I: Instrument> {
    instrument: I,
    attributes: fn(K) -> Vec<KeyValue>,
    bound: ArcSwap<FxHashMap<K, I::Bound>>,
}

impl<K: Copy + Eq + Hash, I: Instrument> Series<K, I> {
    /// The series of an instrument, and the attributes that a key stands for.
    pub(super) fn of(instrument: I, attributes: fn(K) -> Vec<KeyValue>) -> Self {
        Self { instrument, attributes, bound: ArcSwap::default() }
    }

    /// Records a value of a series.
    pub(super) fn record(&self, key: K, value: I::Value) {
        if let Some(bound) = self.bound.load().get(&key) {
            return I::record(bound, value);
        }
        I::record(&self.bind(key), value);
    }

    /// Binds a series. Who does it at the same time binds the same one.
    fn bind(&self, key: K) -> I::Bound {
        let bound = self.instrument.bind(&(self.attributes)(key));
        self.bound.rcu(|known| {
            let mut known = FxHashMap::clone(known);
            known.insert(key, bound.clone());
            known
        });
        bound
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use prometheus::Registry;

    use super::*;

    /// A provider whose metrics are scraped from a registry.
    fn scraped() -> (SdkMeterProvider, Registry) {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
        (SdkMeterProvider::builder().with_reader(exporter).build(), registry)
    }

    /// What a scrape tells of a counter, by its labels.
    fn counts(registry: &Registry) -> Vec<(String, f64)> {
        let families = registry.gather();
        let family = families.iter().find(|family| family.name() == "asked_total").unwrap();
        let mut counts: Vec<_> = family
            .get_metric()
            .iter()
            .map(|one| {
                let labels = one.get_label().iter().filter(|label| !label.name().starts_with("otel"));
                (labels.map(|label| label.value()).collect::<String>(), one.get_counter().get_value())
            })
            .collect();
        counts.sort_by(|(one, _), (other, _)| one.cmp(other));
        counts
    }

    fn asked(provider: &SdkMeterProvider) -> Counter<u64> {
        provider.meter("test").u64_counter("asked").build()
    }

    #[test]
    fn threads_that_meet_new_series_at_the_same_time_lose_no_count() {
        let (provider, registry) = scraped();
        let series = Arc::new(Series::of(asked(&provider), |number: u32| vec![KeyValue::new("n", number.to_string())]));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..2_000).for_each(|round| series.record(round % 10, 1)));
            }
        });
        let expected: Vec<_> = (0..10).map(|number| (number.to_string(), 800.0)).collect();
        assert_eq!(counts(&registry), expected);
    }

    #[test]
    fn what_is_recorded_with_a_key_and_without_is_one_series() {
        let (provider, registry) = scraped();
        let counter = asked(&provider);
        counter.add(2, &[KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
        let series = Series::of(counter, |()| vec![KeyValue::new("b", "2"), KeyValue::new("a", "1")]);
        (0..3).for_each(|_| series.record((), 1));
        assert_eq!(counts(&registry), [("12".to_owned(), 5.0)]);
    }

    #[test]
    fn a_series_begins_with_its_first_value_even_if_that_is_0() {
        let (provider, registry) = scraped();
        let series = Series::of(asked(&provider), |word: &'static str| vec![KeyValue::new("word", word)]);
        series.record("rare", 0);
        assert_eq!(counts(&registry), [("rare".to_owned(), 0.0)]);
    }
}
