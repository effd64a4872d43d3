//! Facts about identifiers: the published samples, the refusals, and that nothing untrusted panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// An accepted sample: what was given, what it reads as, its form for the wire, whether its check digit is doubted.
type Sample<K> = (&'static str, K, &'static str, &'static str, bool);

#[test]
fn practitioner_samples_read_with_and_without_prefix() {
    use PractitionerIdKind::{Adeli, Internal, Rpps};
    let samples: [Sample<PractitionerIdKind>; 16] = [
        // Samples of the implementation guide.
        ("810002909371", Rpps, "10002909371", "810002909371", false),
        ("10002909371", Rpps, "10002909371", "810002909371", false),
        ("810100050075", Rpps, "10100050075", "810100050075", true),
        ("810002673899", Rpps, "10002673899", "810002673899", true),
        ("10001288385", Rpps, "10001288385", "810001288385", true),
        // Samples of Hub Santé.
        ("810005681340", Rpps, "10005681340", "810005681340", false),
        ("810004762901", Rpps, "10004762901", "810004762901", false),
        ("10101215225", Rpps, "10101215225", "810101215225", false),
        ("810004768801", Rpps, "10004768801", "810004768801", true),
        ("  10002909371\n", Rpps, "10002909371", "810002909371", false),
        ("751234567", Adeli, "751234567", "0751234567", false),
        ("0751234567", Adeli, "751234567", "0751234567", false),
        ("012345678", Adeli, "012345678", "0012345678", false),
        ("02a1234567", Adeli, "2A1234567", "02A1234567", false),
        ("internal:Dr-7/a", Internal, "internal:Dr-7/a", "internal:Dr-7/a", false),
        ("internal:10002909371", Internal, "internal:10002909371", "internal:10002909371", false),
    ];
    for (given, kind, canonical, wire, doubted) in samples {
        let read = PractitionerId::parse(given).unwrap_or_else(|refusal| panic!("{given}: {refusal}"));
        assert_eq!(read.value.kind(), kind, "{given}");
        assert_eq!(read.value.to_string(), canonical, "{given}");
        assert_eq!(read.value.wire(), wire, "{given}");
        assert_eq!(read.warning.is_some(), doubted, "{given}");
        assert_eq!(PractitionerId::parse(wire).unwrap(), read, "{given}");
    }
}

#[test]
fn other_practitioner_shapes_are_refused_with_what_is_expected() {
    let refused = [
        "",
        "   ",
        "1000290937",
        "910002909371",
        "8100029093711",
        "1000290937A",
        "1751234567",
        "A51234567",
        "75123456",
        "75123-567",
        "3456780581/11242343",
        "1 0002909371",
        "１０００２９０９３７１",
        "éééé5",
        "8ééééé7",
        "internal:",
        "internal: \u{200b}",
        "INTERNAL:a",
    ];
    for given in refused {
        let refusal = PractitionerId::parse(given).expect_err(given).to_string();
        assert!(refusal.contains("expected an RPPS (11 digits"), "{given}: {refusal}");
    }
    let too_long = format!("internal:{}", "a".repeat(129));
    let refusal = PractitionerId::parse(&too_long).unwrap_err();
    assert_eq!(refusal.to_string(), "the practitioner id has 129 bytes; expected at most 128");
}

#[test]
fn an_internal_id_never_equals_a_national_one() {
    let national = PractitionerId::parse("10002909371").unwrap().value;
    let internal = PractitionerId::parse("internal:10002909371").unwrap().value;
    assert_ne!(national, internal);
}

#[test]
fn structure_samples_read_with_and_without_prefix() {
    use StructureIdKind::{AdeliRang, Finess, RppsRang, Siret};
    let samples: [Sample<StructureIdKind>; 21] = [
        ("1950047225", Finess, "950047225", "1950047225", false),
        ("950046227", Finess, "950046227", "1950046227", false),
        // Published without prefix in an example of Hub Santé.
        ("050005917", Finess, "050005917", "1050005917", false),
        ("1810004421", Finess, "810004421", "1810004421", true),
        ("810004956", Finess, "810004956", "1810004956", true),
        ("2A0001234", Finess, "2A0001234", "12A0001234", false),
        ("12b0001234", Finess, "2B0001234", "12B0001234", false),
        ("334173748400020", Siret, "34173748400020", "334173748400020", false),
        ("34173748400020", Siret, "34173748400020", "334173748400020", false),
        ("392080466300010", Siret, "92080466300010", "392080466300010", false),
        // Opens with 4 but has the 14 digits of a SIRET.
        ("40426662900033", Siret, "40426662900033", "340426662900033", false),
        ("40426662900034", Siret, "40426662900034", "340426662900034", true),
        // La Poste: the head office holds by Luhn, branches by the sum of their digits.
        ("35600000000048", Siret, "35600000000048", "335600000000048", false),
        ("35600000009075", Siret, "35600000009075", "335600000009075", false),
        ("35600000009076", Siret, "35600000009076", "335600000009076", true),
        // The sum rule is La Poste's alone.
        ("34173748400022", Siret, "34173748400022", "334173748400022", true),
        // The search engine writes 10 digits after the 4, the test kit 14.
        ("41234567890", RppsRang, "41234567890", "41234567890", false),
        ("410002909371001", RppsRang, "410002909371001", "410002909371001", false),
        ("4123456789", RppsRang, "4123456789", "4123456789", false),
        ("075123456701", AdeliRang, "075123456701", "075123456701", false),
        ("02a123456701", AdeliRang, "02A123456701", "02A123456701", false),
    ];
    for (given, kind, canonical, wire, doubted) in samples {
        let read = StructureId::parse(given).unwrap_or_else(|refusal| panic!("{given}: {refusal}"));
        assert_eq!(read.value.kind(), kind, "{given}");
        assert_eq!(read.value.to_string(), canonical, "{given}");
        assert_eq!(read.value.wire(), wire, "{given}");
        assert_eq!(read.warning.is_some(), doubted, "{given}");
        assert_eq!(StructureId::parse(wire).unwrap(), read, "{given}");
    }
}

#[test]
fn other_structure_shapes_are_refused() {
    let refused = [
        "",
        "95004722",
        "2950047225",
        "2C0001234",
        "2A000123B",
        "3417374840002A",
        "134173748400020",
        "341 737 484 00020",
        "5123456789",
        "4123456789012345678901",
        "0/23456789",
        "éléphants",
    ];
    for given in refused {
        let refusal = StructureId::parse(given).expect_err(given).to_string();
        assert!(refusal.contains("expected a FINESS (9 characters"), "{given}: {refusal}");
    }
}

#[test]
fn a_territory_is_a_finess_and_nothing_else() {
    let territory = TerritoryId::parse("1950047225").unwrap().value;
    assert_eq!((territory.as_str(), territory.wire().as_str()), ("950047225", "1950047225"));
    assert_eq!(territory, TerritoryId::parse(" 950047225 ").unwrap().value);
    assert_eq!(StructureId::from(territory), StructureId::parse("950047225").unwrap().value);
    assert!(TerritoryId::parse("810004421").unwrap().warning.is_some());
    for given in ["", "34173748400020", "41234567890", "2C0001234"] {
        assert!(TerritoryId::parse(given).is_err(), "{given}");
    }
}

#[test]
fn a_warning_names_the_number_without_prefix() {
    let warning = PractitionerId::parse("810100050075").unwrap().warning.unwrap();
    assert_eq!(
        warning.to_string(),
        "the check digit of RPPS `10100050075` is wrong; it was accepted as given, compare it with the national directory"
    );
}

#[test]
fn communes_know_their_department_and_their_city() {
    let samples = [
        ("75056", "75", "75056", false),
        ("75101", "75", "75056", true),
        ("75120", "75", "75056", true),
        ("75121", "75", "75121", false),
        ("69380", "69", "69380", false),
        ("69381", "69", "69123", true),
        ("69389", "69", "69123", true),
        ("69390", "69", "69390", false),
        ("13201", "13", "13055", true),
        ("13216", "13", "13055", true),
        ("13217", "13", "13217", false),
        ("01004", "01", "01004", false),
        ("2A004", "2A", "2A004", false),
        (" 2b033 ", "2B", "2B033", false),
        ("97105", "971", "97105", false),
        ("97502", "975", "97502", false),
        ("98818", "988", "98818", false),
    ];
    for (given, department, city, is_arrondissement) in samples {
        let commune = CommuneCode::parse(given).unwrap_or_else(|refusal| panic!("{given}: {refusal}"));
        assert_eq!(commune.department().code(), department, "{given}");
        assert_eq!(commune.commune().as_str(), city, "{given}");
        assert_eq!(commune.commune().department(), commune.department(), "{given}");
        assert_eq!(commune.is_arrondissement(), is_arrondissement, "{given}");
    }
}

#[test]
fn codes_that_no_commune_can_have_are_refused() {
    for given in ["", "7505", "750560", "7505A", "2C004", "2A04", "2AA04", "éé123"] {
        let refusal = CommuneCode::parse(given).expect_err(given).to_string();
        assert!(refusal.contains("expected an INSEE code"), "{given}: {refusal}");
    }
    for given in ["20004", "00123", "96001", "98901", "97912"] {
        let refusal = CommuneCode::parse(given).expect_err(given);
        assert!(matches!(refusal, IdError::UnknownDepartment { .. }), "{given}: {refusal}");
    }
    let refusal = CommuneCode::parse("20004").unwrap_err().to_string();
    assert!(refusal.starts_with("`20004` is not a commune code: unknown department code `20`; nearest known: "));
}

#[test]
fn opaque_ids_keep_their_text_and_nothing_invisible() {
    let longest = "é".repeat(64);
    for given in ["a", "fr.health.samu770.DR0001", "créneau 7", "Zürich/7:42#x", longest.as_str()] {
        let id = SlotId::parse(&format!(" {given}\t")).unwrap_or_else(|refusal| panic!("{given}: {refusal}"));
        assert_eq!((id.as_str(), id.as_ref(), id.to_string().as_str()), (given, given, given));
    }
    for given in
        ["", " \n ", "a\tb", "a\u{0}b", "a\u{a0}b", "a\u{200b}b", "a\u{202e}b", "\u{feff}a", "a\u{2028}b", "a\u{ad}b"]
    {
        assert!(SlotId::parse(given).is_err(), "{given:?}");
    }
    let refusal = CaseId::parse(&"é".repeat(65)).unwrap_err();
    assert_eq!(refusal, IdError::TooLong { kind: "case id", given_bytes: 130, max_bytes: OPAQUE_ID_MAX_BYTES });
    let refusal = PlaceId::parse("a\nb").unwrap_err().to_string();
    assert_eq!(refusal, "`a\\nb` is not a place id; expected 1 to 128 bytes of visible characters");
}

#[test]
fn opaque_ids_are_case_sensitive_and_found_by_text() {
    let ids: HashSet<ScheduleId> = ["a", "A", "b"].into_iter().map(|text| ScheduleId::parse(text).unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.contains("A"));
    assert_eq!(format!("{:?}", CaseId::parse("DR1").unwrap()), "CaseId(\"DR1\")");
    assert!(SourceId::parse("a").unwrap() < SourceId::parse("b").unwrap());
}

#[test]
fn claims_are_written_hyphenated() {
    let canonical = "01890a5d-ac96-774b-bcce-b302099a8057";
    for given in [canonical, "01890A5D-AC96-774B-BCCE-B302099A8057", " 01890a5dac96774bbcceb302099a8057 "] {
        assert_eq!(ClaimId::parse(given).unwrap().to_string(), canonical, "{given}");
    }
    for given in ["", "01890a5d", "01890a5d-ac96-774b-bcce-b302099a805g", "slot-1"] {
        assert!(ClaimId::parse(given).is_err(), "{given}");
    }
    let uuid = Uuid::from_u128(7);
    assert_eq!(ClaimId::from_uuid(uuid).as_uuid(), uuid);
}

#[test]
fn phones_take_their_international_form() {
    let samples = [
        ("0139555992", "+33139555992"),
        ("01 39.55-59 92", "+33139555992"),
        ("+33 (0)1 39 55 59 92", "+33139555992"),
        ("0033139555992", "+33139555992"),
        ("tel:+33139555992", "+33139555992"),
        ("\u{a0}06\u{202f}12\u{202f}34\u{202f}56\u{202f}78", "+33612345678"),
        ("0262123456", "+262262123456"),
        ("0692 12 34 56", "+262692123456"),
        ("0639123456", "+262639123456"),
        ("+33 269 12 34 56", "+262269123456"),
        ("+262262123456", "+262262123456"),
        ("0590123456", "+590590123456"),
        ("0690123456", "+590690123456"),
        ("0594123456", "+594594123456"),
        ("0694123456", "+594694123456"),
        ("0596123456", "+596596123456"),
        ("0696123456", "+596696123456"),
        ("0508412345", "+508412345"),
        ("+508 41 23 45", "+508412345"),
        ("+687 27 12 34", "+687271234"),
        ("+689 40 41 23 45", "+68940412345"),
        ("+681 72 12 34", "+681721234"),
    ];
    for (given, wanted) in samples {
        let phone = PhoneNumber::parse(given).unwrap_or_else(|refusal| panic!("{given}: {refusal}"));
        assert_eq!(phone.to_string(), wanted, "{given}");
    }
}

#[test]
fn numbers_that_are_not_french_are_refused() {
    let refused = [
        "",
        "15",
        "116117",
        "139555992",
        "013955599",
        "01395559922",
        "+3313955599",
        "+330139555992",
        "+442071234567",
        "+33 1 39 55 59 9a",
        "++33139555992",
        "0000000000",
        "+687 27 12 345",
        "+590123",
        "+",
        "00",
        "(0)",
        "tel:",
    ];
    for given in refused {
        let refusal = PhoneNumber::parse(given).expect_err(given).to_string();
        assert!(refusal.contains("expected 10 digits opening with 0"), "{given}: {refusal}");
    }
}

#[test]
fn a_refusal_repeats_at_most_64_characters() {
    let IdError::BadShape { given, .. } = StructureId::parse(&"\u{1b}é9".repeat(1000)).unwrap_err() else {
        panic!("another refusal than the shape");
    };
    assert_eq!(given.chars().count(), 64);
    assert!(given.starts_with("\\u{1b}é9"));
}

/// Any text, and texts near enough to the accepted forms to get past the first checks.
fn untrusted() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{5,16}",
        "[0134 8]?(2[ABab]|[0-9]{2})[0-9A-Za-zé]{3,17}",
        "(internal:)?[ -~éàü\u{200b}\t]{0,140}",
        "(\\+|00|tel:\\+|0)(33|262|508|59[046]|68[179])?[ .0-9()-]{4,14}",
        "[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}",
    ]
}

