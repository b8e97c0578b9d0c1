//! Renewal by time, by twenty requests of one browser at once, on two instances: 100 rounds on each store.
//!
//! In each round the requests wait in their handlers until all of them are there, with a session whose token is old.
//! Tokens and markers grow old in the server itself: no test waits for an hour.

use axum::http::{Request, StatusCode};
use redis::aio::MultiplexedConnection;
use session_core::{Page, SessionId};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::JoinSet;

use crate::{
    browser::Browser,
    database::Database,
    gate::{Gate, Place},
    process,
};

const ROUNDS: usize = 100;
const REQUESTS: usize = 20;
const RENEWED: &str = "id-renewed=";

#[tokio::test]
async fn p6_requests_at_once_find_one_new_token_over_redis() {
    rounds(Database::Redis).await;
}

#[tokio::test]
async fn p6_requests_at_once_find_one_new_token_over_postgres() {
    rounds(Database::Postgres).await;
}

async fn rounds(database: Database) {
    let url = database.url().await;
    let processes = [process::race_app("ours", &url), process::race_app("ours", &url)];
    let instances = processes.each_ref().map(|(_, url)| url.clone());
    let store = database.store_at(&url).await;
    let mut time = Time::of(database, &url).await;
    for round in 0..ROUNDS {
        let user = format!("renewed{round}");
        let browser = Browser::new();
        browser.post(&format!("{}/login/{user}/renewed", instances[0])).await;
        let old = store.of_user(&user, &Page::default()).await.unwrap()[0].id;
        time.age_token(&old).await;
        let before = browser.copy();

        let tokens = count_at_once(&browser, &instances, round).await;
        assert!(
            tokens.iter().all(|token| *token == tokens[0]),
            "round {round}: {tokens:?}"
        );
        let sessions = store.of_user(&user, &Page::default()).await.unwrap();
        assert_eq!(sessions.len(), 1, "round {round}");
        assert_ne!(sessions[0].id, old, "round {round}");

        let state = |browser: Browser, instance: usize| {
            let url = format!("{}/state", instances[instance % 2]);
            async move { browser.get(&url).await.json() }
        };
        for instance in 0..2 {
            let seen = state(browser.copy(), instance).await;
            assert_eq!(
                (&seen["user"], &seen["data"]["count"]),
                (&user.as_str().into(), &REQUESTS.into())
            );
            // Who lost the responses is still logged in,
            assert_eq!(
                state(before.copy(), instance).await["user"],
                user.as_str(),
                "round {round}"
            );
        }
        // for half a minute.
        time.age_marker(&old).await;
        assert!(state(before, round).await["user"].is_null(), "round {round}");
        assert_eq!(state(browser, round).await["user"], user.as_str(), "round {round}");
    }
}

/// Counts twenty times, by both instances, and returns the tokens that the browser was given.
async fn count_at_once(browser: &Browser, instances: &[String; 2], round: usize) -> Vec<String> {
    let gate = Gate::new().await;
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS {
        let request = Request::post(format!("{}/increment", instances[number % 2]));
        requests.spawn(browser.send(gate.hold(request, Place::Opened), ""));
    }
    for waiting in gate.arrivals(REQUESTS, Place::Opened).await {
        waiting.go().await;
    }
    let mut tokens = Vec::new();
    for answer in requests.join_all().await {
        assert_eq!(answer.status, StatusCode::OK, "round {round}: {answer:?}");
        let cookies = answer.set_cookies();
        assert_eq!(cookies.len(), 1, "round {round}: {answer:?}");
        tokens.push(
            cookies[0]
                .strip_prefix(RENEWED)
                .unwrap_or_else(|| panic!("{cookies:?}"))
                .to_owned(),
        );
    }
    tokens
}

/// The server, as its administrator.
enum Time {
    Redis(MultiplexedConnection),
    Postgres(PgConnection),
}

impl Time {
    async fn of(database: Database, url: &str) -> Self {
        match database {
            Database::Redis => {
                let client = redis::Client::open(url).unwrap();
                Self::Redis(client.get_multiplexed_async_connection().await.unwrap())
            }
            _ => Self::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    /// Lets an hour pass for a session's token.
    async fn age_token(&mut self, id: &SessionId) {
        let text = format!("UPDATE session.session SET renewed = created - 3600000 WHERE id = '{id}'");
        self.change(id, 26, 20, -3_600_000, text).await;
    }

    /// Lets half a minute pass for a marker.
    async fn age_marker(&mut self, id: &SessionId) {
        let text = format!("UPDATE session.marker SET until = until - 30000 WHERE id = '{id}'");
        self.change(id, 3, 3, -30_000, text).await;
    }

    /// In Redis, sets a time in a head to a little less than another one: `scripts/record.lua` says where they are.
    async fn change(&mut self, id: &SessionId, at: usize, from: usize, by: i64, sql: String) {
        match self {
            Self::Redis(redis) => {
                let [high, low] = id.tag();
                let key = format!("session:{{{high:02x}{low:02x}}}:{id}");
                let mut get = redis::cmd("HGET");
                let mut head: Vec<u8> = get.arg(&key).arg("\0h").query_async(redis).await.unwrap();
                let time = head[from - 1..from + 5]
                    .iter()
                    .fold(0, |time, byte| time << 8 | i64::from(*byte));
                head[at - 1..at + 5].copy_from_slice(&(time + by).to_be_bytes()[2..]);
                let mut set = redis::cmd("HSET");
                set.arg(&key).arg("\0h").arg(head);
                let _new: i64 = set.query_async(redis).await.unwrap();
            }
            Self::Postgres(postgres) => {
                assert_eq!(postgres.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected(), 1);
            }
        }
    }
}
