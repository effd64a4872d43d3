//! What a collector is sent of a call: one trace whose parent is the caller's, with the stages below it, and nothing of a patient.

use std::collections::BTreeSet;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use sas_router::config::{ExportConfig, LedgerKind, ReplicasConfig, SecretHeaders, SecretUrl};
use sas_router::proto::routing as pb;
use sas_router::road::EngineKind;
use sas_router::trace::Attribute;
use tonic::Request;

use crate::harness::collector_stub::{CollectorStub, Manner};
use crate::harness::in_process::{Bookings, InProcess, connect};
use crate::harness::redis_server;
use crate::harness::road_stub::{RoadStub, options, osrm};
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::world::{batch, hold, publish, query, settle, slot};

/// A trace of a caller, and its span.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Settings that send to an address what callers trace, and nothing else.
pub(crate) fn export_to(endpoint: String) -> ExportConfig {
    ExportConfig {
        endpoint,
        tls: None,
        headers: SecretHeaders::default(),
        headers_file: None,
        traces_ratio: 0.0,
        metrics_interval: Duration::from_secs(3_600),
        service_name: "sas-router".to_owned(),
        timeout: Duration::from_secs(30),
        queue_max: 4_096,
    }
}

/// A request that its caller traces, or says not to.
pub(crate) fn traced<T>(message: T, flags: &str) -> Request<T> {
    let mut request = Request::new(message);
    let traceparent = format!("00-{TRACE}-{CALLER}-{flags}");
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    request.metadata_mut().insert("tracestate", "samu=1".parse().unwrap());
    request
}

fn question() -> pb::FindCareRequest {
    let query = pb::CareQuery { case_id: "fr.health.samu690.77".into(), ..query() };
    pb::FindCareRequest { query: Some(query) }
}

async fn town(collector: &CollectorStub, alter: impl FnOnce(&mut sas_router::config::Config)) -> InProcess {
    let town = InProcess::start_with(|config| {
        config.telemetry.export = Some(export_to(collector.endpoint()));
        alter(config);
    })
    .await;
    settle(&town).await;
    publish(&town, batch("b1", 1, vec![slot("a", 1, 60), slot("b", 2, 120)])).await;
    town
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

fn told(span: &Span, attribute: Attribute) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == attribute.key())?;
    let value = found.value.as_ref()?.value.as_ref()?;
    if let Value::IntValue(number) = value {
        return Some(number.to_string());
    }
    if let Value::StringValue(text) = value { Some(text.clone()) } else { Some(format!("{value:?}")) }
}

fn has_ended(collector: &CollectorStub, name: &str) -> bool {
    collector.spans().iter().any(|span| span.name.ends_with(name))
}

/// Every part is below this one and within it.
fn assert_below(spans: &[Span], parent: &Span, parts: &[&str]) {
    for part in parts {
        let part = named(spans, part);
        assert_eq!(part.parent_span_id, parent.span_id, "{}", part.name);
        assert_eq!(part.trace_id, parent.trace_id, "{}", part.name);
        let within = parent.start_time_unix_nano <= part.start_time_unix_nano
            && part.start_time_unix_nano <= part.end_time_unix_nano
            && part.end_time_unix_nano <= parent.end_time_unix_nano;
        assert!(within, "{part:?} is not within {parent:?}");
    }
}

