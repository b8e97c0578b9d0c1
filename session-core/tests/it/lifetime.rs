//! How long a session has, how recent its login is, and what a locked one shows (promise P9).

use std::time::{Duration, Instant};

use axum::{Router, http::StatusCode, routing::get};
use session_core::{Error, Lifetime, LoginOptions, Session, SessionLayer};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::{browser::Browser, probe::Probe};

const MINUTE: Duration = Duration::from_secs(60);

fn app(layer: SessionLayer) -> Router {
    let login =
        |options: fn() -> LoginOptions| get(async move |session: Session| session.login_with("alice", options()));
    Router::new()
        .route("/login", login(LoginOptions::new))
        .route("/admin", login(|| LoginOptions::new().lifetime(Lifetime::FEDRAMP_HIGH)))
        .route(
            "/forever",
            login(|| LoginOptions::new().lifetime(Lifetime::new(Duration::MAX / 2, Lifetime::UNLIMITED))),
        )
        .route(
            "/sso",
            login(|| LoginOptions::new().authenticated(OffsetDateTime::now_utc() - 10 * MINUTE)),
        )
        .route(
            "/from-the-future",
            login(|| LoginOptions::new().authenticated(OffsetDateTime::now_utc() + 10 * MINUTE)),
        )
        .route(
            "/sso-and-pay",
            get(async |session: Session| {
                let options = LoginOptions::new().authenticated(OffsetDateTime::now_utc() - 10 * MINUTE);
                session.login_with("alice", options)?;
                session.save().await?;
                session.require_recent_login(5 * MINUTE)
            }),
        )
        .route("/bob", get(async |session: Session| session.login("bob")))
        .route("/visit", get(async |session: Session| session.insert("a", &1)))
        .route("/write", get(async |session: Session| session.insert("note", "kept")))
        .route("/remove", get(async |session: Session| session.remove("note")))
        .route(
            "/count",
            get(async |session: Session| {
                let count = session.update("note", |_: Option<String>| panic!("it is shown"));
                count.await.map(|_: String| ())
            }),
        )
        .route(
            "/login-and-count",
            get(async |session: Session| {
                session.login("alice")?;
                let count = session.update("n", |n: Option<u8>| n.unwrap_or(0) + 1);
                count.await.map(|n| n.to_string())
            }),
        )
        .route("/renew", get(async |session: Session| session.renew()))
        .route("/logout", get(async |session: Session| session.logout().await))
        .route(
            "/devices",
            get(async |session: Session| session.devices().await.map(|devices| devices.len().to_string())),
        )
        .route(
            "/read",
            get(async |session: Session| session.get::<String>("note").map(|note| note.unwrap_or_default())),
        )
        .route(
            "/pay",
            get(async |session: Session| session.require_recent_login(5 * MINUTE)),
        )
        .route("/account", get(async |session: Session| session.require_user()))
        .route(
            "/state",
            get(async |session: Session| {
                let keys = session.keys().join(",");
                format!("{:?} {:?} [{keys}]", session.user(), session.locked_user())
            }),
        )
        .route(
            "/seconds",
            get(async |session: Session| format!("{:?}", session.expires_in().map(|left| left.as_secs_f64().round()))),
        )
        .route(
            "/poll",
            get(async |session: Session| {
                session.leave_untouched();
                format!("{:?}", session.expires_in())
            }),
        )
        .layer(layer)
}

fn layer() -> SessionLayer {
    SessionLayer::new(Probe::default())
}

#[tokio::test]
async fn an_account_is_for_users_only() {
    let browser = Browser::new(&app(layer()));
    for path in ["/account", "/visit", "/account"] {
        let page = browser.get(path).await;
        let is_refused = page.status == StatusCode::UNAUTHORIZED && page.text.contains("log in");
        assert_eq!(is_refused, path == "/account", "{}", page.text);
    }
    browser.text("/login").await;
    assert_eq!(browser.text("/account").await, "alice");
}

#[tokio::test]
async fn a_page_can_warn_before_its_session_ends() {
    let browser = Browser::new(&app(layer().idle_timeout(20 * MINUTE).absolute_timeout(40 * MINUTE)));
    assert_eq!(browser.text("/seconds").await, "None");
    browser.text("/visit").await;
    assert_eq!(browser.text("/seconds").await, "Some(1200.0)");
    browser.text("/admin").await;
    assert_eq!(browser.text("/seconds").await, "Some(900.0)");

    let browser = Browser::new(&app(layer().idle_timeout(50 * MINUTE).absolute_timeout(40 * MINUTE)));
    browser.text("/login").await;
    assert_eq!(browser.text("/seconds").await, "Some(2400.0)");
    let browser = Browser::new(&app(layer().lifetime(Lifetime::AAL3.lock_when_idle())));
    browser.text("/login").await;
    assert_eq!(browser.text("/seconds").await, "Some(900.0)");
}

#[tokio::test]
async fn p9_polling_keeps_no_session_alive() {
    let idle = Duration::from_secs(1);
    let browser = Browser::new(&app(layer().idle_timeout(idle)));
    browser.text("/login").await;
    let began = Instant::now();
    let mut last = String::new();
    // Ordinary requests would be noted, one every tenth of a second.
    loop {
        let left = browser.text("/poll").await;
        if left == "None" {
            break;
        }
        assert_ne!(left, last, "it does not pass");
        last = left;
        assert!(began.elapsed() < 20 * idle, "it never ends");
        tokio::time::sleep(idle / 8).await;
    }
    assert!(began.elapsed() >= idle);
}

