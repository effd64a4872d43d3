//! A slot of which the ledger lost who had it is not offered, under a rule of its own that says what is the matter.

use super::world::{Agenda, agenda, at, draft, ten, world};
use super::*;
use crate::domain::explanation::{Subject, Verdict};
use crate::routing::policy::PolicySet;
use crate::service::explain::Explainer;

const SAYS: &str = "en quarantaine, une réservation perdue étant à vérifier auprès du professionnel";

/// An agenda whose only unit somebody booked whom the ledger does not know any more.
fn lost() -> Agenda {
    agenda("lost", 1.0, "10:40", 15).with(|one| {
        let hold = NewHold {
            id: ClaimId::from_uuid(uuid::Uuid::from_u128(1)),
            case_id: CaseId::parse("dossier").unwrap(),
            regulator_id: None,
            expires_at: at("08:02"),
        };
        let booked = one.slot.book(hold, at("08:00")).unwrap().slot;
        one.slot = one.slot.quarantine(&booked, uuid::Uuid::nil(), at("08:03")).unwrap();
    })
}

#[test]
fn a_slot_in_quarantine_is_a_near_miss_that_says_so() {
    let answer = ask(&world(&[lost()], &[]), draft());
    assert_eq!(miss(&answer), (Rule::Quarantine, 0, format!("10:40 : {SAYS}.").as_str()));
    let others = [lost(), agenda("free", 3.0, "10:50", 15)];
    let answer = ask(&world(&others, &[]), draft());
    let offered: Vec<_> = answer.options.iter().map(|option| option.slot.id.as_str()).collect();
    assert_eq!(offered, ["free/1"]);
}

#[test]
fn a_publisher_is_told_that_a_slot_is_in_quarantine() {
    let (index, policies) = (world(&[lost()], &[]), PolicySet::of(Arc::new(one_pace())));
    let explainer = Explainer { index: &index, policies: &policies, degraded: false };
    let subject = Subject::Slot(SlotId::parse("lost/1").unwrap());
    let (schedules, _) = explainer.explain(&subject, None, ten()).unwrap();
    let told = &schedules[0].slots[0];
    assert_eq!(told.verdict, Verdict::Excluded);
    let rules: Vec<_> = told.modalities[0].failures.iter().map(|failure| failure.rule).collect();
    assert_eq!(rules, [Rule::Quarantine]);
    assert!(told.sentence.contains(SAYS), "{}", told.sentence);
}