#[tokio::test]
async fn a_question_is_one_trace_below_its_caller_with_its_stages() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |_| {}).await;
    let found = town.routing().find_care(traced(question(), "01")).await.unwrap().into_inner();
    collector.until("the question", |collector| has_ended(collector, "FindCare")).await;
    let spans = collector.spans();
    let call = named(&spans, "sas.routing.v1.RoutingService/FindCare");
    assert_eq!((hex(&call.trace_id).as_str(), hex(&call.parent_span_id).as_str()), (TRACE, CALLER));
    assert_eq!(call.trace_state, "", "text of the caller's is passed on, and sent to no collector");
    assert_below(
        &spans,
        call,
        &["triage", "candidates", "eligibility", "ranking", "near_misses", "explanation", "answer"],
    );
    let (answer, ranking) = (named(&spans, "answer"), named(&spans, "ranking"));
    let of = |span: &Span, attribute| told(span, attribute).unwrap();
    let counted = |span, attribute| of(span, attribute).parse::<usize>().unwrap();
    assert_eq!(of(answer, Attribute::OUTCOME), "APPOINTMENT");
    assert!(!found.options.is_empty() && counted(answer, Attribute::OPTIONS) == found.options.len());
    assert!(counted(ranking, Attribute::MATCHES) >= found.options.len());
    let widened = usize::try_from(found.radius.unwrap().widened_count).unwrap();
    assert_eq!(counted(ranking, Attribute::WIDENINGS), widened);
    assert_eq!(of(named(&spans, "near_misses"), Attribute::EXAMINED), found.examined_count.to_string());
    let walked: u64 = ["candidates", "eligibility"].map(|stage| length(named(&spans, stage))).iter().sum();
    assert!(walked <= length(call), "what is told of stages is no more than the call took");
    assert_eq!(told(call, Attribute::SYSTEM).unwrap(), "grpc");
    assert_eq!(told(call, Attribute::METHOD).unwrap(), "sas.routing.v1.RoutingService/FindCare");
    assert_eq!(told(call, Attribute::STATUS).unwrap(), "OK");
    assert_eq!(told(call, Attribute::ERROR), None);
    assert_eq!(told(named(&spans, "eligibility"), Attribute::JUDGED).unwrap(), "2");
    assert_eq!(collector.resource("service.name").unwrap(), "sas-router");
    assert_eq!(collector.resource("service.version").unwrap(), env!("CARGO_PKG_VERSION"));
    assert_eq!(collector.resource("service.instance.id").unwrap().len(), 36);
}

fn length(span: &Span) -> u64 {
    span.end_time_unix_nano - span.start_time_unix_nano
}

#[tokio::test]
async fn the_append_of_a_hold_is_below_its_call_and_its_waiting_below_the_append() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_owned();
    let town = town(&collector, |config| config.ledger.kind = LedgerKind::Embedded { data_dir }).await;
    town.bookings().hold_slot(traced(hold("h1", "a"), "01")).await.unwrap();
    collector.until("the hold", |collector| has_ended(collector, "HoldSlot")).await;
    let spans = collector.spans();
    let call = named(&spans, "sas.routing.v1.BookingService/HoldSlot");
    assert_below(&spans, call, &["ledger"]);
    let append = named(&spans, "ledger");
    assert_below(&spans, append, &["ledger.queue", "ledger.store"]);
    assert_eq!(told(append, Attribute::APPEND).unwrap(), "appended");
    assert_eq!(told(append, Attribute::ENTRIES).unwrap(), "2", "the slot and the case");
    assert_eq!(told(named(&spans, "ledger.store"), Attribute::BATCH).unwrap(), "1");
}

#[tokio::test]
async fn a_refusal_tells_its_reason_and_is_no_error_of_the_service() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |_| {}).await;
    town.bookings().hold_slot(hold("h1", "a")).await.unwrap();
    let other = pb::HoldSlotRequest { case_id: "fr.health.samu690.2".into(), ..hold("h2", "a") };
    town.bookings().hold_slot(traced(other, "01")).await.unwrap_err();
    collector.until("the hold", |collector| has_ended(collector, "HoldSlot")).await;
    let spans = collector.spans();
    let call = named(&spans, "sas.routing.v1.BookingService/HoldSlot");
    assert_eq!(told(call, Attribute::STATUS).unwrap(), "FAILED_PRECONDITION");
    assert_eq!(told(call, Attribute::ERROR).unwrap(), "SLOT_TAKEN");
    assert_ne!(call.status.clone().unwrap_or_default().code(), StatusCode::Error);
}

