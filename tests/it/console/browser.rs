//! The page in a real browser: renders, follows, asks nobody else, can be used with keys and heard, and stays quick when the country is in it.

use std::time::Duration;

use sas_router::clock::Stopwatch;
use sas_router::console::UPDATE_MAX_BYTES;
use sas_router::service::Caller;

use crate::harness::browser::{Browser, axe, chromedriver};
use crate::harness::in_process::InProcess;
use crate::harness::room::Room;
use crate::harness::world::{batch, publish, settle, slot};
use crate::harness::{report, skip};
use crate::support::load::{hold_request, single};
use crate::support::questions::questions;
use crate::support::region::{Region, region};

/// A browser, where there is one.
pub(super) fn browser(test: &str) -> Option<Browser> {
    let Some(driver) = chromedriver() else {
        skip(test, "`tests/run` installs Chromium and its driver");
        return None;
    };
    Some(Browser::start(&driver))
}

/// A town's worth of slots, some of which are held, some of those by two.
fn busy(region: &Region) -> Room {
    let room = Room::of(region);
    let slots = single(&region.slots);
    let questions = questions(region, 240, 3);
    for minute in 0..12 {
        for (_, query, _) in questions.iter().skip(minute * 20).take(8 + minute) {
            let _ = room.service.find_counted(query);
        }
        for number in 0..8 {
            // Whether it can be held is the region's business: a refusal is something to show too.
            let request = hold_request(&slots, minute * 8 + number);
            let _ = room.runtime.block_on(room.service.hold(&Caller::local(), request));
        }
        room.clock.advance_seconds(20);
    }
    room
}

