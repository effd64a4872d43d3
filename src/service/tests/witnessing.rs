//! What witnesses are told: every end of a use case once, to each of them.

use parking_lot::Mutex;

use super::world::*;
use crate::domain::case::RefusalReason;
use crate::domain::geo::GeoPoint;
use crate::domain::id::SourceId;
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::ledger::Unavailable;
use crate::service::witness::*;
use crate::service::*;

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }

    fn note(&self, told: String) {
        self.0.lock().push(told);
    }
}

impl Witness for Notes {
    fn answered(&self, answered: &Answered<'_>) {
        let department = answered.department.map_or("", |department| department.code());
        self.note(format!("answered {} {department}", answered.answer.outcome.code()));
    }

    fn operated(&self, operated: &Operated<'_>) {
        let source = operated.source.map_or("", SourceId::as_str);
        self.note(format!("{} {} {source}", operated.operation.code(), operated.result.code()).trim_end().to_owned());
    }

    fn refused(&self, reason: RefusalReason, source: Option<&SourceId>) {
        self.note(format!("{} {}", reason.code(), source.map_or("", SourceId::as_str)));
    }

    fn published(&self, source: &SourceId, rows: RowCounts, _took: std::time::Duration) {
        self.note(format!("{source} {rows:?}"));
    }

    fn appended(&self, result: AppendResult, _took: std::time::Duration) {
        if result.is_refusal() {
            self.note(result.code().to_owned());
        }
    }
}

async fn witnessed() -> (World, Arc<Notes>) {
    let world = World::with_slot(1).await;
    let notes = Arc::new(Notes::default());
    world.service.witnessed_by(notes.clone());
    (world, notes)
}

#[tokio::test]
async fn every_end_of_a_booking_operation_is_told_once() {
    let (world, notes) = witnessed().await;
    let held = world.hold("a").await.unwrap().value.claim.id;
    assert_eq!(notes.take(), ["hold done"]);
    world.hold("a").await.unwrap();
    assert_eq!(notes.take(), ["hold replayed"]);
    world.hold("b").await.unwrap_err();
    assert_eq!(notes.take(), ["hold SLOT_TAKEN editor"], "with the source of the slot");
    world.advance_seconds(120);
    world.confirm("c", held).await.unwrap_err();
    assert_eq!(notes.take(), ["confirm HOLD_EXPIRED editor"]);
}

#[tokio::test]
async fn every_witness_is_told_of_an_answer_and_its_department() {
    let (world, notes) = witnessed().await;
    let second = Arc::new(Notes::default());
    world.service.witnessed_by(second.clone());
    let draft = CareQueryDraft { position: GeoPoint::new(45.7, 4.9).ok(), ..CareQueryDraft::default() };
    let query = CareQuery::parse(draft).unwrap();
    let outcome = world.service.find_care(&query).await.outcome.code();
    let told = [format!("answered {outcome} 69")];
    assert_eq!(notes.take(), told);
    assert_eq!(second.take(), told);
    drop(world.service.find(&query));
    assert_eq!(notes.take(), Vec::<String>::new(), "alternatives and previews are no answers");
}

#[tokio::test]
async fn what_the_ledger_does_not_carry_out_is_told() {
    let (world, notes) = witnessed().await;
    world.ledger.fail(|_| Some(Unavailable::Overloaded));
    world.hold("a").await.unwrap_err();
    assert_eq!(notes.take(), ["overloaded", "hold OVERLOADED editor"]);
    assert_eq!(world.service.appends_under_way(), 0);
}
