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
/// How long what was decided for a case is kept after it was last recorded, in milliseconds: 24 hours.
pub const ORIENTATION_KEPT_MS: i64 = 24 * MS_PER_HOUR;
/// How long the anonymous counts of a day are kept, in days: a quarter and a week, so that a CPTS can still take last
/// quarter's figures out; whoever needs them longer keeps the CSV.
pub const INDICATORS_KEPT_DAYS: u64 = 100;
/// Most days whose indicators are listed at once.
pub const INDICATOR_DAYS_MAX: usize = 31;
/// How many days needs that found nothing are counted for: a week, and the day that has begun.
pub const TENSION_DAYS_KEPT: u64 = 8;
/// Most counters of needs that found nothing; at some 80 bytes each they take 20 MB at most.
pub const TENSION_CELLS_MAX: usize = 262_144;
/// How old the board of operations may be before who looks gets a new one, in milliseconds: 2 seconds.
pub const BOARD_KEPT_MS: i64 = 2 * MS_PER_SECOND;
/// How many times what a look at every schedule took the board waits for the next one: looking takes 1 % of a core at most.
pub const BOARD_LOOK_SHARE: i64 = 100;
/// How long a look at every schedule stands at most, in milliseconds: 10 minutes.
pub const BOARD_LOOK_KEPT_MAX_MS: i64 = 600 * MS_PER_SECOND;
/// Most rows of the board of operations: of each CPTS, need and band of ages.
pub const BOARD_ROWS_MAX: usize = 20_000;
/// Rows of the board of operations that a call gets that does not say how many it wants.
pub const BOARD_ROWS_DEFAULT: usize = 1_000;
/// Most sources of the board of operations.
pub const BOARD_SOURCES_MAX: usize = 500;
/// Most places of the board of operations.
pub const BOARD_PLACES_MAX: usize = 100_000;
/// Whether regulation is asked to call a patient back who did not come, when the schedule does not say.
pub const NO_SHOW_CALL_BACK_DEFAULT: bool = true;
/// Most files of the policies in force together.
pub const POLICY_DOCUMENTS_MAX: usize = 64;
/// Most bytes of the policies in force together, with their names: below what a message may have.
pub const POLICY_TEXTS_MAX_BYTES: usize = 192 * 1_024;
/// Longest reason for a change of policy, in characters.
pub const POLICY_REASON_MAX_CHARS: usize = 200;
/// Most questions that are kept to try a candidate policy on: an hour and more of a busy centre, in some 2 MB.
pub const QUESTIONS_KEPT_MAX: usize = 2_000;
/// How long a question is kept, in milliseconds: 24 hours.
pub const QUESTIONS_KEPT_MS: i64 = 24 * MS_PER_HOUR;
/// Most changed answers that a preview tells one by one.
pub const PREVIEW_CHANGES_MAX: usize = 200;
/// How long a preview works, in milliseconds.
pub const PREVIEW_MS_MAX: u64 = 3_000;
/// Longest reason for the end of a quarantine, in characters.
pub const SETTLE_REASON_MAX_CHARS: usize = 200;
/// Most claims of a slot whose quarantine one call ends: with their cases they fit into one append.
pub const SETTLE_CLAIMS_MAX: usize = 500;
/// Most slots with claims in quarantine that are listed.
pub const QUARANTINED_SLOTS_MAX: usize = 1_000;
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
/// Most open watches of all callers together, unless configured.
pub const WATCHES_MAX: usize = 4_096;
/// Most open watches of one caller, unless configured: a regulation centre has some hundred calls open at once, and until
/// callers present themselves all of them are one.
pub const WATCHES_PER_CALLER_MAX: usize = 2_048;
/// Most open watches that may be configured.
pub const WATCHES_CEILING: usize = 65_536;
/// How long a watch is kept when the caller does not say, in seconds: 15 minutes.
pub const WATCH_SECONDS_DEFAULT: u32 = 900;
/// How long a watch is kept at most, in seconds: 1 hour.
pub const WATCH_SECONDS_MAX: u32 = 3_600;
/// Longest resume token of a watch, in bytes: twenty options with the longest identifiers stay below.
pub const WATCH_TOKEN_MAX_BYTES: usize = 8 * 1_024;
/// Between two answers to one watch pass at least so many milliseconds.
pub const WATCH_INTERVAL_MS: u64 = 50;
/// How long changes are gathered before watches hear of them, in milliseconds.
pub const WATCH_GATHERED_MS: u64 = 5;
/// How often the clock is looked at for watches that wait for an instant, in milliseconds.
pub const WATCH_TICK_MS: u64 = 50;
/// A watch that hears of nothing is answered anew after so many milliseconds: what nobody announces shows then.
pub const WATCH_RECHECK_MS: i64 = 15 * MS_PER_SECOND;
/// While an option may fail for time within a minute, its watch is answered anew after so many milliseconds.
pub const WATCH_RECHECK_MIN_MS: i64 = MS_PER_SECOND;
/// Most schedules that changes name before watches hear that anything may have changed.
pub const WATCH_GATHERED_MAX: usize = 4_096;
/// Most cases that changes name before watches hear that anything may have changed.
pub const WATCH_GATHERED_CASES_MAX: usize = 4_096;
/// Most schedules of the preferred practitioner that a watch listens to; of more it hears where they are.
pub const WATCH_PREFERRED_MAX: usize = 16;
/// Most squares of the map in which a watch is listed; larger areas hear of all squares.
pub const WATCH_SQUARES_MAX: usize = 256;
/// Most instants at which a hold ends that a watch waits for.
pub const WATCH_RETURNS_MAX: usize = 32;
/// When to try again to open a watch beyond the limit, in milliseconds.
pub const RETRY_WATCH_AFTER_MS: u32 = 5_000;
/// How long slots that were counted for operations stand for the count, in milliseconds.
pub const CENSUS_KEPT_MS: i64 = 10 * MS_PER_SECOND;