#[tokio::test]
async fn a_batch_is_below_the_stream_that_brought_it() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |_| {}).await;
    let rows = tokio_stream::once(batch("b2", 2, vec![slot("c", 1, 90)]));
    let mut answers = town.publishing().publish_slots(traced(rows, "01")).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    collector.until("the batch", |collector| has_ended(collector, "PublishSlots")).await;
    let spans = collector.spans();
    let call = named(&spans, "sas.routing.v1.PublishingService/PublishSlots");
    assert_below(&spans, call, &["publish"]);
    assert_below(&spans, named(&spans, "publish"), &["ledger"]);
    assert_eq!(told(named(&spans, "publish"), Attribute::ROWS).unwrap(), "1");
}

#[tokio::test]
async fn an_append_to_redis_tells_its_batch_and_who_had_to_confirm() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let redis = redis_server::Server::start();
    let replicas =
        ReplicasConfig { ack_replicas: Some(0), refuse_when_away: false, away_after: Duration::from_secs(10) };
    let kind = LedgerKind::Redis { url: SecretUrl(redis.url()), replicas };
    let town = town(&collector, |config| config.ledger.kind = kind).await;
    town.bookings().hold_slot(traced(hold("h1", "a"), "01")).await.unwrap();
    collector.until("the hold", |collector| has_ended(collector, "HoldSlot")).await;
    let spans = collector.spans();
    assert_below(&spans, named(&spans, "ledger"), &["ledger.queue", "ledger.store"]);
    assert_eq!(told(named(&spans, "ledger.store"), Attribute::REPLICAS).unwrap(), "0");
}

#[tokio::test]
async fn a_watch_that_its_client_leaves_is_a_call_that_was_cancelled() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |_| {}).await;
    let request = pb::WatchCareRequest { query: question().query, ..pb::WatchCareRequest::default() };
    let mut messages = town.routing().watch_care(traced(request, "01")).await.unwrap().into_inner();
    messages.message().await.unwrap().unwrap();
    drop(messages);
    collector.until("the watch", |collector| has_ended(collector, "WatchCare")).await;
    let spans = collector.spans();
    let call = named(&spans, "sas.routing.v1.RoutingService/WatchCare");
    assert_below(&spans, call, &["watch.answer"]);
    assert_eq!(told(call, Attribute::STATUS).unwrap(), "CANCELLED");
}

#[test]
fn the_program_is_told_where_to_send_by_its_settings_and_logs_the_trace_of_a_call_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let collector = runtime.block_on(CollectorStub::start(Manner::Takes));
    let mut command = program_command();
    command.env("SAS_ROUTER_TELEMETRY__OTLP_ENDPOINT", collector.endpoint());
    command.env("SAS_ROUTER_TELEMETRY__SERVICE_NAME", "sas-lyon").env("SAS_ROUTER_LOGGING__FORMAT", "json");
    let ledger = ["--data-dir".into(), folder.path().into()];
    let server =
        ServerProcess::try_start_by(command, &ledger, "127.0.0.1:0").unwrap_or_else(|ended| panic!("{ended:?}"));
    runtime.block_on(async {
        let channel = connect(server.address().parse().unwrap()).await;
        Bookings::new(channel).hold_slot(traced(hold("h1", "nowhere"), "01")).await.unwrap_err();
    });
    let ended = server.terminate();
    let spans = collector.spans();
    assert_eq!(
        told(named(&spans, "sas.routing.v1.BookingService/HoldSlot"), Attribute::ERROR).unwrap(),
        "UNKNOWN_SLOT"
    );
    assert_eq!(collector.resource("service.name").unwrap(), "sas-lyon");
    let line = ended.stderr.lines().find(|line| line.contains("a call was refused")).expect("the refusal is logged");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["trace_id"], TRACE);
}

