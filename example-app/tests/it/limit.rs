//! Twenty logins of one user at once, by twenty browsers on two instances, where two sessions are allowed: 100 rounds
//! on each store, half of them where the newest sessions stay and half where the first do.
//!
//! In each round the logins wait in their handlers until all of them are there, so every round is a real overlap.

use axum::http::{Request, StatusCode};
use tokio::task::JoinSet;

use crate::{
    browser::Browser,
    database::Database,
    gate::{Gate, Place},
    process::{self, Process},
};

const ROUNDS: usize = 100;
const LOGINS: usize = 20;
const ALLOWED: usize = 2;

#[tokio::test]
async fn p10_twenty_logins_at_once_do_not_exceed_the_limit_over_redis() {
    rounds(Database::Redis).await;
}

#[tokio::test]
async fn p10_twenty_logins_at_once_do_not_exceed_the_limit_over_postgres() {
    rounds(Database::Postgres).await;
}

async fn rounds(database: Database) {
    let url = database.url().await;
    let instances = [process::race_app("ours", &url), process::race_app("ours", &url)];
    for round in 0..ROUNDS {
        let class = ["first", "newest"][round % 2];
        let user = format!("user{round}");
        let statuses = log_in_at_once(&instances, &user, class, round).await;
        let mut live = 0;
        for (browser, status) in statuses {
            let state = browser.get(&format!("{}/state", instances[round % 2].1)).await.json();
            let is_live = state["user"] == user.as_str();
            live += usize::from(is_live);
            match class {
                // Who was let in stays, and who was refused is not.
                "first" => assert_eq!(is_live, status == StatusCode::OK, "round {round}: {status}"),
                _ => assert!(status == StatusCode::OK || !is_live, "round {round}: {status}"),
            }
            assert!(
                [StatusCode::OK, StatusCode::CONFLICT].contains(&status),
                "round {round}: {status}"
            );
        }
        assert_eq!(live, ALLOWED, "round {round}, {class}");
    }
}

/// Twenty browsers, half of them visitors with a session, and what their logins were answered.
async fn log_in_at_once(
    instances: &[(Process, String); 2],
    user: &str,
    class: &str,
    round: usize,
) -> Vec<(Browser, StatusCode)> {
    let gate = Gate::new().await;
    let mut logins = JoinSet::new();
    for number in 0..LOGINS {
        let browser = Browser::new();
        let url = &instances[(round + number) % 2].1;
        if number % 4 < 2 {
            browser.post(&format!("{url}/write/start/yes")).await;
        }
        let request = gate.hold(Request::post(format!("{url}/login/{user}/{class}")), Place::Opened);
        logins.spawn(async move {
            let answer = browser.send(request, "").await;
            (browser, answer.status)
        });
    }
    let waiting = gate.arrivals(LOGINS, Place::Opened).await;
    for login in waiting {
        login.go().await;
    }
    logins.join_all().await
}
