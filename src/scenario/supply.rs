//! Reads who gives care, where and when: places, professionals, schedules and their slots, with sensible defaults.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::fields::{Fields, Item};
use super::given::{GivenSchedule, GivenSlot, known, parse_zone};
use super::local_time::LocalTime;
use super::town::{Town, Towns};
use super::words::{age, need};
use crate::domain::code::{
    AppointmentType, Modality, ModalitySet, Profession, Sex, Specialty, SpecialtySet, Visibility, VisibilitySet,
};
use crate::domain::directory::{PatientLimits, Place, Practitioner, Schedule, Territory, sex_bit};
use crate::domain::geo::GeoPoint;
use crate::domain::id::{PlaceId, PractitionerId, ScheduleId, SlotId, SourceId, TerritoryId};
use crate::domain::patient::{Language, Need, NeedSet};
use crate::domain::slot::{Published, SlotTraits};
use crate::domain::time::{UtcInstant, Window};

/// Most units of a slot in a scenario.
const CAPACITY_MAX: u32 = 100;
/// Source of schedules that name none.
const SOURCE_DEFAULT: &str = "scenario";
/// Specialty of whoever does not say: general practice.
const SPECIALTY_DEFAULT: &str = "SM54";
/// Farthest home visits of a schedule, in metres.
const HOME_VISIT_RADIUS_MAX_M: f64 = 300_000.0;

/// What schedules refer to.
pub(super) struct Around<'a> {
    pub(super) towns: &'a Towns,
    pub(super) now: UtcInstant,
    pub(super) territories: &'a BTreeMap<String, Territory>,
    pub(super) places: &'a mut BTreeMap<String, Place>,
    pub(super) practitioners: &'a mut BTreeMap<String, Practitioner>,
}

/// Reads the places that several schedules share.
pub(super) fn read_places(fields: &mut Fields<'_>, towns: &Towns) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    for (name, mut fields) in fields.named("places") {
        if let Some(place) = read_place(&mut fields, towns, name) {
            places.insert(name.to_owned(), place);
        }
        fields.finish();
    }
    places
}

fn read_place(fields: &mut Fields<'_>, towns: &Towns, name: &str) -> Option<Place> {
    if !fields.has("at") {
        fields.refuse("at", "is missing: say in which town");
    }
    let position = towns.position(fields, "at");
    let zone = fields.parsed("zone", parse_zone);
    let [met, unmet] = ["needs_met", "needs_unmet"].map(|key| NeedSet::of(&fields.all(key, need).unwrap_or_default()));
    if Need::ALL.iter().any(|need| met.contains(*need) && unmet.contains(*need)) {
        fields.refuse("needs_unmet", "a need is both met and not met");
    }
    let id = PlaceId::parse(name).map_err(|error| fields.refuse("at", error)).ok()?;
    let (town, position) = position?;
    Some(place(id, town, position, zone, [met, unmet]))
}

fn place(id: PlaceId, town: &Town, position: GeoPoint, zone: Option<chrono_tz::Tz>, needs: [NeedSet; 2]) -> Place {
    let department = town.commune.department();
    let [needs_met, needs_unmet] = needs;
    Place {
        name: Arc::from(format!("Cabinet {id}")),
        id,
        address: Arc::from(""),
        postal_code: Arc::from(""),
        city: Arc::from(town.name.as_str()),
        commune: Some(town.commune),
        department,
        position: Some(position),
        zone: zone.unwrap_or_else(|| department.zone()),
        structure: None,
        phone: None,
        needs_met,
        needs_unmet,
    }
}

/// Reads the professionals who have several schedules.
pub(super) fn read_practitioners(fields: &mut Fields<'_>) -> BTreeMap<String, Practitioner> {
    let mut practitioners = BTreeMap::new();
    for (name, mut fields) in fields.named("practitioners") {
        if let Some(practitioner) = read_practitioner(&mut fields, name) {
            practitioners.insert(name.to_owned(), practitioner);
        }
        fields.finish();
    }
    practitioners
}

