//! The warning before a session ends.

use serde_json::json;

use super::{
    ENTER,
    driver::{Chromium, View},
    elsewhere, fits, log_in,
};
use crate::process::{Process, serve_with};

const IS_WARNING: &str = "return !document.querySelector('#warning').hidden";

/// Notes all that the page shows of the time that is left, and all that it tells those who listen: whoever only looks
/// now and then may miss a text that stands for a second.
const WATCH: &str = "
    window.shown = []; window.told = [];
    for (const [id, texts] of [['left', shown], ['spoken', told]]) {
      const element = document.getElementById(id);
      const note = () => element.textContent && texts.push(element.textContent);
      new MutationObserver(note).observe(element, { childList: true, characterData: true, subtree: true });
    }";

/// An instance whose sessions end after twenty seconds without a request; it warns five seconds before.
fn hasty() -> (Process, String) {
    serve_with("A", "memory", &["--idle-timeout", "20s", "--trusted-hops", "1"])
}

#[tokio::test]
async fn a_session_is_kept_by_its_user_and_not_by_an_open_page() {
    let (_instance, address) = hasty();
    let chromium = Chromium::start(View::Desktop).await;
    chromium.open(&address).await;
    log_in(&chromium).await;
    let one = chromium.tab().await;
    chromium.run(WATCH).await.unwrap();
    // The time is shown anew every second, and told once to those who listen.
    chromium.until_run("return shown.length > 1", json!(true)).await;
    let texts = chromium.run("return [shown[0], told.join('|')]").await.unwrap();
    let [shown, told] = [&texts[0], &texts[1]].map(|text| text.as_str().unwrap());
    assert!(shown.starts_with("0:0"), "{shown}");
    assert_eq!(told, format!("This session ends in {shown}."));
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
