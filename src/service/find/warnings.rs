//! What is doubtful about a question that is answered all the same.
//!
//! Invariant: a doubt never changes the answer and never refuses it, because a patient is on the phone.
//! Deliberately absent: what is wrong in itself, such as an unknown code; the transport refuses that with its field.

use crate::domain::answer::{QueryDoubt, QueryWarning};
use crate::domain::geo::PositionDoubt;
use crate::domain::id::TerritoryId;
use crate::domain::query::CareQuery;
use crate::index::Index;

/// The doubts about a question; those that only matter to a search when one was made.
pub(super) fn warnings(query: &CareQuery, index: &Index, was_searched: bool) -> Vec<QueryWarning> {
    // A wrong position leads an ambulance astray too.
    let position = query.parts().position.and_then(|position| position.doubt()).map(doubtful_position);
    let territories = if was_searched { query.parts().territories.as_slice() } else { &[] };
    let unknown = territories.iter().filter(|id| index.territory(id).is_none()).map(unknown_territory);
    position.into_iter().chain(unknown).collect()
}

/// The sentence gives no figures: a patient's position stands in no log, and error outputs end up in logs.
fn doubtful_position(doubt: PositionDoubt) -> QueryWarning {
    let sentence = match doubt {
        PositionDoubt::Swapped(territory) => format!(
            "La position est hors de France, mais elle y serait ({territory}) si latitude et longitude étaient échangées : \
             donner la latitude d'abord."
        ),
        PositionDoubt::OutsideFrance => {
            "La position est hors de tout territoire français : vérifier la latitude et la longitude.".to_owned()
        }
    };
    QueryWarning { doubt: QueryDoubt::Position(doubt), value: String::new(), sentence }
}

fn unknown_territory(id: &TerritoryId) -> QueryWarning {
    QueryWarning {
        doubt: QueryDoubt::UnknownTerritory,
        value: id.wire(),
        sentence: format!(
            "La CPTS {id} est inconnue du service : des options peuvent paraître hors de la CPTS du patient, vérifier son \
             numéro FINESS."
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::answer::CareOutcome;
    use crate::domain::code::CareLevel;
    use crate::domain::directory::Territory;
    use crate::domain::geo::GeoPoint;
    use crate::domain::query::CareQueryDraft;
    use crate::domain::record::{Body, Change, Position};
    use crate::domain::time::UtcInstant;
    use crate::routing::policy::Policy;
    use crate::service::find::Finder;

    fn territory(id: &str) -> TerritoryId {
        TerritoryId::parse(id).unwrap().value
    }

    /// A world that knows one territory.
    fn index() -> Index {
        let known = Territory {
            id: territory("690000011"),
            name: "CPTS de Vénissieux".into(),
            communes: vec![],
            neighbours: vec![],
            phone: None,
        };
        let body = Body::Territory(Arc::new(known));
        let position = Position { partition: 0, epoch: 1, sequence: 1 };
        let index = Index::new();
        index.apply(&[Change { position, key: body.key(), version: 1, body: Some(body) }]);
        index
    }

    fn draft(territories: &[&str]) -> CareQueryDraft {
        CareQueryDraft {
            position: GeoPoint::new(45.70, 4.88).ok(),
            territories: territories.iter().map(|id| territory(id)).collect(),
            ..CareQueryDraft::default()
        }
    }

    /// Outcome, reasons and values of the answer's warnings.
    fn told(draft: CareQueryDraft) -> (CareOutcome, Vec<(&'static str, String)>) {
        let (index, policy) = (index(), Policy::default());
        let now = UtcInstant::parse_rfc3339("2026-11-23T09:00:00Z").unwrap();
        let finder = Finder { index: &index, policy: &policy, degraded: false };
        let answer = finder.find(&CareQuery::parse(draft).unwrap(), now);
        let warnings = answer.warnings.iter().map(|warning| (warning.doubt.code(), warning.value.clone()));
        (answer.outcome, warnings.collect())
    }

    #[test]
    fn an_unknown_territory_is_named_and_the_question_answered() {
        let unknown = |id: &str| ("UNKNOWN_TERRITORY", id.to_owned());
        let (outcome, warnings) = told(draft(&["123456789", "690000011", "690000029"]));
        assert_eq!(outcome, CareOutcome::NoSlotInTime);
        assert_eq!(warnings, [unknown("1123456789"), unknown("1690000029")]);
        assert_eq!(told(draft(&["690000011"])).1, []);
        assert_eq!(told(draft(&[])).1, []);
    }

    #[test]
    fn a_swapped_position_is_doubted_whatever_the_outcome() {
        let at = |latitude, longitude| GeoPoint::new(latitude, longitude).ok();
        let swapped = CareQueryDraft { position: at(2.35, 48.86), ..draft(&[]) };
        let doubts = [("SWAPPED_POSITION", String::new())];
        assert_eq!(told(swapped.clone()), (CareOutcome::NoSlotInTime, doubts.to_vec()));
        let escalated = CareQueryDraft { care_level: Some(CareLevel::R1), ..swapped };
        assert_eq!(told(escalated), (CareOutcome::EmergencyDispatch, doubts.to_vec()));
        let abroad = CareQueryDraft { position: at(40.42, -3.70), ..draft(&[]) };
        assert_eq!(told(abroad).1, [("OUTSIDE_FRANCE", String::new())]);
        assert_eq!(told(CareQueryDraft { position: at(46.20, 6.14), ..draft(&[]) }).1, []);
    }

    #[test]
    fn an_escalation_is_not_disturbed_by_a_territory_that_it_does_not_use() {
        let (outcome, warnings) = told(CareQueryDraft { care_level: Some(CareLevel::R1), ..draft(&["123456789"]) });
        assert_eq!((outcome, warnings), (CareOutcome::EmergencyDispatch, vec![]));
    }
}
