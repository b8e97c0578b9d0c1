//! A user with very many sessions, in the store in memory.

use session_core::{Lifetime, MemoryStore, NewSession, Page, SessionStore, SessionToken};

#[tokio::test]
async fn ten_thousand_sessions_are_listed_in_pages_and_end_together() {
    let store = MemoryStore::new();
    let mut sessions = Vec::new();
    for user in ["bob"].into_iter().chain(["alice"; 10_000]) {
        let id = SessionToken::random().unwrap().id();
        let new = NewSession::new(Lifetime::default()).with_user(user);
        store.create(&id, &new).await.unwrap();
        sessions.push(id);
    }
    let other = sessions.remove(0);
    sessions.sort_unstable();

    let (mut listed, mut page) = (Vec::new(), Page::default().with_limit(500));
    for _ in 0..20 {
        let sessions = store.of_user("alice", &page).await.unwrap();
        assert_eq!(sessions.len(), 500);
        listed.extend(sessions.iter().map(|session| session.id));
        page.after = listed.last().copied();
    }
    assert_eq!(listed, sessions);
    assert_eq!(store.of_user("alice", &page).await.unwrap(), []);

    let except = listed[7000];
    assert_eq!(store.end_all("alice", Some(&except)).await.unwrap(), 9_999);
    let left = store.of_user("alice", &Page::default()).await.unwrap();
    assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [except]);
    assert_eq!(store.end_all("alice", None).await.unwrap(), 1);
    assert_eq!(store.of_user("bob", &Page::default()).await.unwrap()[0].id, other);
}
