//! What physicians and territories may want otherwise, as data: red flags, delays, suitable modalities, paces, costs.
//!
//! Invariant: a [`Policy`] is valid as a whole and never changes; another version is another value. The national one is
//! compiled in (`policy/national.toml`), a territory's file says only what differs.
//! Deliberately absent: reading files, and choosing the version in force.

mod digest;
mod pace;
mod problem;
mod read;
mod reader;
mod rules;
mod set;
mod tree;
mod when;

use std::sync::{Arc, LazyLock};

use crate::domain::answer::PolicyRule;
use crate::domain::code::{Priority, Role};
use crate::domain::id::TerritoryId;
use crate::domain::query::CareQuery;
use crate::domain::source::Fading;

pub use pace::{DensityClass, Pace, TravelPolicy};
pub use problem::{Place, PolicyProblem, PolicyProblems};
pub use rules::{DelayRule, ModalityRule, RedFlag};
pub use set::{PolicyScope, PolicySet, ScopedPolicy};
pub use when::{Facts, When};

/// The national policy that ships.
pub const NATIONAL_TOML: &str = include_str!("policy/national.toml");
/// The name under which its problems are reported.
pub const NATIONAL_FILE: &str = "national.toml (compiled in)";

/// A version of the figures and rules.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// Name of the version, as its file gives it.
    pub name: Arc<str>,
    /// The name and a digest of all that the policy says, stamped on every answer.
    pub version: Arc<str>,
    /// Motives and ages that decide alone; the first that holds.
    pub red_flags: Vec<RedFlag>,
    /// Clinical delays where the query gives none; the first that holds.
    pub delays: Vec<DelayRule>,
    /// Modalities that do not suit some patients; all that hold.
    pub modalities: Vec<ModalityRule>,
    /// From where teleconsultation is offered.
    pub teleconsultation: TeleconsultationRule,
    /// How long a hold lives in seconds where the request does not say, in the order of [`Priority::ALL`].
    pub hold_seconds: [u32; Priority::ALL.len()],
    /// Minutes between arrival and the start of an appointment, or between arrival and the end of a walk-in window.
    pub arrival_margin_minutes: u32,
    /// How many options are enough choice, so that the radius is not widened.
    pub enough_options: usize,
    /// How often the radius may be widened by its step.
    pub widened_max: u32,
    /// The step in per cent of the official one.
    pub step_percent: u32,
    /// How far home visits go when the schedule does not say, in metres.
    pub home_visit_radius_m: u32,
    /// How fast people travel.
    pub travel: TravelPolicy,
    /// Cost in seconds of leaving the patient's territory for a neighbour.
    pub neighbour_cost_seconds: u32,
    /// Cost in seconds of leaving it for any other.
    pub other_territory_cost_seconds: u32,
    /// Territories with which patients are shared, beside those that the directory names.
    pub neighbours: Vec<TerritoryId>,
    /// After how long belief in what a source said fades.
    pub fading: Fading,
    /// Cost in seconds of what is doubted.
    pub doubt_cost_seconds: u32,
    /// What is shown when nothing suits.
    pub fallback: Fallback,
    /// How equivalent professionals share.
    pub fairness: Fairness,
    /// How many options may be alike.
    pub diversity: Diversity,
}

/// From where teleconsultation is offered.
#[derive(Clone, PartialEq, Debug)]
pub struct TeleconsultationRule {
    /// Id and French text.
    pub rule: PolicyRule,
    /// A professional this near counts as of the patient's territory, in metres.
    pub near_m: u32,
    /// What of professionals beyond it.
    pub beyond: BeyondTerritory,
}

/// Whether teleconsultation from beyond the patient's territory is offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BeyondTerritory {
    /// When nothing else suits.
    LastResort,
    /// Not at all.
    Never,
    /// Like any other.
    Always,
}

/// Which emergency sites are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fallback {
    /// Most sites of each sort.
    pub sites_max: usize,
    /// Most closed sites, and most saturated ones beside enough others, shown so that nobody drives to one by mistake.
    pub closed_sites_max: usize,
    /// Sites beyond this distance in metres are left out when nearer ones take patients.
    pub far_m: u32,
}

