//! The digest by which a retry is told from a reuse of its request id: FNV-1a with 128 bits over the request's content.
//!
//! Invariant: equal content gives the same digest on every machine and in every release, because outcomes outlive a
//! restart; fields go in with their length or a fixed width, so that no two contents run into the same bytes.
//! Deliberately absent: resistance to forgery; a caller can only deceive itself, request ids are per principal.

use crate::domain::slot::{Published, SlotTraits};
use crate::domain::time::{UtcInstant, Window};
use crate::domain::violation::Violation;
use crate::ledger::Fingerprint;

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// A digest under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digest(u128);

impl Digest {
    /// The digest of a kind of request, for instance `hold`.
    pub(super) fn of(operation: &str) -> Self {
        let mut digest = Self(OFFSET);
        digest.text(operation);
        digest
    }

    /// Takes in bytes of any length.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.raw(bytes)
    }

    /// Takes in a text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Takes in a text that may be absent.
    pub(super) fn optional(&mut self, text: Option<&str>) -> &mut Self {
        self.number(u64::from(text.is_some()));
        self.text(text.unwrap_or_default())
    }

    /// Takes in a text of a field that requests had not always: one without it has the digest that it had before.
    pub(super) fn added(&mut self, field: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(field).text(text);
        }
        self
    }

    /// Takes in a number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.raw(&number.to_le_bytes())
    }

    /// Takes in a window.
    pub(super) fn window(&mut self, window: Window) -> &mut Self {
        self.raw(&window.start_at().ms().to_le_bytes()).raw(&window.end_at().ms().to_le_bytes())
    }

    /// Takes in an instant that may be absent.
    pub(super) fn instant(&mut self, at: Option<UtcInstant>) -> &mut Self {
        self.number(u64::from(at.is_some())).raw(&at.map_or(0, UtcInstant::ms).to_le_bytes())
    }

    /// Takes in what a publisher says of a slot.
    pub(super) fn published(&mut self, published: &Published) -> &mut Self {
        let Published { id, schedule_id, window, capacity, traits } = published;
        let SlotTraits { modalities, appointment_type, visibilities, specialties, territories, motives, booking_url } =
            traits.as_ref();
        self.text(id.as_str()).text(schedule_id.as_str()).window(*window).number(u64::from(*capacity));
        self.texts(modalities.iter().map(|code| code.code())).text(appointment_type.code());
        self.texts(visibilities.iter().map(|code| code.code())).texts(specialties.iter().map(|code| code.code()));
        self.texts(territories.iter().map(|id| id.as_str())).texts(motives.iter().map(AsRef::as_ref)).text(booking_url)
    }

    /// Takes in what is wrong with a row.
    pub(super) fn violations(&mut self, violations: &[Violation]) -> &mut Self {
        self.number(violations.len() as u64);
        for Violation { field, message } in violations {
            self.text(field).text(message);
        }
        self
    }

    /// The digest of all that was taken in.
    pub(super) const fn finish(&self) -> Fingerprint {
        Fingerprint(self.0.to_le_bytes())
    }

    fn texts<T: AsRef<str>>(&mut self, texts: impl Iterator<Item = T>) -> &mut Self {
        let mut count = 0;
        for text in texts {
            self.text(text.as_ref());
            count += 1;
        }
        self.number(count)
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_the_published_function() {
        // Test vector of FNV-1a with 128 bits for the single byte `a`.
        let digest = *Digest(OFFSET).raw(b"a");
        assert_eq!(digest.0, 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn fields_do_not_run_together() {
        let one = Digest::of("hold").text("ab").text("c").finish();
        let other = Digest::of("hold").text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_ne!(Digest::of("hold").optional(None).finish(), Digest::of("hold").optional(Some("")).finish());
        assert_ne!(Digest::of("hold").finish(), Digest::of("confirm").finish());
    }
}
