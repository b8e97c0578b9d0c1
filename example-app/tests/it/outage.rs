//! A store that goes away while the app runs: 503 in time, and all is well when it is back, with no restart.

use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use session_postgres::PostgresStore;

use crate::{
    browser::Browser,
    postgres_server,
    process::{self, Process, app},
    ready, redis_server,
};

#[tokio::test]
async fn postgres_may_be_killed() {
    let mut server = postgres_server::Server::start();
    let url = server.url();
    PostgresStore::connect(&*url).await.unwrap().migrate().await.unwrap();
    let (_process, address) = process::serve("A", &url);
    let browser = visitor(&address).await;
    server.kill();
    is_unavailable(&browser, &address).await;
    server.restart();
    works_again(&browser, &address).await;
    // What was committed is there: this is the third visit at least.
    assert!(visits(&browser, &address).await >= 3);
}

#[tokio::test]
async fn postgres_may_freeze() {
    let server = postgres_server::Server::start();
    let url = server.url();
    PostgresStore::connect(&*url).await.unwrap().migrate().await.unwrap();
    let (_process, address) = process::serve("A", &url);
    let browser = visitor(&address).await;
    server.freeze();
    is_unavailable(&browser, &address).await;
    server.thaw();
    works_again(&browser, &address).await;
}

#[tokio::test]
async fn redis_may_be_killed() {
    let mut server = redis_server::Server::start();
    let (_process, address) = process::serve("A", &server.url());
    let browser = visitor(&address).await;
    server.kill();
    is_unavailable(&browser, &address).await;
    server.restart();
    works_again(&browser, &address).await;
}

#[tokio::test]
async fn redis_may_freeze() {
    let server = redis_server::Server::start();
    let (_process, address) = process::serve("A", &server.url());
    let browser = visitor(&address).await;
    server.freeze();
    is_unavailable(&browser, &address).await;
    server.thaw();
    works_again(&browser, &address).await;
}

#[tokio::test]
async fn an_instance_that_starts_while_postgres_is_away_waits_for_it() {
    let mut server = postgres_server::Server::start();
    server.kill();
    let (_process, address) = process::serve("A", &server.url());
    waits(&address, server.port()).await;
    server.restart();
    serves(&address).await;
}

#[tokio::test]
async fn an_instance_that_starts_while_redis_is_away_waits_for_it() {
    let mut server = redis_server::Server::start();
    server.kill();
    let (_process, address) = process::serve("A", &server.url());
    waits(&address, server.port()).await;
    server.restart();
    serves(&address).await;
}

#[tokio::test]
async fn an_instance_ends_when_the_store_it_waited_for_lets_nobody_in() {
    let mut server = redis_server::Server::start();
    server.kill();
    let (mut process, address) = process::serve("A", &server.url_as("somebody", "secret"));
    waits(&address, server.port()).await;
    server.restart();
    let ended = process.end();
    let told = ended.errors.lines().last().unwrap();
    assert!(!ended.succeeded && told.starts_with("error: "), "{ended:?}");
    assert!(
        told.contains("let nobody in") && !ended.errors.contains("secret"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn requests_wait_for_the_store_as_long_as_they_are_told_to() {
    // Longer than what is usual, of which a command has half, as here.
    let told = ["--store-timeout", "5s"];
    let (redis, postgres) = (redis_server::Server::start(), postgres_server::Server::start());
    let mut fleet = Process::start(&mut app(["--port", "0", "--instances", "1", "--store", &redis.url()]
        .into_iter()
        .chain(told)));
    let over_redis = fleet.line_after("open ");
    let (_process, over_postgres) = process::serve_with("A", &postgres.url(), &told);
    ready::until_ready(&over_postgres).await;
    for address in [&over_redis, &over_postgres] {
        let browser = visitor(address).await;
        redis.freeze();
        postgres.freeze();
        let begin = Instant::now();
        let answer = browser.get(&format!("{address}/api/me")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(begin.elapsed() > Duration::from_millis(2400), "{:?}", begin.elapsed());
        redis.thaw();
        postgres.thaw();
    }
}

/// It runs, and is not ready, and says what it waits for; a page is answered as in any outage.
async fn waits(address: &str, port: u16) {
    let browser = Browser::new();
    browser.get(&format!("{address}/healthz")).await.assert_ok();
    ready::until_it_waits_for(address, &format!("at 127.0.0.1:{port} cannot be reached")).await;
    let page = browser.get(address).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{page:?}");
    assert_eq!(page.headers[header::RETRY_AFTER], "1");
}

/// It is ready by itself, and logs users in.
async fn serves(address: &str) {
    ready::until_ready(address).await;
    let browser = Browser::new();
    let login = format!("{address}/login");
    browser.post_form(&login, "name=ada&password=engine").await;
    let me = browser.get(&format!("{address}/api/me")).await.json();
    assert_eq!(me["user"], "ada");
}

/// A browser with a session.
async fn visitor(address: &str) -> Browser {
    let browser = Browser::new();
    assert_eq!(visits(&browser, address).await, 1);
    browser
}

async fn visits(browser: &Browser, address: &str) -> u64 {
    let answer = browser.post(&format!("{address}/api/visits")).await;
    answer.json()["visits"].as_u64().unwrap()
}

/// Whatever needs the session is answered by 503 within the two seconds that the app gives its store, and a little for
/// a busy machine; the browser keeps its cookie. What needs none works.
async fn is_unavailable(browser: &Browser, address: &str) {
    for _ in 0..3 {
        let started = Instant::now();
        let answer = browser.get(&format!("{address}/api/me")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert_eq!(answer.headers[header::RETRY_AFTER], "1");
        assert!(answer.set_cookies().is_empty(), "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    assert_eq!(browser.cookies(), ["visitor"]);
    browser.get(&format!("{address}/healthz")).await.assert_ok();
}

async fn works_again(browser: &Browser, address: &str) {
    let started = Instant::now();
    loop {
        let answer = browser.post(&format!("{address}/api/visits")).await;
        if answer.status == StatusCode::OK {
            return;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it does not recover: {answer:?}"
        );
        // As Retry-After asks, and sooner.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
