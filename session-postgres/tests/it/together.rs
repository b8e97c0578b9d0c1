//! What is asked for at the same time is asked together, and nobody has to do with the others.

use std::time::Duration;

use futures_util::future::join_all;
use session_core::{Error, Lifetime, NewSession, Renewal, SessionId, SessionStore, Update, Version};
use session_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};
use tokio::time::timeout;

use crate::{
    admin, load, migrated, new_id, patient, patient_at,
    proxy::Proxy,
    server,
    server::{PASSWORD, USER},
    session, set, until,
};

const MANY: usize = 60;

async fn store_in(schema: &str) -> (PostgresStore, PgConnection) {
    let store = migrated(patient(server()).schema(schema)).await;
    (store, admin(server()).await)
}

async fn sessions(store: &PostgresStore) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for _ in 0..MANY {
        ids.push(session(store).await);
    }
    ids
}

/// Writes to all at once.
async fn write(store: &PostgresStore, ids: &[SessionId], text: &str) -> Vec<Result<Version, Error>> {
    let update = Update::new(set("other", text)).touching();
    join_all(ids.iter().map(|id| store.update(id, &update))).await
}

#[tokio::test]
async fn many_at_once_are_few_round_trips() {
    let proxy = Proxy::to(server().port()).await;
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", proxy.port);
    let store = migrated(patient_at(&url).schema("few_trips")).await;
    let new = NewSession::new(Lifetime::default()).with_delta(set("key", "1"));
    let login = Renewal::login("alice", Lifetime::default());
    // Each connection prepares what it says, in the first rounds.
    for round in 0..4 {
        let mut before = proxy.requests();
        let mut check = |what: &str| {
            let trips = proxy.requests() - std::mem::replace(&mut before, proxy.requests());
            assert!(round < 3 || trips <= 4, "{trips} round trips for {MANY} {what}");
        };
        let (ids, to): (Vec<_>, Vec<_>) = (0..MANY).map(|_| (new_id(), new_id())).unzip();
        for answer in join_all(ids.iter().map(|id| store.create(id, &new))).await {
            assert_eq!(answer.unwrap(), Version(1));
        }
        check("creations");
        for answer in write(&store, &ids, "2").await {
            assert_eq!(answer.unwrap(), Version(2));
        }
        check("updates");
        for answer in join_all(ids.iter().map(|id| store.touch(id))).await {
            answer.unwrap();
        }
        check("touches");
        for answer in join_all(ids.iter().zip(&to).map(|(id, to)| store.renew(id, to, &login))).await {
            assert_eq!(answer.unwrap(), Version(3));
        }
        check("logins");
        for record in join_all(to.iter().map(|id| load(&store, id))).await {
            assert_eq!(record.unwrap().data.len(), 2);
        }
        check("loads");
        for answer in join_all(to.iter().map(|id| store.end(id))).await {
            answer.unwrap();
        }
        check("ends");
        for id in &to {
            assert!(load(&store, id).await.is_none());
        }
    }
}

#[tokio::test]
async fn many_changes_of_one_session_are_few_round_trips_and_all_stay() {
    let proxy = Proxy::to(server().port()).await;
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", proxy.port);
    let store = migrated(patient_at(&url).schema("one_session")).await;
    let id = session(&store).await;
    store.update(&id, &Update::new(set("other", "1"))).await.unwrap();
    let updates: Vec<_> = (0..MANY)
        .map(|number| Update::new(set(&format!("key {number}"), "1")))
        .collect();
    let before = proxy.requests();
    for (version, answer) in (3..).zip(join_all(updates.iter().map(|update| store.update(&id, update))).await) {
        assert_eq!(answer.unwrap(), Version(version));
    }
    let trips = proxy.requests() - before;
    assert!(trips <= 4, "{trips} round trips for {MANY} changes");
    assert_eq!(load(&store, &id).await.unwrap().data.len(), MANY + 2);
}

#[tokio::test]
async fn one_of_a_session_s_changes_that_is_too_large_fails_alone() {
    let (store, _) = store_in("large_in_batch").await;
    let id = session(&store).await;
    let (small, large) = (set("small", "1"), set("large", &"1".repeat(1000)));
    let updates = [small, large].map(|delta| {
        let mut update = Update::new(delta);
        update.max_size = 500;
        update
    });
    let answers = join_all(updates.iter().map(|update| store.update(&id, update))).await;
    assert!(answers[0].is_ok());
    assert!(matches!(answers[1], Err(Error::TooLarge { limit: 500, .. })));
}

