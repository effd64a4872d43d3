//! What is scraped is what the catalog declares and the README lists; what happens shows in it, and nothing of patients does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sas_router::config::Config;
use sas_router::proto::routing as pb;
use sas_router::telemetry::catalog::{Kind, METRICS};
use sas_router::telemetry::{table, values};

use crate::grpc_limits::until;
use crate::harness::in_process::InProcess;
use crate::harness::promql;
use crate::harness::variable;
use crate::harness::world::{SOURCE, batch, hold, practitioner, publish, query, refusal, settle, slot};

/// What a service alone in memory cannot tell: it shares no ledger, asks no road times, sends nothing to a collector, and what it
/// looks at has not too many series.
const ABSENT: [&str; 11] = [
    "sas.ledger.lag",
    "sas.ledger.lag.duration",
    "sas.ledger.divergences",
    "sas.ledger.reloads",
    "sas.ledger.digest_mismatches",
    "sas.ledger.reconnections",
    "sas.ledger.epochs",
    "sas.instances",
    "sas.road.tables",
    "sas.telemetry.dropped",
    "sas.telemetry.series.left_out",
];
/// Marks of what must not be told, in cases, positions and names.
const CASE: &str = "fr.health.samu690.marked-7761";
const LATITUDE: f64 = 45.697_531;
const LONGITUDE: f64 = 4.886_642;

