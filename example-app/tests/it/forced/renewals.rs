//! A renewal between the decision to end a session and the deed.

use axum::http::StatusCode;
use session_core::SessionStore;

use super::{Stage, on_each_store, staged::Call};
use crate::database::Database;

on_each_store!(
    a_logout_ends_what_was_renewed_meanwhile,
    a_renewal_decided_before_a_logout_is_refused_after_it,
    end_all_ends_what_was_renewed_meanwhile,
    a_renewal_decided_before_end_all_is_refused_after_it,
);

async fn a_logout_ends_what_was_renewed_meanwhile(database: Database) {
    let stage = Stage::logged_in(database).await;
    let before = stage.browser.copy();
    let end = stage.store.hold_before(Call::End);
    let logout = tokio::spawn(stage.a.post(&stage.browser, "/logout"));
    end.reached().await;
    stage.b.post(&stage.browser, "/renew").await.assert_ok();
    let renewed = stage.browser.copy();
    assert_eq!(stage.sessions().await, 1);
    end.open();
    logout.await.unwrap().assert_ok();
    for browser in [&before, &renewed, &stage.browser] {
        assert_eq!(stage.seen_by(browser).await, (None, "{}".into()));
    }
    assert_eq!(stage.sessions().await, 0);
}

async fn a_renewal_decided_before_a_logout_is_refused_after_it(database: Database) {
    let stage = Stage::logged_in(database).await;
    let before = stage.browser.copy();
    let renew = stage.store.hold_before(Call::Renew);
    let renewal = tokio::spawn(stage.a.post(&stage.browser, "/renew"));
    renew.reached().await;
    stage.b.post(&stage.browser, "/logout").await.assert_ok();
    renew.open();
    let renewal = renewal.await.unwrap();
    assert_eq!(renewal.status, StatusCode::CONFLICT);
    assert!(renewal.set_cookies().is_empty() && stage.browser.cookies().is_empty(), "{renewal:?}");
    assert_eq!(stage.seen_by(&before).await, (None, "{}".into()));
    assert_eq!(stage.sessions().await, 0);
}

async fn end_all_ends_what_was_renewed_meanwhile(database: Database) {
    let stage = Stage::logged_in(database).await;
    let end_all = stage.store.hold_before(Call::EndAll);
    let (store, user) = (stage.store.clone(), stage.user.clone());
    let ending = tokio::spawn(async move { store.end_all(&user, None).await });
    end_all.reached().await;
    stage.b.post(&stage.browser, "/renew").await.assert_ok();
    end_all.open();
    assert_eq!(ending.await.unwrap().unwrap(), 1);
    assert_eq!(stage.seen().await, (None, "{}".into()));
    assert_eq!(stage.sessions().await, 0);
}

async fn a_renewal_decided_before_end_all_is_refused_after_it(database: Database) {
    let stage = Stage::logged_in(database).await;
    let renew = stage.store.hold_before(Call::Renew);
    let renewal = tokio::spawn(stage.a.post(&stage.browser, "/renew"));
    renew.reached().await;
    assert_eq!(stage.store.end_all(&stage.user, None).await.unwrap(), 1);
    renew.open();
    let renewal = renewal.await.unwrap();
    assert_eq!(renewal.status, StatusCode::CONFLICT);
    assert!(renewal.set_cookies().is_empty(), "{renewal:?}");
    assert_eq!(stage.seen().await, (None, "{}".into()));
    assert_eq!(stage.sessions().await, 0);
}
