//! Two things at once, in a forced order: one holds a lock, the other is seen to wait for it, then the first goes on.

use std::time::Duration;

use session_core::{
    Claim, Claimed, Error, Lifetime, NewSession, OnceStore, Renewal, SessionId, SessionLimit, SessionStore, Update,
    Value, Version,
};
use session_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};
use tokio::task::JoinSet;

use crate::{admin, load, migrated, new_id, patient, server, session, set, until};

/// A store in a schema of its own, so that its waiting can be told from that of other tests.
async fn store_in(schema: &str) -> (PostgresStore, PgConnection) {
    let store = migrated(patient(server()).schema(schema)).await;
    (store, admin(server()).await)
}

async fn session_of(store: &PostgresStore, user: &str) -> SessionId {
    let id = new_id();
    let new = NewSession::new(Lifetime::default())
        .with_user(user)
        .with_delta(set("key", "1"));
    store.create(&id, &new).await.unwrap();
    id
}

async fn run(connection: &mut PgConnection, text: String) {
    connection.execute(AssertSqlSafe(text)).await.unwrap();
}

/// Begins a transaction that holds the session's row.
async fn hold(connection: &mut PgConnection, schema: &str, id: &SessionId) {
    run(connection, "BEGIN".to_owned()).await;
    run(
        connection,
        format!("SELECT 1 FROM {schema}.session WHERE id = '{id}' FOR UPDATE"),
    )
    .await;
}

/// What a renewal does that is no login.
async fn renew(connection: &mut PgConnection, schema: &str, from: &SessionId, to: &SessionId) {
    run(
        connection,
        format!("UPDATE {schema}.session SET id = '{to}', version = version + 1 WHERE id = '{from}'"),
    )
    .await;
    let marker = format!(
        "INSERT INTO {schema}.marker VALUES
         ('{from}', '{to}', false, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 300000)"
    );
    run(connection, marker).await;
}

/// Waits until a statement of the store waits for a lock in this schema.
async fn until_waiting(schema: &str) {
    until("a wait for the lock", || async {
        let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 in query) > 0
                    AND application_name = 'session-postgres'";
        let query = sqlx::query_scalar(text).bind(format!("\"{schema}\""));
        let waiting: i64 = query.fetch_one(&mut admin(server()).await).await.unwrap();
        (waiting > 0).then_some(())
    })
    .await;
}

