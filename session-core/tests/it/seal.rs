//! Sealed data, through the layer: what a store sees of it, and what all that works with values makes of it.

use std::time::Duration;

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use session_core::{Delta, Error, Loaded, Record, Session, SessionId, SessionLayer, SessionStore, Update, Value};

use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

pub(crate) const SECRET: &str = "walrus";

pub(crate) fn app(store: &Probe, set: impl FnOnce(SessionLayer) -> SessionLayer) -> Router {
    let routes = Router::new()
        .route(
            "/set/{key}/{value}",
            get(async |session: Session, Path((key, value)): Path<(String, String)>| session.insert(&key, &value)),
        )
        .route(
            "/get/{key}",
            get(async |session: Session, Path(key): Path<String>| {
                Ok::<_, Error>(session.get::<String>(&key)?.unwrap_or_default())
            }),
        )
        .route(
            "/add/{key}/{value}",
            get(async |session: Session, Path((key, value)): Path<(String, String)>| {
                session
                    .update(&key, |old: Option<String>| old.unwrap_or_default() + &value)
                    .await
            }),
        )
        .route(
            "/remove/{key}",
            get(async |session: Session, Path(key): Path<String>| session.remove(&key)),
        )
        .route("/clear", get(async |session: Session| session.clear()))
        .route("/keys", get(async |session: Session| session.keys().join(" ")))
        .route(
            "/id",
            get(async |session: Session| session.id().map(|id| id.to_string()).unwrap_or_default()),
        )
        .route(
            "/login/{user}",
            get(async |session: Session, Path(user): Path<String>| {
                session.insert("login", SECRET)?;
                session.login(user)
            }),
        )
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
        .route("/renew", get(async |session: Session| session.renew()))
        .route("/logout", get(async |session: Session| session.logout().await));
    routes.layer(set(
        SessionLayer::new(store.clone()).store_timeout(Duration::from_secs(10))
    ))
}

pub(crate) fn sealing(store: &Probe) -> Router {
    app(store, SessionLayer::seal)
}

pub(crate) fn not_sealing(store: &Probe) -> Router {
    app(store, |layer| layer)
}

/// The browser's session as the store has it.
pub(crate) async fn stored(store: &Probe, browser: &Browser) -> (SessionId, Record) {
    let id = browser.text("/id").await.parse().unwrap();
    let Loaded::Live(_, record) = store.store.load(&[id]).await.unwrap() else {
        panic!("the session is not alive");
    };
    (id, *record)
}

/// Writes a value past the layer.
pub(crate) async fn plant(store: &Probe, id: &SessionId, key: &str, value: Value) {
    let mut delta = Delta::default();
    delta.set(key, value).unwrap();
    store.store.update(id, &Update::new(delta)).await.unwrap();
}

/// Whether every value is sealed: it is text that is no JSON, and nothing of `SECRET` is to be found in it.
fn is_sealed(record: &Record) -> bool {
    let sealed = record.data.values().all(|value| {
        let text = std::str::from_utf8(value.as_bytes()).unwrap();
        text.starts_with("~1") && !text.contains(SECRET) && !text.contains('\0')
    });
    sealed && record.seal.is_some() && !format!("{record:?}").contains(SECRET)
}

#[tokio::test]
async fn p7_a_store_sees_no_value_however_it_comes_there() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    // A creation, an update, two compare-and-sets, a renewal, logins as the same and as another user.
    for (path, sees) in [
        ("/set/a/walrus", "a=walrus"),
        ("/set/b/walrus", "a=walrus b=walrus"),
        ("/add/a/walrus", "a=walruswalrus b=walrus"),
        ("/add/c/walrus", "a=walruswalrus b=walrus c=walrus"),
        ("/renew", "a=walruswalrus b=walrus c=walrus"),
        ("/login/ada", "a=walruswalrus b=walrus c=walrus login=walrus"),
        ("/login/ada", "a=walruswalrus b=walrus c=walrus login=walrus"),
        ("/remove/b", "a=walruswalrus c=walrus login=walrus"),
        ("/login/bob", "login=walrus"),
        ("/add/d/walrus", "d=walrus login=walrus"),
        ("/clear", ""),
        ("/set/e/walrus", "e=walrus"),
        ("/logout", ""),
        ("/add/f/walrus", "f=walrus"),
    ] {
        browser.text(path).await;
        let mut seen = Vec::new();
        for key in browser.text("/keys").await.split_whitespace() {
            seen.push(format!("{key}={}", browser.text(&format!("/get/{key}")).await));
        }
        assert_eq!(seen.join(" "), sees, "{path}");
        if path != "/logout" {
            assert!(is_sealed(&stored(&store, &browser).await.1), "{path}");
        }
    }
}

