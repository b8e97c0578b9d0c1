//! Tokens that are renewed because they are old (promises P4, P6 and P9).

use std::time::Duration;

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use session_core::{Error, Lifetime, LoginOptions, Session, SessionLayer};
use tokio::sync::mpsc;

use crate::{
    browser::{Browser, Page},
    probe::{Probe, Trouble},
};

const RENEWED: &str = "__Host-id-renewed";

fn routes() -> Router {
    Router::new()
        .route("/login", get(async |session: Session| session.login("alice")))
        .route("/bob", get(async |session: Session| session.login("bob")))
        .route(
            "/strict",
            get(async |session: Session| {
                let strict = Lifetime::FEDRAMP_HIGH.renew_every(INTERVAL);
                session.login_with("alice", LoginOptions::new().lifetime(strict))
            }),
        )
        .route("/logout", get(async |session: Session| session.logout().await))
        .route("/renew", get(async |session: Session| session.renew()))
        .route("/write", get(async |session: Session| session.insert("note", "kept")))
        .route(
            "/read",
            get(async |session: Session| session.get::<String>("note").map(Option::unwrap_or_default)),
        )
        .route(
            "/count",
            get(async |session: Session| {
                session
                    .update("n", |n: Option<u32>| n.unwrap_or(0) + 1)
                    .await
                    .map(|n: u32| n.to_string())
            }),
        )
        .route("/poll", get(async |session: Session| session.leave_untouched()))
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
        .route("/fail", get(async |_: Session| StatusCode::INTERNAL_SERVER_ERROR))
        .route("/apart", get(async || "no session"))
}

const INTERVAL: Duration = Duration::from_secs(15 * 60);

fn layer(store: &Probe) -> SessionLayer {
    SessionLayer::new(store.clone()).renew_every(INTERVAL)
}

fn app(store: &Probe) -> Router {
    routes().layer(layer(store))
}

/// A browser that has logged in, with a token that is old.
async fn logged_in(store: &Probe) -> Browser {
    logged_in_at(&app(store), store).await
}

async fn logged_in_at(app: &Router, store: &Probe) -> Browser {
    let browser = Browser::new(app);
    browser.text("/login").await;
    browser.text("/write").await;
    store.age_tokens();
    browser
}

fn renewed_to(page: &Page) -> Option<&str> {
    let pair = page
        .set_cookies
        .iter()
        .find_map(|cookie| cookie.split_once(';').map(|(pair, _)| pair));
    pair.and_then(|pair| pair.strip_prefix(RENEWED)?.strip_prefix('='))
}

#[tokio::test]
async fn an_old_token_is_renewed_and_nothing_else_changes() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    let (login, old) = (browser.cookie("__Host-id"), browser.snapshot());
    store.calls();
    let page = browser.get("/read").await;
    assert_eq!(page.text, "kept");
    assert_eq!(page.set_cookies.len(), 1, "{:?}", page.set_cookies);
    assert!(renewed_to(&page).is_some());
    assert_eq!(browser.cookie("__Host-id"), login, "the login's own cookie stays");
    assert_eq!(store.calls(), [("load", 1), ("renew", 1)]);
    assert_ne!(browser.cookie(RENEWED), old.cookie(RENEWED));
    store.age_tokens();
    assert_eq!(browser.text("/user").await, "alice");
}

#[tokio::test]
async fn a_young_token_stays() {
    let store = Probe::default();
    let browser = Browser::new(&routes().layer(SessionLayer::new(store.clone()).renew_every(Duration::from_secs(900))));
    browser.text("/login").await;
    store.calls();
    for _ in 0..5 {
        assert_eq!(browser.get("/user").await.set_cookies.len(), 0);
    }
    assert_eq!(store.calls(), [("load", 5)]);
}

#[tokio::test]
async fn a_login_may_ask_for_renewals_of_its_own() {
    let store = Probe::default();
    let browser = Browser::new(&routes().layer(SessionLayer::new(store.clone())));
    browser.text("/login").await;
    store.age_tokens();
    assert_eq!(renewed_to(&browser.get("/user").await), None);
    browser.text("/strict").await;
    store.age_tokens();
    assert!(renewed_to(&browser.get("/user").await).is_some());
}

