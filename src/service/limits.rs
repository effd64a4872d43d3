//! Every limit of the service, with its unit, in one place.
//!
//! The transports state them in their interface and use the same constants, so that no two layers disagree.
//! Limits on stored bytes are the ledger's; limits on queries are the domain's.

use crate::domain::time::{MS_PER_DAY, MS_PER_HOUR, MS_PER_SECOND};

/// Most rows of one published batch.
pub const PUBLISH_ROWS_MAX: usize = 500;
/// Most rows of one replacement.
pub const REPLACE_ROWS_MAX: usize = 300;
/// Longest window of a replacement, in milliseconds: 7 days.
pub const REPLACE_WINDOW_MAX_MS: i64 = 7 * MS_PER_DAY;
/// Most slots of one withdrawal.
pub const WITHDRAW_ROWS_MAX: usize = 150;
/// Longest slot, in milliseconds: 24 hours.
pub const SLOT_LENGTH_MAX_MS: i64 = 24 * MS_PER_HOUR;
/// Most patients of one slot.
pub const SLOT_CAPACITY_MAX: u16 = 500;
/// Shortest hold, in seconds.
pub const HOLD_TTL_MIN_SECONDS: u32 = 5;
/// Longest hold, in seconds.
pub const HOLD_TTL_MAX_SECONDS: u32 = 900;
/// Longest reason of a cancellation, in characters.
pub const CANCEL_REASON_MAX_CHARS: usize = 200;
/// Longest reason for a slot beyond the clinical delay, in characters.
pub const BEYOND_DELAY_REASON_MAX_CHARS: usize = 200;
/// Most live holds of one regulator.
pub const HOLDS_PER_REGULATOR_MAX: usize = 8;
/// Most refusals that are kept of a case: as many as a regulator could ever work through.
pub const CASE_REFUSALS_MAX: usize = 100;
/// Most schedules in a list of refusals.
pub const REFUSED_SCHEDULES_MAX: usize = 1_000;
/// Most next best options beside a refused hold.
pub const ALTERNATIVES_MAX: usize = 3;
/// How often a write is decided again on a newer image before it gives up.
pub const WRITE_TRIES_MAX: usize = 8;
/// Most entries of one append of a published batch; larger batches are cut into several.
pub const CHUNK_ENTRIES_MAX: usize = 64;
/// How old the last word of a source on a schedule may get before an unchanged revision is written anew, in
/// milliseconds: 30 seconds.
pub const HEARD_AGAIN_AFTER_MS: i64 = 30 * MS_PER_SECOND;
/// How long a slot is kept after its end, in milliseconds: 24 hours.
pub const ENDED_SLOT_KEPT_MS: i64 = 24 * MS_PER_HOUR;
/// How far the own clock may be ahead of the ledger's for a purge to be carried out, in milliseconds: 1 hour.
pub const PURGE_CLOCK_TOLERANCE_MS: i64 = MS_PER_HOUR;
/// How far the ledger's clock may be ahead of this machine's before the service calls itself degraded, in milliseconds:
/// 30 seconds, a third of the shortest hold that the policy gives.
pub const LEDGER_CLOCK_AHEAD_MAX_MS: i64 = 30 * MS_PER_SECOND;
/// Most slots that one purge removes.
pub const PURGE_SLOTS_MAX: usize = 16_384;
/// Most cases that one purge removes.
pub const PURGE_CASES_MAX: usize = 16_384;
/// Most records that one append of a purge removes.
pub const PURGE_CHUNK_MAX: usize = 256;
/// Most steps in which the ledger forgets what is past its time, each of at most [`crate::ledger::TRIM_STEP_MAX`].
pub const TRIM_STEPS_MAX: usize = 1_024;
/// When to repeat a write that the ledger refuses, in milliseconds.
pub const RETRY_REFUSED_AFTER_MS: u32 = 1_000;
/// When to repeat a write that met a full queue, a crowd on one record or an unknown outcome, in milliseconds.
pub const RETRY_BUSY_AFTER_MS: u32 = 100;
