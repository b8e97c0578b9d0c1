//! A user's sessions as one of them sees them, and how many there may be (promise P10).

use std::{net::IpAddr, time::Duration};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use session_core::{Error, Excess, LoginOptions, Page, Session, SessionId, SessionLayer, SessionLimit, SessionStore};

use crate::{
    browser::Browser,
    probe::{Probe, Trouble},
};

fn app(store: &Probe) -> Router {
    app_with(SessionLayer::new(store.clone()))
}

fn app_with(layer: SessionLayer) -> Router {
    Router::new()
        .route(
            "/login/{user}/{class}",
            get(
                async |session: Session, Path((user, class)): Path<(String, String)>, headers: HeaderMap| {
                    let class = if class == "-" { "" } else { &class };
                    session.login_with(user, LoginOptions::new().device(&headers).label("a\u{7}b").class(class))
                },
            ),
        )
        .route(
            "/saved/{user}",
            get(async |session: Session, Path(user): Path<String>| {
                session.insert("before", &1)?;
                session.login(user)?;
                match session.save().await {
                    Err(Error::LimitReached { max }) => Ok(format!("no more than {max}")),
                    saved => saved.map(|()| "in".to_owned()),
                }
            }),
        )
        .route(
            "/user",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
        .route("/renew", get(async |session: Session| session.renew()))
        .route(
            "/this",
            get(async |session: Session| session.id().map(|id| id.to_string()).unwrap_or_default()),
        )
        .route(
            "/devices",
            get(async |session: Session| {
                let lines = session.devices().await?.into_iter().map(|device| {
                    assert_eq!(device.is_this, Some(device.id) == session.id());
                    let about = &device.about;
                    format!(
                        "{} {} {}\n",
                        about.label.as_deref().unwrap_or("?"),
                        about.class,
                        device.is_this
                    )
                });
                Ok::<_, Error>(lines.collect::<String>())
            }),
        )
        .route(
            "/end/{id}",
            get(async |session: Session, Path(id): Path<String>| {
                let id: SessionId = id.parse()?;
                session.end_device(&id).await.map(|ended| ended.to_string())
            }),
        )
        .route(
            "/end-others",
            get(async |session: Session| session.end_others().await.map(|n| n.to_string())),
        )
        .route(
            "/login-and-end-others/{user}",
            get(async |session: Session, Path(user): Path<String>| {
                session.login(user)?;
                session.end_others().await.map(|n| n.to_string())
            }),
        )
        .route(
            "/login-and-end-everywhere/{user}",
            get(async |session: Session, Path(user): Path<String>| {
                session.login(user)?;
                session.end_everywhere().await.map(|n| n.to_string())
            }),
        )
        .route(
            "/end-everywhere",
            get(async |session: Session| session.end_everywhere().await.map(|n| n.to_string())),
        )
        .layer(layer)
}

async fn logged_in(app: &Router, user: &str) -> Browser {
    let browser = Browser::new(app);
    browser.text(&format!("/login/{user}/-")).await;
    browser
}

async fn ids_of(store: &Probe, user: &str) -> Vec<SessionId> {
    let sessions = store.of_user(user, &Page::default()).await.unwrap();
    sessions.into_iter().map(|session| session.id).collect()
}

#[tokio::test]
async fn devices_are_listed_with_what_their_logins_said() {
    let store = Probe::default();
    let app = app(&store);
    let one = logged_in(&app, "alice").await;
    let two = Browser::new(&app);
    two.text("/login/alice/privileged").await;
    logged_in(&app, "bob").await;
    let mut lines: Vec<_> = one.text("/devices").await.lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["ab  true", "ab privileged false"]);
    assert_eq!(Browser::new(&app).text("/devices").await, "", "nobody has no devices");
}

#[tokio::test]
async fn p10_a_device_can_be_ended_by_its_user_alone() {
    let store = Probe::default();
    let app = app(&store);
    let (one, two) = (logged_in(&app, "alice").await, logged_in(&app, "alice").await);
    let bob = logged_in(&app, "bob").await;
    let bobs = ids_of(&store, "bob").await[0];
    assert_eq!(one.text(&format!("/end/{bobs}")).await, "false");
    assert_eq!(bob.text("/user").await, "bob");
    assert_eq!(Browser::new(&app).text(&format!("/end/{bobs}")).await, "false");
    assert_eq!(bob.text("/user").await, "bob");

    let this = one.text("/this").await;
    for id in ids_of(&store, "alice").await {
        if id.to_string() != this {
            assert_eq!(one.text(&format!("/end/{id}")).await, "true");
            assert_eq!(one.text(&format!("/end/{id}")).await, "false", "it has ended");
        }
    }
    assert_eq!(two.text("/user").await, "");
    assert_eq!(one.text("/user").await, "alice");

    // Who looked at the list before the device got another token ends it all the same.
    let three = logged_in(&app, "alice").await;
    let listed = three.text("/this").await;
    three.text("/renew").await;
    three.text("/renew").await;
    assert_eq!(one.text(&format!("/end/{listed}")).await, "true");
    assert_eq!(three.text("/user").await, "");

    assert_eq!(one.text(&format!("/end/{this}")).await, "true");
    assert_eq!(one.text("/user").await, "");
    assert_eq!(one.cookie_names().len(), 0, "who ends itself is logged out");
}

