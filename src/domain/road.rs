//! Travel by road: whose way is asked of a road table, what it says, how an option's travel was reckoned, and why not by road.
//!
//! Deliberately absent: how a table is asked, and what is made of its times.

use super::geo::GeoPoint;

/// How somebody goes by road.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RoadProfile {
    /// By car.
    Car,
    /// On foot.
    Walking,
}

/// Which way somebody goes; roads take longer one way than the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Heading {
    /// The patient to the place.
    FromPatient,
    /// The professional to the patient.
    ToPatient,
}

/// A way between the patient and a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Journey {
    /// The place.
    pub place: GeoPoint,
    /// How.
    pub profile: RoadProfile,
    /// Which way.
    pub heading: Heading,
}

/// What a road table says of a journey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoadTime {
    /// Seconds on the road.
    pub seconds: u32,
    /// Seconds since the table was asked; 0 when it was for this answer.
    pub age_seconds: u32,
}

/// The times that are known of some journeys.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RoadTimes {
    /// Each journey of which something is known, with it.
    pub known: Vec<(Journey, RoadTime)>,
    /// Why others are not, when one was wanted.
    pub doubt: Option<RoadDoubt>,
}

impl RoadTimes {
    /// What is known of a journey.
    #[must_use]
    pub fn of(&self, journey: &Journey) -> Option<RoadTime> {
        self.known.iter().find(|(known, _)| known == journey).map(|(_, time)| *time)
    }

    /// The same some time later.
    #[must_use]
    pub fn later(&self, seconds: u32) -> Self {
        let older = |time: RoadTime| RoadTime { age_seconds: time.age_seconds.saturating_add(seconds), ..time };
        let known = self.known.iter().map(|(journey, time)| (*journey, older(*time)));
        Self { known: known.collect(), doubt: self.doubt }
    }

    /// These, and what others know beside them.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        let missing = others.known.iter().filter(|(journey, _)| self.of(journey).is_none());
        let missing: Vec<_> = missing.copied().collect();
        self.known.extend(missing);
        self
    }
}

/// How the travel of an option was reckoned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TravelMethod {
    /// Nobody travels.
    None,
    /// By the policy's pace over the straight line.
    StraightLine,
    /// By the road table's time, that many seconds old.
    RoadTable {
        /// Seconds since the table was asked.
        age_seconds: u32,
    },
}

/// Why some travel is reckoned by the straight line although road times are to be had; the gravest comes last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum RoadDoubt {
    /// The table knows no road to some of the places.
    NoRoad,
    /// Too many tables are being asked for already.
    Busy,
    /// None is asked for a while, because the last ones failed.
    Paused,
    /// No answer came in time.
    Late,
    /// No connection could be had, or it broke.
    Unreachable,
    /// The server answered that it does not answer.
    Refused,
    /// The answer cannot be true, or cannot be read.
    Wrong,
}

impl RoadDoubt {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::NoRoad, Self::Busy, Self::Paused, Self::Late, Self::Unreachable, Self::Refused, Self::Wrong];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoRoad => "ROAD_TIMES_NO_ROAD",
            Self::Busy => "ROAD_TIMES_BUSY",
            Self::Paused => "ROAD_TIMES_PAUSED",
            Self::Late => "ROAD_TIMES_LATE",
            Self::Unreachable => "ROAD_TIMES_UNREACHABLE",
            Self::Refused => "ROAD_TIMES_REFUSED",
            Self::Wrong => "ROAD_TIMES_WRONG",
        }
    }

    /// One French sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoRoad => {
                "Aucune route connue vers certains lieux (île, bac ?) : leur trajet est estimé à vol d'oiseau."
            }
            Self::Busy => "Trop de temps routiers sont demandés à la fois : des trajets sont estimés à vol d'oiseau.",
            Self::Paused => {
                "Les temps routiers ne répondent plus et ne sont pas redemandés pour l'instant : des trajets sont estimés \
                 à vol d'oiseau."
            }
            Self::Late => "Les temps routiers ne sont pas arrivés à temps : des trajets sont estimés à vol d'oiseau.",
            Self::Unreachable => "Les temps routiers sont injoignables : des trajets sont estimés à vol d'oiseau.",
            Self::Refused => "Les temps routiers ont été refusés : des trajets sont estimés à vol d'oiseau.",
            Self::Wrong => "Les temps routiers reçus ne sont pas crédibles : des trajets sont estimés à vol d'oiseau.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_doubt_has_a_code_of_its_own_and_a_sentence() {
        let codes: std::collections::HashSet<_> = RoadDoubt::ALL.iter().map(|doubt| doubt.code()).collect();
        assert_eq!(codes.len(), RoadDoubt::ALL.len());
        assert!(RoadDoubt::ALL.iter().all(|doubt| doubt.sentence().ends_with('.')));
    }
}
