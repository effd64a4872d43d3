//! One record of every kind, and generated ones, for the tests of the ledger.

mod figures;

use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use crate::domain::case::{Case, CaseBooking, Refusal, RefusalReason};
use crate::domain::code::{
    AppointmentType, Modality, ModalitySet, Profession, Sex, Specialty, SpecialtySet, Visibility, VisibilitySet,
};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place, Practitioner, Schedule, Territory, sex_bit};
use crate::domain::emergency::{
    AccessRules, Capabilities, DatedAccess, DayHours, EmergencyAccess, EmergencyCapability, EmergencySite,
    EmergencySiteKind, HolidayAccess, WeeklyAccess,
};
use crate::domain::geo::GeoPoint;
use crate::domain::id::{
    CaseId, ClaimId, CommuneCode, EmergencySiteId, PhoneNumber, PlaceId, PractitionerId, PrincipalId, ScheduleId,
    SlotId, SourceId, StructureId, TerritoryId,
};
use crate::domain::patient::{Age, Language, Need, NeedSet};
use crate::domain::record::Body;
use crate::domain::regulator::{BeyondDelay, RegulatorRole};
use crate::domain::slot::{Claim, ClaimState, Slot, SlotState, SlotTraits};
use crate::domain::source::Source;
use crate::domain::time::{UtcInstant, Window};

/// Instant about which the samples stand.
pub(in crate::ledger) const NOW_MS: i64 = 1_795_000_000_000;

fn at(minutes: i64) -> UtcInstant {
    UtcInstant::from_ms(NOW_MS + minutes * 60_000)
}

fn specialties(codes: &[&str]) -> SpecialtySet {
    codes.iter().map(|code| Specialty::parse(code).unwrap()).collect()
}

fn territory_id(text: &str) -> TerritoryId {
    TerritoryId::parse(text).unwrap().value
}

fn territory() -> Territory {
    Territory {
        id: territory_id("690054321"),
        name: "CPTS de Vénissieux".into(),
        communes: vec![CommuneCode::parse("69259").unwrap(), CommuneCode::parse("2A004").unwrap()],
        neighbours: vec![territory_id("2A0012345")],
        phone: Some(PhoneNumber::parse("04 72 00 00 00").unwrap()),
    }
}

fn place() -> Place {
    Place {
        id: PlaceId::parse("maison-1").unwrap(),
        name: "Maison de santé".into(),
        address: "1 place Léon-Sublet".into(),
        postal_code: "69200".into(),
        city: "Vénissieux".into(),
        commune: Some(CommuneCode::parse("69259").unwrap()),
        department: Department::parse("69").unwrap(),
        position: Some(GeoPoint::new(45.6975, 4.8867).unwrap()),
        zone: chrono_tz::Europe::Paris,
        structure: Some(StructureId::parse("690012345").unwrap().value),
        phone: Some(PhoneNumber::parse("0472000001").unwrap()),
        needs_met: NeedSet::of(&[Need::Wheelchair, Need::Parking]),
        needs_unmet: NeedSet::of(&[Need::SignLanguage]),
    }
}

fn practitioner() -> Practitioner {
    Practitioner {
        id: PractitionerId::parse("810002909371").unwrap().value,
        family_name: "Martin".into(),
        given_name: "Zoé".into(),
        profession: Some(Profession::DOCTOR),
        specialties: specialties(&["SM54", "SM26"]),
        languages: vec![Language::parse("fr").unwrap(), Language::parse("ar").unwrap()],
        phone: Some(PhoneNumber::parse("+262692000000").unwrap()),
    }
}

fn schedule() -> Schedule {
    Schedule {
        id: ScheduleId::parse("agenda-1").unwrap(),
        source_id: SourceId::parse("editeur-1").unwrap(),
        place_id: PlaceId::parse("maison-1").unwrap(),
        practitioner_id: Some(PractitionerId::parse("internal:dr-7").unwrap().value),
        territories: vec![territory_id("690054321"), territory_id("2A0012345")],
        specialties: specialties(&["SM40"]),
        limits: PatientLimits {
            min_age: Some(Age::from_days(0)),
            max_age: Some(Age::from_days(6_574)),
            sexes: sex_bit(Sex::F) | sex_bit(Sex::O),
        },
        home_visit_radius_m: Some(12_500),
        no_show_call_back: None,
        booking_url: "https://agenda.example/7".into(),
        source_revision: 41,
        received_at: at(0),
        first_published_at: None,
    }
}

fn claim(number: u128, state: ClaimState) -> Claim {
    let is_confirmed = matches!(state, ClaimState::Booked | ClaimState::ToReplace | ClaimState::Cancelled);
    Claim {
        id: ClaimId::from_uuid(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number)),
        case_id: CaseId::parse(&format!("DRM-{number}")).unwrap(),
        regulator_id: (number % 2 == 1).then(|| PrincipalId::parse("regulateur-3").unwrap()),
        state,
        held_at: at(1),
        expires_at: at(3),
        confirmed_at: is_confirmed.then(|| at(2)),
        changed_at: at(2),
        cancel_reason: if state == ClaimState::Cancelled { "patient rappelé".into() } else { "".into() },
        replaces: None,
        replaced_by: None,
        beyond_delay: None,
        attendance: None,
        quarantine: None,
    }
}

