//! Views of both versions and our own `Session`, in one request.

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
    response::IntoResponse,
    routing::get,
};
use session_core::{Delta, Session, SessionLayer, SessionStore, SessionToken, Update, Value};

use super::with_cookie;
use crate::{browser::Browser, probe::Probe};

/// A handler that does what its path says: `/v15.insert.a.1/own.get.a` inserts in 0.15's view, then reads in ours.
/// It answers what was read, or 500 for any error, as most apps do.
async fn run(mut parts: Parts) -> Result<String, axum::response::Response> {
    let script = parts.uri.path().to_owned();
    let mut read = Vec::new();
    for step in script.split('/').skip(1) {
        let words: Vec<&str> = step.split('.').collect();
        let done = match words[0] {
            "v15" => {
                let session = extract::<tower_sessions::Session>(&mut parts).await?;
                v15(&session, &words[1..]).await.map_err(|error| error.to_string())
            }
            "v14" => {
                let session = extract::<tower_sessions_014::Session>(&mut parts).await?;
                v14(&session, &words[1..]).await.map_err(|error| error.to_string())
            }
            "own" => {
                let session = extract::<Session>(&mut parts).await?;
                own(&session, &words[1..]).await.map_err(|error| error.to_string())
            }
            "fail" => Err("told to".into()),
            _ => panic!("unknown step {step}"),
        };
        read.extend(done.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error).into_response())?);
    }
    Ok(read.join(" "))
}

async fn extract<T: FromRequestParts<()>>(parts: &mut Parts) -> Result<T, axum::response::Response> {
    T::from_request_parts(parts, &())
        .await
        .map_err(IntoResponse::into_response)
}

macro_rules! view {
    ($name:ident, $tower_sessions:ident) => {
        async fn $name(
            session: &$tower_sessions::Session,
            words: &[&str],
        ) -> Result<Option<String>, $tower_sessions::session::Error> {
            match words {
                ["get", key] => {
                    let value = session.get_value(key).await?;
                    return Ok(Some(
                        value.map_or("none".into(), |value| value.as_str().unwrap_or("?").into()),
                    ));
                }
                ["insert", key, value] => session.insert(key, value).await?,
                ["insert_large", key] => session.insert(key, "x".repeat(65 * 1024)).await?,
                ["remove", key] => drop(session.remove_value(key).await?),
                ["nothing"] => {}
                ["clear"] => session.clear().await,
                ["cycle"] => session.cycle_id().await?,
                ["flush"] => session.flush().await?,
                ["delete"] => session.delete().await?,
                ["save"] => session.save().await?,
                ["load"] => session.load().await?,
                ["set_expiry"] => {
                    let soon = time::Duration::seconds(1);
                    session.set_expiry(Some($tower_sessions::Expiry::OnInactivity(soon)));
                }
                ["id"] => {
                    return Ok(Some(
                        session.id().map_or("none".into(), |id| format!("{:032x}", id.0)),
                    ))
                }
                _ => panic!("unknown words {words:?}"),
            }
            Ok(None)
        }
    };
}

view!(v15, tower_sessions);
view!(v14, tower_sessions_014);

async fn own(session: &Session, words: &[&str]) -> Result<Option<String>, session_core::Error> {
    match words {
        ["get", key] => return Ok(Some(session.get(key)?.unwrap_or_else(|| "none".into()))),
        ["insert", key, value] => session.insert(key, *value)?,
        ["update", key, value] => drop(session.update(key, |_: Option<String>| (*value).into()).await?),
        ["login", user] => session.login(*user)?,
        ["logout"] => session.logout().await?,
        ["save"] => session.save().await?,
        ["best_effort"] => session.best_effort(),
        ["user"] => return Ok(Some(session.user().unwrap_or_else(|| "nobody".into()))),
        ["id"] => return Ok(Some(session.id().map_or("none".into(), |id| id.to_string()))),
        _ => panic!("unknown words {words:?}"),
    }
    Ok(None)
}

pub(super) fn app(store: &Probe) -> Router {
    let run = get(|parts: Parts, _: Path<String>| run(parts));
    Router::new()
        .route("/{*script}", run)
        .layer(SessionLayer::new(store.clone()))
}

/// A browser with a session that holds `a` = `1`.
pub(super) async fn visitor() -> (Browser, Probe) {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/own.insert.a.1").await;
    store.log();
    (browser, store)
}

