//! What is not as it should be while the service serves: named, with what to do about it.
//!
//! Invariant: codes are stable. Deliberately absent: what a single call is told, which is an error.

use super::Service;

/// What kind of trouble it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ConditionKind {
    /// The ledger refuses writes; reads go on.
    WritesRefused,
    /// Nothing is forgotten because the machine's clock may be wrong.
    ClockNotTrusted,
}

impl ConditionKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::WritesRefused, Self::ClockNotTrusted];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WritesRefused => "WRITES_REFUSED",
            Self::ClockNotTrusted => "CLOCK_NOT_TRUSTED",
        }
    }

    /// Whether callers are served less than they should be.
    #[must_use]
    pub const fn degrades(self) -> bool {
        match self {
            Self::WritesRefused => true,
            Self::ClockNotTrusted => false,
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// What kind of trouble it is.
    pub kind: ConditionKind,
    /// What was seen, what follows from it, and what to do.
    pub message: String,
}

impl Service {
    /// Everything that is not as it should be now; nothing when all is well.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let refusal = self.parts().ledger.health().refusal;
        let doubt = self.shared.clock_doubt.load();
        let doubt = doubt.as_ref().map(|doubt| doubt.as_ref().clone());
        let told = [(ConditionKind::WritesRefused, refusal), (ConditionKind::ClockNotTrusted, doubt)];
        told.into_iter().filter_map(|(kind, message)| Some(Condition { kind, message: message? })).collect()
    }

    /// Notes why the machine's clock is not trusted with forgetting; `None` when it is.
    pub fn doubt_clock(&self, doubt: Option<String>) {
        self.shared.clock_doubt.store(doubt.map(std::sync::Arc::new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_code_of_its_own() {
        let codes: std::collections::HashSet<_> = ConditionKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ConditionKind::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')));
    }
}
