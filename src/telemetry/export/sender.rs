//! Spans on their way to a collector: a queue that never makes anybody wait, and the one who empties it.
//!
//! Invariant: every span that was made is either taken by the collector or counted as dropped, once.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceState};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::END_WITHIN;
use super::Dropped;

/// Most spans that are sent together.
const BATCH_MAX: usize = 512;
/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_millis(500);

/// Takes spans that ended.
#[derive(Debug)]
pub(super) struct Queue {
    spans: mpsc::Sender<SpanData>,
    dropped: Arc<Dropped>,
}

impl Queue {
    /// A queue for so many spans, and its other end.
    pub(super) fn new(spans_max: usize, dropped: Arc<Dropped>) -> (Self, mpsc::Receiver<SpanData>) {
        let (spans, waiting) = mpsc::channel(spans_max.clamp(1, tokio::sync::Semaphore::MAX_PERMITS));
        (Self { spans, dropped }, waiting)
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        // `tracestate` is text of the caller's: it is passed on to whoever is asked, and told to nobody else.
        let context = &span.span_context;
        let (trace_id, span_id, flags) = (context.trace_id(), context.span_id(), context.trace_flags());
        span.span_context = SpanContext::new(trace_id, span_id, flags, context.is_remote(), TraceState::NONE);
        if self.spans.try_send(span).is_err() {
            self.dropped.add_spans(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends what waits, batch by batch.
pub(super) struct Sender {
    exporter: SpanExporter,
    timeout: Duration,
    dropped: Arc<Dropped>,
    closing: CancellationToken,
    /// What is sent next.
    batch: Vec<SpanData>,
    /// How many are on their way.
    under_way: usize,
    /// Whether the last batch was taken, so that a collector that is away is told of once.
    is_taken: bool,
}

impl Sender {
    pub(super) fn new(
        exporter: SpanExporter,
        timeout: Duration,
        dropped: Arc<Dropped>,
        closing: CancellationToken,
    ) -> Self {
        let batch = Vec::with_capacity(BATCH_MAX);
        Self { exporter, timeout, dropped, closing, batch, under_way: 0, is_taken: true }
    }

    /// Sends until it is to end, then what waits, for a bounded time.
    pub(super) async fn run(mut self, mut spans: mpsc::Receiver<SpanData>) {
        let closing = self.closing.clone();
        let end = async {
            closing.cancelled().await;
            sleep(END_WITHIN).await;
        };
        let is_done = tokio::select! {
            () = self.send_all(&mut spans) => true,
            () = end => false,
        };
        if !is_done {
            spans.close();
            let mut left = self.batch.len() + self.under_way;
            while spans.try_recv().is_ok() {
                left += 1;
            }
            self.dropped.add_spans(left);
            tracing::warn!(spans = left, "the collector was too slow at the end, spans are lost");
        }
    }

    /// Sends until it is to end, then what waits.
    async fn send_all(&mut self, spans: &mut mpsc::Receiver<SpanData>) {
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => break,
                count = spans.recv_many(&mut self.batch, BATCH_MAX) => if count == 0 { return },
            }
            self.gather(spans).await;
            self.send().await;
        }
        spans.close();
        while spans.recv_many(&mut self.batch, BATCH_MAX).await > 0 {
            self.send().await;
        }
    }

    /// Waits a moment for others, unless the batch is full or all is to end.
    async fn gather(&mut self, spans: &mut mpsc::Receiver<SpanData>) {
        let (closing, batch) = (&self.closing, &mut self.batch);
        let others = async {
            while batch.len() < BATCH_MAX {
                let room = BATCH_MAX - batch.len();
                if spans.recv_many(batch, room).await == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = others => {}
            () = sleep(GATHER) => {}
            () = closing.cancelled() => {}
        }
    }

    async fn send(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.under_way = batch.len();
        let sent = timeout(self.timeout, self.exporter.export(batch)).await;
        let count = std::mem::take(&mut self.under_way);
        match sent {
            Ok(Ok(())) if self.is_taken => {}
            Ok(Ok(())) => {
                self.is_taken = true;
                tracing::info!("the collector takes traces again");
            }
            Ok(Err(error)) => self.lose(count, &error.to_string()),
            Err(_) => self.lose(count, "no answer in time"),
        }
    }

    fn lose(&mut self, count: usize, error: &str) {
        self.dropped.add_spans(count);
        if self.is_taken {
            self.is_taken = false;
            tracing::warn!(error, "the collector does not take traces, which are dropped and counted until it does");
        }
    }
}
