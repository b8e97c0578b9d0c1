//! A store that goes away while the app runs: 503 in time, and all is well when it is back, with no restart.

use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use session_postgres::PostgresStore;

use crate::{browser::Browser, postgres_server, process, redis_server};

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
