//! Publishing systems, and how far each is believed.

use super::table::table;
use super::time::{instant, local, zone};
use super::{Layout, words};
use crate::proto::routing as pb;

/// What a heartbeat came to.
#[must_use]
pub fn heartbeat(source_id: &str, response: &pb::HeartbeatResponse) -> String {
    let now = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    match instant(response.lease_ends_at.as_ref()) {
        Some(ends_at) => format!("{source_id} : entendu, bail jusqu'à {}\n", local(Some(ends_at), zone(""), now)),
        None => format!("{source_id} : entendu, sans bail\n"),
    }
}

/// All sources.
#[must_use]
pub fn sources(response: &pb::ListSourcesResponse, layout: &Layout) -> String {
    if response.sources.is_empty() {
        return "Aucun éditeur n'a d'agenda.\n".to_owned();
    }
    let (zone, now) = (zone(""), response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref())));
    let head = ["Éditeur", "Confiance", "Bail", "Dernier signe", "Dernière publication", "Masqué après", "Agendas"];
    let mut table = table(layout.width, &head);
    for source in &response.sources {
        let at = |stamp: Option<&prost_types::Timestamp>| match instant(stamp) {
            Some(at) => local(Some(at), zone, now),
            None => "—".to_owned(),
        };
        table.add_row([
            source.source_id.clone(),
            words::confidence(source.confidence()).to_owned(),
            source.lease_seconds.map_or_else(|| "sans".to_owned(), |lease| format!("{lease} s")),
            at(source.heartbeat_at.as_ref()),
            at(source.last_received_at.as_ref()),
            at(source.hidden_after.as_ref()),
            source.schedule_count.to_string(),
        ]);
    }
    table.to_string()
}
