use crate::{
    Renewal,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended},
        given::{BRIEF, expired, ids_of, is_live, new_user, record, renewed, session_of, set, visitor},
    },
};

/// A purge keeps the living, their lists, and the markers that lead to them.
pub async fn a_purge_keeps_the_living(store: &SharedStore) {
    let user = new_user();
    let live = session_of(store, &user).await;
    let old = visitor(store, [("a", "1")]).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    expired(store, Some(&user)).await;
    while store.purge(100).await.unwrap() > 0 {}

    assert!(is_live(store, &live).await);
    assert_eq!(ids_of(store, &user).await, [live]);
    set(store, &old, "a", "2").await.unwrap();
    assert_data(&record(store, &new).await.data, [("a", "2")]);
}

/// A purge brings nothing back.
pub async fn a_purge_revives_nothing(store: &SharedStore) {
    let user = new_user();
    let ended = session_of(store, &user).await;
    store.end(&ended).await.unwrap();
    let expired = expired(store, Some(&user)).await;
    while store.purge(100).await.unwrap() > 0 {}
    for id in [ended, expired] {
        assert!(!is_live(store, &id).await);
        assert_ended(store.touch(&id).await);
    }
    assert_eq!(ids_of(store, &user).await, []);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 0);
}

/// A purge removes no more than it is asked to.
pub async fn a_purge_keeps_to_its_limit(store: &SharedStore) {
    for _ in 0..8 {
        crate::conformance::given::create(store, &crate::NewSession::new(BRIEF)).await;
    }
    expired(store, None).await;
    assert_eq!(store.purge(0).await.unwrap(), 0);
    assert!(store.purge(2).await.unwrap() <= 2);
    assert!(store.purge(3).await.unwrap() <= 3);
}

/// A store that works gives a sign of life.
pub async fn a_working_store_answers_a_ping(store: &SharedStore) {
    store.ping().await.unwrap();
}

/// A caller may drop any call half-way: the store goes on, and the record is as before or as asked.
pub async fn a_dropped_call_leaves_the_store_working(store: &SharedStore) {
    let id = visitor(store, [("n", "0"), ("other", "1")]).await;
    for n in 1..=60 {
        let text = n.to_string();
        let update = set(store, &id, "n", &text);
        let patience = std::time::Duration::from_micros(n * 20);
        let answer = tokio::time::timeout(patience, update).await;
        let _ = tokio::time::timeout(patience, store.load(&[id])).await;
        let _ = tokio::time::timeout(patience, store.touch(&id)).await;
        if let Ok(answer) = answer {
            answer.unwrap();
            // A call dropped before may be done after this one: its outcome was unknown.
            let data = record(store, &id).await.data;
            assert!(data["n"].decode::<u64>().unwrap() <= n);
            assert_eq!((data.len(), data["other"].as_bytes()), (2, &b"1"[..]));
        }
    }
    set(store, &id, "last", "true").await.unwrap();
    let record = record(store, &id).await;
    assert_eq!(record.data.len(), 3);
    assert_eq!(record.data["other"].as_bytes(), b"1");
}
