//! The rows of the page's lists, from a board.

use serde_json::{Value, json};

use super::asked::Asked;
use super::listing::{SortKey, page};
use crate::domain::code::{Profession, Specialty};
use crate::domain::tension::AskedFor;
use crate::domain::time::UtcInstant;
use crate::service::{Board, Condition, ConditionKind, InstanceView, SourceView, TensionRow};

/// Most characters of a name.
const NAME_MAX_CHARS: usize = 120;
/// After what a ledger that refuses writes counts as not seen; an instance is silent for others after as long.
const UNSEEN_AFTER_SECONDS: u32 = 15;

const TENSION_KEYS: &[SortKey<TensionRow>] = &[
    ("territory", |a, b| a.territory_name.cmp(&b.territory_name)),
    ("specialty", |a, b| label(a.need).cmp(label(b.need))),
    ("age", |a, b| a.age_band.cmp(&b.age_band)),
    // Nothing free is the longest wait.
    ("wait", |a, b| a.first_slot_seconds.unwrap_or(u32::MAX).cmp(&b.first_slot_seconds.unwrap_or(u32::MAX))),
    ("threshold", |a, b| a.threshold_seconds.cmp(&b.threshold_seconds)),
    ("free", |a, b| a.free_count.cmp(&b.free_count)),
    ("schedules", |a, b| a.schedule_count.cmp(&b.schedule_count)),
    ("state", |a, b| a.state.cmp(&b.state)),
];

const SOURCE_KEYS: &[SortKey<SourceView>] = &[
    ("id", |a, b| a.source.id.as_str().cmp(b.source.id.as_str())),
    ("state", |a, b| a.confidence.cmp(&b.confidence)),
    ("heard", |a, b| heard_at(b).cmp(&heard_at(a))),
    ("hides", |a, b| a.hidden_after.cmp(&b.hidden_after)),
    ("schedules", |a, b| a.extent.schedule_count.cmp(&b.extent.schedule_count)),
];

/// A text of at most so many characters.
pub(super) fn text(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A page of the needs of territories, the tensest first.
///
/// # Errors
/// When it is not sorted by that key.
pub(super) fn tension(board: &Board, asked: &Asked) -> Result<Value, String> {
    let contains = |row: &TensionRow, wanted: &str| {
        let texts =
            [&*row.territory_name, row.territory.as_str(), row.need.code(), label(row.need), row.age_band.code()];
        texts.iter().any(|text| text.to_lowercase().contains(wanted))
    };
    page(&board.tension.rows, asked, TENSION_KEYS, contains, |row| {
        json!({
            "territory": row.territory.as_str(),
            "name": text(&row.territory_name, NAME_MAX_CHARS),
            "need": row.need.code(),
            "label": label(row.need),
            "age": row.age_band.code(),
            "wait_s": row.first_slot_seconds,
            "threshold_s": row.threshold_seconds,
            "free": row.free_count,
            "schedules": row.schedule_count,
            "silent": row.silent_count,
            "state": row.state.code(),
        })
    })
}

/// A page of the sources, the least believed first.
///
/// # Errors
/// When it is not sorted by that key.
pub(super) fn sources(board: &Board, asked: &Asked) -> Result<Value, String> {
    let contains = |view: &SourceView, wanted: &str| view.source.id.as_str().to_lowercase().contains(wanted);
    page(&board.sources, asked, SOURCE_KEYS, contains, |view| {
        json!({
            "id": text(view.source.id.as_str(), NAME_MAX_CHARS),
            "state": view.confidence.code(),
            "heard_s": heard_at(view).map(|at| board.at.seconds_since(at)),
            "lease_s": view.source.lease_seconds,
            "hides_ms": heard_at(view).map(|_| view.hidden_after.ms()),
            "schedules": view.extent.schedule_count,
        })
    })
}

/// For how long the ledger has not been seen, when so long that what it told of the instances is no news; none while it is.
/// Its clock may differ from this machine's, so a ledger that takes writes is never said to be away.
pub(super) fn unseen_seconds(board: &Board) -> Option<u32> {
    let is_away = |one: &Condition| matches!(one.kind, ConditionKind::Starting | ConditionKind::WritesRefused);
    let unseen = board.at.seconds_since(board.status.ledger.seen_at?);
    (unseen > UNSEEN_AFTER_SECONDS && board.status.conditions.iter().any(is_away)).then_some(unseen)
}

/// The instances that share the ledger, those that need looking at first; this one alone where nobody shares it.
pub(super) fn instances(board: &Board, rows: usize) -> Value {
    let status = &board.status;
    let mut views: Vec<&InstanceView> = status.ledger.instances.iter().collect();
    views.sort_by_key(|view| std::cmp::Reverse((view.differs && !view.is_silent, view.is_silent, view.lag_changes)));
    let told: Vec<Value> = views.into_iter().take(rows).map(|view| instance(view, board)).collect();
    if !told.is_empty() || rows == 0 {
        return Value::Array(told);
    }
    let position = status.stamp.position;
    let is_starting = status.conditions.iter().any(|one| one.kind == ConditionKind::Starting);
    json!([{
        "id": status.instance_id.to_string(),
        "is_self": true,
        "state": if is_starting { "unknown" } else { "current" },
        "version": status.version,
        "address": "",
        "position": format!("{}-{}", position.epoch, position.sequence),
        "lag_changes": null,
        "lag_ms": null,
        "digest": status.ledger.own.as_ref().map_or("", |own| own.digest.as_str()),
        "heard_s": 0,
    }])
}

fn instance(view: &InstanceView, board: &Board) -> Value {
    let state = match view {
        _ if unseen_seconds(board).is_some() => "unknown",
        InstanceView { is_silent: true, .. } => "silent",
        InstanceView { differs: true, .. } => "differs",
        InstanceView { lag_changes: 1.., .. } => "behind",
        _ => "current",
    };
    let position = view.standpoint.position;
    json!({
        "id": text(&view.instance_id, NAME_MAX_CHARS),
        "is_self": view.is_self,
        "state": state,
        "version": text(&view.version, NAME_MAX_CHARS),
        "address": text(&view.address, NAME_MAX_CHARS),
        "position": format!("{}-{}", position.epoch, position.sequence),
        "lag_changes": view.lag_changes,
        "lag_ms": view.lag_ms,
        "digest": text(&view.standpoint.digest, NAME_MAX_CHARS),
        "heard_s": board.at.seconds_since(view.heard_at),
    })
}

/// When a source was last heard at all; none when it never was.
fn heard_at(view: &SourceView) -> Option<UtcInstant> {
    let beat_at = view.source.lease_seconds.map(|_| view.source.heard_at);
    beat_at.max(view.extent.last_received_at)
}

/// The French label of what is looked for.
fn label(need: AskedFor) -> &'static str {
    match need {
        AskedFor::Specialty(specialty) => Specialty::label(specialty),
        AskedFor::Profession(profession) => Profession::label(profession),
        AskedFor::Unstated => "",
    }
}
