//! Settings: what is refused, what is shown.

use session_core::{Error, SessionStore};
use session_postgres::{PostgresOptions, PostgresStore};
use tokio::task::JoinSet;

use crate::{
    admin, chain, migrated, patient, patient_at, server,
    server::{PASSWORD, USER},
    session,
};

#[test]
fn only_a_postgres_url_will_do() {
    for url in [
        "mysql://app:geheim@db/app",
        "app:geheim@db/app",
        "",
        "ge-heim://db",
        "postgres://app:geheim@db:port",
    ] {
        let refused = PostgresOptions::from_url(url).unwrap_err();
        let text = chain(&refused);
        assert!(
            matches!(refused, Error::Unavailable { .. }) && refused.is_lasting(),
            "{url}: {text}"
        );
        assert!(!text.contains("heim"), "{text}");
    }
    let text = chain(&PostgresOptions::from_url("mysql://db/app").unwrap_err());
    assert!(text.contains("mysql://"), "{text}");
    for url in ["postgres://db/app", "postgresql://db/app"] {
        assert!(PostgresOptions::from_url(url).is_ok(), "{url}");
    }
}

#[test]
fn an_sslmode_that_is_none_is_told_with_those_that_there_are() {
    for url in [
        "postgres://db/app?sslmode=on",
        "postgres://db/app?application_name=web&ssl-mode=verify_full",
    ] {
        let refused = PostgresOptions::from_url(url).unwrap_err();
        let text = chain(&refused);
        assert!(
            refused.is_lasting() && text.contains("require, verify-ca, verify-full"),
            "{text}"
        );
    }
    for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
        let url = format!("postgres://db/app?sslmode={mode}");
        assert!(PostgresOptions::from_url(&url).is_ok(), "{mode}");
    }
}

#[test]
fn a_file_without_a_certificate_is_no_ca_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = PostgresOptions::from_url("postgres://db/app").unwrap();
    for text in ["", "-----BEGIN PRIVATE KEY-----"] {
        std::fs::write(&file, text).unwrap();
        let refused = PostgresStore::new(options.clone().ca_file(file.path())).unwrap_err();
        let text = chain(&refused);
        assert!(
            refused.is_lasting() && text.contains("has no certificate in PEM"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_schema_name_that_would_need_quoting_is_refused() {
    let long = "s".repeat(64);
    for name in ["", "1st", "Web", "a-b", "a b", "a\"b", "ä", "a.b", &long] {
        let options = PostgresOptions::from_url(&server().url()).unwrap().schema(name);
        let refused = PostgresStore::connect(options).await.unwrap_err();
        let text = chain(&refused);
        assert!(text.contains("cannot be the name of the schema"), "{name:?}: {text}");
    }
    // A word of SQL is no harm.
    for name in ["user", "_1", &long[1..]] {
        session(&migrated(patient(server()).schema(name)).await).await;
    }
}

#[test]
fn a_password_that_does_not_fit_into_a_url_is_taken_for_nothing_else() {
    for password in ["123/geheim", "123#geheim", "/geheim", "#geheim"] {
        let url = format!("postgres://app:{password}@db.example/shop");
        let text = chain(&PostgresOptions::from_url(&url).unwrap_err());
        assert!(!text.contains("geheim"), "{text}");
        assert!(text.contains("%2F") || text.contains("port"), "{text}");
    }
}

#[test]
fn a_password_is_never_shown() {
    let url = "postgres://app:geheim@db.example:5433/shop?application_name=web";
    let options = PostgresOptions::from_url(url).unwrap();
    let shown = format!("{options:?} {:?}", PostgresStore::new(options.clone()).unwrap());
    assert!(!shown.contains("geheim"), "{shown}");
    for part in ["db.example:5433", "\"app\"", "\"shop\"", "\"session\""] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn a_server_elsewhere_must_show_a_valid_certificate_unless_told_otherwise() {
    let tls = |url: &str| format!("{:?}", PostgresOptions::from_url(url).unwrap());
    for url in [
        "postgres://db.example/app",
        "postgres://10.0.0.1/app",
        "postgres://[2001:db8::1]/app",
    ] {
        assert!(tls(url).contains("VerifyFull"), "{url}");
    }
    for url in [
        "postgres://localhost/app",
        "postgres://127.0.0.1/app",
        "postgres://[::1]/app",
        "postgres:///app?host=/tmp",
        "postgres://%2Ftmp/app",
        "postgres://db.example/app?sslmode=prefer",
    ] {
        assert!(tls(url).contains("Prefer"), "{url}");
    }
    assert!(tls("postgres://db.example/app?application_name=x&sslmode=disable").contains("Disable"));
    let with_ca = PostgresOptions::from_url("postgres://localhost/app")
        .unwrap()
        .ca_file("ca.pem");
    assert!(format!("{with_ca:?}").contains("VerifyFull"));
}

#[tokio::test]
async fn what_no_waiting_mends_is_told_apart() {
    let url = server().url();
    let missing = "/nowhere/ca.pem";
    let unnamed = PostgresStore::new(patient_at(&url).ca_file(missing)).unwrap_err();
    assert!(
        unnamed.is_lasting() && chain(&unnamed).contains(missing),
        "{}",
        chain(&unnamed)
    );
    let refused = PostgresStore::connect(patient_at(&format!("{url}_nowhere")))
        .await
        .unwrap_err();
    let text = chain(&refused);
    assert!(refused.is_lasting() && text.contains("does not exist"), "{text}");
    // A socket may be there later.
    let early = PostgresStore::connect(patient_at("postgres:///app?host=/nowhere"))
        .await
        .unwrap_err();
    assert!(!early.is_lasting(), "{}", chain(&early));
}

#[tokio::test]
async fn a_unix_socket_will_do() {
    let socket = server().socket_folder().display();
    let port = server().port();
    let url = format!("postgres:///postgres?host={socket}&port={port}&user={USER}&password={PASSWORD}");
    let store = PostgresStore::connect(patient_at(&url)).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_connections_than_allowed() {
    let url = format!("{}?application_name=two_connections", server().url());
    let store = migrated(patient_at(&url).connections(2)).await;
    let mut reads = JoinSet::new();
    for _ in 0..50 {
        let store = store.clone();
        reads.spawn(async move { store.ping().await });
    }
    while let Some(done) = reads.join_next().await {
        done.unwrap().unwrap();
    }
    let text = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'two_connections'";
    let open: i64 = sqlx::query_scalar(text)
        .fetch_one(&mut admin(server()).await)
        .await
        .unwrap();
    assert!((1..=2).contains(&open), "{open}");
}
