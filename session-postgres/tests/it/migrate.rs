//! Making the tables: by many at once, again, and by roles that may do little.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use session_core::{Error, SessionId, SessionStore, run_once};
use session_postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnection};
use tokio::{task::JoinSet, time::timeout};

use crate::{admin, chain, load, migrated, new_id, patient, patient_at, server, session};

#[tokio::test(flavor = "multi_thread")]
async fn eight_instances_may_do_it_at_once_and_again() {
    for round in 0..13 {
        let mut instances = JoinSet::new();
        for _ in 0..8 {
            let options = patient(server()).schema(format!("at_once_{round}"));
            instances.spawn(async move {
                let store = PostgresStore::new(options)?;
                store.migrate().await?;
                session(&store).await;
                store.migrate().await
            });
        }
        while let Some(done) = instances.join_next().await {
            done.unwrap().unwrap();
        }
    }
    let versions = sqlx::query_scalar("SELECT version FROM at_once_0.migration ORDER BY version");
    let versions: Vec<i32> = versions.fetch_all(&mut admin(server()).await).await.unwrap();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

/// Makes the tables as the first version of this crate did.
async fn make_version_1(connection: &mut PgConnection, schema: &str) {
    let first = include_str!("../../src/migrations/0001_session_and_marker.sql");
    let text = format!(
        "CREATE TABLE {schema}.migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
         {};
         INSERT INTO {schema}.migration (version) VALUES (1)",
        first.replace("{schema}", schema).replace("{bucket_ms}", "600000")
    );
    connection.execute(AssertSqlSafe(text)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_is_brought_up_to_date_while_instances_work_on_it() {
    let mut admin = admin(server()).await;
    admin.execute("CREATE SCHEMA first_version").await.unwrap();
    make_version_1(&mut admin, "first_version").await;
    let store = PostgresStore::connect(patient(server()).schema("first_version"))
        .await
        .unwrap();
    assert!(!store.is_migrated().await.unwrap());
    let create = "INSERT INTO first_version.session
        (id, data, version, user_id, created, last_seen, idle_timeout, absolute_end)
        SELECT $1, '{\"key\": \"1\"}', 1, 'alice', ms, ms, 3600000, ms + 3600000
        FROM (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms) AS clock";
    let (id, passing) = (new_id(), new_id());
    let uuid = |id: &SessionId| uuid::Uuid::from_bytes(*id.as_bytes());
    let [id_there, passing] = [uuid(&id), uuid(&passing)];
    sqlx::query(create).bind(id_there).execute(&mut admin).await.unwrap();

    // An instance of that version, whose statements name the columns it knows.
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let working = tokio::spawn(async move {
        let mut rounds = 0;
        while !over.load(Ordering::SeqCst) || rounds < 100 {
            for (text, id) in [
                (create, passing),
                (
                    "UPDATE first_version.session SET last_seen = last_seen + 1 WHERE id = $1",
                    id_there,
                ),
                ("DELETE FROM first_version.session WHERE id = $1", passing),
            ] {
                let done = sqlx::query(text).bind(id).execute(&mut admin).await.unwrap();
                assert_eq!(done.rows_affected(), 1);
            }
            rounds += 1;
        }
    });
    let mut instances = JoinSet::new();
    for _ in 0..8 {
        let store = PostgresStore::new(patient(server()).schema("first_version")).unwrap();
        instances.spawn(async move {
            store.migrate().await?;
            assert!(store.is_migrated().await?);
            run_once(&store, "set up", || async { Ok(()) }).await
        });
    }
    let mut here = 0;
    while let Some(done) = instances.join_next().await {
        here += usize::from(done.unwrap().unwrap());
    }
    is_over.store(true, Ordering::SeqCst);
    working.await.unwrap();
    assert_eq!(here, 1);
    assert!(load(&store, &id).await.is_some());
    assert!(store.is_migrated().await.unwrap());
}

/// A transaction that reads and stays open, as a dump does.
async fn reader(schema: &str) -> PgConnection {
    let mut reader = admin(server()).await;
    let text = format!("BEGIN; SELECT FROM {schema}.session");
    reader.execute(AssertSqlSafe(text)).await.unwrap();
    reader
}

async fn until_it_waits_for_a_lock(admin: &mut PgConnection, schema: &str) {
    let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = to_regclass($1 || '.session')
                 AND mode = 'AccessExclusiveLock' AND NOT granted)";
    let waiting = async {
        let mut waits_now = false;
        while !waits_now {
            let asked = sqlx::query_scalar(waits).bind(schema).fetch_one(&mut *admin);
            waits_now = asked.await.unwrap();
        }
    };
    timeout(Duration::from_secs(30), waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_served_while_a_reader_keeps_the_tables_as_they_are() {
    let mut admin = admin(server()).await;
    admin.execute("CREATE SCHEMA being_read").await.unwrap();
    make_version_1(&mut admin, "being_read").await;
    let mut reader = reader("being_read").await;
    let store = PostgresStore::new(patient(server()).schema("being_read")).unwrap();
    let migrating = tokio::spawn(async move { store.migrate().await });

    // An instance of that version works on, also after the migration has been in the way several times.
    let mut instance = crate::admin(server()).await;
    instance.execute("SET statement_timeout = '10s'").await.unwrap();
    for _time in 0..3 {
        until_it_waits_for_a_lock(&mut admin, "being_read").await;
        let work = "UPDATE being_read.session SET last_seen = last_seen";
        instance.execute(work).await.unwrap();
    }
    assert!(!migrating.is_finished());
    reader.execute("ROLLBACK").await.unwrap();
    migrating.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_that_does_not_end_is_told() {
    let mut admin = admin(server()).await;
    admin.execute("CREATE SCHEMA read_for_ever").await.unwrap();
    make_version_1(&mut admin, "read_for_ever").await;
    let mut reader = reader("read_for_ever").await;
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut reader)
        .await
        .unwrap();
    let store = PostgresStore::new(patient(server()).schema("read_for_ever")).unwrap();
    let refused = store.migrate().await.unwrap_err();
    assert!(
        matches!(refused, Error::Unavailable { .. }) && !refused.is_lasting(),
        "{refused:?}"
    );
    let text = chain(&refused);
    assert!(
        text.contains(&format!("is open (of the server's process {process})")),
        "{text}"
    );
}

#[tokio::test]
async fn a_role_that_made_the_first_version_can_bring_it_up_to_date() {
    let mut admin = admin(server()).await;
    for text in [
        "CREATE ROLE frugal LOGIN PASSWORD 'frugal'",
        "CREATE SCHEMA made_for_frugal",
        "GRANT USAGE, CREATE ON SCHEMA made_for_frugal TO frugal",
    ] {
        admin.execute(text).await.unwrap();
    }
    let url = server().url_as("frugal", "frugal");
    make_version_1(&mut PgConnection::connect(&url).await.unwrap(), "made_for_frugal").await;
    let store = migrated(patient_at(&url).schema("made_for_frugal")).await;
    assert!(store.is_migrated().await.unwrap());
    assert!(run_once(&store, "set up", || async { Ok(()) }).await.unwrap());
}

#[tokio::test]
async fn whether_the_tables_are_up_to_date_can_be_asked_before_they_are_there() {
    let store = PostgresStore::new(patient(server()).schema("asked_early")).unwrap();
    assert!(!store.is_migrated().await.unwrap());
    let mut admin = admin(server()).await;
    admin.execute("CREATE SCHEMA asked_early").await.unwrap();
    assert!(!store.is_migrated().await.unwrap());
    store.migrate().await.unwrap();
    assert!(store.is_migrated().await.unwrap());
    // A newer instance has been here.
    for text in [
        "INSERT INTO asked_early.migration (version) VALUES (1000)",
        "DELETE FROM asked_early.migration WHERE version < 1000",
    ] {
        admin.execute(text).await.unwrap();
        assert!(store.is_migrated().await.unwrap());
    }
    let away = PostgresOptions::from_url("postgres://app@127.0.0.1:1/app").unwrap();
    let away = PostgresStore::new(away).unwrap().is_migrated().await;
    assert!(matches!(away, Err(Error::Unavailable { .. })), "{away:?}");
}

#[tokio::test]
async fn a_role_that_may_not_create_schemas_can_do_it_in_one_that_is_there() {
    let mut admin = admin(server()).await;
    for text in [
        "CREATE ROLE modest LOGIN PASSWORD 'modest'",
        "CREATE SCHEMA made_for_modest",
        "GRANT USAGE, CREATE ON SCHEMA made_for_modest TO modest",
    ] {
        admin.execute(text).await.unwrap();
    }
    let options = patient_at(&server().url_as("modest", "modest"));
    let store = PostgresStore::connect(options.clone().schema("made_for_modest"))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    session(&store).await;

    let refused = PostgresStore::new(options.schema("not_there"))
        .unwrap()
        .migrate()
        .await
        .unwrap_err();
    assert!(refused.is_lasting(), "{refused:?}");
    let text = chain(&refused);
    assert!(
        text.contains("let it create schemas in this database, or make the schema"),
        "{text}"
    );
}

#[tokio::test]
async fn a_failure_releases_the_lock_and_leaves_nothing() {
    let mut admin = admin(server()).await;
    // The table of the first migration is in the way.
    for text in ["CREATE SCHEMA in_the_way", "CREATE TABLE in_the_way.marker (a int)"] {
        admin.execute(text).await.unwrap();
    }
    let store = PostgresStore::new(patient(server()).schema("in_the_way")).unwrap();
    let refused = store.migrate().await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }), "{refused:?}");
    admin.execute("DROP TABLE in_the_way.marker").await.unwrap();
    store.migrate().await.unwrap();
    session(&store).await;
}

#[tokio::test]
async fn what_a_newer_version_made_is_left_as_it_is() {
    let store = PostgresStore::new(patient(server()).schema("newer")).unwrap();
    store.migrate().await.unwrap();
    let mut admin = admin(server()).await;
    admin
        .execute("INSERT INTO newer.migration (version) VALUES (1000)")
        .await
        .unwrap();
    store.migrate().await.unwrap();
    session(&store).await;
}

#[tokio::test]
async fn a_store_without_tables_says_what_to_do() {
    let store = PostgresStore::new(patient(server()).schema("never_made")).unwrap();
    let refused = store.touch(&new_id()).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }));
    let text = chain(&refused);
    assert!(
        text.contains("call PostgresStore::migrate()") && text.contains("\"never_made\""),
        "{text}"
    );
}
