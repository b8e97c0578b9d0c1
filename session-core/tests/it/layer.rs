//! What the layer does to cookies, and what it refuses.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    routing::get,
};
use session_core::{Error, Lifetime, MemoryStore, SameSite, Session, SessionLayer, SessionStore};
use tower::ServiceExt;

use crate::{browser::Browser, probe::Probe};

async fn write(session: Session) -> Result<(), Error> {
    session.insert("a", &1)
}

async fn login(session: Session) -> Result<(), Error> {
    session.login("alice")
}

async fn logout(session: Session) -> Result<(), Error> {
    session.logout().await
}

async fn user(session: Option<Session>) -> String {
    session.and_then(|session| session.user()).unwrap_or_default()
}

fn app(store: &Probe) -> Router {
    let routes = Router::new()
        .route("/", get(async || "no session asked for"))
        .route("/user", get(user))
        .route("/write", get(write))
        .route("/login", get(login))
        .route("/logout", get(logout));
    routes.layer(SessionLayer::new(store.clone()))
}

/// A cookie's value is random; the rest of it is not.
fn without_values(set_cookies: &[String]) -> Vec<String> {
    let shorten = |cookie: &String| match cookie.split_once('=') {
        Some((name, rest)) if !rest.starts_with(';') => format!("{name}=*{}", &rest[43..]),
        _ => cookie.clone(),
    };
    set_cookies.iter().map(shorten).collect()
}

#[tokio::test]
async fn p11_a_request_that_does_not_ask_makes_no_store_call() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.get("/login").await;
    store.calls();
    let page = browser.get("/").await;
    assert_eq!(store.calls(), []);
    assert_eq!(page.header(header::CACHE_CONTROL), None);
}

#[tokio::test]
async fn p11_a_visitor_who_only_reads_leaves_nothing_behind() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    let page = browser.get("/user").await;
    assert_eq!((store.calls(), page.set_cookies), (vec![], vec![]));
    assert_eq!(page.response.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn p11_a_forged_cookie_is_looked_up_and_nothing_else() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.set_cookie("__Host-id", &"A".repeat(43));
    browser.set_cookie("__Host-visitor", "not a token");
    let page = browser.get("/user").await;
    assert_eq!(store.calls(), [("load", 1)]);
    assert_eq!(page.set_cookies, [""; 0]);

    let page = browser.get("/write").await;
    assert_eq!(store.calls(), [("create", 1), ("load", 1)]);
    assert_ne!(browser.cookie("__Host-visitor").unwrap(), "not a token");
    assert!(
        page.set_cookies[0].starts_with("__Host-visitor="),
        "P6: an unknown token is never adopted"
    );
}

#[tokio::test]
async fn a_malformed_cookie_makes_no_store_call() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.set_cookie("__Host-id", "' OR 1=1 --");
    assert_eq!(browser.get("/user").await.status, StatusCode::OK);
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn a_visit_a_login_and_a_logout_set_these_cookies() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax";

    let page = browser.get("/write").await;
    assert_eq!(
        without_values(&page.set_cookies),
        [format!("__Host-visitor=*{attributes}")]
    );

    let page = browser.get("/login").await;
    let expected = [
        format!("__Host-id=*{attributes}"),
        format!("__Host-visitor={attributes}; Max-Age=0"),
    ];
    assert_eq!(without_values(&page.set_cookies), expected);
    store.calls();
    assert_eq!(browser.get("/user").await.text, "alice");
    assert_eq!(store.calls(), [("load", 1)]);

    let page = browser.get("/logout").await;
    assert_eq!(page.set_cookies, [format!("__Host-id={attributes}; Max-Age=0")]);
    assert_eq!(browser.get("/user").await.text, "");
}

#[tokio::test]
async fn p6_login_and_renewal_make_a_new_token_and_kill_the_old_one() {
    let store = Probe::default();
    let app = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    let visitor = browser.cookie("__Host-visitor").unwrap();
    browser.get("/login").await;
    let first = browser.cookie("__Host-id").unwrap();
    browser.get("/login").await;
    assert_ne!(browser.cookie("__Host-id").unwrap(), first);

    let thief = Browser::new(&app);
    thief.set_cookie("__Host-visitor", &visitor);
    thief.set_cookie("__Host-id", &first);
    assert_eq!(thief.get("/user").await.text, "");
}

#[tokio::test]
async fn a_live_login_wins_over_visitors_and_dead_tokens() {
    let store = Probe::default();
    let app = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    let visitor = browser.cookie("__Host-visitor").unwrap();
    let other = Browser::new(&app);
    other.get("/login").await;
    let login = other.cookie("__Host-id").unwrap();

    let dead = "A".repeat(43);
    let line = format!("__Host-visitor={visitor}; __Host-id={dead}; x=y; __Host-id={login}");
    let request = Request::get("/user").header(header::COOKIE, line);
    store.calls();
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let text = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
    assert_eq!((text.as_ref(), store.calls()), (&b"alice"[..], vec![("load", 1)]));
}

