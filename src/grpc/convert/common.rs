//! Shapes that several messages share: instants, windows, positions, telephone numbers, needs, zones, stamps.

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::domain::answer::Stamp;
use crate::domain::code::ModalitySet;
use crate::domain::department::Department;
use crate::domain::geo::GeoPoint;
use crate::domain::id::{IdError, PhoneNumber, RequestId, TerritoryId};
use crate::domain::patient::Need;
use crate::domain::source::Confidence;
use crate::domain::time::{UtcInstant, Window};
use crate::domain::violation::Violation;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Longest name shown to regulators, in characters.
pub(in crate::grpc) const NAME_MAX_CHARACTERS: usize = 200;
/// Longest address for booking by hand, in characters.
pub(in crate::grpc) const URL_MAX_CHARACTERS: usize = 500;
/// Nanoseconds in a millisecond.
const NANOS_PER_MS: i32 = 1_000_000;

/// Writes modalities.
pub(in crate::grpc) fn modalities_to_proto(modalities: ModalitySet) -> Vec<String> {
    modalities.iter().map(|modality| modality.code().to_owned()).collect()
}

/// Reads the identifier of a write.
pub(in crate::grpc) fn request_id_from_proto(text: &str, findings: &mut Findings) -> Option<RequestId> {
    findings.take(Path::ROOT.field("request_id"), RequestId::parse(text))
}

