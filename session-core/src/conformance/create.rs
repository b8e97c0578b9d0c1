use std::time::Duration;

use crate::{
    Delta, Lifetime, Loaded, NewSession, Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_in_use, assert_same_time, assert_too_large},
        given::{LONG, create, is_live, new_id, new_user, record, removes, renewed, session_of, set, sets, visitor},
    },
};

/// A created session is there with its data, at version 1, seen for the last time when it was created.
pub async fn a_created_session_loads_back(store: &SharedStore) {
    let id = new_id();
    let new = NewSession::new(LONG).with_delta(sets([("cart", "[1,2]"), ("theme", "\"dark\"")]));
    assert_eq!(store.create(&id, &new).await.unwrap(), Version(1));

    let record = record(store, &id).await;
    assert_data(&record.data, [("cart", "[1,2]"), ("theme", "\"dark\"")]);
    assert_eq!((record.version, record.user), (Version(1), None));
    assert_same_time(record.last_seen, record.created);
}

/// A session without any data is a session.
pub async fn a_session_without_data_loads_back(store: &SharedStore) {
    let id = create(store, &NewSession::new(LONG)).await;
    assert_data(&record(store, &id).await.data, []);
}

/// What is created keeps its user and its lifetime (promise P9).
pub async fn a_creation_keeps_user_and_lifetime(store: &SharedStore) {
    let user = new_user();
    let lifetime = Lifetime {
        idle: Duration::from_millis(1_234_567),
        absolute: Duration::from_millis(7_654_321),
        lock: None,
        renewal: None,
    };
    let id = create(store, &NewSession::new(lifetime).with_user(&user)).await;

    let record = record(store, &id).await;
    assert_eq!(record.user, Some(user));
    assert_eq!(record.idle_timeout, lifetime.idle);
    assert_same_time(record.absolute_end, record.created + lifetime.absolute);
}

/// Removals in a creation mean nothing.
pub async fn a_creation_ignores_removals(store: &SharedStore) {
    let mut delta = removes(["gone"]);
    delta.set("here", crate::Value::from_json("1")).unwrap();
    let id = create(store, &NewSession::new(LONG).with_delta(delta)).await;
    assert_data(&record(store, &id).await.data, [("here", "1")]);
}

/// An id in use is refused to a session with any other content, and the one that has it stays as it is.
pub async fn a_creation_with_an_id_in_use_is_refused(store: &SharedStore) {
    let user = new_user();
    let new = |delta: Delta| NewSession::new(LONG).with_delta(delta);
    let id = create(store, &new(sets([("a", "1"), ("b", "2")])).with_user(&user)).await;

    for delta in [
        Delta::default(),
        sets([("a", "1")]),
        sets([("a", "1"), ("b", "3")]),
        sets([("a", "1"), ("c", "2")]),
        sets([("a", "1"), ("b", "2"), ("c", "3")]),
    ] {
        assert_in_use(store.create(&id, &new(delta).with_user(&user)).await);
    }
    let same = new(sets([("a", "1"), ("b", "2")]));
    assert_in_use(store.create(&id, &same).await);
    assert_in_use(store.create(&id, &same.with_user(new_user())).await);

    let record = record(store, &id).await;
    assert_data(&record.data, [("a", "1"), ("b", "2")]);
    assert_eq!((record.version, record.user), (Version(1), Some(user)));
}

/// A session without a user keeps its id from one with.
pub async fn a_creation_with_a_visitors_id_is_refused(store: &SharedStore) {
    let id = visitor(store, [("a", "1")]).await;
    let user = new_user();
    let theirs = NewSession::new(LONG).with_delta(sets([("a", "1")])).with_user(&user);
    assert_in_use(store.create(&id, &theirs).await);
    assert_eq!(record(store, &id).await.user, None);
    assert_eq!(store.of_user(&user, &crate::Page::default()).await.unwrap(), []);
}

/// A creation whose acknowledgement was lost may be repeated.
pub async fn a_repeated_creation_is_answered_alike(store: &SharedStore) {
    for new in [
        NewSession::new(LONG),
        NewSession::new(LONG).with_delta(sets([("a", "1"), ("b", "\"\\u0000\"")])),
        NewSession::new(LONG)
            .with_delta(sets([("a", "1")]))
            .with_user(new_user()),
    ] {
        let id = create(store, &new).await;
        let before = record(store, &id).await;
        assert_eq!(store.create(&id, &new).await.unwrap(), Version(1));
        let after = record(store, &id).await;
        assert_eq!((&after.data, after.version), (&before.data, Version(1)));
        assert_eq!(after.created, before.created);
        assert_eq!(after.absolute_end, before.absolute_end);
    }
}

/// A creation is not repeated once the session has been written to, not even back to what it was.
pub async fn a_creation_of_a_changed_session_is_refused(store: &SharedStore) {
    let new = NewSession::new(LONG).with_delta(sets([("a", "1")]));
    let id = create(store, &new).await;
    store.update(&id, &Update::new(sets([("a", "1")]))).await.unwrap();
    assert_in_use(store.create(&id, &new).await);
    set(store, &id, "a", "2").await.unwrap();
    assert_in_use(store.create(&id, &new).await);
    assert_data(&record(store, &id).await.data, [("a", "2")]);
}

/// A creation that comes late, after the session was renewed, makes no second session of the old id (promise P6).
pub async fn a_creation_over_a_marker_is_refused(store: &SharedStore) {
    for login in [false, true] {
        let user = new_user();
        let new = NewSession::new(LONG).with_user(&user);
        let id = create(store, &new).await;
        let renewal = if login {
            Renewal::login(&user, LONG)
        } else {
            Renewal::of(Some(user.clone()))
        };
        let to = renewed(store, &id, &renewal).await;

        assert_in_use(store.create(&id, &new).await);
        assert!(!is_live(store, &id).await);
        assert!(is_live(store, &to).await);
    }
}

/// What is too large is refused, and then there is no session; what is just as large as allowed is created.
pub async fn a_creation_that_is_too_large_makes_nothing(store: &SharedStore) {
    let id = new_id();
    let user = new_user();
    // 7 bytes of keys and 7 of values, in fewer characters.
    let mut new = NewSession::new(LONG)
        .with_delta(sets([("clé", "\"é\""), ("k", "11"), ("ß", "1")]))
        .with_user(&user);
    new.max_size = 13;
    assert_too_large(store.create(&id, &new).await, 14, 13);
    assert_eq!(store.load(&[id]).await.unwrap(), Loaded::Missing);
    assert_eq!(store.of_user(&user, &crate::Page::default()).await.unwrap(), []);

    new.max_size = 14;
    store.create(&id, &new).await.unwrap();
    assert!(is_live(store, &id).await);
}

/// A change to one session is none to another.
pub async fn sessions_do_not_share_data(store: &SharedStore) {
    let one = session_of(store, &new_user()).await;
    let other = visitor(store, [("a", "2")]).await;
    set(store, &one, "a", "1").await.unwrap();
    set(store, &other, "b", "2").await.unwrap();
    assert_data(&record(store, &one).await.data, [("a", "1")]);
    assert_data(&record(store, &other).await.data, [("a", "2"), ("b", "2")]);
}