pub(super) const VIEWS: [&str; 2] = ["v14", "v15"];

#[tokio::test]
async fn all_views_share_one_load() {
    let (browser, store) = visitor().await;
    assert_eq!(
        browser.text("/own.get.a/v14.get.a/v15.get.a/v14.get.b").await,
        "1 1 1 none"
    );
    assert_eq!(store.log(), ["load"]);
    for view in VIEWS {
        browser.text(&format!("/{view}.get.a")).await;
        assert_eq!(store.log(), ["load"]);
    }
}

#[tokio::test]
async fn a_view_without_a_token_asks_nothing() {
    let store = Probe::default();
    let app = app(&store);
    for view in VIEWS {
        let read = format!("/{view}.get.a/{view}.id");
        assert_eq!(Browser::new(&app).text(&read).await, "none none");
        let malformed = with_cookie(&app, "__Host-id", "nonsense");
        assert_eq!(malformed.text(&read).await, "none none");
    }
    assert_eq!(store.log(), [""; 0]);
}

#[tokio::test]
async fn what_all_views_did_is_one_commit() {
    let (browser, store) = visitor().await;
    browser
        .text("/v14.insert.b.14/v15.insert.c.15/own.insert.d.own/v14.remove.a")
        .await;
    assert_eq!(store.log(), ["load", "update"]);
    assert_eq!(
        browser.text("/own.get.a/own.get.b/own.get.c/own.get.d").await,
        "none 14 15 own"
    );
}

#[tokio::test]
async fn on_one_key_the_last_of_ours_0_15_and_0_14_stands() {
    let (browser, _) = visitor().await;
    browser
        .text("/v14.insert.a.14/v15.insert.a.15/v15.insert.b.15/own.insert.a.own/own.insert.b.own")
        .await;
    assert_eq!(browser.text("/own.get.a/own.get.b").await, "14 15");
}

#[tokio::test]
async fn a_view_sees_what_was_written_before_it_was_read() {
    let (browser, _) = visitor().await;
    for view in VIEWS {
        assert_eq!(browser.text(&format!("/own.insert.a.{view}/{view}.get.a")).await, view);
    }
}

#[tokio::test]
async fn first_writes_of_all_views_make_one_session() {
    let store = Probe::default();
    let browser = Browser::new(&app(&store));
    browser.text("/own.insert.a.1/v14.insert.b.2/v15.insert.c.3").await;
    assert_eq!(store.log(), ["create"]);
    assert_eq!(browser.cookie_names(), ["__Host-visitor"]);
    assert_eq!(browser.text("/v14.get.a/v14.get.b/v14.get.c").await, "1 2 3");

    // A view that began empty removes nothing of a session that the same request created.
    for view in VIEWS {
        let browser = Browser::new(&app(&store));
        browser
            .text(&format!("/{view}.get.b/own.update.a.1/{view}.insert.b.2"))
            .await;
        assert_eq!(browser.text("/own.get.a/own.get.b").await, "1 2");
    }
}

#[tokio::test]
async fn concurrent_writes_to_different_keys_all_survive() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let held = store.hold("update");
        let slow = browser.in_flight(&format!("/{view}.insert.b.slow"));
        held.reached().await;
        browser.text(&format!("/{view}.insert.a.2/{view}.insert.c.fast")).await;
        held.release();
        assert_eq!(slow.await.unwrap().status, StatusCode::OK);
        assert_eq!(browser.text("/own.get.a/own.get.b/own.get.c").await, "2 slow fast");
    }
}

#[tokio::test]
async fn cycling_the_id_is_a_renewal_together_with_the_data() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let before = browser.snapshot();
        browser.text(&format!("/{view}.cycle/{view}.insert.b.2")).await;
        assert_eq!(store.log(), ["load", "renew"]);
        assert_eq!(browser.cookie_names(), ["__Host-id"]);
        assert_eq!(browser.text("/own.get.a/own.get.b").await, "1 2");
        assert_eq!(before.text("/own.get.a").await, "none");
    }
}

#[tokio::test]
async fn cycling_the_id_in_a_request_that_fails_changes_nothing() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let reply = browser.get(&format!("/{view}.insert.a.2/{view}.cycle/fail")).await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(reply.set_cookies, [""; 0]);
        assert_eq!(store.log(), ["load"]);
        assert_eq!(browser.text("/own.get.a").await, "1");
    }
}

