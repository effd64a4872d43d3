//! Territories, places, practitioners and schedules, and their stored form.
//!
//! Invariant: both directions name every field; codes and identifiers are stored in canonical form.

use chrono_tz::Tz;

use super::field::{DecodeError, Of, specialty_codes, territory_texts, text_of, to_point};
use super::intern::Interner;
use crate::domain::code::{Profession, Sex};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place, Practitioner, Schedule, Territory, sex_bit};
use crate::domain::id::{CommuneCode, PractitionerId, TerritoryId};
use crate::domain::patient::{Age, Language, Need, NeedSet};
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;

/// The stored form of a territory.
pub(super) fn to_territory(territory: &Territory) -> pb::Territory {
    let Territory { id, name, communes, neighbours, phone } = territory;
    pb::Territory {
        id: id.to_string(),
        name: name.to_string(),
        commune_codes: communes.iter().map(ToString::to_string).collect(),
        neighbour_ids: territory_texts(neighbours),
        phone: text_of(phone.as_ref()),
    }
}

/// The territory of a stored form.
pub(super) fn from_territory(message: pb::Territory) -> Result<Territory, DecodeError> {
    let pb::Territory { id, name, commune_codes, neighbour_ids, phone } = message;
    let of = Of { kind: "territory", id: &id };
    let communes = commune_codes.iter().map(|code| of.read("commune_codes", CommuneCode::parse(code)));
    Ok(Territory {
        id: of.read("id", TerritoryId::parse(&id))?.value,
        name: name.into(),
        communes: communes.collect::<Result<_, _>>()?,
        neighbours: of.territories("neighbour_ids", &neighbour_ids)?,
        phone: of.phone("phone", &phone)?,
    })
}

/// The stored form of a place.
pub(super) fn to_place(place: &Place) -> pb::Place {
    let Place {
        id,
        name,
        address,
        postal_code,
        city,
        commune,
        department,
        position,
        zone,
        structure,
        phone,
        needs_met,
        needs_unmet,
    } = place;
    let answers = |needs: &NeedSet, met: bool| {
        let needs: Vec<_> = needs.iter().map(|need| pb::NeedAnswer { need: need.code().to_owned(), met }).collect();
        needs
    };
    pb::Place {
        id: id.to_string(),
        name: name.to_string(),
        address: address.to_string(),
        postal_code: postal_code.to_string(),
        city: city.to_string(),
        commune_code: text_of(commune.as_ref()),
        department: department.code().to_owned(),
        position: position.as_ref().map(to_point),
        time_zone: zone.name().to_owned(),
        structure_id: structure.as_ref().map(|structure| structure.wire()).unwrap_or_default(),
        phone: text_of(phone.as_ref()),
        needs: [answers(needs_met, true), answers(needs_unmet, false)].concat(),
    }
}

/// The place of a stored form.
pub(super) fn from_place(message: pb::Place, interner: &mut Interner) -> Result<Place, DecodeError> {
    let pb::Place {
        id,
        name,
        address,
        postal_code,
        city,
        commune_code,
        department,
        position,
        time_zone,
        structure_id,
        phone,
        needs,
    } = message;
    let of = Of { kind: "place", id: &id };
    let commune = Some(commune_code).filter(|code| !code.is_empty());
    let (mut needs_met, mut needs_unmet) = (NeedSet::EMPTY, NeedSet::EMPTY);
    for pb::NeedAnswer { need, met } in &needs {
        let need = of.code("needs", need, Need::parse(need))?;
        let answered = if *met { &mut needs_met } else { &mut needs_unmet };
        *answered = answered.with(need);
    }
    Ok(Place {
        id: of.read("id", interner.place_id(&id))?,
        name: name.into(),
        address: address.into(),
        postal_code: interner.text(postal_code),
        city: interner.text(city),
        commune: commune.map(|code| of.read("commune_code", CommuneCode::parse(&code))).transpose()?,
        department: of.read("department", Department::parse(&department))?,
        position: position.map(|point| of.point("position", point)).transpose()?,
        zone: of.read("time_zone", time_zone.parse::<Tz>())?,
        structure: of.structure("structure_id", &structure_id)?,
        phone: of.phone("phone", &phone)?,
        needs_met,
        needs_unmet,
    })
}

