//! A store that is down, hangs or forgets to answer, and requests that overtake each other.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{StatusCode, header},
    middleware::map_response,
    response::Response,
    routing::get,
};
use session_core::{Error, Page, Session, SessionId, SessionLayer, SessionStore};
use tokio::sync::Barrier;

use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

fn app(store: &Probe, more: Router) -> Router {
    let routes = Router::new()
        .route("/write", get(async |session: Session| session.insert("a", &1)))
        .route(
            "/read",
            get(async |session: Session| session.get::<u8>("a").map(|a| a.unwrap_or(0).to_string())),
        )
        .route(
            "/maybe",
            get(async |session: Option<Session>| session.is_some().to_string()),
        )
        .route("/login", get(async |session: Session| session.login("alice")))
        .route("/renew", get(async |session: Session| session.renew()))
        .route("/logout", get(async |session: Session| session.logout().await))
        .route("/hush", get(async |session: Session| drop(session.logout().await)))
        .route("/count", get(count))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        );
    let layer = SessionLayer::new(store.clone()).store_timeout(Duration::from_millis(500));
    routes.merge(more).layer(layer)
}

async fn count(session: Session) -> Result<String, Error> {
    let visits: u64 = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    Ok(visits.to_string())
}

/// A handler that has its session open, stops at the barrier twice, and then goes on.
fn gated<F: Future<Output = Result<(), Error>> + Send>(
    barrier: &Arc<Barrier>,
    then: impl Fn(Session) -> F + Clone + Send + Sync + 'static,
) -> Router {
    let barrier = Arc::clone(barrier);
    let handler = async move |session: Session| {
        barrier.wait().await;
        barrier.wait().await;
        then(session).await
    };
    Router::new().route("/gated", get(handler))
}

/// Runs `/gated` with `meanwhile` happening between its load and its commit; its answer arrives last.
async fn overtaken(browser: &Browser, barrier: &Barrier, meanwhile: &[&str]) -> crate::browser::Page {
    let slow = tokio::spawn({
        let browser = browser.clone();
        async move { browser.send("/gated").await }
    });
    barrier.wait().await;
    for path in meanwhile {
        assert!(browser.get(path).await.status.is_success(), "{path}");
    }
    barrier.wait().await;
    let page = slow.await.unwrap();
    browser.keep(&page);
    page
}

