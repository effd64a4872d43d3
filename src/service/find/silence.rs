//! Who is silent of those that would have served, when nothing suits.
//!
//! The examination for near misses goes so far only; before it is said that nothing is free, whatever the match itself
//! would have looked at is asked once more.

use crate::domain::answer::SilentSource;
use crate::domain::code::Modality;
use crate::routing::policy::BeyondTerritory;
use crate::routing::question::Question;
use crate::routing::silence::SilenceProbe;

use super::{Finder, searches_by_place};

impl Finder<'_> {
    /// The silent sources that would have had something for a question that nothing suits.
    pub(super) fn silent_for(&self, question: Question<'_>) -> Vec<SilentSource> {
        // A teleconsultation from anywhere would have been offered, had nothing else suited.
        let last_resort = self.policy.teleconsultation.beyond == BeyondTerritory::LastResort;
        let question = if last_resort { question.from_anywhere() } else { question };
        let mut probe = SilenceProbe::new(&question);
        if searches_by_place(question.suitable) {
            self.look_around(&question, &mut probe);
        }
        if question.suitable.contains(Modality::Vr) {
            self.look_remotely(&question, &mut probe);
        }
        probe.into_sources()
    }
}
