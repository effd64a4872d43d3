//! Systems that publish, and how long their word counts after they were last heard.
//!
//! A source that has a lease says again and again that it is there; while it does, what it published stands however long ago
//! that was. A source without one is believed by the age of what it said. Either way belief fades in steps: certain,
//! uncertain, hidden. Nothing here reads a clock.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::id::SourceId;
use super::time::{MS_PER_SECOND, UtcInstant};

/// Shortest lease, in seconds.
pub const LEASE_MIN_SECONDS: u32 = 30;
/// Longest lease, in seconds: a day.
pub const LEASE_MAX_SECONDS: u32 = 86_400;

/// A publishing system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its identifier.
    pub id: SourceId,
    /// How long after a heartbeat its word counts in full, in seconds; absent when it has no lease.
    pub lease_seconds: Option<u32>,
    /// When it last sent a heartbeat.
    pub heard_at: UtcInstant,
}

impl Source {
    /// When its lease ends unless it is heard again.
    #[must_use]
    pub fn lease_ends_at(&self) -> Option<UtcInstant> {
        self.lease_seconds.map(|lease| self.heard_at.plus_seconds(lease))
    }
}

/// How far what a source said is believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Confidence {
    /// In full.
    Certain,
    /// Doubted: offered, behind what is certain, and labelled.
    Uncertain,
    /// No longer: not offered; whether anything is free there is unknown.
    Hidden,
}

impl Confidence {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Certain, Self::Uncertain, Self::Hidden];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Certain => "CERTAIN",
            Self::Uncertain => "UNCERTAIN",
            Self::Hidden => "HIDDEN",
        }
    }
}

/// After how long belief fades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fading {
    /// Age in seconds from which the word of a source without lease is doubted.
    pub uncertain_after_seconds: u32,
    /// Age in seconds from which it is hidden; above the first.
    pub hidden_after_seconds: u32,
    /// Seconds after the end of a lease from which the word of its source is hidden; until then it is doubted.
    pub hidden_after_lease_seconds: u32,
}

/// When a source was last heard, shared by all that it published, so that a heartbeat alters one word.
///
/// Whether there is a lease never changes: a lease that begins or ends is another pulse.
#[derive(Debug, Default)]
pub struct Pulse {
    leased: bool,
    heard_at_ms: AtomicI64,
    lease_ms: AtomicI64,
}

impl Pulse {
    /// That of a source; of none that was ever heard, it is without a lease.
    #[must_use]
    pub fn of(source: Option<&Source>) -> Self {
        let pulse = Self { leased: source.is_some_and(|source| source.lease_seconds.is_some()), ..Self::default() };
        if let Some(source) = source {
            pulse.beat(source);
        }
        pulse
    }

    /// Whether its source has a lease.
    #[must_use]
    #[inline]
    pub const fn is_leased(&self) -> bool {
        self.leased
    }

    /// Takes over a heartbeat; false when that takes another pulse.
    pub fn beat(&self, source: &Source) -> bool {
        if source.lease_seconds.is_some() != self.leased {
            return false;
        }
        self.lease_ms.store(source.lease_seconds.map_or(0, |lease| i64::from(lease) * MS_PER_SECOND), Relaxed);
        self.heard_at_ms.store(source.heard_at.ms(), Relaxed);
        true
    }

    /// When the source was last heard of something that it last stated at an instant.
    #[must_use]
    #[inline]
    pub fn heard_at(&self, received_at: UtcInstant) -> UtcInstant {
        if !self.leased {
            return received_at;
        }
        received_at.max(UtcInstant::from_ms(self.heard_at_ms.load(Relaxed)))
    }

    /// How far something is believed that the source last stated at an instant.
    #[must_use]
    #[inline]
    pub fn confidence(&self, received_at: UtcInstant, now: UtcInstant, fading: &Fading) -> Confidence {
        let age_ms = now.ms_since(self.heard_at(received_at));
        let (uncertain_ms, hidden_ms) = self.steps_ms(fading);
        if age_ms <= uncertain_ms {
            Confidence::Certain
        } else if age_ms <= hidden_ms {
            Confidence::Uncertain
        } else {
            Confidence::Hidden
        }
    }

    /// The instant after which something is hidden that the source last stated at an instant.
    #[must_use]
    pub fn hidden_after(&self, received_at: UtcInstant, fading: &Fading) -> UtcInstant {
        self.heard_at(received_at).plus_ms(self.steps_ms(fading).1)
    }

    /// Ages in milliseconds up to which it is certain, and up to which it is shown.
    #[inline]
    fn steps_ms(&self, fading: &Fading) -> (i64, i64) {
        let ms = |seconds: u32| i64::from(seconds) * MS_PER_SECOND;
        if self.leased {
            let lease_ms = self.lease_ms.load(Relaxed);
            return (lease_ms, lease_ms + ms(fading.hidden_after_lease_seconds));
        }
        (ms(fading.uncertain_after_seconds), ms(fading.hidden_after_seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FADING: Fading =
        Fading { uncertain_after_seconds: 100, hidden_after_seconds: 200, hidden_after_lease_seconds: 50 };

    fn at(seconds: i64) -> UtcInstant {
        UtcInstant::from_ms(1_795_431_600_000 + seconds * 1_000)
    }

    fn source(lease_seconds: Option<u32>, heard: i64) -> Source {
        Source { id: SourceId::parse("editeur").unwrap(), lease_seconds, heard_at: at(heard) }
    }

    #[test]
    fn without_a_lease_belief_fades_with_the_age_of_the_word() {
        let known = source(None, 1_000);
        for pulse in [Pulse::of(None), Pulse::of(Some(&known))] {
            for (now, confidence) in [
                (-5, Confidence::Certain),
                (100, Confidence::Certain),
                (101, Confidence::Uncertain),
                (200, Confidence::Uncertain),
                (201, Confidence::Hidden),
            ] {
                assert_eq!(pulse.confidence(at(0), at(now), &FADING), confidence, "{now}");
            }
            assert_eq!(pulse.heard_at(at(0)), at(0));
            assert_eq!(pulse.hidden_after(at(0), &FADING), at(200));
        }
    }

    #[test]
    fn with_a_lease_belief_lasts_while_the_source_is_heard() {
        let pulse = Pulse::of(Some(&source(Some(60), 500)));
        for (now, confidence) in [(560, Confidence::Certain), (561, Confidence::Uncertain), (611, Confidence::Hidden)] {
            assert_eq!(pulse.confidence(at(0), at(now), &FADING), confidence, "{now}");
        }
        assert!(pulse.beat(&source(Some(90), 600)));
        assert_eq!(pulse.confidence(at(0), at(690), &FADING), Confidence::Certain);
        assert_eq!(pulse.confidence(at(640), at(730), &FADING), Confidence::Certain, "a publish is heard too");
        assert_eq!(pulse.hidden_after(at(0), &FADING), at(740));
    }

    #[test]
    fn a_lease_that_begins_or_ends_is_another_pulse() {
        assert!(!Pulse::of(None).beat(&source(Some(60), 0)));
        assert!(!Pulse::of(Some(&source(Some(60), 0))).beat(&source(None, 0)));
    }
}
