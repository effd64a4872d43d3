//! Which needs found nothing on a day.

use super::Layout;
use super::answer::stamp_line;
use super::table::{joined, table, wrapped};
use super::time::{instant, local, zone};
use crate::domain::code::{Profession, Specialty};
use crate::proto::routing as pb;

/// The answer of `ListNearMisses`.
#[must_use]
pub fn tension(response: &pb::ListNearMissesResponse, layout: &Layout) -> String {
    let zone = zone(&response.time_zone);
    let now = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let count =
        |count: Option<u64>| count.map_or_else(|| format!("moins de {}", response.small_count), |n| n.to_string());
    let heading = joined([
        format!("Recherches : {}", count(response.asked_count)),
        format!("sans solution dans le délai : {}", count(response.nothing_found_count)),
        format!("compté depuis {}", local(instant(response.counted_since.as_ref()), zone, now)),
    ]);
    let mut parts = vec![wrapped(&heading, layout.width, 2)];
    if !response.needs.is_empty() {
        let mut table = table(layout.width, &["Recherché", "Âge", "Heure", "Commune", "Sans solution"]);
        for need in &response.needs {
            table.add_row([
                asked(need),
                told(need.age_band.as_deref()),
                need.local_hour.map_or_else(|| told(None), |hour| format!("{hour:02} h")),
                told(need.commune_code.as_deref()),
                need.count.to_string(),
            ]);
        }
        parts.push(table.to_string());
        let small = response.small_count;
        let note =
            format!("* : ensemble, pour qu'aucun nombre inférieur à {small} ne désigne quelqu'un ; - : non donné.");
        parts.push(wrapped(&note, layout.width, 2));
    }
    if let Some(stamp) = &response.stamp {
        parts.push(wrapped(&stamp_line(stamp, zone), layout.width, 2));
    }
    parts.join("\n")
}

/// What was looked for.
fn asked(need: &pb::UnmetNeed) -> String {
    match (need.specialty.as_deref(), need.profession.as_deref()) {
        (Some(code), _) if !code.is_empty() => {
            Specialty::parse(code).map_or_else(|_| code.to_owned(), |known| format!("{} ({code})", known.label()))
        }
        (None, Some(code)) => {
            Profession::parse(code).map_or_else(|_| code.to_owned(), |known| format!("{} ({code})", known.label()))
        }
        (specialty, _) => told(specialty),
    }
}

/// A value that may be told together with others, or not be given.
fn told(value: Option<&str>) -> String {
    match value {
        None => "*".to_owned(),
        Some("") => "-".to_owned(),
        Some(value) => value.to_owned(),
    }
}
