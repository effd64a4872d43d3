//! The stored form of every kind of record, for good: golden files, refusals, and properties.

use std::path::PathBuf;

use proptest::prelude::*;
use prost::Message as _;

use super::samples;
use super::*;

fn golden_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ledger/v1").join(format!("{name}.hex"))
}

fn to_hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(32).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n");
    lines.collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn decoded(image: &[u8]) -> Result<Body, DecodeError> {
    decode(image, &mut Interner::new())
}

#[test]
fn every_golden_file_decodes_to_its_record_and_back_to_its_bytes() {
    for (name, body) in samples::all() {
        let file = golden_file(name);
        let expected = to_hex(&encode(&body));
        let golden = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{name}.hex: {error}; a new kind of record wants this file:\n{expected}"));
        let image = from_hex(&golden);
        assert_eq!(decoded(&image).unwrap(), body, "{name}");
        assert_eq!(to_hex(&encode(&body)), golden, "{name}");
    }
}

#[test]
fn the_samples_leave_no_claim_state_out() {
    let states = samples::all().into_iter().filter_map(|(_, body)| match body {
        Body::Slot(slot) => Some(slot.claims.iter().map(|claim| claim.state).collect::<Vec<_>>()),
        Body::Territory(_)
        | Body::Place(_)
        | Body::Practitioner(_)
        | Body::Schedule(_)
        | Body::EmergencySite(_)
        | Body::Source(_)
        | Body::Case(_)
        | Body::Orientation(_)
        | Body::Tally(_)
        | Body::Policy(_) => None,
    });
    let states: Vec<_> = states.flatten().collect();
    assert!(crate::domain::slot::ClaimState::ALL.iter().all(|state| states.contains(state)), "{states:?}");
}

#[test]
fn a_newer_format_is_named_as_such() {
    let mut image = encode(&samples::all()[0].1);
    image[0] = 2;
    let error = decoded(&image).unwrap_err();
    assert_eq!(error, DecodeError::NewerFormat { found: 2, known: 1 });
    assert!(error.to_string().contains("format 2"), "{error}");
}

#[test]
fn what_is_no_record_is_refused_with_a_reason() {
    assert_eq!(decoded(&[]), Err(DecodeError::Empty));
    assert_eq!(decoded(&[1]), Err(DecodeError::NoBody));
    assert!(matches!(decoded(&[0, 1]), Err(DecodeError::Malformed(_))));
    assert!(matches!(decoded(&[1, 0xff]), Err(DecodeError::Malformed(_))));
}

/// Alters the message of a sample, and tells which field decoding blames.
fn blamed(name: &str, alter: impl Fn(&mut pb::record::Body)) -> &'static str {
    let (_, body) = samples::all().into_iter().find(|(sample, _)| *sample == name).unwrap();
    let mut record = to_record(&body);
    alter(record.body.as_mut().unwrap());
    let image = [&[RECORD_FORMAT], record.encode_to_vec().as_slice()].concat();
    let error = decoded(&image).unwrap_err();
    let DecodeError::Field { record: _, field, problem } = error else { panic!("{error}") };
    assert!(!problem.is_empty());
    field
}

macro_rules! blames {
    ($sample:literal, $kind:ident, |$message:ident| $alter:expr, $field:literal) => {
        let field = blamed($sample, |body| {
            let pb::record::Body::$kind($message) = body else { panic!("{body:?}") };
            $alter;
        });
        assert_eq!(field, $field);
    };
}

fn claim(slot: &mut pb::Slot) -> &mut pb::Attendance {
    slot.claims[0].attendance.as_mut().unwrap()
}

fn quarantine(slot: &mut pb::Slot) -> &mut pb::Quarantine {
    slot.claims[2].quarantine.as_mut().unwrap()
}

fn settlement(slot: &mut pb::Slot) -> &mut pb::Settlement {
    quarantine(slot).settlement.as_mut().unwrap()
}

