//! Login handlers that fail, or whose client goes away.

use axum::http::StatusCode;

use super::{Stage, on_each_store, staged::Call};
use crate::database::Database;

on_each_store!(
    a_login_that_answers_500_logs_nobody_in,
    a_login_dropped_in_its_handler_logs_nobody_in,
    a_login_dropped_in_its_commit_is_whole,
);

/// The visitor's session is as it was, under the cookie it had, and nobody is logged in.
async fn assert_nothing_happened(stage: &Stage) {
    assert_eq!(stage.browser.cookies(), ["visitor"]);
    assert_eq!(stage.seen().await, (None, r#"{"start":"1"}"#.into()));
    assert_eq!(stage.sessions().await, 0);
    assert_eq!(stage.store.count(Call::Renew), 0);
}

async fn a_login_that_answers_500_logs_nobody_in(database: Database) {
    let stage = Stage::visited(database).await;
    let answer = stage.a.post(&stage.browser, &format!("/login-fails/{}", stage.user)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.set_cookies().is_empty(), "{answer:?}");
    assert_nothing_happened(&stage).await;
}

async fn a_login_dropped_in_its_handler_logs_nobody_in(database: Database) {
    let stage = Stage::visited(database).await;
    let login = tokio::spawn(stage.a.post(&stage.browser, &format!("/login-stalls/{}", stage.user)));
    stage.a.handler.reached().await;
    // The client closes its connection, and the server drops the handler.
    login.abort();
    stage.a.over().await;
    assert_nothing_happened(&stage).await;
}

async fn a_login_dropped_in_its_commit_is_whole(database: Database) {
    let stage = Stage::visited(database).await;
    let (renew, renewed) = stage.store.hold_around(Call::Renew);
    let login = tokio::spawn(stage.a.post(&stage.browser, &stage.login()));
    renew.reached().await;
    login.abort();
    stage.a.over().await;
    renew.open();
    renewed.reached().await;
    renewed.open();
    // It happened, though no browser learned of it.
    assert_eq!(stage.sessions().await, 1);
    assert_eq!(stage.browser.cookies(), ["visitor"]);
    assert_eq!(stage.seen().await, (None, "{}".into()), "the old token opens nothing");
}