fn read_practitioner(fields: &mut Fields<'_>, name: &str) -> Option<Practitioner> {
    let specialties =
        read_specialties(fields).or_else(|| Some(SpecialtySet::of(&[Specialty::parse(SPECIALTY_DEFAULT).ok()?])));
    let profession = fields.parsed("profession", Profession::parse);
    let languages = fields.all("languages", |text| Language::parse(text).ok_or("write two letters, for instance `ar`"));
    let id = PractitionerId::parse(&format!("internal:{name}")).map_err(|error| fields.refuse("specialties", error));
    Some(Practitioner {
        id: id.ok()?.value,
        family_name: Arc::from(name),
        given_name: Arc::from(""),
        profession,
        // A profession alone, such as a nurse's, is no general practice.
        specialties: if profession.is_some() && !fields.has("specialties") {
            SpecialtySet::EMPTY
        } else {
            specialties?
        },
        languages: languages.unwrap_or_default(),
        phone: None,
    })
}

fn read_specialties(fields: &mut Fields<'_>) -> Option<SpecialtySet> {
    fields.all("specialties", Specialty::parse).map(|all| SpecialtySet::of(&all))
}

impl Around<'_> {
    /// Reads the schedules; those that share nothing bring their place and their professional along.
    pub(super) fn read_schedules(&mut self, fields: &mut Fields<'_>) -> BTreeMap<String, GivenSchedule> {
        let mut schedules = BTreeMap::new();
        for (name, mut fields) in fields.named("schedules") {
            if let Some(schedule) = self.read_schedule(&mut fields, name) {
                schedules.insert(name.to_owned(), schedule);
            }
            fields.finish();
        }
        schedules
    }

    fn read_schedule(&mut self, fields: &mut Fields<'_>, name: &str) -> Option<GivenSchedule> {
        let place = self.place_of(fields, name);
        let practitioner_id = self.practitioner_of(fields, name);
        let local = LocalTime::at(place.as_ref().map_or(chrono_tz::Tz::UTC, |place| place.zone), self.now);
        let heard_at = fields.parsed("heard", |text| local.parse(text)).unwrap_or(self.now);
        if heard_at > self.now {
            fields.refuse("heard", "is after now");
        }
        let known_since = fields.parsed("known_since", |text| local.parse(text)).unwrap_or(heard_at);
        if known_since > heard_at {
            fields.refuse("known_since", "is after its source was last heard");
        }
        let territories = self.territories_of(fields);
        let (limits, home_visit_radius_m) = (read_limits(fields), read_home_visit_radius(fields));
        let traits = self.read_traits(fields, None);
        let schedule_id = refused(fields, ScheduleId::parse(name))?;
        let source = fields.text("source").unwrap_or(SOURCE_DEFAULT);
        let slots = self.read_slots(fields, &schedule_id, local, &traits);
        let schedule = Schedule {
            id: schedule_id,
            source_id: refused(fields, SourceId::parse(source))?,
            place_id: place?.id,
            practitioner_id,
            territories,
            specialties: SpecialtySet::EMPTY,
            limits,
            home_visit_radius_m,
            no_show_call_back: None,
            booking_url: Arc::from(""),
            source_revision: 0,
            received_at: heard_at,
            first_published_at: None,
        };
        Some(GivenSchedule { schedule, known_since, heard_at, local, slots })
    }

    fn place_of(&mut self, fields: &mut Fields<'_>, name: &str) -> Option<Place> {
        if !fields.has("place") {
            let place = read_place(fields, self.towns, name)?;
            self.places.insert(name.to_owned(), place.clone());
            return Some(place);
        }
        let places = &*self.places;
        fields.parsed("place", |shared| known(places, "place", shared).cloned())
    }

    fn practitioner_of(&mut self, fields: &mut Fields<'_>, name: &str) -> Option<PractitionerId> {
        if fields.flag("structure") == Some(true) {
            return None;
        }
        if fields.has("practitioner") {
            let practitioners = &*self.practitioners;
            return fields.parsed("practitioner", |shared| {
                known(practitioners, "practitioner", shared).map(|practitioner| practitioner.id.clone())
            });
        }
        let practitioner = read_practitioner(fields, name)?;
        let id = practitioner.id.clone();
        self.practitioners.insert(name.to_owned(), practitioner);
        Some(id)
    }

    fn territories_of(&self, fields: &mut Fields<'_>) -> Vec<TerritoryId> {
        let territories = self.territories;
        let named = |name: &str| known(territories, "territory", name).map(|territory| territory.id);
        fields.all("territories", named).unwrap_or_default()
    }

    /// What slots have in common, or what one has of its own over that.
    fn read_traits(&self, fields: &mut Fields<'_>, common: Option<&SlotTraits>) -> SlotTraits {
        let modalities = fields.all("modality", Modality::parse).map(|all| ModalitySet::of(&all));
        let visibilities = fields.all("visibility", Visibility::parse).map(|all| VisibilitySet::of(&all));
        let walk_in = fields.flag("walk_in");
        let walk_in = walk_in.map(|walk_in| if walk_in { AppointmentType::Walkin } else { AppointmentType::Routine });
        // On a schedule these belong to the schedule and to its professional.
        let own = common.map(|_| (read_specialties(fields).unwrap_or_default(), self.territories_of(fields)));
        let (specialties, territories) = own.unwrap_or_default();
        SlotTraits {
            modalities: modalities
                .or(common.map(|common| common.modalities))
                .unwrap_or(ModalitySet::of(&[Modality::Amb])),
            appointment_type: walk_in
                .or(common.map(|common| common.appointment_type))
                .unwrap_or(AppointmentType::Routine),
            visibilities: visibilities
                .or(common.map(|common| common.visibilities))
                .unwrap_or(VisibilitySet::of(&[Visibility::Snp])),
            specialties,
            territories,
            motives: Vec::new(),
            booking_url: Arc::from(""),
        }
    }

    fn read_slots(
        &self,
        fields: &mut Fields<'_>,
        schedule_id: &ScheduleId,
        local: LocalTime,
        common: &SlotTraits,
    ) -> Vec<GivenSlot> {
        let capacity = fields.whole("capacity", 1..=CAPACITY_MAX).unwrap_or(1);
        let items = fields.items("slots").unwrap_or_default();
        let mut slots = Vec::with_capacity(items.len());
        for (number, item) in (1..).zip(items) {
            let read = match item {
                Item::Text(text, at) => {
                    let window =
                        local.window(text).map_err(|error| fields.log().refuse(at, format!("`slots`: {error}")));
                    window.ok().map(|window| (window, common.clone(), [capacity, 0, 0]))
                }
                Item::Table(table) => self.read_slot(table, local, common, capacity),
            };
            let Some((window, traits, [capacity, booked, held])) = read else { continue };
            let Some(id) = refused(fields, SlotId::parse(&format!("{schedule_id}/{number}"))) else { continue };
            let published = published(id, schedule_id, window, traits, capacity);
            slots.push(GivenSlot { published, booked, held });
        }
        slots
    }

    fn read_slot(
        &self,
        mut fields: Fields<'_>,
        local: LocalTime,
        common: &SlotTraits,
        capacity: u32,
    ) -> Option<(Window, SlotTraits, [u32; 3])> {
        if !fields.has("at") {
            fields.refuse("at", "is missing: say when the slot is");
        }
        let window = fields.parsed("at", |text| local.window(text));
        let traits = self.read_traits(&mut fields, Some(common));
        let capacity = fields.whole("capacity", 1..=CAPACITY_MAX).unwrap_or(capacity);
        let booked = fields.whole("booked", 0..=capacity).unwrap_or(0);
        let held = fields.whole("held", 0..=capacity.saturating_sub(booked)).unwrap_or(0);
        fields.finish();
        Some((window?, traits, [capacity, booked, held]))
    }
}

