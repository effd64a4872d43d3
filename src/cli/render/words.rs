//! French labels of the protocol's codes; the code itself always stands beside them.
//!
//! Invariant: a number that this version does not know is shown as a number.

use crate::domain::code::{AppointmentType, Modality};
use crate::domain::department::Department;
use crate::domain::patient::Need;
use crate::proto::routing as pb;

/// A value's code, without the prefix that its enum requires, and its French label.
pub type Word = (String, &'static str);

/// Defines the words of a protocol enum: `Variant => "label";`.
macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident, $enum:ident, $prefix:literal { $($variant:ident => $label:literal;)+ })+) => {$(
        $(#[$doc])+
        #[must_use]
        pub fn $name(value: i32) -> Word {
            let Ok(known) = pb::$enum::try_from(value) else { return (format!("#{value}"), "inconnu de cette version") };
            let label = match known {
                $(pb::$enum::$variant => $label,)+
            };
            (known.as_str_name().trim_start_matches($prefix).to_owned(), label)
        }
    )+};
}

words! {
    /// What to do.
    outcome, CareOutcome, "CARE_OUTCOME_" {
        Unspecified => "non précisée";
        EmergencyDispatch => "Envoi immédiat d'un moyen d'urgence (SMUR ou ambulance)";
        EmergencyDepartment => "Service d'urgences";
        Appointment => "Consultation au cabinet, avec rendez-vous";
        WalkIn => "Consultation sans rendez-vous";
        Teleconsultation => "Téléconsultation";
        HomeVisit => "Visite à domicile";
        MedicalAdvice => "Conseil médical";
        NoSlotInTime => "Aucun créneau dans le délai";
    }
    /// In what two answers differ.
    answer_change, AnswerChange, "ANSWER_CHANGE_" {
        Unspecified => "non précisé";
        Outcome => "décision";
        FirstOption => "premier choix";
        Options => "choix proposés";
        Order => "ordre des mêmes choix";
        EmergencySites => "sites d'urgence";
        Rules => "règles appliquées";
    }
    /// A rule of matching.
    rule, Rule, "RULE_" {
        Unspecified => "non précisée";
        Visibility => "réservé à d'autres";
        Specialty => "autre spécialité";
        Modality => "autre modalité";
        AppointmentType => "autre type de rendez-vous";
        Age => "âge non reçu";
        Sex => "sexe non reçu";
        Need => "besoin non couvert";
        Language => "langue non parlée";
        Radius => "trop loin";
        Arrival => "arrivée trop tardive";
        Delay => "hors délai";
        Capacity => "complet";
        Suitability => "modalité non adaptée";
        Territory => "hors territoire";
        Silence => "éditeur silencieux";
        Excluded => "écarté pour ce dossier";
        Quarantine => "en quarantaine";
    }
    /// Why an option is no longer one.
    gone_reason, GoneReason, "GONE_REASON_" {
        Unspecified => "non précisée";
        Taken => "pris";
        Withdrawn => "retiré";
        Closed => "fermé";
        TooLate => "trop tard";
        BeyondDelay => "hors délai";
        Outranked => "dépassé";
        Changed => "modifié";
        Excluded => "refusé";
        Silent => "éditeur silencieux";
        Quarantined => "en quarantaine";
    }
    /// Whether something is free.
    availability, Availability, "AVAILABILITY_" {
        Unspecified => "non recherchée";
        Free => "des créneaux sont libres";
        None => "aucun créneau libre";
        Unknown => "inconnue, des éditeurs sont silencieux";
    }
    /// Where a radius came from.
    radius_source, RadiusSource, "RADIUS_SOURCE_" {
        Unspecified => "aucune recherche";
        Query => "demandé";
        Department => "table nationale";
        EstimatedDepartment => "table nationale, département estimé";
        Default => "valeur par défaut";
    }
    /// How an option's territory stands to the patient's.
    territory_preference, TerritoryPreference, "TERRITORY_PREFERENCE_" {
        Unspecified => "";
        Own => "CPTS du patient";
        Neighbour => "CPTS voisine";
        Other => "hors CPTS";
    }
    /// What is unknown.
    unknown_kind, UnknownKind, "UNKNOWN_KIND_" {
        Unspecified => "non précisé";
        Need => "besoin";
        Language => "langues parlées";
        Specialty => "spécialité";
        Age => "âge du patient";
        Sex => "sexe du patient";
        Capability => "équipement";
    }
    /// A sort of patient or trouble for which an emergency site is equipped or not.
    capability, EmergencyCapability, "EMERGENCY_CAPABILITY_" {
        Unspecified => "non précisé";
        Adult => "adultes";
        Paediatric => "enfants";
        Obstetric => "obstétrique";
        Psychiatric => "psychiatrie";
    }
    /// Where a claim stands.
    claim_state, ClaimState, "CLAIM_STATE_" {
        Unspecified => "non précisé";
        Held => "pré-réservé";
        Booked => "confirmé";
        ToReplace => "à replacer";
        Released => "rendu";
        Expired => "expiré";
        Cancelled => "annulé";
        Quarantined => "en quarantaine";
    }
    /// Why an offer came to nothing.
    refusal_reason, RefusalReason, "REFUSAL_REASON_" {
        Unspecified => "non précisé";
        CouldNotContact => "injoignable";
        Declined => "a refusé";
        NoAppointment => "pas de rendez-vous en réalité";
        TooFar => "trop loin";
        Transport => "pas de moyen de transport";
        NotAppropriate => "inadapté";
        PatientChoice => "choix du patient";
    }
    /// Part that a person plays in regulation.
    regulator_role, RegulatorRole, "REGULATOR_ROLE_" {
        Unspecified => "non précisé";
        CallTaker => "ARM";
        CareOperator => "opérateur de soins non programmés";
        Physician => "médecin";
    }
    /// What became of a booking.
    attendance, Attendance, "ATTENDANCE_" {
        Unspecified => "non précisé";
        Seen => "vu";
        Late => "venu en retard";
        NoShow => "pas venu";
    }
    /// What became of a slot.
    slot_verdict, SlotVerdict, "SLOT_VERDICT_" {
        Unspecified => "non précisé";
        Option => "proposé";
        BehindOwn => "après un autre de l'agenda";
        Excluded => "écarté";
        NotSearched => "non cherché";
        Unresolved => "agenda incomplet";
    }
    /// Whether a slot can be claimed.
    slot_state, SlotState, "SLOT_STATE_" {
        Unspecified => "non précisé";
        Open => "ouvert";
        Withdrawn => "retiré";
        Closed => "fermé, patients gardés";
    }
}

