//! Lines and fields of a CSV file, one line at a time.
//!
//! Invariant: an open quote ends with its line, so that it cannot swallow the lines after it.

/// The lines that say something, with their numbers from 1: neither empty nor comments.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let numbered = (1_u64..).zip(bytes.split(|byte| *byte == b'\n'));
    numbered
        .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
}

/// The fields of a line; `None` when a quote is left open.
pub(super) fn fields(line: &[u8], delimiter: u8) -> Option<csv::ByteRecord> {
    // With one more delimiter the record ends with an empty field, unless an open quote swallows it.
    let mut closed = Vec::with_capacity(line.len() + 1);
    closed.extend_from_slice(line);
    closed.push(delimiter);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(closed.as_slice());
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).ok()? {
        return None;
    }
    let last = record.len().checked_sub(1)?;
    if !record.get(last)?.is_empty() {
        return None;
    }
    record.truncate(last);
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Option<Vec<String>> {
        let record = fields(line.as_bytes(), b';')?;
        Some(record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect())
    }

    #[test]
    fn fields_are_separated_quoted_and_empty() {
        assert_eq!(texts("a;\"b;\"\"c\"\"\";").unwrap(), ["a", "b;\"c\"", ""]);
        assert_eq!(texts("a").unwrap(), ["a"]);
    }

    #[test]
    fn an_open_quote_is_a_fault() {
        for line in ["a;\"b", "\"", "a;\"b;c", "\"a;"] {
            assert_eq!(texts(line), None, "{line}");
        }
    }

    #[test]
    fn comments_and_empty_lines_keep_the_count() {
        let read: Vec<_> = lines(b"# c\r\n\r\na\n  \nb").map(|(number, line)| (number, line.to_vec())).collect();
        assert_eq!(read, [(3, b"a".to_vec()), (5, b"b".to_vec())]);
    }
}
