//! Which needs found nothing, told so that nobody can be singled out.
//!
//! Invariant: no count below [`SMALL_COUNT_MIN`] is told, nor anything from which one follows: what is too rare is told
//! with less detail (without its commune, then its hour, then its band of ages, then what was asked for), or not at all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::code::{PatientCategory, Profession, Specialty};
use super::id::CommuneCode;
use super::query::CareQueryDraft;

/// The least count that is told: a group of five hides each of its members, as French public statistics have it for small
/// areas.
pub const SMALL_COUNT_MIN: u64 = 5;

/// What a question looked for, in one code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AskedFor {
    /// A specialty; general practice counts as SM54 whichever of its codes were given, and of several the first.
    Specialty(Specialty),
    /// A profession whatever the specialty; of several the first.
    Profession(Profession),
    /// Neither.
    Unstated,
}

impl AskedFor {
    /// What a question looked for.
    #[must_use]
    pub fn of(parts: &CareQueryDraft) -> Self {
        static GENERAL_PRACTICE: LazyLock<Option<Specialty>> = LazyLock::new(|| Specialty::parse("SM54").ok());
        let first = parts.specialties.iter().find(|one| one.is_general_practice()).and(*GENERAL_PRACTICE);
        let specialty = first.or_else(|| parts.specialties.iter().next()).map(Self::Specialty);
        let profession = || parts.professions.iter().next().map(Self::Profession);
        specialty.or_else(profession).unwrap_or(Self::Unstated)
    }

    /// Its code, those of specialties before those of professions.
    const fn order(self) -> u8 {
        match self {
            Self::Specialty(_) => 0,
            Self::Profession(_) => 1,
            Self::Unstated => 2,
        }
    }

    /// Its code; empty when there is none.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Specialty(specialty) => specialty.code(),
            Self::Profession(profession) => profession.code(),
            Self::Unstated => "",
        }
    }
}

/// A need that found nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct UnmetNeed {
    /// What was looked for.
    pub asked: AskedFor,
    /// Band of ages, when the age was given.
    pub age_band: Option<PatientCategory>,
    /// Local hour of the question, 0 to 23.
    pub local_hour: u8,
    /// Commune of the patient, when it was given.
    pub commune: Option<CommuneCode>,
}

/// How often needs of one sort found nothing; what is absent is told together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnmetCount {
    /// What was looked for.
    pub asked: Option<AskedFor>,
    /// Band of ages; `Some(None)` when no age was given.
    pub age_band: Option<Option<PatientCategory>>,
    /// Local hour, 0 to 23.
    pub local_hour: Option<u8>,
    /// Commune; `Some(None)` when none was given.
    pub commune: Option<Option<CommuneCode>>,
    /// How often.
    pub count: u64,
}

/// How much of a need is told: all of it, then less and less.
const LEVELS: u8 = 5;

impl UnmetCount {
    /// A need with as much of it as a level tells.
    fn at(need: &UnmetNeed, level: u8, count: u64) -> Self {
        Self {
            asked: (level < 4).then_some(need.asked),
            age_band: (level < 3).then_some(need.age_band),
            local_hour: (level < 2).then_some(need.local_hour),
            commune: (level < 1).then_some(need.commune),
            count,
        }
    }

    /// What is told together, and the order in which it is told.
    fn key(&self) -> (u8, &'static str, &'static str, u8, Option<CommuneCode>) {
        (
            self.asked.map_or(0, AskedFor::order),
            self.asked.map_or("", AskedFor::code),
            self.age_band.flatten().map_or("", PatientCategory::code),
            self.local_hour.unwrap_or(0),
            self.commune.flatten(),
        )
    }
}

