use crate::{
    NewSession, Renewal, Update,
    conformance::{
        SharedStore,
        checks::{assert_conflict, assert_data, text},
        given::{LONG, create, json, record, removes, renewed, sets, visitor},
    },
};

/// More than a Lua script can unpack at once, more than a statement has parameters for.
const MANY: usize = 9000;

const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-0.0",
    "1e16",
    "5e-324",
    "1.10",
    "3.141592653589793238462643383279",
    "18446744073709551616",
    "-9223372036854775809",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "\"é\\u00e9\"",
    "\"\\\\u0000\"",
    "{}",
    "[]",
    "{\"b\":null,\"a\":{\"c\":null},\"a\":[null,[]]}",
    "[ 1,\t2 ]",
    "\"日本語 👩‍👩‍👧\"",
    "\"\\\"\\n\"",
    "'$1'",
    "{damaged",
];

const KEYS: &[&str] = &[
    "id",
    "v",
    "version",
    "user",
    "user_id",
    "data",
    "created",
    "last_seen",
    "idle",
    "expires",
    "next",
    "$1",
    "a'b",
    "\"",
    "\\",
    "\\u0000",
    "__proto__",
    "{a}",
    "*",
    "%s",
    "null",
    "true",
    "0",
    "1",
    "-1",
    "a.b",
    "a,b",
    "{}",
    "[]",
    " ",
    "a",
    "A",
    "a ",
    "\n",
    "\u{1}",
    "\u{7f}",
    "é",
    "e\u{301}",
    "ключ",
    "鍵",
    "👩‍👩‍👧",
    "ok",
    "err",
];

/// A value comes back byte for byte, whatever it says.
pub async fn values_are_kept_byte_for_byte(store: &SharedStore) {
    let keys: Vec<String> = (0..VALUES.len()).map(|i| format!("k{i}")).collect();
    let all = || keys.iter().map(String::as_str).zip(VALUES.iter().copied());
    let id = create(store, &NewSession::new(LONG).with_delta(sets(all()))).await;
    assert_data(&record(store, &id).await.data, all());

    let id = visitor(store, []).await;
    store.update(&id, &Update::new(sets(all()))).await.unwrap();
    assert_data(&record(store, &id).await.data, all());

    let id = visitor(store, []).await;
    let id = renewed(store, &id, &Renewal::of(None).with_delta(sets(all()))).await;
    assert_data(&record(store, &id).await.data, all());
}

/// Values are expected, and told in a conflict, byte for byte too.
pub async fn values_are_expected_byte_for_byte(store: &SharedStore) {
    for value in VALUES {
        let id = create(store, &NewSession::new(LONG).with_delta(sets([("k", *value)]))).await;
        let update = Update::new(sets([("k", "7")]));
        assert_conflict(
            store.update(&id, &update.clone().expecting("k", Some(json("?")))).await,
            Some(value),
        );
        store
            .update(&id, &update.expecting("k", Some(json(value))))
            .await
            .unwrap();
    }
}

/// No key is special: not to a store's own fields, nor to the language its statements are written in.
pub async fn any_key_can_be_created(store: &SharedStore) {
    let all = || KEYS.iter().map(|key| (*key, "\"x\""));
    let id = create(store, &NewSession::new(LONG).with_delta(sets(all()))).await;
    assert_data(&record(store, &id).await.data, all());
}

/// Each key can be set, expected and removed by itself, and leaves the others alone.
pub async fn any_key_can_be_changed(store: &SharedStore) {
    let id = visitor(store, []).await;
    for key in KEYS {
        store
            .update(&id, &Update::new(sets([(*key, "1")])).expecting(*key, None))
            .await
            .unwrap();
        let update = Update::new(sets([(*key, "2")]));
        assert_conflict(
            store
                .update(&id, &update.clone().expecting(*key, Some(json("3"))))
                .await,
            Some("1"),
        );
        store
            .update(&id, &update.expecting(*key, Some(json("1"))))
            .await
            .unwrap();
    }
    assert_data(&record(store, &id).await.data, KEYS.iter().map(|key| (*key, "2")));

    for (i, key) in KEYS.iter().enumerate() {
        store.update(&id, &Update::new(removes([*key]))).await.unwrap();
        assert_data(
            &record(store, &id).await.data,
            KEYS[i + 1..].iter().map(|key| (*key, "2")),
        );
    }
}

/// A key may be as long as a delta allows.
pub async fn the_longest_key_is_kept(store: &SharedStore) {
    let key = "ж".repeat(127);
    let id = visitor(store, []).await;
    store
        .update(&id, &Update::new(sets([(key.as_str(), "1")])))
        .await
        .unwrap();
    assert_data(&record(store, &id).await.data, [(key.as_str(), "1")]);
}

/// A value of 64 KiB, the most that a session allows unless set otherwise, is kept.
pub async fn a_value_of_64_kib_is_kept(store: &SharedStore) {
    let large = format!("\"{}ab\"", "é\\n".repeat((64 * 1024 - 4) / 4));
    assert_eq!(large.len(), 64 * 1024);
    let id = visitor(store, []).await;
    store
        .update(&id, &Update::new(sets([("large", large.clone())])))
        .await
        .unwrap();
    assert!(
        text(&record(store, &id).await.data["large"]) == large,
        "a large value was not kept"
    );
}

/// A record may hold thousands of keys, made, changed and removed in one step each.
pub async fn thousands_of_keys_fit_one_change(store: &SharedStore) {
    let keys: Vec<String> = (0..MANY).map(|i| format!("{i:05}")).collect();
    let all = |text: &'static str| keys.iter().map(move |key| (key.as_str(), text));
    let created = create(store, &NewSession::new(LONG).with_delta(sets(all("1")))).await;
    assert_data(&record(store, &created).await.data, all("1"));

    store.update(&created, &Update::new(sets(all("2")))).await.unwrap();
    assert_data(&record(store, &created).await.data, all("2"));

    let renewed = renewed(store, &created, &Renewal::of(None).with_delta(sets(all("3")))).await;
    assert_data(&record(store, &renewed).await.data, all("3"));

    store
        .update(&renewed, &Update::new(removes(keys.iter().map(String::as_str))))
        .await
        .unwrap();
    assert_data(&record(store, &renewed).await.data, []);
}

/// A renewal may remove thousands of keys, and a creation with as many be repeated.
pub async fn thousands_of_keys_can_be_removed_by_a_renewal(store: &SharedStore) {
    let keys: Vec<String> = (0..MANY).map(|i| format!("{i:05}")).collect();
    let new = NewSession::new(LONG).with_delta(sets(keys.iter().map(|key| (key.as_str(), "1"))));
    let id = create(store, &new).await;
    store.create(&id, &new).await.unwrap();
    let id = renewed(store, &id, &Renewal::of(None).with_delta(removes(&keys[1..]))).await;
    assert_data(&record(store, &id).await.data, [("00000", "1")]);
}