/// A count with its noun: in French nothing and one are singular.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count < 2 { one } else { many })
}

/// A word as `label (CODE)`.
#[must_use]
pub fn labelled((code, label): Word) -> String {
    if label.is_empty() { code } else { format!("{label} ({code})") }
}

/// A modality as `cabinet (AMB)`.
#[must_use]
pub fn modality(code: &str) -> String {
    Modality::parse(code).map_or_else(|_| code.to_owned(), |known| format!("{} ({code})", known.label().to_lowercase()))
}

/// An appointment type as `avec RDV (ROUTINE)`.
#[must_use]
pub fn appointment_type(code: &str) -> String {
    match AppointmentType::parse(code) {
        Ok(AppointmentType::Routine) => format!("avec RDV ({code})"),
        Ok(AppointmentType::Walkin) => format!("sans RDV ({code})"),
        Err(_) => code.to_owned(),
    }
}

/// Kind of an emergency site.
#[must_use]
pub fn emergency_kind(code: &str) -> String {
    let label = match code {
        "DEPARTMENT" => "urgences",
        "SMUR" => "base de SMUR",
        "PAEDIATRIC" => "urgences pédiatriques",
        _ => return code.to_owned(),
    };
    format!("{label} ({code})")
}

/// Access to an emergency site.
#[must_use]
pub fn emergency_access(code: &str) -> String {
    let label = match code {
        "OPEN" => "ouvert",
        "REGULATED" => "accès régulé",
        "CLOSED" => "fermé",
        _ => return code.to_owned(),
    };
    format!("{label} ({code})")
}

/// A need, from the protocol's number.
#[must_use]
pub fn need(value: i32) -> String {
    let name = pb::Need::try_from(value).map_or("", |known| known.as_str_name());
    let known = Need::parse(name.trim_start_matches("NEED_"));
    known.map_or_else(|| format!("besoin #{value}"), |need| need.label().to_owned())
}

/// A department as `69 Rhône`.
#[must_use]
pub fn department(code: &str) -> String {
    Department::parse(code).map_or_else(|_| code.to_owned(), |known| format!("{code} {}", known.name()))
}

/// What is unknown, by its name where it has one.
#[must_use]
pub fn unknown(unknown: &pb::Unknown) -> String {
    match pb::UnknownKind::try_from(unknown.kind) {
        Ok(pb::UnknownKind::Need) => need(unknown.need),
        Ok(pb::UnknownKind::Capability) => capability(unknown.capability).1.to_owned(),
        Ok(
            pb::UnknownKind::Unspecified
            | pb::UnknownKind::Language
            | pb::UnknownKind::Specialty
            | pb::UnknownKind::Age
            | pb::UnknownKind::Sex,
        )
        | Err(_) => unknown_kind(unknown.kind).1.to_owned(),
    }
}

/// The word for a confidence.
#[must_use]
pub const fn confidence(confidence: pb::Confidence) -> &'static str {
    match confidence {
        pb::Confidence::Unspecified | pb::Confidence::Certain => "certaine",
        pb::Confidence::Uncertain => "INCERTAINE",
        pb::Confidence::Hidden => "MASQUÉE",
    }
}

/// How many were left out for being alike.
#[must_use]
pub fn alike(likeness: pb::Likeness, count: u32) -> String {
    match likeness {
        pb::Likeness::Unspecified => format!("{count} semblables à d'autres options"),
        pb::Likeness::Place => format!("{count} au même lieu que d'autres options"),
        pb::Likeness::Practitioner => format!("{count} du même professionnel que d'autres options"),
    }
}
