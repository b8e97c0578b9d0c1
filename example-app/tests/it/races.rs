//! The five races between requests of one session that meet different instances, 50 rounds each.
//!
//! In each round the requests wait in their handlers until all of them are there, so every round is a real overlap. The
//! same rounds run over stock tower-sessions, and must fail there: a race that the old way wins too proves nothing.

use axum::http::{Request, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    browser::{Answer, Browser},
    database::Database,
    gate::{Gate, Place},
    process::{self, Process},
};

const ROUNDS: usize = 50;

/// What the stock way does in a race.
#[derive(PartialEq)]
enum Stock {
    Breaks,
    Holds,
}
use Stock::{Breaks, Holds};

macro_rules! races {
    ($($database:ident, $name:ident, $race:expr, $stock:ident;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn holds_with_ours() {
                let broken = rounds("ours", Database::$database, $race).await;
                assert_eq!(broken, [""; 0]);
            }

            #[tokio::test]
            async fn holds_with_near_caches() {
                let broken = rounds("near", Database::$database, $race).await;
                assert_eq!(broken, [""; 0]);
            }

            #[tokio::test]
            async fn is_a_race() {
                let broken = rounds("stock", Database::$database, $race).await;
                assert_eq!(!broken.is_empty(), $stock == Breaks, "{broken:#?}");
            }
        }
    )*};
}

// The table in the README, column by column, and what is to be used once.
races! {
    Redis, eight_writes_over_redis, Race::Writes, Breaks;
    Redis, twenty_increments_over_redis, Race::Increments, Breaks;
    Redis, logout_over_redis, Race::Logout, Holds;
    Redis, login_over_redis, Race::Login, Breaks;
    Postgres, eight_writes_over_postgres, Race::Writes, Breaks;
    Postgres, twenty_increments_over_postgres, Race::Increments, Breaks;
    Postgres, logout_over_postgres, Race::Logout, Breaks;
    Postgres, login_over_postgres, Race::Login, Breaks;
    Redis, eight_takes_over_redis, Race::Takes, Breaks;
    Postgres, eight_takes_over_postgres, Race::Takes, Breaks;
}

#[derive(Clone, Copy)]
enum Race {
    Writes,
    Increments,
    Logout,
    Login,
    Takes,
}

/// Runs the rounds of a race, and returns what was lost, revived or undone in each that went wrong.
async fn rounds(layer: &'static str, database: Database, race: Race) -> Vec<String> {
    let instances = Instances::start(layer, &database.url().await);
    let mut broken = Vec::new();
    for number in 0..ROUNDS {
        let round = Round {
            instances: &instances,
            browser: Browser::new(),
            gate: Gate::new().await,
            number,
        };
        round.ask(0, "/write/start/yes").await;
        let outcome = match race {
            Race::Writes => round.writes().await,
            Race::Increments => round.increments().await,
            Race::Logout => round.logout().await,
            Race::Login => round.login().await,
            Race::Takes => round.takes().await,
        };
        broken.extend(outcome.err().map(|what| format!("round {number}: {what}")));
    }
    broken
}

/// Two instances of the race app.
struct Instances {
    layer: &'static str,
    processes: [(Process, String); 2],
}

impl Instances {
    fn start(layer: &'static str, url: &str) -> Self {
        let processes = [process::race_app(layer, url), process::race_app(layer, url)];
        Self { layer, processes }
    }

    fn url(&self, instance: usize, path: &str) -> String {
        format!("{}{path}", self.processes[instance % 2].1)
    }
}

/// One round: a browser that has a session, with requests to both instances.
struct Round<'a> {
    instances: &'a Instances,
    browser: Browser,
    gate: Gate,
    number: usize,
}

