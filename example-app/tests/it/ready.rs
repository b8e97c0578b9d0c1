//! When an instance is ready, and how it stops.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sqlx::{Connection, PgConnection, raw_sql};

use crate::{
    browser::Browser,
    database::Database,
    postgres_server,
    process::{Process, app},
    redis_server,
};

/// What the app's own set-up work logs.
const SET_UP: &str = "loaded the agency contacts";

/// A database that nobody has prepared.
async fn unprepared(name: &str) -> String {
    let url = Database::Postgres.url().await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    raw_sql(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&mut admin)
        .await
        .unwrap();
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

/// Starts an instance with this number, or none.
fn instance(index: Option<&str>, store: &str) -> (Process, String) {
    let mut command = app(["serve", "--port", "0", "--store", store]);
    command.envs(index.map(|index| ("CF_INSTANCE_INDEX", index)));
    let mut process = Process::start(&mut command);
    let address = process.line_after("listens on ");
    (process, address)
}

async fn readiness(address: &str) -> StatusCode {
    Browser::new().get(&format!("{address}/readyz")).await.status
}

pub(crate) async fn until_ready(address: &str) {
    let begin = Instant::now();
    while readiness(address).await != StatusCode::OK {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// It is not ready, and says why.
pub(crate) async fn until_it_waits_for(address: &str, reason: &str) {
    let begin = Instant::now();
    loop {
        let waiting = Browser::new().get(&format!("{address}/readyz")).await;
        assert_eq!(waiting.status, StatusCode::SERVICE_UNAVAILABLE, "{waiting:?}");
        if waiting.text.contains(reason) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{waiting:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_instance_waits_for_number_0_to_prepare_the_database() {
    let url = unprepared("waits").await;
    let (_one, one) = instance(Some("1"), &url);
    until_it_waits_for(&one, "left to instance 0").await;
    Browser::new().get(&format!("{one}/healthz")).await.assert_ok();
    let (_zero, zero) = instance(Some("0"), &url);
    until_ready(&zero).await;
    until_ready(&one).await;
    assert_eq!(Browser::new().get(&one).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_prepares_the_database_if_number_0_never_does() {
    let url = unprepared("orphaned").await;
    let (_one, one) = instance(Some("1"), &url);
    until_ready(&one).await;
}

#[tokio::test]
async fn a_task_does_all_there_is_to_prepare() {
    let redis = redis_server::Server::start();
    for url in [unprepared("task").await, redis.url()] {
        let mut set_up = Vec::new();
        for _ in 0..2 {
            let ended = Process::start(&mut app(["migrate", "--store", &url])).end();
            assert!(
                ended.succeeded && ended.output.starts_with("the store is ready"),
                "{ended:?}"
            );
            set_up.push(ended.errors.matches(SET_UP).count());
        }
        assert_eq!(set_up, [1, 0], "how often the set-up work was done");
        let (mut process, address) = instance(Some("3"), &url);
        until_ready(&address).await;
        process.signal("-TERM");
        let ended = process.end();
        assert!(!ended.errors.contains(SET_UP), "nothing was left to do: {ended:?}");
    }
}

#[tokio::test]
async fn a_ready_instance_stays_ready_while_its_store_is_away_and_says_so() {
    let mut server = postgres_server::Server::start();
    let (_process, address) = instance(None, &server.url());
    until_ready(&address).await;
    let status = async || Browser::new().get(&format!("{address}/status")).await.json();
    assert_eq!(
        (&status().await["store"], &status().await["phase"]),
        (&"ok".into(), &"ready".into())
    );
    server.kill();
    let told = status().await;
    assert!(told["store"].as_str().unwrap().contains("not available"), "{told}");
    assert_eq!(readiness(&address).await, StatusCode::OK);
    Browser::new().get(&format!("{address}/healthz")).await.assert_ok();
}

#[tokio::test]
async fn an_instance_that_is_stopped_says_so_finishes_and_ends() {
    let (mut process, address) = instance(None, "memory");
    until_ready(&address).await;
    process.signal("-TERM");
    let begin = Instant::now();
    // It is there a moment longer, for whoever balances to find out.
    while readiness(&address).await != StatusCode::SERVICE_UNAVAILABLE {
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
    let answer = Browser::new().get(&address).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(process.end().succeeded);
    assert!(begin.elapsed() < Duration::from_secs(10));
}