#[tokio::test]
async fn a_renewal_writes_the_seal_anew_and_no_value() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    browser.text("/set/a/1").await;
    let (_, before) = stored(&store, &browser).await;
    browser.text("/renew").await;
    let (_, after) = stored(&store, &browser).await;
    assert_eq!(before.data, after.data);
    assert_ne!(before.seal, after.seal);
}

#[tokio::test]
async fn a_live_session_is_sealed_by_its_next_write_and_stays_readable() {
    for write in ["/set/b/walrus", "/add/b/walrus", "/renew", "/login/ada"] {
        let store = Probe::default();
        let before = Browser::new(&not_sealing(&store));
        before.text("/set/a/1").await;
        let browser = before.at(&sealing(&store));
        assert_eq!(browser.text("/get/a").await, "1");
        assert_eq!(stored(&store, &browser).await.1.seal, None, "reading seals nothing");
        browser.text(write).await;
        let (_, record) = stored(&store, &browser).await;
        assert!(record.seal.is_some(), "{write}");
        assert_eq!(
            record.data["a"].as_bytes(),
            b"\"1\"",
            "what is not written stays as it is"
        );
        assert!(
            record
                .data
                .iter()
                .all(|(key, value)| key == "a" || value.as_bytes().starts_with(b"~1"))
        );
        browser.text("/set/a/walrus").await;
        browser.text("/set/c/walrus").await;
        assert!(is_sealed(&stored(&store, &browser).await.1), "{write}");
        browser.text("/renew").await;
        assert_eq!(browser.text("/get/a").await, SECRET);
        assert_eq!(browser.text("/get/c").await, SECRET);
    }
}

#[tokio::test]
async fn removing_alone_seals_nothing() {
    let store = Probe::default();
    let before = Browser::new(&not_sealing(&store));
    before.text("/set/a/1").await;
    before.text("/set/b/1").await;
    let browser = before.at(&sealing(&store));
    browser.text("/remove/a").await;
    assert_eq!(stored(&store, &browser).await.1.seal, None);
}

#[tokio::test]
async fn an_instance_without_the_setting_works_on_sealed_sessions() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    browser.text("/set/a/walrus").await;
    let old = not_sealing(&store);
    for (path, key) in [
        ("/set/b/walrus", "b"),
        ("/add/d/walrus", "d"),
        ("/renew", "a"),
        ("/login/ada", "login"),
        ("/add/c/walrus", "c"),
    ] {
        let at_old = browser.at(&old);
        at_old.text(path).await;
        assert_eq!(at_old.text(&format!("/get/{key}")).await, SECRET, "{path}");
        assert!(is_sealed(&stored(&store, &at_old).await.1), "{path}");
        let cookies = ["__Host-id", "__Host-visitor"].map(|name| (name, at_old.cookie(name)));
        for (name, cookie) in cookies {
            cookie.inspect(|cookie| browser.set_cookie(name, cookie));
        }
        assert_eq!(browser.text(&format!("/get/{key}")).await, SECRET, "{path}");
    }
    // Its own sessions it does not seal.
    let browser = Browser::new(&old);
    browser.text("/set/a/1").await;
    browser.text("/login/ada").await;
    browser.text("/add/a/1").await;
    assert_eq!(stored(&store, &browser).await.1.seal, None);
    assert_eq!(browser.text("/get/a").await, "11");
}

#[tokio::test]
async fn a_creation_tried_again_under_another_token_can_be_read() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    store.trouble("create", Trouble::LoseAcknowledgement(1));
    browser.text("/set/a/walrus").await;
    assert_eq!(browser.text("/get/a").await, SECRET);
    assert!(is_sealed(&stored(&store, &browser).await.1));
}

#[tokio::test]
async fn what_a_request_has_committed_it_can_still_read() {
    let store = Probe::default();
    let read = async |session: Session| {
        session.insert("a", SECRET)?;
        session.save().await?;
        assert_eq!(session.get::<String>("a")?.as_deref(), Some(SECRET));
        session.login("ada")?;
        session.save().await?;
        session.insert("b", SECRET)?;
        session.save().await?;
        for reload in [false, true] {
            if reload {
                session.reload().await?;
            }
            assert_eq!(session.get::<String>("a")?.as_deref(), Some(SECRET));
            assert_eq!(session.get::<String>("b")?.as_deref(), Some(SECRET));
        }
        session.login("bob")?;
        session.save().await?;
        session.insert("c", SECRET)?;
        session.save().await?;
        assert_eq!(session.get::<String>("c")?.as_deref(), Some(SECRET));
        session.reload().await?;
        assert_eq!(session.get::<String>("c")?.as_deref(), Some(SECRET));
        assert!(!format!("{session:?}").contains(SECRET));
        Ok::<_, Error>(())
    };
    let app = Router::new()
        .route("/", get(read))
        .layer(SessionLayer::new(store.clone()).seal());
    Browser::new(&app).text("/").await;
}

