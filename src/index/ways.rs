//! What is offered and what is asked for, as bits that are compared in one step.
//!
//! Like every filter of the index they may agree in vain, and never differ where something suits.

use super::reach::Reach;
use crate::domain::code::{AppointmentTypeSet, ProfessionSet, SpecialtySet, VisibilitySet};
use crate::domain::offer::{CareWays, OpeningKind, Practice};

/// What a schedule offers, or a question asks for, as bits: ways of care (modality by appointment type), visibilities,
/// and services (specialties and professions, several of which may share a bit).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ways(pub(super) u64);

impl Ways {
    const CARE: u64 = 0x3F;
    const VISIBILITY_SHIFT: u32 = 6;
    const VISIBILITY: u64 = 0xF << Self::VISIBILITY_SHIFT;
    const SPECIALTY_SHIFT: u8 = 16;
    const PROFESSION_SHIFT: u8 = 48;
    const SERVICE: u64 = !0 << Self::SPECIALTY_SHIFT;
    /// Every opening is an appointment that begins with a tick; alone of all bits, it says what holds for all.
    const APPOINTMENTS_ON_TICKS: u64 = 1 << 15;
    /// Nobody said which specialty, which general practice takes.
    const UNSPECIFIED: u64 = 1 << 63;

    /// What is asked for.
    pub(super) fn asked(reach: &Reach) -> Self {
        let general = reach.specialties.iter().any(|specialty| specialty.is_general_practice());
        Self::care(reach.ways(), reach.visibilities)
            .union(Self::services(reach.specialties, reach.professions))
            .union(Self(if general { Self::UNSPECIFIED } else { 0 }))
    }

    /// What openings of a kind and practice offer.
    pub(super) fn offered(kind: OpeningKind, practice: &Practice) -> Self {
        Self::care(
            CareWays::new(kind.modalities(), AppointmentTypeSet::of(&[kind.appointment_type()])),
            kind.visibilities(),
        )
        .union(Self::services(practice.specialties, practice.professions))
        .union(Self(if practice.is_unspecified() { Self::UNSPECIFIED } else { 0 }))
    }

    fn care(ways: CareWays, visibilities: VisibilitySet) -> Self {
        Self(u64::from(ways.bits()) | u64::from(visibilities.bits()) << Self::VISIBILITY_SHIFT)
    }

    fn services(specialties: SpecialtySet, professions: ProfessionSet) -> Self {
        let by_specialty = specialties.iter().map(|specialty| Self::SPECIALTY_SHIFT + specialty.index() % 32);
        let by_profession = professions.iter().map(|profession| Self::PROFESSION_SHIFT + profession.index() % 15);
        Self(by_specialty.chain(by_profession).fold(0, |bits, bit| bits | 1_u64 << bit))
    }

    /// Whether something of one might suit the other.
    #[inline]
    pub(super) const fn may_suit(self, asked: Self) -> bool {
        let common = self.0 & asked.0;
        common & Self::CARE != 0 && common & Self::VISIBILITY != 0 && common & Self::SERVICE != 0
    }

    /// The ways of care among them.
    #[inline]
    pub(super) fn care_ways(self) -> CareWays {
        CareWays::from_bits(u8::try_from(self.0 & Self::CARE).unwrap_or(0))
    }

    /// Notes that every opening is an appointment that begins with a tick.
    pub(super) const fn with_appointments_on_ticks(self) -> Self {
        Self(self.0 | Self::APPOINTMENTS_ON_TICKS)
    }

    /// Whether every opening is an appointment that begins with a tick.
    #[inline]
    pub(super) const fn are_appointments_on_ticks(self) -> bool {
        self.0 & Self::APPOINTMENTS_ON_TICKS != 0
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
