//! One page of a list: filtered, sorted by a key of the list, cut.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::asked::Asked;

/// A key by which a list can be sorted, and the order of it.
pub(super) type SortKey<T> = (&'static str, fn(&T, &T) -> Ordering);

/// The rows of the wanted page and how many there are in all.
///
/// # Errors
/// When the list is not sorted by that key.
pub(super) fn page<T>(
    all: &[T],
    asked: &Asked,
    keys: &[SortKey<T>],
    contains: impl Fn(&T, &str) -> bool,
    row: impl Fn(&T) -> Value,
) -> Result<Value, String> {
    let mut rows: Vec<&T> = all.iter().filter(|one| asked.filter.is_empty() || contains(one, &asked.filter)).collect();
    if !asked.sort.is_empty() {
        let Some((_, order)) = keys.iter().find(|(key, _)| *key == asked.sort) else {
            let known: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
            return Err(format!("sort: give one of {}", known.join(", ")));
        };
        // Stable: equal rows stay in the list's own order.
        rows.sort_by(|a, b| if asked.is_descending { order(b, a) } else { order(a, b) });
    }
    let first = asked.page.saturating_mul(asked.rows);
    let told: Vec<_> = rows.iter().skip(first).take(asked.rows).map(|one| row(one)).collect();
    Ok(json!({ "total": rows.len(), "rows": told }))
}
