//! What happens after the first answer, one thing a step, and what must come of it.

use toml::de::DeTable;

use super::expectation::{Expectation, ExpectedOption, named_slot};
use super::fields::Fields;
use super::given::Given;
use super::local_time::seconds;
use super::question;
use super::town::Towns;
use crate::domain::query::CareQuery;
use crate::service::Reason;

/// One step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) act: Option<Act>,
    /// Why the act is refused; it must succeed when absent.
    pub(super) refused: Option<Reason>,
    /// Schedules that a refused hold names instead.
    pub(super) alternatives: Option<Vec<String>>,
    /// The question of this step; the scenario's unless it says otherwise.
    pub(super) query: Option<CareQuery>,
    pub(super) then: Option<Expectation>,
    /// Line in the file.
    pub(super) line: usize,
}

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Somebody holds a unit of a slot.
    Hold(ExpectedOption),
    /// The last hold on a slot becomes a booking.
    Confirm(ExpectedOption),
    /// The last hold on a slot is given back.
    Release(ExpectedOption),
    /// The last booking of a slot is cancelled.
    Cancel(ExpectedOption),
    /// The publisher takes a slot back.
    Withdraw(ExpectedOption),
    /// Time passes, in seconds.
    Wait(u32),
}

impl Step {
    /// Reads a step; one that neither does nor asks anything is refused.
    pub(super) fn read<'t>(mut fields: Fields<'t>, when: &[&'t DeTable<'t>], given: &Given, towns: &Towns) -> Self {
        let line = fields.log().line(fields.at());
        let slot = |text: &str| slot_of(text, given);
        let acts: Vec<Act> = [
            fields.parsed("hold", slot).map(Act::Hold),
            fields.parsed("confirm", slot).map(Act::Confirm),
            fields.parsed("release", slot).map(Act::Release),
            fields.parsed("cancel", slot).map(Act::Cancel),
            fields.parsed("withdraw", slot).map(Act::Withdraw),
            fields.parsed("wait", seconds).map(Act::Wait),
        ]
        .into_iter()
        .flatten()
        .collect();
        if acts.len() > 1 {
            fields.log().refuse(fields.at(), "does several things: make a step of each");
        }
        let is_known = |code: &str| Reason::parse(code).ok_or_else(|| format!("unknown reason `{code}`"));
        let refused = fields.parsed("refused", is_known);
        if refused.is_some() && !matches!(acts.first(), Some(act) if !matches!(act, Act::Wait(_))) {
            fields.refuse("refused", "nothing is done in this step that could be refused");
        }
        let alternatives = fields.all("alternatives", |name| given.schedule(name).map(|_| name.to_owned()));
        if alternatives.is_some() && !(refused.is_some() && matches!(acts.first(), Some(Act::Hold(_)))) {
            fields.refuse("alternatives", "only a refused hold names alternatives");
        }
        let query = fields.table("when").and_then(|own| {
            let layers = own.layers().iter().chain(when).copied().collect();
            let mut asked = Fields::new(layers, own.at(), own.log());
            let query = question::read(&mut asked, given, towns);
            asked.finish();
            query
        });
        let then = fields.table("then").map(|then| Expectation::read(then, given));
        if query.is_some() && then.is_none() {
            fields.refuse("when", "asks and states no answer: add `then`");
        } else if acts.is_empty() && then.is_none() && refused.is_none() {
            fields.log().refuse(fields.at(), "the step does nothing and states nothing");
        }
        fields.finish();
        Self { act: acts.into_iter().next(), refused, alternatives, query, then, line }
    }

    /// Whether anything may come out otherwise than stated.
    pub(super) const fn states(&self) -> bool {
        self.refused.is_some() || self.then.is_some()
    }
}

/// A slot by its schedule and time; the time may be left out when there is one slot only.
fn slot_of(text: &str, given: &Given) -> Result<ExpectedOption, String> {
    let named = named_slot(text, given)?;
    let slots = given.schedule(&named.schedule)?.slots.len();
    if named.at.is_none() && slots != 1 {
        return Err(format!("schedule `{}` has {slots} slots: say which, for instance `{0} 10:30`", named.schedule));
    }
    Ok(named)
}
