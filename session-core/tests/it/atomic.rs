//! What changes a value at once, unless it refuses to.

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use session_core::{Delta, Error, Session, SessionId, SessionLayer, SessionStore, Update, Value};
use tokio::task::JoinSet;

use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

/// Why a ticket is not used.
enum Refusal {
    NoneLeft,
    Session(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::NoneLeft => (StatusCode::GONE, "none left").into_response(),
            Self::Session(error) => error.into_response(),
        }
    }
}

/// Uses one of the tickets; the last leaves no key behind.
async fn use_ticket(session: &Session) -> Result<String, Refusal> {
    let left = session.try_update("tickets", |left: Option<u32>| match left {
        None | Some(0) => Err(Refusal::NoneLeft),
        Some(1) => Ok(None),
        Some(left) => Ok(Some(left - 1)),
    });
    Ok(format!("{:?}", left.await?))
}

fn app(store: &Probe) -> Router {
    Router::new()
        .route(
            "/buy",
            get(async |session: Session| {
                session
                    .update("tickets", |left: Option<u32>| left.unwrap_or(0) + 2)
                    .await
                    .map(drop)
            }),
        )
        .route(
            "/sell-out",
            get(async |session: Session| session.update("tickets", |_: Option<u32>| 0).await.map(drop)),
        )
        .route("/use", get(async |session: Session| use_ticket(&session).await))
        .route(
            "/use-own",
            get(async |session: Session| {
                session.insert("tickets", &1)?;
                use_ticket(&session).await
            }),
        )
        .route(
            "/use-in-login",
            get(async |session: Session| {
                session.login("alice")?;
                let left = [use_ticket(&session).await?, use_ticket(&session).await?];
                let more = use_ticket(&session).await;
                assert!(matches!(more, Err(Refusal::NoneLeft)));
                Ok::<_, Refusal>(left.join(", "))
            }),
        )
        .route("/say", get(async |session: Session| session.insert("message", "hello")))
        .route(
            "/hear",
            get(async |session: Session| session.take::<String>("message").await.map(Option::unwrap_or_default)),
        )
        .route("/id", get(async |session: Session| session.id().unwrap().to_string()))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .layer(SessionLayer::new(store.clone()))
}

/// Sets a value as another instance does.
async fn set(store: &Probe, id: &SessionId, key: &str, text: &'static str) {
    let mut delta = Delta::default();
    delta.set(key, Value::from_json(text)).unwrap();
    store.store.update(id, &Update::new(delta)).await.unwrap();
}

#[tokio::test]
async fn p2_no_more_tickets_are_used_than_there_are() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    for _ in 0..5 {
        browser.text("/buy").await;
    }
    let mut uses = JoinSet::new();
    for _ in 0..30 {
        let browser = browser.snapshot();
        uses.spawn(async move { browser.get("/use").await.status });
    }
    let answers = uses.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::OK).count(), 10);
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::GONE).count(), 20);
    assert_eq!(browser.text("/keys").await, "");
}

#[tokio::test]
async fn what_is_refused_changes_nothing_and_is_looked_at_again() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/say").await;
    store.log();
    assert_eq!(browser.get("/use").await.text, "none left");
    assert_eq!(store.log(), ["load", "load"]);

    // Another instance sells some after the session was loaded.
    let id: SessionId = browser.text("/id").await.parse().unwrap();
    let held = store.hold("load");
    let late = browser.in_flight("/use");
    held.reached().await;
    let again = store.hold("load");
    held.release();
    again.reached().await;
    set(&store, &id, "tickets", "2").await;
    again.release();
    let late = late.await.unwrap();
    assert_eq!((late.status, &*late.text), (StatusCode::OK, "Some(1)"));
}

#[tokio::test]
async fn a_value_that_is_passed_on_and_not_stored_refuses_nobody() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/buy").await;
    store.log();
    store.trouble("update", Trouble::Hang);
    let sold_out = browser.in_flight("/sell-out");
    while !store.log().contains(&"update") {
        tokio::task::yield_now().await;
    }
    store.recover();
    assert_eq!(browser.text("/use").await, "Some(1)");
    assert_eq!(store.log(), ["load", "load", "update"]);
    sold_out.abort();
}

#[tokio::test]
async fn a_request_s_own_changes_and_logins_come_first() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/buy").await;
    assert_eq!(browser.text("/use-own").await, "None");
    assert_eq!(browser.text("/keys").await, "");
    browser.text("/buy").await;
    browser.text("/say").await;
    assert_eq!(browser.text("/use-in-login").await, "Some(1), None");
    assert_eq!(browser.text("/keys").await, "message");
}

#[tokio::test]
async fn whoever_has_no_session_is_refused_and_gets_none() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    assert_eq!(browser.get("/use").await.status, StatusCode::GONE);
    assert_eq!(browser.text("/hear").await, "");
    assert_eq!(browser.text("/use-own").await, "None");
    assert_eq!((store.log(), browser.cookie_names().len()), (vec![], 0));
}

#[tokio::test]
async fn p2_a_value_is_taken_once() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    for _ in 0..20 {
        browser.text("/say").await;
        let mut takers = JoinSet::new();
        for _ in 0..8 {
            let browser = browser.snapshot();
            takers.spawn(async move { browser.text("/hear").await });
        }
        let mut heard = takers.join_all().await;
        heard.retain(|heard| !heard.is_empty());
        assert_eq!(heard, ["hello"]);
    }
    store.log();
    assert_eq!(browser.text("/hear").await, "");
    assert_eq!(store.log(), ["load"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_neither_taken_nor_refused() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/say").await;
    let id: SessionId = browser.text("/id").await.parse().unwrap();
    set(&store, &id, "message", "{").await;
    set(&store, &id, "tickets", "\"many\"").await;
    for path in ["/hear", "/use"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(page.text.contains("cannot be decoded"), "{}", page.text);
    }
    assert_eq!(browser.text("/keys").await, "message tickets");
}
