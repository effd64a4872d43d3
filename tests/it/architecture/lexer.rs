//! Cuts Rust source into the few tokens that the rules look at.
//!
//! Invariant: comments and literals yield no identifier, so a rule never trips over prose.
//! Deliberately absent: a grammar; whatever needs one belongs to the compiler or to clippy.

/// An identifier, `::`, one character of punctuation, or `"` for any literal text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token<'a> {
    /// As written.
    pub(crate) text: &'a str,
    /// From 1.
    pub(crate) line: usize,
}

/// The tokens of a source file, without comments, numbers and the content of literals.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut rest = source;
    let mut line = 1;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (length, text) = next(rest, first);
        if let Some(text) = text {
            found.push(Token { text, line });
        }
        let (taken, after) = rest.split_at(length);
        line += taken.matches('\n').count();
        rest = after;
    }
    found
}

/// Length in bytes of what comes next, and its token when it makes one.
fn next(rest: &str, first: char) -> (usize, Option<&str>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment_length(rest), None);
    }
    if let Some(length) = raw_string_length(rest) {
        return (length, Some("\""));
    }
    if first == '"' || rest.starts_with("b\"") || rest.starts_with("c\"") {
        let quote = rest.find('"').expect("a quote was seen");
        return (quote + quoted_length(&rest[quote..], '"'), Some("\""));
    }
    if first == '\'' {
        return (character_or_lifetime_length(rest), None);
    }
    if rest.starts_with("::") {
        return (2, Some("::"));
    }
    if first == '_' || first.is_alphanumeric() {
        let length = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        return (length, (!first.is_numeric()).then(|| &rest[..length]));
    }
    let length = first.len_utf8();
    (length, (!first.is_whitespace()).then(|| &rest[..length]))
}

fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// `None` when no raw string starts here.
fn raw_string_length(rest: &str) -> Option<usize> {
    let marked = rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'))?;
    let hashes = marked.len() - marked.trim_start_matches('#').len();
    let body = marked.trim_start_matches('#').strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |end| end + close.len());
    Some(rest.len() - body.len() + end)
}

/// Length of a literal that opens with this quote, escapes taken into account.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match (escaped, c) {
            (true, _) => escaped = false,
            (false, '\\') => escaped = true,
            (false, c) if c == quote => return at + 1,
            (false, _) => {}
        }
    }
    rest.len()
}

fn character_or_lifetime_length(rest: &str) -> usize {
    let mut after = rest.chars().skip(1);
    let is_character = match after.next() {
        Some('\\') => true,
        Some(_) => after.next() == Some('\''),
        None => false,
    };
    if is_character { quoted_length(rest, '\'') } else { 1 }
}

#[test]
fn comments_and_literals_yield_no_identifier() {
    let cases: [(&str, &[&str]); 8] = [
        ("use crate::a;", &["use", "crate", "::", "a", ";"]),
        ("// crate::a\nb", &["b"]),
        ("/* x /* y */ z */ b", &["b"]),
        (r#"("crate::a \" c")"#, &["(", "\"", ")"]),
        ("(r#\"x \" y\"#)", &["(", "\"", ")"]),
        (r"f('\'', 'é', b'x')", &["f", "(", ",", ",", "b", ")"]),
        ("fn f<'a>(x: &'a str)", &["fn", "f", "<", "a", ">", "(", "x", ":", "&", "a", "str", ")"]),
        ("12_u8 + x1", &["+", "x1"]),
    ];
    for (source, expected) in cases {
        let found: Vec<&str> = tokens(source).iter().map(|token| token.text).collect();
        assert_eq!(found, expected, "{source}");
    }
}

#[test]
fn lines_are_counted_through_comments_and_literals() {
    let found = tokens("/* a\nb */\n\"x\ny\"\nlast");
    assert_eq!(found.last(), Some(&Token { text: "last", line: 5 }));
}
