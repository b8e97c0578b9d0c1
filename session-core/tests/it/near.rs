//! The layer over a store with a near cache (promise P5).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{Router, routing::get};
use session_core::{
    Error, Fate, Loaded, NearCache, NearLink, NewSession, Page, Renewal, Session, SessionId, SessionInfo, SessionLayer,
    SessionStore, Update, Version, Watch,
};

use crate::{browser::Browser, probe::Probe};

/// An instance that never hears what others change, for as long as a lease at least.
#[derive(Clone, Debug)]
struct Deaf {
    probe: Probe,
    cache: NearCache,
    _link: Arc<NearLink>,
}

impl Deaf {
    fn new(probe: &Probe) -> Self {
        let cache = NearCache::new(1 << 20, NearCache::LEASE);
        let link = cache.link();
        // Long enough for every test.
        link.prove(Instant::now() + Duration::from_secs(3600));
        let (probe, link) = (probe.clone(), Arc::new(link));
        Self {
            probe,
            cache,
            _link: link,
        }
    }
}

#[async_trait]
impl SessionStore for Deaf {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.probe.create(id, new).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        let reading = self.cache.begin();
        let loaded = self.probe.load(ids).await?;
        self.cache.keep(reading, ids, &loaded);
        Ok(loaded)
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        let change = self.cache.change(id);
        let version = self.probe.update(id, update).await?;
        change.done(update, version);
        Ok(version)
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        let _change = self.cache.change(id);
        self.probe.touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        let _change = self.cache.change(from);
        self.probe.renew(from, to, renewal).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        let _change = self.cache.change(id);
        self.probe.end(id).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.probe.of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        let _change = self.cache.change_any();
        self.probe.end_all(user, except).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        let _change = self.cache.change_any();
        self.probe.end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.probe.purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.probe.ping().await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.probe.fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.probe.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        Some(&self.cache)
    }
}

/// A logged-in browser at two instances that share a store and hear nothing of each other.
async fn two_instances() -> (Probe, Browser, Browser) {
    let probe = Probe::default();
    let app = || {
        Router::new()
            .route("/login", get(async |session: Session| session.login("alice")))
            .route("/renew", get(async |session: Session| session.renew()))
            .route("/logout", get(async |session: Session| session.logout().await))
            .route(
                "/read",
                get(async |session: Session| session.get::<u64>("n").map(|n| format!("{n:?}"))),
            )
            .route("/write", get(async |session: Session| session.insert("n", &1)))
            .route(
                "/update",
                get(async |session: Session| session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1).await.map(drop)),
            )
            .layer(SessionLayer::new(Deaf::new(&probe)))
    };
    let one = Browser::new(&app());
    let page = one.get("/login").await;
    assert_eq!(
        page.set_cookies.len(),
        1,
        "no instance knows the new session: {:?}",
        page.set_cookies
    );
    let other = one.at(&app());
    (probe, one, other)
}

/// The cookies of one browser, at the other instance.
fn take(browser: &Browser, cookies: &[String]) {
    for cookie in cookies {
        let (name, value) = cookie.split_once(';').unwrap().0.split_once('=').unwrap();
        browser.set_cookie(name, value);
    }
}

#[tokio::test]
async fn what_was_read_is_read_again_without_the_store() {
    let (probe, one, other) = two_instances().await;
    for browser in [&one, &other] {
        browser.text("/read").await;
        probe.log();
        let page = browser.get("/read").await;
        assert_eq!(page.text, "None");
        assert!(page.set_cookies.is_empty(), "{:?}", page.set_cookies);
        assert!(probe.calls().is_empty());
    }
}

#[tokio::test]
async fn p5_a_browser_reads_what_it_wrote_on_an_instance_that_has_not_heard_of_it() {
    for path in ["/write", "/update"] {
        let (probe, one, other) = two_instances().await;
        other.text("/read").await;
        one.text("/read").await;
        let stranger = other.snapshot();
        let written = one.get(path).await;
        let [cookie] = &written.set_cookies[..] else {
            panic!("{:?}", written.set_cookies);
        };
        assert!(cookie.starts_with("__Host-id-near-"), "{cookie}");
        assert!(
            cookie.contains("=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=2"),
            "{cookie}"
        );
        take(&other, &written.set_cookies);
        assert_eq!(other.text("/read").await, "Some(1)");
        // Whoever does not say so may have to wait for a lease.
        probe.log();
        one.text("/read").await;
        assert!(probe.calls().is_empty(), "the instance that wrote knows");
        stranger.text("/read").await;
        assert!(probe.calls().is_empty(), "it was read meanwhile");
    }
}

#[tokio::test]
async fn p5_the_order_in_which_answers_arrive_does_not_matter() {
    let (_probe, one, other) = two_instances().await;
    for browser in [&one, &other] {
        browser.text("/read").await;
    }
    let first = one.send("/update").await;
    let second = other.send("/update").await;
    for order in [[&first, &second], [&second, &first]] {
        for browser in [&one, &other] {
            let browser = browser.snapshot();
            order.iter().for_each(|page| take(&browser, &page.set_cookies));
            assert_eq!(browser.text("/read").await, "Some(2)");
        }
    }
}

#[tokio::test]
async fn p5_a_visitor_reads_what_it_wrote_where_the_end_of_its_last_session_is_not_known() {
    for path in ["/write", "/update"] {
        let (_probe, one, other) = two_instances().await;
        other.text("/read").await;
        let late = one.snapshot();
        one.text("/logout").await;
        let written = late.get(path).await;
        assert_eq!(written.set_cookies.len(), 2, "{:?}", written.set_cookies);
        take(&other, &written.set_cookies);
        assert_eq!(other.text("/read").await, "Some(1)");
    }
}

#[tokio::test]
async fn a_session_that_ended_or_was_renewed_is_not_read_on_the_instance_that_did_it() {
    for path in ["/logout", "/renew"] {
        let (_probe, one, _) = two_instances().await;
        one.text("/write").await;
        let before = one.snapshot();
        assert_eq!(before.text("/read").await, "Some(1)");
        one.text(path).await;
        assert_eq!(before.text("/read").await, "None", "{path}");
    }
}

#[tokio::test]
async fn other_cookies_with_such_names_only_cost_a_load() {
    let (probe, one, _) = two_instances().await;
    one.text("/read").await;
    probe.log();
    one.set_cookie("__Host-id-near-", "1");
    one.set_cookie("__Host-id-near-ffff", "1");
    assert_eq!(one.text("/read").await, "None");
    assert_eq!(probe.calls(), [("load", 1)]);
}
