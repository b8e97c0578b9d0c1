use crate::{
    Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended, assert_in_use, assert_same_time},
        given::{
            LONG, clock_passes, create, ids_of, is_live, new_id, new_user, record, renewed, session_of, set, sets,
            successor_of, visitor,
        },
    },
};

/// A renewed session is the same session under a new id: its data, its user and its lifetime go on.
pub async fn a_renewed_session_goes_on(store: &SharedStore) {
    let user = new_user();
    let new = crate::NewSession::new(LONG)
        .with_user(&user)
        .with_delta(sets([("a", "1"), ("b", "2"), ("c", "3")]));
    let old = create(store, &new).await;
    let before = record(store, &old).await;
    clock_passes(store, &old, before.last_seen).await;

    let mut delta = sets([("b", "20"), ("d", "4")]);
    delta.remove("c");
    let new = successor_of(&old);
    let renewal = Renewal::of(Some(user.clone())).with_delta(delta);
    assert_eq!(store.renew(&old, &new, &renewal).await.unwrap(), Version(2));

    let after = record(store, &new).await;
    assert_data(&after.data, [("a", "1"), ("b", "20"), ("d", "4")]);
    assert_eq!((after.version, &after.user), (Version(2), &Some(user)));
    assert_eq!(
        (after.created, after.absolute_end),
        (before.created, before.absolute_end)
    );
    assert_eq!(after.idle_timeout, before.idle_timeout);
    assert!(after.last_seen > before.last_seen, "a renewal is activity");
    assert_same_time(after.expires(), after.last_seen + after.idle_timeout);
}

/// A visitor's session can be renewed too, and stays a visitor's.
pub async fn a_visitor_s_session_can_be_renewed(store: &SharedStore) {
    let old = visitor(store, [("a", "1")]).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    let record = record(store, &new).await;
    assert_data(&record.data, [("a", "1")]);
    assert_eq!((record.version, record.user), (Version(2), None));
}

/// From the renewal on, the old id opens nothing (promise P6).
pub async fn an_old_id_opens_nothing(store: &SharedStore) {
    let user = new_user();
    for renewal in [Renewal::of(Some(user.clone())), Renewal::login(&user, LONG)] {
        let old = session_of(store, &user).await;
        let new = renewed(store, &old, &renewal).await;
        assert!(!is_live(store, &old).await);
        assert!(is_live(store, &new).await);
        set(store, &new, "a", "1").await.unwrap();
        store.touch(&new).await.unwrap();
        assert!(!is_live(store, &old).await);
    }
}

/// The new id is a session like any other: it can be written to, touched, renewed again and ended.
pub async fn a_renewed_session_can_be_renewed_again(store: &SharedStore) {
    let mut id = visitor(store, [("n", "0")]).await;
    for n in 1..=5 {
        id = renewed(store, &id, &Renewal::of(None)).await;
        assert_eq!(set(store, &id, "n", &n.to_string()).await.unwrap(), Version(2 * n + 1));
        store.touch(&id).await.unwrap();
    }
    assert_data(&record(store, &id).await.data, [("n", "5")]);
    store.end(&id).await.unwrap();
    assert!(!is_live(store, &id).await);
}

/// A session that is not there is not made by renewing it, under either id (promise P3).
pub async fn a_renewal_of_a_dead_session_makes_nothing(store: &SharedStore) {
    let user = new_user();
    let unknown = new_id();
    let ended = session_of(store, &user).await;
    store.end(&ended).await.unwrap();
    let ended_visitor = visitor(store, []).await;
    store.end(&ended_visitor).await.unwrap();

    for from in [unknown, ended, ended_visitor] {
        let delta = sets([("a", "1")]);
        for renewal in [
            Renewal::of(None),
            Renewal::of(None).with_delta(delta.clone()),
            Renewal::of(Some(user.clone())).with_delta(delta.clone()),
            Renewal::login(&user, LONG).with_delta(delta),
        ] {
            let to = successor_of(&from);
            assert_ended(store.renew(&from, &to, &renewal).await);
            assert!(!is_live(store, &from).await);
            assert!(!is_live(store, &to).await);
            assert_ended(store.update(&from, &Update::new(sets([("a", "1")]))).await);
        }
    }
    assert_eq!(ids_of(store, &user).await, []);
}

