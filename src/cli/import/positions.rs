//! Where places are when their file does not say.
//!
//! The national example Bundles carry no coordinates, and the Bundles of agenda vendors seldom do. A place without position can
//! only be offered for teleconsultation, so positions may be given by hand, per place or per town.
//! Deliberately absent: a geocoder; the compiled-in towns are those of the national examples, by their approximate centres.

use std::collections::BTreeMap;

use crate::domain::geo::{GeoPoint, PositionDoubt};

/// Towns of the national examples: postal code, name, latitude, longitude of the approximate centre, in degrees.
const TOWNS: [(&str, &str, f64, f64); 5] = [
    ("31840", "AUSSONNE", 43.68, 1.32),
    ("47000", "AGEN", 44.20, 0.62),
    ("35000", "RENNES", 48.11, -1.68),
    ("35700", "RENNES", 48.13, -1.65),
    ("56100", "LORIENT", 47.75, -3.37),
];

/// Positions of places by identifier, and of towns by postal code or name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Positions {
    places: BTreeMap<String, GeoPoint>,
    towns: BTreeMap<String, GeoPoint>,
}

/// Where a position came from.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// It was given for the place itself.
    Place(GeoPoint),
    /// It is that of the town with this postal code or name.
    Town(GeoPoint, String),
}

/// Why a text names no position.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "`{given}` gives no position: write PLACE=LATITUDE,LONGITUDE in decimal degrees, for instance mmg-bourges=47.081,2.398"
)]
pub struct PositionError {
    /// The text, cut to 200 characters.
    pub given: String,
}

impl Positions {
    /// The towns of the national examples.
    #[must_use]
    pub fn compiled_in() -> Self {
        let mut positions = Self::default();
        for (postal_code, name, latitude, longitude) in TOWNS {
            let Ok(centre) = GeoPoint::new(latitude, longitude) else { continue };
            positions.towns.insert(postal_code.to_owned(), centre);
            positions.towns.entry(name.to_owned()).or_insert(centre);
        }
        positions
    }

    /// Adds a place's position as the option gives it: `PLACE=LATITUDE,LONGITUDE`; what is doubtful about it, if anything.
    ///
    /// # Errors
    /// When the text has another form or the position is impossible.
    pub fn add_place(&mut self, text: &str) -> Result<Option<PositionDoubt>, PositionError> {
        let parsed = text.rsplit_once('=').and_then(|(place, position)| {
            let (latitude, longitude) = position.split_once(',')?;
            let point = GeoPoint::new(latitude.trim().parse().ok()?, longitude.trim().parse().ok()?).ok()?;
            (!place.trim().is_empty()).then(|| (place.trim().to_owned(), point))
        });
        let (place, point) = parsed.ok_or_else(|| PositionError { given: text.chars().take(200).collect() })?;
        self.places.insert(place, point);
        Ok(point.doubt())
    }

    /// Adds a town's position, by postal code or name.
    pub fn add_town(&mut self, town: &str, position: GeoPoint) {
        self.towns.insert(key(town), position);
    }

    /// The position of a place: its own, by its identifier with or without the source's prefix, else its town's.
    #[must_use]
    pub fn find(&self, place_ids: [&str; 2], postal_code: &str, city: &str) -> Option<Found> {
        if let Some(point) = place_ids.iter().find_map(|id| self.places.get(*id)) {
            return Some(Found::Place(*point));
        }
        let town = [key(postal_code), key(city)].into_iter().find(|town| self.towns.contains_key(town))?;
        self.towns.get(&town).map(|point| Found::Town(*point, town))
    }
}

fn key(town: &str) -> String {
    town.trim().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_before_its_postal_code_before_its_town() {
        let mut positions = Positions::compiled_in();
        positions.add_place("urn:oid:1.2|1=44.5, 0.5").unwrap();
        let own = positions.find(["v:urn:oid:1.2|1", "urn:oid:1.2|1"], "47000", "AGEN");
        assert_eq!(own, Some(Found::Place(GeoPoint::new(44.5, 0.5).unwrap())));
        let by_code = positions.find(["", ""], "35700", "Rennes");
        assert_eq!(by_code, Some(Found::Town(GeoPoint::new(48.13, -1.65).unwrap(), "35700".to_owned())));
        let by_name = positions.find(["", ""], "35200", "Rennes");
        assert_eq!(by_name, Some(Found::Town(GeoPoint::new(48.11, -1.68).unwrap(), "RENNES".to_owned())));
        assert_eq!(positions.find(["", ""], "", "Nulle-Part"), None);
    }

    #[test]
    fn what_gives_no_position_is_refused() {
        for text in ["", "a", "a=1", "=1,2", "a=1;2", "a=91,0", "a=NaN,0", "a=x,y"] {
            assert!(Positions::default().add_place(text).is_err(), "{text}");
        }
    }
}
