//! Text from hand-built answers.

mod rules;
mod samples;

use super::{Layout, Names, answer, booking, import, refusal, schedule, status, time, words};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Refusal};
use crate::cli::import::{ImportReport, Origin, Reason, RowReport, Severity};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

use samples::{at, found, option, stamp};

fn layout(width: usize) -> Layout {
    let mut names = Names::default();
    names.add_territory("1690000001".to_owned(), "CPTS Vénissieux".to_owned());
    Layout { names, ..Layout::new(width) }
}

/// Asserts that a text has these parts, in this order, and no line beyond the width.
fn assert_shows(text: &str, width: usize, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { panic!("`{part}` is not (in this order) in:\n{text}") };
        rest = after;
    }
    for line in text.lines() {
        assert!(line.chars().count() <= width, "{} columns: {line}\n{text}", line.chars().count());
    }
}

#[test]
fn an_answer_is_whole_at_120_columns() {
    let text = answer::answer(&found(), &layout(120));
    assert_shows(
        &text,
        120,
        &[
            "=> Consultation sans rendez-vous (WALK_IN)",
            "Consultation sans rendez-vous dans 20 min.",
            "Hub Santé : ORIENT / CABINET · règle options.best · début au plus tard 14:00 · rayon 20 km",
            "69 Rhône,",
            "élargi 2 fois depuis 10 km)",
            "Options",
            "Heure",
            "Trajet",
            "Modalité",
            "Professionnel",
            "Lieu",
            "CPTS",
            "Places",
            "10:20",
            "12 min",
            "cabinet (AMB)",
            "Amandine",
            "CPTS",
            "dans 20 min",
            "3,4 km",
            "CPTS du patient",
            "téléconsultation (VR)",
            "1. Première place dans 20 min",
            "créneau sample:slot-1 · tél. +33478000000 · à vérifier : accès en fauteuil roulant",
            "Presque possibles",
            "13:20 UTC+4",
            "a. hors délai (DELAY), de 2 h 30 : Commence 2 h 30 après le délai.",
            "Écartés : autre spécialité (SPECIALTY) 4 (sur 9 créneaux examinés, tous ceux du rayon)",
            "Urgences les plus proches",
            "Hôpital Édouard-Herriot",
            "accès régulé (REGULATED)",
            "mar. 06/01 08:00",
            "Hôpital Édouard-Herriot · Accès régulé à l'arrivée, jusqu'à demain 08:00 : annoncer d'abord le patient par le 15.",
            "État : 10:00 · époque 1, position 42 · données de 3 min · règles 2026-01",
        ],
    );
    assert!(!text.contains("DÉGRADÉ"), "{text}");
}

#[test]
fn an_answer_degrades_to_80_columns() {
    let text = answer::answer(&found(), &layout(80));
    assert_shows(
        &text,
        80,
        &["Heure", "Trajet", "Modalité", "Qui, où", "Pl.", "10:20", "dans 20 min", "Urgences", "16 min", "État"],
    );
    assert!(text.contains("CPTS Vénissieux"), "{text}");
}

#[test]
fn an_empty_answer_is_no_panic() {
    let text = answer::answer(&pb::FindCareResponse::default(), &Layout::new(80));
    assert_shows(&text, 80, &["=> non précisée (UNSPECIFIED)"]);
    let unknown = pb::FindCareResponse { outcome: 99, ..found() };
    assert_shows(&answer::answer(&unknown, &layout(120)), 120, &["=> inconnu de cette version (#99)"]);
}

#[test]
fn an_answer_that_misses_every_detail_is_no_panic() {
    let bare = pb::FindCareResponse {
        options: vec![pb::CareOption::default()],
        near_misses: vec![
            pb::NearMiss::default(),
            pb::NearMiss { option: Some(pb::CareOption::default()), rule: 77, ..pb::NearMiss::default() },
        ],
        emergency_sites: vec![pb::EmergencySiteDistance::default()],
        stamp: Some(pb::Stamp { degraded: true, ..pb::Stamp::default() }),
        ..pb::FindCareResponse::default()
    };
    for width in [60, 80, 120, 160] {
        assert_shows(&answer::answer(&bare, &Layout::new(width)), width, &["selon la", "DÉGRADÉ"]);
    }
}

#[test]
fn a_stamp_says_which_service_is_short() {
    let degraded = pb::Stamp { degraded: true, ..pb::Stamp::default() };
    let reduced = pb::Stamp { durability_reduced: true, ..degraded.clone() };
    let line = |stamp| answer::stamp_line(stamp, chrono_tz::Europe::Paris);
    assert!(line(&degraded).contains("les écritures peuvent être refusées"), "{}", line(&degraded));
    assert!(line(&reduced).contains("durabilité réduite"), "{}", line(&reduced));
    assert!(!line(&pb::Stamp::default()).contains("DÉGRADÉ"));
}

