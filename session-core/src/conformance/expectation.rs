use crate::{
    Delta, Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_conflict, assert_data},
        given::{json, record, removes, renewed, sets, visitor},
    },
};

/// A change is made if its expectation holds (promise P2).
pub async fn an_update_whose_expectation_holds_is_made(store: &SharedStore) {
    let id = visitor(store, [("n", "1"), ("m", "1")]).await;
    let update = Update::new(sets([("n", "2")]));
    assert_eq!(
        store
            .update(&id, &update.clone().expecting("n", Some(json("1"))))
            .await
            .unwrap(),
        Version(2)
    );
    store
        .update(&id, &update.clone().expecting("m", Some(json("1"))))
        .await
        .unwrap();
    store.update(&id, &update.expecting("new", None)).await.unwrap();
    assert_data(&record(store, &id).await.data, [("n", "2"), ("m", "1")]);
}

/// A value may be removed if it is the one that was expected, and then it is there for nobody else.
pub async fn an_expected_value_may_be_removed(store: &SharedStore) {
    let id = visitor(store, [("n", "1"), ("m", "1")]).await;
    let update = |text| Update::new(removes(["n"])).expecting("n", Some(json(text)));
    assert_conflict(store.update(&id, &update("2")).await, Some("1"));
    assert_data(&record(store, &id).await.data, [("n", "1"), ("m", "1")]);
    assert_eq!(store.update(&id, &update("1")).await.unwrap(), Version(2));
    assert_conflict(store.update(&id, &update("1")).await, None);
    assert_data(&record(store, &id).await.data, [("m", "1")]);
}

/// If another value than the expected one is there, the answer is a conflict that tells it.
pub async fn a_conflict_tells_the_value_there_is(store: &SharedStore) {
    let id = visitor(store, [("n", "10")]).await;
    for expected in ["1", "100", "11", "10.0", " 10", "\"10\"", "null"] {
        let update = Update::new(sets([("n", "7")])).expecting("n", Some(json(expected)));
        assert_conflict(store.update(&id, &update).await, Some("10"));
    }
    assert_data(&record(store, &id).await.data, [("n", "10")]);
}

/// If there is a value where none was expected, the answer is a conflict that tells it.
pub async fn a_value_where_none_was_expected_conflicts(store: &SharedStore) {
    let id = visitor(store, [("n", "null"), ("m", "\"\"")]).await;
    for (key, text) in [("n", "null"), ("m", "\"\"")] {
        let update = Update::new(sets([(key, "7")])).expecting(key, None);
        assert_conflict(store.update(&id, &update).await, Some(text));
    }
}

/// If there is no value where one was expected, the answer is a conflict that tells so.
pub async fn a_missing_value_conflicts(store: &SharedStore) {
    let id = visitor(store, [("n", "1")]).await;
    store.update(&id, &Update::new(removes(["n"]))).await.unwrap();
    for expected in ["1", "null", "\"\""] {
        let update = Update::new(sets([("n", "7")])).expecting("n", Some(json(expected)));
        assert_conflict(store.update(&id, &update).await, None);
    }
    store
        .update(&id, &Update::new(sets([("n", "7")])).expecting("n", None))
        .await
        .unwrap();
}

/// After a conflict everything is as before: data, version and activity.
pub async fn a_conflict_changes_nothing(store: &SharedStore) {
    let id = visitor(store, [("n", "1"), ("m", "1")]).await;
    let before = record(store, &id).await;
    let mut delta = sets([("n", "7"), ("new", "7")]);
    delta.remove("m");
    let update = Update::new(delta).touching();
    assert_conflict(
        store.update(&id, &update.clone().expecting("n", Some(json("2")))).await,
        Some("1"),
    );
    assert_conflict(store.update(&id, &update.expecting("x", Some(json("2")))).await, None);
    let after = record(store, &id).await;
    assert_eq!((after.version, after.last_seen), (before.version, before.last_seen));
    assert_data(&after.data, [("n", "1"), ("m", "1")]);
}

/// Writes to other keys, and touches, never cause a conflict.
pub async fn unrelated_writes_never_conflict(store: &SharedStore) {
    let id = visitor(store, [("n", "1"), ("m", "1")]).await;
    let expecting = Update::new(sets([("n", "2")])).expecting("n", Some(json("1")));
    store
        .update(&id, &Update::new(sets([("m", "2"), ("n2", "9")])))
        .await
        .unwrap();
    store
        .update(&id, &Update::new(Delta::default()).touching())
        .await
        .unwrap();
    store.touch(&id).await.unwrap();
    assert_eq!(store.update(&id, &expecting).await.unwrap(), Version(4));
    assert_data(&record(store, &id).await.data, [("n", "2"), ("m", "2"), ("n2", "9")]);
}

/// An expectation is checked and kept under the new id of a session that was renewed.
pub async fn an_expectation_holds_through_a_renewal(store: &SharedStore) {
    let old = visitor(store, [("n", "1")]).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    let update = Update::new(sets([("n", "2")]));
    assert_conflict(
        store
            .update(&old, &update.clone().expecting("n", Some(json("0"))))
            .await,
        Some("1"),
    );
    store
        .update(&old, &update.expecting("n", Some(json("1"))))
        .await
        .unwrap();
    assert_data(&record(store, &new).await.data, [("n", "2")]);
}
