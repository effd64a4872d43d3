//! Where France is, roughly: to doubt positions that were given longitude first, or that lie in another part of the world.
//!
//! Invariant: no French territory lies where another would lie with its coordinates swapped, so that a position in France is
//! never doubted, and a swapped one is recognised unless its latitude is impossible, which [`GeoPoint::new`] refuses.
//! Deliberately absent: borders; a box is generous by [`BORDER_DEGREES`], so that an address just across one is not doubted.

use super::GeoPoint;

/// How far beyond its extremes a territory's box reaches, in degrees: some 50 km.
const BORDER_DEGREES: f64 = 0.5;

/// A territory and its extremes in degrees: south, west, north, east.
type Extremes = (&'static str, f64, f64, f64, f64);

/// The inhabited territories, by the extremes that geographers give (IGN), rounded outwards.
const TERRITORIES: [Extremes; 13] = [
    ("France métropolitaine", 42.33, -5.15, 51.10, 8.24),
    ("Corse", 41.33, 8.53, 43.03, 9.57),
    ("Guadeloupe", 15.83, -61.82, 16.52, -60.99),
    ("Martinique", 14.38, -61.24, 14.89, -60.80),
    ("Guyane", 2.10, -54.61, 5.76, -51.63),
    ("La Réunion", -21.40, 55.21, -20.87, 55.84),
    ("Saint-Pierre-et-Miquelon", 46.74, -56.41, 47.15, -56.11),
    ("Mayotte", -13.01, 45.01, -12.63, 45.31),
    ("Saint-Barthélemy", 17.86, -62.96, 17.98, -62.78),
    ("Saint-Martin", 18.04, -63.16, 18.14, -62.97),
    ("Wallis-et-Futuna", -14.37, -178.19, -13.17, -176.12),
    ("Polynésie française", -27.93, -154.73, -7.89, -134.44),
    ("Nouvelle-Calédonie", -22.89, 163.55, -19.53, 168.15),
];

/// Why a possible position is doubtful.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PositionDoubt {
    /// It lies outside France, and in this territory when latitude and longitude change places.
    Swapped(&'static str),
    /// It lies outside France either way.
    OutsideFrance,
}

impl PositionDoubt {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Swapped(_) => "SWAPPED_POSITION",
            Self::OutsideFrance => "OUTSIDE_FRANCE",
        }
    }
}

impl GeoPoint {
    /// What is doubtful about the position; nothing in France and near its borders.
    #[must_use]
    pub fn doubt(&self) -> Option<PositionDoubt> {
        let (latitude, longitude) = (self.latitude, self.longitude);
        if territory_at(latitude, longitude).is_some() {
            return None;
        }
        Some(territory_at(longitude, latitude).map_or(PositionDoubt::OutsideFrance, PositionDoubt::Swapped))
    }
}

/// The territory in whose box, borders included, a position lies.
fn territory_at(latitude: f64, longitude: f64) -> Option<&'static str> {
    let within = |value: f64, least: f64, most: f64| (least - BORDER_DEGREES..=most + BORDER_DEGREES).contains(&value);
    TERRITORIES.iter().find_map(|(name, south, west, north, east)| {
        (within(latitude, *south, *north) && within(longitude, *west, *east)).then_some(*name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::department::Department;

    fn doubt(latitude: f64, longitude: f64) -> Option<PositionDoubt> {
        GeoPoint::new(latitude, longitude).unwrap().doubt()
    }

    #[test]
    fn every_department_lies_in_france_and_is_recognised_when_swapped() {
        for department in Department::ALL {
            let (latitude, longitude) = department.barycentre();
            assert_eq!(doubt(latitude, longitude), None, "{}", department.name());
            // Of the Pacific, the swapped latitude is impossible and refused before it could be doubted.
            if longitude.abs() <= 90.0 {
                let swapped = doubt(longitude, latitude);
                assert!(matches!(swapped, Some(PositionDoubt::Swapped(_))), "{}: {swapped:?}", department.name());
            }
        }
    }

    #[test]
    fn paris_swapped_is_in_france_and_border_towns_are_not_doubted() {
        assert_eq!(doubt(48.86, 2.35), None);
        assert_eq!(doubt(2.35, 48.86), Some(PositionDoubt::Swapped("France métropolitaine")));
        assert_eq!(doubt(55.48, -21.34), Some(PositionDoubt::Swapped("La Réunion")));
        for (town, latitude, longitude) in [
            ("Genève", 46.20, 6.14),
            ("Bâle", 47.56, 7.59),
            ("Kehl", 48.57, 7.81),
            ("Luxembourg", 49.61, 6.13),
            ("Mouscron", 50.74, 3.21),
            ("Monaco", 43.73, 7.42),
            ("Vintimille", 43.79, 7.61),
            ("Irun", 43.34, -1.79),
            ("Puigcerdà", 42.43, 1.93),
            ("Oiapoque", 3.84, -51.83),
            ("Albina", 5.50, -54.05),
            ("Philipsburg", 18.02, -63.05),
        ] {
            assert_eq!(doubt(latitude, longitude), None, "{town}");
        }
    }

    #[test]
    fn another_part_of_the_world_is_doubted_without_a_guess() {
        for (latitude, longitude) in [(0.0, 0.0), (40.42, -3.70), (52.52, 13.40), (45.5, -73.6), (-90.0, 180.0)] {
            assert_eq!(doubt(latitude, longitude), Some(PositionDoubt::OutsideFrance), "{latitude} {longitude}");
        }
    }

    #[test]
    fn no_box_meets_another_that_is_swapped() {
        let meets = |a: (f64, f64), b: (f64, f64)| {
            a.0 - BORDER_DEGREES <= b.1 + BORDER_DEGREES && b.0 - BORDER_DEGREES <= a.1 + BORDER_DEGREES
        };
        for (name, south, west, north, east) in TERRITORIES {
            assert!(south < north && west < east, "{name}");
            for (other, other_south, other_west, other_north, other_east) in TERRITORIES {
                let both =
                    meets((south, north), (other_west, other_east)) && meets((west, east), (other_south, other_north));
                assert!(!both, "{name} and {other}");
            }
        }
    }
}
