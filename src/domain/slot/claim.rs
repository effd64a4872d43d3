//! What regulation does to a slot: hold, confirm, book at once, release, cancel, replace by another.

use std::sync::Arc;

use super::{Attendance, AttendanceKind, ClaimRefusal, Quarantine, Slot, SlotState};
use crate::domain::id::{CaseId, ClaimId, PrincipalId};
use crate::domain::regulator::BeyondDelay;
use crate::domain::time::UtcInstant;

/// How many ended claims a slot keeps, so that a late question about a hold finds its answer.
pub const ENDED_CLAIMS_KEPT: usize = 8;
/// How many patients who did not come may be cancelled on a slot: what became of them is kept beyond [`ENDED_CLAIMS_KEPT`].
pub const NO_SHOWS_CANCELLED_MAX: usize = 256;

/// Where a claim stands in the record; a hold whose end has passed still reads `Held` there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ClaimState {
    /// Held until it expires.
    Held,
    /// Confirmed.
    Booked,
    /// Confirmed on a slot that was withdrawn since.
    ToReplace,
    /// The hold was given back.
    Released,
    /// The hold ended without a confirmation.
    Expired,
    /// The booking was cancelled.
    Cancelled,
    /// The ledger lost it after it was acknowledged; it keeps its unit until that is settled.
    Quarantined,
}

impl ClaimState {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Held, Self::Booked, Self::ToReplace, Self::Released, Self::Expired, Self::Cancelled, Self::Quarantined];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Booked => "BOOKED",
            Self::ToReplace => "TO_REPLACE",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::Quarantined => "QUARANTINED",
        }
    }

    /// The state with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// A hold or a booking on a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Identifier of the hold, and of the booking that it became.
    pub id: ClaimId,
    /// Regulation file.
    pub case_id: CaseId,
    /// Who held, when stated.
    pub regulator_id: Option<PrincipalId>,
    /// Where it stands in the record.
    pub state: ClaimState,
    /// When it was held.
    pub held_at: UtcInstant,
    /// First instant at which the hold no longer lives.
    pub expires_at: UtcInstant,
    /// When it was confirmed.
    pub confirmed_at: Option<UtcInstant>,
    /// When the state last changed.
    pub changed_at: UtcInstant,
    /// Why it was cancelled; empty otherwise.
    pub cancel_reason: Arc<str>,
    /// The booking of the same case that it replaced.
    pub replaces: Option<ClaimId>,
    /// The booking of the same case that replaced it; it is cancelled then.
    pub replaced_by: Option<ClaimId>,
    /// That it begins after the clinical delay, and why it was taken all the same.
    pub beyond_delay: Option<Arc<BeyondDelay>>,
    /// What became of the booking, once somebody said so.
    pub attendance: Option<Attendance>,
    /// That the ledger lost it, once an instance that remembered it said so.
    pub quarantine: Option<Arc<Quarantine>>,
}

impl Claim {
    /// Whether it is a hold that lives at an instant.
    #[must_use]
    pub fn is_live_hold(&self, now: UtcInstant) -> bool {
        self.state == ClaimState::Held && now < self.expires_at
    }

    /// Whether it takes a unit for good.
    #[must_use]
    pub fn is_booked(&self) -> bool {
        matches!(self.state, ClaimState::Booked | ClaimState::ToReplace)
    }

    /// Where it stands at an instant: expiry is judged when read.
    #[must_use]
    pub fn state_at(&self, now: UtcInstant) -> ClaimState {
        if self.state == ClaimState::Held && !self.is_live_hold(now) { ClaimState::Expired } else { self.state }
    }

    /// Whether the patient was seen, late or not.
    #[must_use]
    pub fn was_seen(&self) -> bool {
        self.attendance.is_some_and(|attendance| attendance.kind != AttendanceKind::NoShow)
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, ClaimState::Released | ClaimState::Expired | ClaimState::Cancelled)
    }

    /// Whether nothing but a late question would miss it.
    fn is_over(&self) -> bool {
        self.has_ended() && self.attendance.is_none()
    }
}

/// A hold that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewHold {
    /// Identifier it will have.
    pub id: ClaimId,
    /// Regulation file.
    pub case_id: CaseId,
    /// Who holds, when stated.
    pub regulator_id: Option<PrincipalId>,
    /// First instant at which it no longer lives.
    pub expires_at: UtcInstant,
}

