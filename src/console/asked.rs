//! Which part of a list a page wants: filtered, sorted, one page of it.

use axum::http::Uri;

/// Rows of a page.
pub(super) const ROWS_PER_PAGE: usize = 25;
/// Longest filter in bytes.
const FILTER_MAX_BYTES: usize = 320;
/// Farthest page.
const PAGE_MAX: usize = 100_000;

/// Which part of a list is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// By what it is sorted; empty for the list's own order.
    pub(super) sort: String,
    /// Whether the greatest come first.
    pub(super) is_descending: bool,
    /// In lower case; only rows that contain it.
    pub(super) filter: String,
    /// From 0.
    pub(super) page: usize,
    /// Rows of a page.
    pub(super) rows: usize,
}

impl Asked {
    /// The first rows in the list's own order.
    pub(super) const fn first(rows: usize) -> Self {
        Self { sort: String::new(), is_descending: false, filter: String::new(), page: 0, rows }
    }

    /// Reads the query of an address.
    ///
    /// # Errors
    /// With what to give instead.
    pub(super) fn of(uri: &Uri) -> Result<Self, String> {
        let mut asked = Self::first(ROWS_PER_PAGE);
        for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value).ok_or_else(|| format!("`{key}` is no text in UTF-8: encode it with %"))?;
            match key {
                "page" => {
                    asked.page = value.parse().ok().filter(|page| *page <= PAGE_MAX).ok_or("page: give 0 or more")?
                }
                "sort" => asked.sort = value,
                "order" if value == "asc" || value == "desc" => asked.is_descending = value == "desc",
                "order" => return Err("order: give asc or desc".to_owned()),
                "q" if value.len() > FILTER_MAX_BYTES => {
                    return Err(format!("q: give at most {FILTER_MAX_BYTES} bytes"));
                }
                "q" => asked.filter = value.trim().to_lowercase(),
                _ => return Err("give page, sort, order and q only".to_owned()),
            }
        }
        Ok(asked)
    }
}

/// The text behind an encoded value of a query.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<Asked, String> {
        Asked::of(&format!("/console/tension?{query}").parse().unwrap())
    }

    #[test]
    fn a_query_is_read_with_its_accents() {
        let asked = of("page=2&sort=wait&order=desc&q=V%C3%A9nissieux+Est").unwrap();
        assert_eq!((asked.page, asked.sort.as_str(), asked.is_descending), (2, "wait", true));
        assert_eq!(asked.filter, "vénissieux est");
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_to_give() {
        for query in ["page=-1", "page=x", "order=up", "q=%FF", "q=%4", "colour=red", &format!("q={}", "a".repeat(321))]
        {
            assert!(of(query).is_err(), "{query}");
        }
    }
}
