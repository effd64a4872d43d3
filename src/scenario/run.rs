//! Plays a scenario: opens its world, asks, compares, then goes through the steps.

use super::act::Act;
use super::check::{self, Difference};
use super::expectation::ExpectedOption;
use super::file::Scenario;
use super::given::{Given, GivenSchedule, known};
use super::step::Step;
use super::world::{World, defect};
use crate::domain::id::{ScheduleId, SlotId};
use crate::domain::policy::PolicyDocument;
use crate::domain::query::CareQuery;
use crate::service::{Error, Reason};

/// What became of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Where what is answered is not what is stated; empty when the scenario holds.
    pub differences: Vec<Difference>,
}

impl Verdict {
    /// Whether everything that is stated is so.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Plays a scenario under its own policy, else under the national one.
pub async fn run(scenario: &Scenario) -> Verdict {
    run_under(scenario, &[]).await
}

/// Plays a scenario under policies that are to be judged; one that keeps its own plays under that.
pub async fn run_under(scenario: &Scenario, candidate: &[PolicyDocument]) -> Verdict {
    let mut differences = Vec::new();
    let mut world = match World::open(&scenario.given, candidate).await {
        Ok(world) => world,
        Err(refusal) => {
            differences.push(Difference::new("given", "a world that the service accepts", refusal));
            return Verdict { differences };
        }
    };
    if let Some(then) = &scenario.then {
        differences.extend(check::answer(then, &world.service.find(&scenario.query), &scenario.given));
    }
    for (number, step) in (1..).zip(&scenario.steps) {
        let found = play(step, scenario, &mut world).await;
        let place = format!("step {number} (line {})", step.line);
        let is_over = found.iter().any(|difference| difference.what == ACT);
        differences.extend(found.into_iter().map(|difference| difference.within(&place)));
        if is_over {
            break;
        }
    }
    Verdict { differences }
}

/// What a difference in the act itself is called; nothing after it makes sense.
const ACT: &str = "act";

async fn play(step: &Step, scenario: &Scenario, world: &mut World) -> Vec<Difference> {
    let query = step.query.as_ref().unwrap_or(&scenario.query);
    let mut differences = Vec::new();
    if let Some(act) = &step.act {
        let error = perform(act, &scenario.given, query, world).await.err();
        let expected = step.refused.map_or("done", Reason::code);
        let actual = error.as_ref().map_or("done", |error| error.reason.code());
        if expected != actual {
            let said = error.as_ref().map(|error| format!("{actual}: {error}"));
            differences.push(Difference::new(ACT, expected, said.unwrap_or_else(|| actual.to_owned())));
            return differences;
        }
        if let (Some(expected), Some(error)) = (&step.alternatives, &error) {
            differences.extend(check::alternatives(expected, &error.alternatives));
        }
    }
    if let Some(then) = &step.then {
        differences.extend(check::answer(then, &world.service.find(query), &scenario.given));
    }
    differences
}

async fn perform(act: &Act, given: &Given, query: &CareQuery, world: &mut World) -> Result<(), Error> {
    match act {
        Act::Hold(slot, authority) => world.hold(&slot_id(given, slot)?, Some(query.clone()), authority.clone()).await,
        Act::Confirm(slot) => world.confirm(&slot_id(given, slot)?).await,
        Act::Release(slot) => world.release(&slot_id(given, slot)?).await,
        Act::Cancel(slot) => world.cancel(&slot_id(given, slot)?).await,
        Act::Rebook { booked, instead, authority } => {
            let (booked, instead) = (slot_id(given, booked)?, slot_id(given, instead)?);
            world.rebook(&booked, instead, query.clone(), authority.clone()).await
        }
        Act::Refuse(slot, reason) => world.refuse(&slot_id(given, slot)?, query, *reason).await,
        Act::Withdraw(slot) => world.withdraw(schedule(given, slot)?, &slot_id(given, slot)?).await,
        Act::Heartbeat { source, lease_seconds } => world.heartbeat(source, *lease_seconds).await,
        Act::Saturate { site, until } => {
            let site = known(&given.sites, "emergency site", site).map_err(defect)?;
            world.saturate(site, *until).await
        }
        Act::Wait(seconds) => {
            world.wait(*seconds);
            Ok(())
        }
    }
}

fn schedule<'g>(given: &'g Given, slot: &ExpectedOption) -> Result<&'g GivenSchedule, Error> {
    given.schedule(&slot.schedule).map_err(defect)
}

/// The slot that a step names; reading has made sure that there is one.
fn slot_id(given: &Given, slot: &ExpectedOption) -> Result<SlotId, Error> {
    let schedule = schedule(given, slot)?;
    let is_meant = |start_at| slot.at.is_none_or(|at| at == start_at);
    let found = schedule.slots.iter().find(|known| is_meant(known.published.window.start_at()));
    let id: &ScheduleId = &schedule.schedule.id;
    found.map(|slot| slot.published.id.clone()).ok_or_else(|| defect(format!("no such slot of `{id}`")))
}
