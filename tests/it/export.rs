//! Sending to a collector that is there, away, slow or unwilling: calls go on, the end is bounded, what is lost is counted.

use std::time::Duration;

use http::HeaderMap;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sas_router::clock::Stopwatch;
use sas_router::config::{ExportConfig, ExportTls, SecretHeaders};
use sas_router::proto::routing as pb;
use sas_router::telemetry::{Export, ExportError, Identity};
use tonic::transport::{Certificate, Identity as TlsIdentity, ServerTlsConfig};
use uuid::Uuid;

use crate::harness::collector_stub::{CollectorStub, Manner};
use crate::harness::in_process::InProcess;
use crate::harness::road_stub::closed_port;
use crate::harness::world::query;
use crate::traces::{export_to, traced};

/// The longest that an end may take, with room for a machine that is busy; the product's bound is 2 seconds.
const END_MAX: Duration = Duration::from_secs(10);

fn start(config: &ExportConfig) -> Export {
    Export::start(config, Identity { instance_id: Uuid::nil(), version: "1" }).unwrap()
}

fn everything(config: ExportConfig) -> ExportConfig {
    ExportConfig { traces_ratio: 1.0, ..config }
}

/// Makes so many spans.
fn make(export: &Export, count: usize) {
    let tracer = export.tracer();
    (0..count).for_each(|_| drop(tracer.call(&HeaderMap::new(), || "call")));
}

#[tokio::test]
async fn what_was_made_before_the_end_is_sent() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let export = start(&everything(export_to(collector.endpoint())));
    make(&export, 2_000);
    let dropped = export.dropped();
    export.shutdown().await;
    assert_eq!((collector.spans().len(), dropped.spans()), (2_000, 0));
}

#[tokio::test]
async fn a_collector_that_is_away_costs_its_spans_and_no_more() {
    let endpoint = format!("http://127.0.0.1:{}", closed_port().await);
    let town =
        InProcess::start_with(|config| config.telemetry.export = Some(everything(export_to(endpoint.clone())))).await;
    let request = pb::FindCareRequest { query: Some(query()) };
    town.routing().find_care(traced(request, "01")).await.unwrap();
    let stopwatch = Stopwatch::start();
    town.shut_down();
    town.ended().await;
    assert!(stopwatch.elapsed() < END_MAX, "{:?}", stopwatch.elapsed());

    let export = start(&everything(export_to(endpoint)));
    make(&export, 100);
    let dropped = export.dropped();
    export.shutdown().await;
    assert_eq!(dropped.spans(), 100);
}

#[tokio::test]
async fn a_collector_that_refuses_is_not_asked_twice() {
    let collector = CollectorStub::start(Manner::Refuses).await;
    let export = start(&everything(export_to(collector.endpoint())));
    make(&export, 100);
    let dropped = export.dropped();
    export.shutdown().await;
    assert_eq!((dropped.spans(), collector.asked()), (100, 1));
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_neither_calls_nor_the_end() {
    let collector = CollectorStub::start(Manner::NeverAnswers).await;
    let config = ExportConfig { timeout: Duration::from_secs(3_600), ..everything(export_to(collector.endpoint())) };
    let town = InProcess::start_with(|settings| settings.telemetry.export = Some(config)).await;
    let ask = || async {
        let request = pb::FindCareRequest { query: Some(query()) };
        town.routing().find_care(request).await.unwrap();
    };
    ask().await;
    collector.until("the first batch", |collector| collector.asked() == 1).await;
    ask().await;
    let stopwatch = Stopwatch::start();
    town.shut_down();
    town.ended().await;
    assert!(stopwatch.elapsed() < END_MAX, "{:?}", stopwatch.elapsed());
}

#[tokio::test]
async fn the_queue_is_bounded_and_every_lost_span_is_counted_once() {
    let collector = CollectorStub::start(Manner::NeverAnswers).await;
    let config = ExportConfig {
        queue_max: 8,
        timeout: Duration::from_secs(3_600),
        ..everything(export_to(collector.endpoint()))
    };
    let export = start(&config);
    let dropped = export.dropped();
    make(&export, 1);
    collector.until("the first batch", |collector| collector.asked() == 1).await;
    make(&export, 100);
    assert_eq!(dropped.spans(), 92, "while a batch is under way 8 wait");
    export.shutdown().await;
    assert_eq!(dropped.spans(), 101);
}

#[tokio::test]
async fn metrics_of_a_provider_are_sent_and_counted_when_they_are_not_taken() {
    for (manner, lost) in [(Manner::Takes, 0), (Manner::Refuses, 1)] {
        let collector = CollectorStub::start(manner).await;
        let export = start(&export_to(collector.endpoint()));
        let reader = export.metric_reader().unwrap();
        let provider = SdkMeterProvider::builder().with_resource(export.resource().clone()).with_reader(reader).build();
        provider.meter("test").u64_counter("sas.find.answers").build().add(1, &[]);
        let flush = move || (provider.force_flush(), provider);
        let (flushed, provider) = tokio::task::spawn_blocking(flush).await.unwrap();
        assert_eq!((flushed.is_err(), export.dropped().metrics()), (lost == 1, lost));
        assert_eq!(collector.metrics(), ["sas.find.answers"]);
        // Which sends them a last time.
        drop(tokio::task::spawn_blocking(move || provider.shutdown()).await.unwrap());
        export.shutdown().await;
    }
}

/// An authority, and a key and certificate of it for this name.
fn certificates(name: &str) -> (String, TlsIdentity) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority of tests");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (authority.pem(), TlsIdentity::from_pem(certificate.pem(), key.serialize_pem()))
}