#[tokio::test]
async fn requests_at_once_find_the_same_token() {
    let store = Probe::default();
    for round in 0..50 {
        let browser = logged_in(&store).await;
        let requests: Vec<_> = (0..20).map(|_| browser.in_flight("/count")).collect();
        let mut tokens = Vec::new();
        for request in requests {
            let page = request.await.unwrap();
            assert_eq!(page.status, StatusCode::OK, "round {round}: {}", page.text);
            tokens.extend(renewed_to(&page).map(str::to_owned));
            browser.keep(&page);
        }
        assert_eq!(tokens, vec![tokens[0].clone(); 20], "round {round}");
        store.age_tokens();
        assert_eq!(browser.text("/count").await, "21", "round {round}");
    }
}

#[tokio::test]
async fn a_lost_response_logs_nobody_out() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    for _ in 0..3 {
        assert!(renewed_to(&browser.send("/read").await).is_some(), "it is lost");
        store.age_tokens();
    }
    let page = browser.get("/read").await;
    assert_eq!(page.text, "kept");
    assert!(renewed_to(&page).is_some());
    assert_eq!(browser.text("/user").await, "alice");
}

#[tokio::test]
async fn a_browser_without_its_new_token_learns_it() {
    let store = Probe::default();
    let often = logged_in(&store).await;
    let lost = often.send("/read").await;
    store.calls();
    assert_eq!(renewed_to(&often.get("/read").await), renewed_to(&lost));
    assert_eq!(store.calls(), [("load", 2)]);
}

#[tokio::test]
async fn p6_after_its_grace_a_token_opens_nothing() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    let old = browser.snapshot();
    browser.text("/read").await;
    store.age_markers(Duration::from_millis(29_000));
    assert_eq!(old.send("/user").await.text, "alice");
    store.age_markers(Duration::from_millis(1_000));
    let page = old.get("/user").await;
    assert_eq!((page.text.as_str(), page.set_cookies.len()), ("", 0));
    assert_eq!(old.get("/read").await.text, "", "it revives nothing");
}

#[tokio::test]
async fn p6_no_token_from_before_a_login_finds_it() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    let before = browser.snapshot();
    browser.text("/read").await;
    let renewed = browser.snapshot();
    browser.text("/bob").await;
    for thief in [before, renewed] {
        let page = thief.get("/user").await;
        assert_eq!((page.text.as_str(), page.set_cookies.len()), ("", 0));
    }
    assert_eq!(browser.text("/user").await, "bob");
    assert_eq!(browser.cookie_names(), ["__Host-id"]);
}

#[tokio::test]
async fn p4_a_late_renewal_undoes_no_login_and_no_logout() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    let late = browser.send("/read").await;
    assert!(renewed_to(&late).is_some());
    browser.text("/bob").await;
    browser.keep(&late);
    assert_eq!(browser.text("/user").await, "bob");
    store.age_tokens();
    browser.text("/read").await;
    assert_eq!(browser.text("/user").await, "bob");

    let browser = logged_in(&store).await;
    let late = browser.send("/read").await;
    browser.text("/logout").await;
    browser.keep(&late);
    assert_eq!(browser.text("/user").await, "");
}

#[tokio::test]
async fn a_login_is_not_refused_because_another_request_renewed_meanwhile() {
    let store = Probe::default();
    for path in ["/bob", "/renew", "/login"] {
        let browser = logged_in(&store).await;
        let held = store.hold("renew");
        let slow = browser.in_flight(path);
        held.reached().await;
        let quick = browser.send("/count").await;
        assert!(renewed_to(&quick).is_some());
        held.release();
        let page = slow.await.unwrap();
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        browser.keep(&quick);
        browser.keep(&page);
        let user = if path == "/bob" { "bob" } else { "alice" };
        assert_eq!(browser.text("/user").await, user);
        let kept = if path == "/bob" { "" } else { "kept" };
        assert_eq!(browser.text("/read").await, kept);
    }
}

