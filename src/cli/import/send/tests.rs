//! Sending against a small server that remembers what it was told.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Streaming};

use super::*;
use crate::cli::import::{ImportOptions, parse_bundle, parse_roster};
use crate::proto::routing as pb;
use crate::proto::routing::directory_service_server::{DirectoryService, DirectoryServiceServer};
use crate::proto::routing::publishing_service_server::{PublishingService, PublishingServiceServer};
use crate::tasks::Tasks;

/// What the server was told: request identifiers of directory writes and of batches, in order of arrival.
#[derive(Default)]
struct Told {
    writes: Vec<String>,
    batches: Vec<(String, usize)>,
    slots: BTreeMap<String, u64>,
}

/// Takes everything, except places named `refused`, slots of schedules named `refused` or `past`, and those of `broken`, at
/// which it hangs up.
#[derive(Clone, Default)]
struct FakeServer {
    told: Arc<Mutex<Told>>,
}

impl FakeServer {
    fn write<T>(&self, request_id: &str, response: T) -> Result<Response<T>, Status> {
        self.told.lock().writes.push(request_id.to_owned());
        Ok(Response::new(response))
    }
}

/// Methods as `async_trait` writes them out, because it does not look into macros.
macro_rules! calls {
    ($server:ident, $request:ident => $answer:expr; $($method:ident($asked:ident) -> $response:ident;)+) => {
        $(fn $method<'server, 'call>(
            &'server self,
            $request: Request<pb::$asked>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<pb::$response>, Status>> + Send + 'call>>
        where
            'server: 'call,
            Self: 'call,
        {
            let $server = self;
            Box::pin(async move { $answer })
        })+
    };
}

#[tonic::async_trait]
impl DirectoryService for FakeServer {
    calls! {
        server, request => server.write(&request.into_inner().request_id, Default::default());
        upsert_territory(UpsertTerritoryRequest) -> UpsertTerritoryResponse;
        upsert_schedule(UpsertScheduleRequest) -> UpsertScheduleResponse;
        upsert_emergency_site(UpsertEmergencySiteRequest) -> UpsertEmergencySiteResponse;
    }

    async fn upsert_practitioner(
        &self,
        request: Request<pb::UpsertPractitionerRequest>,
    ) -> Result<Response<pb::UpsertPractitionerResponse>, Status> {
        let warning = pb::FieldWarning { field: "phone".to_owned(), message: "odd".to_owned() };
        let response = pb::UpsertPractitionerResponse { practitioner: None, warnings: vec![warning] };
        self.write(&request.into_inner().request_id, response)
    }

    async fn upsert_place(
        &self,
        request: Request<pb::UpsertPlaceRequest>,
    ) -> Result<Response<pb::UpsertPlaceResponse>, Status> {
        let request = request.into_inner();
        if request.place.is_some_and(|place| place.place_id.ends_with("refused")) {
            let mut details = tonic_types::ErrorDetails::with_error_info("BAD_FIELDS", "sas", HashMap::new());
            details.add_bad_request_violation("place.city", "give a town");
            return Err(Status::with_error_details(tonic::Code::InvalidArgument, "refused", details));
        }
        self.write(&request.request_id, pb::UpsertPlaceResponse::default())
    }

    calls! {
        _server, _request => Err(Status::unimplemented("an import does not ask this"));
        get_territory(GetTerritoryRequest) -> GetTerritoryResponse;
        list_territories(ListTerritoriesRequest) -> ListTerritoriesResponse;
        get_place(GetPlaceRequest) -> GetPlaceResponse;
        list_places(ListPlacesRequest) -> ListPlacesResponse;
        get_practitioner(GetPractitionerRequest) -> GetPractitionerResponse;
        list_practitioners(ListPractitionersRequest) -> ListPractitionersResponse;
        get_schedule_entry(GetScheduleEntryRequest) -> GetScheduleEntryResponse;
        list_schedules(ListSchedulesRequest) -> ListSchedulesResponse;
        get_emergency_site(GetEmergencySiteRequest) -> GetEmergencySiteResponse;
        set_saturation(SetSaturationRequest) -> SetSaturationResponse;
        end_saturation(EndSaturationRequest) -> EndSaturationResponse;
        list_emergency_sites(ListEmergencySitesRequest) -> ListEmergencySitesResponse;
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<pb::PublishSlotsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl PublishingService for FakeServer {
    type PublishSlotsStream = Answers;

    async fn publish_slots(
        &self,
        request: Request<Streaming<pb::PublishSlotsRequest>>,
    ) -> Result<Response<Self::PublishSlotsStream>, Status> {
        let server = self.clone();
        let answers = request.into_inner().map(move |batch| server.answer(batch?));
        Ok(Response::new(Box::pin(answers)))
    }

    calls! {
        _server, _request => Err(Status::unimplemented("an import does not ask this"));
        replace_schedule(ReplaceScheduleRequest) -> ReplaceScheduleResponse;
        withdraw_slots(WithdrawSlotsRequest) -> WithdrawSlotsResponse;
        heartbeat(HeartbeatRequest) -> HeartbeatResponse;
        get_schedule(GetScheduleRequest) -> GetScheduleResponse;
        list_refusals(ListRefusalsRequest) -> ListRefusalsResponse;
    }
}

impl FakeServer {
    fn answer(&self, batch: pb::PublishSlotsRequest) -> Result<pb::PublishSlotsResponse, Status> {
        let mut told = self.told.lock();
        told.batches.push((batch.request_id.clone(), batch.rows.len()));
        let mut results = Vec::new();
        for (row, slot) in (0..).zip(batch.rows) {
            if slot.schedule_id == "broken" {
                return Err(Status::unavailable("going away"));
            }
            let mut result = pb::RowResult { row, slot_id: slot.slot_id.clone(), ..pb::RowResult::default() };
            if slot.schedule_id.ends_with("past") {
                result.reason = "SLOT_PAST".to_owned();
                result.field = format!("rows[{row}].window.end_at");
                result.message = "the slot is over".to_owned();
                result.set_status(pb::RowStatus::Refused);
            } else if slot.schedule_id.ends_with("refused") {
                result.reason = "UNKNOWN_SCHEDULE".to_owned();
                result.set_status(pb::RowStatus::Refused);
            } else if told.slots.insert(slot.slot_id, batch.source_revision).is_some() {
                result.set_status(pb::RowStatus::Unchanged);
            } else {
                result.set_status(pb::RowStatus::Created);
            }
            results.push(result);
        }
        Ok(pb::PublishSlotsResponse { request_id: batch.request_id, results, stamp: None })
    }
}

async fn start(server: &FakeServer) -> Channel {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Server::builder()
        .add_service(DirectoryServiceServer::new(server.clone()))
        .add_service(PublishingServiceServer::new(server.clone()));
    Tasks::new().spawn(async move { router.serve_with_incoming(TcpListenerStream::new(listener)).await });
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn plan(rows: &str) -> ImportPlan {
    let header = "place_id;schedule_id;commune_code;latitude;longitude;practitioner_id;family_name;date;start;end;slot_minutes;modalities;visibilities";
    parse_roster(format!("{header}\n{rows}").as_bytes(), &ImportOptions::default()).unwrap()
}

fn row(place: &str, schedule: &str, times: &str) -> String {
    format!("{place};{schedule};18033;47.07;2.37;10999000010;Tilleul;2026-01-05;{times};AMB;SNP\n")
}

fn options() -> SendOptions {
    SendOptions::at("roster", UtcInstant::from_ms(1_767_603_600_000))
}

#[tokio::test]
async fn everything_arrives_once_and_a_second_run_is_a_replay() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let region = crate::cli::sample::region().unwrap();
    let first = send(channel.clone(), region.clone(), &options()).await;
    assert!(first.is_complete(), "{first:?}");
    assert_eq!(first.slots.created, region.slots.len());
    assert_eq!(first.directory.accepted, region.message_count() - region.slots.len());
    assert_eq!(first.warning_count, region.practitioners.len(), "the server's warnings have their rows");
    let sizes: Vec<usize> = server.told.lock().batches.iter().map(|batch| batch.1).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size <= 500), "{sizes:?}");

    let second = send(channel, region, &options()).await;
    assert_eq!(second.slots.unchanged, first.slots.created);
    let mut told = server.told.lock();
    assert_eq!(told.batches.len(), 2 * sizes.len());
    assert_eq!(told.batches[..sizes.len()], told.batches[sizes.len()..]);
    told.writes.sort_unstable();
    assert!(told.writes.chunks(2).all(|pair| pair[0] == pair[1]), "the same request identifiers in both runs");
}

#[tokio::test]
async fn refusals_of_the_server_stand_at_their_rows() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let rows = [row("good", "good", "08:00;09:00;30"), row("refused", "refused", "08:00;09:00;30")].concat();
    let report = send(channel, plan(&rows), &options()).await;
    assert_eq!((report.slots.created, report.slots.refused, report.directory.refused), (2, 2, 1));
    let refused: Vec<_> = report.rows.iter().filter(|row| row.severity == Severity::Refused).collect();
    assert!(refused.iter().all(|row| row.origin == Origin::Line(3)), "{refused:?}");
    assert_eq!((refused[0].field.as_str(), refused[0].reason.as_str()), ("city", "BAD_FIELDS"));
    assert_eq!((refused[1].field.as_str(), refused[1].reason.as_str()), ("schedule_id", "UNKNOWN_SCHEDULE"));
    assert!(!report.is_complete());
}

