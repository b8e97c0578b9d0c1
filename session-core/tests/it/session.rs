//! What a handler does with its session, and what other requests see of it.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use session_core::{Error, Lifetime, NewSession, Session, SessionLayer, SessionStore, Value};
use tokio::sync::Barrier;

use crate::{browser::Browser, probe::Probe};

async fn set(session: Session, Path((key, value)): Path<(String, String)>) -> Result<(), Error> {
    session.insert(&key, &value)
}

async fn read(session: Session, Path(key): Path<String>) -> Result<String, Error> {
    Ok(session.get::<String>(&key)?.unwrap_or_else(|| "-".into()))
}

async fn count(session: Session) -> Result<String, Error> {
    let visits: u64 = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    Ok(visits.to_string())
}

fn routes() -> Router {
    Router::new()
        .route("/set/{key}/{value}", get(set))
        .route("/get/{key}", get(read))
        .route("/count", get(count))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/login/{user}",
            get(async |session: Session, Path(user): Path<String>| session.login(user)),
        )
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
}

fn app(store: &Probe, more: Router) -> Router {
    routes().merge(more).layer(SessionLayer::new(store.clone()))
}

#[tokio::test]
async fn data_survives_the_request_and_the_login() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    browser.get("/set/theme/dark").await;
    browser.get("/login/alice").await;
    assert_eq!(browser.get("/get/theme").await.text, "dark");
    browser.get("/login/alice").await;
    assert_eq!(browser.get("/user").await.text, "alice");
    assert_eq!(browser.get("/get/theme").await.text, "dark");
}

#[tokio::test]
async fn a_handler_sees_its_own_changes() {
    let store = Probe::default();
    let all = get(async |session: Session| {
        session.insert("a", "1").unwrap();
        session.insert("b", "2").unwrap();
        session.remove("a");
        session.login("alice").unwrap();
        let seen = (
            session.keys(),
            session.contains("a"),
            session.get::<String>("b").unwrap(),
            session.user(),
        );
        assert_eq!(
            seen,
            (
                vec!["b".into(), "old".into()],
                false,
                Some("2".into()),
                Some("alice".into())
            )
        );
        session.clear();
        assert_eq!(session.keys(), [""; 0]);
        session.insert("c", "3").unwrap();
    });
    let browser = Browser::new(&app(&store, Router::new().route("/all", all)));
    browser.get("/set/old/1").await;
    assert_eq!(browser.get("/all").await.status, StatusCode::OK);
    assert_eq!(browser.get("/keys").await.text, "c");
}

#[tokio::test]
async fn a_removal_alone_creates_nothing() {
    let store = Probe::default();
    let remove = get(async |session: Session| {
        session.remove("x");
        session.clear();
        session.renew().unwrap();
    });
    let browser = Browser::new(&app(&store, Router::new().route("/remove", remove)));
    assert_eq!(browser.get("/remove").await.set_cookies, [""; 0]);
    assert_eq!(store.calls(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_concurrent_writes_to_different_keys_survive() {
    let store = Probe::default();
    let together = Arc::new(Barrier::new(8));
    let slow = get(async move |session: Session, Path(key): Path<String>| {
        together.wait().await;
        session.insert(&key, "x").unwrap();
    });
    let browser = Browser::new(&app(&store, Router::new().route("/slow/{key}", slow)));
    browser.get("/set/a/1").await;
    let requests = (0..8).map(|i| {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get(&format!("/slow/k{i}")).await.status })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(browser.get("/keys").await.text, "a k0 k1 k2 k3 k4 k5 k6 k7");
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_concurrent_updates_all_count() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store, Router::new()));
    browser.get("/count").await;
    let requests = (0..50).map(|_| {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get("/count").await.status })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(browser.get("/count").await.text, "52");
}

#[tokio::test]
async fn an_update_works_on_what_the_request_itself_wrote() {
    let store = Probe::default();
    let both = get(async |session: Session| {
        session.insert("visits", &10).unwrap();
        let visits = session
            .update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)
            .await
            .unwrap();
        assert_eq!(visits, 11);
        session.save().await.unwrap();
    });
    let browser = Browser::new(&app(&store, Router::new().route("/both", both)));
    browser.get("/both").await;
    assert_eq!(browser.get("/count").await.text, "12");
    browser.get("/both").await;
    assert_eq!(browser.get("/count").await.text, "12");
}

#[tokio::test]
async fn an_insert_of_the_loaded_value_is_a_write() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&barrier);
    let same = get(async move |session: Session| {
        gate.wait().await;
        gate.wait().await;
        session.insert("a", &session.get::<String>("a").unwrap()).unwrap();
    });
    let browser = Browser::new(&app(&store, Router::new().route("/same", same)));
    browser.get("/set/a/1").await;
    let late = tokio::spawn({
        let browser = browser.clone();
        async move { browser.get("/same").await.status }
    });
    barrier.wait().await;
    browser.get("/set/a/2").await;
    barrier.wait().await;
    late.await.unwrap();
    assert_eq!(browser.get("/get/a").await.text, "1");
}

