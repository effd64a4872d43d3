//! Faults that the tests wake on purpose, to see that they are caught.
//!
//! Invariant: only a build with the feature `seeded-bugs` can hold one, and even there all sleep until `SEEDED_BUG` names one.
//! The feature is on for tests alone: the released program has neither the faults nor their names.

/// A fault in how a ledger decides or the one in Redis is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Fewer replicas than configured are enough.
    AckWithoutWait,
    /// Only this machine's clock judges what is over.
    LocalClockOnly,
    /// What was missed while Redis was away is skipped.
    GapIgnored,
    /// A retry is carried out again.
    RequestIdIgnored,
    /// Any version is the expected one.
    VersionIgnored,
    /// Time guards hold at any time.
    TimeIgnored,
    /// A lost connection is told as written.
    LostToldAsWritten,
    /// A lost connection is told as not written.
    LostToldAsRefused,
    /// The first of several changes is not handed over.
    ChangeDropped,
    /// An outcome is told before the sink was told.
    AnsweredBeforeSink,
}

#[cfg(not(feature = "seeded-bugs"))]
mod here {
    use super::Fault;

    pub(crate) const fn is_awake(_fault: Fault) -> bool {
        false
    }

    pub(crate) const fn script(source: String) -> String {
        source
    }
}

#[cfg(feature = "seeded-bugs")]
mod here {
    use std::sync::LazyLock;

    use super::Fault;

    /// The one that is awake, as its test names it; empty for none.
    #[allow(clippy::disallowed_methods, reason = "a fault is no setting: the configuration must not know it")]
    static AWAKE: LazyLock<String> = LazyLock::new(|| std::env::var("SEEDED_BUG").unwrap_or_default());

    pub(crate) fn is_awake(fault: Fault) -> bool {
        let name = match fault {
            Fault::AckWithoutWait => "ack-without-wait",
            Fault::LocalClockOnly => "local-clock-only",
            Fault::GapIgnored => "gap-ignored",
            Fault::RequestIdIgnored => "request-id-ignored",
            Fault::VersionIgnored => "version-ignored",
            Fault::TimeIgnored => "time-ignored",
            Fault::LostToldAsWritten => "lost-told-as-written",
            Fault::LostToldAsRefused => "lost-told-as-refused",
            Fault::ChangeDropped => "change-dropped",
            Fault::AnsweredBeforeSink => "answered-before-sink",
        };
        *AWAKE == name
    }

    /// The script with the fault in it.
    pub(crate) fn script(source: String) -> String {
        let (sound, faulty) = match AWAKE.as_str() {
            "no-fence" => ("local function incarnation()", "local function incarnation() do return 'any' end"),
            "version-not-compared" => ("if version ~= ARGV[at + 2] then", "if false then"),
            "fingerprint-not-compared" => ("if string.sub(kept, from, from + 15) ~= ARGV[5] then", "if false then"),
            "salvage-skipped" => ("if not best then return {'READY'", "if true then return {'READY'"),
            _ => return source,
        };
        // Activation insists on the same as well.
        let source = source.replace(sound, faulty);
        if faulty.starts_with("if true") {
            source.replace("if best_report(", "if false and best_report(")
        } else {
            source
        }
    }
}

pub(crate) use here::{is_awake, script};
