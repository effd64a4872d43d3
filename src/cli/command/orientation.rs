//! `orient`, `attend`: how a case and a booking ended.

use clap::{Args, ValueEnum};

use super::show;
use crate::cli::connection::{ServerArguments, WriteArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::cli::render::{Layout, orientation as render};
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Arguments of `orient`.
#[derive(Debug, Args)]
pub struct OrientArguments {
    /// Regulation file, opaque
    pub case: String,
    /// What regulation decided in the end
    #[arg(long, value_name = "CODE", value_parser = parse_outcome)]
    pub outcome: pb::CareOutcome,
    /// The booking, when there is one
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub booking: String,
    /// Territory (FINESS of the CPTS) of the patient
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub territory: String,
    /// Department of the patient; the territory's or the booking's unless given
    #[arg(long, value_name = "CODE", value_parser = human::parse_department)]
    pub department: Option<String>,
    /// Specialty that was asked for, of TRE_R38
    #[arg(long, value_name = "CODE", value_parser = human::parse_specialty)]
    pub specialty: Option<String>,
    /// Band of ages: NOURRISSON, ENFANT, ADULTE, SENIOR, ENCEINTE
    #[arg(long, value_name = "CODE", value_parser = human::parse_age_band)]
    pub age_band: Option<String>,
    /// Decision type of Hub Santé, when not the outcome's own, for instance PMT
    #[arg(long, value_name = "CODE", value_parser = human::parse_decision_type)]
    pub decision: Option<String>,
    /// Orientation type of Hub Santé, when not the outcome's own
    #[arg(long, value_name = "CODE", value_parser = human::parse_orientation_type)]
    pub orientation: Option<String>,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `attend`.
#[derive(Debug, Args)]
pub struct AttendArguments {
    /// The booking, as `confirm` shows it
    pub booking: String,
    /// What became of it
    #[arg(value_enum)]
    pub attendance: AttendanceArgument,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What became of a booking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AttendanceArgument {
    /// The patient was seen
    Seen,
    /// The patient came late, and was seen
    Late,
    /// The patient did not come
    NoShow,
}

fn parse_outcome(text: &str) -> Result<pb::CareOutcome, String> {
    let code = text.trim().to_uppercase().replace('-', "_");
    let codes = || {
        let known = crate::domain::answer::CareOutcome::ALL;
        known.map(|outcome| outcome.code().to_lowercase().replace('_', "-")).join(", ")
    };
    let known = pb::CareOutcome::from_str_name(&format!("CARE_OUTCOME_{code}"));
    known
        .filter(|outcome| *outcome != pb::CareOutcome::Unspecified)
        .ok_or_else(|| format!("`{text}` is no outcome; known are: {}", codes()))
}

/// Records what regulation decided in the end.
///
/// # Errors
/// When the service cannot be reached or refuses it.
pub async fn orient(arguments: &OrientArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(orientation_service_client::OrientationServiceClient, arguments.server.connect().await?);
    let orientation = pb::Orientation {
        case_id: arguments.case.clone(),
        outcome: arguments.outcome.into(),
        decision_type: arguments.decision.clone().unwrap_or_default(),
        orientation_type: arguments.orientation.clone().unwrap_or_default(),
        booking_id: arguments.booking.clone(),
        territory_id: arguments.territory.clone(),
        department: arguments.department.clone().unwrap_or_default(),
        specialty: arguments.specialty.clone().unwrap_or_default(),
        age_band: arguments.age_band.clone().unwrap_or_default(),
        ..pb::Orientation::default()
    };
    let request = pb::RecordOrientationRequest {
        request_id: arguments.write.announced(terminal),
        orientation: Some(orientation),
    };
    let response = client.record_orientation(request).await?.into_inner();
    show(terminal, arguments.server.output, "RecordOrientationResponse", &response, || {
        render::orientation(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}

/// Records what became of a booking.
///
/// # Errors
/// When the service cannot be reached or refuses it.
pub async fn attend(arguments: &AttendArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(orientation_service_client::OrientationServiceClient, arguments.server.connect().await?);
    let attendance = match arguments.attendance {
        AttendanceArgument::Seen => pb::Attendance::Seen,
        AttendanceArgument::Late => pb::Attendance::Late,
        AttendanceArgument::NoShow => pb::Attendance::NoShow,
    };
    let request = pb::RecordAttendanceRequest {
        request_id: arguments.write.announced(terminal),
        booking_id: arguments.booking.clone(),
        attendance: attendance.into(),
    };
    let response = client.record_attendance(request).await?.into_inner();
    show(terminal, arguments.server.output, "RecordAttendanceResponse", &response, || {
        render::attendance(&response, &Layout::new(terminal.width()))
    })?;
    Ok(Exit::Success)
}
