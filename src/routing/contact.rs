//! What repeated failures to reach somebody cost a schedule's rank.

use crate::domain::offer::Offer;

/// From how many cases on in which nobody could be contacted a schedule is doubted.
pub const CONTACT_FAILURES_DOUBTED: u32 = 2;
/// Cost in seconds of that doubt: 15 minutes.
pub const CONTACT_COST_SECONDS: u32 = 900;

/// Whether a schedule is doubted because nobody could be contacted.
#[must_use]
#[inline]
pub const fn is_doubted(offer: &Offer) -> bool {
    offer.contact_failures >= CONTACT_FAILURES_DOUBTED
}

/// Cost in seconds of that doubt. It only adds, so every lower bound that leaves it out stays one.
#[must_use]
#[inline]
pub const fn contact_cost_seconds(offer: &Offer) -> u32 {
    if is_doubted(offer) { CONTACT_COST_SECONDS } else { 0 }
}
