//! How cases and bookings ended, and the figures that remain of them.

use chrono::NaiveDate;

use super::world::*;
use crate::domain::answer::CareOutcome;
use crate::domain::code::{DecisionType, OrientationType, PatientCategory, Specialty};
use crate::domain::department::Department;
use crate::domain::directory::{Schedule, Territory};
use crate::domain::id::{CaseId, ClaimId, CommuneCode, TerritoryId};
use crate::domain::orientation::Orientation;
use crate::domain::slot::{AttendanceKind, Published};
use crate::domain::tally::{Counts, Measure, MeasureKind, Scope, TallyId, parse_day};
use crate::service::*;

const DAY_SECONDS: i64 = 24 * 3_600;

fn territory_id() -> TerritoryId {
    TerritoryId::parse("690000005").unwrap().value
}

fn day(text: &str) -> NaiveDate {
    parse_day(text).unwrap()
}

/// The world with a CPTS to which schedule 2 belongs.
async fn town() -> World {
    let world = World::with_slot(2).await;
    let territory = Territory {
        id: territory_id(),
        name: "CPTS de Vénissieux".into(),
        communes: vec![CommuneCode::parse("69259").unwrap()],
        neighbours: vec![],
        phone: None,
    };
    let caller = Caller::local();
    world.service.upsert_territory(&caller, request("territory"), territory).await.unwrap();
    for id in ["schedule-1", "schedule-2"] {
        let of_cpts = Schedule { territories: vec![territory_id()], ..schedule(id) };
        world.service.upsert_schedule(&caller, request(&format!("{id} of the CPTS")), of_cpts).await.unwrap();
    }
    world
}

fn decided(case: &str, outcome: CareOutcome) -> OrientationRequest {
    OrientationRequest {
        request_id: request(&format!("{case} {}", outcome.code())),
        case_id: CaseId::parse(case).unwrap(),
        outcome,
        decision_type: None,
        orientation_type: None,
        booking_id: None,
        territory: Some(territory_id()),
        department: None,
        specialty: Some(Specialty::parse("SM54").unwrap()),
        age_band: Some(PatientCategory::Enfant),
    }
}

async fn record(world: &World, request: OrientationRequest) -> Result<Done<Arc<Orientation>>, Error> {
    world.service.record_orientation(&Caller::local(), request).await
}

async fn attend(world: &World, name: &str, id: ClaimId, kind: AttendanceKind) -> Result<Done<Attended>, Error> {
    world.service.record_attendance(&Caller::local(), request(name), id, kind).await
}

fn counts(world: &World, scope: Scope, on: &str) -> Counts {
    let told = world.service.indicators(scope, day(on), day(on)).unwrap();
    assert_eq!(told.days.len(), 1);
    told.days[0].counts.clone()
}

fn figure(counts: &Counts, kind: MeasureKind, detail: &'static str) -> u64 {
    counts.get(Measure { kind, detail })
}

const OF_CPTS: fn() -> Scope = || Scope::Territory(territory_id());
const OF_RHONE: fn() -> Scope = || Scope::Department(Department::parse("69").unwrap());

#[tokio::test]
async fn a_decision_is_recorded_once_and_corrected_on_its_first_day() {
    let world = town().await;
    let first = record(&world, decided("dossier-1", CareOutcome::NoSlotInTime)).await.unwrap();
    assert_eq!((first.value.decision_type, first.value.orientation_type), (Some(DecisionType::Pasplus), None));
    assert_eq!((first.value.department.code(), first.value.day), ("69", day("2027-01-15")));
    world.advance_seconds(60);
    let again = record(&world, decided("dossier-1", CareOutcome::NoSlotInTime)).await.unwrap();
    assert!(again.replayed && again.value == first.value);
    let other = OrientationRequest { age_band: None, ..decided("dossier-1", CareOutcome::NoSlotInTime) };
    assert_eq!(record(&world, other).await.unwrap_err().reason, Reason::RequestIdReused);

    world.advance_seconds(16 * 3_600);
    let home =
        OrientationRequest { decision_type: Some(DecisionType::Inter), ..decided("dossier-1", CareOutcome::HomeVisit) };
    let corrected = record(&world, home).await.unwrap().value;
    assert_eq!(corrected.decision_type, Some(DecisionType::Inter), "what is stated is kept");
    assert_eq!(corrected.orientation_type, Some(OrientationType::Domicile));
    assert_eq!(corrected.day, day("2027-01-15"), "although it is past midnight");
    let counts = counts(&world, OF_CPTS(), "2027-01-15");
    assert_eq!(figure(&counts, MeasureKind::Orientation, "HOME_VISIT"), 1);
    assert_eq!(figure(&counts, MeasureKind::Orientation, "NO_SLOT_IN_TIME"), 0, "a case counts once");
    assert_eq!(figure(&counts, MeasureKind::SpecialtyNothingFound, "SM54"), 0);
}

