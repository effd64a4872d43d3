//! What of the page can be told without a browser.

/// The keys of a dictionary of the page.
fn keys(script: &str) -> Vec<&str> {
    script.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once('"')).map(|(key, _)| key).collect()
}

#[test]
fn both_languages_have_the_same_words() {
    let (french, english) = (keys(include_str!("page/fr.js")), keys(include_str!("page/en.js")));
    assert!(french.len() > 100, "{}", french.len());
    assert_eq!(french, english);
    let distinct: std::collections::HashSet<_> = french.iter().collect();
    assert_eq!(distinct.len(), french.len(), "a word is there twice");
}

#[test]
fn every_word_that_the_page_asks_for_is_there() {
    let known = keys(include_str!("page/fr.js"));
    let html = include_str!("page/index.html");
    let asked = html.split("data-t=\"").chain(html.split("data-t-label=\"")).filter_map(|rest| rest.split('"').next());
    let missing: Vec<_> = asked.filter(|key| !key.contains(['<', ' ']) && !known.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