/// Reads an instant of the years 2000 to 2199; what is finer than a millisecond is dropped.
pub(in crate::grpc) fn instant_from_proto(
    message: Option<prost_types::Timestamp>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<UtcInstant> {
    let Some(prost_types::Timestamp { seconds, nanos }) = message else {
        findings.refuse(path, "missing: give an instant");
        return None;
    };
    if !(0..1_000_000_000).contains(&nanos) {
        findings.refuse(path, format_args!("{nanos} nanoseconds are out of range: give 0 to 999999999"));
        return None;
    }
    let ms = seconds.checked_mul(1_000).and_then(|ms| ms.checked_add(i64::from(nanos / NANOS_PER_MS)));
    let instant = ms.and_then(UtcInstant::parse_ms);
    if instant.is_none() {
        findings
            .refuse(path, format_args!("{seconds} seconds since 1970 are out of range: give the years 2000 to 2199"));
    }
    instant
}

/// Writes an instant.
pub(in crate::grpc) fn instant_to_proto(at: UtcInstant) -> prost_types::Timestamp {
    let nanos = i32::try_from(at.ms().rem_euclid(1_000)).unwrap_or_default() * NANOS_PER_MS;
    prost_types::Timestamp { seconds: at.ms().div_euclid(1_000), nanos }
}

/// Reads a window that must be given.
pub(in crate::grpc) fn window_from_proto(
    message: Option<pb::Window>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Window> {
    let Some(pb::Window { start_at, end_at }) = message else {
        findings.refuse(path, "missing: give a window");
        return None;
    };
    let start_at = instant_from_proto(start_at, path.field("start_at"), findings);
    let end_at = instant_from_proto(end_at, path.field("end_at"), findings);
    findings.take(path.field("end_at"), Window::new(start_at?, end_at?))
}

/// Writes a window.
pub(in crate::grpc) fn window_to_proto(window: Window) -> pb::Window {
    pb::Window { start_at: Some(instant_to_proto(window.start_at())), end_at: Some(instant_to_proto(window.end_at())) }
}

/// Reads a position.
pub(in crate::grpc) fn position_from_proto(
    message: pb::GeoPoint,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<GeoPoint> {
    let pb::GeoPoint { latitude, longitude } = message;
    findings.take(path, GeoPoint::new(latitude, longitude))
}

/// Writes a position.
pub(in crate::grpc) const fn position_to_proto(position: &GeoPoint) -> pb::GeoPoint {
    pb::GeoPoint { latitude: position.latitude(), longitude: position.longitude() }
}

/// Reads a telephone number that may be empty.
pub(in crate::grpc) fn phone_from_proto(text: &str, path: Path<'_>, findings: &mut Findings) -> Option<PhoneNumber> {
    findings.optional(path, text, PhoneNumber::parse)
}

/// Writes a telephone number; empty when there is none.
pub(in crate::grpc) fn phone_to_proto(phone: Option<PhoneNumber>) -> String {
    phone.map(|phone| phone.to_string()).unwrap_or_default()
}

/// Reads a department that may be empty.
pub(in crate::grpc) fn department_from_proto(
    text: &str,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Department> {
    findings.optional(path, text, Department::parse)
}

/// Reads an IANA time zone that may be empty; an unknown one names the nearest known.
pub(in crate::grpc) fn zone_from_proto(text: &str, path: Path<'_>, findings: &mut Findings) -> Option<Tz> {
    findings.optional(path, text, |text| {
        let wanted = text.trim();
        wanted.parse::<Tz>().map_err(|_| {
            let wanted: String = wanted.chars().filter(|character| !character.is_control()).take(64).collect();
            let nearest = nearest_zone(&wanted);
            format!("unknown time zone `{wanted}`; nearest known: {nearest}")
        })
    })
}

fn nearest_zone(wanted: &str) -> &'static str {
    let wanted = wanted.to_lowercase();
    let distance = |zone: &&Tz| strsim::osa_distance(&wanted, &zone.name().to_lowercase());
    TZ_VARIANTS.iter().min_by_key(distance).map_or("Europe/Paris", |zone| zone.name())
}

/// Reads the territories of a list.
pub(in crate::grpc) fn territories_from_proto(
    texts: &[String],
    path: Path<'_>,
    max: usize,
    findings: &mut Findings,
) -> Vec<TerritoryId> {
    if !findings.within(path, texts.len(), max) {
        return Vec::new();
    }
    let mut territories = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        if let Some(territory) = findings.checked(path.index(index), TerritoryId::parse(text))
            && !territories.contains(&territory)
        {
            territories.push(territory);
        }
    }
    territories
}

/// Writes territories, prefixed.
pub(in crate::grpc) fn territories_to_proto(territories: &[TerritoryId]) -> Vec<String> {
    territories.iter().map(TerritoryId::wire).collect()
}

/// Reads a need.
pub(in crate::grpc) fn need_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> Option<Need> {
    match pb::Need::try_from(number) {
        Ok(pb::Need::Wheelchair) => Some(Need::Wheelchair),
        Ok(pb::Need::SignLanguage) => Some(Need::SignLanguage),
        Ok(pb::Need::LowVision) => Some(Need::LowVision),
        Ok(pb::Need::EasyCommunication) => Some(Need::EasyCommunication),
        Ok(pb::Need::Parking) => Some(Need::Parking),
        Ok(pb::Need::Unspecified) | Err(_) => {
            findings.refuse(path, format_args!("{number} is no need: give 1 (NEED_WHEELCHAIR) to 5 (NEED_PARKING)"));
            None
        }
    }
}

/// Writes a need.
pub(in crate::grpc) const fn need_to_proto(need: Need) -> pb::Need {
    match need {
        Need::Wheelchair => pb::Need::Wheelchair,
        Need::SignLanguage => pb::Need::SignLanguage,
        Need::LowVision => pb::Need::LowVision,
        Need::EasyCommunication => pb::Need::EasyCommunication,
        Need::Parking => pb::Need::Parking,
    }
}

/// Reads an opaque identifier that may be empty.
pub(in crate::grpc) fn optional_id<T>(
    text: &str,
    path: Path<'_>,
    findings: &mut Findings,
    parse: impl FnOnce(&str) -> Result<T, IdError>,
) -> Option<T> {
    findings.optional(path, text, parse)
}

/// Writes what is odd.
pub(in crate::grpc) fn warnings_to_proto(warnings: Vec<Violation>) -> Vec<pb::FieldWarning> {
    warnings.into_iter().map(|Violation { field, message }| pb::FieldWarning { field, message }).collect()
}

/// Writes a stamp.
pub(in crate::grpc) fn stamp_to_proto(stamp: &Stamp) -> pb::Stamp {
    let Stamp { position, answered_at, data_age_seconds, policy_version, degraded, durability_reduced } = stamp;
    pb::Stamp {
        epoch: position.epoch,
        position: position.sequence,
        answered_at: Some(instant_to_proto(*answered_at)),
        data_age_seconds: *data_age_seconds,
        policy_version: policy_version.to_string(),
        degraded: *degraded,
        durability_reduced: *durability_reduced,
        behind_min_position: false,
    }
}

/// A count for the wire; what does not fit is the most that does.
pub(in crate::grpc) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How far something is believed.
pub(in crate::grpc) const fn confidence_to_proto(confidence: Confidence) -> pb::Confidence {
    match confidence {
        Confidence::Certain => pb::Confidence::Certain,
        Confidence::Uncertain => pb::Confidence::Uncertain,
        Confidence::Hidden => pb::Confidence::Hidden,
    }
}
