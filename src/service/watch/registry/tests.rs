//! Who is woken by which change.

use super::*;
use crate::domain::answer::CareOutcome;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, Specialty, SpecialtySet, Visibility, VisibilitySet};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place, Schedule};
use crate::domain::geo::GeoPoint;
use crate::domain::id::{CaseId, ClaimId, PlaceId, SlotId, SourceId};
use crate::domain::offer::{Offer, SlotView};
use crate::domain::patient::NeedSet;
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::record::Versioned;
use crate::domain::slot::{NewHold, Slot, SlotState, SlotTraits};
use crate::domain::time::Window;
use crate::index::Index;
use crate::routing::policy::Policy;
use crate::service::find::Finder;

const NOW: UtcInstant = UtcInstant::from_ms(1_800_000_000_000);

fn minute(minutes: i64) -> UtcInstant {
    NOW.plus_ms(minutes * 60_000)
}

fn lyon() -> GeoPoint {
    GeoPoint::new(45.75, 4.85).unwrap()
}

/// A slot in some minutes, of general practice in Lyon unless altered.
struct Opening {
    at: GeoPoint,
    start: i64,
    modality: Modality,
    specialty: &'static str,
    held_until: Option<UtcInstant>,
}

impl Default for Opening {
    fn default() -> Self {
        Self { at: lyon(), start: 60, modality: Modality::Amb, specialty: "SM54", held_until: None }
    }
}

fn notice(opening: &Opening) -> Notice {
    let department = Department::parse("69").unwrap();
    let place = Place {
        id: PlaceId::parse("place").unwrap(),
        name: Arc::from("Cabinet"),
        address: Arc::from(""),
        postal_code: Arc::from(""),
        city: Arc::from(""),
        commune: None,
        department,
        position: Some(opening.at),
        zone: department.zone(),
        structure: None,
        phone: None,
        needs_met: NeedSet::default(),
        needs_unmet: NeedSet::default(),
    };
    let schedule = Schedule {
        id: ScheduleId::parse("agenda").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        place_id: place.id.clone(),
        practitioner_id: None,
        territories: vec![],
        specialties: SpecialtySet::of(&[Specialty::parse(opening.specialty).unwrap()]),
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: Arc::from(""),
        source_revision: 0,
        received_at: NOW,
        first_published_at: None,
    };
    let slot = Slot {
        id: SlotId::parse("slot").unwrap(),
        schedule_id: schedule.id.clone(),
        window: Window::new(minute(opening.start), minute(opening.start + 15)).unwrap(),
        capacity: 1,
        state: SlotState::Open,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[opening.modality]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Public]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: Arc::from(""),
        }),
        source_revision: 1,
        received_at: NOW,
        changed_at: NOW,
        claims: Arc::from([]),
    };
    let hold = |expires_at| NewHold {
        id: ClaimId::from_uuid(uuid::Uuid::from_u128(1)),
        case_id: CaseId::parse("dossier").unwrap(),
        regulator_id: None,
        expires_at,
    };
    let held = opening.held_until.map(|expires_at| slot.hold(hold(expires_at), NOW).unwrap().slot);
    let slot = Versioned { version: 1, value: Arc::new(held.unwrap_or(slot)) };
    let id = schedule.id.clone();
    let offer = Offer::new(Arc::new(schedule), Arc::new(place), None, Arc::default());
    Notice::of(id, Some(Arc::new(offer.with_slots(vec![SlotView::of(&slot)]))), NOW)
}

/// What is listened for after an empty service answered a question from Lyon: no option, so anything within 4 hours and 20 km
/// would be one.
fn interest(query: &CareQuery) -> Interest {
    let (index, policy) = (Index::new(), Policy::default());
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let answer = finder.find(query, NOW);
    assert_eq!(answer.outcome, CareOutcome::NoSlotInTime);
    Interest::of(query, &answer, &finder)
}

fn question(modalities: &[Modality]) -> CareQuery {
    let draft = CareQueryDraft {
        position: Some(lyon()),
        needed_within_minutes: Some(240),
        radius_m: Some(20_000),
        specialties: SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]),
        modalities: ModalitySet::of(modalities),
        case_id: Some(CaseId::parse("dossier").unwrap()),
        ..CareQueryDraft::default()
    };
    CareQuery::parse(draft).unwrap()
}

struct Watching {
    registry: Registry,
    id: WatchId,
    bell: Arc<Bell>,
}

impl Watching {
    /// A watch that has been answered with nothing.
    fn of(modalities: &[Modality]) -> Self {
        let (mut registry, bell) = (Registry::default(), Arc::<Bell>::default());
        let id = registry.enter(&PrincipalId::local(), Arc::clone(&bell), minute(15)).unwrap();
        registry.settle(id, interest(&question(modalities)), SmallVec::new(), UtcInstant::MAX);
        Self { registry, id, bell }
    }

    fn is_rung_by(&mut self, opening: &Opening) -> bool {
        self.bell.quiet();
        self.registry.tell(&[notice(opening)], false);
        self.bell.is_rung()
    }
}

