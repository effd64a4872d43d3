//! Whether an emergency site is one for this patient: by age, and by what the motive calls for.
//!
//! Invariant: only what a site states, or what its kind says, excludes it; what nobody said is a doubt, shown beside it.
//! Which motives call for obstetrics or psychiatry is a proposal for physicians' review, like the list of red flags.

use crate::domain::answer::Unknown;
use crate::domain::code::{Motive, PatientCategory};
use crate::domain::emergency::{Capabilities, EmergencyCapability};
use crate::domain::patient::Age;
use crate::domain::query::CareQueryDraft;

/// Age in years from which a patient is an adult for every emergency department; from the end of childhood (15) until
/// then, both sorts take patients.
const ADULT_FROM_YEARS: u16 = 18;

/// Who would come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Patient {
    Child,
    /// Neither a child nor an adult.
    Adolescent,
    Adult,
    OfUnknownAge,
}

/// What a patient needs of an emergency site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteNeeds {
    patient: Patient,
    /// What the motive calls for.
    motive: Option<EmergencyCapability>,
}

impl SiteNeeds {
    /// The needs of the patient of a question.
    #[must_use]
    pub fn of(draft: &CareQueryDraft) -> Self {
        let patient = match draft.age {
            None => Patient::OfUnknownAge,
            Some(age) if age >= Age::from_years(ADULT_FROM_YEARS) => Patient::Adult,
            Some(age) if matches!(age.category(), PatientCategory::Nourrisson | PatientCategory::Enfant) => {
                Patient::Child
            }
            Some(_) => Patient::Adolescent,
        };
        Self { patient, motive: draft.motive.and_then(called_for) }
    }

    /// Whether a site is known not to be one for the patient.
    #[must_use]
    pub fn excludes(self, takes: Capabilities) -> bool {
        let lacks = |capability| takes.get(capability) == Some(false);
        let of_age = match self.counted(takes) {
            Some(Patient::Child) => lacks(EmergencyCapability::Paediatric),
            Some(Patient::Adolescent) => lacks(EmergencyCapability::Adult) && lacks(EmergencyCapability::Paediatric),
            Some(Patient::Adult) => lacks(EmergencyCapability::Adult),
            Some(Patient::OfUnknownAge) | None => false,
        };
        of_age || self.motive.is_some_and(lacks)
    }

    /// What would have to be known of a site, or of the patient, to be sure.
    #[must_use]
    pub fn doubts(self, takes: Capabilities) -> Vec<Unknown> {
        let (adult, child) = (takes.get(EmergencyCapability::Adult), takes.get(EmergencyCapability::Paediatric));
        let of_age = self.counted(takes).and_then(|patient| match patient {
            Patient::Child => child.is_none().then_some(Unknown::Capability(EmergencyCapability::Paediatric)),
            Patient::Adult => adult.is_none().then_some(Unknown::Capability(EmergencyCapability::Adult)),
            Patient::Adolescent if adult == Some(true) || child == Some(true) => None,
            Patient::Adolescent => Some(Unknown::Capability(EmergencyCapability::Paediatric)),
            Patient::OfUnknownAge => (adult == Some(false) || child == Some(false)).then_some(Unknown::Age),
        });
        let of_motive = self.motive.filter(|capability| takes.get(*capability).is_none()).map(Unknown::Capability);
        of_age.into_iter().chain(of_motive).collect()
    }

    /// The patient as far as age counts there; a maternity takes whoever is pregnant, at any age.
    fn counted(self, takes: Capabilities) -> Option<Patient> {
        let obstetric = EmergencyCapability::Obstetric;
        let is_maternity = self.motive == Some(obstetric) && takes.get(obstetric) == Some(true);
        (!is_maternity).then_some(self.patient)
    }
}

