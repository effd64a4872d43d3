//! How a case and a booking ended.

use super::answer::stamp_line;
use super::table::table;
use super::time::{instant, local, zone};
use super::{Layout, words};
use crate::proto::routing as pb;

/// What regulation decided in the end.
#[must_use]
pub fn orientation(response: &pb::RecordOrientationResponse, layout: &Layout) -> String {
    let orientation = response.orientation.clone().unwrap_or_default();
    let hub = [orientation.decision_type.as_str(), orientation.orientation_type.as_str()];
    let hub = hub.into_iter().filter(|code| !code.is_empty()).collect::<Vec<_>>().join(" / ");
    let mut table = table(layout.width, &["Orientation", ""]);
    let rows = [
        ("Dossier", orientation.case_id.clone()),
        ("Décision", words::labelled(words::outcome(orientation.outcome))),
        ("Hub Santé", hub),
        ("Rendez-vous", orientation.booking_id.clone()),
        ("CPTS", orientation.territory_id.clone()),
        ("Département", words::department(&orientation.department)),
        ("Spécialité", orientation.specialty.clone()),
        ("Tranche d'âge", orientation.age_band.clone()),
        ("Jour compté", orientation.day.clone()),
    ];
    for (title, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([title, &value]);
    }
    format!("{table}{}{}", replayed(response.replayed), stamp(response.stamp.as_ref()))
}

/// What became of a booking.
#[must_use]
pub fn attendance(response: &pb::RecordAttendanceResponse, layout: &Layout) -> String {
    let booking = response.booking.clone().unwrap_or_default();
    let zone = zone(booking.place.as_ref().map_or("", |place| &place.time_zone));
    let answered_at = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut table = table(layout.width, &["Présence", ""]);
    table.add_row(["Rendez-vous", &booking.booking_id]);
    table.add_row(["Dossier", &booking.case_id]);
    table.add_row(["Constat", &words::labelled(words::attendance(response.attendance))]);
    table.add_row(["Constaté à", &local(instant(response.recorded_at.as_ref()), zone, answered_at)]);
    if response.call_back_requested {
        table.add_row(["À faire", "RAPPELER le patient : il n'est pas venu"]);
    }
    format!("{table}{}{}", replayed(response.replayed), stamp(response.stamp.as_ref()))
}

const fn replayed(replayed: bool) -> &'static str {
    if replayed { "\nDéjà fait par une demande de même identifiant." } else { "" }
}

fn stamp(stamp: Option<&pb::Stamp>) -> String {
    stamp.map_or(String::new(), |stamp| format!("\n{}", stamp_line(stamp, zone(""))))
}
