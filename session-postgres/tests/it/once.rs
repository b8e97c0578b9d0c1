//! Work that is done once: what is in the table, and what a server that goes away does to it.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use session_core::{Claim, Claimed, Error, OnceStore, SessionStore, run_once};
use session_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::{admin, chain, migrated, new_id, patient, patient_at, server, server::Server, session, store};

const LEASE: Duration = Duration::from_secs(60);

fn new_work() -> String {
    format!("work {}", new_id())
}

#[tokio::test]
async fn work_is_a_row() {
    let (store, mut admin) = (store().await, admin(server()).await);
    let work = new_work();
    let claim = Claim::new(&*work).unwrap();
    store.claim(&claim, LEASE).await.unwrap();

    let text = format!("SELECT claim::text, until, done FROM session.work WHERE name = '{work}'");
    let row = admin.fetch_one(AssertSqlSafe(&*text)).await.unwrap();
    assert_eq!(
        row.get::<String, _>("claim").replace('-', ""),
        format!("{:032x}", claim.id())
    );
    let now = time::OffsetDateTime::now_utc().unix_timestamp() * 1000;
    let until: i64 = row.get("until");
    assert!(
        (40_000..=61_000).contains(&(until - now)),
        "{until} is not a minute after {now}"
    );
    assert_eq!(row.get::<Option<i64>, _>("done"), None);

    assert!(store.finish(&claim).await.unwrap());
    let row = admin.fetch_one(AssertSqlSafe(&*text)).await.unwrap();
    let done: i64 = row.get("done");
    assert!((done - now).abs() < 20_000, "{done} is not just after {now}");
    assert!(store.finish(&claim).await.unwrap());
    let row = admin.fetch_one(AssertSqlSafe(&*text)).await.unwrap();
    assert_eq!(row.get::<i64, _>("done"), done, "the first end counts");
}

#[tokio::test]
async fn a_row_written_by_hand_is_done_work() {
    let (store, mut admin) = (store().await, admin(server()).await);
    let row = "INSERT INTO session.work VALUES ('by hand: 1', '630dcd29-66c4-3366-9112-5448bbb20001', 0, 1)";
    admin.execute(row).await.unwrap();
    assert!(
        !run_once(&store, "by hand: 1", || async { panic!("it is done") })
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_store_without_the_table_says_what_to_do() {
    let store = PostgresStore::new(patient(server()).schema("no_work")).unwrap();
    let refused = store.claim(&Claim::new("work").unwrap(), LEASE).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }));
    let text = chain(&refused);
    assert!(text.contains("call PostgresStore::migrate()"), "{text}");
}

#[tokio::test]
async fn a_purge_leaves_work_alone() {
    let store = migrated(patient(server()).schema("work_purge")).await;
    let claim = Claim::new("work").unwrap();
    assert_eq!(store.claim(&claim, LEASE).await.unwrap(), Claimed::Mine);
    assert!(run_once(&store, "more work", || async { Ok(()) }).await.unwrap());
    assert_eq!(store.purge(100).await.unwrap(), 0);
    assert!(store.finish(&claim).await.unwrap());
    assert!(
        !run_once(&store, "more work", || async { panic!("it is done") })
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn schemas_have_work_of_their_own() {
    let work = new_work();
    for schema in ["session", "work_elsewhere"] {
        let store = migrated(patient(server()).schema(schema)).await;
        assert!(run_once(&store, &work, || async { Ok(()) }).await.unwrap(), "{schema}");
    }
}

#[tokio::test]
async fn a_role_with_rights_on_rows_only_can_do_work() {
    drop(migrated(patient(server()).schema("work_on_rows")).await);
    let mut admin = admin(server()).await;
    for text in [
        "CREATE ROLE work_on_rows LOGIN PASSWORD 'work_on_rows'",
        "GRANT USAGE ON SCHEMA work_on_rows TO work_on_rows",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA work_on_rows TO work_on_rows",
    ] {
        admin.execute(text).await.unwrap();
    }
    let options = patient_at(&server().url_as("work_on_rows", "work_on_rows")).schema("work_on_rows");
    let store = PostgresStore::connect(options).await.unwrap();
    assert!(store.is_migrated().await.unwrap());
    store.migrate().await.unwrap();
    let failed = run_once(&store, "work", || async { Err("not yet")? }).await;
    assert!(matches!(failed, Err(Error::Work { .. })), "{failed:?}");
    assert!(run_once(&store, "work", || async { Ok(()) }).await.unwrap());
    assert!(
        !run_once(&store, "work", || async { panic!("it is done") })
            .await
            .unwrap()
    );
    session(&store).await;
}

#[tokio::test]
async fn the_server_remembers_what_is_done() {
    let mut server = Server::start();
    let store = migrated(patient(&server)).await;
    assert!(run_once(&store, "work", || async { Ok(()) }).await.unwrap());
    server.kill();
    server.restart();
    for store in [store, migrated(patient(&server)).await] {
        assert!(
            !run_once(&store, "work", || async { panic!("it is done") })
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn work_goes_on_while_its_server_is_away() {
    let mut server = Server::start();
    let store = migrated(patient(&server)).await;
    let begun = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let restart = tokio::task::spawn_blocking(move || {
        receiver.recv().unwrap();
        server.kill();
        // A heartbeat comes every three seconds.
        thread::sleep(Duration::from_secs(4));
        server.restart();
        server
    });
    let here = run_once(&store, "work", || async {
        begun.fetch_add(1, Ordering::SeqCst);
        sender.send(())?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    });
    assert!(here.await.unwrap());
    assert_eq!(begun.into_inner(), 1);
    drop(restart.await.unwrap());
}
