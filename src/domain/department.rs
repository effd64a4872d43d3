//! Departments and overseas collectivities: the scale at which the SAS is organised.
//!
//! Invariant: a [`Department`] exists and has a search radius, a centre and a time zone.
//! Deliberately absent: borders and neighbours; the territory of a CPTS, which does not follow departments.

mod table;

use std::fmt;
use std::sync::LazyLock;

use chrono_tz::Tz;

use super::code::UnknownCode;
use super::geo::EarthVector;
use table::{ROWS, Row};

/// Radius where the national table gives none, in kilometres: the median of the rows that have one.
const DEFAULT_RADIUS_KM: u16 = 20;
/// Widening step where the national table gives none, in kilometres: half the radius, as in the table.
const DEFAULT_STEP_KM: u16 = DEFAULT_RADIUS_KM / 2;

/// The centres on Earth, in the order of [`Department::ALL`].
static BARYCENTRES: LazyLock<Box<[EarthVector]>> =
    LazyLock::new(|| ROWS.iter().map(|row| EarthVector::of_degrees(row.latitude, row.longitude)).collect());

/// A department (01 to 95, 2A, 2B, 971 to 974, 976) or overseas collectivity (975, 977, 978, 986, 987, 988).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Department(u8);

/// How far to search around the patient when the query does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchRadius {
    /// First radius, in metres.
    pub radius_m: u32,
    /// By how much it widens while there is too little choice, in metres.
    pub step_m: u32,
    /// Whether the national table has no value and the default stands in.
    pub is_default: bool,
}

impl Department {
    /// Number of departments and collectivities.
    pub const COUNT: usize = ROWS.len();

    /// Every department and collectivity, by code.
    pub const ALL: &'static [Self] = &{
        let mut all = [Self(0); Self::COUNT];
        let mut rest: &mut [Self] = &mut all;
        let mut place = 0;
        while let [first, others @ ..] = rest {
            *first = Self(place);
            place += 1;
            rest = others;
        }
        all
    };

    /// Reads a code; `4` is read as `04`, `2a` as `2A`, and `20A`, `20B` of the national engine as `2A`, `2B`.
    ///
    /// # Errors
    /// [`UnknownCode`], naming the nearest departments.
    pub fn parse(given: &str) -> Result<Self, UnknownCode> {
        let text = given.trim();
        let code = match text.to_ascii_uppercase() {
            digit if digit.len() == 1 => format!("0{digit}"),
            corsica if corsica == "20A" || corsica == "20B" => corsica.replace('0', ""),
            other => other,
        };
        let place = ROWS.iter().position(|row| row.code == code);
        place
            .and_then(|place| u8::try_from(place).ok())
            .map(Self)
            .ok_or_else(|| UnknownCode::new("department", text, ROWS.iter().map(|row| row.code)))
    }

    /// The code: two characters on the mainland and in Corsica, three overseas.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().map_or("", |row| row.code)
    }

    /// The French name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// The search radius of the national engine's 2025 table, or the default: 20 km (its median) widened by 10 km.
    #[must_use]
    pub fn search_radius(self) -> SearchRadius {
        let published = self.row().filter(|row| row.radius_km > 0).map(|row| (row.radius_km, row.step_km));
        let (radius_km, step_km) = published.unwrap_or((DEFAULT_RADIUS_KM, DEFAULT_STEP_KM));
        SearchRadius {
            radius_m: u32::from(radius_km) * 1000,
            step_m: u32::from(step_km) * 1000,
            is_default: published.is_none(),
        }
    }

    /// The centre as (latitude, longitude), in degrees; approximate overseas, where the national table has none.
    #[must_use]
    pub fn barycentre(self) -> (f64, f64) {
        self.row().map_or((0.0, 0.0), |row| (row.latitude, row.longitude))
    }

    /// The time zone of its civil life; the Marquesas (part of 987) keep Tahiti's here and name their own per place.
    #[must_use]
    pub fn zone(self) -> Tz {
        match self.code() {
            "971" => Tz::America__Guadeloupe,
            "972" => Tz::America__Martinique,
            "973" => Tz::America__Cayenne,
            "974" => Tz::Indian__Reunion,
            "975" => Tz::America__Miquelon,
            "976" => Tz::Indian__Mayotte,
            "977" => Tz::America__St_Barthelemy,
            "978" => Tz::America__Marigot,
            "986" => Tz::Pacific__Wallis,
            "987" => Tz::Pacific__Tahiti,
            "988" => Tz::Pacific__Noumea,
            _ => Tz::Europe__Paris,
        }
    }

    /// The department whose centre is nearest to a point in degrees.
    ///
    /// An estimate, wrong near borders: for queries that give neither commune nor department. Coordinates must be finite.
    #[must_use]
    pub fn nearest_to(latitude: f64, longitude: f64) -> Self {
        let point = EarthVector::of_degrees(latitude, longitude);
        let distances = BARYCENTRES.iter().map(|centre| point.chord_squared(centre));
        let nearest = Self::ALL.iter().zip(distances).min_by(|(_, left), (_, right)| left.total_cmp(right));
        nearest.map_or(Self(0), |(department, _)| *department)
    }

    /// Place among all departments; for use in memory only, records keep the code.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// The department at a place.
    #[must_use]
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.get(usize::from(self.0))
    }
}

impl fmt::Display for Department {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Department {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Department({})", self.code())
    }
}

#[cfg(test)]
mod tests;