#[tokio::test]
async fn the_app_may_show_the_layer_s_errors_in_its_own_way() {
    let store = Probe::default();
    let show = async |response: Response| match response.extensions().get::<Arc<Error>>() {
        Some(error) => {
            let page = format!("<h1>{error}</h1>");
            response.map(|_| Body::from(page))
        }
        None => response,
    };
    let app = app(&store, Router::new()).layer(map_response(show));
    let browser = Browser::new(&app);
    browser.text("/login").await;
    store.trouble("update", Trouble::Down);
    let page = browser.get("/write").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.text, "<h1>the session store is not available</h1>");
    assert!(page.response.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn texts_that_are_no_user_and_no_id_are_bad_requests() {
    let routes = Router::new()
        .route("/nobody", get(async |session: Session| session.login("")))
        .route("/nothing", get(async || "x".parse::<SessionId>().map(drop)));
    let browser = Browser::new(&app(&Probe::default(), routes));
    for path in ["/nobody", "/nothing"] {
        assert_eq!(browser.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn p8_a_store_that_is_down_refuses_the_request_and_then_works_again() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    browser.get("/login").await;
    store.all_down();
    for path in ["/read", "/maybe", "/write", "/login", "/logout"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(page.header(header::RETRY_AFTER), Some("1"));
        assert_eq!(page.set_cookies, [""; 0]);
    }
    store.recover();
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn p8_a_visitor_without_a_cookie_can_read_while_the_store_is_down() {
    let store = Probe::default();
    store.all_down();
    let browser = Browser::new(&app(&store, Router::new()));
    assert_eq!(browser.get("/user").await.status, StatusCode::OK);
    assert_eq!(browser.get("/write").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.get("/count").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.cookie_header(), "");
}

#[tokio::test]
async fn p8_a_store_that_hangs_is_given_up_in_time() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    browser.get("/write").await;
    for method in ["load", "update", "renew", "end"] {
        store.trouble(method, Trouble::Hang);
        let path = match method {
            "update" => "/write",
            "renew" => "/login",
            "end" => "/logout",
            _ => "/read",
        };
        let started = Instant::now();
        assert_eq!(
            browser.get(path).await.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{method}"
        );
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "a hang, not the store_timeout of half a second"
        );
        store.recover();
    }
    assert_eq!(browser.get("/read").await.text, "1");
}

#[tokio::test]
async fn a_touch_that_fails_leaves_the_response_alone() {
    let store = Probe::default();
    let layer = SessionLayer::new(store.clone()).touch_interval(Duration::ZERO);
    let routes = Router::new()
        .route("/write", get(async |session: Session| session.insert("a", &1)))
        .route(
            "/read",
            get(async |session: Session| session.get::<u8>("a").map(|a| a.unwrap_or(0).to_string())),
        );
    let browser = Browser::new(&routes.layer(layer));
    browser.get("/write").await;
    store.trouble("touch", Trouble::Down);
    assert_eq!(browser.get("/read").await.text, "1");
    assert!(store.calls().contains(&("touch", 1)));
}

#[tokio::test]
async fn a_failed_logout_is_not_answered_by_success() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    browser.get("/login").await;
    store.trouble("end", Trouble::Down);
    let page = browser.get("/hush").await;
    assert_eq!(
        (page.status, page.set_cookies.len()),
        (StatusCode::SERVICE_UNAVAILABLE, 0)
    );
    store.recover();
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn a_lost_acknowledgement_of_create_or_renew_is_asked_for_again() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    store.trouble("create", Trouble::LoseAcknowledgement(1));
    assert_eq!(browser.get("/write").await.status, StatusCode::OK);
    assert_eq!(browser.get("/read").await.text, "1");
    store.trouble("renew", Trouble::LoseAcknowledgement(1));
    assert_eq!(browser.get("/login").await.status, StatusCode::OK);
    assert_eq!(browser.get("/user").await.text, "alice");
    assert_eq!(browser.get("/read").await.text, "1");
    assert_eq!(store.of_user("alice", &Page::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn p2_an_update_with_an_unknown_outcome_is_never_applied_twice() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    assert_eq!(browser.get("/count").await.text, "1");
    store.calls();
    store.trouble("update", Trouble::LoseAcknowledgement(1));
    let page = browser.get("/count").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(store.calls(), [("load", 1), ("update", 1)]);
    assert_eq!(browser.get("/count").await.text, "3");
}

#[tokio::test]
async fn p3_a_late_writer_does_not_undo_a_logout() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, async |session| session.insert("b", &2))));
    browser.get("/login").await;
    let token = browser.cookie("__Host-id").unwrap();
    let page = overtaken(&browser, &barrier, &["/logout"]).await;
    assert_eq!((page.status, page.set_cookies.len()), (StatusCode::CONFLICT, 0));
    browser.set_cookie("__Host-id", &token);
    assert_eq!(browser.get("/user").await.text, "");
}

#[tokio::test]
async fn p3_a_late_login_on_an_ended_session_is_refused() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, async |session| session.login("bob"))));
    browser.get("/login").await;
    let page = overtaken(&browser, &barrier, &["/logout"]).await;
    assert_eq!((page.status, page.set_cookies.len()), (StatusCode::CONFLICT, 0));
    assert_eq!(store.of_user("bob", &Page::default()).await.unwrap(), []);
}

