//! How the page looks: it fits, the tensest come first, what is cut is counted.

use super::*;

const NOW: i64 = 1_795_420_800;

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: NOW + seconds, nanos: 0 })
}

fn need(name: &str, first: Option<i64>, state: pb::TensionState) -> pb::NeedTension {
    pb::NeedTension {
        territory_id: "690000005".into(),
        territory_name: name.into(),
        specialty: "SM54".into(),
        age_band: "ADULTE".into(),
        first_slot_at: first.and_then(at),
        free_count: 3,
        threshold_seconds: 86_400,
        state: state.into(),
        schedule_count: 12,
        silent_schedule_count: 2,
        ..pb::NeedTension::default()
    }
}

fn told() -> pb::GetBoardResponse {
    let minute = |number: i64| pb::ActivityMinute {
        begins_at: at(60 * (number - 59)),
        answers: vec![pb::OutcomeCount { outcome: pb::CareOutcome::Appointment.into(), count: number.cast_unsigned() }],
        hold_count: 1,
        ..pb::ActivityMinute::default()
    };
    let condition = pb::Condition { code: "SOURCE_SILENT".into(), message: "past their lease".into(), degrades: false };
    let instance = pb::InstanceStatus {
        instance_id: "0193-abcdef-0123".into(),
        is_self: true,
        state: pb::InstanceState::Live.into(),
        digest: "0123456789abcdef".into(),
        ..pb::InstanceStatus::default()
    };
    let astray = pb::InstanceStatus { is_self: false, digest_differs: true, lag_changes: 7, ..instance.clone() };
    let shared = pb::SharedLedger { instances: vec![instance, astray], ..pb::SharedLedger::default() };
    let status = pb::GetStatusResponse {
        conditions: vec![condition],
        shared_ledger: Some(shared),
        ..pb::GetStatusResponse::default()
    };
    let source = |confidence: pb::Confidence| pb::Source {
        source_id: "editeur-1".into(),
        last_received_at: at(-600),
        confidence: confidence.into(),
        ..pb::Source::default()
    };
    pb::GetBoardResponse {
        made_at: at(0),
        status: Some(status),
        tension: vec![
            need("CPTS de la Vallée du Rhône et de ses environs immédiats", None, pb::TensionState::NoneFree),
            need("CPTS de Bourges", Some(90_000), pb::TensionState::Tense),
            need("CPTS de Lyon 8", Some(1_800), pb::TensionState::Met),
        ],
        tension_counts: Some(pb::TensionCounts { met: 40, tense: 1, none_free: 1, left_out: 0 }),
        activity: (0..60).map(minute).collect(),
        live_hold_count: 4,
        sources: vec![source(pb::Confidence::Hidden), source(pb::Confidence::Certain)],
        sources_left_out_count: 0,
        tension_at: at(0),
    }
}

#[test]
fn a_page_fits_screens_of_every_size() {
    for (width, lines) in [(80, 24), (80, 40), (116, 30), (160, 50), (60, 24)] {
        let look = Look { room: Room::Lines(lines), colour: false, lost: Some("LIEN COUPÉ : x") };
        let page = board(&told(), &Layout::new(width), &look);
        for line in page.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        assert!(page.starts_with("LIEN COUPÉ : x"), "{page}");
        assert!(page.lines().count() <= lines.max(24), "{width} x {lines}:\n{page}");
    }
}

#[test]
fn the_tensest_come_first_and_what_is_not_shown_is_counted() {
    let page = board(&told(), &Layout::new(160), &Look::plain(Room::Rows(2)));
    assert!(page.contains("Besoins : 42 · 1 sans créneau · 1 au-delà du délai · 40 dans le délai (R3)"), "{page}");
    assert!(page.contains("les 2 plus tendus") && !page.contains("Lyon 8"), "{page}");
    let (first, second) = (page.find("Vallée du Rhône").unwrap(), page.find("CPTS de Bourges").unwrap());
    assert!(first < second && page.contains("12 (2 muets)") && page.contains("AUCUN"), "{page}");
    for part in ["! SOURCE_SILENT : past their lease", "59 /min", "1770 /h", "60 prises", "MASQUÉE", "il y a 10 min"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("DIFFÉRENTE") && page.contains("retard : 7 (0 ms)"), "{page}");
}

#[test]
fn the_first_slot_is_told_in_the_time_of_the_cpts() {
    let overseas = |seconds| pb::NeedTension {
        time_zone: "Indian/Reunion".into(),
        ..need("CPTS de Saint-Denis", Some(seconds), pb::TensionState::Met)
    };
    let board_of = |needs: Vec<pb::NeedTension>, width| {
        let told = pb::GetBoardResponse { tension: needs, ..told() };
        board(&told, &Layout::new(width), &Look::plain(Room::Rows(3)))
    };
    let paris = need("CPTS de Lyon 8", Some(1_800), pb::TensionState::Met);
    for width in [80, 160] {
        let page = board_of(vec![paris.clone(), overseas(1_800), overseas(90_000)], width);
        // 08:00 UTC is 9 o'clock in Paris and noon in Saint-Denis; the day is that of the place.
        for part in [" 09:30  ", " 12:30 UTC+4 ", " mar. 24/11 13:00 UTC+4 "] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= width), "{page}");
    }
    assert!(
        board_of(vec![paris], 160).contains("sas-router") && board_of(Vec::new(), 160).contains("09:00:00 (Paris)")
    );
}

#[test]
fn one_is_told_as_one_and_none_as_none() {
    let mut told = told();
    let last = told.activity.split_off(59);
    told.activity = last;
    told.sources[0].schedule_count = 1;
    let page = board(&told, &Layout::new(160), &Look::plain(Room::Rows(1)));
    for part in ["1 prise ·", "0 conflit ·", "0 agenda ·", "0 créneau", "1 agenda\n", "le plus tendu :"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn needs_that_are_older_than_the_board_say_of_when_they_are() {
    let page = |seconds| {
        let told = pb::GetBoardResponse { tension_at: at(seconds), ..told() };
        board(&told, &Layout::new(160), &Look::plain(Room::Rows(3)))
    };
    assert!(page(-8).contains("40 dans le délai (R3) · à 08:59:52 · les 3 plus tendus"), "{}", page(-8));
    assert!(!page(0).contains(" · à "), "{}", page(0));
}

#[test]
fn colours_repeat_what_the_text_says() {
    let look = |colour| Look { room: Room::Rows(5), colour, lost: None };
    let (plain, coloured) =
        (board(&told(), &Layout::new(120), &look(false)), board(&told(), &Layout::new(120), &look(true)));
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[31m"));
    let bare = ["\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m"];
    assert_eq!(bare.iter().fold(coloured, |text, code| text.replace(code, "")), plain);
}

#[test]
fn a_service_that_never_answered_is_waited_for() {
    let look = Look { lost: Some("LIEN COUPÉ : refused"), ..Look::plain(Room::Lines(24)) };
    assert_eq!(board(&pb::GetBoardResponse::default(), &Layout::new(80), &look), "LIEN COUPÉ : refused");
}

#[test]
fn what_a_publisher_wrote_moves_no_cursor() {
    let mut told = told();
    told.tension = vec![need("CPTS\x1b[2J\nde", None, pb::TensionState::NoneFree)];
    assert!(!board(&told, &Layout::new(120), &Look::plain(Room::Rows(5))).contains('\x1b'));
}
