use std::time::Instant;

use crate::{
    Loaded, Renewal, Version,
    conformance::{
        SharedStore,
        checks::CLOCK_TOLERANCE,
        given::{clock_passes, is_live, new_id, record, renewed, visitor},
    },
};

/// A token the store does not know opens nothing (promise P6).
pub async fn an_unknown_session_is_missing(store: &SharedStore) {
    let id = new_id();
    assert_eq!(store.load(&[id]).await.unwrap(), Loaded::Missing);
    assert!(!is_live(store, &id).await, "loading it has made it");
}

/// Asked for no session, a store has none.
pub async fn no_ids_load_nothing(store: &SharedStore) {
    visitor(store, []).await;
    assert_eq!(store.load(&[]).await.unwrap(), Loaded::Missing);
}

/// Of several live sessions the first one asked for is loaded, whatever the order of their ids or ages.
pub async fn the_first_of_several_live_sessions_is_loaded(store: &SharedStore) {
    for _ in 0..8 {
        let (one, other) = (visitor(store, [("n", "1")]).await, visitor(store, [("n", "2")]).await);
        for ids in [[one, other], [other, one]] {
            let loaded = store.load(&ids).await.unwrap();
            let expected = record(store, &ids[0]).await;
            match loaded {
                Loaded::Live(id, record) => assert_eq!((id, record.data), (ids[0], expected.data)),
                Loaded::Renewed(_) | Loaded::Missing => panic!("two live sessions are missing"),
            }
        }
    }
}

/// Ids of sessions that are unknown, ended or renewed are passed over on the way to a live one.
pub async fn dead_ids_are_passed_over(store: &SharedStore) {
    let unknown = new_id();
    let ended = visitor(store, []).await;
    store.end(&ended).await.unwrap();
    let old = visitor(store, []).await;
    let live = renewed(store, &old, &Renewal::of(None)).await;

    for ids in [
        [unknown, ended, old, live],
        [old, ended, live, unknown],
        [live, old, unknown, ended],
    ] {
        assert!(matches!(store.load(&ids).await.unwrap(), Loaded::Live(id, _) if id == live));
    }
    assert_eq!(store.load(&[unknown, ended]).await.unwrap(), Loaded::Missing);
}

/// A session that has just been renewed, by a login too, is told from one that is not there: what its browser writes
/// under the old token must not begin another (promise P1).
pub async fn a_session_just_renewed_is_told_from_a_missing_one(store: &SharedStore) {
    let (user, unknown) = (crate::conformance::given::new_user(), new_id());
    let live = visitor(store, []).await;
    for renewal in [
        Renewal::of(None),
        Renewal::login(&user, crate::conformance::given::LONG),
    ] {
        let old = visitor(store, [("a", "1")]).await;
        let new = renewed(store, &old, &renewal).await;
        for ids in [vec![old], vec![unknown, old], vec![old, unknown], vec![old, old]] {
            let loaded = store.load(&ids).await.unwrap();
            assert!(
                matches!(loaded, Loaded::Renewed(marker) if marker.id == old && marker.successor == new),
                "{loaded:?}"
            );
        }
        assert!(matches!(store.load(&[old, live]).await.unwrap(), Loaded::Live(id, _) if id == live));
    }
}

/// An id may be asked for twice.
pub async fn an_id_given_twice_is_loaded(store: &SharedStore) {
    let (id, unknown) = (visitor(store, []).await, new_id());
    let loaded = store.load(&[unknown, id, unknown, id]).await.unwrap();
    assert!(matches!(loaded, Loaded::Live(found, _) if found == id));
}

/// Loading writes nothing: neither the version nor the time of the last activity changes.
pub async fn a_load_is_no_activity(store: &SharedStore) {
    let id = visitor(store, [("a", "1")]).await;
    let before = record(store, &id).await;
    clock_passes(store, &id, before.last_seen).await;
    let after = record(store, &id).await;
    assert_eq!(after.version, Version(1));
    assert_eq!(after.last_seen, before.last_seen);
    assert_eq!(after.expires(), before.expires());
}

/// A record says at what time, on the store's clock, it was read, so that nobody else's clock is needed to tell how
/// long the session has left (promise P9).
pub async fn a_record_says_when_it_was_read(store: &SharedStore) {
    let id = visitor(store, []).await;
    let started = Instant::now();
    let first = record(store, &id).await;
    assert!(first.loaded_at + CLOCK_TOLERANCE >= first.created);
    clock_passes(store, &id, first.loaded_at).await;
    let second = record(store, &id).await;
    assert!(second.loaded_at - first.loaded_at <= started.elapsed() + CLOCK_TOLERANCE);
    assert!(second.loaded_at < second.expires());
}
