//! One look at every schedule: what is free of each need, by CPTS and band of ages, and by place.
//!
//! Invariant: free is what a regulator of the CPTS could give now: a unit that nobody has, of a schedule that is believed, that
//! somebody may see; whatever the modality and with or without appointment. The patient's way there is not known and not counted.
//! Deliberately absent: anything that outlives the look.

use std::sync::Arc;

use chrono_tz::Tz;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::domain::code::{
    AppointmentType, CareLevel, PatientCategory, Priority, Specialty, SpecialtySet, Visibility, VisibilitySet,
};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place};
use crate::domain::id::{PlaceId, TerritoryId};
use crate::domain::offer::{Offer, Opening, Practice};
use crate::domain::patient::Age;
use crate::domain::slot::ClaimState;
use crate::domain::source::{Confidence, Fading};
use crate::domain::tension::AskedFor;
use crate::domain::time::{MS_PER_DAY, MS_PER_HOUR, UtcInstant};
use crate::index::Index;
use crate::routing::policy::{Facts, Policy, PolicySet};

/// The bands of ages that are told apart.
pub const AGE_BANDS: [PatientCategory; 4] =
    [PatientCategory::Nourrisson, PatientCategory::Enfant, PatientCategory::Adulte, PatientCategory::Senior];

/// Who sees what a regulator sees who asks for the CPTS of the slot.
const SEEN: VisibilitySet =
    VisibilitySet::of(&[Visibility::Public, Visibility::Pro, Visibility::Snp, Visibility::Cpts]);
/// Units are counted in what begins within this time, in milliseconds.
const COUNTED_WITHIN_MS: i64 = MS_PER_DAY;

/// Needs that one practice serves: mostly one.
pub(super) type Needs = SmallVec<[AskedFor; 4]>;

/// What is free of a need.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Supply {
    first_at: UtcInstant,
    pub(super) free: u32,
    pub(super) schedules: u32,
    pub(super) silent: u32,
    /// The number of the schedule that was added last, so that one with two practices counts once; 0 for none.
    last: usize,
}

/// What of a CPTS was seen.
pub(super) struct TerritorySupply {
    fading: Fading,
    department_zone: Option<Tz>,
    /// The first by name, in whatever order schedules come.
    place_zone: Tz,
    /// Clinical delay by band of ages.
    pub(super) threshold_seconds: [u32; AGE_BANDS.len()],
    pub(super) needs: FxHashMap<AskedFor, [Supply; AGE_BANDS.len()]>,
}

/// What of a place was seen.
pub(super) struct PlaceSupply {
    pub(super) place: Arc<Place>,
    pub(super) territory: Option<TerritoryId>,
    pub(super) needs: SmallVec<[(AskedFor, Supply); 2]>,
}

/// What was seen.
pub(super) struct Survey {
    pub(super) territories: FxHashMap<TerritoryId, TerritorySupply>,
    pub(super) places: FxHashMap<PlaceId, PlaceSupply>,
    /// Threshold of places of no CPTS.
    pub(super) national_threshold_seconds: u32,
    /// Holds that live.
    pub(super) live_hold_count: u64,
    /// When holds ended by themselves, of the last hour; a slot remembers so many.
    pub(super) hold_ends: Vec<UtcInstant>,
}

impl Default for Supply {
    fn default() -> Self {
        Self { first_at: UtcInstant::MAX, free: 0, schedules: 0, silent: 0, last: 0 }
    }
}

impl Supply {
    /// When the first free slot begins.
    pub(super) fn first_at(&self) -> Option<UtcInstant> {
        (self.first_at < UtcInstant::MAX).then_some(self.first_at)
    }

    /// A schedule, by its number from 1, has this, or is silent.
    fn add(&mut self, opened: &Opened, is_silent: bool, number: usize) {
        let is_new = u32::from(self.last != number);
        self.last = number;
        self.schedules += is_new;
        if is_silent {
            self.silent += is_new;
            return;
        }
        self.first_at = self.first_at.min(opened.first_at);
        self.free = self.free.saturating_add(opened.free);
    }
}

