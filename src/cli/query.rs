//! The question of `find`, as flags.
//!
//! Invariant: a flag that was not given stays absent in the question, so that the service's own defaults apply.

use clap::Args;

use super::human;
use crate::domain::geo::GeoPoint;
use crate::domain::patient::{Need, TravelMode};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// What the regulator asks, nothing that identifies the patient.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct QueryArguments {
    /// Where the patient is, for instance 45.697,4.886
    #[arg(long, value_name = "LAT,LON", value_parser = human::parse_position, allow_hyphen_values = true)]
    pub at: Option<GeoPoint>,
    /// INSEE code of the patient's commune
    #[arg(long, value_name = "CODE")]
    pub commune: Option<String>,
    /// Department, when the commune is not known
    #[arg(long, value_name = "CODE", value_parser = human::parse_department)]
    pub department: Option<String>,
    /// Care level: R1, R2, R3 (default), R4
    #[arg(long, value_name = "CODE", value_parser = human::parse_care_level)]
    pub care_level: Option<String>,
    /// Priority: P0, P1, P2 (default), P3, NR
    #[arg(long, value_name = "CODE", value_parser = human::parse_priority)]
    pub priority: Option<String>,
    /// Health motive of Hub Santé, for instance M03.14
    #[arg(long, value_name = "CODE", value_parser = human::parse_motive)]
    pub motive: Option<String>,
    /// Age: P10Y, 10y, 6m (months), 3w, 5d; a bare number counts years
    #[arg(long, value_name = "AGE", value_parser = human::parse_age, allow_negative_numbers = true)]
    pub age: Option<String>,
    /// Sex: M, F, O, UN
    #[arg(long, value_name = "CODE", value_parser = human::parse_sex)]
    pub sex: Option<String>,
    /// Care must begin within: 4H, 30M, ASAP, 1h30, or minutes
    #[arg(long, value_name = "DELAY", value_parser = human::parse_delay, allow_negative_numbers = true)]
    pub within: Option<u32>,
    /// Care must begin by this instant, as an answer told it: 2026-11-23T10:30:00Z; instead of --within
    #[arg(long, value_name = "INSTANT", value_parser = human::parse_instant, conflicts_with = "within")]
    pub needed_by: Option<UtcInstant>,
    /// Accepted specialties of TRE_R38, for instance SM54; general practice unless given
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = human::parse_specialty)]
    pub specialty: Vec<String>,
    /// Accepted professions of TRE_G15, whatever the specialty
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = human::parse_profession)]
    pub profession: Vec<String>,
    /// Accepted modalities: AMB at the place, VR teleconsultation, HH home visit; all unless given
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = human::parse_modality)]
    pub modality: Vec<String>,
    /// Accepted appointment types: ROUTINE, WALKIN; both unless given
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = human::parse_appointment_type)]
    pub appointment_type: Vec<String>,
    /// Territories (FINESS of the CPTS) on whose behalf you ask, the patient's own first
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub territory: Vec<String>,
    /// Needs: wheelchair, sign-language, low-vision, easy-communication, parking
    #[arg(long, value_name = "NEED", value_delimiter = ',', value_parser = human::parse_need)]
    pub need: Vec<Need>,
    /// Languages the patient speaks, two letters each
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = human::parse_language)]
    pub language: Vec<String>,
    /// Search radius in kilometres; the department's official one unless given
    #[arg(long, value_name = "KM", value_parser = human::parse_radius_km, allow_negative_numbers = true)]
    pub radius_km: Option<u32>,
    /// At most this many options, 1 to 20 (default 5)
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(1..=20),
        allow_negative_numbers = true
    )]
    pub limit: Option<u32>,
    /// Role of the person who asks: ARM, MEDECIN, INFIRMIER ...
    #[arg(long, value_name = "CODE", value_parser = human::parse_role)]
    pub role: Option<String>,
    /// Show options although the outcome is an emergency (R2, physicians only) or advice (R4)
    #[arg(long)]
    pub options_wanted: bool,
    /// How the patient gets about: car (default), walking, no-car
    #[arg(long, value_name = "MODE", value_parser = human::parse_travel_mode)]
    pub travel: Option<TravelMode>,
    /// Practitioners who are not to be offered
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub exclude_practitioner: Vec<String>,
    /// Schedules that are not to be offered
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub exclude_schedule: Vec<String>,
    /// The patient's own practitioner, who comes first when in time
    #[arg(long, value_name = "ID")]
    pub preferred_practitioner: Option<String>,
}

impl QueryArguments {
    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The question for the service, for a regulation file; empty when none is open yet.
    #[must_use]
    pub fn to_query(&self, case_id: &str) -> pb::CareQuery {
        let given = self.clone();
        pb::CareQuery {
            case_id: case_id.to_owned(),
            position: given.at.map(|at| pb::GeoPoint { latitude: at.latitude(), longitude: at.longitude() }),
            commune_code: given.commune.unwrap_or_default(),
            department: given.department.unwrap_or_default(),
            care_level: given.care_level.unwrap_or_default(),
            priority: given.priority.unwrap_or_default(),
            motive: given.motive.unwrap_or_default(),
            age: given.age.unwrap_or_default(),
            sex: given.sex.unwrap_or_default(),
            needed_within_minutes: given.within,
            specialties: given.specialty,
            professions: given.profession,
            modalities: given.modality,
            appointment_types: given.appointment_type,
            territory_ids: given.territory,
            needs: given.need.into_iter().map(|need| need_to_pb(need).into()).collect(),
            languages: given.language,
            radius_m: given.radius_km,
            limit: given.limit,
            role: given.role.unwrap_or_default(),
            options_wanted: given.options_wanted,
            travel_mode: given.travel.map_or(pb::TravelMode::Unspecified, travel_mode_to_pb).into(),
            excluded_practitioner_ids: given.exclude_practitioner,
            excluded_schedule_ids: given.exclude_schedule,
            preferred_practitioner_id: given.preferred_practitioner.unwrap_or_default(),
            needed_by_at: given.needed_by.map(|at| prost_types::Timestamp {
                seconds: at.ms().div_euclid(1_000),
                nanos: i32::try_from(at.ms().rem_euclid(1_000)).unwrap_or_default() * 1_000_000,
            }),
        }
    }
}

const fn travel_mode_to_pb(mode: TravelMode) -> pb::TravelMode {
    match mode {
        TravelMode::Car => pb::TravelMode::Car,
        TravelMode::Walking => pb::TravelMode::Walking,
        TravelMode::NoCar => pb::TravelMode::NoCar,
    }
}

const fn need_to_pb(need: Need) -> pb::Need {
    match need {
        Need::Wheelchair => pb::Need::Wheelchair,
        Need::SignLanguage => pb::Need::SignLanguage,
        Need::LowVision => pb::Need::LowVision,
        Need::EasyCommunication => pb::Need::EasyCommunication,
        Need::Parking => pb::Need::Parking,
    }
}