impl Round<'_> {
    /// 8 requests write 8 different keys. In every other round the keys are there already.
    async fn writes(&self) -> Result<(), String> {
        let write = |value: &str| (0..8).map(|n| format!("/write/key{n}/{value}")).collect::<Vec<_>>();
        if self.number % 2 == 1 {
            for path in write("old") {
                self.ask(0, &path).await;
            }
        }
        self.at_once(write("new")).await;
        let data = self.state(&self.browser).await["data"].take();
        let lost: Vec<_> = (0..8).filter(|n| data[format!("key{n}")] != "new").collect();
        check(lost.is_empty(), || {
            format!("of 8 writes {} are lost: {lost:?}", lost.len())
        })
    }

    /// 20 concurrent increments of a counter.
    async fn increments(&self) -> Result<(), String> {
        self.at_once(vec!["/increment".into(); 20]).await;
        let count = self.state(&self.browser).await["data"]["count"].take();
        check(count == 20, || format!("20 increments were counted {count}"))
    }

    /// 8 requests take what is to be used once.
    async fn takes(&self) -> Result<(), String> {
        self.ask(0, "/write/once/secret").await;
        let answers = self.at_once(vec!["/take".into(); 8]).await;
        let takers = answers.iter().filter(|answer| answer.json() == "secret").count();
        assert!(self.state(&self.browser).await["data"]["once"].is_null());
        check(takers == 1, || format!("of 8 requests {takers} took the same value"))
    }

    /// Logout while a request is in flight.
    async fn logout(&self) -> Result<(), String> {
        self.ask(1, "/login/ada").await;
        let logged_in = self.browser.copy();
        let (late, logout) = self.meets(Place::Opened, "/logout").await;
        assert_eq!(logout.status, StatusCode::OK, "{logout:?}");
        for (browser, whose) in [(&logged_in, "the old cookies are"), (&self.browser, "the browser is")] {
            let user = self.state(browser).await["user"].take();
            check(user.is_null(), || format!("{whose} logged in again as {user}"))?;
        }
        if self.is_ours() {
            // Nothing else of it came back either, and the browser has no cookie that would open anything.
            assert_eq!(self.state(&logged_in).await["data"], serde_json::json!({}));
            let mut cookies = self.browser.cookies();
            cookies.retain(|name| !is_near(name));
            assert!(cookies.is_empty(), "{cookies:?}");
            assert_kept_or_refused(&late, self.is_late());
        }
        Ok(())
    }

    /// Login while a request is in flight: of a visitor, and in other rounds of somebody who was logged in.
    async fn login(&self) -> Result<(), String> {
        let was_bobs = self.number / 4 % 2 == 1;
        if was_bobs {
            self.ask(1, "/login/bob").await;
        }
        let before = self.browser.copy();
        // A request is in flight from when it was sent: its instance may open the session before the login or after.
        let place = [Place::Opened, Place::Unopened][self.number / 2 % 2];
        let (late, login) = self.meets(place, "/login/ada").await;
        assert_eq!(login.status, StatusCode::OK, "{login:?}");
        let state = self.state(&self.browser).await;
        check(state["user"] == "ada", || format!("the login is undone: {state}"))?;
        if self.is_ours() {
            let kept = if was_bobs { Value::Null } else { "yes".into() };
            assert_eq!(
                state["data"]["start"], kept,
                "a visitor's data goes over, and nothing of bob's"
            );
            let login_cookies: Vec<_> = late
                .set_cookies()
                .into_iter()
                .filter(|cookie| cookie.starts_with("id="))
                .collect();
            assert!(
                login_cookies.is_empty(),
                "a late response touched the login cookie: {late:?}"
            );
            assert!(
                self.state(&before).await["user"].is_null(),
                "the token of before the login opens the login"
            );
            assert_kept_or_refused(&late, self.is_late());
            assert_eq!(
                state["data"]["late"] == "new",
                late.status.is_success() && !was_bobs,
                "{late:?}, {state}"
            );
        }
        Ok(())
    }

    /// Sends a request to each instance by turns, and lets all go on once all have opened the session.
    async fn at_once(&self, paths: Vec<String>) -> Vec<Answer> {
        let mut requests = JoinSet::new();
        for (instance, path) in paths.iter().enumerate() {
            let request = Request::post(self.instances.url(instance, path));
            requests.spawn(self.browser.send(self.gate.hold(request, Place::Opened), ""));
        }
        for waiting in self.gate.arrivals(paths.len(), Place::Opened).await {
            waiting.go().await;
        }
        let answers = requests.join_all().await;
        for answer in &answers {
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            assert!(!self.is_ours() || touches_nothing(answer), "{answer:?}");
        }
        answers
    }

    /// Sends a request that writes, and `path` to the other instance while the first waits at `place`. In every other
    /// round both go on at once; in the rest the first goes on when the second is answered, as late as can be.
    async fn meets(&self, place: Place, path: &str) -> (Answer, Answer) {
        let write = Request::post(self.instances.url(self.number, "/write/late/new"));
        let late = tokio::spawn(self.browser.send(self.gate.hold(write, place), ""));
        let mut waiting = self.gate.arrivals(1, place).await;
        let waiting = waiting.remove(0);
        let other = self
            .browser
            .send(Request::post(self.instances.url(self.number + 1, path)), "");
        let other = if self.is_late() {
            let answer = other.await;
            waiting.go().await;
            answer
        } else {
            tokio::join!(waiting.go(), other).1
        };
        (late.await.unwrap(), other)
    }

    async fn ask(&self, instance: usize, path: &str) {
        let answer = self.browser.post(&self.instances.url(instance, path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// What both instances see of a browser's session, which must be the same.
    async fn state(&self, browser: &Browser) -> Value {
        let seen = [0, 1].map(|instance| {
            // A copy: looking on must not change what is looked at.
            let (browser, url) = (browser.copy(), self.instances.url(instance, "/state"));
            async move { browser.get(&url).await.json() }
        });
        let [one, other] = seen;
        let (one, other) = (one.await, other.await);
        if self.instances.layer == "near" && one != other {
            // What one has ended the other may not have heard of yet, for a lease at most. Its own browser bypasses
            // that.
            return Box::pin(self.state(browser)).await;
        }
        assert_eq!(one, other);
        one
    }

    fn is_late(&self) -> bool {
        self.number.is_multiple_of(2)
    }

    fn is_ours(&self) -> bool {
        self.instances.layer != "stock"
    }
}

/// Whether a response leaves the sessions' cookies alone.
fn touches_nothing(answer: &Answer) -> bool {
    answer.set_cookies().iter().all(|cookie| is_near(cookie))
}

/// Whether a cookie is the one by which a browser bypasses near caches.
fn is_near(cookie: &str) -> bool {
    cookie.starts_with("id-near-")
}

/// A write in flight was kept, or its answer says that it was not; one that came too late must say so. It leaves the
/// cookies alone.
fn assert_kept_or_refused(late: &Answer, is_late: bool) {
    assert!(touches_nothing(late), "{late:?}");
    match late.status {
        StatusCode::CONFLICT => {}
        StatusCode::OK => assert!(!is_late, "{late:?}"),
        _ => panic!("{late:?}"),
    }
}

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