#[tokio::test]
async fn what_a_decision_names_must_be_known() {
    let world = town().await;
    let unknown = TerritoryId::parse("750000016").unwrap().value;
    let held = world.hold("held").await.unwrap().value.claim.id;
    let booked = world.book("booked").await;
    let nobody = ClaimId::from_uuid(Uuid::from_u128(7));
    let base = || decided("dossier-2", CareOutcome::Appointment);
    let table = [
        (OrientationRequest { territory: Some(unknown), ..base() }, Reason::UnknownTerritory),
        (OrientationRequest { booking_id: Some(nobody), ..base() }, Reason::UnknownBooking),
        (OrientationRequest { booking_id: Some(held), ..base() }, Reason::NotBooked),
        (OrientationRequest { booking_id: Some(booked), ..base() }, Reason::CaseMismatch),
        (OrientationRequest { territory: None, ..base() }, Reason::InvalidArgument),
    ];
    for (request, reason) in table {
        assert_eq!(record(&world, request).await.unwrap_err().reason, reason);
    }
    let of_booking = OrientationRequest {
        territory: None,
        booking_id: Some(booked),
        case_id: world.slot("slot-1").claim(booked).unwrap().case_id.clone(),
        ..decided("dossier-1", CareOutcome::Appointment)
    };
    let told = record(&world, of_booking).await.unwrap().value;
    assert_eq!(told.department.code(), "69", "the booking's place tells it");
}

#[tokio::test]
async fn a_correction_may_name_a_booking_that_was_forgotten_since() {
    let world = town().await;
    let booked = world.book("booked").await;
    let case_id = world.slot("slot-1").claim(booked).unwrap().case_id.clone();
    world.advance_seconds(20 * 3_600);
    let of_booking = |outcome| OrientationRequest {
        territory: None,
        booking_id: Some(booked),
        case_id: case_id.clone(),
        ..decided("dossier-1", outcome)
    };
    let first = record(&world, of_booking(CareOutcome::Appointment)).await.unwrap().value;
    world.advance_seconds(6 * 3_600);
    assert_eq!(world.service.purge_ended().await.unwrap(), 1);
    let corrected = record(&world, of_booking(CareOutcome::HomeVisit)).await.unwrap().value;
    assert_eq!((corrected.booking_id, corrected.department), (Some(booked), first.department));
    let others = OrientationRequest {
        case_id: CaseId::parse("dossier-2").unwrap(),
        request_id: request("others"),
        ..of_booking(CareOutcome::HomeVisit)
    };
    assert_eq!(record(&world, others).await.unwrap_err().reason, Reason::UnknownBooking);
}

#[tokio::test]
async fn a_case_counts_for_the_civil_day_of_its_department() {
    let world = town().await;
    world.advance_seconds(13 * 3_600);
    let overseas = OrientationRequest {
        territory: None,
        department: Department::parse("974").ok(),
        ..decided("dossier-1", CareOutcome::MedicalAdvice)
    };
    assert_eq!(record(&world, overseas).await.unwrap().value.day, day("2027-01-16"), "01:00 in Saint-Denis");
    let paris = record(&world, decided("dossier-2", CareOutcome::MedicalAdvice)).await.unwrap().value;
    assert_eq!(paris.day, day("2027-01-15"), "22:00 in Lyon");
}