/// What a schedule has of one practice.
#[derive(Clone, Copy)]
struct Opened {
    first_at: UtcInstant,
    free: u32,
    /// Whether any slot is of this practice, free or not.
    has_slots: bool,
}

impl Opened {
    const NOTHING: Self = Self { first_at: UtcInstant::MAX, free: 0, has_slots: false };
}

impl Survey {
    /// Looks at every schedule at an instant.
    pub(super) fn of(index: &Index, policies: &PolicySet, now: UtcInstant) -> Self {
        let national = policies.national();
        let mut survey = Self {
            territories: FxHashMap::default(),
            places: FxHashMap::default(),
            national_threshold_seconds: threshold_seconds(national, PatientCategory::Adulte),
            live_hold_count: 0,
            hold_ends: Vec::new(),
        };
        let mut by_practice = Vec::new();
        for (offer, number) in index.offers().zip(1..) {
            survey.note_holds(&offer, now);
            open(&offer, now, &mut by_practice);
            let bands = bands_of(&offer.limits);
            for (at, opened) in by_practice.iter().enumerate() {
                let practice = at.checked_sub(1).and_then(|other| offer.row.practices.get(other));
                let practice = practice.unwrap_or(&offer.practice);
                // A schedule whose slots all say what they are says nothing itself.
                if opened.has_slots || offer.row.openings().is_empty() {
                    survey.add((&offer, practice, number), opened, bands, (index, policies, now));
                }
            }
        }
        survey
    }

    fn note_holds(&mut self, offer: &Offer, now: UtcInstant) {
        for claim in offer.row.claims() {
            match claim.state_at(now) {
                ClaimState::Held => self.live_hold_count += 1,
                ClaimState::Expired if now.ms_since(claim.expires_at) < MS_PER_HOUR => {
                    self.hold_ends.push(claim.expires_at);
                }
                ClaimState::Expired
                | ClaimState::Booked
                | ClaimState::ToReplace
                | ClaimState::Released
                | ClaimState::Cancelled
                | ClaimState::Quarantined => {}
            }
        }
    }

    fn add(
        &mut self,
        (offer, practice, number): (&Offer, &Practice, usize),
        opened: &Opened,
        bands: [bool; AGE_BANDS.len()],
        (index, policies, now): (&Index, &PolicySet, UtcInstant),
    ) {
        let needs = needs_of(practice);
        let mut is_silent = offer.confidence(now, &policies.national().fading) == Confidence::Hidden;
        for (at, id) in practice.territories.iter().enumerate() {
            let territory = self
                .territories
                .entry(*id)
                .or_insert_with(|| TerritorySupply::new(id, offer.place.zone, (index, policies)));
            if offer.place.zone.name() < territory.place_zone.name() {
                territory.place_zone = offer.place.zone;
            }
            let is_silent_there = offer.confidence(now, &territory.fading) == Confidence::Hidden;
            if at == 0 {
                is_silent = is_silent_there;
            }
            for need in &needs {
                let supplies = territory.needs.entry(*need).or_default();
                let served = supplies.iter_mut().zip(bands).filter(|(_, serves)| *serves);
                served.for_each(|(supply, _)| supply.add(opened, is_silent_there, number));
            }
        }
        if offer.place.position.is_none() {
            return;
        }
        let place = self.places.entry(offer.place.id.clone()).or_insert_with(|| PlaceSupply {
            place: Arc::clone(&offer.place),
            territory: None,
            needs: SmallVec::new(),
        });
        // The first of them all, in whatever order schedules come.
        place.territory = place.territory.into_iter().chain(practice.territories.first().copied()).min();
        for need in needs {
            let known = place.needs.iter().position(|(known, _)| *known == need);
            let at = known.unwrap_or_else(|| {
                place.needs.push((need, Supply::default()));
                place.needs.len() - 1
            });
            if let Some((_, supply)) = place.needs.get_mut(at) {
                supply.add(opened, is_silent, number);
            }
        }
    }
}

impl TerritorySupply {
    /// Where its times are read.
    pub(super) fn zone(&self) -> Tz {
        self.department_zone.unwrap_or(self.place_zone)
    }

