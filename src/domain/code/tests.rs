//! Facts about the codes: the tables are the published lists, refusals name the nearest codes, sets are sets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they skip"
)]

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// The rows of a published table, by column name; nothing, with a printed sentence, when the shared folder is absent.
pub(in crate::domain) fn published(table: &str) -> Option<Vec<HashMap<String, String>>> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")).join(table);
    if !path.exists() {
        println!("skipped: {table} is not beside this checkout");
        return None;
    }
    let mut reader = csv::Reader::from_path(path).expect("the table opens");
    let columns = reader.headers().expect("the table has a header").clone();
    let rows = reader.records().map(|row| {
        let row = row.expect("the table is regular");
        columns.iter().map(str::to_owned).zip(row.iter().map(|cell| cell.trim().to_owned())).collect()
    });
    Some(rows.collect())
}

/// The (code, label) pairs of a published table whose label is in the first filled of these columns.
fn published_codes(table: &str, labels: &[&str]) -> Option<Vec<(String, String)>> {
    let pairs = published(table)?.into_iter().map(|row| {
        let label = labels.iter().map(|column| &row[*column]).find(|label| !label.is_empty());
        (row["code"].clone(), label.expect("every code has a label").clone())
    });
    Some(pairs.collect())
}

/// The (code, label) pairs of one of our lists, after checking that each reads back as itself.
macro_rules! ours {
    ($code:ty) => {
        <$code>::ALL
            .iter()
            .map(|known| {
                assert_eq!(<$code>::parse(&format!(" {}\n", known.code())), Ok(*known));
                assert_eq!(<$code>::from_index(known.index()), Some(*known));
                assert_eq!(known.to_string(), known.code());
                (known.code().to_owned(), known.label().to_owned())
            })
            .collect::<Vec<_>>()
    };
}

#[test]
fn lists_are_those_of_hub_sante() {
    let lists = [
        ("niveauSoin", ours!(CareLevel)),
        ("priorite", ours!(Priority)),
        ("sexe", ours!(Sex)),
        ("role", ours!(Role)),
        ("delai", ours!(Delay)),
        ("typeDecision", ours!(DecisionType)),
        ("typeOrientation", ours!(OrientationType)),
        ("patient", ours!(PatientCategory)),
    ];
    for (list, ours) in lists {
        if let Some(theirs) = published_codes(&format!("hub/nomenclature/HubSante.{list}.csv"), &["label_n1"]) {
            assert_eq!(ours, theirs, "{list}");
        }
    }
    let motives = ours!(Motive);
    if let Some(theirs) = published_codes("hub/nomenclature/HubSante.motif.csv", &["label_n1", "label_n2"]) {
        assert_eq!(motives, theirs);
    }
}

#[test]
fn lists_are_those_of_the_national_terminology() {
    let lists = [
        ("tre_r38_specialite_ordinale", ours!(Specialty)),
        ("tre_g15_profession_sante", ours!(Profession)),
        ("tre_r314_type_creneau", ours!(Visibility)),
    ];
    for (list, ours) in lists {
        if let Some(theirs) = published_codes(&format!("nomenclatures/{list}.csv"), &["display"]) {
            assert_eq!(ours, theirs, "{list}");
        }
    }
}

#[test]
fn lists_are_complete_without_the_published_tables() {
    assert_eq!((Motive::COUNT, Specialty::COUNT, Profession::COUNT), (52, 107, 30));
    for codes in [ours!(Motive), ours!(Specialty), ours!(Profession), ours!(Modality), ours!(AppointmentType)] {
        let distinct: BTreeSet<_> = codes.iter().map(|(code, _)| code).collect();
        assert_eq!(distinct.len(), codes.len());
        assert!(codes.iter().all(|(code, label)| !code.is_empty() && !label.is_empty()));
    }
    assert_eq!(Specialty::from_index(107), None);
    assert_eq!(Motive::from_index(u8::MAX), None);
    assert_eq!(CareLevel::from_index(4), None);
}

#[test]
fn an_unknown_code_names_the_nearest_ones() {
    let refused = [
        (Specialty::parse("SM540").unwrap_err(), "unknown specialty code `SM540`; nearest known: SM54, SM50, SM40"),
        (Specialty::parse("sm54").unwrap_err(), "unknown specialty code `sm54`; nearest known: SM54, SM45, SM50"),
        (Profession::parse("11").unwrap_err(), "unknown profession code `11`; nearest known: 10, 21, 31"),
        (Modality::parse("amb").unwrap_err(), "unknown modality code `amb`; nearest known: AMB, VR, HH"),
        (CareLevel::parse("R5").unwrap_err(), "unknown care level code `R5`; nearest known: R1, R2, R3"),
        (Sex::parse(" ").unwrap_err(), "empty sex code; known are, for example: M, F, O"),
    ];
    for (refusal, wanted) in refused {
        assert_eq!(refusal.to_string(), wanted);
    }
    assert_eq!(Motive::parse("M03.8").unwrap_err().nearest.first(), Some(&"M03.08"));
    assert_eq!(AppointmentType::parse("WALK-IN").unwrap_err().nearest.first(), Some(&"WALKIN"));
    assert_eq!(OrientationType::parse("REA_USI").unwrap_err().nearest.first(), Some(&"REA-USI"));
}

