//! Who waits for the end of a session hears of it on one connection an instance, and without one by looking.

use std::{sync::Arc, time::Duration};

use session_core::{Renewal, SessionId, SessionStore, SessionToken, until_ended};
use session_postgres::PostgresStore;
use sqlx::{Executor, postgres::PgConnection};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    admin, load, migrated, patient, patient_at,
    proxy::Proxy,
    server::{PASSWORD, Server, USER},
    session, until,
};

/// Long before anybody would look just to be safe.
const SOON: Duration = Duration::from_secs(10);

fn wait(store: &PostgresStore, id: &SessionId) -> JoinHandle<()> {
    tokio::spawn(until_ended(Arc::new(store.clone()), *id))
}

async fn wakes(waiting: JoinHandle<()>) {
    let woken = timeout(SOON, waiting).await;
    woken.expect("nobody is woken").unwrap();
}

/// The stores' connections of which this is true.
async fn connections(admin: &mut PgConnection, which: &'static str) -> i64 {
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'session-postgres' AND ";
    let query = sqlx::AssertSqlSafe(format!("{connections}{which}"));
    sqlx::query_scalar(query).fetch_one(admin).await.unwrap()
}

const LISTENS: &str = "query LIKE 'LISTEN%'";

async fn until_there_are(count: i64, which: &'static str, admin: &mut PgConnection) {
    let looking = timeout(Duration::from_secs(30), async {
        while connections(admin, which).await != count {
            sleep(Duration::from_millis(10)).await;
        }
    });
    looking
        .await
        .unwrap_or_else(|_| panic!("there are not {count} connections where {which}"));
}

/// Ends the connections on which stores listen.
async fn kill_listeners(admin: &mut PgConnection) -> i64 {
    let kill = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE application_name = 'session-postgres' AND query LIKE 'LISTEN%'";
    sqlx::query_scalar(kill).fetch_one(admin).await.unwrap()
}

#[tokio::test]
async fn one_connection_serves_all_who_wait_and_ends_with_the_store() {
    let server = Server::start();
    let mut admin = admin(&server).await;
    let one = migrated(patient(&server).connections(1)).await;
    let other = migrated(patient(&server).connections(1)).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(session(&one).await);
    }
    assert_eq!(connections(&mut admin, LISTENS).await, 0, "nobody waits yet");
    let mut waiting = JoinSet::new();
    for id in ids.iter().cycle().take(200) {
        let store = one.clone();
        waiting.spawn(until_ended(Arc::new(store), *id));
    }
    until_there_are(1, LISTENS, &mut admin).await;
    let there = wait(&other, &ids[0]);
    until_there_are(2, LISTENS, &mut admin).await;
    assert_eq!(connections(&mut admin, "true").await, 4, "two an instance");
    for id in &ids {
        other.end(id).await.unwrap();
    }
    wakes(there).await;
    wakes(tokio::spawn(async move {
        while let Some(woken) = waiting.join_next().await {
            woken.unwrap();
        }
    }))
    .await;
    drop((one, other));
    until_there_are(0, "true", &mut admin).await;
}

#[tokio::test]
async fn an_end_is_seen_whatever_becomes_of_the_connection() {
    let server = Server::start();
    let mut admin = admin(&server).await;
    let (here, there) = (migrated(patient(&server)).await, migrated(patient(&server)).await);
    for round in 0..10 {
        let id = session(&here).await;
        let waiting = wait(&here, &id);
        until_there_are(1, LISTENS, &mut admin).await;
        assert_eq!(kill_listeners(&mut admin).await, 1);
        // While it connects again, or a little later.
        sleep(Duration::from_millis(4 * round)).await;
        there.end(&id).await.unwrap();
        wakes(waiting).await;
    }
}

#[tokio::test]
async fn an_end_is_seen_though_the_connection_died_without_a_word() {
    let server = Server::start();
    let mut admin = admin(&server).await;
    let proxy = Proxy::to(server.port()).await;
    let there = migrated(patient(&server)).await;
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", proxy.port);
    let here = patient_at(&url).command_timeout(Duration::from_secs(1));
    let here = PostgresStore::connect(here).await.unwrap();
    let id = session(&there).await;
    let waiting = wait(&here, &id);
    until_there_are(1, LISTENS, &mut admin).await;
    proxy.forget_links();
    there.end(&id).await.unwrap();
    wakes(waiting).await;
}

