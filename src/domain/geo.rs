//! Positions on Earth and the distance between them.
//!
//! A [`GeoPoint`] is always finite and in range. Distances are great circles on a sphere, good to 0.5 %.

mod france;

pub use france::PositionDoubt;

/// Metres per radian of a great circle: the mean Earth radius (IUGG).
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A position in decimal degrees, WGS 84.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GeoPoint {
    latitude: f64,
    longitude: f64,
}

/// Why two numbers make no position.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum GeoError {
    /// NaN or infinite.
    #[error("{0} is not a number: give decimal degrees")]
    NotFinite(&'static str),
    /// Beyond the poles.
    #[error("latitude {0} is impossible: give degrees from -90 to 90, the latitude before the longitude")]
    Latitude(f64),
    /// Beyond the antimeridian.
    #[error("longitude {0} is impossible: give degrees from -180 to 180")]
    Longitude(f64),
}

impl GeoPoint {
    /// The position at these degrees.
    ///
    /// # Errors
    /// When one is not finite or out of range.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, GeoError> {
        if !latitude.is_finite() {
            return Err(GeoError::NotFinite("latitude"));
        }
        if !longitude.is_finite() {
            return Err(GeoError::NotFinite("longitude"));
        }
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(GeoError::Latitude(latitude));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(GeoError::Longitude(longitude));
        }
        Ok(Self { latitude, longitude })
    }

    /// Degrees north.
    #[must_use]
    pub const fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub const fn longitude(&self) -> f64 {
        self.longitude
    }

    /// Great-circle distance in metres, rounded down.
    #[must_use]
    pub fn distance_m(&self, other: &Self) -> u32 {
        EarthVector::from(self).distance_m(&EarthVector::from(other))
    }
}

/// A position as a vector from the Earth's centre, in metres: distances between such need no trigonometry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EarthVector {
    /// Towards 0° N 0° E.
    pub x: f64,
    /// Towards 0° N 90° E.
    pub y: f64,
    /// Towards the North Pole.
    pub z: f64,
}

impl From<&GeoPoint> for EarthVector {
    fn from(point: &GeoPoint) -> Self {
        Self::of_degrees(point.latitude, point.longitude)
    }
}

impl EarthVector {
    /// The vector of a position in degrees, which must be finite.
    #[must_use]
    pub fn of_degrees(latitude: f64, longitude: f64) -> Self {
        let (latitude_sin, latitude_cos) = latitude.to_radians().sin_cos();
        let (longitude_sin, longitude_cos) = longitude.to_radians().sin_cos();
        Self {
            x: EARTH_RADIUS_M * latitude_cos * longitude_cos,
            y: EARTH_RADIUS_M * latitude_cos * longitude_sin,
            z: EARTH_RADIUS_M * latitude_sin,
        }
    }

    /// Square of the length in metres of the straight line through the Earth, which is never longer than the distance.
    #[must_use]
    #[inline]
    pub fn chord_squared(&self, other: &Self) -> f64 {
        let (dx, dy, dz) = (self.x - other.x, self.y - other.y, self.z - other.z);
        dx * dx + dy * dy + dz * dz
    }

    /// Great-circle distance in metres, rounded down.
    #[must_use]
    #[inline]
    pub fn distance_m(&self, other: &Self) -> u32 {
        let half_chord = self.chord_squared(other).sqrt() / (2.0 * EARTH_RADIUS_M);
        // Up to 250 km the first two terms of the arc sine are exact to a centimetre, and much cheaper.
        let half_angle = if half_chord < 0.02 {
            half_chord * (1.0 + half_chord * half_chord / 6.0)
        } else {
            half_chord.min(1.0).asin()
        };
        whole_metres(2.0 * EARTH_RADIUS_M * half_angle)
    }
}

/// Metres as a whole number, rounded down; 0 for what is negative or not a number.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and no distance on Earth comes near the limit"
)]
pub fn whole_metres(metres: f64) -> u32 {
    metres as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn impossible_coordinates_are_refused() {
        assert_eq!(GeoPoint::new(91.0, 0.0), Err(GeoError::Latitude(91.0)));
        assert_eq!(GeoPoint::new(0.0, -180.5), Err(GeoError::Longitude(-180.5)));
        assert_eq!(GeoPoint::new(f64::NAN, 0.0), Err(GeoError::NotFinite("latitude")));
        assert_eq!(GeoPoint::new(0.0, f64::INFINITY), Err(GeoError::NotFinite("longitude")));
    }

    #[test]
    fn lyon_to_paris_is_about_392_km() {
        let lyon = GeoPoint::new(45.764, 4.8357).unwrap();
        let paris = GeoPoint::new(48.8566, 2.3522).unwrap();
        assert!((391_000..394_000).contains(&lyon.distance_m(&paris)));
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_bounded(a in -90.0..=90.0f64, b in -180.0..=180.0f64, c in -90.0..=90.0f64, d in -180.0..=180.0f64) {
            let (p, q) = (GeoPoint::new(a, b).unwrap(), GeoPoint::new(c, d).unwrap());
            prop_assert!(p.distance_m(&q).abs_diff(q.distance_m(&p)) <= 1);
            prop_assert!(p.distance_m(&q) <= 20_015_200);
            prop_assert_eq!(p.distance_m(&p), 0);
        }
    }
}
