//! What is counted and timed on the way of calls: answers, booking operations, rows, appends, calls.
//!
//! Invariant: recording an answer makes nothing on the heap and hashes no text once its series is known ([`Series`]). Attributes
//! are codes and sources, never what somebody asked. Deliberately absent: gauges ([`super::readings`]).

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::first_offers::FirstOffers;
use super::instruments::{counter, histogram};
use super::readings::IntoF64 as _;
use super::series::Series;
use super::values::CALL_KINDS;
use crate::domain::answer::{Availability, CareOutcome, Rule};
use crate::domain::case::RefusalReason;
use crate::domain::code::{CareLevel, Modality};
use crate::domain::department::Department;
use crate::domain::id::SourceId;
use crate::service::Reason;
use crate::service::witness::{Answered, AppendResult, Operated, Operation, OperationResult, RowCounts, Witness};

/// The metrics that are recorded here; all others are read.
pub(super) const RECORDED: [&str; 15] = [
    "rpc.server.call.duration",
    "sas.calls.shed",
    "sas.find.answers",
    "sas.find.duration",
    "sas.find.options",
    "sas.find.near_misses",
    "sas.find.unknown",
    "sas.publish.rows",
    "sas.publish.visible",
    "sas.booking.operations",
    "sas.booking.conflicts",
    "sas.booking.phantoms",
    "sas.booking.late_confirms",
    "sas.ledger.append.duration",
    "sas.ledger.refusals",
];
/// What stands for a source, department or method that is not known.
const UNKNOWN: &str = "unknown";

/// A call that ended, as its transport tells.
#[derive(Clone, Copy, Debug)]
pub struct EndedCall<'a> {
    /// The method, `package.Service/Method`; `_OTHER` for one that nobody serves.
    pub method: &'static str,
    /// Name of the status.
    pub code: &'static str,
    /// Reason of a refusal; empty without one.
    pub reason: &'a str,
    /// How long it took, a stream until its end.
    pub took: Duration,
}

/// A call by what tells its series apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct CallKey {
    method: &'static str,
    code: &'static str,
    /// Why it failed; `None` when it did not.
    error: Option<&'static str>,
}

/// An answer by what tells its series apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct AnswerKey {
    outcome: CareOutcome,
    department: Option<Department>,
    care_level: CareLevel,
    /// That of the first option.
    modality: Option<Modality>,
}

impl CallKey {
    fn attributes(self) -> Vec<KeyValue> {
        let Self { method, code, error } = self;
        let always = [
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", method),
            KeyValue::new("rpc.response.status_code", code),
        ];
        always.into_iter().chain(error.map(|error| KeyValue::new("error.type", error))).collect()
    }
}

impl AnswerKey {
    fn attributes(self) -> Vec<KeyValue> {
        let Self { outcome, department, care_level, modality } = self;
        vec![
            KeyValue::new("outcome", outcome.code()),
            KeyValue::new("department", department.map_or(UNKNOWN, Department::code)),
            KeyValue::new("care_level", care_level.code()),
            KeyValue::new("modality", modality.map_or("none", Modality::code)),
        ]
    }
}