#[tokio::test]
async fn a_5xx_commits_nothing_but_what_was_acknowledged() {
    let store = Probe::default();
    let fail = get(async |session: Session| {
        session
            .update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)
            .await
            .unwrap();
        session.insert("a", "1").unwrap();
        session.login("alice").unwrap();
        StatusCode::BAD_GATEWAY
    });
    let browser = Browser::new(&app(&store, Router::new().route("/fail", fail)));
    assert_eq!(browser.get("/fail").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(browser.get("/user").await.text, "");
    assert_eq!(browser.get("/keys").await.text, "visits");
}

#[tokio::test]
async fn save_commits_early_and_once() {
    let store = Probe::default();
    let save = get(async |session: Session| {
        session.insert("a", "1").unwrap();
        session.login("alice").unwrap();
        session.save().await.unwrap();
        assert!(session.id().is_some());
        StatusCode::INTERNAL_SERVER_ERROR
    });
    let browser = Browser::new(&app(&store, Router::new().route("/save", save)));
    browser.get("/save").await;
    assert_eq!(store.calls(), [("create", 1)]);
    assert_eq!(browser.get("/user").await.text, "alice");
}

#[tokio::test]
async fn reload_shows_what_others_did_and_keeps_what_i_did() {
    let store = Probe::default();
    let barrier = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&barrier);
    let reload = get(async move |session: Session| {
        session.insert("mine", "1").unwrap();
        gate.wait().await;
        gate.wait().await;
        session.reload().await.unwrap();
        session.keys().join(" ")
    });
    let browser = Browser::new(&app(&store, Router::new().route("/reload", reload)));
    browser.get("/set/a/1").await;
    let slow = tokio::spawn({
        let browser = browser.clone();
        async move { browser.get("/reload").await.text }
    });
    barrier.wait().await;
    browser.get("/set/theirs/1").await;
    barrier.wait().await;
    assert_eq!(slow.await.unwrap(), "a mine theirs");
}

#[tokio::test]
async fn the_times_of_a_session_are_those_of_its_store() {
    let store = Probe::default();
    let info = get(async |session: Session| {
        let before = session.info();
        session.insert("a", &1)?;
        session.save().await?;
        session.reload().await?;
        let info = session.info().unwrap();
        assert!(before.is_none() || before == Some(info.clone()));
        assert_eq!(Some(info.id), session.id());
        assert_eq!(info.absolute_end - info.created, Duration::from_secs(12 * 60 * 60));
        Ok::<_, Error>(before.is_some().to_string())
    });
    let browser = Browser::new(&app(&store, Router::new().route("/info", info)));
    assert_eq!(browser.text("/info").await, "false");
    assert_eq!(browser.text("/info").await, "true");
}

#[tokio::test]
async fn after_logout_a_write_begins_a_new_session() {
    let store = Probe::default();
    let flash = get(async |session: Session| {
        let old = session.id();
        session.logout().await.unwrap();
        session.insert("flash", "bye").unwrap();
        session.save().await.unwrap();
        assert_ne!(session.id(), old);
    });
    let browser = Browser::new(&app(&store, Router::new().route("/flash", flash)));
    browser.get("/set/a/1").await;
    browser.get("/login/alice").await;
    browser.get("/flash").await;
    assert_eq!(browser.get("/user").await.text, "");
    assert_eq!(browser.get("/keys").await.text, "flash");
}

#[tokio::test]
async fn the_handlers_own_cache_control_stands() {
    let store = Probe::default();
    let own = get(async |_: Session| [(header::CACHE_CONTROL, "private")]);
    let page = Browser::new(&app(&store, Router::new().route("/own", own)))
        .get("/own")
        .await;
    assert_eq!(
        page.response.headers().get(header::CACHE_CONTROL),
        Some(&HeaderValue::from_static("private"))
    );
}

#[tokio::test]
async fn p9_a_reader_is_touched_once_an_interval() {
    let store = Probe::default();
    let interval = Duration::from_millis(200);
    let layer = SessionLayer::new(store.clone()).touch_interval(interval);
    let browser = Browser::new(&routes().layer(layer));
    browser.get("/set/a/1").await;
    browser.get("/user").await;
    assert_eq!(store.calls(), [("create", 1), ("load", 1)]);
    tokio::time::sleep(interval).await;
    browser.get("/user").await;
    assert_eq!(store.calls(), [("load", 1), ("touch", 1)]);
    tokio::time::sleep(interval).await;
    browser.get("/set/a/1").await;
    assert_eq!(store.calls(), [("load", 1), ("update", 1)], "a write touches by itself");
    browser.get("/user").await;
    assert_eq!(store.calls(), [("load", 1)]);
}

#[tokio::test]
async fn p9_activity_keeps_a_short_session_alive_whatever_the_touch_interval() {
    let store = Probe::default();
    let layer = SessionLayer::new(store.clone()).idle_timeout(Duration::from_secs(3));
    let browser = Browser::new(&routes().layer(layer));
    browser.get("/set/a/1").await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(browser.get("/get/a").await.text, "1");
    }
}