/// The next slot, and when the ledger's clock must stand for it to be taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Transition {
    /// The slot after the transition.
    pub slot: Slot,
    /// The ledger's clock must have reached this instant.
    pub not_before: Option<UtcInstant>,
    /// The ledger's clock must not have reached this instant.
    pub not_after: Option<UtcInstant>,
}

impl Transition {
    /// The same, with something noted on a claim.
    #[must_use]
    pub fn noting(mut self, id: ClaimId, note: impl Fn(&mut Claim)) -> Self {
        let mut claims = self.slot.claims.to_vec();
        claims.iter_mut().filter(|claim| claim.id == id).for_each(note);
        self.slot.claims = claims.into();
        self
    }

    fn unguarded(slot: Slot) -> Self {
        Self { slot, not_before: None, not_after: None }
    }
}

impl Slot {
    /// Takes a hold at an instant.
    ///
    /// Where only expired holds stand in the way, they are ended and the ledger's own clock must agree that they are.
    ///
    /// # Errors
    /// When no unit is free, or the slot is withdrawn or over.
    pub fn hold(&self, hold: NewHold, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        if self.state != SlotState::Open {
            return Err(ClaimRefusal::Withdrawn);
        }
        if self.window.end_at() <= now {
            return Err(ClaimRefusal::Past);
        }
        let mut next = Transition::unguarded(self.clone());
        let mut claims = self.claims.to_vec();
        let held = claims.iter().filter(|claim| claim.state == ClaimState::Held).count();
        let taken = self.booked_count() + self.quarantined_count() + held;
        let mut excess = (taken + 1).saturating_sub(usize::from(self.capacity));
        for claim in &mut claims {
            if excess > 0 && claim.state == ClaimState::Held && !claim.is_live_hold(now) {
                claim.state = ClaimState::Expired;
                claim.changed_at = claim.expires_at;
                next.not_before = next.not_before.max(Some(claim.expires_at));
                excess -= 1;
            }
        }
        if excess > 0 && excess <= self.quarantined_count() {
            return Err(ClaimRefusal::SlotQuarantined);
        }
        if excess > 0 {
            return Err(ClaimRefusal::Taken);
        }
        claims.push(Claim {
            id: hold.id,
            case_id: hold.case_id,
            regulator_id: hold.regulator_id,
            state: ClaimState::Held,
            held_at: now,
            expires_at: hold.expires_at,
            confirmed_at: None,
            changed_at: now,
            cancel_reason: Arc::from(""),
            replaces: None,
            replaced_by: None,
            beyond_delay: None,
            attendance: None,
            quarantine: None,
        });
        // A hold that the ledger's clock would find over already must not be acknowledged.
        next.not_after = Some(hold.expires_at);
        next.slot.set_claims(claims, Some(hold.id), now);
        Ok(next)
    }

    /// Turns a live hold into a booking.
    ///
    /// # Errors
    /// When the hold ended, or the slot was withdrawn, or only a claim in quarantine is left to have its unit.
    pub fn confirm(&self, id: ClaimId, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        let claim = self.claim(id).ok_or(ClaimRefusal::Unknown)?;
        match claim.state_at(now) {
            ClaimState::Held if self.state == SlotState::Withdrawn => Err(ClaimRefusal::Withdrawn),
            // It was held before the loss was known: nobody was told of a booking yet.
            ClaimState::Held if self.is_promised_away() => Err(ClaimRefusal::SlotQuarantined),
            ClaimState::Held => {
                let mut next = self.with_claim(id, now, |claim| {
                    claim.state = ClaimState::Booked;
                    claim.confirmed_at = Some(now);
                });
                next.not_after = Some(claim.expires_at);
                Ok(next)
            }
            ClaimState::Booked | ClaimState::ToReplace => Err(ClaimRefusal::AlreadyBooked),
            ClaimState::Released => Err(ClaimRefusal::HoldReleased),
            ClaimState::Expired => Err(ClaimRefusal::HoldExpired),
            ClaimState::Cancelled => Err(ClaimRefusal::Cancelled),
            ClaimState::Quarantined => Err(ClaimRefusal::ClaimQuarantined),
        }
    }