#[tokio::test]
async fn the_others_can_be_ended_and_all_of_them() {
    let store = Probe::default();
    let app = app(&store);
    let (one, two) = (logged_in(&app, "alice").await, logged_in(&app, "alice").await);
    let bob = logged_in(&app, "bob").await;
    assert_eq!(one.text("/end-others").await, "1");
    assert_eq!(two.text("/user").await, "");
    assert_eq!(one.text("/user").await, "alice");

    let two = logged_in(&app, "alice").await;
    assert_eq!(one.text("/end-everywhere").await, "2");
    for browser in [&one, &two] {
        assert_eq!(browser.text("/user").await, "");
    }
    assert_eq!(one.cookie_names().len(), 0);
    assert_eq!(bob.text("/user").await, "bob");
}

#[tokio::test]
async fn devices_that_may_not_have_ended_are_an_error_whatever_the_handler_says() {
    let store = Probe::default();
    let layer = SessionLayer::new(store.clone()).store_timeout(Duration::from_millis(200));
    let app = Router::new()
        .route("/login", get(async |session: Session| session.login("alice")))
        .route(
            "/end-others",
            get(async |session: Session| {
                let _ignored = session.end_others().await;
            }),
        )
        .layer(layer);
    let browser = Browser::new(&app);
    browser.text("/login").await;
    store.trouble("end_all", Trouble::Hang);
    assert_eq!(browser.get("/end-others").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn rights_are_taken_away_also_beside_a_login() {
    let store = Probe::default();
    let app = app(&store);
    for path in ["/login-and-end-others/alice", "/login-and-end-everywhere/alice"] {
        let (thief, owner) = (logged_in(&app, "alice").await, Browser::new(&app));
        let ended = owner.text(path).await;
        assert_eq!(thief.text("/user").await, "", "{path}");
        let (left, user) = match path.contains("others") {
            true => ("1", "alice"),
            false => ("3", ""),
        };
        assert_eq!((&*ended, &*owner.text("/user").await), (left, user), "{path}");
    }
}

#[tokio::test]
async fn p10_a_login_beyond_the_limit_is_refused_or_ends_the_oldest() {
    let store = Probe::default();
    let limited = SessionLayer::new(store.clone()).session_limit(SessionLimit::new(1));
    let app = app_with(limited.session_limit_of("privileged", SessionLimit::new(1).excess(Excess::EndOldest)));
    let first = logged_in(&app, "alice").await;
    let second = Browser::new(&app);
    let refused = second.get("/login/alice/-").await;
    assert_eq!((refused.status, refused.set_cookies.len()), (StatusCode::CONFLICT, 0));
    assert!(refused.text.contains("1 sessions"), "{}", refused.text);
    assert_eq!(second.text("/saved/alice").await, "no more than 1");
    assert_eq!(second.text("/user").await, "");
    assert_eq!(first.text("/user").await, "alice");

    // The same one may log in again, and another user, and as another class.
    first.text("/login/alice/-").await;
    assert_eq!(second.text("/saved/bob").await, "in");
    let third = Browser::new(&app);
    third.text("/login/alice/privileged").await;
    let fourth = Browser::new(&app);
    fourth.text("/login/alice/privileged").await;
    assert_eq!(third.text("/user").await, "");
    for browser in [&first, &fourth] {
        assert_eq!(browser.text("/user").await, "alice");
    }
}

#[tokio::test]
async fn p10_a_class_without_a_limit_of_its_own_has_that_of_all() {
    let app = app_with(SessionLayer::new(Probe::default()).session_limit(SessionLimit::new(1)));
    for class in ["privileged", "-"] {
        Browser::new(&app).text(&format!("/login/alice/{class}")).await;
        let refused = Browser::new(&app).get(&format!("/login/alice/{class}")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{class}");
    }
}

#[tokio::test]
async fn a_login_may_come_from_an_address() {
    let store = Probe::default();
    let app = Router::new()
        .route(
            "/login",
            get(async |session: Session| {
                let address: IpAddr = "192.0.2.7".parse().map_err(Error::unavailable)?;
                session.login_with("alice", LoginOptions::new().address(address))
            }),
        )
        .layer(SessionLayer::new(store.clone()));
    Browser::new(&app).text("/login").await;
    let list = store.of_user("alice", &Page::default()).await.unwrap();
    assert_eq!(list[0].about.address, "192.0.2.7".parse().ok());
}

#[tokio::test]
async fn a_login_that_no_store_could_keep_is_refused() {
    let store = Probe::default();
    for class in ["a\0b".to_owned(), "c".repeat(256)] {
        let app = Router::new()
            .route(
                "/login",
                get(async move |session: Session| session.login_with("alice", LoginOptions::new().class(class))),
            )
            .layer(SessionLayer::new(store.clone()));
        let page = Browser::new(&app).get("/login").await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(page.text.contains("class"), "{}", page.text);
    }
}
