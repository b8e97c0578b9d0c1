//! The warning before a session ends.

use serde_json::json;

use super::{
    ENTER,
    driver::{Chromium, View},
    elsewhere, fits, log_in,
};
use crate::process::{Process, serve_with};

const IS_WARNING: &str = "return !document.querySelector('#warning').hidden";

/// An instance whose sessions end after twelve seconds without a request; it warns three seconds before.
fn hasty() -> (Process, String) {
    serve_with("A", "memory", &["--idle-timeout", "12s", "--trusted-hops", "1"])
}

#[tokio::test]
async fn a_session_is_kept_by_its_user_and_not_by_an_open_page() {
    let (_instance, address) = hasty();
    let chromium = Chromium::start(View::Desktop).await;
    chromium.open(&address).await;
    log_in(&chromium).await;
    let one = chromium.tab().await;
    chromium.until_text("#warning", "This session ends in 0:0").await;
    // Told once to those who listen, though the time is told anew every second.
    chromium.until_text("#warning", "0:01").await;
    let spoken = chromium
        .run("return document.querySelector('#spoken').textContent")
        .await
        .unwrap();
    assert_eq!(spoken, json!("This session ends in 0:03."));
    // With the keyboard, and only what is typed counts.
    chromium.type_into("#stay", ENTER).await;
    chromium.until_run(IS_WARNING, json!(false)).await;

    chromium.until_run(IS_WARNING, json!(true)).await;
    chromium.new_tab(&address).await;
    chromium.switch_to(&one).await;
    chromium.until_run(IS_WARNING, json!(false)).await;

    chromium.until_text("#banner", "You are logged out.").await;
    chromium.until_run(IS_WARNING, json!(false)).await;
    assert_eq!(chromium.title().await, "Logged out");
    chromium.close().await;
}

#[tokio::test]
async fn a_phone_shows_devices_and_the_warning_without_scrolling_sideways() {
    let (_instance, address) = hasty();
    let chromium = Chromium::start(View::Phone).await;
    chromium.open(&address).await;
    elsewhere(&address).await;
    log_in(&chromium).await;
    chromium
        .until_text("#devices", "2001:db8:1234:5678:9abc:def0:1234:5678")
        .await;
    fits(&chromium, "devices").await;
    chromium.until_run(IS_WARNING, json!(true)).await;
    fits(&chromium, "the warning").await;
    chromium.close().await;
}
