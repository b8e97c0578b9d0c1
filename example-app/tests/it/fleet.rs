//! Several instances and their balancer.

use std::process::Command;

use axum::http::{Request, StatusCode};
use serde_json::json;
use sqlx::{Connection, PgConnection, raw_sql};
use tempfile::NamedTempFile;

use crate::{
    bound::{Authority, elasticache, rds},
    browser::Browser,
    database::Database,
    postgres_server,
    process::{Process, app},
    redis_server,
};

fn fleet(store: &str) -> (Process, String) {
    let mut process = Process::start(&mut app(["--instances", "3", "--port", "0", "--store", store]));
    for number in 0..3 {
        process.line_after(&format!("instance {number} listens on http://127.0.0.1:"));
    }
    let address = process.line_after("open ");
    (process, address)
}

/// A browser that logs in and reloads: the instance changes, the login stays.
async fn is_shared(address: &str) {
    let browser = Browser::new();
    browser.post(&format!("{address}/api/visits")).await.assert_ok();
    let login = browser
        .post_form(&format!("{address}/login"), "name=grace&password=compiler")
        .await;
    assert_eq!(login.status, StatusCode::SEE_OTHER);
    // One cookie is set and one removed: the balancer passes both on.
    assert_eq!(login.set_cookies().len(), 2, "{login:?}");
    assert_eq!(browser.cookies(), ["id"]);
    let mut instances = Vec::new();
    for _ in 0..6 {
        let me = browser.get(&format!("{address}/api/me")).await.json();
        assert_eq!((&me["user"], &me["visits"]), (&"grace".into(), &1.into()));
        instances.push(me["instance"].as_str().unwrap().to_owned());
    }
    // By turns, in the order in which they became ready.
    assert_eq!(instances[..3], instances[3..]);
    instances.sort();
    assert_eq!(instances, ["0", "0", "1", "1", "2", "2"]);
}

/// Its instances have the settings, as tasks and as processes, and the balancer tells them whom it heard.
async fn is_as_set(store: &str) {
    let settings = ["--idle-timeout", "8m", "--max-sessions", "1"];
    let first = ["--instances", "2", "--port", "0", "--store", store];
    let mut process = Process::start(&mut app(first.into_iter().chain(settings)));
    let address = process.line_after("open ");
    let log_in = async || {
        let login = Request::post(format!("{address}/login")).header("x-forwarded-for", "203.0.113.9");
        let browser = Browser::new();
        let status = browser.send(login, "name=ada&password=engine").await.status;
        (browser, status)
    };
    let (browser, status) = log_in().await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let page = browser.get(&address).await.text;
    assert!(page.contains("It ends 8 minutes after the last request"), "{page}");
    assert!(
        page.contains("From 127.0.0.1") && !page.contains("203.0.113.9"),
        "{page}"
    );
    for _both in 0..2 {
        assert_eq!(log_in().await.1, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn a_fleet_hands_its_settings_on() {
    is_as_set("memory").await;
    // Other tests log ada in too.
    is_as_set(&format!("{}/2", Database::Redis.url().await)).await;
}

#[tokio::test]
async fn a_fleet_shares_sessions_in_memory() {
    let (_process, address) = fleet("memory");
    is_shared(&address).await;
}

#[tokio::test]
async fn a_fleet_shares_sessions_in_redis() {
    let (_process, address) = fleet(&Database::Redis.url().await);
    is_shared(&address).await;
}

#[tokio::test]
async fn a_fleet_prepares_its_database_and_shares_sessions_in_it() {
    let url = Database::Postgres.url().await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    raw_sql("create database fleet").execute(&mut admin).await.unwrap();
    let (_process, address) = fleet(&format!("{}/fleet", url.rsplit_once('/').unwrap().0));
    is_shared(&address).await;
}

/// A fleet that is told in another way where its store is.
async fn is_shared_by(command: &mut Command) {
    let mut process = Process::start(command.args(["--instances", "3", "--port", "0"]));
    let address = process.line_after("open ");
    is_shared(&address).await;
    // Everybody on the machine can read them.
    let arguments = process.arguments_of_children();
    assert_eq!(arguments.matches("serve").count(), 3, "{arguments}");
    for secret in [redis_server::PASSWORD, postgres_server::PASSWORD] {
        assert!(!arguments.contains(secret), "{arguments}");
    }
    process.signal("-TERM");
    let ended = process.end();
    assert!(ended.succeeded && !ended.errors.contains("plain http"), "{ended:?}");
    for secret in [redis_server::PASSWORD, postgres_server::PASSWORD] {
        assert!(!format!("{ended:?}").contains(secret), "{ended:?}");
    }
}

#[tokio::test]
async fn a_fleet_hands_on_the_local_database() {
    for database in [Database::Postgres, Database::Redis] {
        is_shared_by(app(["fleet"]).env("DATABASE_URL", database.url().await)).await;
    }
}

#[tokio::test]
async fn a_fleet_hands_on_which_of_the_bound_services_it_uses() {
    let authority = Authority::new();
    let (redis, postgres) = (authority.redis(), authority.postgres());
    let services = json!({
        "aws-elasticache-redis": [
            elasticache("cache", 1, "rediss"),
            elasticache("sessions", redis.port(), "rediss"),
        ],
        "aws-rds": [rds(postgres.port())],
    });
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, services.to_string()).unwrap();
    for choice in [
        &["--service", "sessions"][..],
        &["--backend", "postgres"],
        &["--backend", "redis", "--service", "sessions"],
    ] {
        let mut command = app(choice);
        // The variable would win over what is in the file.
        command.env("VCAP_SERVICES_FILE_PATH", "/nowhere");
        command.env("STORE_URL", "redis://nowhere.invalid");
        command.arg("--vcap-services").arg(file.path());
        command.arg("--ca-file").arg(authority.file.path());
        is_shared_by(&mut command).await;
        // The same services, bound.
        let mut command = app(choice);
        command.env("VCAP_SERVICES_FILE_PATH", file.path());
        command.arg("--ca-file").arg(authority.file.path());
        is_shared_by(&mut command).await;
    }
}

#[tokio::test]
async fn a_fleet_stops_when_it_is_asked_to() {
    for signal in ["-INT", "-TERM"] {
        let (mut process, address) = fleet("memory");
        Browser::new().get(&address).await.assert_ok();
        process.signal(signal);
        let ended = process.end();
        assert!(ended.succeeded && ended.output.ends_with("stopped\n"), "{ended:?}");
        assert!(!ended.errors.contains("plain http"), "on this machine: {ended:?}");
        for number in 0..3 {
            let told = format!("instance {number} has stopped\n");
            assert!(ended.output.contains(&told), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn bodies_pass_the_balancer_whole() {
    let (_process, address) = fleet("memory");
    let browser = Browser::new();
    let text = "x".repeat(60_000);
    let kept = browser
        .post_form(&format!("{address}/notes"), &format!("text={text}"))
        .await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER);
    assert!(browser.get(&address).await.text.contains(&text));
}
