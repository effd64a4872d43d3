//! What the answer would gain by a wider radius, a longer delay or one more modality.
//!
//! Noted while near misses are examined: what fails one of these rules and nothing else. Deliberately absent: another
//! search; what was not examined is not counted, and the answer says whether all was.

use std::fmt::Write as _;

use super::eligibility::own_reach_m;
use super::near::Sighting;
use super::question::Question;
use super::ranking::Match;
use super::wording::{Kilometres, Local, Minutes};
use crate::domain::answer::{Relaxation, Rule, WhatIf};
use crate::domain::code::Modality;
use crate::domain::query::{NEEDED_WITHIN_MAX_MINUTES, RADIUS_MAX_M};
use crate::domain::time::UtcInstant;

/// What easing each rule would add that a question can ease.
#[derive(Debug, Default)]
pub struct Additions {
    farther: Option<Addition>,
    later: Option<Addition>,
    otherwise: Option<Addition>,
}

#[derive(Debug)]
struct Addition {
    count: u32,
    /// The opening in which care begins first.
    first: Match,
}

impl Additions {
    /// Notes an opening that fails this rule only.
    pub(super) fn note(&mut self, question: &Question<'_>, rule: Rule, seen: &Sighting<'_>) {
        let place = if rule == Rule::Radius {
            &mut self.farther
        } else if rule == Rule::Delay {
            &mut self.later
        } else if rule == Rule::Modality {
            &mut self.otherwise
        } else {
            return;
        };
        if !would_fit(question, rule, seen) {
            return;
        }
        let Some(Addition { count, first }) = place else {
            *place = Some(Addition { count: 1, first: seen.to_match() });
            return;
        };
        *count += 1;
        let (new_at, known_at) = (seen.care_begins_at, first.care_begins_at);
        if new_at > known_at || (new_at == known_at && seen.cost_seconds > first.cost_seconds) {
            return;
        }
        let new = seen.to_match();
        if new_at < known_at || new.order(first).is_lt() {
            *first = new;
        }
    }

    /// What each would add, beside options of which the first begins then.
    #[must_use]
    pub fn what_ifs(self, question: &Question<'_>, first_begins_at: Option<UtcInstant>) -> Vec<WhatIf> {
        let Self { farther, later, otherwise } = self;
        let farther = farther.and_then(|one| Some((Relaxation::Radius(one.first.distance_m?), one)));
        let delay = |one: &Addition| Relaxation::Delay(one.first.care_begins_at.minutes_since(question.now));
        let later = later.map(|one| (delay(&one), one));
        let otherwise = otherwise.map(|one| (Relaxation::Modality(one.first.modality), one));
        let told = [farther, later, otherwise].into_iter().flatten().map(|(relaxation, addition)| {
            let Addition { count: slot_count, first } = addition;
            let care_begins_at = first.care_begins_at;
            let gain_minutes = first_begins_at.map(|now_first| now_first.minutes_since(care_begins_at));
            let what_if = WhatIf { relaxation, slot_count, care_begins_at, gain_minutes, sentence: String::new() };
            WhatIf { sentence: sentence(question, &what_if, &first), ..what_if }
        });
        told.collect()
    }
}

/// Whether the opening would be offered if the question asked for less, and may: the rule may be another's too.
fn would_fit(question: &Question<'_>, rule: Rule, seen: &Sighting<'_>) -> bool {
    // How far the professional travels is not the question's to ease.
    let reach_m = own_reach_m(question, seen.candidate.offer, seen.modality);
    let nearest_m = reach_m.min(RADIUS_MAX_M);
    (rule != Rule::Radius || seen.candidate.distance_m.is_some_and(|distance_m| distance_m <= nearest_m))
        && (rule != Rule::Delay || seen.care_begins_at.minutes_since(question.now) <= NEEDED_WITHIN_MAX_MINUTES)
        && (rule != Rule::Modality || question.unsuitable_by(seen.modality).is_none())
}

fn sentence(question: &Question<'_>, what_if: &WhatIf, first: &Match) -> String {
    let begins = Local { zone: first.offer.place.zone, clocks: question.clocks, at: what_if.care_begins_at };
    let mut sentence = match what_if.relaxation {
        Relaxation::Radius(radius_m) => format!("Avec un rayon de {}", Kilometres(radius_m)),
        Relaxation::Delay(minutes) => format!("Avec un délai de {}", Minutes(minutes)),
        Relaxation::Modality(Modality::Amb) => "En acceptant une consultation au cabinet".to_owned(),
        Relaxation::Modality(Modality::Vr) => "En acceptant la téléconsultation".to_owned(),
        Relaxation::Modality(Modality::Hh) => "En acceptant une visite à domicile".to_owned(),
    };
    // Writing to a String cannot fail.
    let _ = write!(sentence, " : début possible {}", begins.with("à "));
    let _ = match what_if.gain_minutes {
        Some(gain) if gain > 0 => write!(sentence, ", {} plus tôt", Minutes(gain)),
        Some(_) | None => Ok(()),
    };
    let _ = match what_if.slot_count {
        1 => write!(sentence, " (1 créneau examiné)."),
        count => write!(sentence, " ({count} créneaux examinés)."),
    };
    sentence
}