#[tokio::test]
async fn one_cause_is_said_once_a_row_with_its_column_and_its_slots() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let rows = [row("p", "past", "08:00;12:00;15"), row("p", "past", "14:00;15:00;30")].concat();
    let report = send(channel, plan(&rows), &SendOptions { file: "roster.csv".to_owned(), ..options() }).await;
    assert_eq!((report.file.as_str(), report.slots.refused, report.refused_count), ("roster.csv", 18, 2));
    let refused: Vec<_> = report.rows.iter().filter(|row| row.severity == Severity::Refused).collect();
    let facts = |row: &RowReport| (row.origin.to_string(), row.field.clone(), row.message.clone(), row.count());
    let said = |line: &str, count| (line.to_owned(), "end".to_owned(), "the slot is over".to_owned(), count);
    assert_eq!([facts(refused[0]), facts(refused[1])], [said("line 2", 16), said("line 3", 2)]);
    assert_eq!(refused[1].slot_ids, ["past/20260105T130000Z/AMB", "past/20260105T133000Z/AMB"]);
}

#[tokio::test]
async fn refusals_of_a_bundle_name_the_entry_and_the_element() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let bundle = include_str!("../../../../tests/fixtures/bundle-sos.json");
    let mut bundle: serde_json::Value = serde_json::from_str(bundle).unwrap();
    let mut entries = bundle["entry"].as_array_mut().unwrap().iter_mut();
    let location = entries.position(|entry| entry["resource"]["resourceType"] == "Location").unwrap();
    bundle["entry"][location]["resource"]["identifier"] = serde_json::json!([{"value": "refused"}]);
    let plan = parse_bundle(bundle.to_string().as_bytes(), &ImportOptions::default()).unwrap();
    let report = send(channel, plan, &options()).await;
    let refused: Vec<_> = report.rows.iter().filter(|row| row.severity == Severity::Refused).collect();
    assert_eq!(refused[0].field, "Location.address.city");
    assert!(refused[0].origin.to_string().starts_with(&format!("entry {location} (Location/")), "{refused:?}");
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_rows_unanswered_and_named() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let report = send(channel, plan(&row("p", "broken", "08:00;09:00;30")), &options()).await;
    assert_eq!((report.slots.created, report.slots.unanswered), (0, 2));
    let reasons: Vec<_> = report.rows.iter().filter(|row| row.severity == Severity::Refused).collect();
    assert_eq!((reasons[0].reason.as_str(), reasons[1].reason.as_str()), ("UNAVAILABLE", "NOT_ANSWERED"));
    assert_eq!(reasons[1].origin, Origin::Line(2));
}