#[tokio::test]
async fn logout_leaves_the_browser_with_no_token_that_opens_anything() {
    let store = Probe::default();
    let app = app(&store);
    let browser = Browser::new(&app);
    browser.get("/login").await;
    let visitor = Browser::new(&app);
    visitor.get("/write").await;
    let token = visitor.cookie("__Host-visitor").unwrap();
    browser.set_cookie("__Host-visitor", &token);
    browser.get("/logout").await;
    assert_eq!(browser.cookie_header(), "");
    assert_eq!(store.purge(1000).await.unwrap(), 0);
    visitor.get("/write").await;
    assert_ne!(
        visitor.cookie("__Host-visitor").unwrap(),
        token,
        "the visitor session has ended too"
    );
}

#[tokio::test]
async fn a_missing_layer_says_where_to_look() {
    let app = Router::new().route("/write", get(write)).route("/user", get(user));
    let page = Browser::new(&app).get("/write").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        page.text.contains("a layer covers only routes added before it"),
        "{}",
        page.text
    );
    assert_eq!(Browser::new(&app).get("/user").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nested_layers_with_the_same_cookie_are_refused() {
    let layer = SessionLayer::new(MemoryStore::new());
    let other = layer
        .clone()
        .cookie_name("__Host-other")
        .visitor_cookie_name("__Host-passer");
    let routes = Router::new().route("/user", get(user));
    let nested = routes.clone().layer(layer.clone()).layer(layer.clone());
    let page = Browser::new(&nested).get("/user").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.contains("\"__Host-id\""), "{}", page.text);
    let apart = routes.layer(layer).layer(other);
    assert_eq!(Browser::new(&apart).get("/user").await.status, StatusCode::OK);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let layer = || SessionLayer::new(MemoryStore::new());
    let refused = [
        (layer().domain("example.org"), "__Host-"),
        (layer().path("/app"), "__Host-"),
        (layer().secure(false), "__Host-"),
        (layer().cookie_name("__HOST-x").secure(false), "__Host-"),
        (
            layer()
                .cookie_name("__Secure-id")
                .visitor_cookie_name("v")
                .secure(false),
            "__Secure-",
        ),
        (layer().cookie_name("JSESSIONID"), "sticky"),
        (layer().visitor_cookie_name("jsessionid"), "sticky"),
        (layer().cookie_name("a b"), "cannot name a cookie"),
        (layer().cookie_name(""), "cannot name a cookie"),
        (layer().cookie_name("x").visitor_cookie_name("x"), "two names"),
        (
            layer().cookie_name("x").visitor_cookie_name("y").path("app"),
            "begin with /",
        ),
        (
            layer().cookie_name("x").visitor_cookie_name("y").domain("a;b"),
            "domain",
        ),
        (layer().insecure().same_site(SameSite::None), "SameSite=None"),
        (layer().idle_timeout(Duration::ZERO), "idle timeout"),
        (
            layer().absolute_timeout(Lifetime::LONGEST + Duration::from_secs(1)),
            "Lifetime::UNLIMITED",
        ),
        (
            layer().lifetime(Lifetime::default().lock_after(Duration::ZERO)),
            "time to the lock",
        ),
        (
            layer().lifetime(Lifetime::default().lock_after(Lifetime::default().idle)),
            "end before they lock",
        ),
        (layer().renew_every(Duration::from_secs(59)), "time to a renewal"),
        (layer().store_timeout(Duration::ZERO), "store_timeout"),
    ];
    for (layer, reason) in refused {
        let error = layer.check().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let allowed = [
        layer(),
        layer()
            .absolute_timeout(Lifetime::UNLIMITED)
            .idle_timeout(Lifetime::LONGEST),
        layer().insecure(),
        layer().renew_every(Duration::from_secs(60)),
        layer()
            .cookie_name("__Secure-id")
            .visitor_cookie_name("v")
            .domain("example.org")
            .path("/app"),
    ];
    for layer in allowed {
        layer.check().unwrap();
    }
}

#[test]
#[should_panic(expected = "sticky sessions")]
fn a_router_refuses_the_settings_at_start() {
    let layer = SessionLayer::new(MemoryStore::new()).cookie_name("JSESSIONID");
    let _: Router = Router::new().route("/user", get(user)).layer(layer);
}

#[tokio::test]
async fn insecure_cookies_lose_secure_and_the_prefix() {
    let layer = SessionLayer::new(MemoryStore::new()).insecure();
    let app = Router::new().route("/write", get(write)).layer(layer);
    let page = Browser::new(&app).get("/write").await;
    assert_eq!(
        without_values(&page.set_cookies),
        ["visitor=*; Path=/; HttpOnly; SameSite=Lax"]
    );
}
