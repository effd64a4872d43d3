//! What the service knows of a patient: an age, needs, languages. Never who it is.

use std::fmt;
use std::ops::Range;

use super::code::PatientCategory;

/// Mean length of a year in days, for ages.
const DAYS_PER_YEAR: f64 = 365.25;
/// Age from which an infant is a child.
const CHILD_FROM_YEARS: u16 = 2;
/// Age from which a child is an adult.
const ADULT_FROM_YEARS: u16 = 15;
/// Age from which an adult is a senior.
const SENIOR_FROM_YEARS: u16 = 75;
/// Age up to which seniors are reckoned with.
const SENIOR_UNTIL_YEARS: u16 = 100;
/// Mean length of a month in days, for ages.
const DAYS_PER_MONTH: f64 = 30.4375;

/// Age in days; years and months count their mean length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Age {
    days: u32,
}

/// Why a text is no age.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no age: write P, a number of one to three digits, then Y, M, W or D, for instance P10Y or P3W")]
pub struct AgeError(String);

impl Age {
    /// An age of this many days.
    #[must_use]
    pub const fn from_days(days: u32) -> Self {
        Self { days }
    }

    /// An age of this many years.
    #[must_use]
    pub fn from_years(years: u16) -> Self {
        Self { days: mean_days(years, DAYS_PER_YEAR) }
    }

    /// Parses the form of Hub Santé, `^P[0-9]{1,3}[YMWD]$` (RS-EDA, `patient.detail.age`).
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, AgeError> {
        let error = || AgeError(text.chars().take(16).collect());
        let body = text.trim().strip_prefix('P').ok_or_else(error)?;
        let unit = body.chars().last().ok_or_else(error)?;
        let digits = body.strip_suffix(unit).ok_or_else(error)?;
        if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(error());
        }
        let number: u16 = digits.parse().map_err(|_| error())?;
        match unit {
            'Y' => Ok(Self::from_years(number)),
            'M' => Ok(Self { days: mean_days(number, DAYS_PER_MONTH) }),
            'W' => Ok(Self { days: u32::from(number) * 7 }),
            'D' => Ok(Self { days: u32::from(number) }),
            _ => Err(error()),
        }
    }

    /// In days.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.days
    }

    /// The category of Hub Santé that goes with the age (infant under 2 years, child under 15, senior from 75).
    #[must_use]
    pub fn category(self) -> PatientCategory {
        if self < Self::from_years(CHILD_FROM_YEARS) {
            PatientCategory::Nourrisson
        } else if self < Self::from_years(ADULT_FROM_YEARS) {
            PatientCategory::Enfant
        } else if self < Self::from_years(SENIOR_FROM_YEARS) {
            PatientCategory::Adulte
        } else {
            PatientCategory::Senior
        }
    }

    /// The ages of a category, seniors up to a hundred years; none for one that is no age.
    #[must_use]
    pub fn range_of(category: PatientCategory) -> Option<Range<Self>> {
        let years = match category {
            PatientCategory::Nourrisson => 0..CHILD_FROM_YEARS,
            PatientCategory::Enfant => CHILD_FROM_YEARS..ADULT_FROM_YEARS,
            PatientCategory::Adulte => ADULT_FROM_YEARS..SENIOR_FROM_YEARS,
            PatientCategory::Senior => SENIOR_FROM_YEARS..SENIOR_UNTIL_YEARS,
            PatientCategory::Enceinte => return None,
        };
        Some(Self::from_years(years.start)..Self::from_years(years.end))
    }
}

/// Days of a number of units of mean length, rounded down.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 65,535 x 366, well within u32")]
fn mean_days(number: u16, unit_days: f64) -> u32 {
    (f64::from(number) * unit_days) as u32
}

/// What a patient needs of a place or of a professional.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Need {
    /// Access with a wheelchair.
    Wheelchair = 0,
    /// French sign language.
    SignLanguage = 1,
    /// Adapted to blindness or low vision.
    LowVision = 2,
    /// Adapted to intellectual disability.
    EasyCommunication = 3,
    /// Car park beside the entrance.
    Parking = 4,
}

impl Need {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Wheelchair, Self::SignLanguage, Self::LowVision, Self::EasyCommunication, Self::Parking];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Wheelchair => "WHEELCHAIR",
            Self::SignLanguage => "SIGN_LANGUAGE",
            Self::LowVision => "LOW_VISION",
            Self::EasyCommunication => "EASY_COMMUNICATION",
            Self::Parking => "PARKING",
        }
    }

    /// French label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Wheelchair => "accès en fauteuil roulant",
            Self::SignLanguage => "langue des signes",
            Self::LowVision => "malvoyance",
            Self::EasyCommunication => "communication adaptée",
            Self::Parking => "stationnement à l'entrée",
        }
    }

    /// The need with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.code() == code)
    }
}

/// How a patient gets about.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub enum TravelMode {
    /// By car; what is assumed when nobody says.
    #[default]
    Car,
    /// On foot.
    Walking,
    /// Without a car: public transport, or what there is.
    NoCar,
}

impl TravelMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Car, Self::Walking, Self::NoCar];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Car => "CAR",
            Self::Walking => "WALKING",
            Self::NoCar => "NO_CAR",
        }
    }
}

/// A set of needs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub struct NeedSet(u8);

impl NeedSet {
    /// No need.
    pub const EMPTY: Self = Self(0);

    /// These needs.
    #[must_use]
    pub fn of(needs: &[Need]) -> Self {
        needs.iter().fold(Self::EMPTY, |set, need| set.with(*need))
    }

    /// The set with one more need.
    #[must_use]
    pub const fn with(self, need: Need) -> Self {
        Self(self.0 | (1 << need as u8))
    }

    /// Whether a need belongs to it.
    #[must_use]
    pub const fn contains(self, need: Need) -> bool {
        self.0 & (1 << need as u8) != 0
    }

    /// Whether both have a need in common.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The needs of this set that are not in the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The needs, in the order of [`Need::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Need> {
        Need::ALL.into_iter().filter(move |need| self.contains(*need))
    }
}

/// A language by its ISO 639-1 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language([u8; 2]);

impl Language {
    /// Parses two letters, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 2] = text.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|letter| letter.to_ascii_lowercase())))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0;
        write!(f, "{}{}", char::from(first), char::from(second))
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ages_are_read_in_days() {
        for (text, days) in [("P10Y", 3652), ("P3W", 21), ("P28D", 28), ("P0D", 0), ("P18M", 547), ("P999Y", 364_884)] {
            assert_eq!(Age::parse(text).unwrap().days(), days, "{text}");
        }
    }

    #[test]
    fn what_is_no_age_is_refused() {
        for text in ["", "P", "PY", "10Y", "P1000D", "P-1D", "P1H", "P1.5Y", "p10y", "P１D"] {
            assert!(Age::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn categories_follow_the_age() {
        assert_eq!(Age::parse("P23M").unwrap().category(), PatientCategory::Nourrisson);
        assert_eq!(Age::parse("P2Y").unwrap().category(), PatientCategory::Enfant);
        assert_eq!(Age::parse("P15Y").unwrap().category(), PatientCategory::Adulte);
        assert_eq!(Age::parse("P75Y").unwrap().category(), PatientCategory::Senior);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC*") {
            let _ = Age::parse(&text);
            let _ = Language::parse(&text);
        }
    }
}
