use std::time::Duration;

use crate::{
    Lifetime, NewSession, Renewal, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended, assert_same_time, assert_too_large},
        given::{
            LONG, clock_passes, create, ids_of, is_live, new_user, record, renewed, session_of, set, sets, visitor,
        },
    },
};

/// A login binds the user, keeps the data with its own changes, and starts a new lifetime (promise P9).
pub async fn a_login_binds_the_user_and_begins_anew(store: &SharedStore) {
    let user = new_user();
    let old = visitor(store, [("cart", "[1]"), ("csrf", "1")]).await;
    let before = record(store, &old).await;
    clock_passes(store, &old, before.created).await;

    let lifetime = Lifetime {
        idle: Duration::from_millis(600_001),
        absolute: Duration::from_millis(6_000_007),
        lock: None,
        renewal: None,
    };
    let mut delta = sets([("seen", "true")]);
    delta.remove("csrf");
    let new = renewed(store, &old, &Renewal::login(&user, lifetime).with_delta(delta)).await;

    let after = record(store, &new).await;
    assert_data(&after.data, [("cart", "[1]"), ("seen", "true")]);
    assert_eq!((after.version, after.user), (Version(2), Some(user)));
    assert!(after.created > before.created);
    assert_same_time(after.last_seen, after.created);
    assert_eq!(after.idle_timeout, lifetime.idle);
    assert_same_time(after.absolute_end, after.created + lifetime.absolute);
}

/// A login may be a second one, as the same user or as another, and then the session is theirs alone.
pub async fn a_login_may_change_the_user(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    let first = session_of(store, &user).await;
    let second = renewed(store, &first, &Renewal::login(&user, LONG)).await;
    assert_eq!(ids_of(store, &user).await, [second]);

    let third = renewed(store, &second, &Renewal::login(&other, LONG)).await;
    assert_eq!(record(store, &third).await.user, Some(other.clone()));
    assert_eq!(ids_of(store, &user).await, []);
    assert_eq!(ids_of(store, &other).await, [third]);

    assert_eq!(store.end_all(&user, None).await.unwrap(), 0);
    assert!(is_live(store, &third).await);
    assert_eq!(store.end_all(&other, None).await.unwrap(), 1);
    assert!(!is_live(store, &third).await);
}

/// Somebody else's login takes nothing of the user's over, not even what a request in flight has just written. So it is
/// if the session passes to nobody.
pub async fn a_login_as_somebody_else_takes_nothing_over(store: &SharedStore) {
    for other in [Some(new_user()), None] {
        let new = NewSession::new(LONG)
            .with_user(new_user())
            .with_delta(sets([("cart", "[1]")]));
        let old = create(store, &new).await;
        set(store, &old, "address", "\"here\"").await.unwrap();

        let mut delta = sets([("theme", "1")]);
        delta.remove("cart");
        let mut login = Renewal::login("", LONG).with_delta(delta);
        login.user.clone_from(&other);
        login.max_size = 6;
        let new = renewed(store, &old, &login).await;
        let record = record(store, &new).await;
        assert_data(&record.data, [("theme", "1")]);
        assert_eq!((record.version, record.user), (Version(3), other));
        assert_same_time(record.created, record.last_seen);

        // What was left behind does not count.
        let mut update = crate::Update::new(sets([("b", "2")]));
        update.max_size = 7;
        assert_too_large(store.update(&new, &update).await, 8, 7);
        update.max_size = 8;
        store.update(&new, &update).await.unwrap();
        assert!(!is_live(store, &old).await);
    }
}

/// A second login as the same user keeps the data.
pub async fn a_login_as_the_same_user_keeps_the_data(store: &SharedStore) {
    let user = new_user();
    let new = NewSession::new(LONG)
        .with_user(&user)
        .with_delta(sets([("cart", "[1]")]));
    let old = create(store, &new).await;
    let new = renewed(store, &old, &Renewal::login(&user, LONG)).await;
    assert_data(&record(store, &new).await.data, [("cart", "[1]")]);
}

/// Who logs in is listed with the time of the login.
pub async fn a_login_is_listed(store: &SharedStore) {
    let user = new_user();
    let old = visitor(store, []).await;
    assert_eq!(ids_of(store, &user).await, []);
    let new = renewed(store, &old, &Renewal::login(&user, LONG)).await;
    let list = store.of_user(&user, &crate::Page::default()).await.unwrap();
    let record = record(store, &new).await;
    assert_eq!(list.iter().map(|session| session.id).collect::<Vec<_>>(), [new]);
    assert_same_time(list[0].created, record.created);
    assert_same_time(list[0].last_seen, record.last_seen);
    assert_same_time(list[0].absolute_end, record.absolute_end);
}

/// A change by a request from before the login is refused: it knew another user, or none (promise P4).
pub async fn a_change_from_before_a_login_is_refused(store: &SharedStore) {
    let user = new_user();
    let old = visitor(store, [("a", "1")]).await;
    let new = renewed(store, &old, &Renewal::login(&user, LONG)).await;
    assert_ended(set(store, &old, "a", "2").await);
    assert_ended(
        store
            .update(&old, &crate::Update::new(sets([("a", "2")])).touching())
            .await,
    );
    assert_ended(
        store
            .update(&old, &crate::Update::new(sets([("a", "2")])).expecting("a", None))
            .await,
    );
    let record = record(store, &new).await;
    assert_data(&record.data, [("a", "1")]);
    assert_eq!(record.version, Version(2));
}

/// A logout by a request from before the login does not undo the login (promise P4).
pub async fn ending_the_id_from_before_a_login_does_not_undo_it(store: &SharedStore) {
    let user = new_user();
    for old in [visitor(store, []).await, session_of(store, &user).await] {
        let new = renewed(store, &old, &Renewal::login(&user, LONG)).await;
        store.end(&old).await.unwrap();
        assert!(is_live(store, &new).await);
        assert!(!is_live(store, &old).await);
        assert_ended(set(store, &old, "a", "2").await);
    }
}

/// A plain renewal before the login leads to the id that logged in, and no further.
pub async fn no_chain_of_old_ids_leads_through_a_login(store: &SharedStore) {
    let user = new_user();
    let first = visitor(store, []).await;
    let second = renewed(store, &first, &Renewal::of(None)).await;
    let third = renewed(store, &second, &Renewal::login(&user, LONG)).await;
    let fourth = renewed(store, &third, &Renewal::of(Some(user.clone()))).await;
    for id in [first, second] {
        assert_ended(set(store, &id, "a", "1").await);
        store.end(&id).await.unwrap();
        assert_eq!(store.end_all(&user, Some(&fourth)).await.unwrap(), 0);
        assert_data(&record(store, &fourth).await.data, []);
    }
    set(store, &third, "a", "1").await.unwrap();
    assert_data(&record(store, &fourth).await.data, [("a", "1")]);
}

/// A login does not open more than one session, and ends none of the user's others.
pub async fn a_login_spares_the_user_s_other_sessions(store: &SharedStore) {
    let user = new_user();
    let other = create(store, &NewSession::new(LONG).with_user(&user)).await;
    let old = visitor(store, []).await;
    let new = renewed(store, &old, &Renewal::login(&user, LONG)).await;
    let mut expected = [other, new];
    expected.sort();
    assert_eq!(ids_of(store, &user).await, expected);
}
