use crate::conformance::{
    SharedStore,
    checks::{assert_data, assert_ended},
    given::{ids_of, is_live, new_id, new_user, record, session_of, set, visitor},
};

/// After a logout the session is gone for everything that could use it (promise P3).
pub async fn an_ended_session_is_gone(store: &SharedStore) {
    let user = new_user();
    for id in [visitor(store, [("a", "1")]).await, session_of(store, &user).await] {
        store.end(&id).await.unwrap();
        assert!(!is_live(store, &id).await);
        assert_ended(set(store, &id, "a", "1").await);
        assert_ended(store.touch(&id).await);
        assert!(!is_live(store, &id).await);
    }
    assert_eq!(ids_of(store, &user).await, []);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 0);
}

/// Ending a session twice, or one that never was, is no error.
pub async fn ending_is_idempotent(store: &SharedStore) {
    let id = visitor(store, []).await;
    for id in [id, id, new_id()] {
        store.end(&id).await.unwrap();
        assert!(!is_live(store, &id).await);
    }
}

/// Ending one session ends no other, not even of the same user.
pub async fn ending_one_session_spares_the_others(store: &SharedStore) {
    let user = new_user();
    let (one, other) = (session_of(store, &user).await, session_of(store, &user).await);
    let guest = visitor(store, [("a", "1")]).await;
    store.end(&one).await.unwrap();
    assert_eq!(ids_of(store, &user).await, [other]);
    assert!(is_live(store, &other).await);
    assert_data(&record(store, &guest).await.data, [("a", "1")]);
}
