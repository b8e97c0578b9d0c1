//! How sessions end in views, and what comes after.

use std::sync::{Arc, Mutex};

use axum::{Router, http::StatusCode, routing::get};
use session_core::SessionLayer;
use tokio::sync::{mpsc, oneshot};

use super::{
    view::{VIEWS, app, visitor},
    with_cookie,
};
use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

#[tokio::test]
async fn a_flush_ends_the_session_at_once_even_if_the_request_fails() {
    for view in VIEWS {
        for script in ["{}.flush", "{}.get.a/{}.flush", "{}.get.a/{}.delete", "{}.flush/fail"] {
            let (browser, store) = visitor().await;
            let replayed = browser.snapshot();
            browser.get(&format!("/{}", script.replace("{}", view))).await;
            assert_eq!(browser.cookie_names(), [""; 0], "{script}");
            assert!(store.log().ends_with(&["end"]), "{script}");
            assert_eq!(replayed.text("/own.get.a").await, "none", "{script}");
        }
    }
}

#[tokio::test]
async fn an_unread_session_is_flushed_in_one_call() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        browser.text(&format!("/{view}.flush")).await;
        assert_eq!(store.log(), ["end"]);
    }
}

#[tokio::test]
async fn what_is_written_after_a_flush_is_a_clean_new_session() {
    for view in VIEWS {
        // The same value as before too: it is new in the new session.
        for script in [
            "{}.flush/{}.insert.b.1",
            "{}.insert.b.1/{}.save/{}.flush/{}.insert.b.1",
            "{}.insert.b.0/{}.delete/{}.insert.b.1",
            "{}.cycle/{}.flush/{}.insert.b.1",
        ] {
            let (browser, _) = visitor().await;
            let replayed = browser.snapshot();
            browser.text(&format!("/{}", script.replace("{}", view))).await;
            assert_eq!(browser.cookie_names(), ["__Host-visitor"], "{script}");
            assert_ne!(browser.cookie_header(), replayed.cookie_header(), "{script}");
            assert_eq!(browser.text("/own.get.a/own.get.b").await, "none 1", "{script}");
            assert_eq!(replayed.text("/own.get.a/own.get.b").await, "none none", "{script}");
        }
    }
}

#[tokio::test]
async fn a_flush_after_cycling_the_id_ends_the_session() {
    for view in VIEWS {
        let (browser, _) = visitor().await;
        let replayed = browser.snapshot();
        browser
            .text(&format!("/own.login.alice/{view}.get.a/{view}.cycle/{view}.flush"))
            .await;
        assert_eq!(browser.cookie_names(), [""; 0]);
        assert_eq!(replayed.text("/own.get.a/own.user").await, "none nobody");
    }
}

#[tokio::test]
async fn a_flush_after_cycling_the_id_ends_a_session_without_data() {
    for view in VIEWS {
        let browser = Browser::new(&app(&Probe::default()));
        browser.text("/own.login.alice").await;
        let replayed = browser.snapshot();
        browser.text(&format!("/{view}.cycle/{view}.flush")).await;
        assert_eq!(browser.cookie_names(), [""; 0]);
        assert_eq!(replayed.text("/own.user").await, "nobody");

        // What is written after it may have been there before.
        browser.text("/own.insert.message.1/own.login.alice").await;
        browser
            .text(&format!("/{view}.cycle/{view}.flush/{view}.insert.message.2"))
            .await;
        assert_eq!(browser.text("/own.user/own.get.message").await, "nobody 2");
    }
}

#[tokio::test]
async fn removing_the_last_key_after_cycling_the_id_ends_nothing() {
    for view in VIEWS {
        let browser = Browser::new(&app(&Probe::default()));
        browser.text("/own.insert.next.1").await;
        browser
            .text(&format!("/own.login.alice/{view}.cycle/{view}.remove.next"))
            .await;
        assert_eq!(browser.text("/own.user/own.get.next").await, "alice none");
    }
}

#[tokio::test]
async fn a_logout_of_ours_drops_what_views_did_before_and_keeps_what_they_do_after() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        browser
            .text(&format!("/{view}.insert.b.2/own.logout/{view}.insert.c.3"))
            .await;
        assert_eq!(store.log(), ["load", "end", "create"]);
        assert_eq!(browser.text("/own.get.a/own.get.b/own.get.c").await, "none none 3");

        let (browser, store) = visitor().await;
        browser.text(&format!("/{view}.insert.b.2/own.logout")).await;
        assert_eq!(store.log(), ["load", "end"]);
        assert_eq!(browser.cookie_names(), [""; 0]);
    }
}

