//! Builds a plan row by row; the readers share it.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::entry::{Entries, same_agenda, unite};
use super::{ImportPlan, Origin, PlannedSlot, SlotNaming, identity, window_message};
use crate::cli::import::finding::Findings;
use crate::cli::import::positions::{Found, Positions};
use crate::cli::import::wording::Kind;
use crate::cli::import::{ImportOptions, Reason, RowReport, SLOTS_MAX, Severity};
use crate::domain::time::Window;
use crate::proto::routing as pb;

/// Most specialties of a professional, schedule or slot.
const SPECIALTIES_MAX: usize = 20;
/// Most territories of a schedule or slot.
const TERRITORIES_MAX: usize = 10;

/// A slot that a reader read.
#[derive(Clone, Debug)]
pub(crate) struct SlotDraft {
    /// What will be sent; window and identifier are set by the builder.
    pub(crate) input: pb::SlotInput,
    /// When care is given.
    pub(crate) window: Window,
    /// Zone of the place.
    pub(crate) zone: Tz,
    /// How it is named.
    pub(crate) naming: SlotNaming,
}

/// A plan that grows.
#[derive(Debug, Default)]
pub(crate) struct PlanBuilder {
    territories: Entries<pb::Territory>,
    places: Entries<pb::Place>,
    practitioners: Entries<pb::Practitioner>,
    schedules: Entries<pb::Schedule>,
    emergency_sites: Entries<pb::EmergencySite>,
    slots: Vec<PlannedSlot>,
    slot_by_id: HashMap<String, usize>,
    row_reports: Vec<RowReport>,
}

impl PlanBuilder {
    /// Nothing planned yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A place as stated so far.
    pub(crate) fn place(&self, id: &str) -> Option<&pb::Place> {
        self.places.get(id)
    }

    /// Takes what is said of rows.
    pub(crate) fn report(&mut self, reports: Vec<RowReport>) {
        self.row_reports.extend(reports);
    }

    /// Takes a territory.
    pub(crate) fn state_territory(&mut self, findings: &mut Findings, territory: pb::Territory) {
        let id = territory.territory_id.clone();
        let differing = self.territories.state(findings.origin(), territory);
        warn_conflict(findings, Kind::Territory, &id, &differing);
    }

    /// Takes a place that stands at `origin`, which in a Bundle is an entry of its own.
    pub(crate) fn state_place(&mut self, findings: &mut Findings, origin: &Origin, place: pb::Place) {
        let id = place.place_id.clone();
        let differing = self.places.state(origin, place);
        warn_conflict(findings, Kind::Place, &id, &differing);
    }

    /// Takes a professional that stands at `origin`, which in a Bundle is an entry of its own.
    pub(crate) fn state_practitioner(
        &mut self,
        findings: &mut Findings,
        origin: &Origin,
        practitioner: pb::Practitioner,
    ) {
        let id = practitioner.practitioner_id.clone();
        let differing = self.practitioners.state(origin, practitioner);
        warn_conflict(findings, Kind::Practitioner, &id, &differing);
    }

    /// Refuses the row when the schedule was stated before with another place, professional or other patients.
    pub(crate) fn check_schedule(&self, findings: &mut Findings, schedule: &pb::Schedule) {
        let Some(kept) = self.schedules.get(&schedule.schedule_id) else { return };
        let differing = same_agenda(kept, schedule);
        if !differing.is_empty() {
            let message = format!(
                "schedule `{}` was stated before with another {}: give these openings a schedule_id of their own",
                schedule.schedule_id,
                differing.join(", ")
            );
            let field = Kind::Schedule.field("schedule_id", findings.origin());
            findings.refuse(field, Reason::Conflict, message);
        }
    }

    /// Takes a schedule that [`Self::check_schedule`] let pass.
    pub(crate) fn state_schedule(&mut self, findings: &mut Findings, schedule: pb::Schedule) {
        let id = schedule.schedule_id.clone();
        let differing = self.schedules.state(findings.origin(), schedule);
        warn_conflict(findings, Kind::Schedule, &id, &differing);
    }

    /// Takes an emergency site, refused when it was stated before with other content.
    pub(crate) fn state_emergency_site(&mut self, findings: &mut Findings, site: pb::EmergencySite) {
        let id = site.emergency_site_id.clone();
        if !self.emergency_sites.state(findings.origin(), site).is_empty() {
            let message = format!("emergency site `{id}` was stated before with other content: keep one of the rows");
            findings.refuse("place_id", Reason::Conflict, message);
        }
    }

    /// Takes a slot; its territories and specialties are added to its schedule's. True when it was added.
    pub(crate) fn state_slot(&mut self, findings: &mut Findings, draft: SlotDraft) -> bool {
        let SlotDraft { mut input, window, zone, naming } = draft;
        input.window = Some(window_message(window));
        input.slot_id = match &naming {
            SlotNaming::Derived => identity::slot_id(&input.schedule_id, window.start_at(), &input.modalities),
            SlotNaming::Given(id) => id.clone(),
        };
        if self.slots.len() >= SLOTS_MAX {
            findings.refuse("", Reason::TooMany, format!("the file gives more than {SLOTS_MAX} slots: split it"));
            return false;
        }
        if let Some(kept) = self.slot_by_id.get(&input.slot_id).and_then(|place| self.slots.get(*place)) {
            let message = format!("slot `{}` was stated before at {}: keep one of them", input.slot_id, kept.origin);
            findings.refuse("", Reason::DuplicateSlot, message);
            return false;
        }
        self.add_to_schedule(&input);
        self.slot_by_id.insert(input.slot_id.clone(), self.slots.len());
        self.slots.push(PlannedSlot { origin: findings.origin().clone(), input, window, zone, naming });
        true
    }

