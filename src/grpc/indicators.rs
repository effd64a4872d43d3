//! `IndicatorService`: anonymous figures for CPTS and departments.

use tonic::{Request, Response, Status};

use super::convert::common::stamp_to_proto;
use super::convert::orientation::{day_from_proto, scope_from_proto};
use super::findings::{Findings, Path};
use super::status;
use crate::domain::tally::Measure;
use crate::proto::routing as pb;
use crate::proto::routing::indicator_service_server::IndicatorService;
use crate::proto::routing::list_indicators_request::Scope;
use crate::service::limits::INDICATORS_KEPT_DAYS;
use crate::service::{self, DayIndicators, Service};

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
}

fn indicators_to_proto(indicators: &service::Indicators) -> pb::ListIndicatorsResponse {
    let service::Indicators { days, zone, stamp } = indicators;
    pb::ListIndicatorsResponse {
        indicators: days.iter().flat_map(day_to_proto).collect(),
        time_zone: zone.name().to_owned(),
        kept_days: u32::try_from(INDICATORS_KEPT_DAYS).unwrap_or(u32::MAX),
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
