//! `DirectoryService`: territories, places, practitioners, schedules, emergency sites.

use tonic::{Request, Response, Status};

use super::convert::common::{request_id_from_proto, warnings_to_proto};
use super::convert::emergency_site::{emergency_site_from_proto, emergency_site_to_proto, saturation_end_from_proto};
use super::convert::place::{place_from_proto, place_to_proto};
use super::convert::practitioner::{practitioner_from_proto, practitioner_to_proto};
use super::convert::schedule::{schedule_from_proto, schedule_to_proto};
use super::convert::territory::{territory_from_proto, territory_to_proto};
use super::findings::{Findings, Path};
use super::page::{List, Page};
use super::status;
use crate::domain::id::{EmergencySiteId, IdError, PlaceId, PractitionerId, RequestId, ScheduleId, TerritoryId};
use crate::domain::violation::Violation;
use crate::proto::routing as pb;
use crate::proto::routing::directory_service_server::DirectoryService;
use crate::service::{Caller, Service};

/// Keeps the slow-moving half of the state.
#[derive(Clone)]
pub(super) struct Directory {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn upsert_territory(
        &self,
        request: Request<pb::UpsertTerritoryRequest>,
    ) -> Result<Response<pb::UpsertTerritoryResponse>, Status> {
        let pb::UpsertTerritoryRequest { request_id, territory } = request.into_inner();
        let (request_id, territory, warnings) = upsert_from_proto(&request_id, |findings| {
            territory_from_proto(territory, Path::ROOT.field("territory"), findings)
        })?;
        let done =
            self.service.upsert_territory(&Caller::local(), request_id, territory).await.map_err(status::from_error)?;
        let territory = Some(territory_to_proto(&done.value));
        Ok(Response::new(pb::UpsertTerritoryResponse { territory, warnings: warnings_to_proto(warnings) }))
    }

    async fn get_territory(
        &self,
        request: Request<pb::GetTerritoryRequest>,
    ) -> Result<Response<pb::GetTerritoryResponse>, Status> {
        let pb::GetTerritoryRequest { territory_id } = request.into_inner();
        let id = id_from_proto("territory_id", TerritoryId::parse(&territory_id).map(|id| id.value))?;
        let territory = self.service.territory(&id).map_err(status::from_error)?;
        Ok(Response::new(pb::GetTerritoryResponse { territory: Some(territory_to_proto(&territory)) }))
    }

    async fn list_territories(
        &self,
        request: Request<pb::ListTerritoriesRequest>,
    ) -> Result<Response<pb::ListTerritoriesResponse>, Status> {
        let pb::ListTerritoriesRequest { page_size, page_token } = request.into_inner();
        let parse = |id: &str| TerritoryId::parse(id).ok().map(|id| id.value);
        let page = page_from_proto(List::Territories, page_size, &page_token, parse)?;
        let records = self.service.territories(page.after, page.fetch());
        let (territories, next_page_token) =
            page.to_proto(records, territory_to_proto, |territory| territory.id.wire());
        Ok(Response::new(pb::ListTerritoriesResponse { territories, next_page_token }))
    }

    async fn upsert_place(
        &self,
        request: Request<pb::UpsertPlaceRequest>,
    ) -> Result<Response<pb::UpsertPlaceResponse>, Status> {
        let pb::UpsertPlaceRequest { request_id, place } = request.into_inner();
        let (request_id, place, warnings) =
            upsert_from_proto(&request_id, |findings| place_from_proto(place, Path::ROOT.field("place"), findings))?;
        let done = self.service.upsert_place(&Caller::local(), request_id, place).await.map_err(status::from_error)?;
        let place = Some(place_to_proto(&done.value));
        Ok(Response::new(pb::UpsertPlaceResponse { place, warnings: warnings_to_proto(warnings) }))
    }

    async fn get_place(&self, request: Request<pb::GetPlaceRequest>) -> Result<Response<pb::GetPlaceResponse>, Status> {
        let pb::GetPlaceRequest { place_id } = request.into_inner();
        let id = id_from_proto("place_id", PlaceId::parse(&place_id))?;
        let place = self.service.place(&id).map_err(status::from_error)?;
        Ok(Response::new(pb::GetPlaceResponse { place: Some(place_to_proto(&place)) }))
    }

    async fn list_places(
        &self,
        request: Request<pb::ListPlacesRequest>,
    ) -> Result<Response<pb::ListPlacesResponse>, Status> {
        let pb::ListPlacesRequest { page_size, page_token } = request.into_inner();
        let parse = |id: &str| PlaceId::parse(id).ok();
        let page = page_from_proto(List::Places, page_size, &page_token, parse)?;
        let records = self.service.places(page.after.clone(), page.fetch());
        let (places, next_page_token) = page.to_proto(records, place_to_proto, |place| place.id.to_string());
        Ok(Response::new(pb::ListPlacesResponse { places, next_page_token }))
    }

