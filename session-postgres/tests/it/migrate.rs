//! Making the tables: by many at once, again, and by roles that may do little.

use session_core::{Error, SessionStore};
use session_postgres::PostgresStore;
use sqlx::Executor;
use tokio::task::JoinSet;

use crate::{admin, chain, new_id, patient, patient_at, server, session};

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
    assert_eq!(versions, [1]);
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
    assert!(matches!(refused, Error::Unavailable { .. }));
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