fn published(id: SlotId, schedule_id: &ScheduleId, window: Window, traits: SlotTraits, capacity: u32) -> Published {
    let capacity = u16::try_from(capacity).unwrap_or(u16::MAX);
    Published { id, schedule_id: schedule_id.clone(), window, capacity, traits: Arc::new(traits) }
}

fn read_limits(fields: &mut Fields<'_>) -> PatientLimits {
    let sexes = fields.all("sexes", Sex::parse).unwrap_or_default();
    PatientLimits {
        min_age: fields.parsed("min_age", age),
        max_age: fields.parsed("max_age", age),
        sexes: sexes.into_iter().fold(0, |bits, sex| bits | sex_bit(sex)),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn read_home_visit_radius(fields: &mut Fields<'_>) -> Option<u32> {
    let metres = fields.decimal("home_visit_radius_km")? * 1_000.0;
    if !(0.0..=HOME_VISIT_RADIUS_MAX_M).contains(&metres) {
        fields.refuse("home_visit_radius_km", "give 0 to 300 kilometres");
        return None;
    }
    Some(metres.round() as u32)
}

/// What an identifier is made of is the short name of its table.
fn refused<T, E: Display>(fields: &Fields<'_>, parsed: Result<T, E>) -> Option<T> {
    parsed.map_err(|error| fields.log().refuse(fields.at(), error.to_string())).ok()
}