    async fn upsert_practitioner(
        &self,
        request: Request<pb::UpsertPractitionerRequest>,
    ) -> Result<Response<pb::UpsertPractitionerResponse>, Status> {
        let pb::UpsertPractitionerRequest { request_id, practitioner } = request.into_inner();
        let (request_id, practitioner, warnings) = upsert_from_proto(&request_id, |findings| {
            practitioner_from_proto(practitioner, Path::ROOT.field("practitioner"), findings)
        })?;
        let done = self
            .service
            .upsert_practitioner(&Caller::local(), request_id, practitioner)
            .await
            .map_err(status::from_error)?;
        let practitioner = Some(practitioner_to_proto(&done.value));
        Ok(Response::new(pb::UpsertPractitionerResponse { practitioner, warnings: warnings_to_proto(warnings) }))
    }

    async fn get_practitioner(
        &self,
        request: Request<pb::GetPractitionerRequest>,
    ) -> Result<Response<pb::GetPractitionerResponse>, Status> {
        let pb::GetPractitionerRequest { practitioner_id } = request.into_inner();
        let id = id_from_proto("practitioner_id", PractitionerId::parse(&practitioner_id).map(|id| id.value))?;
        let practitioner = self.service.practitioner(&id).map_err(status::from_error)?;
        Ok(Response::new(pb::GetPractitionerResponse { practitioner: Some(practitioner_to_proto(&practitioner)) }))
    }

    async fn list_practitioners(
        &self,
        request: Request<pb::ListPractitionersRequest>,
    ) -> Result<Response<pb::ListPractitionersResponse>, Status> {
        let pb::ListPractitionersRequest { page_size, page_token } = request.into_inner();
        let parse = |id: &str| PractitionerId::parse(id).ok().map(|id| id.value);
        let page = page_from_proto(List::Practitioners, page_size, &page_token, parse)?;
        let records = self.service.practitioners(page.after.clone(), page.fetch());
        let (practitioners, next_page_token) =
            page.to_proto(records, practitioner_to_proto, |practitioner| practitioner.id.wire());
        Ok(Response::new(pb::ListPractitionersResponse { practitioners, next_page_token }))
    }

    async fn upsert_schedule(
        &self,
        request: Request<pb::UpsertScheduleRequest>,
    ) -> Result<Response<pb::UpsertScheduleResponse>, Status> {
        let pb::UpsertScheduleRequest { request_id, schedule } = request.into_inner();
        let (request_id, schedule, warnings) = upsert_from_proto(&request_id, |findings| {
            schedule_from_proto(schedule, Path::ROOT.field("schedule"), findings)
        })?;
        let done =
            self.service.upsert_schedule(&Caller::local(), request_id, schedule).await.map_err(status::from_error)?;
        let schedule = Some(schedule_to_proto(&done.value));
        Ok(Response::new(pb::UpsertScheduleResponse { schedule, warnings: warnings_to_proto(warnings) }))
    }

    async fn get_schedule_entry(
        &self,
        request: Request<pb::GetScheduleEntryRequest>,
    ) -> Result<Response<pb::GetScheduleEntryResponse>, Status> {
        let pb::GetScheduleEntryRequest { schedule_id } = request.into_inner();
        let id = id_from_proto("schedule_id", ScheduleId::parse(&schedule_id))?;
        let schedule = self.service.schedule(&id).map_err(status::from_error)?;
        Ok(Response::new(pb::GetScheduleEntryResponse { schedule: Some(schedule_to_proto(&schedule)) }))
    }

    async fn list_schedules(
        &self,
        request: Request<pb::ListSchedulesRequest>,
    ) -> Result<Response<pb::ListSchedulesResponse>, Status> {
        let pb::ListSchedulesRequest { page_size, page_token } = request.into_inner();
        let parse = |id: &str| ScheduleId::parse(id).ok();
        let page = page_from_proto(List::Schedules, page_size, &page_token, parse)?;
        let records = self.service.schedules(page.after.clone(), page.fetch());
        let (schedules, next_page_token) =
            page.to_proto(records, schedule_to_proto, |schedule| schedule.id.to_string());
        Ok(Response::new(pb::ListSchedulesResponse { schedules, next_page_token }))
    }

    async fn upsert_emergency_site(
        &self,
        request: Request<pb::UpsertEmergencySiteRequest>,
    ) -> Result<Response<pb::UpsertEmergencySiteResponse>, Status> {
        let pb::UpsertEmergencySiteRequest { request_id, emergency_site } = request.into_inner();
        let (request_id, site, warnings) = upsert_from_proto(&request_id, |findings| {
            emergency_site_from_proto(emergency_site, Path::ROOT.field("emergency_site"), findings)
        })?;
        let done =
            self.service.upsert_emergency_site(&Caller::local(), request_id, site).await.map_err(status::from_error)?;
        let emergency_site = Some(emergency_site_to_proto(&done.value, self.service.now()));
        Ok(Response::new(pb::UpsertEmergencySiteResponse { emergency_site, warnings: warnings_to_proto(warnings) }))
    }

