//! Being named first to a case is a turn, in this instance's memory; what is held is one everywhere.

use crate::domain::answer::CareAnswer;
use crate::domain::query::CareQuery;
use crate::domain::share::CaseNumber;
use crate::service::Service;

impl Service {
    /// Notes the turn of whom an answer names first, unless the patient asked for them or the case knows them already.
    pub(in crate::service) fn note_turn(&self, query: &CareQuery, answer: &CareAnswer) {
        let Some(first) = answer.options.first().filter(|first| !first.parts.preferred) else { return };
        let case = query.parts().case_id.as_ref().map_or(CaseNumber::NONE, CaseNumber::of);
        let share = &first.offer.share;
        if !share.is_of(case) {
            share.note(self.shared.share_turns.turn(answer.stamp.answered_at), case);
        }
    }
}
