//! Answers written straight into bytes decode to the same messages as those of the generated code, whatever is in them.

use std::sync::Arc;

use proptest::prelude::*;
use prost::Message as _;

use super::messages::answer_to_proto;
use crate::domain::answer::*;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, Specialty, SpecialtySet, VisibilitySet};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place, Practitioner, Schedule};
use crate::domain::emergency::{
    AccessRules, Capabilities, EmergencyAccess, EmergencyCapability, EmergencySite, EmergencySiteKind,
};
use crate::domain::geo::{GeoPoint, PositionDoubt};
use crate::domain::id::{
    EmergencySiteId, PhoneNumber, PlaceId, PractitionerId, ScheduleId, SlotId, SourceId, TerritoryId,
};
use crate::domain::offer::{Offer, Territories};
use crate::domain::patient::{Need, NeedSet};
use crate::domain::record::Position;
use crate::domain::road::{RoadDoubt, TravelMethod};
use crate::domain::slot::{Published, Slot, SlotTraits};
use crate::domain::source::Confidence;
use crate::domain::time::{UtcInstant, Window};
use crate::grpc::convert::answer::write_answer;
use crate::grpc::wire::Written;
use crate::proto::routing as pb;

/// What an answer is made of, drawn one after the other; 0 when there is nothing left.
struct Draws(std::vec::IntoIter<u16>);

impl Draws {
    fn number(&mut self, below: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % below
    }

    fn flag(&mut self) -> bool {
        self.number(2) == 1
    }

    /// Small and great numbers, and 0.
    fn count(&mut self) -> u32 {
        [0, 1, 127, 128, 16_384, u32::MAX][self.number(6)]
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.number(all.len())]
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| draw(self))
    }

    fn some<T>(&mut self, most: usize, mut draw: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.number(most + 1)).map(|_| draw(self)).collect()
    }

    /// Empty, short, and as long as lengths of one, two and three bytes are.
    fn text(&mut self) -> String {
        let length = [0, 1, 20, 126, 127, 128, 300, 16_390][self.number(8)];
        "é".repeat(length / 2) + &"x".repeat(length % 2)
    }

    fn shared(&mut self) -> Arc<str> {
        self.text().into()
    }

    fn at(&mut self) -> UtcInstant {
        UtcInstant::from_ms([0, 1_795_431_600_000, 1_795_431_600_123][self.number(3)])
    }

    fn name(&mut self, of: &str) -> String {
        format!("{of}-{}", "n".repeat(self.number(100)))
    }

    fn phone(&mut self) -> Option<PhoneNumber> {
        self.maybe(|_| PhoneNumber::parse("+33472000000").unwrap())
    }

    fn territory(&mut self) -> TerritoryId {
        TerritoryId::parse(self.one_of(&["690000013", "380000012"])).unwrap().value
    }
}

fn place(draws: &mut Draws) -> Place {
    Place {
        id: PlaceId::parse(&draws.name("place")).unwrap(),
        name: draws.shared(),
        address: draws.one_of(&["", "1 rue de la Paix"]).into(),
        postal_code: draws.one_of(&["", "69200"]).into(),
        city: draws.one_of(&["", "Vénissieux"]).into(),
        commune: None,
        department: Department::parse("69").unwrap(),
        position: None,
        zone: draws.one_of(&[chrono_tz::Europe::Paris, chrono_tz::Indian::Reunion]),
        structure: None,
        phone: draws.phone(),
        needs_met: NeedSet::EMPTY,
        needs_unmet: NeedSet::EMPTY,
    }
}

fn practitioner(draws: &mut Draws) -> Practitioner {
    Practitioner {
        id: PractitionerId::parse(draws.one_of(&["10001234562", "691234567", "internal:é"]))
            .map_or_else(|_| PractitionerId::parse("10001234562").unwrap().value, |checked| checked.value),
        family_name: draws.one_of(&["Durand", ""]).into(),
        given_name: draws.one_of(&["", "Zoé"]).into(),
        profession: None,
        specialties: SpecialtySet::of(&[]),
        languages: Vec::new(),
        phone: draws.phone(),
    }
}

fn specialties(draws: &mut Draws) -> SpecialtySet {
    SpecialtySet::of(&draws.some(3, |draws| draws.one_of(Specialty::ALL)))
}