    async fn get_emergency_site(
        &self,
        request: Request<pb::GetEmergencySiteRequest>,
    ) -> Result<Response<pb::GetEmergencySiteResponse>, Status> {
        let pb::GetEmergencySiteRequest { emergency_site_id } = request.into_inner();
        let id = id_from_proto("emergency_site_id", EmergencySiteId::parse(&emergency_site_id))?;
        let site = self.service.emergency_site(&id).map_err(status::from_error)?;
        Ok(Response::new(pb::GetEmergencySiteResponse {
            emergency_site: Some(emergency_site_to_proto(&site, self.service.now())),
        }))
    }

    async fn list_emergency_sites(
        &self,
        request: Request<pb::ListEmergencySitesRequest>,
    ) -> Result<Response<pb::ListEmergencySitesResponse>, Status> {
        let pb::ListEmergencySitesRequest { page_size, page_token } = request.into_inner();
        let parse = |id: &str| EmergencySiteId::parse(id).ok();
        let page = page_from_proto(List::EmergencySites, page_size, &page_token, parse)?;
        let records = self.service.emergency_sites(page.after.clone(), page.fetch());
        let now = self.service.now();
        let (emergency_sites, next_page_token) =
            page.to_proto(records, |site| emergency_site_to_proto(site, now), |site| site.id.to_string());
        Ok(Response::new(pb::ListEmergencySitesResponse { emergency_sites, next_page_token }))
    }

    async fn set_saturation(
        &self,
        request: Request<pb::SetSaturationRequest>,
    ) -> Result<Response<pb::SetSaturationResponse>, Status> {
        let pb::SetSaturationRequest { request_id, emergency_site_id, end } = request.into_inner();
        let (request_id, (id, end), _) = upsert_from_proto(&request_id, |findings| {
            let id = Path::ROOT.field("emergency_site_id");
            let id = findings.take(id, EmergencySiteId::parse(&emergency_site_id));
            let end = saturation_end_from_proto(end, findings);
            id.zip(end)
        })?;
        let done =
            self.service.set_saturation(&Caller::local(), request_id, id, end).await.map_err(status::from_error)?;
        let emergency_site = Some(emergency_site_to_proto(&done.value, self.service.now()));
        Ok(Response::new(pb::SetSaturationResponse { emergency_site, replayed: done.replayed }))
    }

    async fn end_saturation(
        &self,
        request: Request<pb::EndSaturationRequest>,
    ) -> Result<Response<pb::EndSaturationResponse>, Status> {
        let pb::EndSaturationRequest { request_id, emergency_site_id } = request.into_inner();
        let (request_id, id, _) = upsert_from_proto(&request_id, |findings| {
            findings.take(Path::ROOT.field("emergency_site_id"), EmergencySiteId::parse(&emergency_site_id))
        })?;
        let done = self.service.end_saturation(&Caller::local(), request_id, id).await.map_err(status::from_error)?;
        let emergency_site = Some(emergency_site_to_proto(&done.value, self.service.now()));
        Ok(Response::new(pb::EndSaturationResponse { emergency_site, replayed: done.replayed }))
    }
}

/// Reads the request id and the value of an upsert; every wrong field at once.
fn upsert_from_proto<T>(
    request_id: &str,
    read: impl FnOnce(&mut Findings) -> Option<T>,
) -> Result<(RequestId, T, Vec<Violation>), Status> {
    let mut findings = Findings::default();
    let request_id = request_id_from_proto(request_id, &mut findings);
    let value = read(&mut findings);
    let Findings { violations, warnings } = findings;
    match request_id.zip(value) {
        Some((request_id, value)) if violations.is_empty() => Ok((request_id, value, warnings)),
        Some(_) | None => Err(status::from_violations(violations)),
    }
}

fn id_from_proto<T>(field: &'static str, id: Result<T, IdError>) -> Result<T, Status> {
    let mut findings = Findings::default();
    let id = findings.take(Path::ROOT.field(field), id);
    id.ok_or_else(|| status::from_violations(findings.violations))
}

fn page_from_proto<T>(
    list: List,
    page_size: u32,
    page_token: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Page<T>, Status> {
    let mut findings = Findings::default();
    let page = Page::from_proto(list, page_size, page_token, parse, &mut findings);
    if findings.violations.is_empty() { Ok(page) } else { Err(status::from_violations(findings.violations)) }
}
