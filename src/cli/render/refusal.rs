//! What the service said when it did not do what was asked.

use serde_json::json;

use super::Layout;
use super::options::options;
use super::table::wrapped;
use crate::cli::failure::{Failure, Refusal};
use crate::cli::json;

/// A failure as text for people.
#[must_use]
pub fn failure(failure: &Failure, layout: &Layout) -> String {
    let text = failure.to_string();
    let lines = text.lines().map(|line| wrapped(line, layout.width, 2)).collect::<Vec<_>>().join("\n");
    match failure {
        Failure::Answered(refusal) => refused(refusal, layout),
        Failure::Usage(_)
        | Failure::Unreachable { .. }
        | Failure::File { .. }
        | Failure::Json(_)
        | Failure::Local(_) => format!("error: {lines}"),
    }
}

/// A failure as one JSON object for programs.
#[must_use]
pub fn failure_json(failure: &Failure) -> String {
    let Failure::Answered(refusal) = failure else {
        return json!({ "exitCode": failure.exit().number(), "message": failure.to_string() }).to_string();
    };
    let violations: Vec<_> = refusal
        .field_violations
        .iter()
        .map(|(field, description)| json!({ "field": field, "description": description }))
        .collect();
    let hold_refused = refusal.hold_refused.as_ref().and_then(|refused| json::to_value("HoldRefused", refused).ok());
    json!({
        "exitCode": refusal.exit.number(),
        "code": refusal.code,
        "reason": refusal.reason,
        "message": refusal.message,
        "fieldViolations": violations,
        "retryAfterSeconds": refusal.retry_delay.map(|delay| delay.as_secs_f64()),
        "holdRefused": hold_refused,
    })
    .to_string()
}

/// A refusal with its reason, fields, retry hint and alternatives.
#[must_use]
pub fn refused(refusal: &Refusal, layout: &Layout) -> String {
    let reason = if refusal.reason.is_empty() { refusal.code } else { &refusal.reason };
    let mut lines = vec![wrapped(&format!("error: {reason}: {}", refusal.message), layout.width, 2)];
    for (field, description) in &refusal.field_violations {
        // The service's message is the violation itself when there is but one.
        if refusal.message.contains(description.as_str()) {
            continue;
        }
        let violation = wrapped(&format!("{field}: {description}"), layout.width.saturating_sub(2), 4);
        lines.push(format!("  {violation}"));
    }
    if let Some(delay) = refusal.retry_delay {
        lines.push(format!("  retry after {} s, with the same request id", delay.as_secs_f64()));
    }
    if let Some(refused) = &refusal.hold_refused
        && !refused.alternatives.is_empty()
    {
        let layout = Layout { names: refusal.names.clone(), ..layout.clone() };
        lines.push(format!("Autres possibilités\n{}", options(&refused.alternatives, layout.now, &layout)));
    }
    lines.join("\n")
}