#[test]
fn a_wrong_field_is_named() {
    blames!("slot-claimed", Slot, |slot| slot.id.clear(), "id");
    blames!("slot-claimed", Slot, |slot| slot.end_at_ms = slot.start_at_ms, "end_at_ms");
    blames!("slot-claimed", Slot, |slot| slot.capacity = 65_536, "capacity");
    blames!("slot-claimed", Slot, |slot| slot.state = "GONE".into(), "state");
    blames!("slot-claimed", Slot, |slot| slot.modalities.push("FAX".into()), "modalities");
    blames!("slot-claimed", Slot, |slot| slot.claims[0].id = vec![1], "claims.id");
    blames!("slot-claimed", Slot, |slot| slot.claims[0].state.clear(), "claims.state");
    blames!("slot-rebooked", Slot, |slot| slot.claims[0].replaced_by = vec![1], "claims.replaced_by");
    blames!("slot-rebooked", Slot, |slot| slot.claims[1].replaces = vec![1], "claims.replaces");
    blames!(
        "slot-rebooked",
        Slot,
        |slot| slot.claims[1].beyond_delay.as_mut().unwrap().role.clear(),
        "claims.beyond_delay.role"
    );
    blames!("place", Place, |place| place.position.as_mut().unwrap().latitude = f64::NAN, "position");
    blames!("place", Place, |place| place.time_zone = "Europe/Nowhere".into(), "time_zone");
    blames!("place", Place, |place| place.department = "20".into(), "department");
    blames!("territory", Territory, |territory| territory.neighbour_ids.push("x".into()), "neighbour_ids");
    blames!("practitioner", Practitioner, |practitioner| practitioner.languages.push("f".into()), "languages");
    blames!("schedule", Schedule, |schedule| schedule.accepted_sexes.push("X".into()), "accepted_sexes");
    blames!("case", Case, |case| case.id.clear(), "id");
    blames!("case", Case, |case| case.booking.as_mut().unwrap().claim_id.clear(), "booking.claim_id");
    blames!("case", Case, |case| case.booking.as_mut().unwrap().slot_id.clear(), "booking.slot_id");
    blames!("case-refused", Case, |case| case.refusals[0].reason.clear(), "refusals.reason");
    blames!("case-refused", Case, |case| case.refusals[0].practitioner_id = "x".into(), "refusals.practitioner_id");
    blames!("case-refused", Case, |case| case.refusals[0].schedule_id.clear(), "refusals.schedule_id");
    blames!("slot-attended", Slot, |slot| claim(slot).kind.clear(), "claims.attendance");
    blames!("slot-quarantined", Slot, |slot| quarantine(slot).reported_by = vec![1], "claims.quarantine.reported_by");
    blames!("slot-quarantined", Slot, |slot| settlement(slot).verdict.clear(), "claims.quarantine.verdict");
    blames!("slot-quarantined", Slot, |slot| settlement(slot).settled_by.clear(), "claims.quarantine.settled_by");
    blames!("orientation", Orientation, |orientation| orientation.case_id.clear(), "case_id");
    blames!("orientation", Orientation, |orientation| orientation.outcome = "GUESS".into(), "outcome");
    blames!("orientation", Orientation, |orientation| orientation.booking_id = vec![1], "booking_id");
    blames!("orientation", Orientation, |orientation| orientation.territory_id = "x".into(), "territory_id");
    blames!("orientation", Orientation, |orientation| orientation.department.clear(), "department");
    blames!("orientation", Orientation, |orientation| orientation.age_band = "TOAD".into(), "age_band");
    blames!("orientation", Orientation, |orientation| orientation.day = "2026-02-30".into(), "day");
    blames!("tally", Tally, |tally| tally.id = "territory/x/2026-11-18".into(), "id");
    blames!("tally", Tally, |tally| tally.counts[0].measure = "LUCK".into(), "counts");
    blames!("policy", Policy, |policy| policy.activations[0].activated_by.clear(), "activations.activated_by");
    blames!("emergency-site", EmergencySite, |site| site.position = None, "position");
    blames!("emergency-site", EmergencySite, |site| site.weekly_access[0].weekday = 8, "weekly_access");
}

#[test]
fn slots_of_one_schedule_share_their_traits_in_memory() {
    let mut interner = Interner::new();
    let mut slot = |number| match decode(&encode(&Body::Slot(samples::numbered_slot(number).into())), &mut interner) {
        Ok(Body::Slot(slot)) => slot,
        other => panic!("{other:?}"),
    };
    let (first, second) = (slot(1), slot(2));
    assert!(std::sync::Arc::ptr_eq(&first.traits, &second.traits));
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decoded(&bytes);
        let _ = decoded(&[&[RECORD_FORMAT], bytes.as_slice()].concat());
    }

    #[test]
    fn no_damaged_record_makes_the_decoder_panic(sample in 0..samples::all().len(), place: prop::sample::Index, byte: u8) {
        let mut image = encode(&samples::all()[sample].1);
        let place = place.index(image.len());
        image[place] = byte;
        let _ = decoded(&image);
    }

    #[test]
    fn slots_survive_their_stored_form(slot in samples::any_slot()) {
        let body = Body::Slot(slot.into());
        let image = encode(&body);
        let back = decoded(&image).unwrap();
        prop_assert_eq!(&back, &body);
        prop_assert_eq!(encode(&back), image);
    }
}
