//! What a scenario is given: the moment, territories, places, professionals, schedules with their slots, emergency sites.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::emergency;
use super::fields::Fields;
use super::holiday;
use super::local_time::LocalTime;
use super::supply;
use super::town::Towns;
use crate::domain::department::Department;
use crate::domain::directory::{Place, Practitioner, Schedule, Territory};
use crate::domain::emergency::EmergencySite;
use crate::domain::id::{CommuneCode, TerritoryId};
use crate::domain::policy::PolicyDocument;
use crate::domain::slot::Published;
use crate::domain::time::{UtcInstant, civil_date, from_civil};
use crate::service::policy_problems;

/// The world before anybody asks.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) now: UtcInstant,
    /// The local times of whoever asks.
    pub(super) local: LocalTime,
    pub(super) territories: BTreeMap<String, Territory>,
    pub(super) places: BTreeMap<String, Place>,
    pub(super) practitioners: BTreeMap<String, Practitioner>,
    pub(super) schedules: BTreeMap<String, GivenSchedule>,
    pub(super) sites: BTreeMap<String, EmergencySite>,
    pub(super) policy: Option<GivenPolicy>,
}

/// A policy that a scenario gives.
#[derive(Clone, Debug)]
pub(super) struct GivenPolicy {
    pub(super) document: PolicyDocument,
    /// Whether it stands in place of a candidate.
    pub(super) kept: bool,
}

/// A schedule with its slots.
#[derive(Clone, Debug)]
pub(super) struct GivenSchedule {
    pub(super) schedule: Schedule,
    /// When it was first published; when its source was last heard unless given.
    pub(super) known_since: UtcInstant,
    /// When its source was last heard.
    pub(super) heard_at: UtcInstant,
    /// The local times of its place.
    pub(super) local: LocalTime,
    pub(super) slots: Vec<GivenSlot>,
}

/// A slot with what was claimed of it before anybody asks.
#[derive(Clone, Debug)]
pub(super) struct GivenSlot {
    pub(super) published: Published,
    pub(super) booked: u32,
    pub(super) held: u32,
}

/// What the reading of a world refers to.
pub(super) struct Context<'t> {
    pub(super) towns: &'t Towns,
    /// Where the patient is, when a town says so.
    pub(super) department: Option<Department>,
}

impl Given {
    /// Reads a world; `None` when it does not even say when it is.
    pub(super) fn read(mut fields: Fields<'_>, context: &Context<'_>) -> Option<Self> {
        let zone = fields.parsed("zone", parse_zone);
        let home = context.department.map_or(Tz::Europe__Paris, Department::zone);
        let zone = zone.unwrap_or(home);
        let now = read_now(&mut fields, zone);
        if let (Some(now), Some(name)) = (now, fields.text("holiday")) {
            let checked = match context.department {
                Some(department) => holiday::check(name, department, civil_date(zone, now)),
                None => Err("say in which town the patient is: holidays differ".to_owned()),
            };
            checked.unwrap_or_else(|error| fields.refuse("holiday", error));
        }
        let now = now?;
        let territories = read_territories(&mut fields, context.towns);
        let mut places = supply::read_places(&mut fields, context.towns);
        let mut practitioners = supply::read_practitioners(&mut fields);
        let mut around = supply::Around {
            towns: context.towns,
            now,
            territories: &territories,
            places: &mut places,
            practitioners: &mut practitioners,
        };
        let schedules = around.read_schedules(&mut fields);
        let sites = emergency::read_sites(&mut fields, context.towns, now);
        let policy = read_policy(&mut fields);
        fields.finish();
        let local = LocalTime::at(zone, now);
        Some(Self { now, local, territories, places, practitioners, schedules, sites, policy })
    }

    /// The schedule of a short name.
    pub(super) fn schedule(&self, name: &str) -> Result<&GivenSchedule, String> {
        known(&self.schedules, "schedule", name)
    }

    /// The identifier of the territory of a short name.
    pub(super) fn territory(&self, name: &str) -> Result<TerritoryId, String> {
        known(&self.territories, "territory", name).map(|territory| territory.id)
    }
}

/// What stands under a short name, or what to write instead.
pub(super) fn known<'m, T>(named: &'m BTreeMap<String, T>, kind: &str, name: &str) -> Result<&'m T, String> {
    let nearest = || named.keys().min_by_key(|known| strsim::osa_distance(name, known));
    named.get(name).ok_or_else(|| match nearest() {
        Some(nearest) => format!("unknown {kind} `{name}`; nearest known: `{nearest}`"),
        None => format!("unknown {kind} `{name}`: the scenario gives none"),
    })
}

/// A zone by its IANA name.
pub(super) fn parse_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("unknown zone `{text}`: give an IANA name such as Europe/Paris or Indian/Reunion"))
}

/// The policy that a scenario gives, as the text of a file; every problem with its line within the text.
fn read_policy(fields: &mut Fields<'_>) -> Option<GivenPolicy> {
    let kept = fields.flag("policy_kept");
    let Some(text) = fields.text("policy") else {
        if kept.is_some() {
            fields.refuse("policy_kept", "there is no `policy` to keep");
        }
        return None;
    };
    let document = PolicyDocument { name: Arc::from("policy"), text: Arc::from(text) };
    for problem in policy_problems(std::slice::from_ref(&document)) {
        fields.refuse("policy", problem.message);
    }
    Some(GivenPolicy { document, kept: kept.unwrap_or(false) })
}

fn read_now(fields: &mut Fields<'_>, zone: Tz) -> Option<UtcInstant> {
    if !fields.has("now") {
        fields.refuse("now", "is missing: say when it is, for instance \"2026-11-23 10:00\"");
    }
    fields.parsed("now", |text| {
        let expected = || format!("`{text}` is no day and time: write `2026-11-23 10:00`");
        if let Some(at) = UtcInstant::parse_rfc3339(text) {
            return Ok(at);
        }
        let civil = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").map_err(|_| expected())?;
        Ok::<_, String>(from_civil(zone, civil).chosen())
    })
}

fn read_territories(fields: &mut Fields<'_>, towns: &Towns) -> BTreeMap<String, Territory> {
    let named = fields.named("territories");
    let ids: BTreeMap<String, TerritoryId> = (1..)
        .zip(&named)
        .filter_map(|(number, (name, _)): (u32, _)| {
            // Numbers of no department, so that none is a CPTS' own.
            let id = TerritoryId::parse(&format!("99{number:07}")).ok()?.value;
            Some(((*name).to_owned(), id))
        })
        .collect();
    let mut territories = BTreeMap::new();
    for (name, mut fields) in named {
        let neighbours = fields.all("neighbours", |other| known(&ids, "territory", other).copied());
        let communes = fields.all("communes", |town| towns.get(town).map(|town| town.commune));
        let communes: Vec<CommuneCode> = communes.unwrap_or_default();
        fields.finish();
        let Some(id) = ids.get(name) else { continue };
        let territory = Territory {
            id: *id,
            name: Arc::from(format!("CPTS {name}")),
            communes,
            neighbours: neighbours.unwrap_or_default(),
            phone: None,
        };
        territories.insert(name.to_owned(), territory);
    }
    territories
}