#[tokio::test]
async fn a_patient_who_does_not_come_is_to_be_called_back_unless_the_schedule_says_no() {
    let world = town().await;
    let id = world.book("one").await;
    let early = attend(&world, "early", id, AttendanceKind::NoShow).await.unwrap_err();
    assert_eq!(early.reason, Reason::SlotNotBegun);
    world.advance_seconds(3_600);
    let absent = attend(&world, "absent", id, AttendanceKind::NoShow).await.unwrap();
    assert!(absent.value.call_back_requested && !absent.replayed);
    let again = attend(&world, "absent", id, AttendanceKind::NoShow).await.unwrap();
    assert!(again.replayed && again.value.attendance == absent.value.attendance);
    let other = attend(&world, "absent", id, AttendanceKind::Seen).await.unwrap_err();
    assert_eq!(other.reason, Reason::RequestIdReused);

    let silent = Schedule { no_show_call_back: Some(false), ..schedule("schedule-1") };
    world.service.upsert_schedule(&Caller::local(), request("no calls"), silent).await.unwrap();
    let told = attend(&world, "absent again", id, AttendanceKind::NoShow).await.unwrap();
    assert!(!told.value.call_back_requested);
    let late = attend(&world, "late after all", id, AttendanceKind::Late).await.unwrap();
    assert!(!late.value.call_back_requested);
    let counts = counts(&world, OF_RHONE(), "2027-01-15");
    assert_eq!(figure(&counts, MeasureKind::Attendance, "LATE"), 1);
    assert_eq!(figure(&counts, MeasureKind::Attendance, "NO_SHOW"), 0, "the last word counts");
}

/// A day's work: bookings, attendance, decisions, a withdrawn slot, and one slot close before midnight.
async fn work(world: &World) {
    let late = Published { window: window(13 * 60, 15 * 60), ..slot("night", "schedule-2", 0) };
    world.publish("more", 1, vec![slot("gone", "schedule-1", 90), late]).await;
    let withdrawal = Withdrawal {
        request_id: request("withdraw"),
        source_id: world.schedule("schedule-1").source_id.clone(),
        source_revision: 2,
        slot_ids: vec![crate::domain::id::SlotId::parse("gone").unwrap()],
    };
    world.service.withdraw(&Caller::local(), withdrawal).await.unwrap();
    let (one, two) = (world.book("one").await, world.book("two").await);
    record(world, decided("dossier-1", CareOutcome::Appointment)).await.unwrap();
    record(world, decided("dossier-2", CareOutcome::NoSlotInTime)).await.unwrap();
    let stranger = OrientationRequest {
        territory: None,
        department: Department::parse("69").ok(),
        age_band: None,
        ..decided("dossier-3", CareOutcome::NoSlotInTime)
    };
    record(world, stranger).await.unwrap();
    world.advance_seconds(3_600);
    attend(world, "seen", one, AttendanceKind::Seen).await.unwrap();
    attend(world, "absent", two, AttendanceKind::NoShow).await.unwrap();
}

async fn purge(world: &World) {
    world.service.purge_ended().await.unwrap();
    world.service.purge_orientations().await.unwrap();
    world.service.purge_tallies().await.unwrap();
}

