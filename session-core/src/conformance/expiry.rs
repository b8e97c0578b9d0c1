use std::collections::BTreeSet;

use crate::{
    Delta, Lifetime, Loaded, NewSession, Page, Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended, assert_in_use, assert_same_time},
        given::{
            BRIEF, LONG, create, expired, ids_of, is_live, json, new_user, record, session_of, set, sets, successor_of,
            visitor,
        },
    },
};

/// An expired session is missing, and those asked for after it are found (promise P9).
pub async fn an_expired_session_is_missing(store: &SharedStore) {
    let id = expired(store, None).await;
    assert_eq!(store.load(&[id]).await.unwrap(), Loaded::Missing);
    let live = visitor(store, []).await;
    assert!(matches!(store.load(&[id, live]).await.unwrap(), Loaded::Live(found, _) if found == live));
}

/// A session expires at its absolute end, however long its idle timeout is.
pub async fn a_session_expires_at_its_absolute_end(store: &SharedStore) {
    let lifetime = Lifetime {
        idle: LONG.idle,
        absolute: BRIEF.idle,
        lock: None,
        renewal: None,
    };
    let user = new_user();
    let id = create(store, &NewSession::new(lifetime).with_user(&user)).await;
    tokio::time::sleep(BRIEF.idle * 3).await;
    assert!(!is_live(store, &id).await);
    assert_ended(store.touch(&id).await);
    assert_ended(set(store, &id, "a", "1").await);
    assert_eq!(ids_of(store, &user).await, []);
}

/// Nothing that writes to a session brings back an expired one (promise P3).
pub async fn an_expired_session_stays_expired(store: &SharedStore) {
    let user = new_user();
    let id = expired(store, Some(&user)).await;
    let to = successor_of(&id);
    assert_ended(store.touch(&id).await);
    assert_ended(set(store, &id, "a", "1").await);
    let update = Update::new(sets([("a", "1")])).touching();
    assert_ended(store.update(&id, &update).await);
    assert_ended(store.update(&id, &update.clone().expecting("a", None)).await);
    assert_ended(store.update(&id, &update.expecting("a", Some(json("1")))).await);
    assert_ended(store.update(&id, &Update::new(Delta::default()).touching()).await);
    for renewal in [
        Renewal::of(Some(user.clone())),
        Renewal::of(None),
        Renewal::login(&user, LONG),
    ] {
        assert_ended(store.renew(&id, &to, &renewal).await);
    }
    store.end(&id).await.unwrap();
    assert!(!is_live(store, &id).await);
    assert!(!is_live(store, &to).await);
    assert_eq!(ids_of(store, &user).await, []);
}

/// A session that expired after a renewal is reached through no old id, and repeating the renewal does not revive it.
pub async fn an_expired_session_is_reached_through_no_old_id(store: &SharedStore) {
    for login in [false, true] {
        let user = new_user();
        let renewal = if login {
            Renewal::login(&user, BRIEF)
        } else {
            Renewal::of(Some(user.clone()))
        };
        let lifetime = if login {
            LONG
        } else {
            Lifetime {
                idle: BRIEF.idle * 3,
                ..BRIEF
            }
        };
        let old = create(store, &NewSession::new(lifetime).with_user(&user)).await;
        let new = successor_of(&old);
        let renewed = store.renew(&old, &new, &renewal).await;
        tokio::time::sleep(lifetime.idle.min(BRIEF.idle * 3) * 2).await;
        if renewed.is_ok() {
            assert_ended(store.renew(&old, &new, &renewal).await);
        }
        assert_ended(store.update(&old, &Update::new(sets([("a", "1")])).touching()).await);
        store.end(&old).await.unwrap();
        assert!(!is_live(store, &old).await);
        assert!(!is_live(store, &new).await);
    }
}

/// Expired sessions are neither listed nor counted (promise P10).
pub async fn expired_sessions_are_not_listed(store: &SharedStore) {
    let user = new_user();
    let live = session_of(store, &user).await;
    expired(store, Some(&user)).await;
    assert_eq!(ids_of(store, &user).await, [live]);
    expired(store, Some(&user)).await;
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    assert_eq!(ids_of(store, &user).await, []);
}

/// Expired sessions take no room in a page.
pub async fn expired_sessions_take_no_room_in_a_page(store: &SharedStore) {
    let user = new_user();
    let mut live = BTreeSet::new();
    for i in 0..24 {
        let lifetime = if i % 3 == 0 { LONG } else { BRIEF };
        let id = create(store, &NewSession::new(lifetime).with_user(&user)).await;
        if i % 3 == 0 {
            live.insert(id);
        }
    }
    tokio::time::sleep(BRIEF.idle * 3).await;
    let live: Vec<_> = live.into_iter().collect();
    let mut page = Page::default().with_limit(3);
    for expected in live.chunks(3) {
        let list = store.of_user(&user, &page).await.unwrap();
        assert_eq!(list.iter().map(|session| session.id).collect::<Vec<_>>(), expected);
        page = Page::following(expected[expected.len() - 1]).with_limit(3);
    }
}

/// A creation with the id of an expired session makes a session or is refused: it is not answered as if the expired
/// one were there, and nothing of that one is left in it.
pub async fn a_creation_over_an_expired_session_is_honest(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    let old = NewSession::new(BRIEF).with_user(&user).with_delta(sets([("old", "1")]));
    let id = create(store, &old).await;
    let _may_be_late = set(store, &id, "old", "2").await;
    tokio::time::sleep(BRIEF.idle * 3).await;

    let new = NewSession::new(LONG).with_user(&other).with_delta(sets([("new", "1")]));
    let created = store.create(&id, &new).await;
    if created.is_err() {
        assert_in_use(created);
        assert!(!is_live(store, &id).await);
        return;
    }
    let record = record(store, &id).await;
    assert_data(&record.data, [("new", "1")]);
    assert_eq!((record.version, &record.user), (Version(1), &Some(other.clone())));
    assert_same_time(record.last_seen, record.created);
    assert_eq!(record.idle_timeout, LONG.idle);
    assert_same_time(record.absolute_end, record.created + LONG.absolute);
    assert_eq!(ids_of(store, &user).await, []);
    assert_eq!(ids_of(store, &other).await, [id]);
}

/// A renewal to the id of an expired session makes a session or is refused in the same way.
pub async fn a_renewal_to_an_expired_id_is_honest(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    let from = session_of(store, &user).await;
    let to = successor_of(&from);
    store
        .create(&to, &NewSession::new(BRIEF).with_user(&other))
        .await
        .unwrap();
    tokio::time::sleep(BRIEF.idle * 3).await;
    let renewed = store.renew(&from, &to, &Renewal::of(Some(user.clone()))).await;
    let live = if renewed.is_ok() {
        to
    } else {
        assert_in_use(renewed);
        from
    };
    assert_eq!(record(store, &live).await.user.as_ref(), Some(&user));
    assert_eq!(ids_of(store, &user).await, [live]);
    assert_eq!(ids_of(store, &other).await, []);
}

/// Sessions that expire do not take others with them.
pub async fn only_the_expired_expire(store: &SharedStore) {
    let user = new_user();
    let live = session_of(store, &user).await;
    let guest = visitor(store, [("a", "1")]).await;
    expired(store, Some(&user)).await;
    expired(store, None).await;
    assert_data(&record(store, &guest).await.data, [("a", "1")]);
    assert_eq!(ids_of(store, &user).await, [live]);
}