#[test]
fn a_booking_says_when_who_and_where_in_the_place_s_zone() {
    let booked = pb::Booking {
        booking_id: "0190".to_owned(),
        case_id: "DR1".to_owned(),
        state: pb::ClaimState::Booked.into(),
        window: Some(pb::Window { start_at: at("2026-01-05T09:20:00Z"), end_at: at("2026-01-05T09:40:00Z") }),
        practitioner: Some(pb::Practitioner {
            family_name: "Hoarau".to_owned(),
            given_name: "Léa".to_owned(),
            ..pb::Practitioner::default()
        }),
        place: Some(pb::Place {
            name: "Cabinet des Lataniers".to_owned(),
            time_zone: "Indian/Reunion".to_owned(),
            ..pb::Place::default()
        }),
        modalities: vec!["AMB".to_owned()],
        appointment_type: "ROUTINE".to_owned(),
        ..pb::Booking::default()
    };
    let text = booking::booking(&booked, true, Some(&stamp()), &Layout::new(80));
    let parts = [
        "confirmé (BOOKED)",
        "0190",
        "13:20-13:40 UTC+4",
        "avec RDV (ROUTINE)",
        "Léa Hoarau",
        "Lataniers",
        "Déjà fait",
    ];
    assert_shows(&text, 80, &parts);
}

#[test]
fn a_hold_says_how_long_it_lives() {
    let held = pb::Hold {
        hold_id: "0190".to_owned(),
        state: pb::ClaimState::Held.into(),
        expires_at: at("2026-01-05T09:02:00Z"),
        ..pb::Hold::default()
    };
    let text = booking::hold(&held, false, Some(&stamp()), &Layout::new(80));
    assert_shows(&text, 80, &["pré-réservé (HELD)", "10:02 · encore 120 s"]);
    assert!(!text.contains("Déjà fait"), "{text}");
}

#[test]
fn a_refused_hold_shows_the_alternatives_and_when_to_retry() {
    let refusal = Refusal {
        exit: Exit::Refused,
        code: "FAILED_PRECONDITION",
        reason: "SLOT_TAKEN".to_owned(),
        message: "the slot is taken: match again".to_owned(),
        field_violations: vec![("query.age".to_owned(), "write P10Y".to_owned())],
        retry_delay: Some(std::time::Duration::from_millis(1_500)),
        hold_refused: Some(pb::HoldRefused { alternatives: vec![option(1)], ..pb::HoldRefused::default() }),
        names: layout(120).names,
    };
    let failure = Failure::Answered(Box::new(refusal.clone()));
    let only = Refusal { message: "query.age: write P10Y".to_owned(), hold_refused: None, ..refusal };
    assert_eq!(refusal::refused(&only, &layout(120)).matches("write P10Y").count(), 1);
    assert_shows(
        &refusal::failure(&failure, &Layout::new(120)),
        120,
        &[
            "error: SLOT_TAKEN: the slot is taken",
            "query.age: write P10Y",
            "retry after 1.5 s",
            "Autres possibilités",
            "cabinet (AMB)",
            "CPTS Vénissieux",
            "créneau sample:slot-1",
        ],
    );
    let json: serde_json::Value = serde_json::from_str(&refusal::failure_json(&failure)).unwrap();
    assert_eq!(json["exitCode"], 3);
    assert_eq!(json["reason"], "SLOT_TAKEN");
    assert_eq!(json["holdRefused"]["alternatives"][0]["slotId"], "sample:slot-1");
}

#[test]
fn a_schedule_shows_what_was_claimed() {
    let slot = pb::Slot {
        input: Some(pb::SlotInput {
            slot_id: "s-1".to_owned(),
            window: Some(pb::Window { start_at: at("2026-01-05T09:20:00Z"), end_at: at("2026-01-05T09:40:00Z") }),
            modalities: vec!["HH".to_owned()],
            appointment_type: "ROUTINE".to_owned(),
            visibilities: vec!["SNP".to_owned(), "CPTS".to_owned()],
            capacity: Some(4),
            ..pb::SlotInput::default()
        }),
        state: pb::SlotState::Open.into(),
        booked_count: 1,
        held_count: 2,
        remaining_count: 1,
        ..pb::Slot::default()
    };
    let response = pb::GetScheduleResponse {
        schedule: Some(pb::Schedule { schedule_id: "sch".to_owned(), ..pb::Schedule::default() }),
        slots: vec![slot],
        stamp: Some(stamp()),
    };
    let parts = ["Agenda sch", "s-1", "10:20-10:40", "domicile (HH)", "ouvert (OPEN)", "1 + 2 tenu / 4", "SNP CPTS"];
    assert_shows(&schedule::schedule(&response, "Europe/Paris", &Layout::new(120)), 120, &parts);
}

