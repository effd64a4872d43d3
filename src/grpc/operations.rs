//! `OperationsService`: how the service stands, and what it shows, record by record.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::convert::board::{board_request_from_proto, board_to_proto};
use super::convert::common::{confidence_to_proto, instant_to_proto, stamp_to_proto};
use super::convert::ledger::{page_to_proto, shared_ledger_to_proto};
use super::gate::RETRY_AFTER_MS;
use super::status;
use crate::proto::routing as pb;
use crate::proto::routing::operations_service_server::OperationsService;
use crate::service::{self, Condition, RoadHealth, Service, SourceView};
use crate::tasks::Tasks;

/// Tells operations people how the service stands.
#[derive(Clone)]
pub(super) struct Operations {
    pub(super) service: Service,
    /// Listings of all records that may be under way.
    pub(super) listings: Arc<Semaphore>,
    /// Owns the tasks that hand pages on.
    pub(super) tasks: Tasks,
}

/// Listings of all records that may be under way at once: each takes a thread and reads all that is kept.
pub(super) const LISTINGS_MAX: usize = 2;
/// Pages that wait for the client.
const PAGES_WAITING_MAX: usize = 4;
/// How long a client may leave all waiting pages untaken: its listing keeps a thread and a place from others.
const PAGE_TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// A page, or why there is none.
type Page = Result<pb::ListRecordDigestsResponse, Status>;

#[tonic::async_trait]
impl OperationsService for Operations {
    type ListRecordDigestsStream = ReceiverStream<Page>;

    async fn get_status(
        &self,
        request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        let pb::GetStatusRequest {} = request.into_inner();
        Ok(Response::new(status_to_proto(self.service.status())))
    }

    async fn list_sources(
        &self,
        request: Request<pb::ListSourcesRequest>,
    ) -> Result<Response<pb::ListSourcesResponse>, Status> {
        let pb::ListSourcesRequest {} = request.into_inner();
        let stamp = Some(stamp_to_proto(&self.service.stamp()));
        let sources = self.service.sources().into_iter().map(source_to_proto).collect();
        Ok(Response::new(pb::ListSourcesResponse { sources, stamp }))
    }

    async fn get_board(&self, request: Request<pb::GetBoardRequest>) -> Result<Response<pb::GetBoardResponse>, Status> {
        let rows_max = board_request_from_proto(&request.into_inner()).map_err(status::from_violations)?;
        let board = self.service.board().await;
        Ok(Response::new(board_to_proto(&board, rows_max)))
    }

    async fn list_record_digests(
        &self,
        request: Request<pb::ListRecordDigestsRequest>,
    ) -> Result<Response<Self::ListRecordDigestsStream>, Status> {
        let pb::ListRecordDigestsRequest {} = request.into_inner();
        let place = Arc::clone(&self.listings).try_acquire_owned();
        let place = place.map_err(|_| status::overloaded(RETRY_AFTER_MS))?;
        let (pages, made) = mpsc::channel(1);
        // One place more, for the word why it ends.
        let (given, waiting) = mpsc::channel(PAGES_WAITING_MAX + 1);
        let records = self.service.records();
        // Ends when the client has all, takes none in time, or is gone.
        tokio::task::spawn_blocking(move || {
            records.each_page(|page| pages.blocking_send(page_to_proto(page)).is_ok());
            drop(place);
        });
        self.tasks.spawn(hand_on(made, given));
        Ok(Response::new(ReceiverStream::new(waiting)))
    }
}

/// Hands pages to a client until it has all, is gone, or takes none for too long, which it is told after those that wait.
async fn hand_on(mut made: mpsc::Receiver<pb::ListRecordDigestsResponse>, given: mpsc::Sender<Page>) {
    let Ok(last_word) = given.clone().try_reserve_owned() else { return };
    while let Some(page) = made.recv().await {
        match tokio::time::timeout(PAGE_TAKEN_WITHIN, given.send(Ok(page))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                last_word.send(Err(status::not_read(PAGE_TAKEN_WITHIN)));
                return;
            }
        }
    }
}

