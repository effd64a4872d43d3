//! Holds and bookings as short lists of facts.

use chrono_tz::Tz;
use comfy_table::Table;

use super::answer::stamp_line;
use super::table::{joined, table};
use super::time::{instant, local, local_window, zone};
use super::{Layout, words};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// A hold with its end and what to do next.
#[must_use]
pub fn hold(hold: &pb::Hold, replayed: bool, stamp: Option<&pb::Stamp>, layout: &Layout) -> String {
    // A hold does not say where it is: its times are shown in Paris' zone, with their offset when another would differ.
    let zone = zone("");
    let now = stamp.and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let expires_at = instant(hold.expires_at.as_ref());
    let mut table = table(layout.width, &["Pré-réservation", ""]);
    table.add_row(["État", &words::labelled(words::claim_state(hold.state))]);
    table.add_row(["Identifiant", &hold.hold_id]);
    table.add_row(["Dossier", &hold.case_id]);
    table.add_row(["Créneau", &hold.slot_id]);
    table.add_row(["Soins (heure de Paris)", &local_window(hold.window.as_ref(), zone, now)]);
    add_beyond_delay(&mut table, hold.beyond_delay.as_ref(), zone, now);
    if hold.state == i32::from(pb::ClaimState::Held) {
        let seconds = now.zip(expires_at).map(|(now, end)| end.seconds_since(now));
        let left = seconds.map_or(String::new(), |seconds| format!("encore {seconds} s"));
        table.add_row(["Expire (heure de Paris)", &joined([local(expires_at, zone, now), left])]);
    }
    ended(table.to_string(), replayed, stamp)
}

/// A booking with what regulation tells the patient.
#[must_use]
pub fn booking(booking: &pb::Booking, replayed: bool, stamp: Option<&pb::Stamp>, layout: &Layout) -> String {
    let zone = zone(booking.place.as_ref().map_or("", |place| place.time_zone.as_str()));
    let now = stamp.and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut table = table(layout.width, &["Rendez-vous", ""]);
    table.add_row(["État", &words::labelled(words::claim_state(booking.state))]);
    table.add_row(["Identifiant", &booking.booking_id]);
    table.add_row(["Dossier", &booking.case_id]);
    table.add_row(["Créneau", &booking.slot_id]);
    table.add_row(["Heure locale", &local_window(booking.window.as_ref(), zone, now)]);
    let manner: Vec<_> = booking.modalities.iter().map(|code| words::modality(code)).collect();
    table.add_row(["Modalité", &joined([manner.join(", "), words::appointment_type(&booking.appointment_type)])]);
    let practitioner = booking.practitioner.as_ref().map_or("selon la structure".to_owned(), |one| {
        joined([format!("{} {}", one.given_name, one.family_name).trim().to_owned(), one.phone.clone()])
    });
    table.add_row(["Professionnel", &practitioner]);
    if let Some(place) = &booking.place {
        let town = format!("{} {}", place.postal_code, place.city);
        let town = town.trim().to_owned();
        table.add_row(["Lieu", &joined([place.name.clone(), place.address.clone(), town, place.phone.clone()])]);
    }
    add_beyond_delay(&mut table, booking.beyond_delay.as_ref(), zone, now);
    if !booking.replaces_booking_id.is_empty() {
        table.add_row(["Remplace", &booking.replaces_booking_id]);
    }
    if !booking.replaced_by_booking_id.is_empty() {
        table.add_row(["Remplacé par", &booking.replaced_by_booking_id]);
    }
    if !booking.cancel_reason.is_empty() {
        table.add_row(["Motif d'annulation", &booking.cancel_reason]);
    }
    ended(table.to_string(), replayed, stamp)
}

fn add_beyond_delay(table: &mut Table, beyond: Option<&pb::BeyondDelay>, zone: Tz, now: Option<UtcInstant>) {
    if let Some(beyond) = beyond {
        let due = local(instant(beyond.needed_by_at.as_ref()), zone, now);
        let role = words::labelled(words::regulator_role(beyond.regulator_role));
        table.add_row(["Hors délai clinique", &format!("attendu avant {due}, {role} : {}", beyond.reason)]);
    }
}

fn ended(table: String, replayed: bool, stamp: Option<&pb::Stamp>) -> String {
    let replayed =
        if replayed { "\nDéjà fait par un appel précédent avec le même identifiant d'écriture." } else { "" };
    let stamp = stamp.map_or(String::new(), |stamp| format!("\n{}", stamp_line(stamp, zone(""))));
    format!("{table}{replayed}{stamp}")
}
