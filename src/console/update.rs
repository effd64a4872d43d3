//! One update: the head of every list, and of the map only what changed.
//!
//! Invariant: at most [`UPDATE_MAX_BYTES`], whatever names publishers gave and however much there is; what is left out is
//! had by asking for the list. No patient, no case, no position of either.

use serde_json::{Value, json};

use super::UPDATE_MAX_BYTES;
use super::asked::Asked;
use super::rows::{instances, sources, tension, text, unseen_seconds};
use crate::domain::answer::CareOutcome;
use crate::service::{Board, Deed, Minute, TensionState};

/// Most changed places that an update names; with more, the page asks for all.
const CHANGED_MAX: usize = 1_500;
/// Most characters of what a condition says.
const MESSAGE_MAX_CHARS: usize = 600;
/// Rows of each list, fewer where they are too long.
const ROWS: [usize; 4] = [25, 10, 3, 0];

/// Up to where a page that had the last update knows the map.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Since {
    generation: u64,
    revision: u64,
}

impl Since {
    pub(super) fn of(board: &Board) -> Self {
        Self { generation: board.places.generation, revision: board.revision }
    }
}

/// The data of an update.
pub(super) fn update(board: &Board, since: Since, age_ms: i64) -> String {
    let mut data = String::new();
    for rows in ROWS {
        data = head(board, since, age_ms, rows).to_string();
        if data.len() < UPDATE_MAX_BYTES {
            break;
        }
    }
    data
}

fn head(board: &Board, since: Since, age_ms: i64, rows: usize) -> Value {
    let status = &board.status;
    let position = status.stamp.position;
    let conditions = status.conditions.iter().map(|one| {
        json!({ "code": one.kind.code(), "degrades": one.kind.degrades(), "message": text(&one.message, MESSAGE_MAX_CHARS) })
    });
    let asked = Asked::first(rows);
    // An unsorted first page is never refused.
    let first = |list: Result<Value, String>| list.unwrap_or(Value::Null);
    let mut tensions = first(tension(board, &asked));
    if let Some(object) = tensions.as_object_mut() {
        let tense = board.tension.count(TensionState::NoneFree) + board.tension.count(TensionState::Tense);
        object.insert("tense".to_owned(), json!(tense));
        object.insert("left_out".to_owned(), json!(board.tension.left_out_count));
    }
    let mut publishers = first(sources(board, &asked));
    if let Some(object) = publishers.as_object_mut() {
        object.insert("left_out".to_owned(), json!(board.sources_left_out_count));
    }
    json!({
        "at": board.at.ms(),
        "age_ms": age_ms,
        "tension_age_ms": age_ms + board.at.ms_since(board.tension_at),
        "version": status.version,
        "instance": status.instance_id.to_string(),
        "position": format!("{}-{}", position.epoch, position.sequence),
        "degraded": status.stamp.degraded,
        "schedules": status.counts.schedules,
        "live_holds": board.live_hold_count,
        "activity": board.activity.minutes.iter().map(minute).collect::<Vec<_>>(),
        "tension": tensions,
        "sources": publishers,
        "instances": instances(board, rows),
        "unseen_s": unseen_seconds(board),
        "conditions": conditions.collect::<Vec<_>>(),
        "map": map(board, since),
    })
}

fn minute(minute: &Minute) -> Value {
    let answered = CareOutcome::ALL.into_iter().map(|outcome| (outcome.code(), minute.answers(outcome)));
    let answers: serde_json::Map<_, _> =
        answered.filter(|(_, count)| *count > 0).map(|(code, count)| (code.to_owned(), json!(count))).collect();
    json!({
        "at": minute.begins_at.ms(),
        "answers": answers,
        "holds": minute.deeds(Deed::Hold),
        "conflicts": minute.deeds(Deed::Conflict),
        "confirms": minute.deeds(Deed::Confirm),
        "expired": minute.deeds(Deed::Expiry),
    })
}

/// What of the map changed; `changed` is absent when a page has to ask for all of it.
fn map(board: &Board, since: Since) -> Value {
    let places = &board.places;
    let told = json!({ "generation": places.generation, "since": since.revision, "revision": board.revision });
    let Value::Object(mut told) = told else { return Value::Null };
    if since.generation == places.generation {
        let changed: Vec<_> = places.changed_since(since.revision).take(CHANGED_MAX + 1).collect();
        if changed.len() <= CHANGED_MAX {
            let flat = changed.into_iter().flat_map(|(number, state)| [number, usize::from(state.byte())]);
            told.insert("changed".to_owned(), json!(flat.collect::<Vec<_>>()));
        }
    }
    Value::Object(told)
}
