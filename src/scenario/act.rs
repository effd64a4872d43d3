//! What somebody does in a step: regulation, a publisher, an emergency department, or time.

use super::expectation::{ExpectedOption, named_slot, source_of};
use super::fields::Fields;
use super::given::{Given, known};
use super::local_time::seconds;
use super::words::{refusal_reason, regulator_role};
use crate::domain::case::RefusalReason;
use crate::domain::id::SourceId;
use crate::domain::time::UtcInstant;
use crate::service::Authority;

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Somebody holds a unit of a slot.
    Hold(ExpectedOption, Authority),
    /// The last hold on a slot becomes a booking.
    Confirm(ExpectedOption),
    /// The last hold on a slot is given back.
    Release(ExpectedOption),
    /// The last booking of a slot is cancelled.
    Cancel(ExpectedOption),
    /// The last booking of a slot is replaced by one of another.
    Rebook { booked: ExpectedOption, instead: ExpectedOption, authority: Authority },
    /// An offer comes to nothing for the case that asks.
    Refuse(ExpectedOption, RefusalReason),
    /// The publisher takes a slot back.
    Withdraw(ExpectedOption),
    /// A publishing system says that it is there, and for how long its word counts.
    Heartbeat { source: SourceId, lease_seconds: Option<u32> },
    /// An emergency site says that it is full.
    Saturate { site: String, until: UtcInstant },
    /// Time passes, in seconds.
    Wait(u32),
}

impl Act {
    /// Reads what a step does; nothing when it only asks. Several things are refused.
    pub(super) fn read(fields: &mut Fields<'_>, given: &Given) -> Option<Self> {
        let slot = |text: &str| slot_of(text, given);
        let acts = [
            read_hold(fields, given),
            fields.parsed("confirm", slot).map(Act::Confirm),
            fields.parsed("release", slot).map(Act::Release),
            fields.parsed("cancel", slot).map(Act::Cancel),
            read_rebooking(fields, given),
            read_refusal(fields, given),
            fields.parsed("withdraw", slot).map(Act::Withdraw),
            read_heartbeat(fields, given),
            read_saturation(fields, given),
            fields.parsed("wait", seconds).map(Act::Wait),
        ];
        let mut acts = acts.into_iter().flatten();
        let act = acts.next();
        if acts.next().is_some() {
            fields.log().refuse(fields.at(), "does several things: make a step of each");
        }
        act
    }
}

fn read_hold(fields: &mut Fields<'_>, given: &Given) -> Option<Act> {
    let slot = fields.parsed("hold", |text| slot_of(text, given))?;
    Some(Act::Hold(slot, read_authority(fields)))
}

fn read_rebooking(fields: &mut Fields<'_>, given: &Given) -> Option<Act> {
    let booked = fields.parsed("rebook", |text| slot_of(text, given))?;
    let instead =
        needed(fields, "to", "say which slot instead").then(|| fields.parsed("to", |text| slot_of(text, given)));
    Some(Act::Rebook { booked, instead: instead??, authority: read_authority(fields) })
}

fn read_refusal(fields: &mut Fields<'_>, given: &Given) -> Option<Act> {
    let slot = fields.parsed("refuse", |text| slot_of(text, given))?;
    let reason = needed(fields, "because", "say why the offer came to nothing");
    Some(Act::Refuse(slot, reason.then(|| fields.parsed("because", refusal_reason))??))
}

fn read_heartbeat(fields: &mut Fields<'_>, given: &Given) -> Option<Act> {
    let source = fields.parsed("heartbeat", |name| {
        let known = source_of(name, given)?;
        SourceId::parse(&known).map_err(|error| error.to_string())
    })?;
    Some(Act::Heartbeat { source, lease_seconds: fields.parsed("lease", seconds) })
}

fn read_saturation(fields: &mut Fields<'_>, given: &Given) -> Option<Act> {
    let site =
        fields.parsed("saturate", |name| known(&given.sites, "emergency site", name).map(|_| name.to_owned()))?;
    let until = needed(fields, "until", "say when it takes patients again");
    let until = until.then(|| fields.parsed("until", |text| given.local.parse(text)))??;
    Some(Act::Saturate { site, until })
}

fn read_authority(fields: &mut Fields<'_>) -> Authority {
    let beyond_delay_reason = fields.text("beyond_delay_reason").unwrap_or_default().to_owned();
    Authority { role: fields.parsed("regulator_role", regulator_role), beyond_delay_reason }
}

/// Whether a key that goes with the act is there; its absence is refused.
fn needed(fields: &Fields<'_>, key: &str, what: &str) -> bool {
    if !fields.has(key) {
        fields.refuse(key, format!("is missing: {what}"));
    }
    fields.has(key)
}

/// A slot by its schedule and time; the time may be left out when there is one slot only.
fn slot_of(text: &str, given: &Given) -> Result<ExpectedOption, String> {
    let named = named_slot(text, given)?;
    let slots = given.schedule(&named.schedule)?.slots.len();
    if named.at.is_none() && slots != 1 {
        return Err(format!("schedule `{}` has {slots} slots: say which, for instance `{0} 10:30`", named.schedule));
    }
    Ok(named)
}
