//! The end of all sessions, in a place of their own: it would end those of the other tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use session_core::{Error, Lifetime, NewSession, Renewal, SessionId, SessionStore};
use session_postgres::PostgresStore;
use tokio::{task::JoinSet, time::timeout};

use crate::{load, migrated, new_id, patient, server, session};

/// How long it may take at most.
const SOON: Duration = Duration::from_secs(10);

async fn place(name: &str) -> PostgresStore {
    migrated(patient(server()).schema(name)).await
}

async fn session_of(store: &PostgresStore, user: &str) -> SessionId {
    let id = new_id();
    let new = NewSession::new(Lifetime::default()).with_user(user);
    store.create(&id, &new).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_ends_and_nobody_else() {
    let (here, elsewhere) = (place("everyone").await, place("everyone_else").await);
    let mut live = Vec::new();
    for number in 0..60 {
        live.push(match number % 2 {
            0 => session(&here).await,
            _ => session_of(&here, &format!("user {}", number % 7)).await,
        });
    }
    let spared = session(&elsewhere).await;
    here.end(&live[0]).await.unwrap();
    assert_eq!(here.end_everyone().await.unwrap(), 59);
    for id in &live {
        assert!(load(&here, id).await.is_none());
    }
    assert!(load(&elsewhere, &spared).await.is_some());
    assert_eq!(here.end_everyone().await.unwrap(), 0);
    let after = session_of(&here, "user 1").await;
    assert!(load(&here, &after).await.is_some());
}

/// Renews a session until it has ended.
async fn renew_on(store: PostgresStore, mut id: SessionId) -> Error {
    loop {
        let to = new_id();
        if let Err(error) = store.renew(&id, &to, &Renewal::of(None)).await {
            return error;
        }
        id = to;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_renewed_meanwhile_ends_too() {
    let here = place("everyone_renewed").await;
    for _ in 0..5 {
        let mut renewing = JoinSet::new();
        for _ in 0..8 {
            let id = session(&here).await;
            renewing.spawn(renew_on(here.clone(), id));
        }
        assert_eq!(here.end_everyone().await.unwrap(), 8);
        for error in renewing.join_all().await {
            assert!(matches!(error, Error::Ended), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_meanwhile_is_spared_and_keeps_it_from_no_end() {
    let here = place("everyone_logs_in").await;
    let done = Arc::new(AtomicBool::new(false));
    let mut logins = JoinSet::new();
    for number in 0..4 {
        let (here, done) = (here.clone(), Arc::clone(&done));
        logins.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                session_of(&here, &format!("user {number}")).await;
            }
        });
    }
    for _ in 0..5 {
        let mut before = Vec::new();
        for _ in 0..50 {
            before.push(session_of(&here, "before").await);
        }
        let ended = timeout(SOON, here.end_everyone()).await.expect("it does not end");
        assert!(ended.unwrap() >= 50);
        for id in &before {
            assert!(load(&here, id).await.is_none());
        }
    }
    done.store(true, Ordering::Relaxed);
    logins.join_all().await;
}