fn slot() -> Slot {
    // What the ledger lost has a sample of its own.
    let states = ClaimState::ALL.into_iter().filter(|state| *state != ClaimState::Quarantined).zip(1..);
    Slot {
        id: SlotId::parse("creneau-1").unwrap(),
        schedule_id: ScheduleId::parse("agenda-1").unwrap(),
        window: Window::new(at(60), at(75)).unwrap(),
        capacity: 4,
        state: SlotState::Closed,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[Modality::Amb, Modality::Hh]),
            appointment_type: AppointmentType::Walkin,
            visibilities: VisibilitySet::of(&[Visibility::Snp, Visibility::Cpts]),
            specialties: specialties(&["SM54"]),
            territories: vec![territory_id("690054321")],
            motives: vec!["Fièvre".into(), "Plaie".into()],
            booking_url: "https://agenda.example/7/1".into(),
        }),
        source_revision: 41,
        received_at: at(0),
        changed_at: at(2),
        claims: states.map(|(state, number)| claim(number, state)).collect(),
    }
}

fn case() -> Case {
    let claim_id = ClaimId::from_uuid(Uuid::from_u128(7));
    let slot_id = SlotId::parse("creneau-7").unwrap();
    let booking = Some(CaseBooking { claim_id, slot_id, ends_at: at(75) });
    Case { id: CaseId::parse("fr.health.samu690.1").unwrap(), booking, refusals: vec![], ends_at: at(90) }
}

fn refused_case() -> Case {
    let refusal = |(number, reason): (u64, RefusalReason)| Refusal {
        slot_id: SlotId::parse(&format!("creneau-{number}")).unwrap(),
        schedule_id: ScheduleId::parse("agenda-1").unwrap(),
        practitioner_id: (number % 2 == 1).then(|| PractitionerId::parse("10002909371").unwrap().value),
        reason,
        refused_at: at(5),
        regulator_id: (number % 2 == 0).then(|| PrincipalId::parse("regulateur-3").unwrap()),
    };
    Case { refusals: (1..).zip(RefusalReason::ALL).map(refusal).collect(), ..case() }
}

fn site() -> EmergencySite {
    EmergencySite {
        id: EmergencySiteId::parse("sau-69-1").unwrap(),
        name: "Urgences de Vénissieux".into(),
        kind: EmergencySiteKind::Paediatric,
        position: GeoPoint::new(45.7, 4.88).unwrap(),
        structure: Some(StructureId::parse("13002526500013").unwrap().value),
        department: Department::parse("69").unwrap(),
        phone: Some(PhoneNumber::parse("0472000002").unwrap()),
        zone: chrono_tz::Indian::Reunion,
        rules: AccessRules {
            weekly: vec![
                WeeklyAccess::new(1, 480, 1_200, EmergencyAccess::Open).unwrap(),
                WeeklyAccess::new(7, 1_200, 1_920, EmergencyAccess::Regulated).unwrap(),
            ],
            ..AccessRules::default()
        },
        capabilities: Capabilities::UNKNOWN,
        saturation: None,
    }
}

/// With what the first release did not know: holidays, exceptions, capabilities and a saturation.
fn regulated_site() -> EmergencySite {
    let holiday = DayHours::new(480, 1_920).unwrap();
    let window = Window::new(at(-60), at(60)).unwrap();
    EmergencySite {
        id: EmergencySiteId::parse("sau-69-2").unwrap(),
        rules: AccessRules {
            holidays: vec![HolidayAccess { hours: holiday, access: EmergencyAccess::Regulated }],
            dated: vec![DatedAccess { window, access: EmergencyAccess::Closed }],
            ..site().rules
        },
        capabilities: Capabilities::UNKNOWN
            .with(EmergencyCapability::Paediatric, true)
            .with(EmergencyCapability::Obstetric, false),
        saturation: Some(Window::new(at(0), at(90)).unwrap()),
        ..site()
    }
}