#[tokio::test]
async fn what_is_no_activity_renews_nothing() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    store.calls();
    assert_eq!(browser.get("/poll").await.set_cookies.len(), 0);
    assert_eq!(store.calls(), [("load", 1)]);
    assert_eq!(browser.text("/apart").await, "no session");
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn a_locked_session_is_not_renewed() {
    let lifetime = Lifetime::new(Duration::from_millis(100), Lifetime::AAL3.absolute);
    let store = Probe::default();
    let layer = layer(&store).lifetime(lifetime.lock_when_idle().renew_every(INTERVAL));
    let browser = Browser::new(&routes().layer(layer));
    browser.text("/login").await;
    store.age_tokens();
    tokio::time::sleep(Duration::from_millis(300)).await;
    store.calls();
    assert_eq!(browser.get("/user").await.set_cookies.len(), 0);
    assert_eq!(store.calls(), [("load", 1)]);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_response_alone() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    for trouble in [Trouble::Down, Trouble::LoseAcknowledgement(2)] {
        store.trouble("renew", trouble);
        let page = browser.get("/read").await;
        assert_eq!((page.status, &*page.text), (StatusCode::OK, "kept"));
        assert_eq!(renewed_to(&page), None);
        browser.text("/write").await;
        store.recover();
    }
    store.age_tokens();
    assert!(renewed_to(&browser.get("/read").await).is_some());
    assert_eq!(browser.text("/user").await, "alice");
}

#[tokio::test]
async fn a_visitors_token_is_renewed_too() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/write").await;
    store.age_tokens();
    assert!(renewed_to(&browser.get("/read").await).is_some());
    store.age_tokens();
    assert_eq!(browser.text("/read").await, "kept");
    browser.text("/login").await;
    assert_eq!(browser.cookie_names(), ["__Host-id"]);
    assert_eq!(browser.text("/read").await, "kept");
}

#[tokio::test]
async fn a_stream_follows_its_session() {
    let store = Probe::default();
    let (sender, mut streams) = mpsc::channel(1);
    let stream = get(async move |session: Session| sender.send(session).await.unwrap());
    let browser = Browser::new(&routes().route("/stream", stream).layer(layer(&store)));
    browser.text("/login").await;
    browser.text("/write").await;
    browser.get("/stream").await;
    let session = streams.recv().await.unwrap();
    for seconds in [0, 29, 100] {
        store.age_tokens();
        browser.text("/write").await;
        store.age_markers(Duration::from_secs(seconds));
        session.reload().await.unwrap();
        assert_eq!(session.get::<String>("note").unwrap().as_deref(), Some("kept"));
    }
    browser.text("/logout").await;
    assert!(matches!(session.reload().await, Err(Error::Ended)));
}

#[tokio::test]
async fn a_stream_touches_and_ends_its_session_under_whatever_id() {
    let store = Probe::default();
    let (sender, mut streams) = mpsc::channel(1);
    let stream = get(async move |session: Session| sender.send(session).await.unwrap());
    let browser = Browser::new(&routes().route("/stream", stream).layer(layer(&store)));
    browser.text("/login").await;
    browser.get("/stream").await;
    let session = streams.recv().await.unwrap();
    store.age_tokens();
    browser.text("/read").await;
    session.touch().await.unwrap();
    store.age_tokens();
    browser.text("/read").await;
    session.logout().await.unwrap();
    assert_eq!(browser.text("/user").await, "");

    browser.text("/login").await;
    browser.get("/stream").await;
    let session = streams.recv().await.unwrap();
    browser.text("/logout").await;
    assert!(
        matches!(session.logout().await, Err(Error::Ended)),
        "it cannot tell that it has ended it"
    );
}

