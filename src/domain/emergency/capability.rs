//! Whom an emergency site can take in, as far as it said.
//!
//! Invariant: what a site neither says nor implies by its kind is unknown, not refused.

use super::EmergencySiteKind;

/// A sort of patient or trouble for which an emergency site is equipped or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum EmergencyCapability {
    /// Adults.
    Adult = 0,
    /// Children.
    Paediatric = 1,
    /// Pregnancy and delivery.
    Obstetric = 2,
    /// Psychiatry.
    Psychiatric = 3,
}

impl EmergencyCapability {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Adult, Self::Paediatric, Self::Obstetric, Self::Psychiatric];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Adult => "ADULT",
            Self::Paediatric => "PAEDIATRIC",
            Self::Obstetric => "OBSTETRIC",
            Self::Psychiatric => "PSYCHIATRIC",
        }
    }

    /// French label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Adult => "accueil des adultes",
            Self::Paediatric => "accueil des enfants",
            Self::Obstetric => "obstétrique",
            Self::Psychiatric => "psychiatrie",
        }
    }

    /// The capability with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.code() == code)
    }
}

/// Which capabilities a site has and which it has not; the others are unknown.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub struct Capabilities {
    has: u8,
    lacks: u8,
}

impl Capabilities {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { has: 0, lacks: 0 };

    /// The same, with what one capability is known to be.
    #[must_use]
    pub const fn with(self, capability: EmergencyCapability, is_there: bool) -> Self {
        let bit = 1 << capability as u8;
        match is_there {
            true => Self { has: self.has | bit, lacks: self.lacks & !bit },
            false => Self { has: self.has & !bit, lacks: self.lacks | bit },
        }
    }

    /// Whether a capability is there; `None` when nobody said.
    #[must_use]
    pub const fn get(self, capability: EmergencyCapability) -> Option<bool> {
        let bit = 1 << capability as u8;
        match (self.has & bit != 0, self.lacks & bit != 0) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// What is known, in the order of [`EmergencyCapability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = (EmergencyCapability, bool)> {
        EmergencyCapability::ALL.into_iter().filter_map(move |known| self.get(known).map(|is_there| (known, is_there)))
    }

    /// The same, completed by what the kind of site says by itself: a general department takes adults, a paediatric one
    /// children and no adults, a mobile unit that excludes nobody whoever calls, each unless it is stated otherwise.
    #[must_use]
    pub fn completed(self, kind: EmergencySiteKind) -> Self {
        EmergencyCapability::ALL.into_iter().fold(self, |known, capability| {
            match (known.get(capability), self.implied(kind, capability)) {
                (None, Some(is_there)) => known.with(capability, is_there),
                (None, None) | (Some(_), _) => known,
            }
        })
    }

    /// What a kind of site says by itself, beside what it states.
    const fn implied(self, kind: EmergencySiteKind, capability: EmergencyCapability) -> Option<bool> {
        match (kind, capability) {
            (EmergencySiteKind::Smur, _) if self.lacks == 0 => Some(true),
            (EmergencySiteKind::Department, EmergencyCapability::Adult)
            | (EmergencySiteKind::Paediatric, EmergencyCapability::Paediatric) => Some(true),
            (EmergencySiteKind::Paediatric, EmergencyCapability::Adult) => Some(false),
            (EmergencySiteKind::Department | EmergencySiteKind::Paediatric | EmergencySiteKind::Smur, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_is_unknown() {
        let said = Capabilities::UNKNOWN.with(EmergencyCapability::Obstetric, false);
        assert_eq!(said.get(EmergencyCapability::Obstetric), Some(false));
        assert_eq!(said.get(EmergencyCapability::Psychiatric), None);
        assert_eq!(said.with(EmergencyCapability::Obstetric, true).get(EmergencyCapability::Obstetric), Some(true));
        assert_eq!(said.iter().collect::<Vec<_>>(), [(EmergencyCapability::Obstetric, false)]);
    }

    #[test]
    fn a_kind_of_site_says_whom_it_takes_unless_it_states_otherwise() {
        use EmergencyCapability::{Adult, Obstetric, Paediatric};
        let of = |kind| Capabilities::UNKNOWN.completed(kind);
        assert_eq!(of(EmergencySiteKind::Department).iter().collect::<Vec<_>>(), [(Adult, true)]);
        let children = [(Adult, false), (Paediatric, true)];
        assert_eq!(of(EmergencySiteKind::Paediatric).iter().collect::<Vec<_>>(), children);
        assert_eq!(of(EmergencySiteKind::Smur).get(Obstetric), Some(true));
        let maternity = Capabilities::UNKNOWN.with(Adult, false).with(Obstetric, true);
        assert_eq!(maternity.completed(EmergencySiteKind::Department).get(Adult), Some(false));
    }
}