#[tokio::test]
async fn a_dry_run_and_a_refused_whole_send_nothing() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let rows = format!("{}bad\n", row("p", "p", "08:00;09:00;30"));
    let dry = send(channel.clone(), plan(&rows), &SendOptions { dry_run: true, ..options() }).await;
    assert_eq!((dry.dry_run, dry.slots.planned, dry.refused_count), (true, 2, 1));
    let whole = send(channel, plan(&rows), &SendOptions { all_or_nothing: true, ..options() }).await;
    assert_eq!((whole.slots.planned, whole.refused_count), (0, 2));
    assert!(server.told.lock().writes.is_empty() && server.told.lock().batches.is_empty());
}

#[tokio::test]
async fn all_or_nothing_sends_no_slot_when_the_server_refuses_an_entry() {
    let server = FakeServer::default();
    let channel = start(&server).await;
    let rows = [row("good", "good", "08:00;09:00;30"), row("refused", "refused", "08:00;09:00;30")].concat();
    let report = send(channel, plan(&rows), &SendOptions { all_or_nothing: true, ..options() }).await;
    assert_eq!((report.slots.created, report.directory.refused), (0, 1));
    assert!(server.told.lock().batches.is_empty());
}

#[test]
fn the_report_is_written_with_codes() {
    let report = ImportReport::planned(&plan(&row("p", "p", "08:00;09:00;30")), &options());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["rows"][0]["origin"], "line 2");
    assert_eq!(json["rows"][0]["severity"], Severity::Ok.code());
    assert_eq!(json["slots"]["planned"], 2);
    assert_eq!(code_name(tonic::Code::FailedPrecondition), "FAILED_PRECONDITION");
}
