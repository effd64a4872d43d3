//! A collector on loopback: takes what it is sent, refuses it, or never answers.
//!
//! Deliberately absent: judgement; a test says what must have come.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use sas_router::tasks::Tasks;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataMap;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// How long something may take to come; only a hang reaches it.
const DEADLINE: Duration = Duration::from_secs(30);

/// What it does with what it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    Refuses,
    NeverAnswers,
}

/// The collector.
pub(crate) struct CollectorStub {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    manner: Manner,
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    headers: Mutex<Vec<MetadataMap>>,
    asked: AtomicUsize,
    came: Notify,
}

impl CollectorStub {
    pub(crate) async fn start(manner: Manner) -> Self {
        Self::start_over(manner, Server::builder()).await
    }

    pub(crate) async fn start_with_tls(tls: ServerTlsConfig) -> Self {
        Self::start_over(Manner::Takes, Server::builder().tls_config(tls).unwrap()).await
    }

    async fn start_over(manner: Manner, mut server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            manner,
            traces: Mutex::default(),
            metrics: Mutex::default(),
            headers: Mutex::default(),
            asked: AtomicUsize::new(0),
            came: Notify::new(),
        });
        let incoming = TcpListenerStream::new(listener);
        let router = server
            .add_service(TraceServiceServer::from_arc(Arc::clone(&state)))
            .add_service(MetricsServiceServer::from_arc(Arc::clone(&state)));
        drop(Tasks::new().spawn(async move { router.serve_with_incoming(incoming).await.unwrap() }));
        Self { port, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every span that came.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let traces = self.state.traces.lock();
        let resources = traces.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Everything of traces that came, in the words of a debugger: for what must be nowhere in it.
    pub(crate) fn traces_as_text(&self) -> String {
        format!("{:?}", self.state.traces.lock())
    }

    /// Names of the metrics that came.
    pub(crate) fn metrics(&self) -> Vec<String> {
        let metrics = self.state.metrics.lock();
        let resources = metrics.iter().flat_map(|request| &request.resource_metrics);
        resources.flat_map(|one| &one.scope_metrics).flat_map(|one| &one.metrics).map(|one| one.name.clone()).collect()
    }

    /// The same of metrics.
    pub(crate) fn metrics_as_text(&self) -> String {
        format!("{:?}", self.state.metrics.lock())
    }

    /// An attribute of the resource of the first traces.
    pub(crate) fn resource(&self, key: &str) -> Option<String> {
        let traces = self.state.traces.lock();
        let resource = traces.first()?.resource_spans.first()?.resource.as_ref()?;
        let found = resource.attributes.iter().find(|one| one.key == key)?;
        let value = found.value.as_ref()?.value.as_ref()?;
        if let Value::StringValue(text) = value { Some(text.clone()) } else { Some(format!("{value:?}")) }
    }

    /// A header of the first export.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let headers = self.state.headers.lock();
        Some(headers.first()?.get(name)?.to_str().unwrap().to_owned())
    }

    /// How often something was sent to it, whatever it did.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Waits until what came is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let waiting = async {
            loop {
                let came = self.state.came.notified();
                if is_so(self) {
                    return;
                }
                came.await;
            }
        };
        let came = tokio::time::timeout(DEADLINE, waiting).await;
        assert!(came.is_ok(), "{what} never came; there are {:?}", self.spans());
    }
}

impl State {
    async fn answer<T: Default>(&self, headers: &MetadataMap) -> Result<Response<T>, Status> {
        self.headers.lock().push(headers.clone());
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.came.notify_waiters();
        match self.manner {
            Manner::Takes => Ok(Response::new(T::default())),
            Manner::Refuses => Err(Status::permission_denied("not from you")),
            Manner::NeverAnswers => std::future::pending().await,
        }
    }
}

#[tonic::async_trait]
impl TraceService for State {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (headers, _, request) = request.into_parts();
        self.traces.lock().push(request);
        self.answer(&headers).await
    }
}

#[tonic::async_trait]
impl MetricsService for State {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let (headers, _, request) = request.into_parts();
        self.metrics.lock().push(request);
        self.answer(&headers).await
    }
}