pub(super) fn source_to_proto(view: SourceView) -> pb::Source {
    let SourceView { source, extent, confidence, hidden_after } = view;
    pb::Source {
        source_id: source.id.to_string(),
        lease_seconds: source.lease_seconds,
        heartbeat_at: source.lease_seconds.map(|_| instant_to_proto(source.heard_at)),
        last_received_at: extent.last_received_at.map(instant_to_proto),
        schedule_count: u64::try_from(extent.schedule_count).unwrap_or(u64::MAX),
        confidence: confidence_to_proto(confidence).into(),
        hidden_after: Some(instant_to_proto(hidden_after)),
    }
}

pub(super) fn status_to_proto(status: service::Status) -> pb::GetStatusResponse {
    let service::Status {
        instance_id,
        version,
        started_at,
        ledger_kind,
        durability,
        durability_class,
        ledger,
        refusal,
        conditions,
        stamp,
        counts,
        beyond_delay_count,
        roads,
    } = status;
    let condition = |Condition { kind, message }| pb::Condition {
        code: kind.code().to_owned(),
        message,
        degrades: kind.degrades(),
    };
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let history_digest = ledger.own.as_ref().map(|own| own.digest.clone()).unwrap_or_default();
    let counter = |(name, value): &(&str, u64)| pb::Counter { name: (*name).to_owned(), value: *value };
    pb::GetStatusResponse {
        durability_class: durability_class.to_owned(),
        history_digest,
        counters: ledger.counters.iter().map(counter).collect(),
        shared_ledger: shared_ledger_to_proto(ledger),
        instance_id: instance_id.to_string(),
        version: version.to_owned(),
        started_at: Some(instant_to_proto(started_at)),
        ledger_kind: ledger_kind.to_owned(),
        durability: durability.to_owned(),
        writable: refusal.is_none(),
        write_refusal: refusal.unwrap_or_default(),
        conditions: conditions.into_iter().map(condition).collect(),
        stamp: Some(stamp_to_proto(&stamp)),
        beyond_delay_count,
        road_times: roads.map(roads_to_proto),
        counts: Some(pb::Counts {
            territories: count(counts.territories),
            places: count(counts.places),
            practitioners: count(counts.practitioners),
            schedules: count(counts.schedules),
            slots: count(counts.slots),
            emergency_sites: count(counts.emergency_sites),
            claims: count(counts.claims),
        }),
    }
}

fn roads_to_proto(health: RoadHealth) -> pb::RoadTimesStatus {
    let RoadHealth {
        engine,
        asked_count,
        failed_count,
        known_count,
        skipped_count,
        last_failure,
        paused_until,
        is_failing: _,
    } = health;
    pb::RoadTimesStatus {
        engine: engine.code().to_owned(),
        asked_count,
        failed_count,
        known_count,
        skipped_count,
        last_failure: last_failure.map(|doubt| doubt.code().to_owned()).unwrap_or_default(),
        paused_until: paused_until.map(instant_to_proto),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// Pages without end; how many were taken off the maker's hands.
    async fn make(pages: mpsc::Sender<pb::ListRecordDigestsResponse>) -> u64 {
        let mut count = 0;
        let page = |position| pb::ListRecordDigestsResponse { epoch: 1, position, records: Vec::new() };
        while pages.send(page(count)).await.is_ok() {
            count += 1;
        }
        count
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_that_nobody_reads_ends_and_says_why() {
        let (pages, made) = mpsc::channel(1);
        let (given, mut waiting) = mpsc::channel::<Page>(PAGES_WAITING_MAX + 1);
        let begun_at = Instant::now();
        tokio::join!(make(pages), hand_on(made, given));
        assert_eq!(begun_at.elapsed(), PAGE_TAKEN_WITHIN);
        for position in 0..PAGES_WAITING_MAX {
            assert_eq!(waiting.recv().await.unwrap().unwrap().position, position as u64);
        }
        let why = waiting.recv().await.unwrap().unwrap_err();
        assert_eq!(status::reason_of(&why), "NOT_READ");
        assert!(waiting.recv().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_gets_every_page() {
        let (pages, made) = mpsc::channel(1);
        let (given, mut waiting) = mpsc::channel::<Page>(PAGES_WAITING_MAX + 1);
        let read = async {
            for position in 0..20 {
                tokio::time::advance(PAGE_TAKEN_WITHIN - Duration::from_secs(1)).await;
                assert_eq!(waiting.recv().await.unwrap().unwrap().position, position);
            }
            drop(waiting);
        };
        let (count, (), ()) = tokio::join!(make(pages), hand_on(made, given), read);
        assert!(count >= 20, "{count}");
    }
}
