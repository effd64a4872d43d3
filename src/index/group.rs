//! Groups of care: which specialties and professions are looked for together.
//!
//! Every specialty and profession belongs to exactly one group; a schedule stands in the grid of each group that it
//! serves.

use crate::domain::code::{Profession, ProfessionSet, Specialty, SpecialtySet};

/// Number of groups.
pub(super) const GROUPS: usize = 16;
const GENERAL: u16 = 0;
const OTHER_PHYSICIAN: u16 = 10;
const NURSE: u16 = 11;
const DENTIST: u16 = 12;
const MIDWIFE: u16 = 13;
const PHARMACIST: u16 = 14;
const OTHER: u16 = 15;
/// Groups of physicians: all up to and with [`OTHER_PHYSICIAN`].
const PHYSICIANS: u16 = (1 << (OTHER_PHYSICIAN + 1)) - 1;

/// The groups of these specialties and professions, one bit each. A profession alone means all its groups.
pub(super) fn groups_of(specialties: SpecialtySet, professions: ProfessionSet) -> u16 {
    let by_specialty = specialties.iter().fold(0, |groups, specialty| groups | 1 << group_of(specialty));
    professions.iter().fold(by_specialty, |groups, profession| groups | groups_of_profession(profession))
}

/// The groups in which an opening stands: by its specialties, and by professions that these do not have; nobody said
/// means general practice.
pub(super) fn standing(specialties: SpecialtySet, professions: ProfessionSet, unspecified: bool) -> u16 {
    if unspecified {
        return 1 << GENERAL;
    }
    let theirs: ProfessionSet = specialties.iter().map(Specialty::profession).collect();
    let others = professions.iter().filter(|profession| !theirs.contains(*profession)).collect();
    groups_of(specialties, others)
}

fn group_of(specialty: Specialty) -> u16 {
    if specialty.is_general_practice() {
        return GENERAL;
    }
    let profession = specialty.profession();
    if profession != Profession::DOCTOR {
        return alone(profession);
    }
    match specialty.code() {
        "SM40" | "SM87" | "SM88" | "SM89" | "SM90" => 1,
        "SM19" | "SM20" | "SM51" | "SM52" => 2,
        "SM42" | "SM43" | "SM92" | "SM93" => 3,
        "SM38" => 4,
        "SM15" => 5,
        "SM04" | "SM73" => 6,
        "SM34" | "SM39" => 7,
        "SM59" | "SM18" => 8,
        "SM41" | "SM48" => 9,
        _ => OTHER_PHYSICIAN,
    }
}

fn groups_of_profession(profession: Profession) -> u16 {
    if profession == Profession::DOCTOR { PHYSICIANS } else { 1 << alone(profession) }
}

/// The one group of a profession other than physician.
fn alone(profession: Profession) -> u16 {
    if profession == Profession::NURSE {
        NURSE
    } else if profession == Profession::DENTIST {
        DENTIST
    } else if profession == Profession::MIDWIFE {
        MIDWIFE
    } else if profession == Profession::PHARMACIST {
        PHARMACIST
    } else {
        OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_specialty_stands_where_its_profession_is_looked_for() {
        for specialty in Specialty::ALL {
            let standing = groups_of(SpecialtySet::of(&[*specialty]), ProfessionSet::EMPTY);
            let looked_for = groups_of(SpecialtySet::EMPTY, ProfessionSet::of(&[specialty.profession()]));
            assert_eq!(standing.count_ones(), 1, "{}", specialty.code());
            assert_eq!(standing & looked_for, standing, "{}", specialty.code());
        }
    }

    #[test]
    fn who_has_another_profession_than_the_specialties_stands_in_both_groups() {
        let general = SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]);
        let both = ProfessionSet::of(&[Profession::DOCTOR, Profession::MIDWIFE]);
        assert_eq!(standing(general, both, false), 1 << GENERAL | 1 << MIDWIFE);
        assert_eq!(standing(general, ProfessionSet::of(&[Profession::DOCTOR]), false), 1 << GENERAL);
        assert_eq!(standing(SpecialtySet::EMPTY, ProfessionSet::of(&[Profession::NURSE]), false), 1 << NURSE);
    }

    #[test]
    fn general_practice_is_one_group() {
        let codes = ["SM54", "SM53", "SM26"].map(|code| Specialty::parse(code).unwrap());
        assert_eq!(groups_of(SpecialtySet::of(&codes), ProfessionSet::EMPTY), 1);
    }
}
