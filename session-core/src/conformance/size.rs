use crate::{
    Delta, Renewal, SessionId, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_too_large},
        given::{is_live, json, record, removes, renewed, sets, successor_of, visitor},
    },
};

/// The size of a record is that of its keys and values in bytes, and may be just what is allowed.
pub async fn an_update_is_measured_in_bytes(store: &SharedStore) {
    let id = visitor(store, [("ключ", "\"é\"")]).await; // 8 and 4 bytes
    refuses_one_byte_less(store, &id, sets([("日", "\"本\"")]), 12 + 3 + 5).await;
    assert_data(&record(store, &id).await.data, [("ключ", "\"é\""), ("日", "\"本\"")]);
}

/// What replaces a value takes its room, and is not added to it.
pub async fn a_replaced_value_is_measured_once(store: &SharedStore) {
    let id = visitor(store, [("a", "12345"), ("b", "12345")]).await;
    refuses_one_byte_less(store, &id, sets([("a", "123456789")]), 16).await;
    refuses_one_byte_less(store, &id, sets([("a", "1")]), 8).await;
    refuses_one_byte_less(store, &id, sets([("b", "54321")]), 8).await;
}

/// What is removed leaves its room to others, in the same change too.
pub async fn a_removed_value_is_not_measured(store: &SharedStore) {
    let id = visitor(store, [("a", "12345"), ("long key", "12345"), ("c", "12345")]).await;
    let mut delta = sets([("new", "12345")]);
    delta.remove("long key");
    delta.remove("absent");
    refuses_one_byte_less(store, &id, delta, 6 + 8 + 6).await;
    refuses_one_byte_less(store, &id, removes(["new"]), 12).await;
    refuses_one_byte_less(store, &id, sets([("long key", "12345")]), 12 + 13).await;
}

/// A renewal is measured as an update is, and so is the record it leaves.
pub async fn a_renewed_record_is_measured_whole(store: &SharedStore) {
    let id = visitor(store, [("a", "12345"), ("b", "12345")]).await;
    let mut delta = sets([("a", "1"), ("c", "\"é\"")]);
    delta.remove("b");
    for mut renewal in [
        Renewal::of(None),
        Renewal::login("somebody", crate::conformance::given::LONG),
    ] {
        renewal = renewal.with_delta(delta.clone());
        renewal.max_size = 6;
        assert_too_large(store.renew(&id, &successor_of(&id), &renewal).await, 7, 6);
    }
    let mut renewal = Renewal::of(None).with_delta(delta);
    renewal.max_size = 7;
    let new = renewed(store, &id, &renewal).await;
    refuses_one_byte_less(store, &id, sets([("d", "1")]), 9).await;
    assert_data(
        &record(store, &new).await.data,
        [("a", "1"), ("c", "\"é\""), ("d", "1")],
    );
}

/// A change that is too large is refused whole: data, version and activity stay.
pub async fn an_update_that_is_too_large_changes_nothing(store: &SharedStore) {
    let id = visitor(store, [("a", "1"), ("b", "2")]).await;
    let before = record(store, &id).await;
    let mut delta = sets([("a", "12345")]);
    delta.remove("b");
    let mut update = Update::new(delta).touching();
    update.max_size = 5;
    assert_too_large(store.update(&id, &update).await, 6, 5);
    assert_too_large(store.update(&id, &update.expecting("a", Some(json("1")))).await, 6, 5);
    let after = record(store, &id).await;
    assert_eq!((after.version, after.last_seen), (before.version, before.last_seen));
    assert_data(&after.data, [("a", "1"), ("b", "2")]);
}

/// A renewal that is too large is refused whole: the session stays under its old id.
pub async fn a_renewal_that_is_too_large_changes_nothing(store: &SharedStore) {
    let old = visitor(store, [("a", "1")]).await;
    let new = successor_of(&old);
    let mut renewal = Renewal::of(None).with_delta(sets([("b", "1")]));
    renewal.max_size = 3;
    assert_too_large(store.renew(&old, &new, &renewal).await, 4, 3);
    assert!(!is_live(store, &new).await);
    let record = record(store, &old).await;
    assert_eq!(record.version, Version(1));
    assert_data(&record.data, [("a", "1")]);

    renewal.max_size = 4;
    assert_eq!(store.renew(&old, &new, &renewal).await.unwrap(), Version(2));
}

/// A limit beyond all others is none.
pub async fn the_largest_limit_is_allowed(store: &SharedStore) {
    let id = visitor(store, []).await;
    let mut update = Update::new(sets([("a", "1")]));
    update.max_size = u64::MAX;
    store.update(&id, &update).await.unwrap();
    assert_data(&record(store, &id).await.data, [("a", "1")]);
}

/// The change makes a record of `size` bytes: it is refused with one byte less, and made with just as many.
async fn refuses_one_byte_less(store: &SharedStore, id: &SessionId, delta: Delta, size: u64) {
    let mut update = Update::new(delta);
    update.max_size = size - 1;
    assert_too_large(store.update(id, &update).await, size, size - 1);
    update.max_size = size;
    store.update(id, &update).await.unwrap();
}
