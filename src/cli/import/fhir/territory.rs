//! The territories (CPTS) of a slot: service type 604, its service, the organization that provides it.

use std::collections::HashMap;

use serde_json::Value;

use super::Reader;
use super::bundle::Resource;
use super::element::{self, STRUCTURE_SYSTEM, codings_of, identifier, is_list, items, reference, text};
use crate::cli::import::Reason;
use crate::cli::import::finding::Findings;
use crate::cli::import::reading::{self, TEXT_MAX};
use crate::proto::routing as pb;

/// Category of a CPTS in the list `TRE_R66`.
const CPTS_CATEGORY: &str = "604";
/// The R5 element that R4 slots carry as an extension.
const SERVICE_TYPE_EXTENSION: &str = "extension-Slot.serviceType";

/// Identifiers of the territories read so far, by entry of their organization; `None` for those that cannot be used.
pub(super) type Known = HashMap<usize, Option<String>>;

impl<'a> Reader<'a> {
    /// Identifiers of the territories that offer a slot, in order of mention.
    pub(super) fn territories_of(&mut self, slot: &'a Value, findings: &mut Findings) -> Vec<String> {
        let mut territories: Vec<String> = Vec::new();
        for (place, concept) in items(slot, "serviceType").iter().enumerate() {
            let field = format!("Slot.serviceType[{place}]");
            let is_cpts = codings_of(concept).any(|(system, code)| code == CPTS_CATEGORY && is_list(system, "TRE_R66"));
            let services: Vec<&str> = service_references(concept).collect();
            if is_cpts && services.is_empty() {
                let message = "code 604 without the reference to its HealthcareService; no territory is read from it";
                findings.warn(&field, Reason::UnresolvedReference, message);
            }
            // Other categories of structures (603, 124) reference services too, but are no territory.
            let other_category =
                codings_of(concept).any(|(system, code)| code != CPTS_CATEGORY && is_list(system, "TRE_R66"));
            for service in services.into_iter().filter(|_| is_cpts || !other_category) {
                let Some(organization) = self.organization_of(service) else {
                    let message =
                        format!("`{service}` leads to no HealthcareService with an Organization in the Bundle");
                    findings.warn(&field, Reason::UnresolvedReference, message);
                    continue;
                };
                match self.territory(organization) {
                    Some(id) if !territories.contains(&id) => territories.push(id),
                    Some(_) => {}
                    None => {
                        let message =
                            format!("the CPTS of `{service}` cannot be used, see entry {}", organization.index);
                        findings.warn(&field, Reason::UnresolvedReference, message);
                    }
                }
            }
        }
        territories
    }

    fn organization_of(&self, service: &str) -> Option<Resource<'a>> {
        let service = self.index.resolve_kind(service, "HealthcareService")?;
        self.index.resolve_kind(reference(service.value, "providedBy"), "Organization")
    }

    /// Reads a CPTS once; its identifier.
    fn territory(&mut self, organization: Resource<'a>) -> Option<String> {
        if let Some(known) = self.territories.get(&organization.index) {
            return known.clone();
        }
        let mut findings = Findings::at(organization.origin());
        let number = identifier(items(organization.value, "identifier"), STRUCTURE_SYSTEM, "IDNST");
        let id = reading::territory_id(&mut findings, "Organization.identifier", number).map(|id| id.wire());
        if let Some(id) = &id {
            let name =
                reading::short_text(&mut findings, "Organization.name", text(organization.value, "name"), TEXT_MAX);
            let phone = reading::phone(&mut findings, "Organization.telecom", element::phone(organization.value));
            let territory = pb::Territory { territory_id: id.clone(), name, phone, ..pb::Territory::default() };
            self.builder.state_territory(&mut findings, territory);
        }
        self.builder.report(findings.into_faults());
        self.territories.insert(organization.index, id.clone());
        id
    }
}

fn service_references(concept: &Value) -> impl Iterator<Item = &str> {
    let extensions = items(concept, "extension").iter();
    let of_service = extensions.filter(|extension| text(extension, "url").ends_with(SERVICE_TYPE_EXTENSION));
    of_service.map(|extension| reference(extension, "valueReference")).filter(|reference| !reference.is_empty())
}
