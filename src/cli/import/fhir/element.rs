//! Small readers of FHIR elements: absent, empty and wrongly typed elements read as blank.

use serde_json::Value;

/// System of national identifiers of professionals.
pub(super) const PRACTITIONER_SYSTEM: &str = "urn:oid:1.2.250.1.71.4.2.1";
/// System of national identifiers of structures.
pub(super) const STRUCTURE_SYSTEM: &str = "urn:oid:1.2.250.1.71.4.2.2";

/// The text of an element, trimmed.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).map_or("", str::trim)
}

/// The elements of a repeated element.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The reference in a Reference element.
pub(super) fn reference<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).map_or("", |reference| text(reference, "reference"))
}

/// System and code of every coding of a repeated `CodeableConcept`.
pub(super) fn codings<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    items(value, key).iter().flat_map(codings_of)
}

/// System and code of every coding of one `CodeableConcept`.
pub(super) fn codings_of(concept: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(concept, "coding").iter().map(|coding| (text(coding, "system"), text(coding, "code")))
}

/// The value of the identifier that fits best: by national system, then by type code, then the first with a value.
///
/// Systems of `type` are never compared: guide and examples give three for the same code.
pub(super) fn identifier<'a>(identifiers: &'a [Value], system: &str, type_code: &str) -> &'a str {
    let with_value = || identifiers.iter().filter(|identifier| !text(identifier, "value").is_empty());
    let by_system = with_value().find(|identifier| text(identifier, "system") == system);
    let by_type = || {
        with_value().find(|identifier| {
            identifier.get("type").is_some_and(|kind| codings_of(kind).any(|(_, code)| code == type_code))
        })
    };
    let found = by_system.or_else(by_type).or_else(|| with_value().next());
    found.map_or("", |identifier| text(identifier, "value"))
}

/// The first phone among the contact points.
pub(super) fn phone(value: &Value) -> &str {
    let mut points = items(value, "telecom").iter();
    points.find(|point| text(point, "system") == "phone").map_or("", |point| text(point, "value"))
}

/// Whether a coding's system is one of the spellings of a national list: they share the list's name (`TRE_R66`).
pub(super) fn is_list(system: &str, list: &str) -> bool {
    let system = system.to_ascii_uppercase().replace('-', "_");
    let of_list = system.split('/').any(|part| part == list || part.starts_with(&format!("{list}_")));
    // The object identifier is how older software names the list.
    of_list || (list == "TRE_R38" && system.ends_with("1.2.250.1.213.2.28"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_is_chosen_by_system_then_type_then_order() {
        let identifiers = serde_json::json!([
            {"value": "first"},
            {"type": {"coding": [{"system": "any", "code": "IDNST"}]}, "value": "typed"},
            {"system": STRUCTURE_SYSTEM, "value": "national"},
        ]);
        let all = identifiers.as_array().unwrap();
        assert_eq!(identifier(all, STRUCTURE_SYSTEM, "IDNST"), "national");
        assert_eq!(identifier(&all[..2], STRUCTURE_SYSTEM, "IDNST"), "typed");
        assert_eq!(identifier(&all[..1], STRUCTURE_SYSTEM, "IDNST"), "first");
        assert_eq!(identifier(&[], STRUCTURE_SYSTEM, "IDNST"), "");
    }
}