/// Fails on whatever the page complained of or asked of others.
fn check_quiet(browser: &Browser, room: &Room) {
    let console = browser.console();
    assert!(console.is_empty(), "{console:#?}");
    let own = room.url();
    let requests = browser.requests();
    assert!(requests.iter().any(|url| url.starts_with(&own)), "nothing was logged: {requests:?}");
    let outside: Vec<_> = requests
        .iter()
        .filter(|url| !url.starts_with(&own) && !url.starts_with("data:") && !url.starts_with("chrome:"))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

/// Fills in a position and asks.
fn try_a_question(browser: &Browser) {
    browser.run(
        "const f = document.querySelector('#try-form').elements;
         f.latitude.value = '48,8566'; f.longitude.value = '2.3522'; f.needed_within_minutes.value = '600';
         f.latitude.dispatchEvent(new Event('change')); document.querySelector('#try-send').click();",
    );
    browser.until("return document.querySelectorAll('#try-answer tbody tr').length > 0");
}

#[test]
fn the_page_shows_the_board_and_follows_it() {
    let Some(browser) = browser("the_page_shows_the_board_and_follows_it") else { return };
    let region = region(20_000, 7);
    let room = busy(&region);
    browser.open(&room.url());
    assert_eq!(browser.run("return [document.documentElement.lang, document.title]")[0], "fr");
    browser.until("return document.querySelectorAll('#tension-table tbody tr').length === 25");
    browser.until("return document.querySelectorAll('#sources-table tbody tr').length === 1");
    browser.until("return document.querySelectorAll('#instances-table tbody tr').length === 1");
    browser.until("return document.querySelectorAll('#legend li').length === 4 && /[1-9]/.test(document.querySelector('#legend').textContent)");
    let drawn = "const c = document.querySelector('canvas.points'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                 return d.some((byte, at) => at % 4 === 3 && byte > 0)";
    browser.until(drawn);

    // It follows: a slot that is held is one more hold.
    let holds = "return Number([...document.querySelectorAll('#tiles > div')].find((one) => /pré-réservations?, 60/.test(one.textContent)).querySelector('dd').textContent)";
    let before = browser.run(holds).as_u64().unwrap();
    let slots = single(&region.slots);
    let is_held =
        |number| room.runtime.block_on(room.service.hold(&Caller::local(), hold_request(&slots, number))).is_ok();
    assert!((200..900).any(is_held), "no slot of the region can be held");
    room.clock.advance_seconds(3);
    browser.until(&format!("{holds} === {}", before + 1));

    // It is sorted, filtered and paged by the service.
    browser.run("document.querySelector('[data-sort=\"free\"]').click()");
    browser.until("return document.querySelector('#tension-head [aria-sort=\"ascending\"]') !== null");
    browser.run("const box = document.querySelector('#tension-filter'); box.value = 'zzzz'; box.dispatchEvent(new Event('input'))");
    browser.until("return document.querySelector('#tension-table tbody').textContent.includes('Rien ne correspond')");
    browser.run(
        "const box = document.querySelector('#tension-filter'); box.value = ''; box.dispatchEvent(new Event('input'))",
    );
    browser.until("return document.querySelectorAll('#tension-table tbody tr').length === 25");

    try_a_question(&browser);
    browser.run("document.querySelector('#try-form').elements.latitude.value = '999'; document.querySelector('#try-send').click()");
    check_quiet_but(&browser, "400");
    try_a_question(&browser);

    for (language, other) in [("fr", "English"), ("en", "Français")] {
        browser.until(&format!("return document.documentElement.lang === '{language}' && document.querySelector('#language').textContent === '{other}'"));
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            browser.picture(&format!("{language}-{scheme}-1600"), 1_600);
        }
        browser.picture(&format!("{language}-dark-400"), 400);
        let overflow =
            browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(overflow, 0, "the page is wider than the window");
        browser.resize(1_600, 1_100);
        let missing = browser.run("return [...document.body.innerText.matchAll(/\\b[a-z]+\\.[a-z_A-Z]+\\b/g)].map((m) => m[0]).filter((w) => /^(nav|map|state|tension|try|col|tile|live|rule|outcome|source|instance|band|unit|claims|chart)\\./.test(w))");
        assert_eq!(missing.as_array().map(Vec::len), Some(0), "{missing}");
        browser.run("document.querySelector('#language').click()");
    }
    browser.run(
        "const jump = document.querySelector('#jump'); jump.value = '69'; jump.dispatchEvent(new Event('change'))",
    );
    browser.prefer("light");
    browser.picture("fr-light-near-1600", 1_600);
    // The language is remembered.
    browser.run("document.querySelector('#language').click()");
    browser.open(&room.url());
    assert_eq!(browser.run("return document.documentElement.lang"), "en");
    check_quiet(&browser, &room);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_shows_on_the_page() {
    let Some(browser) = browser("what_is_published_shows_on_the_page") else { return };
    let town = InProcess::start_with(|config| config.admin.listen = "127.0.0.1:0".parse().ok()).await;
    settle(&town).await;
    publish(&town, batch("b1", 1, vec![slot("a", 1, 60), slot("b", 2, 120)])).await;
    browser.open(&format!("http://{}/", town.admin.unwrap()));
    let row = "return [...document.querySelectorAll('#tension-table tbody tr')].find((row) => row.textContent.includes('Adulte'))?.innerText.split('\\t').map((cell) => cell.trim().split('\\n')[0])";
    let cells = |number: usize| browser.until(row)[number].as_str().unwrap().to_owned();
    assert_eq!((cells(3), cells(5), cells(7)), ("60 min".to_owned(), "2".to_owned(), "Dans le délai".to_owned()));
    publish(&town, batch("b2", 2, vec![slot("soon", 1, 30)])).await;
    town.clock.advance_seconds(3);
    let shown = row.strip_prefix("return ").unwrap();
    browser.until(&format!("const row = {shown}; return row[3] === '30 min' && row[5] === '3'"));
    let console = browser.console();
    assert!(console.is_empty(), "{console:#?}");
}

/// Waits for the refusal of a question, of which the browser itself tells its console, and for nothing else there.
fn check_quiet_but(browser: &Browser, status: &str) {
    browser
        .until("return !document.querySelector('#try-problem').hidden && document.activeElement.name === 'latitude'");
    let console = browser.console();
    assert!(console.len() == 1 && console[0].contains(status), "{console:#?}");
}

#[test]
fn the_page_says_when_it_is_not_live() {
    let Some(browser) = browser("the_page_says_when_it_is_not_live") else { return };
    let room = busy(&region(2_000, 7));
    browser.open(&room.url());
    room.runtime.shutdown_background();
    browser.until(
        "return document.querySelector('#live').dataset.state === 'stale' && document.body.classList.contains('stale')",
    );
    let said = browser.run("return document.querySelector('#live').textContent");
    assert!(said.as_str().unwrap().contains("Pas en direct"), "{said}");
    browser.run("document.querySelector('#try-form').elements.latitude.value = '48'; document.querySelector('#try-form').elements.longitude.value = '2'; document.querySelector('#try-send').click()");
    let said =
        browser.until("const box = document.querySelector('#try-problem'); return !box.hidden && box.textContent");
    assert!(said.as_str().unwrap().contains("n’a pas répondu"), "{said}");
    browser.picture("fr-not-live-1600", 1_600);
}

#[test]
fn the_page_can_be_used_with_keys_and_heard() {
    let Some(browser) = browser("the_page_can_be_used_with_keys_and_heard") else { return };
    let room = busy(&region(20_000, 7));
    browser.open(&room.url());
    let order: Vec<String> = (0..90).map(|_| browser.tab()).collect();
    assert_eq!(order[0], "skip", "the first key press offers the way to the content");
    let wanted = [
        "language",
        "theme",
        "jump",
        "map",
        "tension-filter",
        "tension-next",
        "sources-filter",
        "care_level",
        "latitude",
        "try-center",
        "try-send",
    ];
    let missed: Vec<_> =
        wanted.iter().filter(|name| !order.iter().any(|one| one.split(' ').any(|part| part == **name))).collect();
    assert!(missed.is_empty(), "keys do not reach {missed:?}: {order:?}");

    try_a_question(&browser);
    browser.run("document.querySelector('#activity-details').open = true");
    check_usable(&browser, "the_page_can_be_used_with_keys_and_heard");
    check_quiet(&browser, &room);
}

/// Fails on whatever serious axe finds, light and dark.
pub(super) fn check_usable(browser: &Browser, test: &str) {
    let Some(axe) = axe() else { return skip(test, "`tests/run` installs axe-core") };
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.run(&format!("{axe}; window.axe = window.axe ?? module.exports"));
        let found = browser.run_async(
            "const done = arguments[0];
             axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations
               .filter((one) => ['serious', 'critical'].includes(one.impact))
               .map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 4).map((node) => node.html.slice(0, 200) + ' ' + (node.any[0]?.message ?? '')).join(' | ')}`)), (error) => done([String(error)]))",
        );
        assert_eq!(found.as_array().map(Vec::len), Some(0), "{scheme}: {found:#}");
    }
}

#[test]
fn the_country_is_shown_within_a_second() {
    let Some(browser) = browser("the_country_is_shown_within_a_second") else { return };
    // A hundred thousand schedules with a slot each; their day is not what is measured.
    let begun = Stopwatch::start();
    let mut country = region(1_000_000, 7);
    let made = begun.elapsed();
    let mut number = 0;
    country.slots.retain(|_| {
        number += 1;
        number % 10 == 0
    });
    let begun = Stopwatch::start();
    let room = Room::showing(&country);
    let filled = begun.elapsed();
    drop(country);
    browser.open(&room.url());
    browser.until("return /[1-9]/.test(document.querySelector('#legend').textContent)");
    // Once more, now that the browser has started and the board was worked out.
    browser.open(&room.url());
    let paint =
        browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime").as_f64().unwrap();
    let bytes = browser.until("return Number(document.querySelector('#about').textContent.match(/(\\d[\\d\\s\u{202f}\u{a0}]*) o\\./)?.[1].replace(/\\D/g, '')) || null");
    let places = browser.until("return /[1-9]/.test(document.querySelector('#legend').textContent) && document.querySelector('#map-note').textContent");
    browser.run("document.querySelector('#jump').value = ''");
    let draw = browser.run("const start = performance.now(); document.querySelector('#theme').dispatchEvent(new Event('change')); return performance.now() - start").as_f64().unwrap();
    report(&format!(
        "console: region made in {made:?}, filled in {filled:?}, first paint {paint:.0} ms, update {bytes} bytes, map drawn in {draw:.0} ms, {places}"
    ));
    browser.prefer("light");
    browser.picture("fr-country-1600", 1_600);
    assert!(paint < 1_000.0, "first paint after {paint} ms");
    assert!(bytes.as_u64().unwrap() < UPDATE_MAX_BYTES as u64, "{bytes} bytes");
    assert!(Duration::from_secs_f64(draw / 1_000.0) < Duration::from_secs(1), "the map takes {draw} ms");
    check_quiet(&browser, &room);
}
