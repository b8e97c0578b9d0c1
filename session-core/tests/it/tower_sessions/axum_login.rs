//! axum-login 0.18 and axum-messages 0.8, unmodified, on tower-sessions 0.14.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    routing::get,
};
use axum_login::{AuthManager, AuthUser, AuthnBackend, UserId};
use axum_messages::{Messages, MessagesManagerLayer};
use session_core::{Lifetime, SessionLayer};
use tower::layer::layer_fn;
use tower_sessions_014::Session;

use super::users_sessions;
use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

#[derive(Clone, Debug)]
struct User(String);

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[derive(Clone, Debug)]
struct Backend;

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, name: String) -> Result<Option<User>, Infallible> {
        Ok(Some(User(name)))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
        Ok(Some(User(id.clone())))
    }
}

type AuthSession = axum_login::AuthSession<Backend>;

/// What an ordinary app makes of any error.
type Reply<T = &'static str> = Result<T, StatusCode>;

fn failed<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn log_in(mut auth: AuthSession, Path(name): Path<String>) -> Reply {
    let user = auth.authenticate(name).await.map_err(failed)?;
    auth.login(&user.ok_or(StatusCode::UNAUTHORIZED)?)
        .await
        .map_err(failed)?;
    Ok("logged in")
}

async fn log_in_and_fail(auth: AuthSession, name: Path<String>) -> Reply {
    log_in(auth, name).await?;
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn log_out(mut auth: AuthSession) -> Reply {
    auth.logout().await.map_err(failed)?;
    Ok("logged out")
}

async fn log_out_and_say_so(auth: AuthSession, messages: Messages) -> Reply {
    messages.info("bye");
    log_out(auth).await
}

async fn messages(messages: Messages) -> String {
    messages.map(|message| message.message).collect::<Vec<_>>().join(",")
}

async fn me(auth: AuthSession) -> String {
    auth.user.map_or("nobody".into(), |user| user.0)
}

async fn write(session: Session, Path((key, value)): Path<(String, String)>) -> Reply {
    session.insert(&key, value).await.map_err(failed)?;
    Ok("written")
}

async fn read(session: Session, Path(key): Path<String>) -> Reply<String> {
    let value: Option<String> = session.get(&key).await.map_err(failed)?;
    Ok(value.unwrap_or_else(|| "none".into()))
}

fn app(store: &Probe) -> Router {
    app_with(SessionLayer::new(store.clone()))
}

fn app_with(layer: SessionLayer) -> Router {
    let sessions = layer.user_from("axum-login.data", |data| data["user_id"].as_str().map(String::from));
    Router::new()
        .route("/login/{name}", get(log_in))
        .route("/login-and-fail/{name}", get(log_in_and_fail))
        .route("/logout", get(log_out))
        .route("/logout-and-say-so", get(log_out_and_say_so))
        .route("/messages", get(messages))
        .route("/me", get(me))
        .route("/write/{key}/{value}", get(write))
        .route("/read/{key}", get(read))
        .layer(MessagesManagerLayer)
        .layer(layer_fn(|inner| AuthManager::new(inner, Backend, "axum-login.data")))
        .layer(sessions)
        .route("/elsewhere", get(async || "no session here"))
}

/// A browser that is logged in as Alice, and the store.
async fn logged_in() -> (Browser, Probe) {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/write/theme/dark").await;
    browser.text("/login/alice").await;
    store.log();
    (browser, store)
}

#[tokio::test]
async fn a_login_binds_the_user_and_moves_the_data_to_a_new_token() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/write/theme/dark").await;
    assert_eq!(browser.cookie_names(), ["__Host-visitor"]);
    let before = browser.snapshot();

    browser.text("/login/alice").await;
    assert_eq!(browser.cookie_names(), ["__Host-id"]);
    assert_eq!(users_sessions(&store, "alice").await.len(), 1);
    assert_eq!(browser.text("/me").await, "alice");
    assert_eq!(browser.text("/read/theme").await, "dark");
    assert_eq!(before.text("/me").await, "nobody");
    assert_eq!(before.text("/read/theme").await, "none");
}

#[tokio::test]
async fn a_login_is_one_load_and_one_write() {
    let store = Probe::default();
    let visitor = Browser::new(&app(&store));
    visitor.text("/write/theme/dark").await;
    store.log();
    visitor.text("/login/alice").await;
    assert_eq!(store.log(), ["load", "renew"]);

    // A browser without cookies has nothing to load, and nothing whose id could be cycled (D9).
    Browser::new(&app(&store)).text("/login/bob").await;
    assert_eq!(store.log(), ["create"]);
    assert_eq!(users_sessions(&store, "bob").await.len(), 1);
}

#[tokio::test]
async fn a_logout_ends_the_session() {
    let (browser, store) = logged_in().await;
    let replayed = browser.snapshot();
    browser.text("/logout").await;
    assert_eq!(browser.cookie_names(), [""; 0]);
    assert!(users_sessions(&store, "alice").await.is_empty());
    assert_eq!(replayed.text("/me").await, "nobody");
    assert_eq!(replayed.text("/read/theme").await, "none");
}

#[tokio::test]
async fn a_second_login_as_somebody_else_gets_a_new_token_too() {
    let (browser, store) = logged_in().await;
    let as_alice = browser.snapshot();
    browser.text("/login/bob").await;
    assert_eq!(browser.text("/me").await, "bob");
    assert_ne!(browser.cookie("__Host-id"), as_alice.cookie("__Host-id"));
    assert_eq!(as_alice.text("/me").await, "nobody");
    assert!(users_sessions(&store, "alice").await.is_empty());
    assert_eq!(users_sessions(&store, "bob").await.len(), 1);
}

