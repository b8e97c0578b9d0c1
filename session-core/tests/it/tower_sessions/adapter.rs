//! Our stores under the stock layers of both versions.

use std::time::Duration;

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use session_core::{Loaded, Record, SessionId, SessionStore, tower_sessions::TowerSessionsStore};

use super::with_cookie;
use crate::{browser::Browser, probe::Probe};

/// An app on a version's stock layer, over `store`.
macro_rules! app {
    ($name:ident, $tower_sessions:ident) => {
        fn $name(store: &Probe, expiry: time::Duration) -> Router {
            use $tower_sessions::{Expiry, Session, SessionManagerLayer};

            let insert = async |session: Session, Path((key, value)): Path<(String, String)>| {
                session.insert(&key, value).await.unwrap();
            };
            let read = async |session: Session, Path(key): Path<String>| {
                let value: Option<String> = session.get(&key).await.unwrap();
                value.unwrap_or_else(|| "none".into())
            };
            let replace = async |session: Session, Path(key): Path<String>| {
                session.clear().await;
                session.insert(&key, "1").await.unwrap();
            };
            let login = async |session: Session| {
                session.cycle_id().await.unwrap();
                session.insert("user", "alice").await.unwrap();
            };
            let logout_and_say_so = async |session: Session| {
                session.flush().await.unwrap();
                session.insert("message", "bye").await.unwrap();
            };
            let save_twice = async |session: Session| {
                session.insert("b", "first").await.unwrap();
                session.save().await.unwrap();
                session.insert("b", "second").await.unwrap();
                session.insert("c", "third").await.unwrap();
            };
            let fix_end = async |session: Session| {
                let end = time::OffsetDateTime::now_utc() + time::Duration::hours(2);
                session.set_expiry(Some(Expiry::AtDateTime(end)));
                session.insert("a", "1").await.unwrap();
            };
            let expire = async |session: Session| {
                let past = time::OffsetDateTime::now_utc() - time::Duration::hours(2);
                session.set_expiry(Some(Expiry::AtDateTime(past)));
                session.insert("a", "2").await.unwrap();
            };
            let layer = SessionManagerLayer::new(TowerSessionsStore::new(store.clone()))
                .with_expiry(Expiry::OnInactivity(expiry));
            Router::new()
                .route("/insert/{key}/{value}", get(insert))
                .route("/read/{key}", get(read))
                .route("/replace/{key}", get(replace))
                .route("/login", get(login))
                .route(
                    "/logout",
                    get(async |session: Session| session.flush().await.unwrap()),
                )
                .route("/logout-and-say-so", get(logout_and_say_so))
                .route("/save-twice", get(save_twice))
                .route("/fix-end", get(fix_end))
                .route("/expire", get(expire))
                .layer(layer)
        }
    };
}

app!(app_v15, tower_sessions);
app!(app_v14, tower_sessions_014);

const HOUR: time::Duration = time::Duration::HOUR;

/// For each version: its app, a browser that has a session with `a` = `1`, and the store.
async fn cases() -> Vec<(Router, Browser, Probe)> {
    let mut cases = Vec::new();
    for app in [app_v15, app_v14] {
        let store = Probe::default();
        let app = app(&store, HOUR);
        let browser = Browser::new(&app);
        browser.text("/insert/a/1").await;
        store.log();
        cases.push((app, browser, store));
    }
    cases
}

/// The session id of a browser: a digest of the 16 bytes that its cookie is.
fn id(browser: &Browser) -> SessionId {
    use sha2::Digest;

    let id: tower_sessions::session::Id = browser.cookie("id").unwrap().parse().unwrap();
    let digest = sha2::Sha256::digest(id.0.to_be_bytes());
    SessionId::from_bytes(digest[..16].try_into().unwrap())
}

async fn record(browser: &Browser, store: &Probe) -> Record {
    match store.store.load(&[id(browser)]).await.unwrap() {
        Loaded::Live(_, record) => *record,
        _ => panic!("there is no session"),
    }
}

#[tokio::test]
async fn concurrent_writes_to_different_keys_all_survive() {
    for (_, browser, store) in cases().await {
        let held = store.hold("update");
        let slow = browser.in_flight("/insert/b/slow");
        held.reached().await;
        browser.text("/insert/c/fast").await;
        held.release();
        browser.keep(&slow.await.unwrap());
        assert_eq!(browser.text("/read/a").await, "1");
        assert_eq!(browser.text("/read/b").await, "slow");
        assert_eq!(browser.text("/read/c").await, "fast");
    }
}

