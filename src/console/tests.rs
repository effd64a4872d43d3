//! What of the page can be told without a browser.

use crate::domain::answer::CareOutcome;
use crate::service::ConditionKind;

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
    let html = concat!(include_str!("page/index.html"), include_str!("page/starting.html"));
    let asked = html.split("data-t=\"").chain(html.split("data-t-label=\"")).filter_map(|rest| rest.split('"').next());
    let missing: Vec<_> = asked.filter(|key| !key.contains(['<', ' ']) && !known.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_condition_and_outcome_has_words() {
    let known = keys(include_str!("page/fr.js"));
    // With the port's own, before there is a service and when it ends.
    let codes = ConditionKind::ALL.map(ConditionKind::code).into_iter().chain(["OPENING_LEDGER", "DRAINING"]);
    let conditions = codes.flat_map(|code| ["condition", "remedy"].map(|family| format!("{family}.{code}")));
    let outcomes = CareOutcome::ALL.into_iter().map(|outcome| format!("outcome.{}", outcome.code()));
    let missing: Vec<_> = conditions.chain(outcomes).filter(|key| !known.contains(&key.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What a text puts in: `{name}` and `{name?one|many}`.
fn values(text: &str) -> std::collections::BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split(['}', '?']).next()).collect()
}

#[test]
fn both_languages_put_in_the_same_values_and_every_form_has_two() {
    let line = |script: &'static str| script.lines().filter(|line| line.trim_start().starts_with('"'));
    for (french, english) in line(include_str!("page/fr.js")).zip(line(include_str!("page/en.js"))) {
        assert_eq!(values(french), values(english), "{french} {english}");
    }
    let both = include_str!("page/fr.js").lines().chain(include_str!("page/en.js").lines());
    let forms = both.flat_map(|line| line.split('{').skip(1)).filter(|rest| rest.contains('?'));
    let forms: Vec<_> = forms.filter_map(|rest| rest.split_once('}').map(|(form, _)| form)).collect();
    let is_whole = |form: &&str| !form.contains('?') || form.matches('|').count() == 1;
    assert!(forms.len() > 10 && forms.iter().all(is_whole), "{forms:?}");
}