#[tokio::test]
async fn p3_a_session_that_a_reload_finds_ended_takes_no_changes() {
    let write = async |session: Session| {
        session.insert("b", &2)?;
        assert!(matches!(session.reload().await, Err(Error::Ended)));
        Ok(())
    };
    let count = async |session: Session| {
        assert!(matches!(session.reload().await, Err(Error::Ended)));
        session.update("b", |n: Option<u8>| n.unwrap_or(0)).await.map(drop)
    };
    let login = async |session: Session| {
        session.login("bob")?;
        assert!(matches!(session.reload().await, Err(Error::Ended)));
        Ok(())
    };
    for handler in 0..3 {
        let store = Probe::default();
        let barrier = Arc::new(Barrier::new(2));
        let more = match handler {
            0 => gated(&barrier, write),
            1 => gated(&barrier, count),
            _ => gated(&barrier, login),
        };
        let browser = Browser::new(&app(&store, more));
        browser.get("/write").await;
        let visitor = browser.cookie("__Host-visitor").unwrap();
        browser.get("/login").await;
        // Another live session in the other cookie is not this one's place.
        let other = Browser::new(&app(&store, Router::new()));
        other.get("/write").await;
        assert_ne!(other.cookie("__Host-visitor").unwrap(), visitor);
        browser.set_cookie("__Host-visitor", &other.cookie("__Host-visitor").unwrap());

        let login_token = browser.cookie("__Host-id").unwrap();
        let ended = Browser::new(&app(&store, Router::new()));
        ended.set_cookie("__Host-id", &login_token);
        let slow = browser.in_flight("/gated");
        barrier.wait().await;
        assert_eq!(ended.get("/logout").await.status, StatusCode::OK);
        barrier.wait().await;
        let page = slow.await.unwrap();
        assert_eq!(
            (page.status, page.set_cookies.len()),
            (StatusCode::CONFLICT, 0),
            "{handler}"
        );
        assert_eq!(other.get("/keys").await.text, "a", "{handler}");
        assert_eq!(store.of_user("bob", &Page::default()).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_reload_of_a_session_just_renewed_says_so_and_its_changes_follow() {
    let write = async |session: Session| {
        session.insert("b", &2)?;
        assert!(matches!(session.reload().await, Err(Error::Ended)));
        Ok(())
    };
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, write)));
    browser.get("/login").await;
    let page = overtaken(&browser, &barrier, &["/renew"]).await;
    assert_eq!((page.status, page.set_cookies.len()), (StatusCode::OK, 0));
    assert_eq!(browser.get("/keys").await.text, "b");
}

#[tokio::test]
async fn p4_a_late_writer_does_not_undo_a_login() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, async |session| session.insert("b", &2))));
    browser.get("/write").await;
    let page = overtaken(&browser, &barrier, &["/login"]).await;
    assert_eq!((page.status, page.set_cookies.len()), (StatusCode::CONFLICT, 0));
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn p4_a_late_first_write_does_not_displace_a_login() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, async |session| session.insert("b", &2))));
    let page = overtaken(&browser, &barrier, &["/login"]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn a_write_in_flight_follows_a_plain_renewal() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, async |session| session.insert("a", &7))));
    browser.get("/login").await;
    let page = overtaken(&browser, &barrier, &["/renew"]).await;
    assert_eq!((page.status, page.set_cookies.len()), (StatusCode::OK, 0));
    assert_eq!(browser.get("/read").await.text, "7");
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn p3_a_late_logout_ends_a_session_that_was_renewed_meanwhile() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let browser = Browser::new(&app(&store, gated(&barrier, async |session| session.logout().await)));
    browser.get("/login").await;
    overtaken(&browser, &barrier, &["/renew"]).await;
    assert_eq!(store.of_user("alice", &Page::default()).await.unwrap(), []);
}

#[tokio::test]
async fn best_effort_changes_do_not_cost_the_response() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let write = async |session: Session| {
        session.best_effort();
        session.insert("b", &2)
    };
    let browser = Browser::new(&app(&store, gated(&barrier, write)));
    browser.get("/login").await;
    assert_eq!(overtaken(&browser, &barrier, &["/logout"]).await.status, StatusCode::OK);
    assert_eq!(browser.get("/user").await.text, "");
}

#[tokio::test]
async fn a_login_handler_that_is_dropped_logs_nobody_in() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&barrier);
    let half = get(async move |session: Session| {
        session.login("alice").unwrap();
        gate.wait().await;
        std::future::pending::<()>().await
    });
    let browser = Browser::new(&app(&store, Router::new().route("/half", half)));
    browser.get("/write").await;
    let request = tokio::spawn({
        let browser = browser.clone();
        async move { browser.send("/half").await.status }
    });
    barrier.wait().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(browser.get("/read").await.text, "1");
    assert_eq!(store.of_user("alice", &Page::default()).await.unwrap(), []);
}

#[tokio::test]
async fn a_logout_and_a_commit_complete_without_their_client() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    for (path, method) in [("/write", "update"), ("/logout", "end")] {
        browser.get("/login").await;
        let barrier = Arc::new(Barrier::new(2));
        store.trouble(method, Trouble::Pause(Arc::clone(&barrier)));
        let request = tokio::spawn({
            let browser = browser.clone();
            async move { browser.send(path).await.status }
        });
        // It is inside the store; now its client goes away, and only then it goes on.
        while store.calls().iter().all(|(called, _)| *called != method) {
            tokio::task::yield_now().await;
        }
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        barrier.wait().await;
        barrier.wait().await;
        store.recover();
        if path == "/write" {
            assert_eq!(browser.get("/read").await.text, "1");
        } else {
            assert_eq!(browser.get("/user").await.text, "");
        }
    }
}
