//! Feeds a plan to a server: directory entries first, in the order in which they refer to each other, then the slots.
//!
//! Invariant: every message has a request identifier made of its content and the revision, so that running the import again
//! with the same revision repeats nothing and completes what an interruption left out.
//! Deliberately absent: withdrawing what the file no longer states; an import adds and changes.

mod directory;
mod report;
mod revision;
mod slots;

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tonic::Status;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Body as HttpBody, Bytes, StdError};
use tonic_types::StatusExt as _;

use super::wording::Kind;
use super::{ImportPlan, Origin, Reason, RowReport, Severity};
use crate::domain::time::UtcInstant;

pub use report::{DirectoryCounts, ImportReport, SlotCounts};

/// Most directory writes under way at once, unless the options say otherwise.
const IN_FLIGHT_DEFAULT: usize = 32;

/// A connection over which generated clients can call: a channel, with or without an interceptor.
pub trait Transport:
    GrpcService<
        Body,
        Error: Into<StdError> + Send,
        Future: Send,
        ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<T> Transport for T where
    T: GrpcService<
            Body,
            Error: Into<StdError> + Send,
            Future: Send,
            ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// How a plan is sent.
#[derive(Clone, Debug)]
pub struct SendOptions {
    /// Name of the file, for the report; empty when it has none.
    pub file: String,
    /// Publishing system, the same as in the plan's schedules.
    pub source_id: String,
    /// Revision of what the file says; never decreases for a schedule. The same revision again is a replay.
    pub source_revision: u64,
    /// Most directory writes under way at once, at least 1.
    pub in_flight: usize,
    /// Send nothing when the plan refuses a row, and no slot when the server refuses a directory entry.
    ///
    /// A slot that the server refuses after that does not take back the others.
    pub all_or_nothing: bool,
    /// Say what would be sent, and send nothing.
    pub dry_run: bool,
    /// Show a progress bar when the error output is a terminal.
    pub progress: bool,
}

impl SendOptions {
    /// For a source, at the revision of an instant (its milliseconds): later imports win over earlier ones.
    #[must_use]
    pub fn at(source_id: &str, now: UtcInstant) -> Self {
        Self {
            file: String::new(),
            source_id: source_id.to_owned(),
            source_revision: u64::try_from(now.ms()).unwrap_or_default(),
            in_flight: IN_FLIGHT_DEFAULT,
            all_or_nothing: false,
            dry_run: false,
            progress: false,
        }
    }
}

/// Sends a plan; what became of it. Failures of single messages are rows of the report, so this never fails as a whole.
pub async fn send<T: Transport>(transport: T, plan: ImportPlan, options: &SendOptions) -> ImportReport {
    let plan = if options.all_or_nothing { plan.all_or_nothing() } else { plan };
    let mut report = ImportReport::planned(&plan, options);
    if options.dry_run || plan.is_empty() {
        return report;
    }
    if let Some(refusal) = revision::outdated(&transport, &plan, options).await {
        report.slots.refused += plan.slots.len();
        report.rows.push(refusal);
        return report;
    }
    let progress = progress_bar(options, plan.message_count());
    let slots = plan.slots;
    let entries = directory::Entries {
        territories: plan.territories,
        places: plan.places,
        practitioners: plan.practitioners,
        schedules: plan.schedules,
        emergency_sites: plan.emergency_sites,
    };
    directory::send(&transport, entries, options, &progress, &mut report).await;
    if options.all_or_nothing && report.directory.refused > 0 {
        let message = "no slot is sent, because the server refused a directory entry: correct it and import again";
        report.rows.push(RowReport::new(Origin::File, Severity::Refused, "", Reason::AllOrNothing, message));
    } else {
        slots::send(transport, slots, options, &progress, &mut report).await;
    }
    progress.finish_and_clear();
    report.rows.sort_by(|left, right| left.origin.cmp(&right.origin));
    report
}

fn progress_bar(options: &SendOptions, count: usize) -> ProgressBar {
    if !options.progress || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = u64::try_from(count).unwrap_or(u64::MAX);
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{msg:18} {wide_bar} {pos}/{len} {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What a failed call says of the row that it was about, in the file's own words: one finding per wrong field, else one for
/// the whole. Without a kind it is about the file.
fn refusals(kind: Option<Kind>, origin: &Origin, status: &Status) -> Vec<RowReport> {
    let reason = status.get_details_error_info().map(|info| info.reason).filter(|reason| !reason.is_empty());
    let reason = reason.unwrap_or_else(|| code_name(status.code()));
    let refusal = |field: &str, message: String| RowReport {
        origin: origin.clone(),
        severity: Severity::Refused,
        field: field.to_owned(),
        reason: reason.clone(),
        message,
        slot_ids: Vec::new(),
    };
    let violations = status.get_details_bad_request().map(|request| request.field_violations).unwrap_or_default();
    if violations.is_empty() {
        let field = kind.map_or("", |kind| kind.field_of_reason(&reason, origin));
        return vec![refusal(field, status.message().to_owned())];
    }
    let in_file = |path: &str| kind.map_or("", |kind| kind.field(path, origin));
    violations.into_iter().map(|violation| refusal(in_file(&violation.field), violation.description)).collect()
}

/// The name of a status without reason, spelled as in the protocol: `INVALID_ARGUMENT`.
fn code_name(code: tonic::Code) -> String {
    let mut name = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests;