#[tokio::test(start_paused = true)]
async fn p4_a_token_that_waited_long_for_its_response_is_looked_at_again() {
    let store = Probe::default();
    let slow = get(async |_: Session| tokio::time::sleep(Duration::from_secs(95)).await);
    let app = routes().route("/slow", slow).layer(layer(&store));
    for path in ["/read", "/bob"] {
        let browser = logged_in_at(&app, &store).await;
        let lost = browser.send("/read").await;
        assert!(renewed_to(&lost).is_some());
        // It finds the token that was lost, and works for long.
        let slow = browser.in_flight("/slow");
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser.keep(&lost);
        store.age_tokens();
        browser.text(path).await;
        store.age_tokens();
        browser.text("/read").await;
        store.age_markers(Duration::from_secs(40));
        let late = slow.await.unwrap();
        assert_eq!(renewed_to(&late).is_some(), path == "/read", "{:?}", late.set_cookies);
        browser.keep(&late);
        let user = if path == "/bob" { "bob" } else { "alice" };
        assert_eq!(browser.text("/user").await, user);
    }
}

#[tokio::test]
async fn a_write_does_not_wait_for_a_renewal() {
    let store = Probe::default();
    let browser = logged_in_at(
        &routes().layer(layer(&store).store_timeout(Duration::from_millis(200))),
        &store,
    )
    .await;
    store.trouble("renew", Trouble::Hang);
    store.calls();
    browser.text("/write").await;
    assert_eq!(store.log(), ["load", "update", "renew"]);
}

#[tokio::test]
async fn no_token_gets_into_a_cache() {
    let store = Probe::default();
    let cached = get(async |_: Session| ([(header::CACHE_CONTROL, "public, max-age=3600")], "picture"));
    let browser = logged_in_at(&routes().route("/cached", cached).layer(layer(&store)), &store).await;
    let page = browser.get("/cached").await;
    assert!(renewed_to(&page).is_some());
    assert_eq!(page.header(header::CACHE_CONTROL), Some("no-store"));
    let page = browser.get("/cached").await;
    assert_eq!(page.set_cookies.len(), 0);
    assert_eq!(page.header(header::CACHE_CONTROL), Some("public, max-age=3600"));
    let page = browser.get("/read").await;
    assert_eq!(page.set_cookies.len(), 0);
    assert_eq!(page.header(header::CACHE_CONTROL), Some("no-store"));
}

#[tokio::test]
async fn the_new_cookie_is_as_well_kept_as_the_login_s() {
    let store = Probe::default();
    let browser = logged_in(&store).await;
    let page = browser.get("/read").await;
    let attributes = page.set_cookies[0].split_once(';').unwrap().1;
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax");
}

#[tokio::test]
async fn a_login_with_a_lifetime_of_its_own_is_renewed_as_the_layer_says() {
    let store = Probe::default();
    let of = |lifetime: Lifetime| {
        get(async move |session: Session| session.login_with("alice", LoginOptions::new().lifetime(lifetime)))
    };
    let never = Lifetime::FEDRAMP_HIGH.renew_every(Lifetime::UNLIMITED);
    let app = routes()
        .route("/high", of(Lifetime::FEDRAMP_HIGH))
        .route("/never", of(never));
    let browser = Browser::new(&app.layer(layer(&store).lifetime(Lifetime::AAL2)));
    for (path, is_renewed) in [("/high", true), ("/never", false)] {
        browser.text(path).await;
        store.age_tokens();
        assert_eq!(renewed_to(&browser.get("/read").await).is_some(), is_renewed, "{path}");
    }
}

#[cfg(feature = "seal")]
#[tokio::test]
async fn a_first_seal_is_not_refused_because_another_request_renewed_meanwhile() {
    let store = Probe::default();
    for path in ["/write", "/count"] {
        let unsealed = logged_in(&store).await;
        let browser = unsealed.at(&routes().layer(layer(&store).seal()));
        let held = store.hold("update");
        let slow = browser.in_flight(path);
        held.reached().await;
        browser.get("/read").await;
        held.release();
        let page = slow.await.unwrap();
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert_eq!(browser.text("/read").await, "kept");
    }
}

#[cfg(feature = "seal")]
#[tokio::test]
async fn sealed_data_stays_readable() {
    let store = Probe::default();
    let browser = logged_in_at(&routes().layer(layer(&store).seal()), &store).await;
    for _ in 0..3 {
        browser.send("/count").await;
        store.age_tokens();
        assert_eq!(browser.text("/read").await, "kept");
        browser.text("/count").await;
        store.age_tokens();
    }
    assert_eq!(browser.text("/count").await, "7");
}
