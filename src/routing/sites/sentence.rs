//! Whether and how an emergency site takes the patient, in French.

use std::fmt::{self, Write as _};

use crate::domain::answer::{SiteDistance, Unknown};
use crate::domain::emergency::{EmergencyAccess, EmergencySiteKind};
use crate::domain::time::UtcInstant;
use crate::routing::clocks::Clocks;
use crate::routing::wording::{Minutes, Until};

/// About the length of a sentence, in bytes.
const SENTENCE_BYTES: usize = 120;
/// An opening that lasts longer is not worth saying until when, in minutes.
const SAID_WITHIN_MINUTES: u32 = 24 * 60;

/// One site: open, regulated, closed or saturated, until when, and what to ask there first.
pub(super) fn site_sentence(seen: &SiteDistance, clocks: Clocks) -> String {
    let mut sentence = String::with_capacity(SENTENCE_BYTES);
    // Writing to a String cannot fail.
    let _ = write_site(&mut sentence, seen, clocks);
    sentence
}

fn write_site(sentence: &mut String, seen: &SiteDistance, clocks: Clocks) -> fmt::Result {
    let until = |at: UtcInstant| Until { zone: seen.site.zone, clocks, at };
    if let Some(at) = seen.saturated_until.filter(|_| seen.takes_patients()) {
        write!(sentence, "Saturé {} ; ", until(at))?;
    }
    match seen.access {
        EmergencyAccess::Open => sentence.push_str("ouvert à l'arrivée"),
        EmergencyAccess::Regulated => sentence.push_str("accès régulé à l'arrivée"),
        EmergencyAccess::Closed => sentence.push_str("fermé à l'arrivée"),
    }
    match seen.access_changes_at {
        Some(at) if seen.access == EmergencyAccess::Closed => write!(sentence, ", {}", until(at))?,
        Some(at) if at.minutes_since(clocks.now()) <= SAID_WITHIN_MINUTES => write!(sentence, ", {}", until(at))?,
        Some(_) | None => {}
    }
    sentence.push_str(match seen.access {
        EmergencyAccess::Open => "",
        EmergencyAccess::Regulated => " : annoncer d'abord le patient par le 15",
        EmergencyAccess::Closed => " : ne pas y adresser",
    });
    let mut before = " ; à vérifier : ";
    for unknown in &seen.unknowns {
        let what = match unknown {
            Unknown::Capability(capability) => capability.label(),
            Unknown::Age => "âge du patient, que le site limite",
            Unknown::Need(_) | Unknown::Language | Unknown::Specialty | Unknown::Sex => continue,
        };
        write!(sentence, "{before}{what}")?;
        before = ", ";
    }
    sentence.push('.');
    capitalise(sentence);
    Ok(())
}

/// The sites of an answer that sends to one of them: the first that takes the patient, or that none does; empty when none
/// is known.
#[must_use]
pub fn sites_sentence(sites: &[SiteDistance]) -> String {
    let departments = || sites.iter().filter(|seen| seen.site.kind != EmergencySiteKind::Smur);
    match departments().find(|seen| seen.takes_patients()) {
        Some(first) => {
            let how = match (first.saturated_until, first.access) {
                (Some(_), _) => "saturé comme tous ceux qui reçoivent",
                (None, EmergencyAccess::Regulated) => "en accès régulé, à annoncer par le 15",
                (None, EmergencyAccess::Open | EmergencyAccess::Closed) => "ouvert",
            };
            let travel = Minutes(first.travel_minutes);
            format!("Le plus proche : {}, {how}, à {travel} de trajet.", first.site.name)
        }
        None if departments().next().is_some() => {
            "Aucun des services connus alentour ne reçoit à l'arrivée.".to_owned()
        }
        None => String::new(),
    }
}

fn capitalise(sentence: &mut str) {
    if let Some(first) = sentence.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
}
