//! What changed of a watched answer, in lines: what went and why, what came, what is believed otherwise, which emergency sites.

use super::table::wrapped;
use super::time::{instant, local, zone_of_answer};
use super::{Layout, words};
use crate::proto::routing as pb;

/// What a message says is different.
#[must_use]
pub fn changes(message: &pb::WatchCareResponse, layout: &Layout) -> String {
    let Some(answer) = &message.answer else { return String::new() };
    let zone = zone_of_answer(answer);
    let now = answer.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut lines = vec![format!("--- {} ---", local(now, zone, now))];
    if message.kind == i32::from(pb::WatchCareKind::Full) {
        lines.push("Reprise : ce qui a changé entre-temps n'est pas connu, voici la réponse entière.".to_owned());
    }
    for gone in &message.gone_options {
        let (code, label) = words::gone_reason(gone.reason);
        let start = local(instant(gone.start_at.as_ref()), zone, now);
        let free = gone.free_from.as_ref().map_or(String::new(), |at| {
            format!(" Libre à nouveau à {} si rien d'autre ne se passe.", local(instant(Some(at)), zone, now))
        });
        let text = format!("- {start} {label} ({code}), créneau {} : {}{free}", gone.slot_id, gone.sentence);
        lines.push(wrapped(&text, layout.width, 2));
    }
    let option = |rank: u32| answer.options.iter().find(|option| option.rank == rank);
    for rank in &message.new_ranks {
        let text = option(*rank).map_or("", |option| &option.sentence);
        lines.push(wrapped(&format!("+ option {rank} : {text}"), layout.width, 2));
    }
    for rank in &message.confidence_changed_ranks {
        let believed = option(*rank).and_then(|option| option.parts.as_ref()).map(pb::OptionParts::confidence);
        let word = words::confidence(believed.unwrap_or_default());
        lines.push(wrapped(&format!("~ option {rank} : confiance {word} désormais."), layout.width, 2));
    }
    if message.availability_changed {
        let (code, label) = words::availability(answer.availability);
        lines.push(format!("* Disponibilité : {label} ({code})."));
    }
    if message.emergency_sites_changed {
        lines.push("* Les urgences les plus proches, leur accès ou leur saturation ont changé.".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_says_why_and_what_came_says_which() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let option = pb::CareOption {
            rank: 1,
            sentence: "Rendez-vous à 9:30.".into(),
            time_zone: "Europe/Paris".into(),
            parts: Some(pb::OptionParts { confidence: pb::Confidence::Uncertain.into(), ..pb::OptionParts::default() }),
            ..pb::CareOption::default()
        };
        let stamp = pb::Stamp { answered_at: at(1_795_420_800), ..pb::Stamp::default() };
        let answer = pb::FindCareResponse {
            options: vec![option],
            stamp: Some(stamp),
            availability: pb::Availability::Free.into(),
            ..pb::FindCareResponse::default()
        };
        let gone = pb::GoneOption {
            slot_id: "s-1".into(),
            start_at: at(1_795_422_600),
            reason: pb::GoneReason::Taken.into(),
            free_from: at(1_795_420_920),
            sentence: "Le créneau vient d'être pris.".into(),
            ..pb::GoneOption::default()
        };
        let message = pb::WatchCareResponse {
            confidence_changed_ranks: vec![1],
            availability_changed: true,
            kind: pb::WatchCareKind::Changed.into(),
            answer: Some(answer),
            new_ranks: vec![1],
            gone_options: vec![gone],
            emergency_sites_changed: true,
            ..pb::WatchCareResponse::default()
        };
        let shown = changes(&message, &Layout::new(120));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 6 + lines.iter().filter(|line| line.starts_with("  ")).count(), "{shown}");
        assert!(lines[1].contains("pris (TAKEN), créneau s-1 : Le créneau vient d'être pris."), "{shown}");
        assert!(shown.contains("Libre à nouveau à ") && shown.contains("+ option 1 : Rendez-vous à 9:30."), "{shown}");
        assert!(shown.contains("~ option 1 : confiance INCERTAINE désormais."), "{shown}");
        assert!(shown.contains("* Disponibilité : des créneaux sont libres (FREE)."), "{shown}");
        assert!(
            shown.ends_with("* Les urgences les plus proches, leur accès ou leur saturation ont changé."),
            "{shown}"
        );
    }

    #[test]
    fn a_message_without_answer_shows_nothing() {
        assert_eq!(changes(&pb::WatchCareResponse::default(), &Layout::new(120)), "");
    }
}
