//! The rules by which an emergency site opens: weekly, on public holidays, by date.

use super::common::{window_from_proto, window_to_proto};
use crate::domain::emergency::{
    Contradiction, DATED_RULES_MAX, DatedAccess, DayHours, EmergencyAccess, HOLIDAY_RULES_MAX, HolidayAccess,
    HoursError, WEEKLY_RULES_MAX, WeeklyAccess, dated_contradictions, holiday_contradictions, weekly_contradictions,
};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Reads weekly rules; refuses those that contradict an earlier one.
pub(super) fn weekly_from_proto(
    messages: &[pb::WeeklyAccess],
    path: Path<'_>,
    findings: &mut Findings,
) -> Vec<WeeklyAccess> {
    let rule = |message: &pb::WeeklyAccess, path: Path<'_>, findings: &mut Findings| {
        let pb::WeeklyAccess { weekday, start_minute, end_minute, access } = *message;
        let access = access_from_proto(access, path.field("access"), findings);
        let rule = WeeklyAccess::new(weekday, start_minute, end_minute, access.unwrap_or(EmergencyAccess::Closed));
        taken(rule, path, findings).filter(|_| access.is_some())
    };
    rules_from_proto(messages, (path, WEEKLY_RULES_MAX), findings, rule, weekly_contradictions)
}

/// Reads rules for public holidays; refuses those that contradict an earlier one.
pub(super) fn holidays_from_proto(
    messages: &[pb::HolidayAccess],
    path: Path<'_>,
    findings: &mut Findings,
) -> Vec<HolidayAccess> {
    let rule = |message: &pb::HolidayAccess, path: Path<'_>, findings: &mut Findings| {
        let pb::HolidayAccess { start_minute, end_minute, access } = *message;
        let access = access_from_proto(access, path.field("access"), findings);
        let hours = taken(DayHours::new(start_minute, end_minute), path, findings);
        Some(HolidayAccess { hours: hours?, access: access? })
    };
    rules_from_proto(messages, (path, HOLIDAY_RULES_MAX), findings, rule, holiday_contradictions)
}

/// Reads exceptions by date; refuses those that contradict an earlier one.
pub(super) fn dated_from_proto(
    messages: &[pb::DatedAccess],
    path: Path<'_>,
    findings: &mut Findings,
) -> Vec<DatedAccess> {
    let rule = |message: &pb::DatedAccess, path: Path<'_>, findings: &mut Findings| {
        let pb::DatedAccess { window, access } = *message;
        let access = access_from_proto(access, path.field("access"), findings);
        let window = window_from_proto(window, path.field("window"), findings);
        Some(DatedAccess { window: window?, access: access? })
    };
    rules_from_proto(messages, (path, DATED_RULES_MAX), findings, rule, dated_contradictions)
}

/// Reads a list of rules; contradictions are looked for only when every rule could be read, so that places agree.
fn rules_from_proto<M, R>(
    messages: &[M],
    (path, max): (Path<'_>, usize),
    findings: &mut Findings,
    rule: impl Fn(&M, Path<'_>, &mut Findings) -> Option<R>,
    contradictions: impl Fn(&[R]) -> Vec<Contradiction>,
) -> Vec<R> {
    if !findings.within(path, messages.len(), max) {
        return Vec::new();
    }
    let read = messages.iter().enumerate().filter_map(|(index, message)| rule(message, path.index(index), findings));
    let rules: Vec<R> = read.collect();
    if rules.len() == messages.len() {
        for (later, earlier) in contradictions(&rules) {
            let earlier = path.index(earlier).to_string();
            let message = "with another access: let one end where the other begins";
            findings.refuse(path.index(later), format_args!("overlaps with {earlier} {message}"));
        }
    }
    rules
}

/// The value, or the field that is wrong refused.
fn taken<T>(rule: Result<T, HoursError>, path: Path<'_>, findings: &mut Findings) -> Option<T> {
    let field = match &rule {
        Err(HoursError::Weekday(_)) => "weekday",
        Err(HoursError::Start(_)) => "start_minute",
        Ok(_) | Err(HoursError::End(_)) => "end_minute",
    };
    findings.take(path.field(field), rule)
}

fn access_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> Option<EmergencyAccess> {
    match pb::EmergencyAccess::try_from(number) {
        Ok(pb::EmergencyAccess::Open) => Some(EmergencyAccess::Open),
        Ok(pb::EmergencyAccess::Regulated) => Some(EmergencyAccess::Regulated),
        Ok(pb::EmergencyAccess::Closed) => Some(EmergencyAccess::Closed),
        Ok(pb::EmergencyAccess::Unspecified) | Err(_) => {
            findings.refuse(path, format_args!("{number} is no access: give 1 (OPEN), 2 (REGULATED) or 3 (CLOSED)"));
            None
        }
    }
}

/// Writes an access.
pub(super) const fn access_to_proto(access: EmergencyAccess) -> pb::EmergencyAccess {
    match access {
        EmergencyAccess::Open => pb::EmergencyAccess::Open,
        EmergencyAccess::Regulated => pb::EmergencyAccess::Regulated,
        EmergencyAccess::Closed => pb::EmergencyAccess::Closed,
    }
}

/// Writes a weekly rule.
pub(super) fn weekly_to_proto(rule: &WeeklyAccess) -> pb::WeeklyAccess {
    pb::WeeklyAccess {
        weekday: rule.weekday(),
        start_minute: rule.hours().start(),
        end_minute: rule.hours().end(),
        access: access_to_proto(rule.access()).into(),
    }
}

/// Writes a rule for public holidays.
pub(super) fn holiday_to_proto(rule: &HolidayAccess) -> pb::HolidayAccess {
    let HolidayAccess { hours, access } = *rule;
    let access = access_to_proto(access).into();
    pb::HolidayAccess { start_minute: hours.start(), end_minute: hours.end(), access }
}

/// Writes an exception.
pub(super) fn dated_to_proto(rule: &DatedAccess) -> pb::DatedAccess {
    let DatedAccess { window, access } = *rule;
    pb::DatedAccess { window: Some(window_to_proto(window)), access: access_to_proto(access).into() }
}