/// Series by name and labels as they are written, with their values.
fn series(scraped: &str) -> BTreeMap<&str, f64> {
    let lines = scraped.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

/// Names of metrics with their kinds, as the scrape states them.
fn kinds(scraped: &str) -> BTreeMap<&str, &str> {
    scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
}

/// A service that somebody may scrape.
async fn measured(alter: impl FnOnce(&mut Config)) -> InProcess {
    InProcess::start_with(|config| {
        config.admin.listen = "127.0.0.1:0".parse().ok();
        alter(config);
    })
    .await
}

/// A morning: questions, a hold, a conflict, a booking, a hold that ends, a late confirmation, an offer that was none.
async fn morning() -> InProcess {
    let town = measured(|_| {}).await;
    settle(&town).await;
    publish(&town, batch("b1", 1, vec![slot("a", 1, 60), slot("b", 2, 120)])).await;
    publish(&town, batch("b2", 2, vec![slot("a", 1, 60), slot("gone", 9, 60)])).await;
    let position = Some(pb::GeoPoint { latitude: LATITUDE, longitude: LONGITUDE });
    let question = pb::CareQuery { position, case_id: CASE.into(), age: "P83Y".into(), ..query() };
    for modality in ["AMB", "VR"] {
        let query = pb::CareQuery { modalities: vec![modality.into()], ..question.clone() };
        town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap();
    }
    let of_case =
        |request_id: &str, slot_id: &str| pb::HoldSlotRequest { case_id: CASE.into(), ..hold(request_id, slot_id) };
    let held = town.bookings().hold_slot(of_case("h1", "a")).await.unwrap().into_inner().hold.unwrap().hold_id;
    town.bookings().hold_slot(hold("h2", "a")).await.unwrap_err();
    let confirm = pb::ConfirmHoldRequest { request_id: "c1".into(), hold_id: held };
    town.bookings().confirm_hold(confirm.clone()).await.unwrap();
    town.bookings().confirm_hold(confirm).await.unwrap();
    let held = town.bookings().hold_slot(hold("h3", "b")).await.unwrap().into_inner().hold.unwrap().hold_id;
    town.clock.advance_seconds(600);
    let late = pb::ConfirmHoldRequest { request_id: "c2".into(), hold_id: held };
    town.bookings().confirm_hold(late).await.unwrap_err();
    let phantom = refusal("r1", CASE, "b", pb::RefusalReason::NoAppointment);
    town.bookings().record_refusal(phantom).await.unwrap();
    town
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scraped_is_what_the_catalog_declares() {
    let scraped = morning().await.telemetry.scrape();
    let told = kinds(&scraped);
    let declared: BTreeSet<_> = METRICS.iter().map(|metric| metric.scraped_name()).collect();
    let undeclared: Vec<_> = told.keys().filter(|name| !declared.contains(**name)).collect();
    assert!(undeclared.is_empty(), "scraped and not declared: {undeclared:?}");
    for metric in METRICS {
        let name = metric.scraped_name();
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let expected = (!ABSENT.contains(&metric.name)).then_some(kind);
        assert_eq!(told.get(name.as_str()).copied(), expected, "{name}");
        let help = format!("# HELP {name} {}", metric.help);
        assert!(expected.is_none() || scraped.lines().any(|line| line == help), "{help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_in_the_morning_shows() {
    let town = morning().await;
    let scraped = town.telemetry.scrape();
    let series = series(&scraped);
    let find = "rpc_server_call_duration_seconds_count{rpc_method=\"sas.routing.v1.RoutingService/FindCare\",\
                rpc_response_status_code=\"OK\",rpc_system_name=\"grpc\"}";
    let expected = [
        (find, 2.0),
        ("sas_find_duration_seconds_count{outcome=\"APPOINTMENT\"}", 1.0),
        ("sas_find_answers_total{care_level=\"R3\",department=\"69\",modality=\"AMB\",outcome=\"APPOINTMENT\"}", 1.0),
        ("sas_booking_operations_total{operation=\"hold\",result=\"done\"}", 2.0),
        ("sas_booking_operations_total{operation=\"hold\",result=\"SLOT_TAKEN\"}", 1.0),
        ("sas_booking_operations_total{operation=\"confirm\",result=\"done\"}", 1.0),
        ("sas_booking_operations_total{operation=\"confirm\",result=\"replayed\"}", 1.0),
        ("sas_booking_operations_total{operation=\"confirm\",result=\"HOLD_EXPIRED\"}", 1.0),
        ("sas_booking_late_confirms_total", 1.0),
        ("sas_booking_conflicts_total{source=\"cpts-venissieux\"}", 1.0),
        ("sas_booking_phantoms_total{source=\"cpts-venissieux\"}", 1.0),
        ("sas_publish_rows_total{source=\"cpts-venissieux\",status=\"created\"}", 2.0),
        ("sas_publish_rows_total{source=\"cpts-venissieux\",status=\"unchanged\"}", 1.0),
        ("sas_publish_rows_total{source=\"cpts-venissieux\",status=\"refused\"}", 1.0),
        ("sas_publish_visible_seconds_count", 2.0),
        ("sas_booking_expired_holds_total", 1.0),
        ("sas_booking_holds", 0.0),
        ("sas_booking_fill_ratio{territory=\"1690000005\"}", 0.5),
        ("sas_slots{state=\"booked\",territory=\"1690000005\",visibility=\"PUBLIC+SNP\"}", 1.0),
        ("sas_slots{state=\"free\",territory=\"1690000005\",visibility=\"PUBLIC+SNP\"}", 1.0),
        ("sas_source_age_seconds{source=\"cpts-venissieux\"}", 600.0),
        ("sas_index_records{kind=\"slot\"}", 2.0),
        ("sas_ready", 1.0),
        ("sas_conditions{code=\"WRITES_REFUSED\",degrades=\"true\"}", 0.0),
        ("sas_calls_active{kind=\"call\"}", 0.0),
        ("sas_ledger_queue", 0.0),
        ("sas_tension_needs{state=\"met\",territory=\"1690000005\"}", 4.0),
        ("sas_tension_needs{state=\"tense\",territory=\"1690000005\"}", 0.0),
        ("sas_tension_needs{state=\"none_free\",territory=\"1690000005\"}", 0.0),
    ];
    for (name, value) in expected {
        assert_eq!(series.get(name), Some(&value), "{name} in\n{scraped}");
    }
    assert!(series["process_memory_usage_bytes"] > 1e6);
    assert_eq!(series["sas_connections_active"], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_a_closed_list_is_told_and_no_other() {
    let scraped = morning().await.telemetry.scrape();
    let mut compared = 0;
    for line in scraped.lines().filter(|line| !line.starts_with('#') && line.contains('{')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        for (metric, attribute, value) in promql::picked_values(series) {
            let Some(closed) = promql::declared_metric(&metric)
                .and_then(|metric| values(metric.name, promql::attribute_of(metric, &attribute)?))
            else {
                continue;
            };
            assert!(closed.contains(&value.as_str()), "{attribute}=`{value}` of {metric} is not among {closed:?}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_its_caller_gave_up_is_told_as_cancelled() {
    let town = measured(|_| {}).await;
    settle(&town).await;
    let request = pb::WatchCareRequest { query: Some(query()), ..pb::WatchCareRequest::default() };
    let mut watch = town.routing().watch_care(request).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    drop(watch);
    let told = "rpc_server_call_duration_seconds_count{error_type=\"CANCELLED\",\
                rpc_method=\"sas.routing.v1.RoutingService/WatchCare\",\
                rpc_response_status_code=\"CANCELLED\",rpc_system_name=\"grpc\"}";
    until(|| series(&town.telemetry.scrape()).get(told) == Some(&1.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_too_many_is_counted_as_shed_and_as_a_call_that_failed() {
    let town = measured(|config| config.limits.calls_max = 0).await;
    let shed = || {
        let scraped = town.telemetry.scrape();
        let series = series(&scraped);
        ["call", "question", "watch"].map(|kind| series[format!("sas_calls_shed_total{{kind=\"{kind}\"}}").as_str()])
    };
    assert_eq!(shed(), [0.0, 0.0, 0.0]);
    let refused = town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap_err();
    assert_eq!(shed(), [0.0, 1.0, 0.0], "{refused}");
    let request = pb::GetScheduleRequest { schedule_id: "agenda-1".to_owned(), window: None };
    let refused = town.publishing().get_schedule(request).await.unwrap_err();
    assert_eq!(shed(), [1.0, 1.0, 0.0], "{refused}");
    let scraped = town.telemetry.scrape();
    let series = series(&scraped);
    let calls = series.iter().filter(|(name, _)| name.starts_with("rpc_server_call_duration_seconds_count{"));
    let calls: Vec<_> = calls.collect();
    let is_failed = |(name, count): &(&&str, &f64)| !name.contains("status_code=\"OK\"") && **count == 1.0;
    assert!(calls.len() == 2 && calls.iter().all(is_failed), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_ends_is_not_ready() {
    let town = measured(|config| config.server.drain_delay = std::time::Duration::from_secs(60)).await;
    assert_eq!(series(&town.telemetry.scrape())["sas_ready"], 1.0);
    town.shut_down();
    until(|| series(&town.telemetry.scrape())["sas_ready"] == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_patients_or_practitioners_is_told() {
    let scraped = morning().await.telemetry.scrape();
    assert!(scraped.contains(SOURCE), "sources are told, so that this looks at the right text");
    let practitioner = practitioner();
    let (latitude, longitude) = (LATITUDE.to_string(), LONGITUDE.to_string());
    let secrets = [
        "marked-7761",
        "samu690",
        latitude.get(..6).unwrap(),
        longitude.get(..5).unwrap(),
        "P83Y",
        "69259",
        "osnp-3",
        "agenda-",
        "Vénissieux",
        "Cabinet",
        practitioner.practitioner_id.as_str(),
        practitioner.family_name.as_str(),
        practitioner.given_name.as_str(),
        "h1",
    ];
    let lines = || scraped.lines().filter(|line| !line.starts_with('#'));
    for secret in secrets {
        let told: Vec<_> = lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "`{secret}` is told: {told:?}");
    }
}

#[test]
fn the_readme_lists_what_is_scraped() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- metrics: begin -->\n", "<!-- metrics: end -->");
    let (before, rest) = readme.split_once(begin).unwrap();
    let (listed, after) = rest.split_once(end).unwrap();
    if variable("SAS_WRITE_METRICS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{}{end}{after}", table())).unwrap();
        return;
    }
    assert_eq!(listed, table(), "write it anew with SAS_WRITE_METRICS=1");
}