#[tokio::test]
async fn a_value_is_measured_plain_and_a_record_as_it_is_stored() {
    let store = Probe::default();
    let app = app(&store, |layer| layer.seal().max_value_size(102).max_size(200));
    let browser = Browser::new(&app);
    let value = "x".repeat(100);
    // 102 bytes of JSON are 130 sealed and 176 as text, and one of the key.
    browser.text(&format!("/set/a/{value}")).await;
    let size = |record: &Record| record.data.values().map(Value::len).sum::<usize>();
    assert_eq!(size(&stored(&store, &browser).await.1), 176);
    for path in [format!("/set/a/{value}x"), "/add/a/x".into(), "/set/b/x".into()] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    let other = Browser::new(&app);
    let page = other.get(&format!("/login/{value}")).await;
    assert_eq!(page.status, StatusCode::OK);
    let page = other.get(&format!("/set/abcdefghijklmnopqrstuvwxyz/{value}")).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn every_increment_counts() {
    let store = Probe::default();
    let before = Browser::new(&not_sealing(&store));
    before.text("/set/x/0").await;
    // On two instances, one of which has no contenders to wait for.
    let browsers = [sealing(&store), sealing(&store)].map(|app| before.at(&app));
    let requests: Vec<_> = (0..20).map(|i| browsers[i % 2].in_flight("/add/x/1")).collect();
    for request in requests {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(browsers[0].text("/get/x").await, format!("0{}", "1".repeat(20)));
    assert!(is_sealed(&stored(&store, &browsers[0]).await.1));
}

#[tokio::test]
async fn a_user_is_bound_from_a_sealed_value() {
    let store = Probe::default();
    let app = app(&store, |layer| {
        layer.seal().user_from("user", |user| user.as_str().map(String::from))
    });
    let browser = Browser::new(&app);
    browser.text("/set/user/ada").await;
    assert_eq!(browser.text("/user").await, "ada");
    let token = browser.cookie("__Host-id");
    browser.text("/set/user/ada").await;
    assert_eq!(browser.cookie("__Host-id"), token, "the same value is no login");
    browser.text("/set/user/bob").await;
    assert_eq!(browser.text("/user").await, "bob");
    assert_ne!(browser.cookie("__Host-id"), token);
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn a_cookie_minted_for_a_test_is_that_of_a_sealed_session() {
    let store = Probe::default();
    let layer = SessionLayer::new(store.clone()).seal();
    let cookie = session_core::testing::login_cookie(&layer, "ada").await.unwrap();
    let browser = Browser::new(&sealing(&store));
    let (name, token) = cookie.split_once('=').unwrap();
    browser.set_cookie(name, token);
    assert!(stored(&store, &browser).await.1.seal.is_some(), "from its birth");
    browser.text("/set/a/walrus").await;
    assert_eq!(browser.text("/user").await, "ada");
    assert!(is_sealed(&stored(&store, &browser).await.1));
}

#[cfg(all(feature = "tower-sessions", feature = "tower-sessions-014"))]
#[tokio::test]
async fn views_of_tower_sessions_read_and_write_sealed_values() {
    let store = Probe::default();
    let write = async |view: tower_sessions::Session| view.insert("view", SECRET).await.unwrap();
    let renew = async |view: tower_sessions_014::Session| {
        let both = [
            view.get::<String>("view").await.unwrap(),
            view.get("ours").await.unwrap(),
        ];
        view.insert("view 14", SECRET).await.unwrap();
        view.cycle_id().await.unwrap();
        both.map(Option::unwrap).join(" ")
    };
    let app = Router::new()
        .route("/write", get(write))
        .route("/renew", get(renew))
        .layer(SessionLayer::new(store.clone()).seal());
    let browser = Browser::new(&sealing(&store));
    browser.text("/set/ours/walrus").await;
    let viewing = browser.at(&app);
    viewing.text("/write").await;
    assert_eq!(viewing.text("/renew").await, "walrus walrus");
    let browser = viewing.at(&sealing(&store));
    assert_eq!(browser.text("/get/view%2014").await, SECRET);
    assert!(is_sealed(&stored(&store, &browser).await.1));
}
