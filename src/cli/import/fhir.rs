//! Reads a FHIR R4 Bundle, as the national slot searches return it, into a plan.
//!
//! Understood are the three national cases: practitioners individually, CPTS, and SOS Médecins (schedules of a place whose
//! structure decides who sees the patient). Real Bundles stray from their profiles, so links, codes and identifiers are looked
//! at and `meta.profile`, narrative and `search.mode` are not; what strays is named in the report of its entry.
//! Deliberately absent: fetching pages or absent resources, and appointments.

mod bundle;
mod element;
mod schedule;
mod slot;
mod territory;

use serde_json::Value;

use super::finding::{Findings, Origin, RowReport, Severity};
use super::plan::{PlanBuilder, ReadResult};
use super::{ImportError, ImportOptions, Reason, without_mark};
use bundle::{BundleIndex, Resource};
use element::{items, text};

/// Reads a Bundle into a plan.
///
/// # Errors
/// [`ImportError`] when the bytes are too many, no JSON, or no Bundle; faults of single entries are in the plan's reports.
pub fn parse_bundle(bytes: &[u8], options: &ImportOptions) -> ReadResult {
    let value: Value = serde_json::from_slice(without_mark(bytes)?).map_err(|error| json_error(&error))?;
    let resource_type = text(&value, "resourceType");
    if resource_type != "Bundle" {
        let found = match &value {
            Value::Object(_) if resource_type.is_empty() => "JSON object without resourceType".to_owned(),
            Value::Object(_) => resource_type.chars().take(60).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                "JSON value".to_owned()
            }
        };
        return Err(ImportError::NotABundle { found });
    }
    let mut reader = Reader::new(&value, options);
    reader.read();
    Ok(reader.builder.finish(options))
}

fn json_error(error: &serde_json::Error) -> ImportError {
    let message = error.to_string();
    // The reader closes its sentence with line and column, which have fields of their own here.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
    ImportError::Json { line: error.line(), column: error.column(), message }
}

/// A Bundle while it is read.
struct Reader<'a> {
    bundle: &'a Value,
    index: BundleIndex<'a>,
    options: &'a ImportOptions,
    builder: PlanBuilder,
    schedules: schedule::Known,
    territories: territory::Known,
}

impl<'a> Reader<'a> {
    fn new(bundle: &'a Value, options: &'a ImportOptions) -> Self {
        Self {
            bundle,
            index: BundleIndex::new(items(bundle, "entry")),
            options,
            builder: PlanBuilder::new(),
            schedules: schedule::Known::default(),
            territories: territory::Known::default(),
        }
    }

    fn read(&mut self) {
        self.check_whole();
        self.report_strays();
        let resources: Vec<Resource<'a>> = self.index.resources().to_vec();
        for resource in &resources {
            // A schedule without a free slot is imported too: that nothing is free is worth knowing.
            match resource.kind {
                "Slot" => self.read_slot(resource),
                "Schedule" => {
                    self.schedule_of(resource);
                }
                _ => {}
            }
        }
    }

    /// Says when the Bundle is not the whole answer.
    fn check_whole(&mut self) {
        let mut findings = Findings::at(Origin::File);
        let has_next = items(self.bundle, "link").iter().any(|link| text(link, "relation") == "next");
        if has_next {
            let message = "the Bundle is one page of several: import the next pages too";
            findings.warn("Bundle.link", Reason::PartialBundle, message);
        }
        let slots = self.index.resources().iter().filter(|resource| resource.kind == "Slot").count();
        let total = self.bundle.get("total").and_then(Value::as_u64);
        if let Some(total) = total
            && usize::try_from(total) != Ok(slots)
            && !has_next
        {
            let message = format!("the Bundle says {total} and holds {slots} slots; all of these are read");
            findings.warn("Bundle.total", Reason::PartialBundle, message);
        }
        self.builder.report(findings.into_faults());
    }

    /// Names entries without a resource and resources that stand twice.
    fn report_strays(&mut self) {
        let reports = self.index.strays().iter().map(|(index, resource, message)| {
            let origin = Origin::Entry { index: *index, resource: resource.clone() };
            RowReport::new(origin, Severity::Warning, "Bundle.entry.resource", Reason::Ignored, message)
        });
        let reports = reports.collect();
        self.builder.report(reports);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod traps;
