//! The page in a real browser.

mod devices;
mod driver;
mod expiry;

use std::collections::BTreeSet;

use axum::http::Request;
use fantoccini::wd::WindowHandle;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    database::Database,
    process::{Process, app, serve},
};

use driver::{Chromium, View};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// What the page shows as this browser's notes.
const NOTES: &str = "return [...document.querySelectorAll('#notes textarea')].map((note) => note.value)";

/// Two instances over Redis and their balancer.
async fn fleet() -> (Process, String) {
    fleet_over(&Database::Redis.url().await)
}

fn fleet_over(store: &str) -> (Process, String) {
    let mut process = Process::start(&mut app(["--instances", "2", "--port", "0", "--store", store]));
    let address = process.line_after("open ");
    (process, address)
}

/// How many devices the page lists.
const DEVICES: &str = "return document.querySelectorAll('#devices li').length";

/// Another browser of ada's logs in, and the page is not told.
async fn elsewhere(address: &str) {
    let login = Request::post(format!("{address}/login"))
        .header("user-agent", "SamsungBrowser/29 Android")
        // For an app behind a proxy: as long as an address can be.
        .header("x-forwarded-for", "2001:db8:1234:5678:9abc:def0:1234:5678");
    let answer = Browser::new().send(login, "name=ada&password=engine").await;
    assert_eq!(answer.headers["location"], "/");
}

/// That a phone shows the page without scrolling sideways.
async fn fits(chromium: &Chromium, what: &str) {
    let widths = "const page = document.documentElement; return [page.clientWidth, page.scrollWidth]";
    assert_eq!(chromium.run(widths).await.unwrap(), json!([360, 360]), "{what}");
}

/// With the keyboard alone.
async fn log_in(chromium: &Chromium) {
    chromium.type_into("#name", &format!("ada{TAB}engine{ENTER}")).await;
    chromium.until_text("dl", "ada").await;
}

/// A browser that is logged in, and shows the page in two tabs; the second one is in front.
async fn two_tabs() -> (Process, Chromium, [WindowHandle; 2]) {
    let (fleet, address) = fleet().await;
    let chromium = Chromium::start(View::Desktop).await;
    chromium.open(&address).await;
    log_in(&chromium).await;
    let one = chromium.tab().await;
    let two = chromium.new_tab(&address).await;
    (fleet, chromium, [one, two])
}

async fn who_answered(chromium: &Chromium) -> String {
    let heading = chromium.text("h1").await.unwrap();
    let (_, instance) = heading.split_once("Instance ").unwrap();
    instance.to_owned()
}

#[tokio::test]
async fn a_login_on_one_instance_is_seen_on_the_other() {
    let (_fleet, address) = fleet().await;
    let chromium = Chromium::start(View::Desktop).await;
    chromium.open(&address).await;
    chromium.until_text("dl", "nobody").await;
    log_in(&chromium).await;
    // By turns, but the page asks for more than itself now and then.
    let mut answered = BTreeSet::new();
    for _ in 0..10 {
        chromium.until_text("#live", "This page is live").await;
        answered.insert(who_answered(&chromium).await);
        chromium.reload().await;
        chromium.until_text("dl", "ada").await;
    }
    assert!(answered.iter().eq(["0 answered", "1 answered"]), "{answered:?}");
    chromium.click("form[action='/logout'] button").await;
    chromium.until_text("dl", "nobody").await;
    chromium.close().await;
}

#[tokio::test]
async fn two_tabs_lose_nothing_of_each_other() {
    let (_fleet, chromium, [one, two]) = two_tabs().await;
    let tabs = [(&one, "milk"), (&two, "honey")];
    for (tab, note) in tabs {
        chromium.switch_to(tab).await;
        chromium.click("form[action='/count'] button").await;
        chromium.type_into("#text", note).await;
        chromium.click("#add button").await;
    }
    for (tab, _) in tabs {
        chromium.switch_to(tab).await;
        chromium.until_text("#counter", "2").await;
        chromium.until_run(NOTES, json!(["milk", "honey"])).await;
    }

    // What is being written in one tab stays while the other goes on.
    chromium
        .type_into("#notes form:first-child textarea", " and cream")
        .await;
    chromium.switch_to(&one).await;
    chromium.click("#notes form:last-child [formaction]").await;
    chromium.until_run(NOTES, json!(["milk"])).await;
    chromium.switch_to(&two).await;
    chromium.until_run(NOTES, json!(["milk and cream"])).await;
    chromium.click("#notes form:first-child button").await;
    chromium.switch_to(&one).await;
    chromium.until_run(NOTES, json!(["milk and cream"])).await;
    chromium.reload().await;
    chromium.until_run(NOTES, json!(["milk and cream"])).await;
    chromium.close().await;
}