#[tokio::test]
async fn locked_sessions_do_not_take_all_connections() {
    let schema = "few_connections";
    let store = migrated(patient(server()).schema(schema).connections(3)).await;
    let mut other = admin(server()).await;
    let ids = sessions(&store).await;
    let held = ids[..5]
        .iter()
        .map(|id| format!("'{id}'"))
        .collect::<Vec<_>>()
        .join(",");
    let text = format!("BEGIN; SELECT 1 FROM {schema}.session WHERE id IN ({held}) FOR UPDATE");
    other.execute(AssertSqlSafe(text)).await.unwrap();
    let update = Update::new(set("other", "1"));
    let waiting = join_all(ids[..5].iter().map(|id| store.update(id, &update)));
    let others = async {
        for id in &ids[5..] {
            assert!(load(&store, id).await.is_some());
            store.update(id, &update).await.unwrap();
        }
        other.execute("COMMIT").await.unwrap();
    };
    let (answers, done) = tokio::join!(waiting, timeout(Duration::from_secs(9), others));
    done.unwrap();
    for answer in answers {
        assert_eq!(answer.unwrap(), Version(2));
    }
}

#[tokio::test]
async fn everyone_gets_their_own() {
    let (store, _) = store_in("their_own").await;
    let mut ids = sessions(&store).await;
    let missing = new_id();
    ids.insert(MANY / 2, missing);
    let updates: Vec<_> = (0..ids.len())
        .map(|number| Update::new(set("mine", &number.to_string())))
        .collect();
    let written = join_all(ids.iter().zip(&updates).map(|(id, update)| store.update(id, update))).await;
    let conflicting = Update::new(set("mine", "0")).expecting("mine", None);
    let conflicts = join_all(ids.iter().map(|id| store.update(id, &conflicting))).await;
    let records = join_all(ids.iter().map(|id| load(&store, id))).await;
    for (number, id) in ids.iter().enumerate() {
        if *id == missing {
            assert!(matches!(written[number], Err(Error::Ended)));
            assert!(matches!(conflicts[number], Err(Error::Ended)));
            assert!(records[number].is_none());
            continue;
        }
        assert_eq!(*written[number].as_ref().unwrap(), Version(2));
        let Err(Error::Conflict { current: Some(current) }) = &conflicts[number] else {
            panic!("{:?}", conflicts[number]);
        };
        assert_eq!(current.as_bytes(), number.to_string().as_bytes());
        let data = &records[number].as_ref().unwrap().data;
        assert_eq!(data["mine"].as_bytes(), number.to_string().as_bytes());
    }
}

/// Waits until so many statements of the store wait for locks in this schema.
async fn until_waiting(schema: &str, count: i64) {
    until("a wait for the lock", || async {
        let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 in query) > 0
                    AND application_name = 'session-postgres'";
        let query = sqlx::query_scalar(text).bind(format!("\"{schema}\""));
        let waiting: i64 = query.fetch_one(&mut admin(server()).await).await.unwrap();
        (waiting == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_locked_session_keeps_nobody_else_waiting() {
    let schema = "locked_in_batch";
    let (store, mut other) = store_in(schema).await;
    let ids = sessions(&store).await;
    let held = ids[..10]
        .iter()
        .map(|id| format!("'{id}'"))
        .collect::<Vec<_>>()
        .join(",");
    other
        .execute(AssertSqlSafe(format!(
            "BEGIN; SELECT 1 FROM {schema}.session WHERE id IN ({held}) FOR UPDATE"
        )))
        .await
        .unwrap();
    // One after another, so that they are in batches of their own, as many as may be under way.
    let mut waiting = Vec::new();
    for (number, id) in (1..=2).zip(&ids) {
        let (store, id) = (store.clone(), *id);
        waiting.push(tokio::spawn(async move {
            store.update(&id, &Update::new(set("other", "1"))).await
        }));
        until_waiting(schema, number).await;
    }
    // While they wait, two rounds of everyone else's come and go.
    for version in [2, 3] {
        let others = async {
            for answer in write(&store, &ids[10..], "1").await {
                assert_eq!(answer.unwrap(), Version(version));
            }
            for answer in join_all(ids[10..].iter().map(|id| store.touch(id))).await {
                answer.unwrap();
            }
        };
        // Half as long as the others wait.
        timeout(Duration::from_secs(9), others).await.unwrap();
    }
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    other.execute("COMMIT").await.unwrap();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap(), Version(2));
    }
}

#[tokio::test]
async fn one_that_the_server_refuses_fails_alone() {
    let schema = "poisoned";
    let (store, mut other) = store_in(schema).await;
    let text = format!("ALTER TABLE {schema}.session ADD CHECK (NOT data ? 'poison')");
    other.execute(AssertSqlSafe(text)).await.unwrap();
    let ids = sessions(&store).await;
    let (good, poison) = (Update::new(set("other", "1")), Update::new(set("poison", "1")));
    let updates = ids.iter().enumerate().map(|(number, id)| {
        let update = if number == 7 { &poison } else { &good };
        store.update(id, update)
    });
    for (number, answer) in join_all(updates).await.into_iter().enumerate() {
        match number {
            7 => assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}"),
            _ => assert_eq!(answer.unwrap(), Version(2)),
        }
    }
}