/// The stored form of a practitioner.
pub(super) fn to_practitioner(practitioner: &Practitioner) -> pb::Practitioner {
    let Practitioner { id, family_name, given_name, profession, specialties, languages, phone } = practitioner;
    pb::Practitioner {
        id: id.wire(),
        family_name: family_name.to_string(),
        given_name: given_name.to_string(),
        profession: profession.map(|profession| profession.code().to_owned()).unwrap_or_default(),
        specialties: specialty_codes(*specialties),
        languages: languages.iter().map(ToString::to_string).collect(),
        phone: text_of(phone.as_ref()),
    }
}

/// The practitioner of a stored form.
pub(super) fn from_practitioner(
    message: pb::Practitioner,
    interner: &mut Interner,
) -> Result<Practitioner, DecodeError> {
    let pb::Practitioner { id, family_name, given_name, profession, specialties, languages, phone } = message;
    let of = Of { kind: "practitioner", id: &id };
    let profession = Some(profession).filter(|code| !code.is_empty());
    let languages = languages.iter().map(|code| of.code("languages", code, Language::parse(code)));
    Ok(Practitioner {
        id: of.read("id", PractitionerId::parse(&id))?.value,
        family_name: family_name.into(),
        given_name: interner.text(given_name),
        profession: profession.map(|code| of.read("profession", Profession::parse(&code))).transpose()?,
        specialties: of.specialties("specialties", &specialties)?,
        languages: languages.collect::<Result<_, _>>()?,
        phone: of.phone("phone", &phone)?,
    })
}

/// The stored form of a schedule.
pub(super) fn to_schedule(schedule: &Schedule) -> pb::Schedule {
    let Schedule {
        id,
        source_id,
        place_id,
        practitioner_id,
        territories,
        specialties,
        limits: PatientLimits { min_age, max_age, sexes },
        home_visit_radius_m,
        no_show_call_back,
        booking_url,
        source_revision,
        received_at,
        first_published_at,
    } = schedule;
    let accepted = Sex::ALL.iter().filter(|sex| sexes & sex_bit(**sex) != 0);
    pb::Schedule {
        id: id.to_string(),
        source_id: source_id.to_string(),
        place_id: place_id.to_string(),
        practitioner_id: practitioner_id.as_ref().map(PractitionerId::wire).unwrap_or_default(),
        territory_ids: territory_texts(territories),
        specialties: specialty_codes(*specialties),
        min_age_days: min_age.map(Age::days),
        max_age_days: max_age.map(Age::days),
        accepted_sexes: accepted.map(|sex| sex.code().to_owned()).collect(),
        home_visit_radius_m: *home_visit_radius_m,
        no_show_call_back: *no_show_call_back,
        booking_url: booking_url.to_string(),
        source_revision: *source_revision,
        received_at_ms: received_at.ms(),
        first_published_at_ms: first_published_at.map(UtcInstant::ms),
    }
}

/// The schedule of a stored form.
pub(super) fn from_schedule(message: pb::Schedule, interner: &mut Interner) -> Result<Schedule, DecodeError> {
    let pb::Schedule {
        id,
        source_id,
        place_id,
        practitioner_id,
        territory_ids,
        specialties,
        min_age_days,
        max_age_days,
        accepted_sexes,
        home_visit_radius_m,
        no_show_call_back,
        booking_url,
        source_revision,
        received_at_ms,
        first_published_at_ms,
    } = message;
    let of = Of { kind: "schedule", id: &id };
    let practitioner = Some(practitioner_id).filter(|text| !text.is_empty());
    let practitioner = practitioner.map(|text| of.read("practitioner_id", PractitionerId::parse(&text)));
    let mut sexes = 0;
    for code in &accepted_sexes {
        sexes |= sex_bit(of.read("accepted_sexes", Sex::parse(code))?);
    }
    Ok(Schedule {
        id: of.read("id", interner.schedule_id(&id))?,
        source_id: of.read("source_id", interner.source_id(&source_id))?,
        place_id: of.read("place_id", interner.place_id(&place_id))?,
        practitioner_id: practitioner.transpose()?.map(|id| id.value),
        territories: of.territories("territory_ids", &territory_ids)?,
        specialties: of.specialties("specialties", &specialties)?,
        limits: PatientLimits {
            min_age: min_age_days.map(Age::from_days),
            max_age: max_age_days.map(Age::from_days),
            sexes,
        },
        home_visit_radius_m,
        no_show_call_back,
        booking_url: interner.text(booking_url),
        source_revision,
        received_at: UtcInstant::from_ms(received_at_ms),
        first_published_at: first_published_at_ms.map(UtcInstant::from_ms),
    })
}
