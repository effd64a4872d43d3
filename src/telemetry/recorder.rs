//! What is counted and timed on the way of calls: answers, booking operations, rows, appends, calls.
//!
//! Invariant: recording an answer makes nothing on the heap once its series is known, and waits for nobody but a writer of a new
//! series. Attributes are codes and sources, never what somebody asked. Deliberately absent: gauges ([`super::readings`]).

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::first_offers::FirstOffers;
use super::instruments::{counter, histogram};
use super::readings::IntoF64 as _;
use crate::domain::answer::Availability;
use crate::domain::case::RefusalReason;
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

/// The instruments.
pub(super) struct Recorder {
    call_duration: Histogram<f64>,
    calls_shed: Counter<u64>,
    answers: Counter<u64>,
    find_duration: Histogram<f64>,
    options: Histogram<f64>,
    near_misses: Counter<u64>,
    find_unknown: Counter<u64>,
    rows: Counter<u64>,
    visible: Histogram<f64>,
    operations: Counter<u64>,
    conflicts: Counter<u64>,
    phantoms: Counter<u64>,
    late_confirms: Counter<u64>,
    append_duration: Histogram<f64>,
    append_refusals: Counter<u64>,
    pub(super) first_offers: Arc<FirstOffers>,
}

impl Recorder {
    /// The instruments of a meter. What is rare begins at 0, so that its first time shows as a growth.
    pub(super) fn new(meter: &Meter) -> Self {
        let recorder = Self {
            call_duration: histogram(meter, "rpc.server.call.duration"),
            calls_shed: counter(meter, "sas.calls.shed"),
            answers: counter(meter, "sas.find.answers"),
            find_duration: histogram(meter, "sas.find.duration"),
            options: histogram(meter, "sas.find.options"),
            near_misses: counter(meter, "sas.find.near_misses"),
            find_unknown: counter(meter, "sas.find.unknown"),
            rows: counter(meter, "sas.publish.rows"),
            visible: histogram(meter, "sas.publish.visible"),
            operations: counter(meter, "sas.booking.operations"),
            conflicts: counter(meter, "sas.booking.conflicts"),
            phantoms: counter(meter, "sas.booking.phantoms"),
            late_confirms: counter(meter, "sas.booking.late_confirms"),
            append_duration: histogram(meter, "sas.ledger.append.duration"),
            append_refusals: counter(meter, "sas.ledger.refusals"),
            first_offers: Arc::default(),
        };
        ["call", "watch"].into_iter().for_each(|kind| recorder.calls_shed.add(0, &[KeyValue::new("kind", kind)]));
        recorder.find_unknown.add(0, &[]);
        recorder.late_confirms.add(0, &[]);
        for result in AppendResult::ALL.into_iter().filter(|result| result.is_refusal()) {
            recorder.append_refusals.add(0, &[KeyValue::new("reason", result.code())]);
        }
        recorder
    }

    /// Records a call.
    pub(super) fn call_ended(&self, call: &EndedCall<'_>) {
        let EndedCall { method, code, reason, took } = *call;
        let told = [
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", method),
            KeyValue::new("rpc.response.status_code", code),
        ];
        if code == "OK" {
            return self.call_duration.record(took.as_secs_f64(), &told);
        }
        let [system, method, status] = told;
        let error = Reason::parse(reason).map_or(code, Reason::code);
        self.call_duration.record(took.as_secs_f64(), &[system, method, status, KeyValue::new("error.type", error)]);
        if error == Reason::TooManyWatches.code() {
            self.call_shed("watch");
        }
    }

    /// Records a call that was refused because too many were under way.
    pub(super) fn call_shed(&self, kind: &'static str) {
        self.calls_shed.add(1, &[KeyValue::new("kind", kind)]);
    }
}

impl Witness for Recorder {
    fn answered(&self, answered: &Answered<'_>) {
        let Answered { query, department, answer, took } = answered;
        let first = answer.options.first();
        let outcome = [KeyValue::new("outcome", answer.outcome.code())];
        self.find_duration.record(took.as_secs_f64(), &outcome);
        self.options.record(answer.options.len().into_f64(), &outcome);
        let [outcome] = outcome;
        self.answers.add(
            1,
            &[
                outcome,
                KeyValue::new("department", department.map_or(UNKNOWN, |department| department.code())),
                KeyValue::new("care_level", query.care_level().code()),
                KeyValue::new("modality", first.map_or("none", |first| first.modality.code())),
            ],
        );
        for miss in &answer.near_misses {
            self.near_misses.add(1, &[KeyValue::new("rule", miss.rule.code())]);
        }
        if answer.availability == Availability::Unknown {
            self.find_unknown.add(1, &[]);
        }
        if let Some(first) = first {
            self.first_offers.note(&first.offer);
        }
    }

    fn operated(&self, operated: &Operated<'_>) {
        let Operated { operation, result, source } = operated;
        self.operations.add(1, &[KeyValue::new("operation", operation.code()), KeyValue::new("result", result.code())]);
        match (operation, result) {
            (Operation::Hold | Operation::Rebook, OperationResult::Refused(Reason::SlotTaken)) => {
                self.conflicts.add(1, &[of_source(*source)]);
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
        self.append_duration.record(took.as_secs_f64(), &[KeyValue::new("result", result.code())]);
        if result.is_refusal() {
            self.append_refusals.add(1, &[KeyValue::new("reason", result.code())]);
        }
    }
}

fn of_source(source: Option<&SourceId>) -> KeyValue {
    KeyValue::new("source", source.map_or(UNKNOWN, SourceId::as_str).to_owned())
}
