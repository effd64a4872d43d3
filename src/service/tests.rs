//! The use cases over a real index and a ledger in memory, on a clock that tests move.

mod world;
mod attending;
mod authority;
mod booking;
mod cases;
mod orienting;
mod races;
mod rebooking;
mod refusing;
mod replays;
mod publishing;
mod batches;
mod replacing;
mod overtaking;
mod watching;
mod withdrawing;
mod directory;
mod saturation;
mod outages;
mod policies;
mod sources;
mod quarantine;
mod witnessing;
mod counting;
mod board;
