//! Judging by road alters nothing but the way: without times, and with times as the estimate has them, the answer is the same.

use sas_router::domain::answer::{CareAnswer, CareOption};
use sas_router::domain::geo::GeoPoint;
use sas_router::domain::patient::TravelMode;
use sas_router::domain::query::CareQuery;
use sas_router::domain::road::{Heading, Journey, RoadProfile, RoadTime, RoadTimes, TravelMethod};
use sas_router::domain::time::UtcInstant;
use sas_router::index::Index;
use sas_router::routing::policy::Policy;
use sas_router::service::Finder;

use crate::support::questions::questions;
use crate::support::region::{Region, numbered, varied_region};

fn world() -> (Region, Index) {
    let region = varied_region(10_000, 42, 0.1);
    let index = Index::new();
    let slots = region.slots.iter().map(|slot| sas_router::domain::record::Body::Slot(std::sync::Arc::clone(slot)));
    let all = region.directory.iter().cloned().chain(slots).map(|body| (body.key(), Some(body)));
    for batch in numbered(all, 1).chunks(500) {
        index.apply(batch);
    }
    (region, index)
}

/// What an answer says, without how travel was reckoned.
fn told(answer: &CareAnswer) -> String {
    let one = |option: &CareOption| {
        let parts = sas_router::domain::answer::OptionParts { travel_method: TravelMethod::None, ..option.parts };
        format!("{} {:?} {} {parts:?}\n", option.slot.id, option.modality, option.care_begins_at)
    };
    let options: String = answer.options.iter().map(one).collect();
    let misses =
        answer.near_misses.iter().map(|miss| format!("{} {:?} {}\n", miss.option.slot.id, miss.rule, miss.excess));
    format!("{}\n{options}{}{:?}", answer.outcome.code(), misses.collect::<String>(), answer.exclusions)
}

/// The times of journeys as the policy estimates them, without what it adds from door to door.
fn as_estimated(query: &CareQuery, policy: &Policy, now: UtcInstant, from: GeoPoint, wanted: &[Journey]) -> RoadTimes {
    let time = |journey: &Journey| {
        let mode = match (journey.profile, journey.heading) {
            (RoadProfile::Walking, Heading::FromPatient) => TravelMode::Walking,
            (RoadProfile::Car | RoadProfile::Walking, _) => TravelMode::Car,
        };
        let pace = policy.travel.at(query.department(), now).pace(mode);
        let seconds = pace.seconds(from.distance_m(&journey.place)) - pace.base_seconds;
        (*journey, RoadTime { seconds, age_seconds: 0 })
    };
    RoadTimes { known: wanted.iter().map(time).collect(), doubt: None }
}

#[test]
fn what_the_road_does_not_alter_stays_as_it_is() {
    let (region, index) = world();
    let policy = Policy::default();
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let (mut by_road, mut misses) = (0, 0);
    for (class, query, now) in questions(&region, 200, 7) {
        let expected = finder.find(&query, now);
        let unknown = finder.find_knowing(&query, now, |_, _| RoadTimes::default());
        assert_eq!(format!("{unknown:?}"), format!("{expected:?}"), "{class:?} {now} {query:?}");
        let same = finder.find_knowing(&query, now, |from, wanted| as_estimated(&query, &policy, now, from, wanted));
        assert_eq!(told(&same), told(&expected), "{class:?} {now} {query:?}");
        let is_by_road = |option: &&CareOption| option.parts.travel_method != TravelMethod::StraightLine;
        by_road += same.options.iter().filter(is_by_road).count();
        misses += expected.near_misses.len();
    }
    assert!(by_road > 100 && misses > 60, "{by_road} options and {misses} near misses prove little");
}