#[test]
fn a_long_unknown_code_is_cut_and_escaped() {
    let refusal = Role::parse(&"\u{7}é".repeat(100_000)).unwrap_err();
    assert_eq!(refusal.given.chars().count(), 64);
    assert!(refusal.given.starts_with("\\u{7}é"));
    assert_eq!(refusal.nearest.len(), 3);
}

#[test]
fn a_specialty_belongs_to_a_profession() {
    let samples = [
        ("SM54", "10", true),
        ("SM53", "10", true),
        ("SM26", "10", true),
        ("SM40", "10", false),
        ("SCD01", "40", false),
        ("SI05", "60", false),
        ("SP01", "21", false),
    ];
    for (specialty, profession, is_general_practice) in samples {
        let specialty = Specialty::parse(specialty).unwrap();
        assert_eq!(specialty.profession().code(), profession, "{specialty}");
        assert_eq!(specialty.is_general_practice(), is_general_practice, "{specialty}");
    }
    assert_eq!(Specialty::ALL.iter().filter(|specialty| specialty.is_general_practice()).count(), 3);
}

#[test]
fn named_professions_are_their_codes() {
    let samples = [
        (Profession::DOCTOR, "10"),
        (Profession::PHARMACIST, "21"),
        (Profession::DENTIST, "40"),
        (Profession::MIDWIFE, "50"),
        (Profession::NURSE, "60"),
    ];
    for (profession, code) in samples {
        assert_eq!(profession.code(), code);
    }
}

#[test]
fn a_delay_has_minutes_unless_it_is_a_time_of_day() {
    let minutes: Vec<_> = Delay::ALL.iter().map(|delay| delay.minutes()).collect();
    let wanted = [0, 60, 30, 45, 60, 120, 240, 480, 720, 1440].map(Some);
    assert_eq!(minutes, [wanted.as_slice(), &[None]].concat());
}

#[test]
fn a_set_holds_what_was_put_in() {
    const IN_PERSON: ModalitySet = ModalitySet::of(&[Modality::Hh, Modality::Amb]);
    assert!(IN_PERSON.contains(Modality::Amb) && !IN_PERSON.contains(Modality::Vr));
    assert_eq!(IN_PERSON.iter().collect::<Vec<_>>(), [Modality::Amb, Modality::Hh]);
    assert_eq!(format!("{IN_PERSON:?}"), "{\"AMB\", \"HH\"}");
    assert!(!IN_PERSON.intersects(ModalitySet::of(&[Modality::Vr])));
    assert_eq!(IN_PERSON.union(ModalitySet::of(&[Modality::Vr])), ModalitySet::ALL);
    assert!(ModalitySet::EMPTY.is_empty() && !IN_PERSON.is_empty());
    assert_eq!(VisibilitySet::ALL.iter().count(), 4);
    assert_eq!(AppointmentTypeSet::ALL.bits(), 0b11);
    assert_eq!(SpecialtySet::ALL.iter().collect::<Vec<_>>(), Specialty::ALL);
    assert_eq!(ProfessionSet::ALL.iter().collect::<Vec<_>>(), Profession::ALL);
}

proptest! {
    #[test]
    fn an_accepted_code_is_the_trimmed_text(given in prop_oneof![any::<String>(), "[A-Z0-9. ]{0,7}"]) {
        macro_rules! check {
            ($($code:ty),+) => {$(match <$code>::parse(&given) {
                Ok(known) => prop_assert_eq!(known.code(), given.trim()),
                Err(refusal) => {
                    prop_assert!(!refusal.nearest.is_empty() && refusal.nearest.len() <= 3);
                    prop_assert!(refusal.given.chars().count() <= 64);
                }
            })+};
        }
        check!(CareLevel, Priority, Modality, AppointmentType, Visibility, Sex, Role, Delay, DecisionType);
        check!(OrientationType, PatientCategory, Motive, Specialty, Profession);
    }

    #[test]
    fn a_set_of_any_bits_holds_known_codes_only(bits in any::<u128>(), other in any::<u128>()) {
        let set = SpecialtySet::from_bits(bits);
        let other = SpecialtySet::from_bits(other);
        prop_assert_eq!(set.iter().collect::<SpecialtySet>(), set);
        prop_assert_eq!(set.bits() & !SpecialtySet::ALL.bits(), 0);
        prop_assert_eq!(set.iter().count(), usize::try_from(set.bits().count_ones()).unwrap());
        for specialty in Specialty::ALL {
            prop_assert_eq!(set.contains(*specialty), set.iter().any(|member| member == *specialty));
            prop_assert_eq!(set.union(other).contains(*specialty), set.contains(*specialty) || other.contains(*specialty));
        }
        prop_assert_eq!(set.intersects(other), set.iter().any(|member| other.contains(member)));
    }
}