fn offer(draws: &mut Draws, schedule_id: ScheduleId) -> Offer {
    let schedule = Schedule {
        id: schedule_id,
        source_id: SourceId::parse("test").unwrap(),
        place_id: PlaceId::parse("place").unwrap(),
        practitioner_id: None,
        territories: Vec::new(),
        specialties: specialties(draws),
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: draws.shared(),
        source_revision: 1,
        received_at: draws.at(),
        first_published_at: None,
    };
    let practitioner = draws.maybe(practitioner).map(Arc::new);
    Offer::new(Arc::new(schedule), Arc::new(place(draws)), practitioner, Arc::default())
}

fn slot(draws: &mut Draws, schedule_id: ScheduleId) -> Slot {
    let start_at = draws.at();
    let published = Published {
        id: SlotId::parse(&draws.name("slot")).unwrap(),
        schedule_id,
        window: Window::new(start_at, start_at.plus_ms(900_000)).unwrap(),
        capacity: 1,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::ALL,
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::ALL,
            specialties: specialties(draws),
            territories: Vec::new(),
            motives: Vec::new(),
            booking_url: draws.shared(),
        }),
    };
    Slot::from_published(published, 1, draws.at())
}

fn unknown(draws: &mut Draws) -> Unknown {
    match draws.number(6) {
        0 => Unknown::Need(draws.one_of(&Need::ALL)),
        1 => Unknown::Language,
        2 => Unknown::Specialty,
        3 => Unknown::Age,
        4 => Unknown::Sex,
        _ => Unknown::Capability(draws.one_of(&EmergencyCapability::ALL)),
    }
}

fn parts(draws: &mut Draws) -> OptionParts {
    let preferences = [
        TerritoryPreference::Unspecified,
        TerritoryPreference::Own,
        TerritoryPreference::Neighbour,
        TerritoryPreference::Other,
    ];
    let age_seconds = draws.count();
    let methods = [TravelMethod::None, TravelMethod::StraightLine, TravelMethod::RoadTable { age_seconds }];
    let reasons = [FairShareReason::LeastRecent, FairShareReason::Newcomer];
    OptionParts {
        wait_minutes: draws.count(),
        travel_minutes: draws.count(),
        travel_method: draws.one_of(&methods),
        distance_m: draws.count(),
        territory_preference: draws.one_of(&preferences),
        data_age_seconds: draws.count(),
        confidence: draws.one_of(&Confidence::ALL),
        cost_seconds: draws.count(),
        contact_failures: draws.count(),
        preferred: draws.flag(),
        fair_share: draws.maybe(|draws| FairShare {
            reason: draws.one_of(&reasons),
            equivalent_count: draws.count(),
            passed_count: draws.count(),
        }),
    }
}

fn option(draws: &mut Draws) -> CareOption {
    let schedule_id = ScheduleId::parse(&draws.name("schedule")).unwrap();
    CareOption {
        offer: Arc::new(offer(draws, schedule_id.clone())),
        slot: Arc::new(slot(draws, schedule_id)),
        modality: draws.one_of(Modality::ALL),
        appointment_type: draws.one_of(AppointmentType::ALL),
        care_begins_at: draws.at(),
        territories: Territories::from_vec(draws.some(3, Draws::territory)),
        remaining_count: draws.count(),
        parts: parts(draws),
        unknowns: draws.some(3, unknown),
        sentence: draws.text(),
    }
}

fn policy_rule(draws: &mut Draws) -> PolicyRule {
    PolicyRule { id: draws.shared(), text: draws.shared() }
}

fn near_miss(draws: &mut Draws) -> NearMiss {
    NearMiss {
        option: option(draws),
        rule: draws.one_of(&Rule::ALL),
        excess: draws.count(),
        policy_rule: draws.maybe(policy_rule),
        sentence: draws.text(),
    }
}