#[tokio::test]
async fn a_request_in_flight_at_logout_revives_nothing() {
    for (_, browser, store) in cases().await {
        let replayed = browser.snapshot();
        let held = store.hold("update");
        let late = browser.in_flight("/insert/b/late");
        held.reached().await;
        browser.text("/logout").await;
        held.release();
        let late = late.await.unwrap();
        assert_eq!(late.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(late.set_cookies, [""; 0]);
        assert_eq!(replayed.text("/read/a").await, "none");
        assert_eq!(replayed.text("/read/b").await, "none");
    }
}

#[tokio::test]
async fn what_is_written_after_a_flush_is_a_clean_new_session() {
    for (_, browser, _) in cases().await {
        let replayed = browser.snapshot();
        browser.text("/logout-and-say-so").await;
        assert_ne!(browser.cookie("id"), replayed.cookie("id"));
        assert_eq!(browser.text("/read/message").await, "bye");
        assert_eq!(browser.text("/read/a").await, "none");
        assert_eq!(replayed.text("/read/message").await, "none");
    }
}

#[tokio::test]
async fn cycling_the_id_moves_the_data() {
    for (_, browser, _) in cases().await {
        let replayed = browser.snapshot();
        browser.text("/login").await;
        assert_ne!(browser.cookie("id"), replayed.cookie("id"));
        assert_eq!(browser.text("/read/a").await, "1");
        assert_eq!(browser.text("/read/user").await, "alice");
        assert_eq!(replayed.text("/read/a").await, "none");
    }
}

#[tokio::test]
async fn a_cleared_session_is_replaced() {
    for (_, browser, _) in cases().await {
        browser.text("/replace/b").await;
        assert_eq!(browser.text("/read/a").await, "none");
        assert_eq!(browser.text("/read/b").await, "1");
    }
}

#[tokio::test]
async fn a_forged_cookie_is_not_adopted() {
    for (app, _, store) in cases().await {
        let attacker = with_cookie(&app, "id", &"A".repeat(22));
        assert_eq!(
            attacker.get("/replace/b").await.status,
            StatusCode::INTERNAL_SERVER_ERROR
        );
        assert!(!store.log().contains(&"create"));
        let attacker = with_cookie(&app, "id", &"A".repeat(22));
        attacker.text("/insert/b/1").await;
        assert_ne!(attacker.cookie("id").unwrap(), "A".repeat(22));
    }
}

#[tokio::test]
async fn only_what_changed_is_kept_and_nothing_of_the_adapter() {
    for (_, browser, store) in cases().await {
        browser.text("/insert/b/2").await;
        assert_eq!(store.log(), ["load", "update"]);
        let data = record(&browser, &store).await.data;
        assert_eq!(data.keys().collect::<Vec<_>>(), ["a", "b"]);
        browser.text("/insert/b/2").await;
        assert_eq!(store.log(), ["load"]);
        browser.text("/save-twice").await;
        assert_eq!(browser.text("/read/b").await, "second");
        assert_eq!(browser.text("/read/c").await, "third");
    }
}

#[tokio::test]
async fn the_stock_expiry_is_the_idle_timeout_within_an_absolute_one() {
    for (app, lifetime) in [
        (app_v15 as fn(&Probe, time::Duration) -> Router, HOUR),
        (app_v14, 7 * 24 * HOUR),
    ] {
        let store = Probe::default();
        let browser = Browser::new(&app(&store, lifetime));
        browser.text("/insert/a/1").await;
        let record = record(&browser, &store).await;
        let near = |span: Duration, hours: u64| span.as_secs().abs_diff(hours * 3600) <= 60;
        let hours = lifetime.whole_hours() as u64;
        assert!(near(record.idle_timeout, hours));
        assert!(near(
            (record.absolute_end - record.created).unsigned_abs(),
            hours.max(12)
        ));
    }
}

#[tokio::test]
async fn an_expiry_at_a_fixed_time_stays_and_one_in_the_past_ends() {
    for (app, _, store) in cases().await {
        let browser = Browser::new(&app);
        browser.text("/fix-end").await;
        let begun = record(&browser, &store).await;
        browser.text("/fix-end").await;
        store.log();
        browser.text("/insert/b/2").await;
        let written = record(&browser, &store).await;
        assert_eq!(written.version.0, begun.version.0 + 1);
        assert_eq!(
            written.last_seen, begun.last_seen,
            "within an hour there is nothing to move"
        );
        browser.in_flight("/expire").await.unwrap();
        assert_eq!(browser.text("/read/a").await, "none");
    }
}

#[tokio::test]
async fn both_versions_share_their_sessions() {
    let store = Probe::default();
    let (old, new) = (app_v14(&store, HOUR), app_v15(&store, HOUR));
    let browser = Browser::new(&old);
    browser.text("/insert/a/old").await;
    let upgraded = with_cookie(&new, "id", &browser.cookie("id").unwrap());
    upgraded.text("/insert/b/new").await;
    assert_eq!(upgraded.text("/read/a").await, "old");
    assert_eq!(browser.text("/read/b").await, "new");
}

#[tokio::test]
async fn expired_sessions_are_purged_on_demand() {
    use tower_sessions::session_store::ExpiredDeletion;

    let store = Probe::default();
    let id = {
        let browser = Browser::new(&app_v15(&store, time::Duration::milliseconds(1)));
        let page = browser.send("/insert/a/1").await;
        let cookie = page.set_cookies[0].split(';').next().unwrap();
        browser.set_cookie("id", cookie.strip_prefix("id=").unwrap());
        id(&browser)
    };
    while store.store.load(&[id]).await.unwrap() != Loaded::Missing {
        tokio::task::yield_now().await;
    }
    TowerSessionsStore::new(store.clone()).delete_expired().await.unwrap();
    assert_eq!(store.store.purge(10).await.unwrap(), 0);
}
