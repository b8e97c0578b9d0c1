//! `Session::ended`: what a stream or a WebSocket waits for besides its own work.

use std::{future::Future, pin::Pin, time::Duration};

use axum::{Router, routing::get};
use session_core::{Session, SessionLayer, SessionStore};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{browser::Browser, probe::Probe};

type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An app, and what its handlers leave behind.
fn app(store: &Probe) -> (Router, mpsc::Receiver<Ended>) {
    let (sender, ended) = mpsc::channel(10);
    let leave = |sender: &mpsc::Sender<Ended>, session: &Session| {
        sender.try_send(Box::pin(session.ended())).unwrap();
    };
    let (streams, logins) = (sender.clone(), sender);
    let routes = Router::new()
        .route("/write", get(async |session: Session| session.insert("a", &1)))
        .route("/renew", get(async |session: Session| session.renew()))
        .route("/login", get(async |session: Session| session.login("alice")))
        .route("/logout", get(async |session: Session| session.logout().await))
        .route("/stream", get(async move |session: Session| leave(&streams, &session)))
        .route(
            "/login-and-stream",
            get(async move |session: Session| {
                session.login("alice").unwrap();
                session.save().await.unwrap();
                leave(&logins, &session);
            }),
        );
    (routes.layer(SessionLayer::new(store.clone())), ended)
}

async fn is_done(ended: &mut Ended) {
    timeout(Duration::from_secs(10), ended)
        .await
        .expect("the end is not seen");
}

/// Waits for the lookout's next look, and for what it tells.
async fn is_waiting(store: &Probe, ended: &mut Ended) {
    store.calls();
    let looking = async {
        while !store.log().contains(&"fates") {
            sleep(Duration::from_millis(10)).await;
        }
        sleep(Duration::from_millis(20)).await;
    };
    tokio::select! {
        () = ended => panic!("it ended too early"),
        () = looking => {}
    }
}

#[tokio::test]
async fn p3_a_stream_learns_of_a_logout_after_its_handler_is_gone() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    browser.get("/stream").await;
    let mut ended = streams.recv().await.unwrap();
    is_waiting(&store, &mut ended).await;
    browser.get("/renew").await;
    is_waiting(&store, &mut ended).await;
    browser.get("/logout").await;
    is_done(&mut ended).await;
}

#[tokio::test]
async fn streams_of_visitors_and_users_learn_of_everyone_s_end() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    for path in ["/write", "/login"] {
        let browser = Browser::new(&app);
        browser.get(path).await;
        browser.get("/stream").await;
    }
    let (mut one, mut other) = (streams.recv().await.unwrap(), streams.recv().await.unwrap());
    is_waiting(&store, &mut one).await;
    is_waiting(&store, &mut other).await;
    assert_eq!(store.end_everyone().await.unwrap(), 2);
    is_done(&mut one).await;
    is_done(&mut other).await;
}

#[tokio::test]
async fn a_stream_of_a_visitor_ends_with_the_login() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    browser.get("/stream").await;
    let mut ended = streams.recv().await.unwrap();
    browser.get("/login").await;
    is_done(&mut ended).await;
}

#[tokio::test]
async fn a_login_that_was_saved_is_what_a_stream_waits_for() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    browser.get("/login-and-stream").await;
    let mut ended = streams.recv().await.unwrap();
    is_waiting(&store, &mut ended).await;
    store.end_all("alice", None).await.unwrap();
    is_done(&mut ended).await;
}

#[tokio::test]
async fn a_browser_without_a_session_has_nothing_to_wait_for() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    Browser::new(&app).get("/stream").await;
    is_done(&mut streams.recv().await.unwrap()).await;
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn p8_a_store_that_is_down_ends_no_stream() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    browser.get("/stream").await;
    let mut ended = streams.recv().await.unwrap();
    store.all_down();
    for _ in 0..3 {
        is_waiting(&store, &mut ended).await;
    }
    store.recover();
    is_waiting(&store, &mut ended).await;
    browser.get("/logout").await;
    is_done(&mut ended).await;
}

#[tokio::test]
async fn p11_many_streams_cost_one_look() {
    let store = Probe::default();
    let (app, mut streams) = app(&store);
    let browser = Browser::new(&app);
    browser.get("/write").await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        browser.get("/stream").await;
        all.spawn(streams.recv().await.unwrap());
    }
    sleep(Duration::from_millis(500)).await;
    let looks = store.log().into_iter().filter(|call| *call == "fates").count();
    // Requests come while the lookout ticks: a few looks, whatever the number of streams.
    assert!((1..10).contains(&looks), "{looks} looks for 50 streams");
    browser.get("/logout").await;
    while let Some(done) = timeout(Duration::from_secs(10), all.join_next()).await.unwrap() {
        done.unwrap();
    }
}
