//! A change of policy as answers see it: the position in a stamp says under which policies the answer was given.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::world::*;
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::department::Department;
use crate::domain::policy::{ActivePolicy, PolicyDocument};
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::record::Body;
use crate::ledger::{Append, Entry};
use crate::service::*;

fn query() -> CareQuery {
    let (department, modalities) = (Department::parse("69").ok(), ModalitySet::of(&[Modality::Vr]));
    CareQuery::parse(CareQueryDraft { department, modalities, ..CareQueryDraft::default() }).unwrap()
}

fn text(number: usize) -> String {
    format!("format = 1\nversion = \"rhone-{number}\"\ndepartment = \"69\"\n")
}

async fn activate(world: &World, number: usize) -> Result<(u64, String), Error> {
    let document = PolicyDocument { name: "rhone.toml".into(), text: text(number).into() };
    let wanted = PolicyRequest {
        request_id: request(&format!("policy {number}")),
        expected_version: world.service.policy_view().version.to_string(),
        reason: "a test".to_owned(),
        documents: Some(vec![document]),
    };
    let done = world.service.change_policy(&Caller::local(), wanted).await?;
    Ok((done.stamp.position.sequence, format!("rhone-{number}+")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_position_of_an_answer_says_of_which_policies_it_is() {
    let world = World::with_slot(1).await;
    let over = AtomicBool::new(false);
    let mut made = Vec::new();
    let told = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut told: BTreeMap<(u64, Arc<str>), ()> = BTreeMap::new();
                    while !over.load(Ordering::SeqCst) {
                        let stamp = world.service.find(&query()).stamp;
                        told.insert((stamp.position.sequence, stamp.policy_version), ());
                    }
                    told
                })
            })
            .collect();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for number in 1..=25 {
                    made.push(activate(&world, number).await);
                }
            });
        });
        over.store(true, Ordering::SeqCst);
        readers.into_iter().flat_map(|reader| reader.join().unwrap().into_keys()).collect::<Vec<_>>()
    });
    let versions = made.into_iter().map(Result::unwrap).chain([(0, "national-2026-3+".to_owned())]);
    let versions: BTreeMap<u64, String> = versions.collect();
    assert!(told.len() > 2, "readers saw changes: {told:?}");
    for (position, version) in told {
        let (_, expected) = versions.range(..=position).next_back().unwrap();
        assert!(version.starts_with(expected), "at {position}: {version}, expected {expected}");
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_leaves_the_last_one_in_force() {
    let world = World::with_slot(1).await;
    activate(&world, 1).await.unwrap();
    let newer = ActivePolicy {
        documents: vec![PolicyDocument {
            name: "rhone.toml".into(),
            text: text(2).replace("format = 1", "format = 2").into(),
        }],
        activations: Vec::new(),
    };
    let entry = Entry::put(Body::Policy(Arc::new(newer)), 1);
    let append = Append { entries: vec![entry], request: None };
    world.service.parts().ledger.append(append).await;
    let stamp = world.service.find(&query()).stamp;
    assert!(stamp.policy_version.starts_with("rhone-1+") && stamp.degraded);
    let conditions = world.service.conditions();
    assert_eq!(conditions.iter().map(|one| one.kind).collect::<Vec<_>>(), [ConditionKind::PolicyUnreadable]);
    assert!(conditions[0].message.contains("rhone.toml:1: format"), "{}", conditions[0].message);
}