    fn new(id: &TerritoryId, place_zone: Tz, (index, policies): (&Index, &PolicySet)) -> Self {
        let department = index.territory(id).and_then(|territory| territory.value.department());
        let policy = policies.of_territory(Some(*id), department);
        Self {
            fading: policy.fading,
            department_zone: department.map(Department::zone),
            place_zone,
            threshold_seconds: AGE_BANDS.map(|band| threshold_seconds(policy, band)),
            needs: FxHashMap::default(),
        }
    }
}

/// The clinical delay of a question with care level R3 that says nothing else, for somebody in the middle of a band of ages.
fn threshold_seconds(policy: &Policy, band: PatientCategory) -> u32 {
    let age = Age::range_of(band).map(|ages| Age::from_days(ages.start.days().midpoint(ages.end.days())));
    let facts = Facts { care_level: CareLevel::R3, priority: Priority::NR, motive: None, age };
    policy.delay(&facts).map_or(0, |delay| delay.minutes.saturating_mul(60))
}

/// What is free of each practice of a schedule: its own first, then those of its row.
fn open(offer: &Offer, now: UtcInstant, by_practice: &mut Vec<Opened>) {
    by_practice.clear();
    by_practice.resize(1 + offer.row.practices.len(), Opened::NOTHING);
    let running = offer.row.first_running_at(now);
    let until = now.plus_ms(COUNTED_WITHIN_MS);
    for (at, opening) in offer.row.openings().iter().enumerate() {
        let practice = usize::from(opening.kind.practice);
        let practice = if practice <= offer.row.practices.len() { practice } else { 0 };
        let Some(opened) = by_practice.get_mut(practice) else { continue };
        opened.has_slots = true;
        let Some(begins_at) = Some(opening).filter(|_| at >= running).and_then(|opening| begins_at(opening, now))
        else {
            continue;
        };
        opened.first_at = opened.first_at.min(begins_at);
        if begins_at < until {
            let free = offer.row.remaining_count(at, now);
            opened.free = opened.free.saturating_add(u32::try_from(free).unwrap_or(u32::MAX));
        }
    }
}

/// When care could begin in a slot that is free now; `None` when it cannot.
fn begins_at(opening: &Opening, now: UtcInstant) -> Option<UtcInstant> {
    if opening.free_from() > now || !opening.kind.visibilities().intersects(SEEN) {
        return None;
    }
    match opening.kind.appointment_type() {
        AppointmentType::Routine => (opening.start_at >= now).then_some(opening.start_at),
        AppointmentType::Walkin => (opening.end_at() > now).then_some(opening.start_at.max(now)),
    }
}

/// The needs that a practice serves: its specialties, else its professions; whoever says neither is taken for a general
/// practitioner, as matching does.
fn needs_of(practice: &Practice) -> Needs {
    let general = || Specialty::parse("SM54").ok().map(AskedFor::Specialty);
    if practice.is_unspecified() {
        return general().into_iter().collect();
    }
    if practice.specialties.is_empty() {
        return practice.professions.iter().map(AskedFor::Profession).collect();
    }
    let others: SpecialtySet = practice.specialties.iter().filter(|one| !one.is_general_practice()).collect();
    let is_general = practice.specialties.iter().any(Specialty::is_general_practice);
    let general = is_general.then(general).flatten();
    general.into_iter().chain(others.iter().map(AskedFor::Specialty)).collect()
}

/// Which bands of ages a schedule serves: those of which it takes at least half, so that a paediatrician who sees patients until
/// they are 18 is not the adults', and a general practitioner who sees them from three months on is the infants'.
fn bands_of(limits: &PatientLimits) -> [bool; AGE_BANDS.len()] {
    AGE_BANDS.map(|band| {
        let Some(ages) = Age::range_of(band) else { return false };
        let (from, until) = (ages.start.days(), ages.end.days());
        let first = limits.min_age.map_or(from, |min| min.days().max(from));
        let end = limits.max_age.map_or(until, |max| max.days().saturating_add(1).min(until));
        2 * u64::from(end.saturating_sub(first)) >= u64::from(until - from)
    })
}