#[test]
fn a_status_says_when_writes_are_refused() {
    let response = pb::GetStatusResponse { write_refusal: "disk full".to_owned(), ..pb::GetStatusResponse::default() };
    assert_shows(&status::status(&response, &Layout::new(80)), 80, &["REFUSÉES : disk full"]);
}

#[test]
fn a_status_shows_what_is_not_as_it_should_be() {
    let condition =
        pb::Condition { code: "CLOCK_NOT_TRUSTED".to_owned(), message: "set it right".to_owned(), degrades: false };
    let response = pb::GetStatusResponse { conditions: vec![condition], ..pb::GetStatusResponse::default() };
    assert_shows(&status::status(&response, &Layout::new(80)), 80, &["CLOCK_NOT_TRUSTED : set it right"]);
}

#[test]
fn an_import_shows_the_rows_that_need_a_look() {
    let row =
        |line, severity, message: &str| RowReport::new(Origin::Line(line), severity, "date", Reason::ALL[0], message);
    let mut rows = vec![row(2, Severity::Ok, ""), row(3, Severity::Refused, "write 2026-01-05")];
    rows.extend((4..60).map(|line| row(line, Severity::Warning, &format!("write {line}"))));
    let report = ImportReport { source_id: "vendor".to_owned(), refused_count: 1, rows, ..ImportReport::default() };
    let text = import::report(&report, &Layout::new(100));
    assert_shows(
        &text,
        100,
        &["Annuaire", "line 3", "REFUSÉ", "write 2026-01-05", "et 17 autres causes", "1 refusées"],
    );
    assert!(!text.contains("line 2 "), "{text}");
    let dry_run = ImportReport { dry_run: true, ..ImportReport::default() };
    assert_shows(&import::report(&dry_run, &Layout::new(80)), 80, &["Essai à blanc"]);
}

#[test]
fn an_import_shows_each_cause_once_with_its_count_and_first_rows() {
    let past = |line| RowReport {
        slot_ids: (0..12).map(|slot| format!("s/{line}/{slot}")).collect(),
        ..RowReport::new(Origin::Line(line), Severity::Refused, "end", Reason::SlotPast, "the slot is over")
    };
    let alien = |line| {
        let message = format!("schedule `s-{line}` belongs to source `other`");
        RowReport::new(Origin::Line(line), Severity::Refused, "--source-id", Reason::ALL[0], message)
    };
    let rows = (2..12).map(past).chain((12..14).map(alien)).collect();
    let report = ImportReport { file: "folder/roster.csv".to_owned(), rows, ..ImportReport::default() };
    let text = import::report(&report, &Layout::new(110));
    assert_shows(
        &text,
        110,
        &["Dans roster.csv", "line 2", "┆ end", "SLOT_PAST", "┆ 120", "line 4", "et 7 autres", "s-12"],
    );
    assert_eq!(text.matches("the slot is over").count(), 1, "{text}");
    assert_eq!(text.matches("belongs to source").count(), 1, "what a flag causes has one cause: {text}");
    assert!(!text.contains("line 5") && text.contains("line 13"), "{text}");
}

#[test]
fn figures_are_written_as_in_france() {
    for (metres, text) in [(0, "0 m"), (999, "999 m"), (1_000, "1,0 km"), (3_450, "3,4 km"), (48_999, "48 km")] {
        assert_eq!(time::metres(metres), text);
    }
    for (minutes, text) in [(0, "0 min"), (119, "119 min"), (120, "2 h 00"), (200, "3 h 20")] {
        assert_eq!(time::minutes(minutes), text);
    }
    assert_eq!(time::age(42), "42 s");
    let zone = time::zone("Pacific/Marquesas");
    let noon = UtcInstant::parse_rfc3339("2026-01-05T12:00:00Z");
    assert_eq!(time::local(noon, zone, noon), "02:30 UTC-9:30");
    assert_eq!(time::local(None, zone, noon), "?");
    let window = pb::Window { start_at: at("2026-01-05T22:30:00Z"), end_at: at("2026-01-05T23:30:00Z") };
    assert_eq!(time::local_window(Some(&window), time::zone("Europe/Paris"), noon), "23:30-mar. 06/01 00:30");
    assert_eq!(words::department("974"), "974 La Réunion");
}
