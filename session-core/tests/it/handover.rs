//! A login over the live session of somebody else.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use session_core::{Error, Page, Session, SessionLayer, SessionStore};
use tokio::sync::Barrier;

use crate::{browser::Browser, probe::Probe};

fn app(store: &Probe, bob: impl FnOnce() -> axum::routing::MethodRouter) -> Router {
    Router::new()
        .route("/note", get(async |session: Session| session.insert("note", "Ada's")))
        .route("/ada", get(async |session: Session| session.login("ada")))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
        .route("/bob", bob())
        .layer(SessionLayer::new(store.clone()))
}

#[tokio::test]
async fn somebody_elses_login_finds_nothing_of_the_users() {
    let store = Probe::default();
    let bob = async |session: Session| {
        session.insert("before", &1)?;
        session.login("bob")?;
        assert_eq!(
            (session.get::<String>("note")?, session.contains("note")),
            (None, false)
        );
        assert_eq!(session.keys(), ["before"]);
        let twice: u8 = session.update("before", |n: Option<u8>| n.unwrap_or(0) + 1).await?;
        let note: String = session
            .update("theirs", |note: Option<String>| note.unwrap_or("new".into()))
            .await?;
        assert_eq!((twice, &*note), (2, "new"));
        session.save().await?;
        assert_eq!(session.keys(), ["before", "theirs"]);
        Ok::<_, Error>(())
    };
    let browser = Browser::new(&app(&store, || get(bob)));
    browser.get("/note").await;
    browser.get("/ada").await;
    assert_eq!(browser.get("/keys").await.text, "note");

    assert_eq!(browser.get("/bob").await.status, StatusCode::OK);
    assert_eq!(browser.get("/keys").await.text, "before theirs");
    assert_eq!(browser.get("/user").await.text, "bob");
    assert_eq!(store.of_user("ada", &Page::default()).await.unwrap(), []);
}

#[tokio::test]
async fn what_the_user_writes_meanwhile_does_not_go_over_either() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&barrier);
    let bob = async move |session: Session| {
        gate.wait().await;
        gate.wait().await;
        session.login("bob")
    };
    let browser = Browser::new(&app(&store, || get(bob)));
    browser.get("/ada").await;
    let login = browser.in_flight("/bob");
    barrier.wait().await;
    assert_eq!(browser.get("/note").await.status, StatusCode::OK);
    barrier.wait().await;
    browser.keep(&login.await.unwrap());
    assert_eq!(browser.get("/user").await.text, "bob");
    assert_eq!(browser.get("/keys").await.text, "");
}

#[tokio::test]
async fn a_login_that_fails_leaves_the_user_logged_in() {
    let store = Probe::default();
    let bob = async |session: Session| {
        session.login("bob").unwrap();
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let browser = Browser::new(&app(&store, || get(bob)));
    browser.get("/note").await;
    browser.get("/ada").await;
    browser.get("/bob").await;
    assert_eq!(browser.get("/user").await.text, "ada");
    assert_eq!(browser.get("/keys").await.text, "note");
}

#[tokio::test]
async fn a_user_named_by_a_value_is_bound_or_refused() {
    let store = Probe::default();
    let layer = SessionLayer::new(store.clone()).user_from("user", |user| user.as_str().map(String::from));
    let set = |user: &'static str| get(async move |session: Session| session.insert("user", user));
    let long: &'static str = "x".repeat(256).leak();
    let app = Router::new()
        .route("/ada", set("ada"))
        .route("/long", set(long))
        .route("/empty", set(""))
        .route("/nobody", get(async |session: Session| session.remove("user")))
        .route("/note", get(async |session: Session| session.insert("note", &1)))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/update",
            get(async |session: Session| session.update("user", |_: Option<String>| "bob".into()).await),
        )
        .layer(layer);
    let browser = Browser::new(&app);
    let sessions = async || store.of_user("ada", &Page::default()).await.unwrap().len();
    browser.text("/note").await;
    browser.text("/ada").await;
    assert_eq!(sessions().await, 1);
    let (bad, wrong) = (StatusCode::BAD_REQUEST, StatusCode::INTERNAL_SERVER_ERROR);
    for (path, status) in [("/long", bad), ("/empty", bad), ("/update", wrong)] {
        let page = browser.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert_eq!(sessions().await, 1, "{path}: {}", page.text);
    }
    assert_eq!(browser.text("/keys").await, "note user");
    browser.text("/nobody").await;
    assert_eq!(sessions().await, 0);
    assert_eq!(browser.text("/keys").await, "");
}
