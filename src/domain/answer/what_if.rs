//! What a question would gain by asking for a little more.

use crate::domain::code::Modality;
use crate::domain::time::UtcInstant;

/// What would be asked for instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relaxation {
    /// This radius, in metres.
    Radius(u32),
    /// This clinical delay, in minutes.
    Delay(u32),
    /// This modality too.
    Modality(Modality),
}

/// What a relaxation would add to the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WhatIf {
    /// The least that brings the best of what it adds.
    pub relaxation: Relaxation,
    /// How many examined slots fail nothing but this; the relaxation brings the best of them, more of it the others.
    pub slot_count: u32,
    /// When care could begin in the best of them.
    pub care_begins_at: UtcInstant,
    /// How many minutes sooner that is than the first of the options; absent when there are none, 0 when it is no sooner.
    pub gain_minutes: Option<u32>,
    /// One French sentence.
    pub sentence: String,
}