#[tokio::test]
async fn who_cannot_be_told_looks_and_is_told_again_when_the_link_is_back() {
    let server = Server::start();
    let mut admin = admin(&server).await;
    let there = migrated(patient(&server)).await;
    let role = "CREATE ROLE app LOGIN PASSWORD 'app'; GRANT USAGE ON SCHEMA session TO app;
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA session TO app";
    sqlx::raw_sql(role).execute(&mut admin).await.unwrap();
    let here = patient_at(&server.url_as("app", "app"));
    let here = PostgresStore::connect(here.connections(1)).await.unwrap();
    let (id, later) = (session(&here).await, session(&here).await);
    let (waiting, still_waiting) = (wait(&here, &id), wait(&here, &later));
    until_there_are(1, LISTENS, &mut admin).await;
    // Its connection stays, and it gets no more.
    admin.execute("ALTER ROLE app CONNECTION LIMIT 0").await.unwrap();
    assert_eq!(kill_listeners(&mut admin).await, 1);
    let renewed = SessionToken::random_successor(&later).unwrap().id();
    there.renew(&later, &renewed, &Renewal::of(None)).await.unwrap();
    there.end(&id).await.unwrap();
    wakes(waiting).await;
    assert_eq!(connections(&mut admin, LISTENS).await, 0);
    admin.execute("ALTER ROLE app CONNECTION LIMIT 10").await.unwrap();
    until_there_are(1, LISTENS, &mut admin).await;
    assert!(!still_waiting.is_finished(), "its session goes on under a new id");
    there.end(&renewed).await.unwrap();
    wakes(still_waiting).await;
}

#[tokio::test]
async fn a_server_that_is_away_ends_nothing_and_is_listened_to_when_it_is_back() {
    let mut server = Server::start();
    let here = migrated(patient(&server).connect_timeout(Duration::from_secs(2))).await;
    let id = session(&here).await;
    let waiting = wait(&here, &id);
    until_there_are(1, LISTENS, &mut admin(&server).await).await;
    server.kill();
    // Long enough for some looks.
    sleep(Duration::from_secs(3)).await;
    assert!(here.fates(&[id]).await.is_err());
    assert!(!waiting.is_finished(), "an outage is no end");
    server.restart();
    let mut admin = admin(&server).await;
    until_there_are(1, LISTENS, &mut admin).await;
    until("an answer", || async { here.ping().await.ok() }).await;
    assert!(load(&here, &id).await.is_some());
    assert!(!waiting.is_finished());
    migrated(patient(&server)).await.end(&id).await.unwrap();
    wakes(waiting).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_ignored() {
    let server = Server::start();
    let mut admin = admin(&server).await;
    let here = migrated(patient(&server)).await;
    let id = session(&here).await;
    let waiting = wait(&here, &id);
    until_there_are(1, LISTENS, &mut admin).await;
    let tell = async |admin: &mut PgConnection, text: &str| {
        let notify = sqlx::query("SELECT pg_notify('session_changes', $1)").bind(text.to_owned());
        notify.execute(admin).await.unwrap();
    };
    for nonsense in [
        "",
        " ",
        ">",
        "x",
        &format!("{id}>"),
        &format!(">{id}"),
        &format!("{id}{id}"),
    ] {
        tell(&mut admin, nonsense).await;
    }
    assert!(!waiting.is_finished());
    // And it still listens.
    tell(&mut admin, &format!("nonsense {id}")).await;
    wakes(waiting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_an_end_learns_of_everyone_s() {
    let server = Server::start();
    let (here, there) = (migrated(patient(&server)).await, migrated(patient(&server)).await);
    let mut created = JoinSet::new();
    for _ in 0..2500 {
        let here = here.clone();
        created.spawn(async move { session(&here).await });
    }
    let mut waiting = JoinSet::new();
    for id in created.join_all().await {
        waiting.spawn(until_ended(Arc::new(here.clone()), id));
    }
    until_there_are(1, LISTENS, &mut admin(&server).await).await;
    assert_eq!(there.end_everyone().await.unwrap(), 2500);
    let woken = timeout(SOON, waiting.join_all()).await;
    woken.expect("not all are woken");
}
