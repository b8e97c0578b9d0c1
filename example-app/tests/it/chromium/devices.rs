//! The list of devices, in the browsers of one user.

use serde_json::json;

use super::{
    DEVICES,
    driver::{Chromium, View},
    fleet_over, log_in,
};
use crate::database::Database;

#[tokio::test]
async fn one_browser_ends_the_other() {
    // Other tests log ada in too.
    let apart = format!("{}/1", Database::Redis.url().await);
    let (_fleet, address) = fleet_over(&apart);
    let one = Chromium::start(View::Desktop).await;
    let other = one.beside(View::Desktop).await;
    for browser in [&one, &other] {
        browser.open(&address).await;
        log_in(browser).await;
    }
    for button in ["#devices button", "form[action='/devices/end-others'] button"] {
        other.until_text("#live", "This page is live").await;
        one.reload().await;
        one.until_run(DEVICES, json!(2)).await;
        one.until_text("#devices li:first-child", "Chrome on Linux this one")
            .await;
        one.click(button).await;
        one.until_run(DEVICES, json!(1)).await;
        other.until_text("#banner", "You are logged out.").await;
        other.click("#banner a").await;
        log_in(&other).await;
    }
    other.close().await;
    one.close().await;
}
