//! What happens after the first answer, one thing a step, and what must come of it.

use toml::de::DeTable;

use super::act::Act;
use super::expectation::Expectation;
use super::fields::Fields;
use super::given::Given;
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
    /// Schedules that a refused hold or rebooking names instead.
    pub(super) alternatives: Option<Vec<String>>,
    /// The question of this step; the scenario's unless it says otherwise.
    pub(super) query: Option<CareQuery>,
    pub(super) then: Option<Expectation>,
    /// Line in the file.
    pub(super) line: usize,
}

impl Step {
    /// Reads a step; one that neither does nor asks anything is refused.
    pub(super) fn read<'t>(mut fields: Fields<'t>, when: &[&'t DeTable<'t>], given: &Given, towns: &Towns) -> Self {
        let line = fields.log().line(fields.at());
        let before = fields.log().count();
        let act = Act::read(&mut fields, given);
        let is_readable = fields.log().count() == before;
        let is_known = |code: &str| Reason::parse(code).ok_or_else(|| format!("unknown reason `{code}`"));
        let refused = fields.parsed("refused", is_known);
        if refused.is_some() && act.as_ref().is_none_or(|act| matches!(act, Act::Wait(_))) {
            fields.refuse("refused", "nothing is done in this step that could be refused");
        }
        let alternatives = fields.all("alternatives", |name| given.schedule(name).map(|_| name.to_owned()));
        if alternatives.is_some() && !(refused.is_some() && matches!(act, Some(Act::Hold(..) | Act::Rebook { .. }))) {
            fields.refuse("alternatives", "only a refused hold or rebooking names alternatives");
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
        } else if is_readable && act.is_none() && then.is_none() && refused.is_none() {
            fields.log().refuse(fields.at(), "the step does nothing and states nothing");
        }
        fields.finish();
        Self { act, refused, alternatives, query, then, line }
    }

    /// Whether anything may come out otherwise than stated.
    pub(super) const fn states(&self) -> bool {
        self.refused.is_some() || self.then.is_some()
    }
}
