//! What is told of sources that fall silent: certain, uncertain, hidden; free, none, unknown.

use super::*;
use crate::domain::answer::Availability;
use crate::domain::id::SourceId;
use crate::domain::record::{Change, Key, Position};
use crate::domain::source::{Confidence, Source};
use crate::domain::time::UtcInstant;

/// A source with a lease of 5 minutes.
pub(super) fn leased(id: &str, heard_at: UtcInstant) -> Body {
    Body::Source(Arc::new(Source { id: SourceId::parse(id).unwrap(), lease_seconds: Some(300), heard_at }))
}

fn of_source(name: &'static str, north_km: f64, source: &str) -> Agenda {
    agenda(name, north_km, "10:40", 15).with(|one| one.schedule.source_id = SourceId::parse(source).unwrap())
}

fn silent(answer: &CareAnswer) -> Vec<(&str, Confidence, u32)> {
    answer.silent_sources.iter().map(|one| (one.id.as_str(), one.confidence, one.schedule_count)).collect()
}

#[test]
fn a_source_that_keeps_its_lease_is_believed_however_old_its_word_is() {
    let old =
        of_source("old", 1.0, "leased").with(|one| one.schedule.received_at = at("09:58").plus_ms(-3 * 86_400_000));
    let answer = ask(&world(&[old], &[leased("leased", at("09:56"))]), draft());
    assert_eq!(answer.availability, Availability::Free);
    assert_eq!(answer.options[0].parts.confidence, Confidence::Certain);
    assert_eq!(answer.options[0].parts.data_age_seconds, 240);
    assert_eq!(silent(&answer), []);
}

#[test]
fn a_lease_that_has_ended_makes_its_slots_uncertain_and_puts_them_behind() {
    let index = world(
        &[of_source("silent", 1.0, "leased"), of_source("heard", 2.0, "other")],
        &[leased("leased", at("09:50"))],
    );
    let draft = CareQueryDraft { limit: Some(5), ..draft() };
    for word in ["09:58", "09:40"] {
        let stated = of_source("silent", 1.0, "leased").with(|one| one.schedule.received_at = at(word)).schedule;
        index.apply(&[Change {
            position: Position { partition: 0, epoch: 1, sequence: 99 },
            key: Key::Schedule(stated.id.clone()),
            version: if word == "09:58" { 2 } else { 3 },
            body: Some(Body::Schedule(Arc::new(stated))),
        }]);
        let answer = ask(&index, draft.clone());
        if word == "09:58" {
            assert_eq!(names(&answer), ["silent", "heard"], "a publish is a sign of life for its schedule");
            continue;
        }
        assert_eq!(names(&answer), ["heard", "silent"]);
        let uncertain = &answer.options[1];
        assert_eq!(uncertain.parts.confidence, Confidence::Uncertain);
        assert!(uncertain.sentence.ends_with(", éditeur silencieux depuis 10 min."), "{}", uncertain.sentence);
        assert_eq!(silent(&answer), [("leased", Confidence::Uncertain, 1)]);
        assert_eq!(answer.availability, Availability::Free);
    }
}

#[test]
fn what_is_hidden_is_unknown_and_neither_free_nor_none() {
    let hidden = of_source("silent", 1.0, "leased").with(|one| one.schedule.received_at = at("09:00"));
    let index = world(&[hidden], &[leased("leased", at("09:24"))]);
    let answer = ask(&index, draft());
    assert_eq!(
        miss(&answer),
        (Rule::Silence, 36, "10:40 : éditeur silencieux depuis 36 min, à vérifier par téléphone.")
    );
    assert_eq!(answer.availability, Availability::Unknown);
    assert!(answer.sentence.contains("des éditeurs ne répondent plus"), "{}", answer.sentence);
    assert_eq!(silent(&answer), [("leased", Confidence::Hidden, 1)]);
    assert_eq!(answer.silent_sources[0].last_heard_at, at("09:24"));

    let full = of_source("full", 1.0, "leased").with(|one| {
        one.schedule.received_at = at("09:00");
        one.slot.capacity = 0;
    });
    let answer = ask(&world(&[full], &[leased("leased", at("09:24"))]), draft());
    assert_eq!(answer.availability, Availability::None, "it would have had nothing");
    assert_eq!(silent(&answer), [("leased", Confidence::Hidden, 1)], "and is silent all the same");
}

#[test]
fn without_a_lease_the_age_of_the_word_decides() {
    for (hours, availability) in [(12, Availability::Free), (48, Availability::Free), (49, Availability::Unknown)] {
        let received_at = ten().plus_ms(-hours * 3_600_000);
        let one = agenda("one", 1.0, "10:40", 15).with(|one| one.schedule.received_at = received_at);
        let answer = ask(&world(&[one], &[]), draft());
        assert_eq!(answer.availability, availability, "{hours} h");
        let confidence = answer.options.first().map(|option| option.parts.confidence);
        let expected = if hours > 12 { Confidence::Uncertain } else { Confidence::Certain };
        assert_eq!(confidence, (hours < 49).then_some(expected));
    }
    assert_eq!(ask(&world(&[], &[]), draft()).availability, Availability::None);
}
