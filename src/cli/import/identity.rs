//! Identifiers that the import makes: within the service's limit, and the same for the same content in every run.
//!
//! Invariant: nothing here depends on time, chance or the order of a hash table.

use crate::domain::id::OPAQUE_ID_MAX_BYTES;
use crate::domain::time::UtcInstant;

/// Hexadecimal digits of a digest in an identifier that was cut.
const DIGEST_DIGITS: usize = 16;

/// The 128-bit FNV-1a digest of bytes: stable over versions and machines, not meant against an attacker.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |digest, byte| (digest ^ u128::from(*byte)).wrapping_mul(PRIME))
}

/// The identifier itself when the service takes its length, else its beginning and a digest of the whole.
pub(super) fn fitted(id: &str) -> String {
    if id.len() <= OPAQUE_ID_MAX_BYTES {
        return id.to_owned();
    }
    let digits = format!("{:032x}", digest(id.as_bytes()));
    let digits = digits.get(..DIGEST_DIGITS).unwrap_or(&digits);
    let mut kept = OPAQUE_ID_MAX_BYTES - DIGEST_DIGITS - 1;
    while !id.is_char_boundary(kept) {
        kept -= 1;
    }
    format!("{}~{digits}", id.get(..kept).unwrap_or_default())
}

/// The identifier with the source's prefix, within the limit.
pub(super) fn prefixed(prefix: Option<&str>, id: &str) -> String {
    prefix.map_or_else(|| fitted(id), |prefix| fitted(&format!("{prefix}:{id}")))
}

/// The identifier of a slot that its file does not name: schedule, UTC start and modalities.
pub(super) fn slot_id(schedule_id: &str, start_at: UtcInstant, modalities: &[String]) -> String {
    let start_at = start_at.to_chrono().format("%Y%m%dT%H%M%SZ");
    fitted(&format!("{schedule_id}/{start_at}/{}", modalities.join("+")))
}

/// The identifier of a write: the same content at the same revision gives the same, so that a second run is a replay.
pub(super) fn request_id(kind: &str, source_revision: u64, content: &[u8]) -> String {
    format!("import-{kind}-{source_revision}-{:032x}", digest(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digest_is_fnv_1a() {
        assert_eq!(digest(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(digest(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn long_identifiers_that_differ_at_the_end_stay_apart() {
        let (one, two) = (format!("{}1", "é".repeat(100)), format!("{}2", "é".repeat(100)));
        assert!(fitted(&one).len() <= OPAQUE_ID_MAX_BYTES);
        assert_ne!(fitted(&one), fitted(&two));
    }

    #[test]
    fn a_slot_is_named_after_its_schedule_start_and_modalities() {
        let start_at = UtcInstant::parse_rfc3339("2026-01-05T08:15:00Z").unwrap();
        let modalities = ["AMB".to_owned(), "VR".to_owned()];
        assert_eq!(slot_id("10100000012@mmg", start_at, &modalities), "10100000012@mmg/20260105T081500Z/AMB+VR");
    }

    #[test]
    fn a_request_is_named_after_content_and_revision() {
        assert_eq!(request_id("slots", 7, b"x"), request_id("slots", 7, b"x"));
        assert_ne!(request_id("slots", 7, b"x"), request_id("slots", 8, b"x"));
        assert_ne!(request_id("slots", 7, b"x"), request_id("slots", 7, b"y"));
        assert!(request_id("emergency_site", u64::MAX, b"x").len() <= OPAQUE_ID_MAX_BYTES);
    }

    proptest! {
        #[test]
        fn fitted_identifiers_are_within_the_limit(text in "\\PC{0,300}") {
            prop_assert!(fitted(&text).len() <= OPAQUE_ID_MAX_BYTES);
        }
    }
}
