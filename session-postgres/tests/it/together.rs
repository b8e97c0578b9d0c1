//! What is asked for at the same time is asked together, and nobody has to do with the others.

use std::time::Duration;

use futures_util::future::join_all;
use session_core::{Error, SessionId, SessionStore, Update, Version};
use session_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};
use tokio::time::timeout;

use crate::{
    admin, load, migrated, new_id, patient, patient_at,
    proxy::Proxy,
    server,
    server::{PASSWORD, USER},
    session, set,
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
    let ids = sessions(&store).await;
    // Each connection prepares what it says.
    for _ in 0..3 {
        write(&store, &ids, "1").await;
        join_all(ids.iter().map(|id| store.touch(id))).await;
        join_all(ids.iter().map(|id| load(&store, id))).await;
    }
    let mut before = proxy.requests();
    let mut trips = || proxy.requests() - std::mem::replace(&mut before, proxy.requests());
    for answer in write(&store, &ids, "2").await {
        assert_eq!(answer.unwrap(), Version(5));
    }
    let updates = trips();
    for answer in join_all(ids.iter().map(|id| store.touch(id))).await {
        answer.unwrap();
    }
    let touches = trips();
    for record in join_all(ids.iter().map(|id| load(&store, id))).await {
        assert_eq!(record.unwrap().version, Version(5));
    }
    let loads = trips();
    for (what, trips) in [("updates", updates), ("touches", touches), ("loads", loads)] {
        assert!(trips <= 4, "{trips} round trips for {MANY} {what}");
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
    let waiting: Vec<_> = ids[..10]
        .iter()
        .map(|id| {
            let (store, id) = (store.clone(), *id);
            tokio::spawn(async move {
                store.touch(&id).await?;
                store.update(&id, &Update::new(set("other", "1"))).await
            })
        })
        .collect();
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
