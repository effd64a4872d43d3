//! Sends territories, places, professionals, schedules and emergency sites.

use std::sync::Arc;

use indicatif::ProgressBar;
use prost::Message;
use tokio::sync::Semaphore;
use tonic::{Response, Status};

use super::{ImportReport, SendOptions, Transport, refusals};
use crate::cli::import::wording::Kind;
use crate::cli::import::{Origin, Planned, RowReport, Severity, identity};
use crate::proto::routing as pb;
use crate::proto::routing::directory_service_client::DirectoryServiceClient;
use crate::tasks::Tasks;

/// The directory entries of a plan.
pub(super) struct Entries {
    pub(super) territories: Vec<Planned<pb::Territory>>,
    pub(super) places: Vec<Planned<pb::Place>>,
    pub(super) practitioners: Vec<Planned<pb::Practitioner>>,
    pub(super) schedules: Vec<Planned<pb::Schedule>>,
    pub(super) emergency_sites: Vec<Planned<pb::EmergencySite>>,
}

/// Sends every entry; a schedule after all that it names.
pub(super) async fn send<T: Transport>(
    transport: &T,
    entries: Entries,
    options: &SendOptions,
    progress: &ProgressBar,
    report: &mut ImportReport,
) {
    let Entries { territories, places, practitioners, schedules, emergency_sites } = entries;
    let client = DirectoryServiceClient::new(transport.clone());
    let sender = Sender { options, progress };
    sender
        .send_kind(Kind::Territory, territories, report, |request_id, territory| {
            let mut client = client.clone();
            async move {
                let request = pb::UpsertTerritoryRequest { request_id, territory: Some(territory) };
                client.upsert_territory(request).await.map(|response: Response<_>| response.into_inner().warnings)
            }
        })
        .await;
    sender
        .send_kind(Kind::Place, places, report, |request_id, place| {
            let mut client = client.clone();
            async move {
                let request = pb::UpsertPlaceRequest { request_id, place: Some(place) };
                client.upsert_place(request).await.map(|response: Response<_>| response.into_inner().warnings)
            }
        })
        .await;
    sender
        .send_kind(Kind::Practitioner, practitioners, report, |request_id, practitioner| {
            let mut client = client.clone();
            async move {
                let request = pb::UpsertPractitionerRequest { request_id, practitioner: Some(practitioner) };
                client.upsert_practitioner(request).await.map(|response: Response<_>| response.into_inner().warnings)
            }
        })
        .await;
    sender
        .send_kind(Kind::Schedule, schedules, report, |request_id, schedule| {
            let mut client = client.clone();
            async move {
                let request = pb::UpsertScheduleRequest { request_id, schedule: Some(schedule) };
                client.upsert_schedule(request).await.map(|response: Response<_>| response.into_inner().warnings)
            }
        })
        .await;
    sender
        .send_kind(Kind::EmergencySite, emergency_sites, report, |request_id, emergency_site| {
            let mut client = client.clone();
            async move {
                let request = pb::UpsertEmergencySiteRequest { request_id, emergency_site: Some(emergency_site) };
                client.upsert_emergency_site(request).await.map(|response: Response<_>| response.into_inner().warnings)
            }
        })
        .await;
}

struct Sender<'a> {
    options: &'a SendOptions,
    progress: &'a ProgressBar,
}

impl Sender<'_> {
    /// Sends the entries of one kind, at most `in_flight` at once, and waits for all of them.
    async fn send_kind<M, F, C>(&self, kind: Kind, entries: Vec<Planned<M>>, report: &mut ImportReport, call: C)
    where
        M: Message + 'static,
        F: Future<Output = Result<Vec<pb::FieldWarning>, Status>> + Send + 'static,
        C: Fn(String, M) -> F,
    {
        let name = kind.wrapper();
        self.progress.set_message(name);
        let tasks = Tasks::new();
        let permits = Arc::new(Semaphore::new(self.options.in_flight.max(1)));
        let mut running = Vec::with_capacity(entries.len());
        for Planned { origin, message } in entries {
            let permit = Arc::clone(&permits).acquire_owned().await;
            let request_id = identity::request_id(name, self.options.source_revision, &message.encode_to_vec());
            let answer = call(request_id, message);
            let progress = self.progress.clone();
            let task = tasks.spawn(async move {
                let answer = answer.await;
                drop(permit);
                progress.inc(1);
                answer
            });
            running.push((origin, task));
        }
        for (origin, task) in running {
            let answer = task.await.unwrap_or_else(|_| Err(Status::unknown("the write was interrupted: import again")));
            take(kind, &origin, answer, report);
        }
    }
}

fn take(kind: Kind, origin: &Origin, answer: Result<Vec<pb::FieldWarning>, Status>, report: &mut ImportReport) {
    match answer {
        Ok(warnings) => {
            report.directory.accepted += 1;
            report.add(warnings.into_iter().map(|warning| server_warning(kind, origin, warning)).collect());
        }
        Err(status) => {
            report.directory.refused += 1;
            report.add(refusals(Some(kind), origin, &status));
        }
    }
}

/// A doubt of the server about an accepted value, in the file's own words.
pub(super) fn server_warning(kind: Kind, origin: &Origin, warning: pb::FieldWarning) -> RowReport {
    RowReport {
        origin: origin.clone(),
        severity: Severity::Warning,
        field: kind.field(&warning.field, origin).to_owned(),
        reason: "SERVER_WARNING".to_owned(),
        message: warning.message,
        slot_ids: Vec::new(),
    }
}