    /// Takes a hold and turns it into a booking at once.
    ///
    /// # Errors
    /// As a hold.
    pub fn book(&self, hold: NewHold, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        let id = hold.id;
        let held = self.hold(hold, now)?;
        let booked = held.slot.confirm(id, now)?;
        Ok(Transition { not_before: held.not_before, not_after: held.not_after, slot: booked.slot })
    }

    /// Gives a hold back that lives, or that the ledger lost: who has it knows that nobody comes.
    ///
    /// # Errors
    /// When it ended already, or is a booking.
    pub fn release(&self, id: ClaimId, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        let claim = self.claim(id).ok_or(ClaimRefusal::Unknown)?;
        match claim.state_at(now) {
            ClaimState::Quarantined if claim.confirmed_at.is_some() => Err(ClaimRefusal::AlreadyBooked),
            ClaimState::Held | ClaimState::Quarantined => {
                Ok(self.with_claim(id, now, |claim| claim.state = ClaimState::Released))
            }
            ClaimState::Booked | ClaimState::ToReplace => Err(ClaimRefusal::AlreadyBooked),
            ClaimState::Released => Err(ClaimRefusal::HoldReleased),
            ClaimState::Expired => Err(ClaimRefusal::HoldExpired),
            ClaimState::Cancelled => Err(ClaimRefusal::Cancelled),
        }
    }

    /// Cancels a booking, also one that the ledger lost; what became of it stays.
    ///
    /// # Errors
    /// When the claim is no booking, or cancelled already, or the patient was seen.
    pub fn cancel(&self, id: ClaimId, reason: &str, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        let claim = self.claim(id).ok_or(ClaimRefusal::Unknown)?;
        let no_shows = || self.claims.iter().filter(|claim| claim.has_ended() && claim.attendance.is_some()).count();
        match claim.state_at(now) {
            ClaimState::Booked | ClaimState::ToReplace if claim.was_seen() => Err(ClaimRefusal::Seen),
            ClaimState::Booked | ClaimState::ToReplace
                if claim.attendance.is_some() && no_shows() >= NO_SHOWS_CANCELLED_MAX =>
            {
                Err(ClaimRefusal::TooManyNoShows)
            }
            ClaimState::Quarantined if claim.confirmed_at.is_none() => Err(ClaimRefusal::NotBooked),
            ClaimState::Booked | ClaimState::ToReplace | ClaimState::Quarantined => {
                Ok(self.with_claim(id, now, |claim| {
                    claim.state = ClaimState::Cancelled;
                    claim.cancel_reason = Arc::from(reason);
                }))
            }
            ClaimState::Cancelled => Err(ClaimRefusal::Cancelled),
            ClaimState::Held | ClaimState::Released | ClaimState::Expired => Err(ClaimRefusal::NotBooked),
        }
    }

    /// Cancels a booking because another one of its case takes its place.
    ///
    /// # Errors
    /// As a cancellation.
    pub fn replace(&self, id: ClaimId, by: ClaimId, reason: &str, now: UtcInstant) -> Result<Transition, ClaimRefusal> {
        Ok(self.cancel(id, reason, now)?.noting(id, |claim| claim.replaced_by = Some(by)))
    }

    pub(super) fn with_claim(&self, id: ClaimId, now: UtcInstant, alter: impl Fn(&mut Claim)) -> Transition {
        let mut next = self.clone();
        let mut claims = self.claims.to_vec();
        for claim in claims.iter_mut().filter(|claim| claim.id == id) {
            alter(claim);
            claim.changed_at = now;
        }
        next.set_claims(claims, Some(id), now);
        Transition::unguarded(next)
    }

    /// Replaces the claims, forgetting those beyond the ones that are kept that ended first; never `altered`, of which the
    /// caller is about to be told, nor one of which it is known what became of it: it is counted with the slot.
    pub(super) fn set_claims(&mut self, mut claims: Vec<Claim>, altered: Option<ClaimId>, now: UtcInstant) {
        let ended = claims.iter().filter(|claim| claim.is_over()).count();
        for _ in ENDED_CLAIMS_KEPT..ended {
            let ended = claims.iter().enumerate().filter(|(_, claim)| claim.is_over() && Some(claim.id) != altered);
            if let Some((at, _)) = ended.min_by_key(|(at, claim)| (claim.changed_at, *at)) {
                claims.remove(at);
            }
        }
        self.claims = claims.into();
        self.changed_at = now;
    }
}
