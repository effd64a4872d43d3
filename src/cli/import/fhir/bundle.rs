//! The resources of a Bundle, and where a reference leads.
//!
//! Invariant: `fullUrl` is compared as text and never taken apart as an address, because published examples hold
//! `https://<base_URl>/…`, which is none.

use std::collections::HashMap;

use serde_json::Value;

use super::element::text;
use crate::cli::import::Origin;

/// A resource and its entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource<'a> {
    /// Place of the entry in the Bundle.
    pub(super) index: usize,
    /// `resourceType`.
    pub(super) kind: &'a str,
    /// `id`, else the end of `fullUrl`; blank when neither is given.
    pub(super) id: &'a str,
    /// The resource.
    pub(super) value: &'a Value,
}

impl Resource<'_> {
    /// Where it stands.
    pub(super) fn origin(&self) -> Origin {
        Origin::Entry { index: self.index, resource: format!("{}/{}", self.kind, self.id) }
    }
}

/// Finds resources by reference.
#[derive(Debug)]
pub(super) struct BundleIndex<'a> {
    resources: Vec<Resource<'a>>,
    by_reference: HashMap<String, usize>,
    by_url: HashMap<&'a str, usize>,
    strays: Vec<(usize, String, String)>,
}

impl<'a> BundleIndex<'a> {
    /// Looks through the entries; of two resources with the same type and id the first stands.
    pub(super) fn new(entries: &'a [Value]) -> Self {
        let mut index =
            Self { resources: Vec::new(), by_reference: HashMap::new(), by_url: HashMap::new(), strays: Vec::new() };
        for (place, entry) in entries.iter().enumerate() {
            index.add(place, entry);
        }
        index
    }

    fn add(&mut self, place: usize, entry: &'a Value) {
        let full_url = text(entry, "fullUrl");
        let resource = entry.get("resource").map(|value| (value, text(value, "resourceType")));
        let Some((value, kind)) = resource.filter(|(_, kind)| !kind.is_empty()) else {
            let message = "the entry holds no resource; it is ignored";
            self.strays.push((place, "?".to_owned(), message.to_owned()));
            return;
        };
        let stated = text(value, "id");
        let id = if stated.is_empty() { last_segment(full_url) } else { stated };
        let resource = Resource { index: place, kind, id, value };
        let at = self.resources.len();
        if !id.is_empty() {
            let reference = format!("{kind}/{id}");
            if let Some(first) = self.by_reference.get(&reference).and_then(|at| self.resources.get(*at)) {
                if first.value != value {
                    let message =
                        format!("{reference} stands with other content in entry {}; that one stands", first.index);
                    self.strays.push((place, reference, message));
                }
                return;
            }
            self.by_reference.insert(reference, at);
        }
        if !full_url.is_empty() {
            self.by_url.entry(full_url).or_insert(at);
        }
        self.resources.push(resource);
    }

    /// Every resource, in order of entry.
    pub(super) fn resources(&self) -> &[Resource<'a>] {
        &self.resources
    }

    /// Entries that are not used: place, resource, why.
    pub(super) fn strays(&self) -> &[(usize, String, String)] {
        &self.strays
    }

    /// The resource to which a reference leads: by `fullUrl`, else by its last two segments, without version.
    pub(super) fn resolve(&self, reference: &str) -> Option<Resource<'a>> {
        if reference.is_empty() || reference.starts_with('#') {
            return None;
        }
        let unversioned = reference.split("/_history/").next().unwrap_or(reference);
        let by_url = self.by_url.get(unversioned);
        let at = by_url.or_else(|| {
            let mut segments = unversioned.rsplit('/');
            let (id, kind) = (segments.next()?, segments.next()?);
            self.by_reference.get(&format!("{kind}/{id}"))
        });
        at.and_then(|at| self.resources.get(*at)).copied()
    }

    /// The same, when the resource has the wanted type.
    pub(super) fn resolve_kind(&self, reference: &str, kind: &str) -> Option<Resource<'a>> {
        self.resolve(reference).filter(|resource| resource.kind == kind)
    }
}

fn last_segment(url: &str) -> &str {
    url.rsplit(['/', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_by_url_by_type_and_id_and_without_version() {
        let entries = serde_json::json!([
            {"fullUrl": "https://<base_URl>/Place/7", "resource": {"resourceType": "Location", "id": "7"}},
            {"fullUrl": "urn:uuid:1b4e28ba", "resource": {"resourceType": "Practitioner"}},
            {"resource": {"resourceType": "Practitioner", "id": "7"}},
            {"search": {}},
            {"resource": {"resourceType": "Practitioner", "id": "7", "active": false}},
        ]);
        let entries = entries.as_array().unwrap();
        let index = BundleIndex::new(entries);
        let found = |reference| index.resolve(reference).map(|resource| resource.index);
        let table = [
            ("Location/7", Some(0)),
            ("https://<base_URl>/Place/7", Some(0)),
            ("https://other.example/fhir/Location/7/_history/3", Some(0)),
            ("urn:uuid:1b4e28ba", Some(1)),
            ("Practitioner/7", Some(2)),
            ("#7", None),
            ("7", None),
            ("", None),
            ("Location/8", None),
        ];
        for (reference, expected) in table {
            assert_eq!(found(reference), expected, "{reference}");
        }
        assert_eq!(index.strays().iter().map(|stray| stray.0).collect::<Vec<_>>(), [3, 4]);
    }
}