#[tokio::test]
async fn over_tls_the_collector_is_checked_and_headers_of_a_file_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, identity) = certificates("localhost");
    let (stranger, _) = certificates("localhost");
    let collector = CollectorStub::start_with_tls(ServerTlsConfig::new().identity(identity)).await;
    let headers_file = folder.path().join("headers");
    std::fs::write(&headers_file, "authorization=Bearer secret\nx-scope-orgid=samu\n").unwrap();
    let config = |ca: &str, text: &str| {
        let path = folder.path().join(ca);
        std::fs::write(&path, text).unwrap();
        let endpoint = format!("https://localhost:{}", collector.port);
        let tls = Some(ExportTls { ca: path, client: None });
        ExportConfig { tls, headers_file: Some(headers_file.clone()), ..everything(export_to(endpoint)) }
    };

    let export = start(&config("stranger.pem", &stranger));
    make(&export, 3);
    let dropped = export.dropped();
    export.shutdown().await;
    assert_eq!((dropped.spans(), collector.asked()), (3, 0), "nobody who is not known is sent anything");

    let export = start(&config("authority.pem", &authority));
    make(&export, 3);
    let dropped = export.dropped();
    export.shutdown().await;
    assert_eq!((dropped.spans(), collector.spans().len()), (0, 3));
    assert_eq!(collector.header("authorization").unwrap(), "Bearer secret");
    assert_eq!(collector.header("x-scope-orgid").unwrap(), "samu");
}

#[tokio::test]
async fn a_collector_may_ask_for_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, identity) = certificates("localhost");
    let tls = ServerTlsConfig::new().identity(identity).client_ca_root(Certificate::from_pem(&authority));
    let collector = CollectorStub::start_with_tls(tls).await;
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &authority).unwrap();
    let endpoint = format!("https://localhost:{}", collector.port);
    let export = start(&ExportConfig { tls: Some(ExportTls { ca, client: None }), ..everything(export_to(endpoint)) });
    make(&export, 1);
    let dropped = export.dropped();
    export.shutdown().await;
    assert_eq!((dropped.spans(), collector.asked()), (1, 0));
}

#[tokio::test]
async fn what_the_settings_name_and_is_not_there_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let identity = Identity { instance_id: Uuid::nil(), version: "1" };
    let plain = export_to("http://127.0.0.1:1".to_owned());
    let wrong = ExportConfig { headers_file: Some(absent.clone()), ..plain.clone() };
    let said = Export::start(&wrong, identity).unwrap_err().to_string();
    assert!(said.contains("telemetry.otlp_headers_file") && said.contains("absent"), "{said}");

    let secret = folder.path().join("headers");
    std::fs::write(&secret, "Bearer secret").unwrap();
    let wrong = ExportConfig { headers_file: Some(secret), ..plain.clone() };
    let error = Export::start(&wrong, identity).unwrap_err();
    assert!(matches!(error, ExportError::Headers(_)) && !error.to_string().contains("secret"), "{error}");

    let headers = SecretHeaders::parse("authorization=Bearer secret").unwrap();
    assert!(!format!("{:?}", ExportConfig { headers, ..plain.clone() }).contains("secret"));
    let tls = Some(ExportTls { ca: absent, client: None });
    let said = Export::start(&ExportConfig { tls, ..plain }, identity).unwrap_err().to_string();
    assert!(said.contains("telemetry.otlp_ca"), "{said}");
}
