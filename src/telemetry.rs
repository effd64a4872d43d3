//! What the service tells about itself: logs, metrics, traces.
//!
//! Invariant: no signal holds the position of a patient, a case, a name or a secret, and the number of series of every metric is
//! bounded ([`catalog`]). Metrics are recorded ([`Telemetry`] is told what happens) or read off when somebody looks ([`Gauge`]).
//! Deliberately absent: what operators are shown as a page, which is the console's.

pub mod catalog;
mod first_offers;
mod instruments;
mod logs;
mod export;
mod of_process;
mod of_service;
mod readings;
mod recorder;
mod series;
mod table;
mod values;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider};
use prometheus::{Registry, TextEncoder};
use tokio::sync::oneshot;

use crate::service::Service;
use readings::Panel;
use recorder::Recorder;

pub use export::{Dropped, Export, ExportError, Identity};
pub use logs::{TelemetryError, start};
pub use of_process::OfProcess;
pub use readings::{Gauge, IntoF64, Readings};
pub use recorder::EndedCall;
pub use table::table;
pub use values::values;

/// Longest time that the end of either signal takes.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Name of the scope of all instruments.
const SCOPE: &str = "sas-router";

/// The metrics of this process.
pub struct Telemetry {
    provider: SdkMeterProvider,
    registry: Registry,
    recorder: Arc<Recorder>,
    panel: Arc<Panel>,
    /// What a scrape is told once the end has begun.
    last: Arc<OnceLock<String>>,
}

impl Telemetry {
    /// Instruments for everything in the catalog, scraped as Prometheus does, and read by whatever else is added.
    ///
    /// # Errors
    /// When the reader for scrapes cannot be made.
    pub fn new(
        with_readers: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
    ) -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()
            .map_err(|error| TelemetryError::Metrics(error.to_string()))?;
        let builder = SdkMeterProvider::builder().with_reader(exporter).with_view(instruments::stream_of);
        let provider = with_readers(builder).build();
        let meter = provider.meter(SCOPE);
        let panel = Arc::<Panel>::default();
        let recorder = Arc::new(Recorder::new(&meter));
        instruments::read_from(&meter, &panel);
        let first_offers = Arc::clone(&recorder.first_offers);
        panel.add(Arc::new(move |readings: &mut Readings| first_offers.read(readings)));
        Ok(Self { provider, registry, recorder, panel, last: Arc::default() })
    }

    /// Is told from now on what a service does, and reads off how it stands.
    pub fn attend(&self, service: &Service) {
        service.witnessed_by(Arc::<Recorder>::clone(&self.recorder));
        let service = service.clone();
        self.observe(move |readings: &mut Readings| of_service::read(&service, readings));
    }

    /// Reads off another gauge from now on.
    pub fn observe(&self, gauge: impl Gauge) {
        self.panel.add(Arc::new(gauge));
    }

    /// Records a call of the transport.
    pub fn call_ended(&self, call: &EndedCall<'_>) {
        self.recorder.call_ended(call);
    }

    /// Records a call of this kind that was refused because too many were under way.
    pub fn call_shed(&self, kind: &'static str) {
        self.recorder.call_shed(kind);
    }

    /// Everything that is measured, in the text format of Prometheus; how it stood at the end, once that has begun. It looks at
    /// every schedule now and then: call it on a thread that may take a while.
    #[must_use]
    pub fn scrape(&self) -> String {
        self.last.get().cloned().unwrap_or_else(|| text_of(&self.registry))
    }

    /// Sends what was measured a last time to whoever reads it, and ends; waits 2 seconds at most. A collector that takes longer
    /// keeps a thread that nobody waits for.
    pub async fn end(&self) {
        let (provider, registry, last) = (self.provider.clone(), self.registry.clone(), Arc::clone(&self.last));
        let (told, ended) = oneshot::channel();
        let end = move || {
            let _ = last.set(text_of(&registry));
            if let Err(error) = provider.shutdown() {
                tracing::debug!(%error, "the metrics were not ended in order");
            }
            // Whoever no longer waits needs no word.
            let _ = told.send(());
        };
        if let Err(error) = std::thread::Builder::new().name("telemetry-end".to_owned()).spawn(end) {
            tracing::warn!(%error, "no thread could be started to send the last metrics");
        }
        if tokio::time::timeout(END_WITHIN, ended).await.is_err() {
            tracing::warn!("the collector was too slow at the end, the last metrics may be lost");
        }
    }
}

fn text_of(registry: &Registry) -> String {
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap_or_else(|error| {
        tracing::error!(%error, "the metrics cannot be written as text");
        String::new()
    })
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::catalog::SOURCE_SERIES_MAX;
    use super::*;
    use crate::domain::id::SourceId;
    use crate::service::Reason;
    use crate::service::witness::{Operated, Operation, OperationResult, Witness as _};

    #[test]
    fn what_has_too_many_series_is_told_together_and_nothing_is_lost() {
        let telemetry = Telemetry::new(|readers| readers).unwrap();
        let sources = SOURCE_SERIES_MAX + 20;
        for number in 0..sources {
            let source = SourceId::parse(&format!("source-{number}")).unwrap();
            let result = OperationResult::Refused(Reason::SlotTaken);
            telemetry.recorder.operated(&Operated { operation: Operation::Hold, result, source: Some(&source) });
        }
        let scraped = telemetry.scrape();
        let series: Vec<_> = scraped.lines().filter(|line| line.starts_with("sas_booking_conflicts_total{")).collect();
        let value = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap();
        assert_eq!(series.iter().map(|line| value(line)).sum::<usize>(), sources);
        // All together are one series more.
        assert!((SOURCE_SERIES_MAX..=SOURCE_SERIES_MAX + 1).contains(&series.len()), "{}", series.len());
        let together: Vec<_> = series.iter().filter(|line| line.contains("otel_metric_overflow=\"true\"")).collect();
        assert!(together.len() == 1 && (20..=21).contains(&value(together[0])), "{together:?}");
    }
}