/// How equivalent professionals share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fairness {
    /// Width of the steps of cost, in seconds: options of one step are equivalent; 0 when nothing is.
    pub equivalent_within_seconds: u32,
    /// In how many of 100 cases who was chosen least recently goes first, new or not; 100 with the next.
    pub least_recent_percent: u32,
    /// In how many of 100 cases newcomers go first, among them who was chosen least recently.
    pub newcomer_percent: u32,
    /// How many days after the first publication somebody is new.
    pub newcomer_days: u32,
}

/// How many options may be alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Diversity {
    /// Most options at one place.
    pub per_place_max: u32,
    /// Most options with one professional.
    pub per_practitioner_max: u32,
}

impl Default for Policy {
    /// The national policy that ships; a bare one should its text be spoilt, which a test excludes.
    fn default() -> Self {
        Self::shipped().map_or_else(|_| Self::bare(), |policy| Self::clone(&policy))
    }
}

static NATIONAL: LazyLock<Result<Arc<Policy>, PolicyProblems>> = LazyLock::new(|| {
    let set = PolicySet::load(&[])?;
    Ok(Arc::clone(set.national()))
});

impl Policy {
    /// The national policy that ships.
    ///
    /// # Errors
    /// Never, unless the compiled-in file was spoilt; a test reads it.
    pub fn shipped() -> Result<Arc<Self>, PolicyProblems> {
        NATIONAL.clone()
    }

    /// The rule by which a motive or an age decides, when one does.
    #[must_use]
    pub fn red_flag(&self, facts: &Facts) -> Option<&RedFlag> {
        rules::first(&self.red_flags, facts, |flag| &flag.when)
    }

    /// Clinical delay where the query gives none.
    #[must_use]
    pub fn delay(&self, facts: &Facts) -> Option<&DelayRule> {
        rules::first(&self.delays, facts, |delay| &delay.when)
    }

    /// The rules that leave modalities out for a query; a physician who asks for one modality alone may get it.
    pub fn unsuitable(&self, query: &CareQuery) -> impl Iterator<Item = &ModalityRule> {
        let facts = Facts::from(query);
        let asked = query.parts().modalities;
        let insists = query.role() == Role::Medecin && asked.iter().count() == 1;
        self.modalities.iter().filter(move |rule| {
            rule.when.holds(&facts) && !(insists && rule.physician_may_override) && rule.unsuitable.intersects(asked)
        })
    }

    /// How long a hold lives in seconds where the request does not say: the more urgent, the sooner it must be freed.
    #[must_use]
    pub fn hold_seconds(&self, priority: Priority) -> u32 {
        self.hold_seconds.get(usize::from(priority.index())).copied().unwrap_or(120)
    }

    /// A policy without rules: vital escalation, which is no policy, is all that is left beside plain figures.
    fn bare() -> Self {
        let rule =
            PolicyRule { id: Arc::from("teleconsultation.territory"), text: Arc::from("Territoire du patient.") };
        Self {
            name: Arc::from("bare"),
            version: Arc::from("bare"),
            red_flags: Vec::new(),
            delays: Vec::new(),
            modalities: Vec::new(),
            teleconsultation: TeleconsultationRule { rule, near_m: 0, beyond: BeyondTerritory::LastResort },
            hold_seconds: [120; Priority::ALL.len()],
            arrival_margin_minutes: 5,
            enough_options: 3,
            widened_max: 0,
            step_percent: 100,
            home_visit_radius_m: 0,
            travel: TravelPolicy::uniform(Pace::even(600, 180)),
            neighbour_cost_seconds: 0,
            other_territory_cost_seconds: 0,
            neighbours: Vec::new(),
            fading: Fading { uncertain_after_seconds: 0, hidden_after_seconds: 0, hidden_after_lease_seconds: 0 },
            doubt_cost_seconds: 0,
            fallback: Fallback { sites_max: 3, closed_sites_max: 0, far_m: 150_000 },
            fairness: Fairness {
                equivalent_within_seconds: 0,
                least_recent_percent: 100,
                newcomer_percent: 0,
                newcomer_days: 0,
            },
            diversity: Diversity { per_place_max: 20, per_practitioner_max: 20 },
        }
    }
}

#[cfg(test)]
mod tests;
