//! Who is told of every call that ends: the port through which calls are counted, without knowing by whom.
//!
//! Invariant: every call that came in is told once, whatever became of it: answered, refused, cut or given up by its caller. A
//! method is one that is served, or [`OTHER`], so that nobody makes up names. Deliberately absent: what a call asked.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::proto::DESCRIPTORS;

/// Stands for every method that is not served.
pub const OTHER: &str = "_OTHER";

/// Every method that is served, as `package.Service/Method`.
static METHODS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let sets = [DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET].map(FileDescriptorSet::decode);
    let files: Vec<_> = sets.into_iter().flatten().flat_map(|set| set.file).collect();
    let mut methods = HashSet::new();
    for file in &files {
        for service in &file.service {
            let name = |method: &str| format!("{}.{}/{method}", file.package(), service.name());
            methods.extend(service.method.iter().map(|method| name(method.name())));
        }
    }
    methods
});

/// Is told of calls.
pub trait CallWitness: Send + Sync + 'static {
    /// A call ended.
    fn ended(&self, call: &CallEnd<'_>);

    /// A call was refused because too many were under way; it also ends.
    fn shed(&self, kind: CallKind);
}

/// A call that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallEnd<'a> {
    /// The method, as `package.Service/Method`.
    pub method: &'static str,
    /// Name of the status.
    pub code: &'static str,
    /// The reason of a refusal; empty without one.
    pub reason: &'a str,
    /// How long it took, a stream until its end.
    pub took: Duration,
}

/// What kind of places a call takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallKind {
    /// One that ends soon.
    Call,
    /// A regulator's question.
    Question,
    /// One that stays open.
    Watch,
}

impl CallKind {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Question => "question",
            Self::Watch => "watch",
        }
    }
}

/// What is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Calls that end soon, questions aside.
    pub calls: usize,
    /// Most of these; those that end what was begun have some more.
    pub calls_max: usize,
    /// Questions, those that are only read for escalations included.
    pub questions: usize,
    /// How many may be answered at once now; it follows how soon they are begun.
    pub questions_max: usize,
    /// Calls that stay open.
    pub watches: usize,
    /// Connections that are open.
    pub connections: usize,
}

/// A witness, or nobody.
#[derive(Clone, Default)]
pub struct Witnessed(pub Option<Arc<dyn CallWitness>>);

impl fmt::Debug for Witnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Witnessed").field(&self.0.is_some()).finish()
    }
}

/// The method of a path.
pub(super) fn method_of(path: &str) -> &'static str {
    METHODS.get(path.trim_start_matches('/')).map_or(OTHER, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_not_served_has_no_name_of_its_own() {
        assert_eq!(method_of("/sas.routing.v1.RoutingService/FindCare"), "sas.routing.v1.RoutingService/FindCare");
        assert_eq!(method_of("/grpc.health.v1.Health/Check"), "grpc.health.v1.Health/Check");
        for made_up in ["/sas.routing.v1.RoutingService/FindCare2", "/", "", "/a/b"] {
            assert_eq!(method_of(made_up), OTHER, "{made_up}");
        }
    }
}
