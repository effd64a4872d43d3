//! What became of a booking: the patient was seen, came late, or did not come.

use super::{ClaimRefusal, ClaimState, Slot, Transition};
use crate::domain::id::ClaimId;
use crate::domain::time::{MS_PER_HOUR, UtcInstant};

/// How long before its start somebody may be said to have been seen, in milliseconds: 1 hour.
pub const SEEN_EARLY_MS: i64 = MS_PER_HOUR;

/// What became of a booking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum AttendanceKind {
    /// The patient was seen.
    Seen,
    /// The patient came late, and was seen.
    Late,
    /// The patient did not come.
    NoShow,
}

impl AttendanceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Seen, Self::Late, Self::NoShow];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Seen => "SEEN",
            Self::Late => "LATE",
            Self::NoShow => "NO_SHOW",
        }
    }

    /// The attendance with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// First instant at which it can be said of a slot that starts at an instant.
    #[must_use]
    pub const fn sayable_from(self, start_at: UtcInstant) -> UtcInstant {
        match self {
            Self::Seen => start_at.plus_ms(-SEEN_EARLY_MS),
            Self::Late | Self::NoShow => start_at,
        }
    }
}

/// What became of a booking, and when it was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attendance {
    /// What became of it.
    pub kind: AttendanceKind,
    /// When it was last said.
    pub recorded_at: UtcInstant,
}

impl Slot {
    /// Notes what became of a booking; said again, the last word counts, also once the booking was cancelled.
    ///
    /// # Errors
    /// When the claim is no booking, is in quarantine, was cancelled before anything was said, or it is too early to know.
    pub fn attend(&self, id: ClaimId, kind: AttendanceKind, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        let claim = self.claim(id).ok_or(ClaimRefusal::Unknown)?;
        match claim.state_at(now) {
            ClaimState::Booked | ClaimState::ToReplace => {}
            ClaimState::Cancelled if claim.attendance.is_some() => {}
            ClaimState::Cancelled => return Err(ClaimRefusal::Cancelled),
            ClaimState::Quarantined => return Err(ClaimRefusal::ClaimQuarantined),
            ClaimState::Held | ClaimState::Released | ClaimState::Expired => return Err(ClaimRefusal::NotBooked),
        }
        if now < kind.sayable_from(self.window.start_at()) {
            return Err(ClaimRefusal::NotBegun);
        }
        let mut slot = self.clone();
        let mut claims = self.claims.to_vec();
        for claim in claims.iter_mut().filter(|claim| claim.id == id) {
            // The state of the claim did not change, so neither did the instant at which it last did.
            claim.attendance = Some(Attendance { kind, recorded_at: now });
        }
        slot.set_claims(claims, Some(id), now);
        Ok(Transition { slot, not_before: None, not_after: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, claim_id, hold, slot};
    use super::*;

    fn booked() -> Slot {
        let held = slot(1).hold(hold(1, at(120)), at(0)).unwrap().slot;
        held.confirm(claim_id(1), at(1)).unwrap().slot
    }

    #[test]
    fn what_became_of_a_booking_is_noted_and_corrected_without_touching_its_state() {
        let booked = booked();
        let before = booked.claim(claim_id(1)).unwrap().clone();
        let absent = booked.attend(claim_id(1), AttendanceKind::NoShow, at(3_600)).unwrap().slot;
        let late = absent.attend(claim_id(1), AttendanceKind::Late, at(4_000)).unwrap().slot;
        let claim = late.claim(claim_id(1)).unwrap();
        assert_eq!(claim.attendance, Some(Attendance { kind: AttendanceKind::Late, recorded_at: at(4_000) }));
        assert_eq!((claim.state, claim.changed_at), (before.state, before.changed_at));
        assert_eq!((late.booked_count(), late.changed_at), (1, at(4_000)));
    }

    #[test]
    fn nobody_is_missed_before_the_slot_begins() {
        let table = [
            (AttendanceKind::Seen, 0, false),
            (AttendanceKind::Seen, 1, true),
            (AttendanceKind::Late, 3_600, false),
            (AttendanceKind::Late, 3_601, true),
            (AttendanceKind::NoShow, 3_600, false),
            (AttendanceKind::NoShow, 3_601, true),
        ];
        let slot = booked();
        for (kind, second, is_taken) in table {
            let said = slot.attend(claim_id(1), kind, at(second).plus_ms(-1));
            assert_eq!(said.is_ok(), is_taken, "{kind:?} {second}");
            if !is_taken {
                assert_eq!(said.unwrap_err(), ClaimRefusal::NotBegun);
            }
        }
    }

    #[test]
    fn only_a_booking_is_attended() {
        let held = slot(1).hold(hold(1, at(120)), at(0)).unwrap().slot;
        let cancelled = booked().cancel(claim_id(1), "", at(2)).unwrap().slot;
        let late = at(3_601);
        for (slot, refusal) in
            [(slot(1), ClaimRefusal::Unknown), (held, ClaimRefusal::NotBooked), (cancelled, ClaimRefusal::Cancelled)]
        {
            assert_eq!(slot.attend(claim_id(1), AttendanceKind::Seen, late).unwrap_err(), refusal);
        }
    }
}
