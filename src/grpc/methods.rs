//! The calls that there are, by the names that the protocol definitions give them.
//!
//! Invariant: whatever path a client asks for, its name is one of a few that are known before.

use std::collections::HashSet;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::proto::DESCRIPTORS;

/// The name of a call that is not known.
pub(super) const OTHER: &str = "_OTHER";

static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    // Descriptors that cannot be read end the start of the server.
    let files = FileDescriptorSet::decode(DESCRIPTORS).map(|set| set.file).unwrap_or_default();
    let mut names = HashSet::new();
    for file in &files {
        for service in &file.service {
            let name = |method: &str| format!("{}.{}/{method}", file.package(), service.name());
            names.extend(service.method.iter().map(|method| name(method.name())));
        }
    }
    names
});

/// The call of a path, for instance `sas.routing.v1.RoutingService/FindCare`; [`OTHER`] when there is none.
pub(super) fn name(path: &str) -> &'static str {
    NAMES.get(path.trim_start_matches('/')).map_or(OTHER, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_a_name_that_is_known_before() {
        assert_eq!(name("/sas.routing.v1.RoutingService/FindCare"), "sas.routing.v1.RoutingService/FindCare");
        for unknown in ["", "/", "/sas.routing.v1.RoutingService/Anne%20Durand", "/x.Y/Z"] {
            assert_eq!(name(unknown), OTHER, "{unknown}");
        }
    }
}
