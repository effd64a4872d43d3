//! `indicators`, `tension`: the figures of a CPTS or department as CSV, and which needs found nothing.

use clap::Args;

use super::show;
use crate::cli::connection::{Output, ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::cli::render::{Layout, tension as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;
use crate::proto::routing::list_indicators_request::Scope;

/// Columns of the CSV, in order.
const COLUMNS: [&str; 7] = ["territory_id", "department", "day", "time_zone", "measure", "detail", "count"];

/// Arguments of `indicators`.
#[derive(Debug, Args)]
pub struct IndicatorsArguments {
    /// Whose figures.
    #[command(flatten)]
    pub scope: ScopeArguments,
    /// Civil day in local time, for instance 2026-11-23
    #[arg(long, value_name = "DAY")]
    pub day: String,
    /// Last day of several, at most 31
    #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
    pub until: String,
    /// Where the service is, and `--output json` instead of CSV.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// A territory or a department.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ScopeArguments {
    /// Of this territory (FINESS of the CPTS)
    #[arg(long, value_name = "ID")]
    pub territory: Option<String>,
    /// Of this department, its territories included
    #[arg(long, value_name = "CODE", value_parser = human::parse_department)]
    pub department: Option<String>,
}

/// Asks and writes the figures.
///
/// # Errors
/// When the service cannot be reached or refuses the question.
pub async fn run(arguments: &IndicatorsArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(indicator_service_client::IndicatorServiceClient, arguments.server.connect().await?);
    let ScopeArguments { territory, department } = &arguments.scope;
    let scope = territory.clone().map(Scope::TerritoryId).or(department.clone().map(Scope::Department));
    let request =
        pb::ListIndicatorsRequest { scope, first_day: arguments.day.clone(), last_day: arguments.until.clone() };
    let response = client.list_indicators(request).await?.into_inner();
    if arguments.server.output == Output::Json {
        show(terminal, Output::Json, "ListIndicatorsResponse", &response, String::new)?;
        return Ok(Exit::Success);
    }
    terminal.answer(csv(&arguments.scope, &response)?.trim_end());
    Ok(Exit::Success)
}

/// Arguments of `tension`.
#[derive(Debug, Args)]
pub struct TensionArguments {
    /// Whose needs.
    #[command(flatten)]
    pub scope: ScopeArguments,
    /// Civil day in local time, for instance 2026-11-23
    #[arg(long, value_name = "DAY")]
    pub day: String,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks and shows which needs found nothing.
///
/// # Errors
/// When the service cannot be reached or refuses the question.
pub async fn tension(arguments: &TensionArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    use pb::list_near_misses_request::Scope;
    let mut client = client!(indicator_service_client::IndicatorServiceClient, arguments.server.connect().await?);
    let ScopeArguments { territory, department } = &arguments.scope;
    let scope = territory.clone().map(Scope::TerritoryId).or(department.clone().map(Scope::Department));
    let request = pb::ListNearMissesRequest { scope, day: arguments.day.clone() };
    let response = client.list_near_misses(request).await?.into_inner();
    show(terminal, arguments.server.output, "ListNearMissesResponse", &response, || {
        render::tension(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

fn csv(scope: &ScopeArguments, response: &pb::ListIndicatorsResponse) -> Result<String, Failure> {
    let wrong = |problem: &dyn std::fmt::Display| Failure::Local(format!("the figures cannot be written: {problem}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let (territory, department) = (scope.territory.as_deref(), scope.department.as_deref());
    writer.write_record(COLUMNS).map_err(|error| wrong(&error))?;
    for pb::Indicator { day, measure, detail, count } in &response.indicators {
        let (territory, department) = (territory.unwrap_or_default(), department.unwrap_or_default());
        let line = [territory, department, day, &response.time_zone, measure, detail, &count.to_string()];
        writer.write_record(line).map_err(|error| wrong(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| wrong(&error))?;
    String::from_utf8(bytes).map_err(|error| wrong(&error))
}
