//! Questions and slots of a region as they go over the wire.

use sas_router::domain::query::CareQuery;
use sas_router::domain::slot::Slot;
use sas_router::domain::time::UtcInstant;
use sas_router::proto::routing as pb;

pub fn wire(query: &CareQuery) -> pb::FindCareRequest {
    let parts = query.parts();
    let position = parts.position.map(|at| pb::GeoPoint { latitude: at.latitude(), longitude: at.longitude() });
    let needs = parts.needs.iter().map(|need| match need.code() {
        "WHEELCHAIR" => pb::Need::Wheelchair.into(),
        _ => pb::Need::Parking.into(),
    });
    let age = parts.age.map_or(String::new(), |age| format!("P{}Y", age.days() / 365));
    pb::FindCareRequest {
        query: Some(pb::CareQuery {
            position,
            age,
            needed_within_minutes: parts.needed_within_minutes,
            specialties: parts.specialties.iter().map(|code| code.code().to_owned()).collect(),
            professions: parts.professions.iter().map(|code| code.code().to_owned()).collect(),
            modalities: parts.modalities.iter().map(|code| code.code().to_owned()).collect(),
            territory_ids: parts.territories.iter().map(|id| id.wire()).collect(),
            needs: needs.collect(),
            languages: parts.languages.iter().map(ToString::to_string).collect(),
            radius_m: parts.radius_m,
            limit: Some(5),
            ..pb::CareQuery::default()
        }),
    }
}

/// A slot as its publisher states it.
pub fn stated(slot: &Slot) -> pb::SlotInput {
    let timestamp = |at: UtcInstant| prost_types::Timestamp { seconds: at.ms().div_euclid(1_000), nanos: 0 };
    let (start_at, end_at) = (timestamp(slot.window.start_at()), timestamp(slot.window.end_at()));
    pb::SlotInput {
        slot_id: slot.id.to_string(),
        schedule_id: slot.schedule_id.to_string(),
        window: Some(pb::Window { start_at: Some(start_at), end_at: Some(end_at) }),
        capacity: Some(u32::from(slot.capacity)),
        modalities: slot.traits.modalities.iter().map(|code| code.code().to_owned()).collect(),
        appointment_type: slot.traits.appointment_type.code().to_owned(),
        visibilities: slot.traits.visibilities.iter().map(|code| code.code().to_owned()).collect(),
        ..pb::SlotInput::default()
    }
}