#[tokio::test]
async fn two_tabs_that_write_the_same_note_keep_both_texts() {
    let (_fleet, chromium, [one, two]) = two_tabs().await;
    chromium.type_into("#text", "milk").await;
    chromium.click("#add button").await;
    chromium.until_run(NOTES, json!(["milk"])).await;
    chromium.type_into("#notes textarea", " and honey").await;
    chromium.switch_to(&one).await;
    chromium.until_run(NOTES, json!(["milk"])).await;
    chromium.type_into("#notes textarea", " and cream").await;
    chromium.click("#notes button").await;
    chromium.click("form[action='/count'] button").await;
    // The other tab has been told of both, and its own text is still there.
    chromium.switch_to(&two).await;
    chromium.until_text("#counter", "1").await;
    chromium.until_run(NOTES, json!(["milk and honey"])).await;
    chromium.click("#notes button").await;
    let both = json!(["milk and cream", "milk and honey"]);
    for tab in [&two, &one] {
        chromium.switch_to(tab).await;
        chromium.until_run(NOTES, both.clone()).await;
    }
    chromium.close().await;
}

#[tokio::test]
async fn a_logout_in_one_tab_shows_in_the_other() {
    let (_fleet, chromium, [one, two]) = two_tabs().await;
    chromium.until_text("#live", "This page is live").await;
    chromium.switch_to(&one).await;
    chromium.click("form[action='/logout'] button").await;
    chromium.until_text("dl", "nobody").await;
    chromium.switch_to(&two).await;
    chromium.until_text("#banner", "You are logged out.").await;
    assert_eq!(chromium.title().await, "Logged out");
    // Nothing of the session is left to be read.
    chromium
        .until_run("return document.querySelector('main')", Value::Null)
        .await;
    chromium.click("#banner a").await;
    log_in(&chromium).await;
    // The other page was a visitor's, and follows the login.
    chromium.switch_to(&one).await;
    chromium.until_text("dl", "ada").await;
    chromium.close().await;
}

#[tokio::test]
async fn the_page_works_without_javascript() {
    let (_instance, address) = serve("A", "memory");
    let chromium = Chromium::start(View::WithoutJavaScript).await;
    chromium.open(&address).await;
    // Shown by the browser, though a driver's idea of what is visible leaves it out.
    let is_told = "return document.querySelector('#live').innerText.startsWith('Without JavaScript')";
    chromium.until_run(is_told, json!(true)).await;
    log_in(&chromium).await;
    chromium.click("form[action='/count'] button").await;
    chromium.until_text("#counter", "1").await;
    chromium.type_into("#text", "milk").await;
    chromium.click("#add button").await;
    chromium.until_text("#notes", "milk").await;
    chromium.click("#notes [formaction]").await;
    chromium.until_run(NOTES, json!([])).await;
    elsewhere(&address).await;
    chromium.reload().await;
    chromium.until_run(DEVICES, json!(2)).await;
    chromium.click("#devices button").await;
    chromium.until_run(DEVICES, json!(1)).await;
    chromium.click("form[action='/logout'] button").await;
    chromium.until_text("dl", "nobody").await;
    chromium.close().await;
}

#[tokio::test]
async fn a_phone_shows_the_page_without_scrolling_sideways() {
    let long = "an-instance-with-a-name-as-long-as-platforms-give-them-0123456789";
    let (_instance, address) = serve(long, "memory");
    let chromium = Chromium::start(View::Phone).await;
    let fits = async |what: &str| fits(&chromium, what).await;
    chromium.open(&address).await;
    fits("logged out").await;
    log_in(&chromium).await;
    let one = chromium.tab().await;
    chromium.type_into("#text", &"long".repeat(40)).await;
    chromium.click("#add button").await;
    chromium.until_run(NOTES, json!(["long".repeat(40)])).await;
    fits("logged in").await;
    chromium.new_tab(&address).await;
    chromium.click("form[action='/logout'] button").await;
    chromium.until_text("dl", "nobody").await;
    chromium.switch_to(&one).await;
    chromium.until_text("#banner", "You are logged out.").await;
    fits("logged out elsewhere").await;
    chromium.close().await;
}