/// Waits, by the server's clock, for the end of a session.
async fn until_expired(schema: &str, id: &SessionId) {
    until("the expiry", || async {
        let now = "extract(epoch FROM clock_timestamp()) * 1000";
        let query = AssertSqlSafe(format!(
            "SELECT expires < {now} FROM {schema}.session WHERE id = '{id}'"
        ));
        let expired: bool = sqlx::query_scalar(query)
            .fetch_one(&mut admin(server()).await)
            .await
            .unwrap();
        expired.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_end_does_not_save_the_session() {
    let (store, mut other) = store_in("renewal_in_end").await;
    let from = session(&store).await;
    let to = new_id();
    hold(&mut other, "renewal_in_end", &from).await;
    let ending = tokio::spawn({
        let store = store.clone();
        async move { store.end(&from).await }
    });
    until_waiting("renewal_in_end").await;
    renew(&mut other, "renewal_in_end", &from, &to).await;
    run(&mut other, "COMMIT".to_owned()).await;
    ending.await.unwrap().unwrap();
    assert!(load(&store, &to).await.is_none());
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_end_all_does_not_save_the_session() {
    let (store, mut other) = store_in("renewal_in_end_all").await;
    let from = session_of(&store, "alice").await;
    let another = session_of(&store, "alice").await;
    let of_bob = session_of(&store, "bob").await;
    let to = new_id();
    hold(&mut other, "renewal_in_end_all", &from).await;
    let ending = tokio::spawn({
        let store = store.clone();
        async move { store.end_all("alice", None).await }
    });
    until_waiting("renewal_in_end_all").await;
    renew(&mut other, "renewal_in_end_all", &from, &to).await;
    run(&mut other, "COMMIT".to_owned()).await;
    assert_eq!(ending.await.unwrap().unwrap(), 2);
    assert!(load(&store, &to).await.is_none());
    assert!(load(&store, &another).await.is_none());
    assert!(load(&store, &of_bob).await.is_some());
}

#[tokio::test]
async fn the_session_to_spare_is_spared_also_if_it_is_renewed_before_or_meanwhile() {
    let schema = "renewal_of_spared";
    let (store, mut other) = store_in(schema).await;
    let spared = session_of(&store, "alice").await;
    let (second, third) = (new_id(), new_id());
    store
        .renew(&spared, &second, &Renewal::of(Some("alice".to_owned())))
        .await
        .unwrap();
    let another = session_of(&store, "alice").await;
    hold(&mut other, schema, &another).await;
    let ending = tokio::spawn({
        let store = store.clone();
        async move { store.end_all("alice", Some(&spared)).await }
    });
    until_waiting(schema).await;
    renew(&mut other, schema, &second, &third).await;
    run(&mut other, "COMMIT".to_owned()).await;
    assert_eq!(ending.await.unwrap().unwrap(), 1);
    assert!(load(&store, &third).await.is_some());
    assert!(load(&store, &another).await.is_none());
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_an_update_takes_the_update_along() {
    let schema = "renewal_in_update";
    let (store, mut other) = store_in(schema).await;
    let from = session(&store).await;
    let to = new_id();
    hold(&mut other, schema, &from).await;
    let updating = tokio::spawn({
        let store = store.clone();
        async move { store.update(&from, &Update::new(set("other", "2"))).await }
    });
    until_waiting(schema).await;
    renew(&mut other, schema, &from, &to).await;
    run(&mut other, "COMMIT".to_owned()).await;
    assert_eq!(updating.await.unwrap().unwrap(), Version(3));
    assert_eq!(load(&store, &to).await.unwrap().data.len(), 2);
}

#[tokio::test]
async fn what_expires_during_a_lock_wait_is_not_revived() {
    let schema = "expiry_in_wait";
    let (store, mut other) = store_in(schema).await;
    let to = new_id();
    // If the lock was only held, the server itself does not look at the row again after the wait.
    for changes in [false, true] {
        for operation in ["update", "touch", "renew"] {
            let id = new_id();
            let idle = Duration::from_secs(1);
            let new = NewSession::new(Lifetime::new(idle, Lifetime::default().absolute)).with_delta(set("key", "1"));
            store.create(&id, &new).await.unwrap();
            hold(&mut other, schema, &id).await;
            let waiting = tokio::spawn({
                let store = store.clone();
                async move {
                    match operation {
                        "update" => store
                            .update(&id, &Update::new(set("key", "2")).touching())
                            .await
                            .map(drop),
                        "touch" => store.touch(&id).await,
                        _ => store.renew(&id, &to, &Renewal::of(None)).await.map(drop),
                    }
                }
            });
            until_waiting(schema).await;
            if changes {
                run(
                    &mut other,
                    format!("UPDATE {schema}.session SET idle_timeout = 0 WHERE id = '{id}'"),
                )
                .await;
            } else {
                until_expired(schema, &id).await;
            }
            run(&mut other, "COMMIT".to_owned()).await;
            assert!(matches!(waiting.await.unwrap(), Err(Error::Ended)), "{operation}");
            assert!(load(&store, &id).await.is_none(), "{operation}");
        }
    }
}

#[tokio::test]
async fn a_session_that_is_about_to_live_on_counts_for_the_limit() {
    let schema = "limit_and_touch";
    let (store, mut other) = store_in(schema).await;
    let id = new_id();
    let idle = Duration::from_secs(1);
    let lifetime = Lifetime::new(idle, Lifetime::default().absolute);
    store
        .create(&id, &NewSession::new(lifetime).with_user("alice"))
        .await
        .unwrap();
    // A touch, in time, whose commit takes long.
    let touch = format!("BEGIN; UPDATE {schema}.session SET last_seen = last_seen + 60000 WHERE id = '{id}'");
    run(&mut other, touch).await;
    until_expired(schema, &id).await;
    let login = tokio::spawn({
        let store = store.clone();
        let mut new = NewSession::new(Lifetime::default()).with_user("alice");
        new.limit = Some(SessionLimit::new(1));
        async move { store.create(&new_id(), &new).await }
    });
    until_waiting(schema).await;
    run(&mut other, "COMMIT".to_owned()).await;
    assert!(matches!(login.await.unwrap(), Err(Error::LimitReached { max: 1 })));
}

#[tokio::test]
async fn an_id_that_somebody_takes_meanwhile_is_in_use() {
    let schema = "taken_meanwhile";
    let (store, mut other) = store_in(schema).await;
    for renews in [false, true] {
        let (from, taken) = (session(&store).await, new_id());
        let row = format!("SELECT '{taken}', data, 1, NULL, created, last_seen, idle_timeout, absolute_end");
        let columns = "id, data, version, user_id, created, last_seen, idle_timeout, absolute_end";
        run(&mut other, "BEGIN".to_owned()).await;
        let text = format!("INSERT INTO {schema}.session ({columns}) {row} FROM {schema}.session WHERE id = '{from}'");
        run(&mut other, text).await;
        let waiting = tokio::spawn({
            let store = store.clone();
            async move {
                if renews {
                    store.renew(&from, &taken, &Renewal::of(None)).await
                } else {
                    store.create(&taken, &NewSession::new(Lifetime::default())).await
                }
            }
        });
        until_waiting(schema).await;
        run(&mut other, "COMMIT".to_owned()).await;
        let refused = waiting.await.unwrap();
        assert!(matches!(refused, Err(Error::IdInUse)), "{refused:?}");
        assert!(load(&store, &from).await.is_some());
    }
}

#[tokio::test]
async fn who_loses_a_deadlock_tries_again() {
    let schema = "deadlock";
    let (store, mut other) = store_in(schema).await;
    let first = session_of(&store, "alice").await;
    let second = session_of(&store, "alice").await;
    // The server gives up on who is the first to look whether there is one: so this one does not look.
    run(&mut other, "SET deadlock_timeout = '60s'".to_owned()).await;
    hold(&mut other, schema, &second).await;
    let ending = tokio::spawn({
        let store = store.clone();
        async move { store.end_all("alice", None).await }
    });
    until_waiting(schema).await;
    run(
        &mut other,
        format!("SELECT 1 FROM {schema}.session WHERE id = '{first}' FOR UPDATE"),
    )
    .await;
    run(&mut other, "COMMIT".to_owned()).await;
    assert_eq!(ending.await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn concurrent_writes_to_different_keys_all_stay() {
    let (store, _) = store_in("different_keys").await;
    for _ in 0..20 {
        let id = session(&store).await;
        let mut writers = JoinSet::new();
        for key in 0..8 {
            let store = store.clone();
            writers.spawn(async move { store.update(&id, &Update::new(set(&format!("key{key}"), "1"))).await });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap().unwrap();
        }
        let record = load(&store, &id).await.unwrap();
        assert_eq!((record.data.len(), record.version), (9, Version(9)));
    }
}

#[tokio::test]
async fn concurrent_increments_all_count() {
    let (store, _) = store_in("increments").await;
    let id = session(&store).await;
    let mut writers = JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        writers.spawn(async move {
            let mut current = Value::from_json("1");
            loop {
                let next = Value::encode(&(current.decode::<u64>().unwrap() + 1)).unwrap();
                let mut update = Update::new(Default::default()).expecting("key", Some(current));
                update.delta.set("key", next).unwrap();
                match store.update(&id, &update).await {
                    Err(Error::Conflict { current: Some(newest) }) => current = newest,
                    done => return done.unwrap(),
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    assert_eq!(load(&store, &id).await.unwrap().data["key"].as_bytes(), b"21");
}

/// New work, whose row a transaction then holds.
async fn hold_work(store: &PostgresStore, connection: &mut PgConnection, schema: &str, lease: Duration) -> Claim {
    let claim = Claim::new(format!("work {}", new_id())).unwrap();
    assert_eq!(store.claim(&claim, lease).await.unwrap(), Claimed::Mine);
    run(connection, "BEGIN".to_owned()).await;
    let text = format!("SELECT 1 FROM {schema}.work WHERE name = '{}' FOR UPDATE", claim.name());
    run(connection, text).await;
    claim
}

#[tokio::test]
async fn a_claim_that_lapses_during_a_lock_wait_is_neither_kept_nor_finished() {
    let schema = "lapse_in_wait";
    let (store, mut other) = store_in(schema).await;
    for keeps in [false, true] {
        let lease = Duration::from_secs(1);
        let claim = hold_work(&store, &mut other, schema, lease).await;
        let waiting = tokio::spawn({
            let store = store.clone();
            async move {
                if keeps {
                    store.keep(&claim, lease * 60).await
                } else {
                    store.finish(&claim).await
                }
            }
        });
        until_waiting(schema).await;
        tokio::time::sleep(lease).await;
        run(&mut other, "COMMIT".to_owned()).await;
        assert!(!waiting.await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn a_claim_that_waited_for_another_or_for_an_end_is_not_made() {
    let schema = "claim_in_wait";
    let (store, mut other) = store_in(schema).await;
    for (change, later) in [
        ("done = 1", Claimed::Done),
        ("until = until + 600000, claim = gen_random_uuid()", Claimed::Taken),
    ] {
        let lease = Duration::from_millis(100);
        let claim = hold_work(&store, &mut other, schema, lease).await;
        tokio::time::sleep(lease * 2).await;
        let next = Claim::new(claim.name()).unwrap();
        let waiting = tokio::spawn({
            let (store, next) = (store.clone(), next.clone());
            async move { store.claim(&next, lease).await }
        });
        until_waiting(schema).await;
        let text = format!("UPDATE {schema}.work SET {change} WHERE name = '{}'", claim.name());
        run(&mut other, text).await;
        run(&mut other, "COMMIT".to_owned()).await;
        assert_eq!(waiting.await.unwrap().unwrap(), Claimed::Taken);
        assert_eq!(store.claim(&next, lease).await.unwrap(), later);
        assert!(!store.keep(&claim, lease).await.unwrap());
        // The end that was recorded is its own.
        assert_eq!(store.finish(&claim).await.unwrap(), later == Claimed::Done);
    }
}
