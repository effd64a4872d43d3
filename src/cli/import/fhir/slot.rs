//! A Slot: when, how, for whom, and which territories offer it.

use chrono::NaiveDateTime;
use serde_json::Value;

use super::Reader;
use super::bundle::Resource;
use super::element::{codings, codings_of, is_list, items, reference, text};
use crate::cli::import::finding::{Findings, Severity};
use crate::cli::import::plan::{SlotDraft, SlotNaming};
use crate::cli::import::reading::{self, SPECIALTIES_MAX, TEXT_MAX, WINDOW_MAX_MS};
use crate::cli::import::{Reason, identity};
use crate::domain::code::{AppointmentType, Modality, Specialty, Visibility};
use crate::domain::time::{CivilInstant, UtcInstant, Window, from_civil};
use crate::proto::routing as pb;

/// Most motives of a slot.
const MOTIVES_MAX: usize = 10;
/// Most territories of a slot.
const TERRITORIES_MAX: usize = 10;
/// Codes of `v3-ActCode` that say how care is given.
const MODALITY_SYSTEM_END: &str = "v3-ActCode";

impl<'a> Reader<'a> {
    /// Reads a slot and states it when nothing refuses it.
    pub(super) fn read_slot(&mut self, slot: &Resource<'a>) {
        let mut findings = Findings::at(slot.origin());
        let status = text(slot.value, "status");
        if status != "free" && !status.is_empty() {
            let shown: String = status.chars().take(40).collect();
            let message = format!("the slot is `{shown}`, not `free`");
            findings.add(Severity::Skipped, "Slot.status", Reason::NotFree, message);
        } else if let Some(draft) = self.slot_draft(slot, &mut findings) {
            self.builder.state_slot(&mut findings, draft);
        }
        self.builder.report(findings.into_reports("1 slot"));
    }

    fn slot_draft(&mut self, slot: &Resource<'a>, findings: &mut Findings) -> Option<SlotDraft> {
        let value = slot.value;
        if text(value, "status").is_empty() {
            findings.refuse("Slot.status", Reason::MissingValue, "no status: only a slot that says `free` is offered");
        }
        let schedule = self.schedule_of_slot(value, findings);
        let window = window(value, findings);
        let modalities = modalities(value, findings);
        let visibilities = visibilities(value, findings);
        let appointment_type = appointment_type(value, findings);
        let specialties = specialties(value, findings);
        let motives = motives(value, findings);
        let booking_url = reading::booking_url(findings, "Slot.comment", text(value, "comment"));
        let territory_ids = self.territories_of(value, findings);
        if territory_ids.len() > TERRITORIES_MAX {
            let message = format!("more than {TERRITORIES_MAX} territories");
            findings.refuse("Slot.serviceType", Reason::TooMany, message);
        }
        if territory_ids.is_empty() && visibilities == [Visibility::Cpts.code()] {
            let message = "visible to its CPTS only, and names none that can be used: nobody could see it";
            findings.refuse("Slot.serviceType", Reason::MissingValue, message);
        }
        let schedule = schedule?;
        let naming = if slot.id.is_empty() {
            SlotNaming::Derived
        } else {
            SlotNaming::Given(identity::prefixed(self.options.id_prefix.as_deref(), slot.id))
        };
        let input = pb::SlotInput {
            schedule_id: schedule.schedule_id,
            modalities,
            appointment_type: appointment_type?.code().to_owned(),
            visibilities,
            capacity: Some(1),
            specialties,
            territory_ids,
            motives,
            booking_url,
            ..pb::SlotInput::default()
        };
        let window = window?;
        (!findings.is_refused()).then_some(SlotDraft { input, window, zone: schedule.zone, naming })
    }

    fn schedule_of_slot(&mut self, slot: &'a Value, findings: &mut Findings) -> Option<super::schedule::ScheduleFacts> {
        let target = reference(slot, "schedule");
        let Some(schedule) = self.index.resolve_kind(target, "Schedule") else {
            let message = if target.is_empty() {
                "no schedule: give the reference".to_owned()
            } else {
                format!("`{target}` leads to no Schedule in the Bundle: include it")
            };
            findings.refuse("Slot.schedule", Reason::UnresolvedReference, message);
            return None;
        };
        let facts = self.schedule_of(&schedule);
        if facts.is_none() {
            let message = format!("`{target}` was refused, see entry {}", schedule.index);
            findings.refuse("Slot.schedule", Reason::UnresolvedReference, message);
        }
        facts
    }
}

fn window(slot: &Value, findings: &mut Findings) -> Option<Window> {
    let start_at = instant(slot, "start", findings);
    let end_at = instant(slot, "end", findings);
    let window = Window::new(start_at?, end_at?)
        .inspect_err(|error| findings.refuse("Slot.end", Reason::InvalidValue, error))
        .ok()?;
    if window.length_ms() > WINDOW_MAX_MS {
        findings.refuse("Slot.end", Reason::TooLong, "a slot lasts at most 24 hours: cut it");
        return None;
    }
    Some(window)
}

