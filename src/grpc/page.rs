//! Pages of lists: how many entries, after which one.
//!
//! A token names the last entry that was shown, its kind and a checksum, in hexadecimal: opaque to callers, valid on every
//! instance and for ever. Nothing is kept between two pages: an entry that appears or vanishes meanwhile is seen or not,
//! never twice.

use std::sync::Arc;

use prost::Message;

use super::findings::{Findings, Path};

/// Entries of a page when the request does not say.
const PAGE_DEFAULT: u32 = 100;
/// Most entries of a page.
const PAGE_MAX: u32 = 1_000;
/// A page ends before it grows beyond this many bytes, so that it passes the 4 MiB that clients accept by default.
const PAGE_MAX_BYTES: usize = 2 * 1_024 * 1_024;
/// First byte of every token.
const TOKEN_VERSION: u8 = 1;

/// Which list a token belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum List {
    /// Territories.
    Territories = b't',
    /// Places.
    Places = b'p',
    /// Practitioners.
    Practitioners = b'r',
    /// Schedules.
    Schedules = b's',
    /// Emergency sites.
    EmergencySites = b'e',
}

/// What a request asks of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Page<T> {
    list: List,
    /// Entries after this one.
    pub(super) after: Option<T>,
    limit: usize,
}

impl<T> Page<T> {
    /// Reads the size and the token of a request.
    pub(super) fn from_proto(
        list: List,
        page_size: u32,
        page_token: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        findings: &mut Findings,
    ) -> Self {
        if page_size > PAGE_MAX {
            let message =
                format_args!("{page_size} entries are too many: give 1 to {PAGE_MAX}, or 0 for {PAGE_DEFAULT}");
            findings.refuse(Path::ROOT.field("page_size"), message);
        }
        let limit = if page_size == 0 { PAGE_DEFAULT } else { page_size.min(PAGE_MAX) };
        let after = if page_token.is_empty() { None } else { id_of_token(list, page_token).and_then(|id| parse(&id)) };
        if after.is_none() && !page_token.is_empty() {
            let message = "no token of this list: give next_page_token of the page before, or nothing";
            findings.refuse(Path::ROOT.field("page_token"), message);
        }
        Self { list, after, limit: usize::try_from(limit).unwrap_or(1) }
    }

    /// How many entries to fetch: one more than are shown, to know whether another page follows.
    pub(super) const fn fetch(&self) -> usize {
        self.limit + 1
    }

    /// The entries of the page, and the token of the next; empty on the last.
    pub(super) fn to_proto<R, M: Message>(
        &self,
        records: Vec<Arc<R>>,
        to_proto: impl Fn(&R) -> M,
        id_of: impl Fn(&R) -> String,
    ) -> (Vec<M>, String) {
        let total = records.len();
        let (mut messages, mut last, mut bytes) = (Vec::new(), String::new(), 0);
        for record in records.iter().take(self.limit) {
            let message = to_proto(record);
            bytes += message.encoded_len();
            if bytes > PAGE_MAX_BYTES && !messages.is_empty() {
                break;
            }
            last = id_of(record);
            messages.push(message);
        }
        let token = if messages.len() < total { token_of(self.list, &last) } else { String::new() };
        (messages, token)
    }
}

fn token_of(list: List, id: &str) -> String {
    let [a, b, c, d] = checksum(list, id).to_be_bytes();
    let head = [TOKEN_VERSION, list as u8, a, b, c, d];
    head.iter().chain(id.as_bytes()).map(|byte| format!("{byte:02x}")).collect()
}

fn id_of_token(list: List, token: &str) -> Option<String> {
    let bytes = bytes_of_hex(token)?;
    let (head, id) = bytes.split_first_chunk::<6>()?;
    let [version, kind, sum @ ..] = head;
    let id = std::str::from_utf8(id).ok()?;
    let is_sound = *version == TOKEN_VERSION && *kind == list as u8 && u32::from_be_bytes(*sum) == checksum(list, id);
    is_sound.then(|| id.to_owned())
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |character: u8| char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect()
}

/// FNV-1a: tells a token that was cut or altered, nothing more.
fn checksum(list: List, id: &str) -> u32 {
    let mix = |sum: u32, byte: &u8| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    [list as u8].iter().chain(id.as_bytes()).fold(0x811c_9dc5, mix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(list: List, size: u32, token: &str) -> Result<Page<String>, Vec<String>> {
        let mut findings = Findings::default();
        let page = Page::from_proto(list, size, token, |id| Some(id.to_owned()), &mut findings);
        if findings.violations.is_empty() {
            Ok(page)
        } else {
            Err(findings.violations.into_iter().map(|v| v.field).collect())
        }
    }

    #[test]
    fn a_page_names_the_next_one() {
        let page = read(List::Places, 2, "").unwrap();
        let records: Vec<Arc<String>> = ["a", "b", "c"].into_iter().map(|id| Arc::new(id.to_owned())).collect();
        let (shown, token) = page.to_proto(records, |id| id.clone(), String::clone);
        assert_eq!(shown, ["a", "b"]);
        assert_eq!(read(List::Places, 2, &token).unwrap().after.as_deref(), Some("b"));
    }

    #[test]
    fn the_last_page_names_none() {
        let page = read(List::Places, 2, "").unwrap();
        let (_, token) = page.to_proto(vec![Arc::new("a".to_owned())], |id| id.clone(), String::clone);
        assert_eq!(token, "");
    }

    #[test]
    fn a_page_of_large_entries_ends_early() {
        let page = read(List::Places, 100, "").unwrap();
        let records: Vec<_> = (0..10).map(|_| Arc::new("x".repeat(1_000_000))).collect();
        let (shown, token) = page.to_proto(records, |text| text.clone(), |_| "id".to_owned());
        assert_eq!(shown.len(), 2);
        assert!(!token.is_empty());
    }

    #[test]
    fn sizes_and_tokens_that_are_wrong_are_refused() {
        assert_eq!(read(List::Places, 1_001, "").unwrap_err(), ["page_size"]);
        let token = token_of(List::Places, "a");
        assert_eq!(read(List::Schedules, 0, &token).unwrap_err(), ["page_token"], "a token of another list");
        assert_eq!(read(List::Places, 0, &token[..token.len() - 2]).unwrap_err(), ["page_token"], "a cut token");
        assert_eq!(read(List::Places, 0, "é").unwrap_err(), ["page_token"]);
    }

    proptest! {
        #[test]
        fn tokens_round_trip_and_are_safe_in_urls(id in "\\PC{1,128}") {
            let token = token_of(List::Schedules, &id);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            prop_assert_eq!(id_of_token(List::Schedules, &token), Some(id));
        }

        #[test]
        fn no_token_makes_the_reader_panic(token in "\\PC*") {
            let _ = id_of_token(List::Places, &token);
        }
    }
}
