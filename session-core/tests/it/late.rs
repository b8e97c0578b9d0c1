//! What a handler leaves behind when its response has begun, or when it no longer waits: streams, and futures dropped.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use session_core::{Error, Session, SessionLayer, SessionStore};
use tokio::sync::mpsc;

use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

fn app(store: &Probe, more: Router) -> Router {
    Router::new()
        .route("/write", get(async |session: Session| session.insert("a", &1)))
        .route("/login", get(async |session: Session| session.login("alice")))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
        .merge(more)
        .layer(SessionLayer::new(store.clone()).store_timeout(Duration::from_millis(200)))
}

#[tokio::test]
async fn p8_a_stream_goes_on_when_the_store_is_back() {
    let store = Probe::default();
    let (sender, mut streams) = mpsc::channel(1);
    let stream = get(async move |session: Session| sender.send(session).await.unwrap());
    let browser = Browser::new(&app(&store, Router::new().route("/stream", stream)));
    browser.get("/write").await;
    browser.get("/stream").await;
    let session = streams.recv().await.unwrap();

    store.trouble("touch", Trouble::Hang);
    store.trouble("update", Trouble::Hang);
    assert!(matches!(session.touch().await, Err(Error::Unknown { .. })));
    session.insert("lost", &1).unwrap();
    assert!(matches!(session.save().await, Err(Error::Unknown { .. })));
    store.recover();

    session.touch().await.unwrap();
    session.reload().await.unwrap();
    session.insert("b", &2).unwrap();
    session.save().await.unwrap();
    let c: u8 = session.update("c", |c: Option<u8>| c.unwrap_or(3)).await.unwrap();
    assert_eq!((&*browser.get("/keys").await.text, c), ("a b c", 3));
}

#[tokio::test]
async fn p8_a_request_that_spent_its_time_asks_the_store_no_more() {
    let store = Probe::default();
    let spend = get(async |session: Session| {
        assert!(matches!(session.touch().await, Err(Error::Unknown { .. })));
        session.touch().await
    });
    let browser = Browser::new(&app(&store, Router::new().route("/spend", spend)));
    browser.get("/write").await;
    store.trouble("touch", Trouble::Hang);
    store.calls();
    let page = browser.get("/spend").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text.contains("not available"), "nothing was done: {}", page.text);
    assert_eq!(store.calls(), [("load", 1), ("touch", 1)]);
}

/// A handler that waits a moment for `work`, and answers 200 anyway.
fn impatient<F: Future<Output = Result<(), Error>> + Send>(
    work: impl Fn(Session) -> F + Clone + Send + Sync + 'static,
) -> Router {
    let handler = async move |session: Session| {
        let waited = tokio::time::timeout(Duration::from_millis(10), work(session)).await;
        assert!(waited.is_err(), "it was to be dropped");
    };
    Router::new().route("/impatient", get(handler))
}

#[tokio::test]
async fn a_failed_save_that_nobody_waited_for_is_not_answered_by_success() {
    let store = Probe::default();
    let save = impatient(async |session| {
        session.insert("b", &2)?;
        session.save().await
    });
    let browser = Browser::new(&app(&store, save));
    browser.get("/write").await;
    store.trouble("update", Trouble::Hang);
    assert_eq!(browser.get("/impatient").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.get("/keys").await.text, "a");
}

#[tokio::test]
async fn a_failed_save_that_nobody_listened_to_is_not_answered_by_success() {
    let ended = Probe::default();
    let store = ended.clone();
    let save = get(async move |session: Session| {
        session.insert("b", &2)?;
        let id = session.id().unwrap();
        let mut save = Box::pin(session.save());
        let held = store.hold("update");
        tokio::select! {
            _ = &mut save => panic!("it is held"),
            () = held.reached() => {}
        }
        store.store.end(&id).await?;
        held.release();
        Ok::<_, Error>(())
    });
    let browser = Browser::new(&app(&ended, Router::new().route("/save", save)));
    browser.get("/write").await;
    assert_eq!(browser.get("/save").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_failed_logout_that_nobody_waited_for_is_not_answered_by_success() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, impatient(async |session| session.logout().await)));
    browser.get("/login").await;
    store.trouble("end", Trouble::Hang);
    assert_eq!(browser.get("/impatient").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn a_logout_that_succeeds_in_the_end_is_a_success() {
    let store = Probe::default();
    let recovering = store.clone();
    let again = get(async move |session: Session| {
        assert!(session.logout().await.is_err());
        recovering.recover();
        session.logout().await
    });
    let browser = Browser::new(&app(&store, Router::new().route("/again", again)));
    browser.get("/login").await;
    store.trouble("end", Trouble::Down);
    assert_eq!(browser.get("/again").await.status, StatusCode::OK);
    assert_eq!(browser.get("/user").await.text, "");
}