/// One record of every kind with every field filled, and the barest of each, by the name of its golden file.
pub(in crate::ledger) fn all() -> Vec<(&'static str, Body)> {
    let bare_traits = SlotTraits {
        modalities: ModalitySet::of(&[Modality::Vr]),
        appointment_type: AppointmentType::Routine,
        visibilities: VisibilitySet::of(&[Visibility::Public]),
        specialties: SpecialtySet::EMPTY,
        territories: vec![],
        motives: vec![],
        booking_url: "".into(),
    };
    let bare_slot =
        Slot { state: SlotState::Open, capacity: 1, traits: Arc::new(bare_traits), claims: Arc::default(), ..slot() };
    let (first, second) = (claim(1, ClaimState::Cancelled), claim(2, ClaimState::Booked));
    let late = BeyondDelay { needed_by_at: at(30), role: RegulatorRole::Physician, reason: "seul créneau".into() };
    let rebooked = [
        Claim { replaced_by: Some(second.id), ..first.clone() },
        Claim { replaces: Some(first.id), beyond_delay: Some(late.into()), ..second },
    ];
    let rebooked_slot = Slot { claims: rebooked.into(), ..slot() };
    let bare_territory = Territory { communes: vec![], neighbours: vec![], phone: None, ..territory() };
    let bare_place = Place {
        commune: None,
        position: None,
        structure: None,
        phone: None,
        needs_met: NeedSet::EMPTY,
        needs_unmet: NeedSet::EMPTY,
        ..place()
    };
    let bare_practitioner = Practitioner {
        given_name: "".into(),
        profession: None,
        specialties: SpecialtySet::EMPTY,
        languages: vec![],
        phone: None,
        ..practitioner()
    };
    let bare_schedule = Schedule {
        practitioner_id: None,
        territories: vec![],
        specialties: SpecialtySet::EMPTY,
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        booking_url: "".into(),
        ..schedule()
    };
    let bare_site = EmergencySite { structure: None, phone: None, rules: AccessRules::default(), ..site() };
    let mut all = vec![
        ("territory", Body::Territory(territory().into())),
        ("territory-bare", Body::Territory(bare_territory.into())),
        ("place", Body::Place(place().into())),
        ("place-bare", Body::Place(bare_place.into())),
        ("practitioner", Body::Practitioner(practitioner().into())),
        ("practitioner-bare", Body::Practitioner(bare_practitioner.into())),
        ("schedule", Body::Schedule(schedule().into())),
        ("schedule-bare", Body::Schedule(bare_schedule.into())),
        ("slot-claimed", Body::Slot(slot().into())),
        ("slot-rebooked", Body::Slot(rebooked_slot.into())),
        ("slot-bare", Body::Slot(bare_slot.into())),
        ("emergency-site", Body::EmergencySite(site().into())),
        ("emergency-site-regulated", Body::EmergencySite(regulated_site().into())),
        ("emergency-site-bare", Body::EmergencySite(bare_site.into())),
        ("source", Body::Source(source(Some(300)).into())),
        ("source-bare", Body::Source(source(None).into())),
        ("case", Body::Case(case().into())),
        ("case-refused", Body::Case(refused_case().into())),
        ("case-bare", Body::Case(Case::new(CaseId::parse("dossier-2").unwrap()).into())),
    ];
    all.extend(figures::all());
    all
}

fn source(lease_seconds: Option<u32>) -> Source {
    Source { id: SourceId::parse("editeur-1").unwrap(), lease_seconds, heard_at: at(-2) }
}

/// The first of every kind.
pub(in crate::ledger) fn one_of_every_kind() -> Vec<Body> {
    let mut kinds = std::collections::HashSet::new();
    let bodies = all().into_iter().map(|(_, body)| body);
    bodies.filter(|body| kinds.insert(std::mem::discriminant(body))).collect()
}

/// A free slot with a name of its own.
pub(in crate::ledger) fn numbered_slot(number: u64) -> Slot {
    Slot {
        id: SlotId::parse(&format!("creneau-{number}")).unwrap(),
        state: SlotState::Open,
        claims: Arc::default(),
        ..slot()
    }
}

/// Any slot.
pub(in crate::ledger) fn any_slot() -> impl Strategy<Value = Slot> {
    let traits = (0u8.., any::<bool>(), 0u8.., any::<u128>(), prop::collection::vec("\\PC{0,12}", 0..3), "\\PC{0,20}")
        .prop_map(|(modalities, is_walk_in, visibilities, specialties, motives, booking_url)| SlotTraits {
            modalities: ModalitySet::from_bits(modalities),
            appointment_type: if is_walk_in { AppointmentType::Walkin } else { AppointmentType::Routine },
            visibilities: VisibilitySet::from_bits(visibilities),
            specialties: SpecialtySet::from_bits(specialties),
            territories: vec![territory_id("690054321")],
            motives: motives.into_iter().map(Into::into).collect(),
            booking_url: booking_url.into(),
        });
    let claims = prop::collection::vec((any::<u128>(), 0..ClaimState::ALL.len(), any::<i64>()), 0..4);
    let times = (any::<i64>(), 1..i64::MAX, any::<i64>());
    ("[a-z:]{1,20}", any::<u16>(), 0..SlotState::ALL.len(), any::<u64>(), traits, claims, times).prop_map(
        |(id, capacity, state, source_revision, traits, claims, (start, length, changed))| Slot {
            id: SlotId::parse(&id).unwrap(),
            schedule_id: ScheduleId::parse("agenda-1").unwrap(),
            window: Window::new(
                UtcInstant::from_ms(start.min(i64::MAX - 1)),
                UtcInstant::from_ms(start.min(i64::MAX - 1).saturating_add(length)),
            )
            .unwrap(),
            capacity,
            state: SlotState::ALL[state],
            traits: traits.into(),
            source_revision,
            received_at: UtcInstant::from_ms(changed),
            changed_at: UtcInstant::from_ms(changed),
            claims: claims
                .into_iter()
                .map(|(number, state, expires)| Claim {
                    expires_at: UtcInstant::from_ms(expires),
                    ..claim(number % 1_000, ClaimState::ALL[state])
                })
                .collect(),
        },
    )
}
