//! What is sent to a collector: spans and metrics, by OTLP over gRPC.
//!
//! Invariant: no call and no shutdown waits for the collector. Spans wait in a queue of bounded length for the one thread that
//! sends them; what does not fit, what the collector does not take and what is left when the time to end is over is counted.
//! That thread has a runtime of its own, so that neither starves the other. Deliberately absent: trying again. A span is
//! worth little, and a collector that is away has more to catch up with than it can keep.

mod channel;
mod metrics;
mod sender;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, RetryPolicy, SpanExporter, WithExportConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanExporter as _};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;

use super::END_WITHIN;
use crate::config::ExportConfig;
use crate::trace::Tracer;

use metrics::Counted;
use sender::{Queue, Sender};

/// Why nothing can be sent to a collector.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file cannot be read.
    #[error("{setting}: {} cannot be read: {source}; name a readable file", path.display())]
    File {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of headers is wrong; what it holds is a secret and not repeated.
    #[error("telemetry.otlp_headers_file: {0}")]
    Headers(String),
    /// Certificates or address are wrong.
    #[error(
        "telemetry.otlp_endpoint: no connection can be made with these certificates: {0}; check telemetry.otlp_ca and the client's files"
    )]
    Channel(#[from] tonic::transport::Error),
    /// The exporter cannot be built.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// The system gives no thread.
    #[error("no thread could be started to send traces and metrics: {0}")]
    Thread(#[source] std::io::Error),
}

/// What could not be sent since the start.
#[derive(Debug, Default)]
pub struct Dropped {
    spans: AtomicU64,
    metrics: AtomicU64,
}

impl Dropped {
    /// Spans that did not fit the queue, were not taken, or were left at the end.
    #[must_use]
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    /// Batches of metrics that were not taken.
    #[must_use]
    pub fn metrics(&self) -> u64 {
        self.metrics.load(Ordering::Relaxed)
    }

    fn add_spans(&self, count: usize) {
        self.spans.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn add_metrics(&self) {
        self.metrics.fetch_add(1, Ordering::Relaxed);
    }
}

/// Who sends: one process among those of the service.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The process.
    pub instance_id: Uuid,
    /// Version of the program.
    pub version: &'static str,
}

/// Sending, under way.
#[derive(Debug)]
pub struct Export {
    provider: SdkTracerProvider,
    tracer: Tracer,
    resource: Resource,
    config: ExportConfig,
    channel: Channel,
    dropped: Arc<Dropped>,
    closing: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl Export {
    /// Starts sending; connects when there is something to send.
    ///
    /// # Errors
    /// When a file of the settings cannot be used, or the system gives no thread.
    pub fn start(config: &ExportConfig, identity: Identity) -> Result<Self, ExportError> {
        let config = channel::with_headers_of_file(config.clone())?;
        let endpoint = channel::endpoint(&config)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ExportError::Thread)?;
        let channel = {
            let _in_runtime = runtime.enter();
            endpoint.connect_lazy()
        };
        let resource = resource(&config, identity);
        let mut exporter = SpanExporter::builder()
            .with_tonic()
            .with_channel(channel.clone())
            .with_metadata(channel::metadata(&config.headers))
            .with_timeout(config.timeout)
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        exporter.set_resource(&resource);
        let dropped = Arc::<Dropped>::default();
        let (queue, spans) = Queue::new(config.queue_max, Arc::clone(&dropped));
        let (closing, (told, ended)) = (CancellationToken::new(), oneshot::channel());
        let sender = Sender::new(exporter, config.timeout, Arc::clone(&dropped), closing.clone());
        let run = move || {
            runtime.block_on(sender.run(spans));
            // A look-up of a name may hang in the system; nobody waits for it.
            runtime.shutdown_background();
            // Whoever no longer waits needs no word.
            let _ = told.send(());
        };
        std::thread::Builder::new().name("telemetry".to_owned()).spawn(run).map_err(ExportError::Thread)?;
        // Which calls are traced was decided where they came in.
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource.clone())
            .with_span_processor(queue)
            .build();
        let tracer = Tracer::new(provider.tracer("sas-router"), config.traces_ratio);
        Ok(Self { provider, tracer, resource, config, channel, dropped, closing, ended })
    }

    /// What decides which calls are traced, and makes their spans.
    #[must_use]
    pub fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }

    /// What was not sent.
    #[must_use]
    pub fn dropped(&self) -> Arc<Dropped> {
        Arc::clone(&self.dropped)
    }

    /// Who sends, as it is said beside spans and metrics.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// A reader that sends what a meter provider holds to the collector now and then, on a thread of its own.
    ///
    /// # Errors
    /// When the exporter cannot be built.
    pub fn metric_reader(
        &self,
    ) -> Result<PeriodicReader<impl opentelemetry_sdk::metrics::exporter::PushMetricExporter>, ExportError> {
        let exporter = MetricExporter::builder()
            .with_tonic()
            .with_channel(self.channel.clone())
            .with_metadata(channel::metadata(&self.config.headers))
            .with_timeout(self.config.timeout)
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        let is_taken = AtomicBool::new(true);
        let counted = Counted { exporter, dropped: Arc::clone(&self.dropped), is_taken };
        Ok(PeriodicReader::builder(counted).with_interval(self.config.metrics_interval).build())
    }

    /// Sends what is left, for 2 seconds at most; what is left then counts as dropped.
    pub async fn shutdown(self) {
        let Self { provider, closing, ended, .. } = self;
        // From here on no span is made.
        if let Err(error) = provider.shutdown() {
            tracing::debug!(%error, "tracing had ended before");
        }
        closing.cancel();
        // The sender keeps the bound itself; this one is for a thread that the machine does not run.
        drop(tokio::time::timeout(END_WITHIN * 2, ended).await);
    }
}

/// The attributes of everything that this process sends.
fn resource(config: &ExportConfig, identity: Identity) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", config.service_name.clone()),
            KeyValue::new("service.instance.id", identity.instance_id.to_string()),
            KeyValue::new("service.version", identity.version),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
            KeyValue::new("telemetry.sdk.language", "rust"),
        ])
        .build()
}
