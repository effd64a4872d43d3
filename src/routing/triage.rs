//! Escalation: what the care level alone decides. Needs neither the index nor the ledger nor a clock that agrees.

use crate::domain::answer::CareOutcome;
use crate::domain::code::{CareLevel, Priority, Role};
use crate::domain::query::CareQuery;

/// What triage decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Triage {
    /// The outcome, when it needs no slot.
    pub outcome: Option<CareOutcome>,
    /// Rule that decided.
    pub rule_id: &'static str,
    /// Whether slots are looked for.
    pub searches: bool,
}

/// Judges the care level, the priority and who asks.
#[must_use]
pub fn triage(query: &CareQuery) -> Triage {
    let physician_wants = query.parts().options_wanted && query.role() == Role::Medecin;
    if query.care_level() == CareLevel::R1 {
        return decided(CareOutcome::EmergencyDispatch, "escalation.care-level-r1", false);
    }
    if query.priority() == Priority::P0 {
        return decided(CareOutcome::EmergencyDispatch, "escalation.priority-p0", false);
    }
    match query.care_level() {
        CareLevel::R2 if physician_wants => Triage { outcome: None, rule_id: "options.r2-physician", searches: true },
        CareLevel::R1 | CareLevel::R2 => decided(CareOutcome::EmergencyDepartment, "escalation.care-level-r2", false),
        CareLevel::R3 => Triage { outcome: None, rule_id: "options.care-level-r3", searches: true },
        CareLevel::R4 => decided(CareOutcome::MedicalAdvice, "advice.care-level-r4", query.parts().options_wanted),
    }
}

const fn decided(outcome: CareOutcome, rule_id: &'static str, searches: bool) -> Triage {
    Triage { outcome: Some(outcome), rule_id, searches }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::geo::GeoPoint;
    use crate::domain::query::CareQueryDraft;

    #[test]
    fn every_level_and_priority_has_its_outcome() {
        use CareOutcome::{EmergencyDepartment, EmergencyDispatch, MedicalAdvice};
        for level in CareLevel::ALL {
            for priority in Priority::ALL {
                for (role, wanted) in [(Role::Arm, false), (Role::Arm, true), (Role::Medecin, true)] {
                    let query = CareQuery::parse(CareQueryDraft {
                        position: GeoPoint::new(45.0, 4.0).ok(),
                        care_level: Some(*level),
                        priority: Some(*priority),
                        role: Some(role),
                        options_wanted: wanted,
                        ..CareQueryDraft::default()
                    });
                    let triage = triage(&query.unwrap());
                    let expected = match (level, priority) {
                        (CareLevel::R1, _) | (_, Priority::P0) => (Some(EmergencyDispatch), false),
                        (CareLevel::R2, _) if role == Role::Medecin => (None, true),
                        (CareLevel::R2, _) => (Some(EmergencyDepartment), false),
                        (CareLevel::R3, _) => (None, true),
                        (CareLevel::R4, _) => (Some(MedicalAdvice), wanted),
                    };
                    assert_eq!((triage.outcome, triage.searches), expected, "{level} {priority} {role} {wanted}");
                }
            }
        }
    }
}
