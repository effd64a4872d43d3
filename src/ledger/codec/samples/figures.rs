//! How cases and bookings ended, what was lost of them, and the counts that remain.

use super::{at, claim, schedule, slot, territory_id};
use crate::domain::answer::CareOutcome;
use crate::domain::code::{DecisionType, OrientationType, PatientCategory, Specialty};
use crate::domain::department::Department;
use crate::domain::directory::Schedule;
use crate::domain::id::{CaseId, PrincipalId, ScheduleId, SlotId};
use crate::domain::orientation::Orientation;
use crate::domain::policy::{ActivePolicy, PolicyActivation, PolicyDocument};
use crate::domain::record::Body;
use crate::domain::slot::{Attendance, AttendanceKind, Claim, ClaimState, Quarantine, Settlement, Slot, Verdict};
use crate::domain::tally::{Counts, Measure, MeasureKind, Scope, Tally, TallyId, parse_day};

fn orientation() -> Orientation {
    Orientation {
        case_id: CaseId::parse("fr.health.samu690.DR0001").unwrap(),
        outcome: CareOutcome::Appointment,
        decision_type: Some(DecisionType::Orient),
        orientation_type: Some(OrientationType::Cabinet),
        booking_id: Some(claim(2, ClaimState::Booked).id),
        territory: Some(territory_id("690054321")),
        department: Department::parse("69").unwrap(),
        specialty: Some(Specialty::parse("SM40").unwrap()),
        age_band: Some(PatientCategory::Enfant),
        day: parse_day("2026-11-18").unwrap(),
        recorded_at: at(5),
    }
}

fn tally() -> Tally {
    let outcomes = CareOutcome::ALL.map(|outcome| Measure { kind: MeasureKind::Orientation, detail: outcome.code() });
    let asked = [MeasureKind::SpecialtyAsked, MeasureKind::SpecialtyNothingFound];
    let asked = asked.into_iter().flat_map(|kind| ["SM40", ""].map(|detail| Measure { kind, detail }));
    let bands = [MeasureKind::AgeBandAsked, MeasureKind::AgeBandNothingFound];
    let bands = bands.into_iter().flat_map(|kind| ["ENFANT", ""].map(|detail| Measure { kind, detail }));
    let mut counts = Counts::default();
    for (measure, count) in outcomes.into_iter().chain(asked).chain(bands).chain(Measure::always_told()).zip(1..) {
        counts.add(measure, count);
    }
    let scope = Scope::Territory(territory_id("690054321"));
    Tally { id: TallyId { scope, day: parse_day("2026-11-18").unwrap() }, counts }
}

fn policy() -> ActivePolicy {
    let activation = |version: &str, minutes| PolicyActivation {
        version: version.into(),
        activated_at: at(minutes),
        activated_by: PrincipalId::local(),
        reason: "Délais revus avec le SAMU".into(),
    };
    ActivePolicy {
        documents: vec![PolicyDocument {
            name: "rhone.toml".into(),
            text: "format = 1\nversion = \"rhone-1\"\ndepartment = \"69\"\n".into(),
        }],
        activations: vec![activation("national-2026-2+1a2b3c4d", 90), activation("national-2026-2+5e6f7a8b", 30)],
    }
}

/// The slot with an attendance of every kind.
fn attended() -> Slot {
    let claims = AttendanceKind::ALL.into_iter().zip(10..).map(|(kind, number)| Claim {
        attendance: Some(Attendance { kind, recorded_at: at(80) }),
        ..claim(number, ClaimState::Booked)
    });
    Slot { claims: claims.collect(), id: SlotId::parse("creneau-2").unwrap(), ..slot() }
}

/// The slot with a lost hold and a lost booking in quarantine, and one of each that was settled.
fn quarantined() -> Slot {
    let quarantine =
        |settlement| Some(Quarantine { since: at(4), reported_by: uuid::Uuid::from_u128(9), settlement }.into());
    let settled = |verdict| {
        let settled_by = PrincipalId::parse("secretariat").unwrap();
        Some(Settlement { verdict, settled_at: at(6), settled_by, reason: "vu à l'agenda".into() })
    };
    let booking = claim(22, ClaimState::Booked);
    let claims = [
        Claim { quarantine: quarantine(None), ..claim(21, ClaimState::Quarantined) },
        Claim { state: ClaimState::Quarantined, quarantine: quarantine(None), ..booking },
        Claim { quarantine: quarantine(settled(Verdict::Stands)), ..claim(23, ClaimState::Booked) },
        Claim { quarantine: quarantine(settled(Verdict::Free)), ..claim(24, ClaimState::Cancelled) },
    ];
    Slot { claims: claims.into(), id: SlotId::parse("creneau-3").unwrap(), ..slot() }
}

/// Orientations, tallies, and what was added to slots and schedules for them.
pub(super) fn all() -> Vec<(&'static str, Body)> {
    let bare_orientation = Orientation {
        case_id: CaseId::parse("x").unwrap(),
        outcome: CareOutcome::NoSlotInTime,
        decision_type: None,
        orientation_type: None,
        booking_id: None,
        territory: None,
        specialty: None,
        age_band: None,
        ..orientation()
    };
    let bare_tally = Tally {
        id: TallyId { scope: Scope::Department(Department::parse("2A").unwrap()), ..tally().id },
        counts: Counts::default(),
    };
    let calling_back =
        Schedule { id: ScheduleId::parse("agenda-2").unwrap(), no_show_call_back: Some(true), ..schedule() };
    let dated =
        Schedule { id: ScheduleId::parse("agenda-3").unwrap(), first_published_at: Some(at(-60)), ..schedule() };
    vec![
        ("slot-attended", Body::Slot(attended().into())),
        ("slot-quarantined", Body::Slot(quarantined().into())),
        ("orientation", Body::Orientation(orientation().into())),
        ("orientation-bare", Body::Orientation(bare_orientation.into())),
        ("tally", Body::Tally(tally().into())),
        ("tally-bare", Body::Tally(bare_tally.into())),
        ("policy", Body::Policy(policy().into())),
        ("policy-bare", Body::Policy(ActivePolicy { documents: Vec::new(), activations: Vec::new() }.into())),
        ("schedule-calling-back", Body::Schedule(calling_back.into())),
        ("schedule-dated", Body::Schedule(dated.into())),
    ]
}
