//! Practitioners.

use std::sync::Arc;

use super::common::{phone_from_proto, phone_to_proto};
use crate::domain::code::{Profession, Specialty, SpecialtySet};
use crate::domain::directory::Practitioner;
use crate::domain::id::PractitionerId;
use crate::domain::patient::Language;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Longest family or given name, in characters.
const PERSON_NAME_MAX_CHARACTERS: usize = 100;
/// Most specialties of a practitioner, a schedule or a slot.
pub(in crate::grpc) const SPECIALTIES_MAX: usize = 20;
/// Most languages of a practitioner.
const LANGUAGES_MAX: usize = 20;

/// Reads a practitioner.
pub(in crate::grpc) fn practitioner_from_proto(
    message: Option<pb::Practitioner>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Practitioner> {
    let Some(message) = message else {
        findings.refuse(path, "missing: give the practitioner");
        return None;
    };
    let pb::Practitioner { practitioner_id, family_name, given_name, profession, specialties, languages, phone } =
        message;
    let id = findings.checked(path.field("practitioner_id"), PractitionerId::parse(&practitioner_id));
    let family_name = findings.text(path.field("family_name"), &family_name, 1, PERSON_NAME_MAX_CHARACTERS);
    let given_name = findings.text(path.field("given_name"), &given_name, 0, PERSON_NAME_MAX_CHARACTERS);
    let profession = findings.optional(path.field("profession"), &profession, Profession::parse);
    let specialties: SpecialtySet =
        findings.codes(path.field("specialties"), &specialties, SPECIALTIES_MAX, Specialty::parse);
    let languages = languages_from_proto(&languages, path.field("languages"), LANGUAGES_MAX, findings);
    let phone = phone_from_proto(&phone, path.field("phone"), findings);
    Some(Practitioner {
        id: id?,
        family_name: Arc::from(family_name?),
        given_name: Arc::from(given_name?),
        profession: profession.or_else(|| specialties.iter().next().map(Specialty::profession)),
        specialties,
        languages,
        phone,
    })
}

/// Reads languages by their ISO 639-1 codes.
pub(in crate::grpc) fn languages_from_proto(
    texts: &[String],
    path: Path<'_>,
    max: usize,
    findings: &mut Findings,
) -> Vec<Language> {
    if !findings.within(path, texts.len(), max) {
        return Vec::new();
    }
    let mut languages = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match Language::parse(text) {
            Some(language) if languages.contains(&language) => {}
            Some(language) => languages.push(language),
            None => {
                findings.refuse(path.index(index), "no language: give the two letters of ISO 639-1, for instance fr")
            }
        }
    }
    languages
}

/// Writes a practitioner.
pub(in crate::grpc) fn practitioner_to_proto(practitioner: &Practitioner) -> pb::Practitioner {
    let Practitioner { id, family_name, given_name, profession, specialties, languages, phone } = practitioner;
    pb::Practitioner {
        practitioner_id: id.wire(),
        family_name: family_name.to_string(),
        given_name: given_name.to_string(),
        profession: profession.map(|profession| profession.code().to_owned()).unwrap_or_default(),
        specialties: specialties_to_proto(*specialties),
        languages: languages.iter().map(ToString::to_string).collect(),
        phone: phone_to_proto(*phone),
    }
}

/// Writes specialties.
pub(in crate::grpc) fn specialties_to_proto(specialties: SpecialtySet) -> Vec<String> {
    specialties.iter().map(|specialty| specialty.code().to_owned()).collect()
}
