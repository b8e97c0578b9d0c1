use std::collections::BTreeMap;

use crate::{
    Delta, Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended, assert_same_time},
        given::{
            clock_passes, is_live, json, new_id, new_user, record, removes, renewed, session_of, set, sets, visitor,
        },
    },
};

/// A change touches exactly the keys it names (promise P1).
pub async fn an_update_changes_only_its_keys(store: &SharedStore) {
    let id = visitor(store, [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]).await;
    let mut delta = sets([("b", "20"), ("e", "5")]);
    delta.remove("c");
    store.update(&id, &Update::new(delta)).await.unwrap();
    let data = record(store, &id).await.data;
    assert_data(&data, [("a", "1"), ("b", "20"), ("d", "4"), ("e", "5")]);
}

/// Removed keys are gone, several at once, and all of them.
pub async fn an_update_removes_keys(store: &SharedStore) {
    let id = visitor(store, [("a", "1"), ("b", "2"), ("c", "3")]).await;
    store.update(&id, &Update::new(removes(["a", "c"]))).await.unwrap();
    assert_data(&record(store, &id).await.data, [("b", "2")]);
    store.update(&id, &Update::new(removes(["b"]))).await.unwrap();
    assert_data(&record(store, &id).await.data, []);
    set(store, &id, "a", "1").await.unwrap();
    assert_data(&record(store, &id).await.data, [("a", "1")]);
}

/// A key that is not there may be removed.
pub async fn removing_an_absent_key_is_no_error(store: &SharedStore) {
    let id = visitor(store, [("a", "1")]).await;
    assert_eq!(
        store.update(&id, &Update::new(removes(["b"]))).await.unwrap(),
        Version(2)
    );
    assert_data(&record(store, &id).await.data, [("a", "1")]);
}

/// A version counts every write, also one that changes nothing, and is the one a load shows.
pub async fn versions_count_the_writes(store: &SharedStore) {
    let id = visitor(store, [("a", "1")]).await;
    let updates = [sets([("a", "2")]), Delta::default(), sets([("a", "2")]), removes(["a"])];
    for (version, delta) in (2..).map(Version).zip(updates) {
        assert_eq!(store.update(&id, &Update::new(delta)).await.unwrap(), version);
        assert_eq!(record(store, &id).await.version, version);
    }
}

/// A session that is not there is not made by writing to it (promise P3).
pub async fn an_update_of_an_unknown_session_makes_nothing(store: &SharedStore) {
    let id = new_id();
    let update = Update::new(sets([("a", "1")]));
    assert_ended(store.update(&id, &update).await);
    assert_ended(store.update(&id, &update.clone().touching()).await);
    assert_ended(store.update(&id, &update.expecting("a", None)).await);
    assert_ended(store.update(&id, &Update::new(Delta::default())).await);
    assert!(!is_live(store, &id).await);
}

/// A session that has ended is not brought back by writing to it (promise P3).
pub async fn an_update_of_an_ended_session_makes_nothing(store: &SharedStore) {
    let user = new_user();
    let id = session_of(store, &user).await;
    store.end(&id).await.unwrap();
    assert_ended(set(store, &id, "a", "1").await);
    assert_ended(store.update(&id, &Update::new(removes(["a"])).touching()).await);
    assert_ended(
        store
            .update(&id, &Update::new(Delta::default()).expecting("a", Some(json("1"))))
            .await,
    );
    assert!(!is_live(store, &id).await);
    assert_eq!(store.of_user(&user, &crate::Page::default()).await.unwrap(), []);
}

/// A change of data changes neither the user nor the lifetime.
pub async fn an_update_keeps_user_and_lifetime(store: &SharedStore) {
    let user = new_user();
    let id = session_of(store, &user).await;
    let before = record(store, &id).await;
    clock_passes(store, &id, before.created).await;
    store
        .update(&id, &Update::new(sets([("user", "1")])).touching())
        .await
        .unwrap();
    let after = record(store, &id).await;
    assert_eq!(after.user, Some(user));
    assert_eq!(after.created, before.created);
    assert_eq!(after.idle_timeout, before.idle_timeout);
    assert_eq!(after.absolute_end, before.absolute_end);
}

/// An update is activity if it says so, and only then (promise P9).
pub async fn only_a_touching_update_is_activity(store: &SharedStore) {
    let id = visitor(store, []).await;
    let created = record(store, &id).await;
    clock_passes(store, &id, created.last_seen).await;

    set(store, &id, "a", "1").await.unwrap();
    assert_eq!(record(store, &id).await.last_seen, created.last_seen);

    store
        .update(&id, &Update::new(sets([("a", "2")])).touching())
        .await
        .unwrap();
    let touched = record(store, &id).await;
    assert!(touched.last_seen > created.last_seen);
    assert_same_time(touched.expires(), touched.last_seen + touched.idle_timeout);
}

/// Setting a key to the value that was loaded is a change all the same: somebody else may have changed it (promise P1).
pub async fn setting_the_value_that_was_loaded_is_a_change(store: &SharedStore) {
    let id = visitor(store, [("a", "1")]).await;
    let loaded = record(store, &id).await.data;
    set(store, &id, "a", "2").await.unwrap();
    let mut delta = Delta::default();
    delta.set("a", loaded["a"].clone()).unwrap();
    store.update(&id, &Update::new(delta)).await.unwrap();
    assert_data(&record(store, &id).await.data, [("a", "1")]);
}

/// Whatever the order of sets, removals and renewals, the data is what they make of it.
pub async fn a_long_history_is_kept_exactly(store: &SharedStore) {
    let mut id = visitor(store, []).await;
    let mut expected = BTreeMap::new();
    let mut dice = u64::from_be_bytes(new_id().as_bytes()[..8].try_into().unwrap());
    let mut roll = |sides: u64| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for step in 0..120 {
        let mut delta = Delta::default();
        for _ in 0..roll(4) {
            let key = ["a", "b", "ключ", "d e"][roll(4) as usize];
            if roll(3) == 0 {
                delta.remove(key);
                expected.remove(key);
            } else {
                let text = format!("\"{}\"", "é".repeat(roll(40) as usize));
                delta.set(key, crate::Value::from_json(text.clone())).unwrap();
                expected.insert(key, text);
            }
        }
        if roll(5) == 0 {
            id = renewed(store, &id, &Renewal::of(None).with_delta(delta)).await;
        } else {
            store.update(&id, &Update::new(delta)).await.unwrap();
        }
        let record = record(store, &id).await;
        assert_data(&record.data, expected.iter().map(|(key, text)| (*key, text.as_str())));
        assert_eq!(record.version, Version(step + 2));
    }
}