#[tokio::test]
async fn a_message_at_logout_begins_a_clean_session() {
    let (browser, store) = logged_in().await;
    let replayed = browser.snapshot();
    browser.text("/logout-and-say-so").await;
    assert_eq!(browser.cookie_names(), ["__Host-visitor"]);
    assert_ne!(browser.cookie("__Host-visitor"), replayed.cookie("__Host-id"));
    assert_eq!(browser.text("/messages").await, "bye");
    assert_eq!(browser.text("/messages").await, "");
    assert_eq!(browser.text("/me").await, "nobody");
    assert_eq!(browser.text("/read/theme").await, "none");
    assert_eq!(replayed.text("/messages").await, "");
    assert_eq!(replayed.text("/me").await, "nobody");
    assert!(users_sessions(&store, "alice").await.is_empty());
}

#[tokio::test]
async fn a_request_in_flight_at_logout_revives_nothing() {
    let (browser, store) = logged_in().await;
    let replayed = browser.snapshot();
    let held = store.hold("update");
    let late = browser.in_flight("/write/theme/light");
    held.reached().await;
    browser.text("/logout").await;
    held.release();

    let late = late.await.unwrap();
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(late.set_cookies, [""; 0]);
    assert_eq!(replayed.text("/me").await, "nobody");
    assert_eq!(replayed.text("/read/theme").await, "none");
    assert!(users_sessions(&store, "alice").await.is_empty());
}

#[tokio::test]
async fn a_request_in_flight_at_login_undoes_nothing() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/write/theme/dark").await;
    let held = store.hold("update");
    let late = browser.in_flight("/write/theme/light");
    held.reached().await;
    browser.text("/login/alice").await;
    held.release();

    let late = late.await.unwrap();
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(late.set_cookies, [""; 0]);
    browser.keep(&late);
    assert_eq!(browser.text("/me").await, "alice");
    assert_eq!(browser.text("/read/theme").await, "dark");
}

#[tokio::test]
async fn a_request_beside_a_login_touches_no_cookie() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/write/theme/dark").await;
    let held = store.hold("renew");
    let login = browser.in_flight("/login/alice");
    held.reached().await;
    assert_eq!(
        browser.text("/read/theme").await,
        "dark",
        "the old token holds until the commit"
    );
    held.release();
    let login = login.await.unwrap();
    let late = browser.get("/me").await;
    assert_eq!((late.text.as_str(), late.set_cookies.len()), ("nobody", 0));
    browser.keep(&login);
    assert_eq!(browser.text("/me").await, "alice");
}

#[tokio::test]
async fn a_login_that_answers_500_leaves_the_visitor_as_before() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/write/theme/dark").await;
    let reply = browser.get("/login-and-fail/alice").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.set_cookies, [""; 0]);
    assert_eq!(browser.text("/read/theme").await, "dark");
    assert_eq!(browser.text("/me").await, "nobody");
    assert!(users_sessions(&store, "alice").await.is_empty());
}

#[tokio::test]
async fn a_store_that_is_down_is_503_and_then_works_again() {
    let (browser, store) = logged_in().await;
    store.all_down();
    for path in ["/me", "/write/a/b", "/messages", "/login/bob", "/logout"] {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(reply.header(header::RETRY_AFTER), Some("1"), "{path}");
        assert_eq!(reply.set_cookies, [""; 0], "{path}");
    }
    assert_eq!(browser.text("/elsewhere").await, "no session here");
    store.recover();
    assert_eq!(browser.text("/me").await, "alice");
}

#[tokio::test]
async fn a_store_that_fails_half_way_is_503() {
    let (browser, store) = logged_in().await;
    for (failing, path) in [("update", "/write/a/b"), ("renew", "/login/bob"), ("end", "/logout")] {
        store.recover();
        store.trouble(failing, Trouble::Down);
        let reply = browser.get(path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(reply.set_cookies, [""; 0], "{path}");
    }
    store.recover();
    assert_eq!(browser.text("/me").await, "alice");
    assert_eq!(browser.text("/read/a").await, "none");
}

#[tokio::test]
async fn a_route_without_a_session_asks_nothing_of_the_store() {
    let (browser, store) = logged_in().await;
    browser.text("/elsewhere").await;
    assert_eq!(store.log(), [""; 0]);
    browser.text("/me").await;
    assert_eq!(store.log(), ["load"]);
}

#[tokio::test]
async fn a_login_opens_a_locked_session() {
    let store = Probe::default();
    let idle = Duration::from_millis(300);
    let lifetime = Lifetime::new(idle, Lifetime::AAL3.absolute);
    let app = app_with(SessionLayer::new(store.clone()).lifetime(lifetime.lock_when_idle()));
    let browser = Browser::new(&app);
    browser.text("/login/alice").await;
    for pause in 4.. {
        browser.get("/write/note/kept").await;
        tokio::time::sleep(Duration::from_millis(100 * pause)).await;
        if browser.text("/me").await == "nobody" {
            break;
        }
    }
    assert_eq!(browser.text("/login/alice").await, "logged in");
    assert_eq!(browser.text("/me").await, "alice");
    assert_eq!(users_sessions(&store, "alice").await.len(), 1);
}