#[tokio::test]
async fn a_road_table_is_asked_for_in_the_same_trace() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let roads = RoadStub::start(osrm(|_| Some(300.0))).await;
    let port = roads.port;
    let town = town(&collector, |config| config.road_times.options = Some(options(EngineKind::Osrm, port))).await;
    town.routing().find_care(traced(question(), "01")).await.unwrap();
    collector.until("the question", |collector| has_ended(collector, "FindCare")).await;
    let spans = collector.spans();
    let table = named(&spans, "road.table");
    assert_below(&spans, named(&spans, "sas.routing.v1.RoutingService/FindCare"), &["road.table", "triage"]);
    let asked = roads.asked().into_iter().next().unwrap();
    let expected = format!("traceparent: 00-{TRACE}-{}-01", hex(&table.span_id));
    assert!(asked.head.lines().any(|line| line == expected), "{} lacks {expected}", asked.head);
}

#[tokio::test]
async fn a_road_table_is_asked_for_in_the_callers_trace_where_nothing_is_traced() {
    let collector = CollectorStub::start(Manner::Takes).await;
    // Said not to be sampled, with a collector; said to be, without one; said nothing.
    for (exports, flags) in [(true, Some("00")), (false, Some("01")), (true, None)] {
        let roads = RoadStub::start(osrm(|_| Some(300.0))).await;
        let port = roads.port;
        let town = town(&collector, |config| {
            config.road_times.options = Some(options(EngineKind::Osrm, port));
            config.telemetry.export = config.telemetry.export.take().filter(|_| exports);
        })
        .await;
        let request = flags.map_or_else(|| Request::new(question()), |flags| traced(question(), flags));
        town.routing().find_care(request).await.unwrap();
        let asked = roads.asked().into_iter().next().unwrap();
        let told: Vec<_> = asked.head.lines().filter(|line| line.starts_with("trace")).collect();
        let expected =
            flags.map(|flags| [format!("traceparent: 00-{TRACE}-{CALLER}-{flags}"), "tracestate: samu=1".into()]);
        assert_eq!(told, expected.map(Vec::from).unwrap_or_default());
        town.shut_down();
        town.ended().await;
    }
    assert_eq!(collector.spans(), [], "nothing is sent of it");
}

#[tokio::test]
async fn nothing_is_sent_of_calls_that_are_not_traced() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |_| {}).await;
    town.routing().find_care(traced(question(), "00")).await.unwrap();
    town.routing().find_care(question()).await.unwrap();
    town.shut_down();
    town.ended().await;
    assert_eq!(collector.spans(), [], "metrics alone are sent");
}

#[tokio::test]
async fn all_calls_are_traced_when_the_part_is_the_whole() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |config| config.telemetry.export.as_mut().unwrap().traces_ratio = 1.0).await;
    town.routing().find_care(question()).await.unwrap();
    town.routing().find_care(traced(question(), "00")).await.unwrap();
    town.shut_down();
    town.ended().await;
    let spans = collector.spans();
    let calls: Vec<_> = spans.iter().filter(|span| span.name.ends_with("/FindCare")).collect();
    assert_eq!(calls.len(), 1, "what a caller leaves out is left out");
    assert!(calls[0].parent_span_id.is_empty());
}

#[tokio::test]
async fn a_trace_holds_nothing_but_listed_attributes_and_nothing_of_a_patient() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let town = town(&collector, |config| config.telemetry.export.as_mut().unwrap().traces_ratio = 1.0).await;
    town.routing().find_care(question()).await.unwrap();
    town.bookings().hold_slot(hold("request-h1", "a")).await.unwrap();
    town.bookings().hold_slot(hold("request-h2", "nowhere")).await.unwrap_err();
    town.shut_down();
    town.ended().await;
    let listed: BTreeSet<&str> = Attribute::ALL.iter().map(|attribute| attribute.key()).collect();
    for span in collector.spans() {
        for attribute in &span.attributes {
            assert!(listed.contains(attribute.key.as_str()), "{} tells {}", span.name, attribute.key);
        }
        assert!(span.events.is_empty() && span.links.is_empty(), "{}", span.name);
    }
    let text = collector.traces_as_text();
    assert!(text.contains("HoldSlot"), "the calls are there");
    for secret in
        ["samu690", "45.69", "4.88", "Durand", "Vénissieux", "agenda-1", "request-h", "810002909371", "nowhere"]
    {
        assert!(!text.contains(secret), "{secret} is told");
    }
}