#[tokio::test]
async fn p12_one_bad_value_is_an_error_for_its_key_alone() {
    let store = Probe::default();
    let app = app(&store, Router::new());
    let browser = Browser::new(&app);
    browser.get("/set/good/1").await;
    let damage = get(async |session: Session| session.id().unwrap().to_string());
    let id = Browser::new(&routes().route("/id", damage).layer(SessionLayer::new(store.clone())));
    id.set_cookie("__Host-visitor", &browser.cookie("__Host-visitor").unwrap());
    let id = id.get("/id").await.text.parse().unwrap();
    let mut delta = session_core::Delta::default();
    delta.set("bad", Value::from_json("{oops")).unwrap();
    store.update(&id, &session_core::Update::new(delta)).await.unwrap();

    let page = browser.get("/get/bad").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.contains("\"bad\""), "{}", page.text);
    assert_eq!(browser.get("/get/good").await.text, "1");
    browser.get("/set/bad/mended").await;
    assert_eq!(browser.get("/get/bad").await.text, "mended");
}

#[tokio::test]
async fn values_and_records_that_are_too_large_are_refused() {
    let store = Probe::default();
    let large = get(async |session: Session, Path(size): Path<usize>| {
        session.insert("large", &"x".repeat(size))?;
        Ok::<_, Error>(())
    });
    let layer = SessionLayer::new(store.clone()).max_size(100_000);
    let app = routes().route("/large/{size}", large).layer(layer);
    let browser = Browser::new(&app);
    browser.get("/set/a/1").await;

    let page = browser.get("/large/1048576").await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        page.text.contains("\"large\" has 1048578 bytes, and 65536 are allowed"),
        "{}",
        page.text
    );
    assert_eq!(browser.get("/large/65534").await.status, StatusCode::OK);

    let more = get(async |session: Session| session.insert("more", &"x".repeat(60_000)));
    let layer = SessionLayer::new(store.clone()).max_size(100_000);
    let app = routes().route("/more", more).layer(layer);
    let other = Browser::new(&app);
    other.set_cookie("__Host-visitor", &browser.cookie("__Host-visitor").unwrap());
    assert_eq!(other.get("/more").await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(other.get("/keys").await.text, "a large");
}

#[tokio::test]
async fn p9_a_request_whose_changes_are_refused_is_activity() {
    let store = Probe::default();
    let fill = get(async |session: Session, Path(key): Path<String>| session.insert(&key, &"x".repeat(60)));
    let layer = SessionLayer::new(store.clone())
        .max_size(100)
        .touch_interval(Duration::ZERO);
    let browser = Browser::new(&Router::new().route("/fill/{key}", fill).layer(layer));
    browser.text("/fill/a").await;
    store.calls();
    assert_eq!(browser.get("/fill/b").await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(store.calls(), [("load", 1), ("touch", 1), ("update", 1)]);
}

#[tokio::test]
async fn what_is_too_large_by_itself_is_not_sent() {
    let store = Probe::default();
    let fill = get(async |session: Session| {
        session.insert("a", &"x".repeat(60))?;
        session.insert("b", &"x".repeat(60))
    });
    let browser = Browser::new(
        &routes()
            .route("/fill", fill)
            .layer(SessionLayer::new(store.clone()).max_size(100)),
    );
    browser.text("/set/c/1").await;
    store.calls();
    let page = browser.get("/fill").await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.text.contains("126 bytes, and 100"), "{}", page.text);
    assert_eq!(store.calls(), [("load", 1)]);
}

#[tokio::test]
async fn a_write_after_the_head_needs_a_session_and_a_save() {
    let store = Probe::default();
    let (sender, mut late) = tokio::sync::mpsc::channel(1);
    let stream = get(async move |session: Session| {
        sender.send(session).await.unwrap();
        StatusCode::OK.into_response()
    });
    let browser = Browser::new(&app(&store, Router::new().route("/stream", stream)));
    browser.get("/stream").await;
    let session = late.recv().await.unwrap();
    assert!(matches!(session.insert("a", "1"), Err(Error::TooLate { .. })));
    assert!(matches!(session.login("alice"), Err(Error::TooLate { .. })));
    assert!(matches!(
        session.update("a", |n: Option<u8>| n.unwrap_or(1)).await,
        Err(Error::TooLate { .. })
    ));

    browser.get("/set/a/1").await;
    browser.get("/stream").await;
    let session = late.recv().await.unwrap();
    session.insert("b", "2").unwrap();
    session.save().await.unwrap();
    assert_eq!(browser.get("/keys").await.text, "a b");
}

#[tokio::test]
async fn a_session_of_another_route_keeps_its_lifetime() {
    let store = Probe::default();
    let id = session_core::SessionToken::random().unwrap().id();
    let short = Lifetime::new(Duration::from_millis(100), Duration::from_secs(60));
    store.create(&id, &NewSession::new(short)).await.unwrap();
    store.touch(&id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert!(matches!(store.touch(&id).await, Err(Error::Ended)));
}
