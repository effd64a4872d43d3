//! The answer of a watch as it is now: by the road times of its first answer and those that are known since.

use std::cell::RefCell;
use std::sync::Arc;

use arc_swap::Guard;

use super::Watch;
use crate::domain::answer::CareAnswer;
use crate::domain::road::{Journey, RoadTimes};
use crate::domain::time::UtcInstant;
use crate::service::policy::InForce;
use crate::trace::timed;

impl Watch {
    /// The answer, the policies under which it is given, and the road times by which. Only the first one asks for these.
    pub(super) async fn answered(&mut self, now: UtcInstant) -> (Arc<InForce>, CareAnswer, RoadTimes) {
        let (service, query) = (&self.service, &self.query);
        match (service.roads(), &self.first_roads) {
            (None, _) => {
                let (in_force, answer) = timed("watch.answer", || service.answered(query, now));
                (Guard::into_inner(in_force), answer, RoadTimes::default())
            }
            (Some(roads), None) => {
                let (in_force, answer, times) = service.answered_asking(query, now, roads).await;
                self.first_roads = Some((times.clone(), now));
                (in_force, answer, times)
            }
            (Some(roads), Some((first, asked_at))) => {
                let times = RefCell::new(first.later(now.seconds_since(*asked_at)));
                let known = |from, wanted: &[Journey]| {
                    let together = times.take().or(&roads.known(from, wanted, now));
                    times.replace(together.clone());
                    together
                };
                let (in_force, answer) = timed("watch.answer", || {
                    service.answered_by(query, now, |finder| finder.find_knowing(query, now, known))
                });
                (Guard::into_inner(in_force), answer, times.into_inner())
            }
        }
    }
}
