//! The page while the ledger is opened, in a real browser: it says what is waited for, and gives way to the console by itself.

use std::sync::Arc;

use sas_router::admin::{Admin, Hosts, Limits, Standing};
use sas_router::console::{self, Options, QUESTIONS};

use super::browser::{browser, check_usable};
use crate::harness::in_process::listener;
use crate::harness::room::Room;
use crate::support::region::region;

#[test]
fn while_the_ledger_is_opened_a_page_says_so_and_the_console_takes_its_place() {
    const TEST: &str = "while_the_ledger_is_opened_a_page_says_so_and_the_console_takes_its_place";
    let Some(browser) = browser(TEST) else { return };
    let room = Room::of(&region(100, 7));
    let standing = Arc::<Standing>::default();
    standing.await_ledger("redis://10.0.0.7:6379".to_owned());
    let admin = room.runtime.block_on(async {
        Admin::start(listener().await, Arc::clone(&standing), Limits::default(), Hosts::default(), None).unwrap()
    });
    let url = format!("http://{}/", admin.address);

    browser.go(&url);
    let said = browser.until(
        "return document.querySelector('#waits').innerText.includes('OPENING_LEDGER') && document.body.innerText",
    );
    for wanted in ["Démarrage…", "Le service démarre", "en cours d’ouverture", "redis://10.0.0.7:6379"] {
        assert!(said.as_str().unwrap().contains(wanted), "{wanted}: {said}");
    }
    browser.run("document.querySelector('#language').click()");
    browser.until("return document.body.innerText.includes('The ledger is being opened and read')");
    check_usable(&browser, TEST);
    browser.picture("en-starting-900", 900);
    browser.run("document.querySelector('#language').click()");

    admin.mount(console::router(room.service.clone(), &Options::default()), QUESTIONS);
    standing.attach(room.service.clone());
    browser.until(
        "return document.body.dataset.ready === 'yes' && document.querySelector('#live').dataset.state === 'live'",
    );
    assert_eq!(browser.run("return document.documentElement.lang"), "fr");
    assert_eq!(browser.console(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(requests.iter().all(|asked| asked.starts_with(&url)), "{requests:?}");
}
