//! When a login counts, and what a browser that does not know of it yet may write.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::StatusCode,
    routing::{MethodRouter, get},
};
use session_core::{Error, Page, Session, SessionLayer, SessionStore};
use tokio::sync::Barrier;

use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

fn app(store: &Probe, more: impl IntoIterator<Item = (&'static str, MethodRouter)>) -> Router {
    let routes = Router::new()
        .route("/write", get(async |session: Session| session.insert("a", &1)))
        .route("/login", get(async |session: Session| session.login("alice")))
        .route("/renew", get(async |session: Session| session.renew()))
        .route("/logout", get(async |session: Session| session.logout().await))
        .route(
            "/count",
            get(async |session: Session| {
                let visits: u64 = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
                Ok::<_, Error>(visits.to_string())
            }),
        )
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        );
    let routes = more
        .into_iter()
        .fold(routes, |routes, (path, handler)| routes.route(path, handler));
    routes.layer(SessionLayer::new(store.clone()).store_timeout(Duration::from_millis(500)))
}

async fn sessions_of(store: &Probe, user: &str) -> usize {
    store.of_user(user, &Page::default()).await.unwrap().len()
}

#[tokio::test]
async fn p1_a_write_under_a_token_just_renewed_is_refused_not_lost() {
    for renewal in ["/renew", "/login"] {
        let store = Probe::default();
        let browser = Browser::new(&app(&store, []));
        browser.text("/write").await;
        browser.text("/count").await;
        let answer = browser.send(renewal).await;
        // The answer is on its way, and these go out with the old cookie.
        for path in ["/write", "/count"] {
            let page = browser.send(path).await;
            assert_eq!(
                (page.status, page.set_cookies.len()),
                (StatusCode::CONFLICT, 0),
                "{path}"
            );
        }
        assert_eq!(browser.text("/keys").await, "", "who only reads is served");
        browser.keep(&answer);
        assert_eq!(browser.text("/count").await, "2");
    }
}

#[tokio::test]
async fn a_login_or_logout_under_a_token_just_renewed_is_made() {
    let again = get(async |session: Session| {
        session.logout().await?;
        session.insert("new", &1)
    });
    let store = Probe::default();
    let browser = Browser::new(&app(&store, [("/again", again)]));
    browser.text("/write").await;
    let _lost = browser.send("/login").await;
    browser.text("/login").await;
    assert_eq!(browser.text("/user").await, "alice");
    let _lost = browser.send("/renew").await;
    browser.text("/again").await;
    assert_eq!(browser.text("/keys").await, "new");
}

#[tokio::test]
async fn p4_a_renewal_of_nothing_does_not_touch_the_login_cookie() {
    let renew = get(async |session: Session| {
        session.renew()?;
        session.insert("cart", &1)
    });
    let store = Probe::default();
    let browser = Browser::new(&app(&store, [("/renew-and-write", renew)]));
    let late = browser.send("/renew-and-write").await;
    browser.text("/login").await;
    browser.keep(&late);
    assert_eq!(browser.text("/user").await, "alice");
}

#[tokio::test]
async fn a_login_behind_an_error_is_none() {
    for status in [
        StatusCode::UNAUTHORIZED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::BAD_GATEWAY,
    ] {
        let fail = get(async move |session: Session| {
            session.insert("theirs", &1)?;
            session.login("bob")?;
            Ok::<_, Error>(status)
        });
        let store = Probe::default();
        let browser = Browser::new(&app(&store, [("/fail", fail)]));
        browser.text("/write").await;
        let page = browser.get("/fail").await;
        assert_eq!((page.status, page.set_cookies.len()), (status, 0));
        assert_eq!(browser.text("/keys").await, "a");
        assert_eq!(sessions_of(&store, "bob").await, 0);
    }
}

#[tokio::test]
async fn a_write_behind_a_4xx_is_kept() {
    let fail = get(async |session: Session| {
        session.insert("form", &1)?;
        Ok::<_, Error>(StatusCode::UNPROCESSABLE_ENTITY)
    });
    let store = Probe::default();
    let browser = Browser::new(&app(&store, [("/fail", fail)]));
    browser.get("/fail").await;
    assert_eq!(browser.text("/keys").await, "form");
}

#[tokio::test]
async fn a_failed_logout_stops_the_login_after_it() {
    let swap = get(async |session: Session| {
        drop(session.logout().await);
        session.login("bob")
    });
    let store = Probe::default();
    let browser = Browser::new(&app(&store, [("/swap", swap)]));
    browser.text("/login").await;
    store.trouble("end", Trouble::Down);
    let page = browser.get("/swap").await;
    assert_eq!(
        (page.status, page.set_cookies.len()),
        (StatusCode::SERVICE_UNAVAILABLE, 0)
    );
    store.recover();
    assert_eq!(browser.text("/user").await, "alice");
    assert_eq!(sessions_of(&store, "bob").await, 0);
}

#[tokio::test]
async fn a_login_whose_cookie_can_no_longer_be_sent_is_refused() {
    let store = Probe::default();
    let outcome = Arc::new(tokio::sync::Mutex::new(None));
    let write = {
        let (store, outcome) = (store.clone(), Arc::clone(&outcome));
        get(async move |session: Session| {
            session.insert("b", &2)?;
            let held = store.hold("update");
            let mut outcome = outcome.lock_owned().await;
            tokio::spawn(async move {
                // The last commit is in the store.
                held.reached().await;
                session.login("alice").unwrap();
                let save = session.save();
                held.release();
                *outcome = Some(save.await);
            });
            Ok::<_, Error>(())
        })
    };
    let browser = Browser::new(&app(&store, [("/late", write)]));
    browser.text("/write").await;
    browser.text("/late").await;
    let outcome = outcome.lock().await.take().unwrap();
    assert!(matches!(outcome, Err(Error::TooLate { .. })), "{outcome:?}");
    assert_eq!(browser.text("/keys").await, "a b");
}

#[tokio::test]
async fn best_effort_does_not_hide_a_login_that_failed() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&barrier);
    let login = get(async move |session: Session| {
        gate.wait().await;
        gate.wait().await;
        session.best_effort();
        session.login("bob")
    });
    let browser = Browser::new(&app(&store, [("/bob", login)]));
    browser.text("/login").await;
    let late = browser.in_flight("/bob");
    barrier.wait().await;
    browser.text("/logout").await;
    barrier.wait().await;
    assert_eq!(late.await.unwrap().status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn p3_a_login_tried_again_does_not_bring_back_what_was_ended_meanwhile() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, []));
    store.trouble("create", Trouble::LoseAcknowledgement(1));
    let end = store.hold("end");
    let login = browser.in_flight("/login");
    end.reached().await;
    let first = store.store.of_user("alice", &Page::default()).await.unwrap();
    assert_eq!(store.store.end_all("alice", None).await.unwrap(), 1);
    end.release();
    browser.keep(&login.await.unwrap());
    let second = store.of_user("alice", &Page::default()).await.unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].id, second[0].id);
    assert_eq!(browser.text("/user").await, "alice");
}

#[tokio::test]
async fn a_creation_that_may_be_done_is_not_said_to_be_undone() {
    let save = get(async |session: Session| {
        session.login("alice")?;
        let saved = session.save().await;
        assert!(matches!(saved, Err(Error::Unknown { .. })), "{saved:?}");
        Ok::<_, Error>(())
    });
    let store = Probe::default();
    let browser = Browser::new(&app(&store, [("/save", save)]));
    store.trouble("create", Trouble::LoseAcknowledgement(1));
    store.trouble("end", Trouble::Down);
    browser.text("/save").await;
}