/// An instant, with any precision of seconds; without offset it is the time of Paris, as national software means it.
fn instant(slot: &Value, key: &str, findings: &mut Findings) -> Option<UtcInstant> {
    let field = format!("Slot.{key}");
    let given = text(slot, key);
    if let Some(at) = UtcInstant::parse_rfc3339(given) {
        return Some(at);
    }
    let civil = NaiveDateTime::parse_from_str(given, "%Y-%m-%dT%H:%M:%S%.f").ok();
    let named = civil.map(|civil| from_civil(chrono_tz::Europe::Paris, civil));
    let Some((named, at)) = named.and_then(|named| Some((named, UtcInstant::parse_ms(named.chosen().ms())?))) else {
        let message = "no instant of the years 2000 to 2199: give date, time and offset, for instance 2026-01-05T08:30:00.000+01:00";
        findings.refuse(&field, if given.is_empty() { Reason::MissingValue } else { Reason::InvalidValue }, message);
        return None;
    };
    findings.warn(&field, Reason::AssumedZone, "no offset is given: Europe/Paris is taken");
    match named {
        CivilInstant::Exact(_) => {}
        CivilInstant::Gap(_) => {
            findings.warn(&field, Reason::ClockGap, "the clocks jump over it; the moment after is taken")
        }
        CivilInstant::Overlap(_, _) => {
            findings.warn(&field, Reason::ClockOverlap, "it exists twice; the first is taken")
        }
    }
    Some(at)
}

fn modalities(slot: &Value, findings: &mut Findings) -> Vec<String> {
    let mut modalities: Vec<String> = Vec::new();
    for (system, code) in codings(slot, "serviceType").filter(|(system, _)| system.ends_with(MODALITY_SYSTEM_END)) {
        match Modality::parse(code) {
            Ok(modality) if modalities.iter().any(|known| known == modality.code()) => {}
            Ok(modality) => modalities.push(modality.code().to_owned()),
            Err(unknown) => {
                findings.warn("Slot.serviceType", Reason::UnknownCode, format!("{unknown} ({system}); it is ignored"))
            }
        }
    }
    if modalities.is_empty() {
        let message = "no code AMB, VR or HH of v3-ActCode: say how care is given";
        findings.refuse("Slot.serviceType", Reason::MissingValue, message);
    }
    modalities
}

/// What the slot says, and nothing added: a slot that opens itself to nobody is not offered.
fn visibilities(slot: &Value, findings: &mut Findings) -> Vec<String> {
    let labels = slot.get("meta").map_or(&[][..], |meta| items(meta, "security"));
    let mut visibilities: Vec<String> = Vec::new();
    for label in labels.iter().filter(|label| is_list(text(label, "system"), "TRE_R314")) {
        match Visibility::parse(text(label, "code")) {
            Ok(visibility) if visibilities.iter().any(|known| known == visibility.code()) => {}
            Ok(visibility) => visibilities.push(visibility.code().to_owned()),
            Err(unknown) => {
                findings.warn("Slot.meta.security", Reason::UnknownCode, format!("{unknown}; it is ignored"))
            }
        }
    }
    if visibilities.is_empty() {
        let message = "no code PUBLIC, PRO, SNP or CPTS of TRE_R314: say who may see the slot";
        findings.refuse("Slot.meta.security", Reason::MissingValue, message);
    }
    visibilities
}

fn appointment_type(slot: &Value, findings: &mut Findings) -> Option<AppointmentType> {
    let code = slot.get("appointmentType").and_then(|concept| codings_of(concept).map(|(_, code)| code).next());
    match code {
        None | Some("") => Some(AppointmentType::Routine),
        Some(code) => reading::code(findings, "Slot.appointmentType", AppointmentType::parse(code)),
    }
}

/// Known specialties; a slot whose only specialties are unknown codes is refused, because it would pass for anything.
fn specialties(slot: &Value, findings: &mut Findings) -> Vec<String> {
    let mut specialties: Vec<String> = Vec::new();
    let mut unknown_codes = Vec::new();
    for concept in items(slot, "specialty") {
        let mut is_coded = false;
        for (_, code) in codings_of(concept).filter(|(system, _)| system.is_empty() || is_list(system, "TRE_R38")) {
            is_coded = true;
            match Specialty::parse(code) {
                Ok(specialty) => add(&mut specialties, specialty),
                Err(unknown) => unknown_codes.push(unknown),
            }
        }
        if !is_coded {
            free_text_specialty(text(concept, "text"), &mut specialties, findings);
        }
    }
    for unknown in unknown_codes {
        if specialties.is_empty() {
            findings.refuse("Slot.specialty", Reason::UnknownCode, unknown);
        } else {
            findings.warn("Slot.specialty", Reason::UnknownCode, format!("{unknown}; it is ignored"));
        }
    }
    if specialties.len() > SPECIALTIES_MAX {
        findings.warn("Slot.specialty", Reason::TooMany, format!("more than {SPECIALTIES_MAX}; the rest is left out"));
        specialties.truncate(SPECIALTIES_MAX);
    }
    specialties
}

fn free_text_specialty(label: &str, specialties: &mut Vec<String>, findings: &mut Findings) {
    let shown: String = label.chars().take(60).collect();
    let message = if let Some(specialty) = reading::specialty_of_label(label) {
        add(specialties, specialty);
        format!("`{shown}` is read as {}: give the code", specialty.code())
    } else {
        format!("`{shown}` is no published specialty and is left out: give a code of TRE_R38")
    };
    findings.warn("Slot.specialty.text", Reason::FreeText, message);
}

fn add(specialties: &mut Vec<String>, specialty: Specialty) {
    if !specialties.iter().any(|known| known == specialty.code()) {
        specialties.push(specialty.code().to_owned());
    }
}

fn motives(slot: &Value, findings: &mut Findings) -> Vec<String> {
    let mut motives = Vec::new();
    for motive in items(slot, "serviceType").iter().map(|concept| text(concept, "text")).filter(|text| !text.is_empty())
    {
        if motives.len() == MOTIVES_MAX {
            let message = format!("more than {MOTIVES_MAX} motives; the rest is left out");
            findings.warn("Slot.serviceType.text", Reason::TooMany, message);
            break;
        }
        motives.push(reading::short_text(findings, "Slot.serviceType.text", motive, TEXT_MAX));
    }
    motives
}