    /// A schedule offers what its slots offer; specialties belong to the professional when there is one.
    fn add_to_schedule(&mut self, slot: &pb::SlotInput) {
        let Some(schedule) = self.schedules.get_mut(&slot.schedule_id) else { return };
        unite(&mut schedule.territory_ids, &slot.territory_ids, TERRITORIES_MAX);
        match self.practitioners.get_mut(&schedule.practitioner_id) {
            Some(practitioner) => unite(&mut practitioner.specialties, &slot.specialties, SPECIALTIES_MAX),
            None => unite(&mut schedule.specialties, &slot.specialties, SPECIALTIES_MAX),
        }
    }

    /// The plan: positions looked up, names that nobody gave filled in, what slots share with their schedule left to it.
    pub(crate) fn finish(mut self, options: &ImportOptions) -> ImportPlan {
        for index in 0..self.places.list.len() {
            self.complete_place(index, options);
        }
        self.complete_names();
        self.leave_shared_to_schedules();
        self.row_reports.sort_by(|left, right| left.origin.cmp(&right.origin));
        ImportPlan {
            territories: self.territories.list,
            places: self.places.list,
            practitioners: self.practitioners.list,
            schedules: self.schedules.list,
            emergency_sites: self.emergency_sites.list,
            slots: self.slots,
            row_reports: self.row_reports,
        }
    }

    fn complete_place(&mut self, index: usize, options: &ImportOptions) {
        let Some(planned) = self.places.list.get_mut(index) else { return };
        let place = &mut planned.message;
        if place.name.is_empty() {
            let parts = [place.address.as_str(), place.city.as_str()];
            place.name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            if place.name.is_empty() {
                place.name.clone_from(&place.place_id);
            }
            place.name = place.name.chars().take(200).collect();
        }
        if place.position.is_some() {
            return;
        }
        let report = locate(place, options.id_prefix.as_deref(), &options.positions, &planned.origin);
        self.row_reports.extend(report);
    }

    fn complete_names(&mut self) {
        let territories = self.territories.list.iter_mut().filter(|planned| planned.message.name.is_empty());
        for planned in territories {
            planned.message.name = format!("CPTS {}", planned.message.territory_id);
            self.row_reports.push(no_name(
                &planned.origin,
                Kind::Territory.field("name", &planned.origin),
                &planned.message.name,
            ));
        }
        let practitioners = self.practitioners.list.iter_mut().filter(|planned| planned.message.family_name.is_empty());
        for planned in practitioners {
            planned.message.family_name = planned.message.practitioner_id.chars().take(100).collect();
            let field = Kind::Practitioner.field("family_name", &planned.origin);
            self.row_reports.push(no_name(&planned.origin, field, &planned.message.family_name));
        }
    }

    fn leave_shared_to_schedules(&mut self) {
        for planned in &mut self.slots {
            let input = &mut planned.input;
            let Some(schedule) = self.schedules.get(&input.schedule_id) else { continue };
            let practitioner = self.practitioners.get(&schedule.practitioner_id);
            let offered = practitioner.map_or(&schedule.specialties, |practitioner| &practitioner.specialties);
            if same_set(&input.specialties, offered) {
                input.specialties.clear();
            }
            if same_set(&input.territory_ids, &schedule.territory_ids) {
                input.territory_ids.clear();
            }
        }
    }
}

fn same_set(left: &[String], right: &[String]) -> bool {
    left.len() == right.len() && left.iter().all(|value| right.contains(value))
}

/// Gives a place the position that was given for it or its town; the doubt about it, if any.
fn locate(place: &mut pb::Place, prefix: Option<&str>, positions: &Positions, origin: &Origin) -> Option<RowReport> {
    let own_id = prefix.and_then(|prefix| place.place_id.strip_prefix(prefix)?.strip_prefix(':'));
    let ids = [place.place_id.as_str(), own_id.unwrap_or_default()];
    let field = Kind::Place.field("position", origin);
    let warning =
        |reason, message: String| Some(RowReport::new(origin.clone(), Severity::Warning, field, reason, message));
    match positions.find(ids, &place.postal_code, &place.city) {
        Some(Found::Place(point)) => {
            place.position = Some(pb::GeoPoint { latitude: point.latitude(), longitude: point.longitude() });
            None
        }
        Some(Found::Town(point, town)) => {
            place.position = Some(pb::GeoPoint { latitude: point.latitude(), longitude: point.longitude() });
            let message = format!(
                "place `{}` has no position; the approximate centre of {town} was taken: give its own to be exact",
                place.place_id
            );
            warning(Reason::ApproximatePosition, message)
        }
        None => {
            let message = format!(
                "place `{}` has no position and is offered for teleconsultation only: give its latitude and longitude",
                place.place_id
            );
            warning(Reason::NoPosition, message)
        }
    }
}

fn no_name(origin: &Origin, field: &str, stand_in: &str) -> RowReport {
    let message = format!("no name is given, `{stand_in}` is shown instead: add the name");
    RowReport::new(origin.clone(), Severity::Warning, field, Reason::NoName, message)
}

fn warn_conflict(findings: &mut Findings, kind: Kind, id: &str, differing: &[&str]) {
    if !differing.is_empty() {
        let field = kind.field("", findings.origin());
        let message = format!("`{id}` was stated before with another {}; the first stands", differing.join(", "));
        findings.warn(field, Reason::Conflict, message);
    }
}
