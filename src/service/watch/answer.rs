//! The answer of a watch as it is now: by the road times of its first answer and those that are known since.

use std::sync::Arc;

use arc_swap::Guard;

use super::Watch;
use crate::domain::answer::CareAnswer;
use crate::domain::road::Journey;
use crate::domain::time::UtcInstant;
use crate::service::policy::InForce;

impl Watch {
    /// The answer, and the policies under which it is given. Only the first one asks for road times.
    pub(super) async fn answered(&mut self, now: UtcInstant) -> (Arc<InForce>, CareAnswer) {
        let (service, query) = (&self.service, &self.query);
        let (in_force, answer) = match (service.roads(), &self.first_roads) {
            (None, _) => service.answered(query, now),
            (Some(roads), None) => {
                let (in_force, answer, times) = service.answered_asking(query, now, roads).await;
                self.first_roads = Some((times, now));
                return (in_force, answer);
            }
            (Some(roads), Some((first, asked_at))) => {
                let first = first.later(now.seconds_since(*asked_at));
                let known = |from, wanted: &[Journey]| first.clone().or(&roads.known(from, wanted, now));
                service.answered_by(query, now, |finder| finder.find_knowing(query, now, known))
            }
        };
        (Guard::into_inner(in_force), answer)
    }
}