#[tokio::test]
async fn a_request_in_flight_at_a_flush_revives_nothing() {
    for view in VIEWS {
        for (call, script) in [
            ("update", "{}.insert.b.2"),
            ("renew", "{}.cycle"),
            ("update", "{}.insert.b.2/{}.save"),
        ] {
            let (browser, store) = visitor().await;
            let replayed = browser.snapshot();
            let held = store.hold(call);
            let late = browser.in_flight(&format!("/{}", script.replace("{}", view)));
            held.reached().await;
            browser.text(&format!("/{view}.flush")).await;
            held.release();
            let late = late.await.unwrap();
            assert_eq!(late.status, StatusCode::CONFLICT, "{script}");
            assert_eq!(late.set_cookies, [""; 0], "{script}");
            assert_eq!(replayed.text("/own.get.a/own.get.b").await, "none none", "{script}");
        }
    }
}

#[tokio::test]
async fn a_handler_may_keep_its_response_though_the_session_ended() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        let held = store.hold("update");
        let late = browser.in_flight(&format!("/own.best_effort/{view}.insert.b.2"));
        held.reached().await;
        browser.text(&format!("/{view}.flush")).await;
        held.release();
        assert_eq!(late.await.unwrap().status, StatusCode::OK);
    }
}

/// What a handler's task does after the response.
type Task = oneshot::Receiver<()>;

/// An app whose handler leaves a task behind, that waits to be let go.
macro_rules! app_with_task {
    ($tower_sessions:ident, $store:expr, $task:expr, $after:expr) => {{
        let (done, finished) = mpsc::channel::<()>(1);
        let task: Arc<Mutex<Option<Task>>> = Arc::new(Mutex::new(Some($task)));
        let handler = async move |session: $tower_sessions::Session| {
            session.get_value("a").await.unwrap();
            let (go, done) = (task.lock().unwrap().take().unwrap(), done.clone());
            tokio::spawn(async move {
                go.await.unwrap();
                $after(session).await;
                drop(done);
            });
        };
        let app = Router::new()
            .route("/", get(handler))
            .layer(SessionLayer::new($store.clone()));
        (app, finished)
    }};
}

macro_rules! after_the_response {
    ($module:ident, $tower_sessions:ident) => {
        mod $module {
            use super::*;

            #[tokio::test]
            async fn a_save_still_merges() {
                let (browser, store) = visitor().await;
                let (go, task) = oneshot::channel();
                let (late, mut finished) = app_with_task!(
                    $tower_sessions,
                    store,
                    task,
                    async |session: $tower_sessions::Session| {
                        session.insert("b", "late").await.unwrap();
                        session.save().await.unwrap();
                    }
                );
                browser.at(&late).text("/").await;
                drop(late);
                browser.text("/own.insert.c.3").await;
                go.send(()).unwrap();
                assert_eq!(finished.recv().await, None);
                assert_eq!(browser.text("/own.get.a/own.get.b/own.get.c").await, "1 late 3");
            }

            #[tokio::test]
            async fn cycling_the_id_ends_the_session_for_no_token_can_be_given_out() {
                let (browser, store) = visitor().await;
                let (go, task) = oneshot::channel();
                let (late, mut finished) = app_with_task!(
                    $tower_sessions,
                    store,
                    task,
                    async |session: $tower_sessions::Session| {
                        session.cycle_id().await.unwrap();
                    }
                );
                browser.at(&late).text("/").await;
                drop(late);
                go.send(()).unwrap();
                assert_eq!(finished.recv().await, None);
                assert_eq!(browser.text("/own.get.a").await, "none");
            }
        }
    };
}

after_the_response!(v15, tower_sessions);
after_the_response!(v14, tower_sessions_014);

#[tokio::test]
async fn a_logout_in_flight_with_a_store_that_is_down_is_503() {
    for view in VIEWS {
        let (browser, store) = visitor().await;
        store.trouble("end", Trouble::Down);
        let reply = browser.get(&format!("/{view}.flush")).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(browser.cookie_names(), ["__Host-visitor"]);
    }
}

#[tokio::test]
async fn an_unused_view_makes_no_call_with_any_cookie() {
    let store = Probe::default();
    let browser = with_cookie(&app(&store), "__Host-id", &"A".repeat(43));
    browser.text("/v15.nothing/v14.nothing").await;
    browser.text("/v15.id/v14.id").await;
    assert_eq!(store.log(), [""; 0]);
}