fn site(draws: &mut Draws) -> SiteDistance {
    let site = EmergencySite {
        id: EmergencySiteId::parse(&draws.name("site")).unwrap(),
        name: draws.shared(),
        kind: draws.one_of(&EmergencySiteKind::ALL),
        position: GeoPoint::new(45.0, 4.0).unwrap(),
        structure: None,
        department: Department::parse("69").unwrap(),
        phone: draws.phone(),
        zone: chrono_tz::Europe::Paris,
        rules: AccessRules { weekly: Vec::new(), holidays: Vec::new(), dated: Vec::new() },
        capabilities: Capabilities::UNKNOWN,
        saturation: None,
    };
    SiteDistance {
        site: Arc::new(site),
        distance_m: draws.count(),
        travel_minutes: draws.count(),
        access: draws.one_of(&EmergencyAccess::ALL),
        access_changes_at: draws.maybe(Draws::at),
        saturated_until: draws.maybe(Draws::at),
        unknowns: draws.some(3, unknown),
        sentence: draws.text(),
    }
}

fn what_if(draws: &mut Draws) -> WhatIf {
    let relaxation = match draws.number(3) {
        0 => Relaxation::Radius(draws.count()),
        1 => Relaxation::Delay(draws.count()),
        _ => Relaxation::Modality(draws.one_of(Modality::ALL)),
    };
    WhatIf {
        relaxation,
        slot_count: draws.count(),
        care_begins_at: draws.at(),
        gain_minutes: draws.maybe(Draws::count),
        sentence: draws.text(),
    }
}

fn radius(draws: &mut Draws) -> Radius {
    let sources =
        [RadiusSource::Query, RadiusSource::Department, RadiusSource::EstimatedDepartment, RadiusSource::Default];
    Radius {
        radius_m: draws.count(),
        initial_radius_m: draws.count(),
        widened_count: draws.count(),
        source: draws.one_of(&sources),
        department: draws.maybe(|draws| draws.one_of(Department::ALL)),
    }
}

fn warning(draws: &mut Draws) -> QueryWarning {
    let doubt = draws.maybe(|_| QueryDoubt::Position(PositionDoubt::OutsideFrance));
    QueryWarning { doubt: doubt.unwrap_or(QueryDoubt::UnknownTerritory), value: draws.text(), sentence: draws.text() }
}

fn stamp(draws: &mut Draws) -> Stamp {
    Stamp {
        position: Position { partition: 0, epoch: u64::from(draws.count()), sequence: u64::from(draws.count()) << 20 },
        answered_at: draws.at(),
        data_age_seconds: draws.maybe(Draws::count),
        policy_version: draws.shared(),
        degraded: draws.flag(),
        durability_reduced: draws.flag(),
    }
}

fn answer(draws: &mut Draws) -> CareAnswer {
    CareAnswer {
        outcome: draws.one_of(&CareOutcome::ALL),
        rule_id: draws.shared(),
        policy_rules: draws.some(2, policy_rule),
        sentence: draws.text(),
        options: draws.some(4, option),
        near_misses: draws.some(3, near_miss),
        availability: draws.one_of(&Availability::ALL),
        silent_sources: draws.some(2, |draws| SilentSource {
            id: SourceId::parse(&draws.name("source")).unwrap(),
            confidence: draws.one_of(&Confidence::ALL),
            last_heard_at: draws.at(),
            schedule_count: draws.count(),
        }),
        what_ifs: draws.some(3, what_if),
        exclusions: draws.some(3, |draws| Exclusion { rule: draws.one_of(&Rule::ALL), count: draws.count() }),
        alike: draws.some(2, |draws| Alike { likeness: draws.one_of(&Likeness::ALL), count: draws.count() }),
        examined_count: draws.count(),
        examined_all: draws.flag(),
        emergency_sites: draws.some(3, site),
        radius: draws.maybe(radius),
        needed_by_at: draws.maybe(Draws::at),
        warnings: draws.some(2, warning),
        road_doubt: draws.maybe(|draws| draws.one_of(&RoadDoubt::ALL)),
        stamp: stamp(draws),
    }
}

proptest! {
    #[test]
    fn what_is_written_decodes_to_the_message_of_the_definition(
        drawn in prop::collection::vec(any::<u16>(), 0..600),
        is_behind in any::<bool>(),
    ) {
        let answer = answer(&mut Draws(drawn.into_iter()));
        let mut expected = answer_to_proto(&answer);
        expected.stamp.as_mut().unwrap().behind_min_position = is_behind;
        let written = Written::of(|to| write_answer(to, &answer, is_behind)).into_bytes();
        prop_assert_eq!(written.len(), expected.encoded_len(), "as short as the generated code writes it");
        prop_assert_eq!(pb::FindCareResponse::decode(written.as_slice()).unwrap(), expected);
    }
}
