//! The sessions of users who have very many.

use std::time::{Duration, Instant};

use session_core::{Lifetime, NewSession, Page, SessionId, SessionStore};
use session_postgres::PostgresStore;
use tokio::task::JoinSet;

use crate::{
    migrated, new_id, patient, patient_at,
    proxy::Proxy,
    server,
    server::{PASSWORD, USER},
};

const SESSIONS: usize = 10_000;
const PAGE: usize = 500;

/// The ids of so many new sessions of a user's, in order.
async fn sessions_of(store: &PostgresStore, user: &str, sessions: usize) -> Vec<SessionId> {
    let mut logins = JoinSet::new();
    for _ in 0..sessions {
        let (store, id) = (store.clone(), new_id());
        let new = NewSession::new(Lifetime::default()).with_user(user);
        logins.spawn(async move { store.create(&id, &new).await.map(|_| id) });
    }
    let mut ids: Vec<_> = logins.join_all().await.into_iter().map(Result::unwrap).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_sessions_are_listed_in_pages_and_end_together() {
    let store = migrated(patient(server()).schema("many_sessions")).await;
    let sessions = sessions_of(&store, "alice", SESSIONS).await;
    let other = sessions_of(&store, "bob", 1).await;

    let proxy = Proxy::to(server().port()).await;
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", proxy.port);
    let store = PostgresStore::connect(patient_at(&url).schema("many_sessions").connections(1))
        .await
        .unwrap();
    let mut page = Page::default().with_limit(PAGE as u32);
    // The statement is prepared once.
    store.of_user("alice", &page).await.unwrap();
    let (mut listed, before) = (Vec::new(), proxy.requests());
    for _ in 0..SESSIONS / PAGE {
        let sessions = store.of_user("alice", &page).await.unwrap();
        assert_eq!(sessions.len(), PAGE);
        listed.extend(sessions.iter().map(|session| session.id));
        page.after = listed.last().copied();
    }
    assert_eq!(listed, sessions);
    assert_eq!(proxy.requests() - before, SESSIONS / PAGE, "one trip a page");
    assert_eq!(store.of_user("alice", &page).await.unwrap(), []);

    let except = listed[7000];
    let began = Instant::now();
    let ended = store.end_all("alice", Some(&except)).await.unwrap();
    assert_eq!(ended, SESSIONS as u64 - 1);
    // It is one statement, and has to be done well before the time is over that one may take.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let left = store.of_user("alice", &Page::default()).await.unwrap();
    assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [except]);
    assert_eq!(store.end_all("alice", None).await.unwrap(), 1);
    assert_eq!(store.of_user("bob", &Page::default()).await.unwrap()[0].id, other[0]);
}