/// What may be told of needs, of `total` that found nothing: those not among `needs` are told without any detail. Those told
/// in most detail come first, each in order of its codes; and how many are told in all.
#[must_use]
pub fn told(needs: &[(UnmetNeed, u64)], total: u64) -> Vec<UnmetCount> {
    let mut told: Vec<UnmetCount> = Vec::new();
    let mut rest: Vec<(UnmetNeed, u64)> = needs.to_vec();
    for level in 0..LEVELS - 1 {
        let mut groups: BTreeMap<_, (UnmetCount, Vec<(UnmetNeed, u64)>)> = BTreeMap::new();
        for (need, count) in rest.drain(..) {
            let one = UnmetCount::at(&need, level, 0);
            let (group, members) = groups.entry(one.key()).or_insert_with(|| (one, Vec::new()));
            group.count += count;
            members.push((need, count));
        }
        for (group, members) in groups.into_values() {
            if group.count >= SMALL_COUNT_MIN { told.push(group) } else { rest.extend(members) }
        }
    }
    let in_detail: u64 = told.iter().map(|group| group.count).sum();
    let mut count = total.saturating_sub(in_detail);
    // A rest of one to four would follow from the total: those told in least detail go with it.
    while (1..SMALL_COUNT_MIN).contains(&count) {
        let Some(group) = told.pop() else { return told };
        count += group.count;
    }
    if count > 0 {
        told.push(UnmetCount { asked: None, age_band: None, local_hour: None, commune: None, count });
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::SpecialtySet;
    use proptest::prelude::*;

    fn need(specialty: &str, age_band: Option<PatientCategory>, local_hour: u8, commune: &str) -> UnmetNeed {
        let asked = AskedFor::Specialty(Specialty::parse(specialty).unwrap());
        UnmetNeed { asked, age_band, local_hour, commune: CommuneCode::parse(commune).ok() }
    }

    /// The counts as text, `*` for what is told together.
    fn lines(told: &[UnmetCount]) -> Vec<String> {
        let text = |one: &UnmetCount| {
            let asked = one.asked.map_or("*", AskedFor::code);
            let band = one.age_band.map_or("*", |band| band.map_or("-", PatientCategory::code));
            let hour = one.local_hour.map_or("*".to_owned(), |hour| hour.to_string());
            let commune = one.commune.map_or("*".to_owned(), |commune| commune.map_or("-".into(), |c| c.to_string()));
            format!("{asked} {band} {hour} {commune} {}", one.count)
        };
        told.iter().map(text).collect()
    }

    #[test]
    fn what_is_rare_is_told_with_less_detail() {
        let child = Some(PatientCategory::Enfant);
        let needs = [
            (need("SM54", child, 9, "69259"), 7),
            (need("SM54", child, 9, "69123"), 2),
            (need("SM54", child, 9, "69290"), 3),
            (need("SM54", None, 10, "69259"), 4),
            (need("SM54", child, 11, "69259"), 1),
            (need("SM40", child, 9, "69259"), 4),
        ];
        let told = told(&needs, 22);
        assert_eq!(lines(&told), ["SM54 ENFANT 9 69259 7", "SM54 ENFANT 9 * 5", "SM54 * * * 5", "* * * * 5"]);
        assert_eq!(told.iter().map(|one| one.count).sum::<u64>(), 22, "one that was not noted in detail included");
    }

    #[test]
    fn what_is_left_over_is_never_the_difference_of_two_figures() {
        let needs =
            [(need("SM54", None, 9, "69259"), 7), (need("SM40", None, 9, "69259"), 6), (need("SM15", None, 9, "x"), 1)];
        assert_eq!(lines(&told(&needs, 14)), ["SM40 - 9 69259 6", "* * * * 8"]);
        assert_eq!(lines(&told(&needs[..1], 9)), ["* * * * 9"]);
    }

    #[test]
    fn nothing_is_told_of_four() {
        assert_eq!(told(&[(need("SM54", None, 9, "69259"), 4)], 4), []);
        assert_eq!(lines(&told(&[(need("SM54", None, 9, "x"), 5)], 5)), ["SM54 - 9 - 5"], "none was given");
    }

    #[test]
    fn general_practice_is_one_need_whichever_codes_ask_for_it() {
        let asked = |codes: &[&str]| {
            let specialties: SpecialtySet = codes.iter().map(|code| Specialty::parse(code).unwrap()).collect();
            AskedFor::of(&CareQueryDraft { specialties, ..CareQueryDraft::default() }).code()
        };
        assert_eq!([asked(&["SM26", "SM53", "SM54"]), asked(&["SM53"]), asked(&["SM40", "SM54"])], ["SM54"; 3]);
        assert_eq!([asked(&["SM40", "SM42"]), asked(&[])], ["SM40", ""]);
    }

    proptest! {
        #[test]
        fn no_small_count_is_told_and_none_follows_from_the_total(
            drawn in prop::collection::vec((0usize..3, 0u8..3, 0usize..3, 1u64..9), 0..40),
            more in 0u64..9,
        ) {
            let communes = ["69259", "69123", "x"];
            let mut needs: Vec<(UnmetNeed, u64)> = Vec::new();
            for (specialty, hour, commune, count) in drawn {
                let one = need(["SM54", "SM40", "SM15"][specialty], None, hour, communes[commune]);
                match needs.iter_mut().find(|(known, _)| *known == one) {
                    Some((_, known)) => *known += count,
                    None => needs.push((one, count)),
                }
            }
            let total = needs.iter().map(|(_, count)| count).sum::<u64>() + more;
            let told = told(&needs, total);
            prop_assert!(told.iter().all(|one| one.count >= SMALL_COUNT_MIN));
            let sum: u64 = told.iter().map(|one| one.count).sum();
            prop_assert_eq!(sum, if total < SMALL_COUNT_MIN { 0 } else { total });
            // What is told in full is frequent enough by itself, and all of that is, but for one that hides a small rest.
            let frequent = needs.iter().filter(|(_, count)| *count >= SMALL_COUNT_MIN).count();
            let in_full = told.iter().filter(|one| one.commune.is_some()).count();
            prop_assert!(in_full == frequent || in_full + 1 == frequent, "{} of {}", in_full, frequent);
        }
    }
}