/// Only a login changes the user: a renewal that names another one than the record is refused, and changes nothing.
pub async fn a_renewal_for_another_user_is_refused(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    let cases = [
        (session_of(store, &user).await, Some(user.clone()), None),
        (session_of(store, &user).await, Some(user.clone()), Some(other.clone())),
        (visitor(store, []).await, None, Some(other.clone())),
    ];
    for (from, owner, wrong) in cases {
        let to = successor_of(&from);
        let renewal = Renewal::of(wrong).with_delta(sets([("a", "1")]));
        assert_ended(store.renew(&from, &to, &renewal).await);
        assert!(!is_live(store, &to).await);
        let record = record(store, &from).await;
        assert_eq!((record.version, &record.user), (Version(1), &owner));
        assert_data(&record.data, []);
        renewed(store, &from, &Renewal::of(owner)).await;
    }
    assert_eq!(ids_of(store, &other).await, []);
}

/// A renewal whose acknowledgement was lost may be repeated: it is answered alike and done once.
pub async fn a_repeated_renewal_is_answered_alike(store: &SharedStore) {
    let user = new_user();
    for renewal in [Renewal::of(Some(user.clone())), Renewal::login(&user, LONG)] {
        let renewal = renewal.with_delta(sets([("a", "1")]));
        let old = session_of(store, &user).await;
        let new = renewed(store, &old, &renewal).await;
        let before = record(store, &new).await;
        assert_eq!(store.renew(&old, &new, &renewal).await.unwrap(), Version(2));
        let after = record(store, &new).await;
        assert_eq!((&after.data, after.version), (&before.data, before.version));
        assert_eq!(
            (after.created, after.absolute_end),
            (before.created, before.absolute_end)
        );
        assert!(!is_live(store, &old).await);

        set(store, &new, "a", "2").await.unwrap();
        store.renew(&old, &new, &renewal).await.unwrap();
        assert_data(&record(store, &new).await.data, [("a", "2")]);
        assert_eq!(record(store, &new).await.version, Version(3));
    }
}

/// Repeating a renewal does not bring back what ended or was renewed after it (promise P3).
pub async fn a_repeated_renewal_revives_nothing(store: &SharedStore) {
    let renewal = Renewal::of(None);
    let old = visitor(store, []).await;
    let new = renewed(store, &old, &renewal).await;
    let newest = renewed(store, &new, &renewal).await;
    assert_ended(store.renew(&old, &new, &renewal).await);
    assert!(!is_live(store, &new).await);
    assert!(is_live(store, &newest).await);

    store.end(&newest).await.unwrap();
    assert_ended(store.renew(&new, &newest, &renewal).await);
    for id in [old, new, newest] {
        assert!(!is_live(store, &id).await);
    }
}

/// An old id cannot be renewed to a second new one: a session has one id.
pub async fn an_old_id_cannot_be_renewed(store: &SharedStore) {
    let user = new_user();
    for first in [Renewal::of(Some(user.clone())), Renewal::login(&user, LONG)] {
        for second in [
            Renewal::of(Some(user.clone())),
            Renewal::of(None),
            Renewal::login(&user, LONG),
        ] {
            let old = session_of(store, &user).await;
            let new = renewed(store, &old, &first).await;
            let to = successor_of(&old);
            assert_ended(store.renew(&old, &to, &second.with_delta(sets([("a", "1")]))).await);
            assert!(!is_live(store, &to).await);
            assert_data(&record(store, &new).await.data, []);
        }
    }
}

/// A session is not renewed to an id that another session has or had, and neither changes.
pub async fn a_renewal_to_an_id_in_use_is_refused(store: &SharedStore) {
    let user = new_user();
    let id = session_of(store, &user).await;
    let other = successor_of(&id);
    store
        .create(&other, &crate::NewSession::new(LONG).with_delta(sets([("b", "1")])))
        .await
        .unwrap();
    let marker = successor_of(&id);
    store.create(&marker, &crate::NewSession::new(LONG)).await.unwrap();
    let after_marker = renewed(store, &marker, &Renewal::of(None)).await;

    for to in [other, marker] {
        for renewal in [Renewal::of(Some(user.clone())), Renewal::login(&user, LONG)] {
            assert_in_use(store.renew(&id, &to, &renewal.with_delta(sets([("a", "1")]))).await);
        }
    }
    assert_eq!(record(store, &id).await.version, Version(1));
    assert_data(&record(store, &id).await.data, []);
    assert_data(&record(store, &other).await.data, [("b", "1")]);
    assert!(!is_live(store, &marker).await);
    set(store, &marker, "c", "1").await.unwrap();
    assert_data(&record(store, &after_marker).await.data, [("c", "1")]);
    assert_eq!(ids_of(store, &user).await, [id]);
}
