//! What the rules of booking leave to be seen: a late slot with its reason, a booking that was moved, refusals.

use super::*;
use crate::cli::render::refusals;

fn stamp() -> pb::Stamp {
    pb::Stamp { answered_at: at("2026-01-05T09:00:00Z"), ..pb::Stamp::default() }
}

#[test]
fn a_late_slot_says_who_took_it_and_why() {
    let late = pb::BeyondDelay {
        needed_by_at: at("2026-01-05T11:00:00Z"),
        regulator_role: pb::RegulatorRole::Physician.into(),
        reason: "seul créneau".to_owned(),
    };
    let hold = pb::Hold { beyond_delay: Some(late.clone()), ..pb::Hold::default() };
    let booking = pb::Booking { beyond_delay: Some(late), ..pb::Booking::default() };
    let layout = Layout::new(160);
    for text in [
        booking::hold(&hold, false, Some(&stamp()), &layout),
        booking::booking(&booking, false, Some(&stamp()), &layout),
    ] {
        assert!(text.contains("attendu avant 12:00") && text.contains("médecin (PHYSICIAN) : seul créneau"), "{text}");
    }
}

#[test]
fn a_booking_that_was_moved_names_the_other_one() {
    let booking = pb::Booking {
        replaces_booking_id: "old".to_owned(),
        replaced_by_booking_id: "new".to_owned(),
        ..pb::Booking::default()
    };
    let text = booking::booking(&booking, false, None, &Layout::new(120));
    let row = |name: &str, value: &str| text.lines().any(|line| line.contains(name) && line.contains(value));
    assert!(row("Remplace ", "old") && row("Remplacé par", "new"), "{text}");
}

#[test]
fn refusals_are_listed_by_agenda_and_reason() {
    let count = |reason: pb::RefusalReason, case_count| pb::RefusalCount {
        reason: reason.into(),
        case_count,
        last_refused_at: at("2026-01-05T08:30:00Z"),
    };
    let schedule = pb::ScheduleRefusals {
        schedule_id: "agenda-1".to_owned(),
        counts: vec![count(pb::RefusalReason::CouldNotContact, 3), count(pb::RefusalReason::TooFar, 1)],
        doubted: true,
    };
    let response = pb::ListRefusalsResponse { schedules: vec![schedule], truncated: true, stamp: Some(stamp()) };
    let text = refusals::refusals(&response, &Layout::new(160));
    for part in ["agenda-1", "injoignable (COULD_NOT_CONTACT)", "3", "09:30", "abaissée", "ne sont pas montrés"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let nothing = refusals::refusals(&pb::ListRefusalsResponse::default(), &Layout::new(160));
    assert_eq!(nothing, "Aucun refus enregistré.");
}
