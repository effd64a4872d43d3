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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::answer::answer;

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds: 1_795_431_600 + seconds, nanos: 0 })
    }

    #[test]
    fn an_answer_names_the_sources_that_are_silent() {
        let silent = pb::SilentSource {
            source_id: "editeur-2".to_owned(),
            confidence: pb::Confidence::Hidden.into(),
            last_heard_at: at(0),
            schedule_count: 3,
        };
        let told = pb::FindCareResponse { silent_sources: vec![silent], ..pb::FindCareResponse::default() };
        let text = answer(&told, &Layout::new(120));
        assert!(text.contains("Éditeurs silencieux : editeur-2 (MASQUÉE, dernier signe "), "{text}");
        assert!(text.contains("12:00, 3 agendas)"), "{text}");
        assert!(!answer(&pb::FindCareResponse::default(), &Layout::new(120)).contains("silencieux"));
    }

    #[test]
    fn sources_are_shown_with_and_without_a_lease() {
        let source = |lease_seconds: Option<u32>| pb::Source {
            source_id: "editeur-1".to_owned(),
            lease_seconds,
            heartbeat_at: lease_seconds.and_then(|_| at(0)),
            last_received_at: at(-60),
            schedule_count: 12,
            confidence: pb::Confidence::Uncertain.into(),
            hidden_after: at(1_800),
        };
        let told = pb::ListSourcesResponse { sources: vec![source(Some(300)), source(None)], stamp: None };
        let text = sources(&told, &Layout::new(120));
        for part in ["editeur-1", "INCERTAINE", "300 s", "sans", "12:30", "—"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let none = pb::ListSourcesResponse::default();
        assert_eq!(sources(&none, &Layout::new(120)), "Aucun éditeur n'a d'agenda.\n");
        assert_eq!(heartbeat("a", &pb::HeartbeatResponse::default()), "a : entendu, sans bail\n");
    }
}
