//! What is wrong is told in a clear sentence, without the password in the URL.

use std::{net::TcpListener, process::Command};

use axum::http::{Request, StatusCode, header};
use serde_json::json;
use sqlx::{Connection, PgConnection, raw_sql};

use crate::{
    browser::Browser,
    database::Database,
    process::{Process, app, serve},
};

/// Runs the app to its end, which must be a failure, and returns what it says.
fn failure(arguments: &[&str]) -> String {
    ends_with_error(&mut app(arguments))
}

fn ends_with_error(command: &mut Command) -> String {
    let ended = Process::start(command).end();
    assert!(!ended.succeeded && !ended.errors.contains("secret"), "{ended:?}");
    // The last line; there may be warnings before it.
    let error = ended
        .errors
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("error: "));
    error.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

#[test]
fn an_unknown_store_is_refused_with_the_known_ones() {
    for command in ["fleet", "serve", "migrate"] {
        let errors = failure(&[command, "--store", "mysql://app:secret@127.0.0.1/app"]);
        assert!(errors.contains("there is no store for mysql://"), "{errors}");
        assert!(
            errors.contains("memory, redis://…, rediss://… or postgres://…"),
            "{errors}"
        );
    }
    failure(&["--store", "postgres//app:secret@127.0.0.1/app"]);
}

#[test]
fn a_url_that_cannot_be_used_is_told_by_the_variable_that_it_is_in() {
    for (url, expected) in [
        ("mysql://app:secret@127.0.0.1/app", "there is no store for mysql://"),
        (
            "postgres://app:secret@127.0.0.1/app?sslmode=on",
            "the sslmode of a PostgreSQL URL is one of",
        ),
    ] {
        for (variable, named) in [("DATABASE_URL", "DATABASE_URL"), ("STORE_URL", "--store or STORE_URL")] {
            let error = ends_with_error(app(["serve", "--port", "0"]).env(variable, url));
            assert!(error.starts_with(named) && error.contains(expected), "{error}");
        }
    }
}

#[test]
fn a_store_that_is_not_there_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["redis", "postgres"] {
        let store = format!("{scheme}://app:secret@{closed}/0");
        // An instance of its own waits for it: the module `outage` sees to that.
        for command in [&["fleet", "--port", "0"][..], &["migrate"]] {
            let errors = failure(&[command, &["--store", &store]].concat());
            assert!(errors.contains("the session store is not available"), "{errors}");
            assert!(
                errors.contains(&closed.to_string()) && errors.contains("refused"),
                "{errors}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    for (database, reason) in [
        (Database::Postgres, "password authentication failed"),
        (Database::Redis, "Password authentication failed"),
    ] {
        let url = database.url().await;
        let (scheme, rest) = url.split_once("://").unwrap();
        let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
        let store = format!("{scheme}://somebody:secret@{server}");
        let errors = failure(&["serve", "--port", "0", "--store", &store]);
        assert!(errors.contains(reason), "{errors}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_make_the_tables_is_told() {
    let url = Database::Postgres.url().await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    raw_sql("create role modest login password 'secret'")
        .execute(&mut admin)
        .await
        .unwrap();
    let (_, server) = url.rsplit_once('@').unwrap();
    let store = format!("postgres://modest:secret@{server}");
    // It does not wait for what only somebody else can give it.
    let errors = failure(&["serve", "--port", "0", "--store", &store, "--prefix", "modest"]);
    assert!(errors.contains("let it create schemas in this database"), "{errors}");
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in ["fleet", "serve"] {
        let errors = failure(&[command, "--port", &port]);
        assert!(
            errors.contains(&format!(
                "port {port} of 127.0.0.1 is in use: choose another with --port"
            )),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn cookies_that_nobody_issued_open_nothing() {
    for database in [Database::Memory, Database::Postgres, Database::Redis] {
        let (_process, address) = serve("A", &database.url().await);
        let nobody = json!({"user": null, "instance": "A", "visits": 0, "session": null});
        let forged = "A".repeat(43);
        let four = format!(
            "id={forged}; id={}; visitor={}; visitor={}",
            "B".repeat(43),
            "C".repeat(42),
            "=;="
        );
        let long = format!("id={}", "x".repeat(10_000));
        let lines: [&[u8]; 6] = [
            b"id=\xff\xfe\x80; visitor=\xc3\x28",
            b"id; =; ;;;",
            b"id=\"\xf0\x9f\x8d\xaa\"",
            forged.as_bytes(),
            four.as_bytes(),
            long.as_bytes(),
        ];
        for line in lines {
            let url = format!("{address}/api/me");
            let request = || Request::get(&url).header(header::COOKIE, line);
            let answer = Browser::new().send(request(), "").await;
            assert_eq!((answer.status, answer.json()), (StatusCode::OK, nobody.clone()));
            assert!(answer.set_cookies().is_empty(), "{answer:?}");
        }
        // Whoever brings a forged token gets a new one with the first write.
        let browser = Browser::new();
        browser.set_cookie("id", &forged);
        assert_eq!(browser.post(&format!("{address}/api/visits")).await.json()["visits"], 1);
        assert_eq!(browser.post(&format!("{address}/api/visits")).await.json()["visits"], 2);
        assert_eq!(browser.cookies(), ["id", "visitor"]);
    }
}

#[tokio::test]
async fn a_value_too_large_is_refused_by_its_name() {
    for database in [Database::Memory, Database::Postgres, Database::Redis] {
        let (_process, address) = serve("A", &database.url().await);
        let browser = Browser::new();
        let note = format!("text={}", "x".repeat(1 << 20));
        let answer = browser.post_form(&format!("{address}/notes"), &note).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(answer.text.contains("the session key \"note:"), "{answer:?}");
        assert!(
            answer.text.contains("\" has 1048578 bytes, and 65536 are allowed"),
            "{answer:?}"
        );
        assert!(browser.cookies().is_empty());
    }
}
