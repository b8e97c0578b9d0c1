//! What an auditor is told, and that no secret is told to anybody.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use session_core::{
    Delta, Error, Lifetime, LoginOptions, Page, Session, SessionLayer, SessionLimit, SessionStore, Update, Value,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::{browser::Browser, probe::Probe};

/// All events of this thread, a line each: the target, then its fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The audit events since the last time this was asked.
    fn audited(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        let audited = lines.iter().filter_map(|line| line.strip_prefix("session::audit "));
        audited.map(str::to_owned).collect()
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

const SECRET: &str = "4929-1234-5678-9012";

fn app(store: &Probe) -> Router {
    let lifetime = Lifetime::new(Duration::from_millis(1500), Lifetime::AAL3.absolute);
    let layer = SessionLayer::new(store.clone())
        .lifetime(lifetime.lock_when_idle())
        .session_limit(SessionLimit::new(2))
        .instance("west-1");
    Router::new()
        .route(
            "/login",
            get(async |session: Session| {
                session.insert("card", SECRET)?;
                session.login("alice")
            }),
        )
        .route("/renew", get(async |session: Session| session.renew()))
        .route(
            "/login-renewed",
            get(async |session: Session| {
                let often = Lifetime::AAL3.renew_every(Duration::from_secs(60));
                session.login_with("alice", LoginOptions::new().lifetime(often))
            }),
        )
        .route("/logout", get(async |session: Session| session.logout().await))
        .route(
            "/end-others",
            get(async |session: Session| session.end_others().await.map(drop)),
        )
        .route(
            "/end-the-other",
            get(async |session: Session| {
                let devices = session.devices().await?;
                let other = devices.iter().find(|device| !device.is_this).ok_or(Error::Ended)?;
                session.end_device(&other.id).await.map(drop)
            }),
        )
        .route(
            "/read",
            get(async |session: Session| session.get::<u8>("card").map(drop)),
        )
        .route(
            "/debug",
            get(async |session: Session| format!("{session:?} {:?}", session.info())),
        )
        .layer(layer)
}

#[tokio::test]
async fn an_auditor_is_told_of_all_that_matters_and_nobody_of_a_secret() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let store = Probe::default();
    let app = app(&store);
    let mut all = String::new();
    let mut tokens = Vec::new();
    let mut expect = |name: &str, user: &str| {
        all += &log.text();
        let events = log.audited();
        let [event] = events.as_slice() else {
            panic!("not one event of {name}: {events:?}");
        };
        assert!(
            event.starts_with(&format!(" event=\"{name}\"")) || event.starts_with(&format!("event=\"{name}\"")),
            "{event}"
        );
        assert!(
            event.contains(&format!(" user=\"{user}\" instance=\"west-1\"")),
            "{event}"
        );
    };

    let one = Browser::new(&app);
    one.text("/login").await;
    tokens.push(one.cookie("__Host-id").unwrap());
    expect("login", "alice");
    one.text("/renew").await;
    tokens.push(one.cookie("__Host-id").unwrap());
    expect("renewal", "alice");
    let two = Browser::new(&app);
    two.text("/login").await;
    tokens.push(two.cookie("__Host-id").unwrap());
    expect("login", "alice");
    Browser::new(&app).get("/login").await;
    expect("login_refused", "alice");
    one.text("/end-the-other").await;
    expect("end_device", "alice");
    one.text("/end-others").await;
    expect("end_all", "alice");
    two.get("/debug").await;
    expect("unknown_session", "-");
    one.get("/read").await;
    expect("undecodable", "alice");
    let id = store.of_user("alice", &Page::default()).await.unwrap()[0].id;
    let mut delta = Delta::default();
    delta.set("card", Value::from_json(format!("\"{SECRET}"))).unwrap();
    store.update(&id, &Update::new(delta)).await.unwrap();
    one.get("/read").await;
    expect("undecodable", "alice");
    let debug = one.text("/debug").await;
    tokio::time::sleep(Duration::from_millis(2000)).await;
    one.get("/debug").await;
    expect("locked", "alice");
    one.text("/logout").await;
    let events = log.audited();
    assert!(
        events.iter().any(|event| event.contains("event=\"logout\"")),
        "{events:?}"
    );

    // The logout of a token that a renewal has just replaced.
    let late = Browser::new(&app);
    late.text("/login").await;
    expect("login", "alice");
    let early = late.snapshot();
    early.text("/renew").await;
    expect("renewal", "alice");
    late.text("/logout").await;
    expect("logout", "-");
    assert_eq!(store.of_user("alice", &Page::default()).await.unwrap(), []);

    let thief = Browser::new(&app);
    thief.text("/login-renewed").await;
    expect("login", "alice");
    store.age_tokens();
    tokens.push(thief.cookie("__Host-id").unwrap());
    let victim = thief.snapshot();
    victim.text("/debug").await;
    tokens.push(victim.cookie("__Host-id-renewed").unwrap());
    expect("renewal", "alice");
    store.age_markers(Duration::from_secs(30));
    thief.text("/debug").await;
    expect("reused_token", "-");

    all += &debug;
    all += &format!("{app:?}");
    for secret in tokens.iter().map(String::as_str).chain([SECRET, &id.to_string()[..12]]) {
        assert!(!all.replace(&debug, "").contains(secret), "{secret} in {all}");
    }
    for token in &tokens {
        assert!(!debug.contains(token.as_str()));
    }
}