/// What a motive calls for beside emergency medicine.
fn called_for(motive: Motive) -> Option<EmergencyCapability> {
    match motive.code() {
        "M03.01" | "M03.02" | "M03.04" => Some(EmergencyCapability::Obstetric),
        "M03.16" => Some(EmergencyCapability::Psychiatric),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::emergency::EmergencySiteKind;
    use EmergencyCapability::{Adult, Obstetric, Paediatric, Psychiatric};

    fn needs(years: Option<u16>, motive: &str) -> SiteNeeds {
        let motive = Motive::parse(motive).ok();
        SiteNeeds::of(&CareQueryDraft { age: years.map(Age::from_years), motive, ..CareQueryDraft::default() })
    }

    fn department(stated: &[(EmergencyCapability, bool)]) -> Capabilities {
        stated.iter().fold(Capabilities::UNKNOWN, |known, (capability, is_there)| known.with(*capability, *is_there))
    }

    /// Whether the site is left out, and what is doubtful about it.
    fn judged(
        needs: SiteNeeds,
        kind: EmergencySiteKind,
        stated: &[(EmergencyCapability, bool)],
    ) -> (bool, Vec<Unknown>) {
        let takes = department(stated).completed(kind);
        (needs.excludes(takes), needs.doubts(takes))
    }

    #[test]
    fn a_paediatric_department_is_none_for_adults_and_an_adult_one_none_for_children() {
        use EmergencySiteKind::{Department, Paediatric as Children};
        assert_eq!(judged(needs(Some(40), ""), Children, &[]), (true, vec![]));
        assert_eq!(judged(needs(Some(18), ""), Children, &[]), (true, vec![]));
        assert_eq!(judged(needs(Some(17), ""), Children, &[]), (false, vec![]));
        assert_eq!(judged(needs(Some(17), ""), Department, &[(Paediatric, false)]), (false, vec![]));
        assert_eq!(judged(needs(Some(14), ""), Department, &[(Paediatric, false)]), (true, vec![]));
        assert_eq!(judged(needs(Some(14), ""), Department, &[(Paediatric, true)]), (false, vec![]));
        assert_eq!(judged(needs(Some(40), ""), Department, &[]), (false, vec![]));
        assert_eq!(judged(needs(Some(40), ""), Children, &[(Adult, true)]), (false, vec![]), "it says so");
    }

    #[test]
    fn what_nobody_said_is_a_doubt_and_no_exclusion() {
        use EmergencySiteKind::{Department, Paediatric as Children, Smur};
        assert_eq!(judged(needs(Some(3), ""), Department, &[]), (false, vec![Unknown::Capability(Paediatric)]));
        assert_eq!(judged(needs(None, ""), Children, &[]), (false, vec![Unknown::Age]));
        assert_eq!(judged(needs(None, ""), Department, &[]), (false, vec![]));
        assert_eq!(judged(needs(Some(30), "M03.16"), Department, &[]), (false, vec![Unknown::Capability(Psychiatric)]));
        assert_eq!(judged(needs(Some(30), "M03.16"), Department, &[(Psychiatric, false)]), (true, vec![]));
        assert_eq!(judged(needs(Some(3), "M03.16"), Smur, &[]), (false, vec![]), "a mobile unit goes to whoever calls");
    }

    #[test]
    fn a_delivery_goes_to_a_maternity_whatever_the_age() {
        use EmergencySiteKind::{Department, Paediatric as Children, Smur};
        let maternity = [(Adult, false), (Obstetric, true)];
        for years in [14, 17, 30] {
            assert_eq!(judged(needs(Some(years), "M03.01"), Department, &maternity), (false, vec![]));
        }
        assert_eq!(judged(needs(Some(30), ""), Department, &maternity), (true, vec![]));
        assert_eq!(judged(needs(Some(30), "M03.01"), Department, &[(Obstetric, false)]), (true, vec![]));
        assert!(judged(needs(Some(30), "M03.01"), Children, &[]).0);
        assert!(judged(needs(Some(30), "M03.01"), Smur, &[(Adult, false)]).0, "a paediatric unit");
    }
}
