//! When an instance is ready, and how it stops.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use session_postgres::PostgresStore;
use sqlx::{Connection, PgConnection, query, query_scalar, raw_sql};

use crate::{
    browser::Browser,
    database::Database,
    postgres_server,
    process::{Process, app},
    redis_server,
};

/// What the app's own set-up work logs.
pub(crate) const SET_UP: &str = "loaded the agency contacts";

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

#[test]
fn a_task_whose_output_nobody_reads_does_its_work() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = app(["migrate", "--store", "memory"]).stdout(writer).status();
    assert!(status.unwrap().success());
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
    assert_eq!(
        told["store"], "the session store is not available",
        "and not where it is"
    );
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
    assert_eq!(answer.headers["connection"], "close", "the next request goes elsewhere");
    assert!(process.end().succeeded);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

/// A connection to look behind the app's back, with a transaction that has begun.
async fn transaction(url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    raw_sql("begin").execute(&mut connection).await.unwrap();
    connection
}

/// Waits until a statement of the app's waits for a lock; the server's processes that do.
async fn until_some_wait(url: &str) -> Vec<i32> {
    let mut admin = PgConnection::connect(url).await.unwrap();
    let waiting = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                   and application_name = 'session-postgres'";
    let begin = Instant::now();
    loop {
        let found: Vec<i32> = query_scalar(waiting).fetch_all(&mut admin).await.unwrap();
        if !found.is_empty() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "nothing waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn two_instances_with_the_number_0_prepare_an_empty_database_once() {
    let url = unprepared("twice_zero").await;
    let instances = [(); 2].map(|()| instance(Some("0"), &url));
    for (_, address) in &instances {
        until_ready(address).await;
    }
    let mut errors = String::new();
    for (mut process, _) in instances {
        process.signal("-TERM");
        errors += &process.end().errors;
    }
    assert_eq!(errors.matches(SET_UP).count(), 1, "{errors}");
    assert_eq!(
        errors.matches("made the tables").count(),
        5,
        "one for each version: {errors}"
    );
}

#[tokio::test]
async fn another_instance_finishes_the_set_up_work_of_one_that_died() {
    let url = unprepared("half_way").await;
    PostgresStore::connect(&*url).await.unwrap().migrate().await.unwrap();
    // The end of the work cannot be recorded while this transaction is open.
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let block = "create function block() returns trigger language plpgsql as
                 'begin perform pg_advisory_xact_lock(1); return new; end';
                 create trigger block before update on session.work for each row when (old.done is distinct from
                 new.done) execute function block()";
    raw_sql(block).execute(&mut admin).await.unwrap();
    let mut blocking = transaction(&url).await;
    raw_sql("select pg_advisory_xact_lock(1)")
        .execute(&mut blocking)
        .await
        .unwrap();

    let mut command = app(["serve", "--port", "0", "--store", &url, "--store-timeout", "60s"]);
    let mut dying = Process::start(command.env("CF_INSTANCE_INDEX", "0"));
    let address = dying.line_after("listens on ");
    let waiting = until_some_wait(&url).await;
    assert_eq!(readiness(&address).await, StatusCode::SERVICE_UNAVAILABLE);
    dying.signal("-KILL");
    // What the server still does for it would be recorded after its death.
    for process in waiting {
        query("select pg_terminate_backend($1)")
            .bind(process)
            .execute(&mut admin)
            .await
            .unwrap();
    }
    assert_eq!(dying.end().errors.matches(SET_UP).count(), 1);
    raw_sql("rollback").execute(&mut blocking).await.unwrap();

    let (mut process, address) = instance(Some("1"), &url);
    until_ready(&address).await;
    process.signal("-TERM");
    let ended = process.end();
    assert_eq!(ended.errors.matches(SET_UP).count(), 1, "{ended:?}");
}

#[tokio::test]
async fn a_request_under_way_is_answered_by_an_instance_that_is_stopped() {
    let url = unprepared("under_way").await;
    let mut command = app(["serve", "--port", "0", "--store", &url, "--store-timeout", "60s"]);
    let mut process = Process::start(&mut command);
    let address = process.line_after("listens on ");
    until_ready(&address).await;
    let browser = Browser::new();
    let visits = format!("{address}/api/visits");
    browser.post(&visits).await.assert_ok();

    let mut locking = transaction(&url).await;
    raw_sql("select from session.session for update")
        .execute(&mut locking)
        .await
        .unwrap();
    let visit = browser.clone();
    let under_way = tokio::spawn(async move { visit.post(&visits).await });
    until_some_wait(&url).await;
    process.signal("-TERM");
    // Until it takes no more requests.
    let begin = Instant::now();
    let (_, at) = address.split_once("//").unwrap();
    while std::net::TcpStream::connect(at).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!under_way.is_finished());
    raw_sql("rollback").execute(&mut locking).await.unwrap();
    let answer = under_way.await.unwrap();
    assert_eq!((answer.status, &answer.json()["visits"]), (StatusCode::OK, &2.into()));
    assert_eq!(answer.headers["connection"], "close");
    assert!(process.end().succeeded);
}