#[tokio::test]
async fn a_stream_tells_how_long_its_session_still_has() {
    let idle = Duration::from_secs(2);
    let (sender, mut streams) = mpsc::channel(1);
    let stream = get(async move |session: Session| sender.send(session).await.unwrap());
    let app = Router::new().route("/stream", stream);
    let app = app.route("/login", get(async |session: Session| session.login("alice")));
    let browser = Browser::new(&app.layer(layer().idle_timeout(idle)));
    browser.text("/login").await;
    browser.get("/stream").await;
    let session = streams.recv().await.unwrap();
    let mut last = idle + idle / 10;
    loop {
        match session.reload().await {
            Ok(()) => {}
            Err(Error::Ended) => break,
            Err(error) => panic!("{error}"),
        }
        let left = session.expires_in().unwrap();
        assert!(left < last, "{left:?} after {last:?}");
        last = left;
        tokio::time::sleep(idle / 8).await;
    }
}

#[tokio::test]
async fn p9_what_is_dangerous_asks_for_a_recent_login() {
    let browser = Browser::new(&app(layer()));
    assert_eq!(browser.get("/pay").await.status, StatusCode::UNAUTHORIZED);
    browser.text("/visit").await;
    assert_eq!(browser.get("/pay").await.status, StatusCode::UNAUTHORIZED);
    for login in ["/login", "/from-the-future"] {
        browser.text(login).await;
        assert_eq!(browser.get("/pay").await.status, StatusCode::OK, "{login}");
    }
    assert_eq!(browser.get("/sso-and-pay").await.status, StatusCode::UNAUTHORIZED);
    browser.text("/sso").await;
    let refused = browser.get("/pay").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.text.contains("log in again"), "{}", refused.text);
    browser.text("/renew").await;
    assert_eq!(
        browser.get("/pay").await.status,
        StatusCode::UNAUTHORIZED,
        "a renewal is no login"
    );
}

#[tokio::test]
async fn for_ever_has_to_be_said() {
    let page = Browser::new(&app(layer())).get("/forever").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.contains("Lifetime::UNLIMITED"), "{}", page.text);
}

/// A browser whose session has a note and is locked.
async fn locked() -> Browser {
    // Where sessions lock, the idle timeout is when.
    let layer = layer().lifetime(Lifetime::AAL3.lock_when_idle());
    let browser = Browser::new(&app(layer.idle_timeout(Duration::from_millis(300))));
    browser.text("/login").await;
    while browser.text("/state").await.ends_with("[]") {
        browser.get("/write").await;
    }
    // Each look is activity, so it is looked after longer and longer pauses.
    for pause in 4.. {
        tokio::time::sleep(Duration::from_millis(100 * pause)).await;
        if browser.text("/state").await.starts_with("None") {
            break;
        }
    }
    browser
}

#[tokio::test]
async fn p9_a_locked_session_shows_nothing_and_keeps_everything() {
    let browser = locked().await;
    assert_eq!(browser.text("/state").await, "None Some(\"alice\") []");
    assert_eq!(browser.text("/seconds").await, "None");
    for path in [
        "/read", "/write", "/remove", "/count", "/renew", "/devices", "/pay", "/account",
    ] {
        let page = browser.get(path).await;
        assert_eq!(
            (page.status, page.set_cookies.len()),
            (StatusCode::UNAUTHORIZED, 0),
            "{path}"
        );
    }
    browser.text("/login").await;
    assert_eq!(browser.text("/account").await, "alice");
    assert_eq!(browser.text("/state").await, "Some(\"alice\") None [note]");
    assert_eq!(browser.text("/read").await, "kept");
}

#[tokio::test]
async fn a_locked_session_is_left_behind_by_another_user_and_ended_by_a_logout() {
    let browser = locked().await;
    browser.text("/bob").await;
    assert_eq!(browser.text("/state").await, "Some(\"bob\") None []");

    let browser = locked().await;
    browser.text("/logout").await;
    assert_eq!(browser.cookie_names().len(), 0);
    assert_eq!(browser.text("/state").await, "None None []");
}

#[tokio::test]
async fn a_login_may_write_to_the_session_that_it_opens() {
    let browser = locked().await;
    assert_eq!(browser.text("/login-and-count").await, "1");
    assert_eq!(browser.text("/login-and-count").await, "2");
    assert_eq!(browser.text("/read").await, "kept");
}

#[test]
fn the_presets_are_as_their_sources_say() {
    for (preset, minutes, hours) in [
        (Lifetime::FEDRAMP_MODERATE, 30, 12),
        (Lifetime::FEDRAMP_HIGH, 15, 12),
        (Lifetime::AAL2, 60, 24),
        (Lifetime::AAL3, 15, 12),
    ] {
        assert_eq!((preset.idle, preset.absolute), (minutes * MINUTE, hours * 60 * MINUTE));
    }
    assert_eq!(Lifetime::default(), Lifetime::FEDRAMP_MODERATE);
    let _: Error = Error::Locked;
}
