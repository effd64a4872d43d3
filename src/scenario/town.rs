//! Towns by name, from the `_common.toml` beside the scenarios: INSEE code, position, and so department and zone.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::domain::geo::GeoPoint;
use crate::domain::id::CommuneCode;

/// Kilometres of a degree of latitude.
const KM_PER_DEGREE: f64 = 111.195;

/// A commune with its position.
#[derive(Clone, Debug)]
pub(super) struct Town {
    /// Its name.
    pub(super) name: String,
    /// INSEE code.
    pub(super) commune: CommuneCode,
    /// Its middle.
    pub(super) position: GeoPoint,
}

/// The towns that scenarios may name.
#[derive(Clone, Debug, Default)]
pub(super) struct Towns(BTreeMap<String, Town>);

impl Towns {
    /// Reads the towns of a file.
    pub(super) fn read(file: &mut Fields<'_>) -> Self {
        let mut towns = BTreeMap::new();
        for (name, mut fields) in file.named("towns") {
            if !fields.has("commune") || !fields.has("at") {
                fields.log().refuse(fields.at(), format!("town `{name}` needs `commune` and `at`"));
            }
            let commune = fields.parsed("commune", CommuneCode::parse);
            let at = fields.pair("at").map(|(latitude, longitude)| GeoPoint::new(latitude, longitude));
            let position = at.and_then(|at| at.map_err(|error| fields.refuse("at", error)).ok());
            fields.finish();
            if let (Some(commune), Some(position)) = (commune, position) {
                towns.insert(name.to_owned(), Town { name: name.to_owned(), commune, position });
            }
        }
        Self(towns)
    }

    /// The town of a name.
    pub(super) fn get(&self, name: &str) -> Result<&Town, String> {
        let nearest = || self.0.keys().min_by_key(|known| strsim::osa_distance(name, known));
        self.0.get(name).ok_or_else(|| {
            let hint = nearest().map(|nearest| format!("; nearest known: `{nearest}`")).unwrap_or_default();
            format!("unknown town `{name}`{hint}; towns stand in `_common.toml`")
        })
    }

    /// The town under a key, and the position that `north_km` and `east_km` make of it.
    pub(super) fn position(&self, fields: &mut Fields<'_>, key: &'static str) -> Option<(&Town, GeoPoint)> {
        let town = fields.text(key).map(|name| self.get(name));
        let (north_km, east_km) = (fields.decimal("north_km"), fields.decimal("east_km"));
        let town = town?.map_err(|error| fields.refuse(key, error)).ok()?;
        let latitude = town.position.latitude();
        let shrinks = latitude.to_radians().cos();
        let moved = GeoPoint::new(
            latitude + north_km.unwrap_or(0.0) / KM_PER_DEGREE,
            town.position.longitude() + east_km.unwrap_or(0.0) / (KM_PER_DEGREE * shrinks),
        );
        let position = moved.map_err(|error| fields.refuse(key, error)).ok()?;
        Some((town, position))
    }
}
