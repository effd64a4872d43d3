//! A service that is measured and traced as a site's is: metrics recorded, calls traced at the default part, both sent to a
//! collector on loopback that takes everything.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use sas_router::config::{ExportConfig, SecretHeaders};
use sas_router::grpc::{CallEnd, CallKind, CallWitness, Options, Witnessed};
use sas_router::service::Service;
use sas_router::tasks::Tasks;
use sas_router::telemetry::{EndedCall, Export, Identity, Telemetry};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::server::options;

/// The part of calls that is traced unless a site says otherwise.
const TRACES_RATIO: f64 = 0.01;

/// Takes everything.
struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        _: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

/// Tells metrics of calls, as the program does.
struct Calls(Arc<Telemetry>);

impl CallWitness for Calls {
    fn ended(&self, call: &CallEnd<'_>) {
        let CallEnd { method, code, reason, took } = *call;
        self.0.call_ended(&EndedCall { method, code, reason, took });
    }

    fn shed(&self, kind: CallKind) {
        self.0.call_shed(kind.code());
    }
}

/// What measures a service.
pub struct Measuring {
    pub telemetry: Arc<Telemetry>,
    export: Export,
}

impl Measuring {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(Collector))
            .add_service(MetricsServiceServer::new(Collector));
        drop(Tasks::new().spawn(collector.serve_with_incoming(TcpIncoming::from(listener))));
        let config = ExportConfig {
            endpoint,
            tls: None,
            headers: SecretHeaders::default(),
            headers_file: None,
            traces_ratio: TRACES_RATIO,
            metrics_interval: Duration::from_secs(10),
            service_name: "sas-router".to_owned(),
            timeout: Duration::from_secs(10),
            queue_max: 2_048,
        };
        let export = Export::start(&config, Identity { instance_id: Uuid::nil(), version: "bench" }).unwrap();
        let (reader, resource) = (export.metric_reader().unwrap(), export.resource().clone());
        let telemetry = Telemetry::new(|readers| readers.with_resource(resource).with_reader(reader)).unwrap();
        Self { telemetry: Arc::new(telemetry), export }
    }

    /// How a server serves the service, which is measured from now on.
    pub fn options(&self, service: &Service) -> Options {
        self.telemetry.attend(service);
        let witnessed = Witnessed(Some(Arc::new(Calls(Arc::clone(&self.telemetry)))));
        Options { tracer: self.export.tracer(), witnessed, ..options() }
    }

    /// How many spans and batches of metrics were not taken.
    pub fn dropped(&self) -> (u64, u64) {
        let dropped = self.export.dropped();
        (dropped.spans(), dropped.metrics())
    }
}
