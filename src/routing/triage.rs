//! Escalation: what the care level and the policy's red flags decide alone. Needs neither the index nor the ledger nor a
//! clock that agrees.

use std::sync::Arc;

use super::policy::{Facts, Policy};
use crate::domain::answer::{CareOutcome, PolicyRule};
use crate::domain::code::{CareLevel, Priority, Role};
use crate::domain::query::CareQuery;

/// What triage decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Triage {
    /// The outcome, when it needs no slot.
    pub outcome: Option<CareOutcome>,
    /// Rule that decided.
    pub rule_id: Arc<str>,
    /// The red flag that holds, also when a physician passed it over.
    pub red_flag: Option<PolicyRule>,
    /// Whether slots are looked for.
    pub searches: bool,
}

/// Judges the care level, the priority, the red flags and who asks.
#[must_use]
pub fn triage(query: &CareQuery, policy: &Policy) -> Triage {
    if query.care_level() == CareLevel::R1 {
        return decided(CareOutcome::EmergencyDispatch, "escalation.care-level-r1", false);
    }
    if query.priority() == Priority::P0 {
        return decided(CareOutcome::EmergencyDispatch, "escalation.priority-p0", false);
    }
    let physician_wants = query.parts().options_wanted && query.role() == Role::Medecin;
    let red_flag = policy.red_flag(&Facts::from(query));
    let by_level = by_care_level(query, physician_wants);
    let Some(flag) = red_flag else { return by_level };
    if flag.physician_may_override && physician_wants {
        return Triage { red_flag: Some(flag.rule.clone()), ..by_level };
    }
    Triage {
        outcome: Some(flag.outcome),
        rule_id: Arc::clone(&flag.rule.id),
        red_flag: Some(flag.rule.clone()),
        searches: false,
    }
}

fn by_care_level(query: &CareQuery, physician_wants: bool) -> Triage {
    match query.care_level() {
        CareLevel::R2 if physician_wants => searches("options.r2-physician"),
        CareLevel::R1 | CareLevel::R2 => decided(CareOutcome::EmergencyDepartment, "escalation.care-level-r2", false),
        CareLevel::R3 => searches("options.care-level-r3"),
        CareLevel::R4 => decided(CareOutcome::MedicalAdvice, "advice.care-level-r4", query.parts().options_wanted),
    }
}

fn searches(rule_id: &str) -> Triage {
    Triage { outcome: None, rule_id: Arc::from(rule_id), red_flag: None, searches: true }
}

fn decided(outcome: CareOutcome, rule_id: &str, searches: bool) -> Triage {
    Triage { outcome: Some(outcome), rule_id: Arc::from(rule_id), red_flag: None, searches }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Motive;
    use crate::domain::geo::GeoPoint;
    use crate::domain::patient::Age;
    use crate::domain::query::CareQueryDraft;

    fn judged(draft: CareQueryDraft) -> Triage {
        let draft = CareQueryDraft { position: GeoPoint::new(45.0, 4.0).ok(), ..draft };
        triage(&CareQuery::parse(draft).unwrap(), &Policy::default())
    }

    fn motive(code: &str) -> Option<Motive> {
        Some(Motive::parse(code).unwrap())
    }

    #[test]
    fn every_level_and_priority_has_its_outcome() {
        use CareOutcome::{EmergencyDepartment, EmergencyDispatch, MedicalAdvice};
        for level in CareLevel::ALL {
            for priority in Priority::ALL {
                for (role, wanted) in [(Role::Arm, false), (Role::Arm, true), (Role::Medecin, true)] {
                    let triage = judged(CareQueryDraft {
                        care_level: Some(*level),
                        priority: Some(*priority),
                        role: Some(role),
                        options_wanted: wanted,
                        ..CareQueryDraft::default()
                    });
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

    #[test]
    fn a_red_flag_decides_whatever_the_care_level_and_names_its_rule() {
        for level in [CareLevel::R2, CareLevel::R3, CareLevel::R4] {
            let triage = judged(CareQueryDraft {
                motive: motive("M03.08"),
                care_level: Some(level),
                role: Some(Role::Medecin),
                options_wanted: true,
                ..CareQueryDraft::default()
            });
            assert_eq!(triage.outcome, Some(CareOutcome::EmergencyDispatch), "{level}: nobody overrides a stroke");
            assert_eq!((&*triage.rule_id, triage.searches), ("red-flag.stroke", false));
            assert_eq!(&*triage.red_flag.unwrap().text, "Signes d'AVC : envoyer un moyen d'urgence sans attendre.");
        }
    }

    #[test]
    fn a_physician_may_pass_over_a_red_flag_that_allows_it_and_still_sees_it() {
        let draft = CareQueryDraft { motive: motive("M03.06"), options_wanted: true, ..CareQueryDraft::default() };
        let by_arm = judged(CareQueryDraft { role: Some(Role::Arm), ..draft.clone() });
        assert_eq!((by_arm.outcome, by_arm.searches), (Some(CareOutcome::EmergencyDepartment), false));
        let by_physician = judged(CareQueryDraft { role: Some(Role::Medecin), ..draft });
        assert_eq!((by_physician.outcome, by_physician.searches), (None, true));
        assert_eq!(&*by_physician.red_flag.unwrap().id, "red-flag.chest-pain");
    }

    #[test]
    fn an_age_rule_holds_below_its_age_and_not_for_an_unknown_one() {
        let with_age = |age: Option<&str>| {
            let age = age.map(|age| Age::parse(age).unwrap());
            judged(CareQueryDraft { motive: motive("M03.14"), age, ..CareQueryDraft::default() }).rule_id
        };
        assert_eq!(&*with_age(Some("P2M")), "red-flag.fever-under-3-months");
        assert_eq!(&*with_age(Some("P3M")), "options.care-level-r3");
        assert_eq!(&*with_age(None), "options.care-level-r3");
    }

    #[test]
    fn a_vital_level_comes_before_any_red_flag() {
        let triage = judged(CareQueryDraft {
            motive: motive("M03.06"),
            care_level: Some(CareLevel::R1),
            ..CareQueryDraft::default()
        });
        assert_eq!(&*triage.rule_id, "escalation.care-level-r1");
    }
}
