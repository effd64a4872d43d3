//! Taking slots back: nothing new is claimed, and no booking vanishes, it is marked to be re-placed and told.
//!
//! One append for all slots. Deliberately absent: release-back at a later hour; a withdrawn slot that is published again
//! is open again.

use std::collections::HashSet;

use crate::clock::Stopwatch;
use crate::domain::id::{RequestId, SlotId, SourceId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Claim, ClaimState, Slot};
use crate::index::Index;
use crate::ledger::Entry;

use super::book::BookingView;
use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::heard::{Effect, Heard, Voice};
use super::limits::WITHDRAW_ROWS_MAX;
use super::outcome::{OutcomeError, decode_rows, encode_rows};
use super::publish::{RowOutcome, RowStatus};
use super::witness::RowCounts;
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};

/// Slots that a source takes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// Publishing system; must own the slots' schedules.
    pub source_id: SourceId,
    /// The source's revision.
    pub source_revision: u64,
    /// At most [`WITHDRAW_ROWS_MAX`] slots.
    pub slot_ids: Vec<SlotId>,
}

/// What became of the slots.
#[derive(Clone, Debug)]
pub struct WithdrawOutcome {
    /// One result per slot, in order; `Updated` when withdrawn now, `Unchanged` when it already was.
    pub rows: Vec<RowOutcome>,
    /// Bookings on these slots that must be re-placed; in the answer to a retry, those that still must.
    pub bookings_to_replace: Vec<BookingView>,
}

impl Service {
    /// Withdraws slots.
    ///
    /// # Errors
    /// When there are too many, or the ledger cannot write; nothing is withdrawn then. A slot that cannot be withdrawn
    /// is refused in its row.
    pub async fn withdraw(&self, caller: &Caller, withdrawal: Withdrawal) -> Result<Done<WithdrawOutcome>, Error> {
        let Withdrawal { request_id, source_id, source_revision, slot_ids } = withdrawal;
        if slot_ids.len() > WITHDRAW_ROWS_MAX {
            let message = format!("{} slots are too many: withdraw at most {WITHDRAW_ROWS_MAX}", slot_ids.len());
            return Err(Error::new(Reason::TooManyRows, message));
        }
        let mut digest = Digest::of("withdraw");
        digest.text(source_id.as_str()).number(source_revision);
        for slot_id in &slot_ids {
            digest.text(slot_id.as_str());
        }
        let stopwatch = Stopwatch::start();
        let job = WithdrawJob { voice: Voice { source_id: source_id.clone(), source_revision }, slot_ids };
        let head = Head { principal: caller.principal.clone(), request_id, fingerprint: digest.finish() };
        let written = self.write(head, job).await?;
        if !written.replayed {
            self.tell_published(&source_id, RowCounts::of_withdrawn(&written.outcome.rows), stopwatch);
        }
        Ok(self.done(written, |outcome| outcome))
    }
}

struct WithdrawJob {
    voice: Voice,
    slot_ids: Vec<SlotId>,
}

impl WithdrawJob {
    /// What becomes of the slot in a row; `None` beside the status when it was withdrawn before.
    fn judge(
        &self,
        (place, id): (usize, &SlotId),
        heard: &mut Heard<'_>,
        sight: &Sight<'_>,
    ) -> Result<(Versioned<Slot>, RowStatus), RowOutcome> {
        let refuse = |reason, message: String, field| Err(RowOutcome::refused(id.to_string(), reason, message, field));
        let Some(Versioned { version, value: slot }) = sight.slot(id) else {
            let message = format!("slot `{id}` is unknown or no longer kept");
            return refuse(Reason::UnknownSlot, message, format!("slot_ids[{place}]"));
        };
        if let Err(unheard) = heard.judge(&slot.schedule_id, sight) {
            return refuse(unheard.reason, unheard.message, unheard.field.to_owned());
        }
        let (slot, status, effect) = match slot.withdraw(self.voice.source_revision, sight.now) {
            Some(next) => (next, RowStatus::Updated, Effect::Alters),
            None => (Slot::clone(&slot), RowStatus::Unchanged, Effect::Nothing),
        };
        heard.accept(&slot.schedule_id, effect, sight);
        Ok((Versioned { version, value: slot }, status))
    }
}

impl Job for WithdrawJob {
    type Outcome = WithdrawOutcome;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<WithdrawOutcome>, Error> {
        let mut heard = Heard::of(&self.voice);
        let (mut entries, mut rows, mut bookings_to_replace) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = HashSet::with_capacity(self.slot_ids.len());
        for (place, id) in self.slot_ids.iter().enumerate() {
            if !seen.insert(id) {
                let (message, field) = ("state each slot once", format!("slot_ids[{place}]"));
                rows.push(RowOutcome::refused(id.to_string(), Reason::DuplicateSlotId, message, field));
                continue;
            }
            match self.judge((place, id), &mut heard, sight) {
                Ok((Versioned { version, value: slot }, status)) => {
                    rows.push(RowOutcome::accepted(id.to_string(), status, Vec::new()));
                    bookings_to_replace.extend(to_replace(&slot, sight.index));
                    if status == RowStatus::Updated {
                        entries.push(Entry::put(Body::Slot(slot.into()), version));
                    }
                }
                Err(refused) => rows.push(refused),
            }
        }
        entries.extend(heard.into_entries(sight.now));
        Ok(Plan::Write { entries, outcome: WithdrawOutcome { rows, bookings_to_replace } })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Err(Error::internal("a withdrawal is never refused whole"))
    }

    fn encode(&self, outcome: &WithdrawOutcome) -> Vec<u8> {
        encode_rows(&outcome.rows)
    }

    fn decode(&self, stored: &[u8], sight: &Sight<'_>) -> Result<WithdrawOutcome, OutcomeError> {
        let named = |place: usize| self.slot_ids.get(place).map(SlotId::to_string).unwrap_or_default();
        let row = |place| RowOutcome::accepted(named(place), RowStatus::Unchanged, Vec::new());
        let rows = decode_rows(stored, self.slot_ids.len(), row)?;
        let taken_back = rows.iter().zip(&self.slot_ids).filter(|(row, _)| row.status != RowStatus::Refused);
        let slots = taken_back.filter_map(|(_, id)| sight.slot(id));
        let bookings_to_replace = slots.flat_map(|slot| to_replace(&slot.value, sight.index)).collect();
        Ok(WithdrawOutcome { rows, bookings_to_replace })
    }
}

/// The bookings on a slot that must be re-placed.
fn to_replace(slot: &Slot, index: &Index) -> Vec<BookingView> {
    let claims = slot.claims.iter().filter(|claim| claim.state == ClaimState::ToReplace);
    let view = |claim: &Claim| BookingView {
        claim: claim.clone(),
        slot: Slot { claims: [claim.clone()].into(), ..slot.clone() }.into(),
        offer: index.offer(&slot.schedule_id),
        state: claim.state,
    };
    claims.map(view).collect()
}