/// The instruments.
pub(super) struct Recorder {
    call_duration: Series<CallKey, Histogram<f64>>,
    calls_shed: Series<&'static str, Counter<u64>>,
    answers: Series<AnswerKey, Counter<u64>>,
    find_duration: Series<CareOutcome, Histogram<f64>>,
    options: Series<CareOutcome, Histogram<f64>>,
    near_misses: Series<Rule, Counter<u64>>,
    find_unknown: Counter<u64>,
    rows: Counter<u64>,
    visible: Histogram<f64>,
    operations: Series<(Operation, &'static str), Counter<u64>>,
    conflicts: Counter<u64>,
    phantoms: Counter<u64>,
    late_confirms: Counter<u64>,
    append_duration: Series<AppendResult, Histogram<f64>>,
    append_refusals: Series<AppendResult, Counter<u64>>,
    pub(super) first_offers: Arc<FirstOffers>,
}

impl Recorder {
    /// The instruments of a meter. What is rare begins at 0, so that its first time shows as a growth.
    pub(super) fn new(meter: &Meter) -> Self {
        let by_outcome = |outcome: CareOutcome| vec![KeyValue::new("outcome", outcome.code())];
        let recorder = Self {
            call_duration: Series::of(histogram(meter, "rpc.server.call.duration"), CallKey::attributes),
            calls_shed: Series::of(counter(meter, "sas.calls.shed"), |kind| vec![KeyValue::new("kind", kind)]),
            answers: Series::of(counter(meter, "sas.find.answers"), AnswerKey::attributes),
            find_duration: Series::of(histogram(meter, "sas.find.duration"), by_outcome),
            options: Series::of(histogram(meter, "sas.find.options"), by_outcome),
            near_misses: Series::of(counter(meter, "sas.find.near_misses"), |rule: Rule| {
                vec![KeyValue::new("rule", rule.code())]
            }),
            find_unknown: counter(meter, "sas.find.unknown"),
            rows: counter(meter, "sas.publish.rows"),
            visible: histogram(meter, "sas.publish.visible"),
            operations: Series::of(counter(meter, "sas.booking.operations"), |(operation, result): (Operation, _)| {
                vec![KeyValue::new("operation", operation.code()), KeyValue::new("result", result)]
            }),
            conflicts: counter(meter, "sas.booking.conflicts"),
            phantoms: counter(meter, "sas.booking.phantoms"),
            late_confirms: counter(meter, "sas.booking.late_confirms"),
            append_duration: Series::of(histogram(meter, "sas.ledger.append.duration"), |result: AppendResult| {
                vec![KeyValue::new("result", result.code())]
            }),
            append_refusals: Series::of(counter(meter, "sas.ledger.refusals"), |result: AppendResult| {
                vec![KeyValue::new("reason", result.code())]
            }),
            first_offers: Arc::default(),
        };
        CALL_KINDS.iter().for_each(|kind| recorder.calls_shed.record(*kind, 0));
        recorder.find_unknown.add(0, &[]);
        recorder.late_confirms.add(0, &[]);
        for result in AppendResult::ALL.into_iter().filter(|result| result.is_refusal()) {
            recorder.append_refusals.record(result, 0);
        }
        recorder
    }

    /// Records a call.
    pub(super) fn call_ended(&self, call: &EndedCall<'_>) {
        let EndedCall { method, code, reason, took } = *call;
        let error = (code != "OK").then(|| Reason::parse(reason).map_or(code, Reason::code));
        self.call_duration.record(CallKey { method, code, error }, took.as_secs_f64());
        if error == Some(Reason::TooManyWatches.code()) {
            self.call_shed("watch");
        }
    }

    /// Records a call that was refused because too many were under way.
    pub(super) fn call_shed(&self, kind: &'static str) {
        self.calls_shed.record(kind, 1);
    }
}

impl Witness for Recorder {
    fn answered(&self, answered: &Answered<'_>) {
        let Answered { query, department, answer, took } = *answered;
        let (outcome, first) = (answer.outcome, answer.options.first());
        self.find_duration.record(outcome, took.as_secs_f64());
        self.options.record(outcome, answer.options.len().into_f64());
        let modality = first.map(|first| first.modality);
        self.answers.record(AnswerKey { outcome, department, care_level: query.care_level(), modality }, 1);
        answer.near_misses.iter().for_each(|miss| self.near_misses.record(miss.rule, 1));
        if answer.availability == Availability::Unknown {
            self.find_unknown.add(1, &[]);
        }
        if let Some(first) = first {
            self.first_offers.note(&first.offer);
        }
    }

    fn operated(&self, operated: &Operated<'_>) {
        let Operated { operation, result, source } = *operated;
        self.operations.record((operation, result.code()), 1);
        match (operation, result) {
            (Operation::Hold | Operation::Rebook, OperationResult::Refused(Reason::SlotTaken)) => {
                self.conflicts.add(1, &[of_source(source)]);
            }
            (Operation::Confirm, OperationResult::Refused(Reason::HoldExpired)) => {
                self.late_confirms.add(1, &[]);
            }
            _ => {}
        }
    }

    fn refused(&self, reason: RefusalReason, source: Option<&SourceId>) {
        if reason == RefusalReason::NoAppointment {
            self.phantoms.add(1, &[of_source(source)]);
        }
    }

    fn published(&self, source: &SourceId, rows: RowCounts, took: Duration) {
        self.visible.record(took.as_secs_f64(), &[]);
        for (status, count) in rows.by_status().into_iter().filter(|(_, count)| *count > 0) {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.rows.add(count, &[of_source(Some(source)), KeyValue::new("status", status)]);
        }
    }

    fn appended(&self, result: AppendResult, took: Duration) {
        self.append_duration.record(result, took.as_secs_f64());
        if result.is_refusal() {
            self.append_refusals.record(result, 1);
        }
    }
}

fn of_source(source: Option<&SourceId>) -> KeyValue {
    KeyValue::new("source", source.map_or(UNKNOWN, SourceId::as_str).to_owned())
}