#[test]
fn a_change_wakes_those_only_whom_it_may_concern() {
    let mut watching = Watching::of(&[Modality::Amb]);
    let paris = GeoPoint::new(48.85, 2.35).unwrap();
    let just_inside = GeoPoint::new(45.75 + 0.1798, 4.85).unwrap();
    let just_outside = GeoPoint::new(45.75 + 0.1800, 4.85).unwrap();
    for (opening, expected) in [
        (Opening::default(), true),
        (Opening { at: just_inside, ..Opening::default() }, true),
        (Opening { at: just_outside, ..Opening::default() }, false),
        (Opening { at: paris, ..Opening::default() }, false),
        (Opening { start: 239, ..Opening::default() }, true),
        (Opening { start: 241, ..Opening::default() }, false),
        (Opening { modality: Modality::Vr, ..Opening::default() }, false),
        (Opening { specialty: "SM15", ..Opening::default() }, false),
    ] {
        let Opening { at, start, modality, specialty, .. } = &opening;
        assert_eq!(watching.is_rung_by(&opening), expected, "{at:?} {start} {modality:?} {specialty}");
    }
}

#[test]
fn teleconsultation_concerns_everywhere_until_it_is_too_late() {
    let mut watching = Watching::of(&[Modality::Vr]);
    let paris = GeoPoint::new(48.85, 2.35).unwrap();
    let remote = |start| Opening { at: paris, start, modality: Modality::Vr, ..Opening::default() };
    assert!(watching.is_rung_by(&remote(239)));
    assert!(!watching.is_rung_by(&remote(241)));
}

#[test]
fn what_is_held_wakes_when_the_hold_ends() {
    let mut watching = Watching::of(&[Modality::Amb]);
    let held = Opening { held_until: Some(minute(2)), ..Opening::default() };
    assert!(!watching.is_rung_by(&held));
    watching.registry.wake(minute(2).plus_ms(-1));
    assert!(!watching.bell.is_rung());
    watching.registry.wake(minute(2));
    assert!(watching.bell.is_rung());
}

#[test]
fn instants_for_which_a_watch_waits_are_bounded() {
    let mut watching = Watching::of(&[Modality::Amb]);
    for seconds in 1..=100 {
        let held = Opening { held_until: Some(NOW.plus_seconds(seconds)), ..Opening::default() };
        watching.is_rung_by(&held);
    }
    let returns = &watching.registry.entries[&watching.id].returns;
    assert_eq!((returns.len(), returns.first()), (WATCH_RETURNS_MAX, Some(&NOW.plus_seconds(1))));
}

#[test]
fn a_watch_that_has_not_said_what_it_listens_for_hears_of_everything() {
    let (mut registry, bell) = (Registry::default(), Arc::<Bell>::default());
    registry.enter(&PrincipalId::local(), Arc::clone(&bell), minute(15)).unwrap();
    registry.tell(&[notice(&Opening { specialty: "SM15", ..Opening::default() })], false);
    assert!(bell.is_rung());
}

#[test]
fn what_a_case_refuses_wakes_its_own_watches_only() {
    let mut watching = Watching::of(&[Modality::Amb]);
    for (case, expected) in [("dossier", true), ("another", false)] {
        watching.bell.quiet();
        let told_before = watching.registry.told_count;
        watching.registry.tell_cases(&FxHashSet::from_iter([CaseId::parse(case).unwrap()]));
        assert_eq!(watching.bell.is_rung(), expected, "{case}");
        assert_eq!(watching.registry.told_count, told_before + 1, "who is being answered looks again");
    }
}

#[test]
fn an_area_of_too_many_squares_is_told_of_every_square() {
    let mut watching = Watching::of(&[Modality::Amb]);
    let mut interest = watching.registry.entries[&watching.id].interest.clone().unwrap();
    interest.area = Some(Area::new(lyon(), 300_000));
    watching.registry.settle(watching.id, interest, SmallVec::new(), UtcInstant::MAX);
    assert!(watching.registry.by_square.is_empty());
    let far = GeoPoint::new(47.75, 4.85).unwrap();
    assert!(watching.is_rung_by(&Opening { at: far, ..Opening::default() }));
}

#[test]
fn a_watch_that_is_closed_leaves_nothing_behind() {
    let Watching { mut registry, id, .. } = Watching::of(&[Modality::Amb, Modality::Vr]);
    assert!(!registry.by_square.is_empty() && !registry.remote.is_empty());
    registry.leave(id);
    registry.leave(id);
    assert!(registry.entries.is_empty() && registry.by_caller.is_empty() && registry.by_schedule.is_empty());
    assert!(registry.by_case.is_empty());
    assert!(registry.by_square.is_empty() && registry.remote.is_empty() && registry.by_time.is_empty());
    assert!(registry.everywhere.is_empty());
}

#[test]
fn a_watch_whose_time_is_over_is_closed() {
    let Watching { mut registry, id, bell } = Watching::of(&[Modality::Amb]);
    registry.wake(minute(15).plus_ms(-1));
    assert!(registry.knows(id));
    registry.wake(minute(15));
    assert!(!registry.knows(id) && bell.is_rung());
}

#[test]
fn one_caller_cannot_take_the_places_of_all() {
    let mut registry =
        Registry { limits: WatchLimits { watches_max: 3, watches_per_caller_max: 2 }, ..Registry::default() };
    let mut enter = |name: &str| registry.enter(&PrincipalId::parse(name).unwrap(), Arc::default(), minute(15));
    assert!(enter("one").is_ok() && enter("one").is_ok());
    assert!(enter("one").is_err_and(|told| told.starts_with("this caller has 2 watches open")));
    assert!(enter("other").is_ok());
    assert!(enter("third").is_err_and(|told| told.starts_with("3 watches are open on this instance")));
}
