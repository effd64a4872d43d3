//! Metrics on their way to a collector, counted when they do not arrive.
//!
//! The next batch tells the same counters anew, so that what is lost is how they stood in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use super::Dropped;

/// Sends metrics and counts what was not taken.
pub(super) struct Counted {
    pub(super) exporter: MetricExporter,
    pub(super) dropped: Arc<Dropped>,
    /// Whether the last batch was taken, so that a collector that is away is told of once.
    pub(super) is_taken: AtomicBool,
}

impl PushMetricExporter for Counted {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let sent = self.exporter.export(metrics).await;
        let was_taken = self.is_taken.swap(sent.is_ok(), Ordering::Relaxed);
        if let Err(error) = &sent {
            self.dropped.add_metrics();
            if was_taken {
                tracing::warn!(%error, "the collector does not take metrics; they are sent again and again, and what is lost is counted");
            }
        }
        sent
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
