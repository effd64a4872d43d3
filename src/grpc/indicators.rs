//! `IndicatorService`: anonymous figures for CPTS and departments.

use tonic::{Request, Response, Status};

use super::convert::common::{instant_to_proto, stamp_to_proto};
use super::convert::orientation::{day_from_proto, scope_from_proto};
use super::findings::{Findings, Path};
use super::status;
use crate::domain::code::PatientCategory;
use crate::domain::tally::Measure;
use crate::domain::tension::{AskedFor, SMALL_COUNT_MIN, UnmetCount};
use crate::proto::routing as pb;
use crate::proto::routing::indicator_service_server::IndicatorService;
use crate::proto::routing::list_indicators_request::Scope;
use crate::service::limits::INDICATORS_KEPT_DAYS;
use crate::service::{self, DayIndicators, Service, Unmet};

/// Lists figures.
#[derive(Clone)]
pub(super) struct Indicators {
    pub(super) service: Service,
}

#[tonic::async_trait]
impl IndicatorService for Indicators {
    async fn list_indicators(
        &self,
        request: Request<pb::ListIndicatorsRequest>,
    ) -> Result<Response<pb::ListIndicatorsResponse>, Status> {
        let pb::ListIndicatorsRequest { scope, first_day, last_day } = request.into_inner();
        let (path, mut findings) = (Path::ROOT, Findings::default());
        let (territory_id, department) = match &scope {
            Some(Scope::TerritoryId(id)) => (Some(id.as_str()), None),
            Some(Scope::Department(code)) => (None, Some(code.as_str())),
            None => (None, None),
        };
        let scope = scope_from_proto(territory_id, department, path, &mut findings);
        let first = day_from_proto(&first_day, path.field("first_day"), &mut findings);
        let last = if last_day.trim().is_empty() {
            first
        } else {
            day_from_proto(&last_day, path.field("last_day"), &mut findings)
        };
        let Some(((scope, first), last)) = scope.zip(first).zip(last) else {
            return Err(status::from_violations(findings.violations));
        };
        let told = self.service.indicators(scope, first, last).map_err(status::from_error)?;
        Ok(Response::new(indicators_to_proto(&told)))
    }

    async fn list_near_misses(
        &self,
        request: Request<pb::ListNearMissesRequest>,
    ) -> Result<Response<pb::ListNearMissesResponse>, Status> {
        use pb::list_near_misses_request::Scope;
        let pb::ListNearMissesRequest { scope, day } = request.into_inner();
        let (path, mut findings) = (Path::ROOT, Findings::default());
        let (territory_id, department) = match &scope {
            Some(Scope::TerritoryId(id)) => (Some(id.as_str()), None),
            Some(Scope::Department(code)) => (None, Some(code.as_str())),
            None => (None, None),
        };
        let scope = scope_from_proto(territory_id, department, path, &mut findings);
        let day = day_from_proto(&day, path.field("day"), &mut findings);
        let Some((scope, day)) = scope.zip(day) else {
            return Err(status::from_violations(findings.violations));
        };
        let unmet = self.service.unmet_needs(scope, day).map_err(status::from_error)?;
        Ok(Response::new(unmet_to_proto(&unmet)))
    }
}

fn unmet_to_proto(unmet: &Unmet) -> pb::ListNearMissesResponse {
    let Unmet { asked_count, nothing_found_count, needs, zone, counted_since, stamp } = unmet;
    pb::ListNearMissesResponse {
        asked_count: *asked_count,
        nothing_found_count: *nothing_found_count,
        needs: needs.iter().map(need_to_proto).collect(),
        small_count: SMALL_COUNT_MIN,
        time_zone: zone.name().to_owned(),
        counted_since: Some(instant_to_proto(*counted_since)),
        stamp: Some(stamp_to_proto(stamp)),
    }
}

fn need_to_proto(need: &UnmetCount) -> pb::UnmetNeed {
    let UnmetCount { asked, age_band, local_hour, commune, count } = need;
    let (specialty, profession) = match asked {
        None => (None, None),
        Some(AskedFor::Specialty(specialty)) => (Some(specialty.code()), None),
        Some(AskedFor::Profession(profession)) => (None, Some(profession.code())),
        Some(AskedFor::Unstated) => (Some(""), None),
    };
    let commune = commune.map(|commune| commune.map_or(String::new(), |commune| commune.to_string()));
    pb::UnmetNeed {
        specialty: specialty.map(str::to_owned),
        profession: profession.map(str::to_owned),
        age_band: age_band.map(|band| band.map_or("", PatientCategory::code).to_owned()),
        local_hour: local_hour.map(u32::from),
        commune_code: commune,
        count: *count,
    }
}

fn indicators_to_proto(indicators: &service::Indicators) -> pb::ListIndicatorsResponse {
    let service::Indicators { days, zone, stamp } = indicators;
    pb::ListIndicatorsResponse {
        indicators: days.iter().flat_map(day_to_proto).collect(),
        time_zone: zone.name().to_owned(),
        kept_days: u32::try_from(INDICATORS_KEPT_DAYS).unwrap_or(u32::MAX),
        small_count: SMALL_COUNT_MIN,
        stamp: Some(stamp_to_proto(stamp)),
    }
}

fn day_to_proto(indicators: &DayIndicators) -> Vec<pb::Indicator> {
    let DayIndicators { id, counts } = indicators;
    let day = id.day.to_string();
    let mut measures: Vec<Measure> = Measure::always_told();
    measures.extend(counts.iter().map(|(measure, _)| measure));
    measures.sort_unstable();
    measures.dedup();
    let indicator = |measure: Measure| pb::Indicator {
        day: day.clone(),
        measure: measure.kind.code().to_owned(),
        detail: measure.detail.to_owned(),
        count: counts.get(measure),
    };
    measures.into_iter().map(indicator).collect()
}