#[tokio::test]
async fn the_figures_stay_the_same_when_what_they_count_is_forgotten() {
    let world = town().await;
    work(&world).await;
    for number in 0..5 {
        record(&world, decided(&format!("more-{number}"), CareOutcome::NoSlotInTime)).await.unwrap();
    }
    let today = counts(&world, OF_CPTS(), "2027-01-15");
    assert!(today.iter().all(|(measure, _)| measure.kind != MeasureKind::AgeBandAsked), "the day is not over");
    world.advance_seconds(14 * 3_600);
    let before = (counts(&world, OF_CPTS(), "2027-01-15"), counts(&world, OF_RHONE(), "2027-01-15"));
    let told = |kind, detail| (figure(&before.0, kind, detail), figure(&before.1, kind, detail));
    assert_eq!(told(MeasureKind::Orientation, "APPOINTMENT"), (1, 1));
    assert_eq!(told(MeasureKind::Orientation, "NO_SLOT_IN_TIME"), (6, 7), "the department's without a CPTS too");
    assert_eq!(told(MeasureKind::AgeBandAsked, "ENFANT"), (7, 0), "one who stated none goes with the others");
    assert_eq!(told(MeasureKind::AgeBandAsked, ""), (0, 8));
    assert_eq!(told(MeasureKind::AgeBandNothingFound, ""), (6, 7), "one child was seen");
    assert_eq!(told(MeasureKind::SlotsPublished, ""), (2, 2), "the night counts for the day on which it begins");
    assert_eq!((told(MeasureKind::PlacesPublished, ""), told(MeasureKind::PlacesBooked, "")), ((3, 3), (2, 2)));
    assert_eq!(told(MeasureKind::SlotsWithdrawn, ""), (1, 1));
    assert_eq!((told(MeasureKind::Attendance, "SEEN"), told(MeasureKind::Attendance, "NO_SHOW")), ((1, 1), (1, 1)));

    // First only some of it is over, then all.
    for (hours, slots, cases) in [(11, 1, 0), (26, 0, 0)] {
        world.advance_seconds(hours * 3_600);
        purge(&world).await;
        let after = (counts(&world, OF_CPTS(), "2027-01-15"), counts(&world, OF_RHONE(), "2027-01-15"));
        assert_eq!(after, before);
        assert_eq!((world.index.counts().slots, world.index.orientations(|_| true).len()), (slots, cases));
    }
    assert_eq!(counts(&world, OF_CPTS(), "2027-01-16"), Counts::default());
    world.advance_seconds(98 * DAY_SECONDS);
    purge(&world).await;
    assert_eq!(counts(&world, OF_CPTS(), "2027-01-15"), before.0, "kept for 100 days");
    world.advance_seconds(DAY_SECONDS);
    purge(&world).await;
    assert_eq!(world.index.tallies(|_| true).len(), 0);
}

#[tokio::test]
async fn two_purges_at_once_count_everything_once() {
    let world = town().await;
    work(&world).await;
    let before = counts(&world, OF_RHONE(), "2027-01-15");
    world.advance_seconds(60 * 3_600);
    let other = world.service.clone();
    world.ledger.overtake(async move {
        other.purge_orientations().await.unwrap();
        other.purge_ended().await.unwrap();
    });
    purge(&world).await;
    assert_eq!(counts(&world, OF_RHONE(), "2027-01-15"), before);
    assert_eq!(world.index.counts().slots, 0);
}

#[tokio::test]
async fn a_case_that_is_corrected_while_it_is_forgotten_stays() {
    let world = town().await;
    record(&world, decided("dossier-1", CareOutcome::NoSlotInTime)).await.unwrap();
    world.advance_seconds(DAY_SECONDS + 1);
    let other = world.service.clone();
    let correction = decided("dossier-1", CareOutcome::HomeVisit);
    world.ledger.overtake(async move {
        other.record_orientation(&Caller::local(), correction).await.unwrap();
    });
    assert_eq!(world.service.purge_orientations().await.unwrap(), 0);
    let counts = counts(&world, OF_CPTS(), "2027-01-15");
    let outcomes = ["NO_SLOT_IN_TIME", "HOME_VISIT"].map(|code| figure(&counts, MeasureKind::Orientation, code));
    assert_eq!(outcomes, [0, 1]);
    assert_eq!(world.index.tally(TallyId { scope: OF_CPTS(), day: day("2027-01-15") }), None);
}

#[tokio::test]
async fn figures_of_nobody_and_of_no_days_are_refused() {
    let world = town().await;
    let unknown = Scope::Territory(TerritoryId::parse("750000016").unwrap().value);
    let ask = |scope, first, last| world.service.indicators(scope, day(first), day(last));
    assert_eq!(ask(unknown, "2027-01-15", "2027-01-15").unwrap_err().reason, Reason::UnknownTerritory);
    for (first, last) in [("2027-01-15", "2027-01-14"), ("2027-01-15", "2027-02-15")] {
        let error = ask(OF_CPTS(), first, last).unwrap_err();
        assert_eq!((error.reason, error.violations[0].field.as_str()), (Reason::InvalidArgument, "last_day"));
    }
    assert_eq!(ask(OF_CPTS(), "2027-01-15", "2027-02-14").unwrap().days.len(), 31);
}