#[tokio::test]
async fn a_view_that_saves_is_not_saved_again() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        browser.text(&format!("/{view}.insert.a.2/{view}.save")).await;
        assert_eq!(store.log(), ["load", "update"]);
        browser
            .text(&format!("/{view}.insert.a.3/{view}.save/{view}.insert.b.3"))
            .await;
        assert_eq!(store.log(), ["load", "update", "update"]);
    }
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        for step in ["remove.b", "insert.a.1", "set_expiry"] {
            browser.text(&format!("/{view}.{step}")).await;
            assert_eq!(store.log(), ["load"], "{step}");
        }
        browser.text(&format!("/{view}.insert.a.2/{view}.insert.a.1")).await;
        assert_eq!(store.log(), ["load"]);
        browser.text(&format!("/{view}.insert.a.2/{view}.load")).await;
        assert_eq!(store.log(), ["load", "load"], "load drops what was not saved");
    }
}

#[tokio::test]
async fn clearing_unread_removes_all_there_is() {
    for view in VIEWS {
        let (browser, _) = visitor().await;
        let before = browser.cookie_header();
        browser.text(&format!("/{view}.clear/{view}.insert.b.2")).await;
        assert_eq!(browser.text("/own.get.a/own.get.b").await, "none 2");
        assert_eq!(browser.cookie_header(), before);
        browser
            .text(&format!("/{view}.clear/{view}.cycle/{view}.insert.c.3"))
            .await;
        assert_eq!(browser.text("/own.get.b/own.get.c").await, "none 3");
    }
}

#[tokio::test]
async fn a_forged_cookie_is_never_adopted_and_leaves_nothing() {
    let forged = "A".repeat(43);
    for view in VIEWS {
        let store = Probe::default();
        let attacker = with_cookie(&app(&store), "__Host-id", &forged);
        for script in [
            "{}.get.a",
            "{}.set_expiry",
            "{}.clear",
            "{}.cycle",
            "{}.save",
            "{}.flush",
        ] {
            attacker.text(&format!("/{}", script.replace("{}", view))).await;
            attacker.set_cookie("__Host-id", &forged);
        }
        assert!(!store.log().contains(&"create"));
        assert_eq!(attacker.text(&format!("/{view}.get.a/{view}.id")).await, "none none");
        store.log();

        attacker.text(&format!("/{view}.clear/{view}.insert.a.1")).await;
        assert_eq!(store.log(), ["load", "create"]);
        let forgery = SessionToken::from_bytes([0; 32]).id();
        assert_eq!(
            store.store.load(&[forgery]).await.unwrap(),
            session_core::Loaded::Missing
        );
        assert_ne!(attacker.cookie("__Host-visitor").unwrap(), forged);
    }
}

#[tokio::test]
async fn a_damaged_value_is_missing_alone_and_stays() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let id = browser.text("/own.id").await.parse().unwrap();
        let mut delta = Delta::default();
        delta.set("damaged", Value::from_json("{")).unwrap();
        store.store.update(&id, &Update::new(delta)).await.unwrap();
        let read = browser
            .text(&format!("/{view}.get.a/{view}.get.damaged/{view}.insert.b.2"))
            .await;
        assert_eq!(read, "1 none");
        assert_eq!(
            browser.get("/own.get.damaged").await.status,
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
}

#[tokio::test]
async fn a_value_that_is_too_large_is_refused_and_nothing_is_written() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let reply = browser.get(&format!("/own.insert.a.2/{view}.insert_large.b")).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(reply.text.contains("\"b\""), "{}", reply.text);
        assert_eq!(store.log(), ["load"]);
    }
}

#[tokio::test]
async fn a_view_shows_the_id_of_the_session_and_not_the_token() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let ids = browser.text(&format!("/own.id/{view}.id")).await;
        let (ours, theirs) = ids.split_once(' ').unwrap();
        assert_eq!(ours, theirs);

        let browser = Browser::new(&app(&store));
        let made = browser.text(&format!("/{view}.insert.a.1/{view}.save/{view}.id")).await;
        assert_eq!(browser.text("/own.id").await, made);
    }
}
