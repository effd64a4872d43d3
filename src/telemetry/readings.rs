//! What is read off when somebody looks: gauges, and counters that others keep.
//!
//! Invariant: a metric that is read has at most the series that the catalog says; what is beyond is left out, and counted. One
//! reading serves every instrument of a scrape and, for [`READ_EVERY`], every scraper and exporter.
//! Deliberately absent: what is counted on the way of a call ([`super::recorder`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use parking_lot::Mutex;

use super::catalog::{self, METRICS};
use crate::clock::Stopwatch;

/// How long a reading stands.
const READ_EVERY: Duration = Duration::from_millis(500);
/// Under which metric the series are told that were left out.
const LEFT_OUT: &str = "sas.telemetry.series.left_out";

/// A value and what tells its series apart.
pub(super) type Series = (f64, Vec<KeyValue>);

/// The series of every metric that was read.
pub(super) type Reading = BTreeMap<&'static str, Vec<Series>>;

/// The values of all metrics that are read, as somebody reads them off.
#[derive(Debug, Default)]
pub struct Readings {
    series: BTreeMap<&'static str, Vec<Series>>,
    left_out: BTreeMap<&'static str, usize>,
}

impl Readings {
    /// Notes a value of a metric of the catalog, by the values of its attributes in the catalog's order.
    pub fn note(&mut self, name: &'static str, value: f64, attributes: &[&str]) {
        let Some(metric) = catalog::named(name) else { return };
        let series = self.series.entry(name).or_default();
        if series.len() >= metric.series_max {
            return self.leave_out(name, 1);
        }
        // Every reader of the SDK copies them several times, and once more when they are not in order.
        let keys = metric.attributes.iter().copied();
        let mut attributes: Vec<_> =
            keys.zip(attributes).map(|(key, value)| KeyValue::new(key, Arc::<str>::from(*value))).collect();
        attributes.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        series.push((value, attributes));
    }

    /// Notes that so many series of a metric are not told.
    pub fn leave_out(&mut self, name: &'static str, count: usize) {
        if count > 0 {
            *self.left_out.entry(name).or_default() += count;
        }
    }

    /// The same as [`Self::note`] of a number.
    pub fn count(&mut self, name: &'static str, value: impl IntoF64, attributes: &[&str]) {
        self.note(name, value.into_f64(), attributes);
    }
}

/// A number that a metric can show: beyond 2⁵³ it is shown about right.
pub trait IntoF64 {
    /// The same as a floating-point number.
    fn into_f64(self) -> f64;
}

#[allow(clippy::cast_precision_loss, reason = "a metric is a floating-point number, and nothing counts to 2⁵³")]
impl IntoF64 for u64 {
    fn into_f64(self) -> f64 {
        self as f64
    }
}

#[allow(clippy::cast_precision_loss, reason = "a metric is a floating-point number, and nothing counts to 2⁵³")]
impl IntoF64 for usize {
    fn into_f64(self) -> f64 {
        self as f64
    }
}

/// Whoever can be read off.
pub trait Gauge: Send + Sync + 'static {
    /// Notes how everything stands now.
    fn read(&self, readings: &mut Readings);
}

impl<F: Fn(&mut Readings) + Send + Sync + 'static> Gauge for F {
    fn read(&self, readings: &mut Readings) {
        self(readings);
    }
}

/// All that is read off, and the last reading.
#[derive(Default)]
pub(super) struct Panel {
    gauges: Mutex<Vec<Arc<dyn Gauge>>>,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    reading: Option<(Stopwatch, Arc<Reading>)>,
    /// Metrics of which series were left out at any time: that none is any more is told too.
    had_too_many: BTreeSet<&'static str>,
}

impl Panel {
    pub(super) fn add(&self, gauge: Arc<dyn Gauge>) {
        self.gauges.lock().push(gauge);
    }

    /// What was read at most [`READ_EVERY`] ago. Who comes while it is read waits for it.
    pub(super) fn reading(&self) -> Arc<Reading> {
        let mut last = self.last.lock();
        if let Some((_, reading)) = last.reading.as_ref().filter(|(read, _)| read.elapsed() < READ_EVERY) {
            return Arc::clone(reading);
        }
        let gauges = self.gauges.lock().clone();
        let mut readings = Readings::default();
        gauges.iter().for_each(|gauge| gauge.read(&mut readings));
        let left_out = std::mem::take(&mut readings.left_out);
        last.had_too_many.extend(left_out.keys());
        for name in &last.had_too_many {
            readings.count(LEFT_OUT, left_out.get(name).copied().unwrap_or_default(), &[name]);
        }
        let reading = Arc::new(readings.series);
        last.reading = Some((Stopwatch::start(), Arc::clone(&reading)));
        reading
    }
}

/// The names of all metrics that are read, which are those that nobody records.
pub(super) fn read_names(recorded: &[&str]) -> Vec<&'static str> {
    METRICS.iter().map(|metric| metric.name).filter(|name| !recorded.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_too_many_series_is_left_out_and_counted() {
        let panel = Panel::default();
        panel.add(Arc::new(|readings: &mut Readings| {
            for number in 0..catalog::SOURCE_SERIES_MAX + 7 {
                readings.count("sas.source.schedules", number, &[&number.to_string()]);
            }
        }));
        let reading = panel.reading();
        assert_eq!(reading["sas.source.schedules"].len(), catalog::SOURCE_SERIES_MAX);
        let (count, attributes) = &reading[LEFT_OUT][0];
        assert_eq!(*count, 7.0);
        assert_eq!(attributes[0].value.as_str(), "sas.source.schedules");
    }

    #[test]
    fn what_is_left_out_now_is_told_and_not_what_was() {
        let too_many = Arc::new(std::sync::atomic::AtomicUsize::new(3));
        let (panel, more) = (Panel::default(), Arc::clone(&too_many));
        panel.add(Arc::new(move |readings: &mut Readings| {
            readings.leave_out("sas.tension.threshold", more.load(std::sync::atomic::Ordering::SeqCst));
        }));
        let left_out = || {
            panel.last.lock().reading = None;
            panel.reading().get(LEFT_OUT).map(|series| series[0].0)
        };
        assert_eq!([left_out(), left_out()], [Some(3.0), Some(3.0)], "it does not grow with readings");
        too_many.store(0, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(left_out(), Some(0.0));
    }

    #[test]
    fn one_reading_serves_every_instrument() {
        let reads = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let panel = Panel::default();
        let counted = Arc::clone(&reads);
        panel.add(Arc::new(move |_: &mut Readings| {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }));
        let (first, second) = (panel.reading(), panel.reading());
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(reads.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
