//! The values that attributes may have where there are only so many, by metric.
//!
//! Invariant: what a scrape tells of these is in these lists, and what rules and dashboards pick by is. Deliberately absent: sets that
//! publishers, policies or callers make greater: territories, sources, specialties, reasons.

/// Statuses of calls.
const STATUSES: &[&str] = &[
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// Outcomes of questions.
const OUTCOMES: &[&str] = &[
    "EMERGENCY_DISPATCH",
    "EMERGENCY_DEPARTMENT",
    "APPOINTMENT",
    "WALK_IN",
    "TELECONSULTATION",
    "HOME_VISIT",
    "MEDICAL_ADVICE",
    "NO_SLOT_IN_TIME",
];
/// Kinds of calls.
pub(super) const CALL_KINDS: &[&str] = &["call", "question", "watch"];
/// Results of appends.
const APPEND_RESULTS: &[&str] = &[
    "appended",
    "replayed",
    "conflict",
    "out_of_time",
    "request_id_reused",
    "invalid",
    "refused",
    "outcome_unknown",
    "overloaded",
    "closing",
];

/// Metric, attribute, and the values that it may have there.
#[rustfmt::skip]
const VALUES: &[(&str, &str, &[&str])] = &[
    ("rpc.server.call.duration", "rpc.system.name", &["grpc"]),
    ("rpc.server.call.duration", "rpc.response.status_code", STATUSES),
    ("sas.calls.active", "kind", CALL_KINDS),
    ("sas.calls.max", "kind", CALL_KINDS),
    ("sas.calls.shed", "kind", CALL_KINDS),
    ("sas.find.answers", "outcome", OUTCOMES),
    ("sas.find.answers", "care_level", &["R1", "R2", "R3", "R4"]),
    ("sas.find.answers", "modality", &["AMB", "VR", "HH", "none"]),
    ("sas.find.duration", "outcome", OUTCOMES),
    ("sas.find.options", "outcome", OUTCOMES),
    ("sas.find.first_offers.share", "statistic", &["max", "p99", "median", "max_to_median"]),
    ("sas.tension.first_slot", "age_band", &["NOURRISSON", "ENFANT", "ADULTE", "SENIOR"]),
    ("sas.tension.threshold", "age_band", &["NOURRISSON", "ENFANT", "ADULTE", "SENIOR"]),
    ("sas.tension.needs", "state", &["met", "tense", "none_free"]),
    ("sas.slots", "state", &["free", "held", "booked", "closed"]),
    ("sas.publish.rows", "status", &["created", "updated", "unchanged", "withdrawn", "refused"]),
    ("sas.sources", "confidence", &["CERTAIN", "UNCERTAIN", "HIDDEN"]),
    ("sas.booking.operations", "operation", &["hold", "confirm", "release", "cancel", "rebook"]),
    ("sas.ledger.append.duration", "result", APPEND_RESULTS),
    ("sas.ledger.refusals", "reason", APPEND_RESULTS),
    ("sas.instances", "state", &["live", "silent"]),
    ("sas.conditions", "code", &[
        "STARTING", "WRITES_REFUSED", "DURABILITY_REDUCED", "LEDGER_CLOCK_AHEAD", "CLOCK_NOT_TRUSTED", "SOURCE_SILENT",
        "ROAD_TIMES_PAUSED", "DIGEST_MISMATCH", "POLICY_UNREADABLE", "CLAIMS_QUARANTINED",
    ]),
    ("sas.conditions", "degrades", &["true", "false"]),
    ("sas.index.records", "kind", &["territory", "place", "practitioner", "schedule", "slot", "emergency_site", "claim"]),
    ("sas.road.tables", "result", &["asked", "failed", "skipped"]),
    ("sas.telemetry.dropped", "signal", &["traces", "metrics"]),
];

/// The values that an attribute of a metric may have; `None` where there is no end of them.
#[must_use]
pub fn values(metric: &str, attribute: &str) -> Option<&'static [&'static str]> {
    VALUES.iter().find(|(name, by, _)| (*name, *by) == (metric, attribute)).map(|(_, _, values)| *values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::CareOutcome;
    use crate::service::witness::{AppendResult, Operation};
    use crate::service::{AGE_BANDS, ConditionKind};
    use crate::telemetry::catalog;

    #[test]
    fn only_attributes_of_the_catalog_have_values() {
        for (metric, attribute, values) in VALUES {
            let declared = catalog::named(metric).unwrap_or_else(|| panic!("{metric} is not declared"));
            assert!(declared.attributes.contains(attribute), "{metric} is not told apart by {attribute}");
            assert!(values.len() <= declared.series_max, "{metric}");
        }
    }

    #[test]
    fn the_values_are_the_codes_of_the_program() {
        let told = |metric, attribute| values(metric, attribute).unwrap().to_vec();
        assert_eq!(told("sas.find.answers", "outcome"), CareOutcome::ALL.map(CareOutcome::code));
        assert_eq!(told("sas.ledger.append.duration", "result"), AppendResult::ALL.map(AppendResult::code));
        assert_eq!(told("sas.booking.operations", "operation"), Operation::ALL.map(Operation::code));
        assert_eq!(told("sas.conditions", "code"), ConditionKind::ALL.map(ConditionKind::code));
        assert_eq!(told("sas.tension.threshold", "age_band"), AGE_BANDS.map(|band| band.code()));
        assert_eq!(values("sas.source.age", "source"), None);
    }
}