proptest! {
    #[test]
    fn accepted_national_ids_round_trip(given in untrusted()) {
        if let Ok(read) = PractitionerId::parse(&given) {
            prop_assert_eq!(&PractitionerId::parse(&read.value.wire()).unwrap(), &read);
            prop_assert_eq!(&PractitionerId::parse(&read.value.to_string()).unwrap(), &read);
        }
        if let Ok(read) = StructureId::parse(&given) {
            prop_assert_eq!(&StructureId::parse(&read.value.wire()).unwrap(), &read);
            prop_assert_eq!(&StructureId::parse(&read.value.to_string()).unwrap(), &read);
        }
        if let Ok(read) = TerritoryId::parse(&given) {
            prop_assert_eq!(&TerritoryId::parse(&read.value.wire()).unwrap(), &read);
            prop_assert_eq!(&StructureId::parse(&given).unwrap(), &read.map(StructureId::from));
        }
    }

    #[test]
    fn accepted_texts_round_trip(given in untrusted()) {
        if let Ok(commune) = CommuneCode::parse(&given) {
            prop_assert_eq!(CommuneCode::parse(commune.as_str()).unwrap(), commune);
            prop_assert_eq!(commune.commune().commune(), commune.commune());
        }
        if let Ok(id) = RequestId::parse(&given) {
            prop_assert_eq!(id.as_str(), given.trim());
            prop_assert_eq!(RequestId::parse(id.as_str()).unwrap(), id);
        }
        if let Ok(claim) = ClaimId::parse(&given) {
            prop_assert_eq!(ClaimId::parse(&claim.to_string()).unwrap(), claim);
        }
        if let Ok(phone) = PhoneNumber::parse(&given) {
            prop_assert_eq!(PhoneNumber::parse(&phone.to_string()).unwrap(), phone);
        }
    }

    #[test]
    fn any_eleven_digits_are_an_rpps_and_one_wrong_digit_is_noticed(
        digits in "[0-9]{10}", place in 0_usize..11, change in 1_u32..10,
    ) {
        let sound = (0..10).map(|key| format!("{digits}{key}"))
            .find(|number| PractitionerId::parse(number).unwrap().warning.is_none())
            .expect("every number has a key");
        let spoilt: String = sound.chars().enumerate()
            .map(|(at, digit)| if at == place { char::from_digit((digit.to_digit(10).unwrap() + change) % 10, 10).unwrap() } else { digit })
            .collect();
        prop_assert!(PractitionerId::parse(&spoilt).unwrap().warning.is_some());
    }
}
