use std::time::Duration;

use crate::{
    Error, Excess, Lifetime, Login, NewSession, Renewal, SessionId, SessionLimit, Version,
    conformance::{
        SharedStore,
        checks::assert_data,
        given::{
            LONG, clock_passes, create, expired, ids_of, is_live, new_id, new_user, record, renewed, sets,
            successor_of, visitor,
        },
    },
};

/// A login of a class, of which there may be `max` sessions.
pub(super) fn limited(class: &str, max: u32, excess: Excess) -> Login {
    let mut login = Login::from(LONG);
    login.about.class = class.into();
    login.limit = Some(SessionLimit::new(max).excess(excess));
    login
}

/// A session of `user` that begins with a login of this kind.
pub(super) fn new_with(user: &str, login: &Login) -> NewSession {
    let mut new = NewSession::new(login.lifetime).with_user(user);
    new.about = login.about.clone();
    new.limit = login.limit;
    new
}

pub(super) fn assert_limit_reached<T: std::fmt::Debug>(answer: Result<T, Error>, max: u32) {
    match answer {
        Err(Error::LimitReached { max: told }) if told == max => {}
        other => panic!("not refused for the limit of {max}: {other:?}"),
    }
}

async fn log_in(store: &SharedStore, user: &str, login: &Login) -> SessionId {
    let visitor = visitor(store, []).await;
    renewed(store, &visitor, &Renewal::login(user, login.clone())).await
}

/// A login beyond the limit is refused and changes nothing (promise P10).
pub async fn a_login_beyond_the_limit_is_refused(store: &SharedStore) {
    let user = new_user();
    let login = limited("", 2, Excess::Refuse);
    let mut ids = vec![log_in(store, &user, &login).await];
    ids.push(create(store, &new_with(&user, &login)).await);
    ids.sort();

    let visitor = visitor(store, [("cart", "[1]")]).await;
    let renewal = Renewal::login(&user, login.clone()).with_delta(sets([("a", "1")]));
    let to = successor_of(&visitor);
    assert_limit_reached(store.renew(&visitor, &to, &renewal).await, 2);
    assert_limit_reached(store.create(&new_id(), &new_with(&user, &login)).await, 2);

    assert_eq!(ids_of(store, &user).await, ids);
    assert!(!is_live(store, &to).await);
    let record = record(store, &visitor).await;
    assert_data(&record.data, [("cart", "[1]")]);
    assert_eq!((record.version, record.user), (Version(1), None));

    store.end(&ids[0]).await.unwrap();
    store.renew(&visitor, &to, &renewal).await.unwrap();
    assert_eq!(ids_of(store, &user).await.len(), 2);
}

/// Where the oldest makes room, the login ends as many as are too many, those that began first.
pub async fn a_login_beyond_the_limit_may_end_the_oldest(store: &SharedStore) {
    let user = new_user();
    let unlimited = NewSession::new(LONG).with_user(&user);
    let mut ids = Vec::new();
    for _ in 0..4 {
        let id = create(store, &unlimited).await;
        clock_passes(store, &id, record(store, &id).await.created).await;
        ids.push(id);
    }
    // Activity and renewal make nothing younger.
    store.touch(&ids[0]).await.unwrap();
    ids[1] = renewed(store, &ids[1], &Renewal::of(Some(user.clone()))).await;

    let login = limited("", 3, Excess::EndOldest);
    let fifth = log_in(store, &user, &login).await;
    assert_eq!(ids_of(store, &user).await, sorted([ids[2], ids[3], fifth]));
    let sixth = create(store, &new_with(&user, &login)).await;
    assert_eq!(ids_of(store, &user).await, sorted([ids[3], fifth, sixth]));
    for id in &ids[..3] {
        assert!(!is_live(store, id).await);
    }
}

/// A limit counts the live sessions of one user and one class, each once, and not the one that logs in again.
pub async fn a_limit_counts_what_it_should(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    let privileged = limited("privileged", 1, Excess::Refuse);
    let ordinary = limited("", 1, Excess::Refuse);
    expired(store, Some(&user)).await;
    let ended = log_in(store, &user, &ordinary).await;
    store.end(&ended).await.unwrap();

    let one = log_in(store, &user, &ordinary).await;
    let two = log_in(store, &user, &privileged).await;
    log_in(store, &other, &ordinary).await;
    log_in(store, &other, &privileged).await;
    let visitor = visitor(store, []).await;
    for (login, name) in [(&privileged, &user), (&ordinary, &user), (&ordinary, &other)] {
        let renewal = Renewal::login(name, login.clone());
        assert_limit_reached(store.renew(&visitor, &successor_of(&visitor), &renewal).await, 1);
    }

    let one = renewed(store, &one, &Renewal::of(Some(user.clone()))).await;
    let one = renewed(store, &one, &Renewal::login(&user, ordinary.clone())).await;
    assert_eq!(ids_of(store, &user).await, sorted([one, two]));
    // From one class to the other: one leaves room, and finds none.
    let renewal = Renewal::login(&user, privileged);
    assert_limit_reached(store.renew(&one, &successor_of(&one), &renewal).await, 1);
    store.end(&two).await.unwrap();
    let one = renewed(store, &one, &renewal).await;
    assert_eq!(ids_of(store, &user).await, [one]);
    create(store, &new_with(&user, &ordinary)).await;
}

/// A login that is repeated because its answer was lost counts once, and ends nothing the second time.
pub async fn a_repeated_login_counts_once(store: &SharedStore) {
    for excess in [Excess::Refuse, Excess::EndOldest] {
        let user = new_user();
        let login = limited("", 2, excess);
        let (id, new) = (new_id(), new_with(&user, &login));
        let visitor = visitor(store, []).await;
        let (to, renewal) = (successor_of(&visitor), Renewal::login(&user, login.clone()));
        for _ in 0..2 {
            store.create(&id, &new).await.unwrap();
            store.renew(&visitor, &to, &renewal).await.unwrap();
        }
        store.create(&id, &new).await.unwrap();
        assert_eq!(ids_of(store, &user).await, sorted([id, to]));
    }
}

/// A limit of none allows none, and an old session is not ended for it.
pub async fn a_limit_of_none_allows_none(store: &SharedStore) {
    let user = new_user();
    let old = create(store, &NewSession::new(LONG).with_user(&user)).await;
    for excess in [Excess::Refuse, Excess::EndOldest] {
        let login = limited("", 0, excess);
        assert_limit_reached(store.create(&new_id(), &new_with(&user, &login)).await, 0);
        let renewal = Renewal::login(&user, login);
        assert_limit_reached(store.renew(&old, &successor_of(&old), &renewal).await, 0);
    }
    assert_eq!(ids_of(store, &user).await, [old]);
}

/// A login that cannot be made for another reason ends nobody's session.
pub async fn a_login_that_fails_makes_no_room(store: &SharedStore) {
    let user = new_user();
    let old = create(store, &NewSession::new(LONG).with_user(&user)).await;
    let login = limited("", 1, Excess::EndOldest);
    let mut renewal = Renewal::login(&user, login).with_delta(sets([("a", "12345")]));
    renewal.max_size = 5;
    let visitor = visitor(store, []).await;
    assert!(matches!(
        store.renew(&visitor, &successor_of(&visitor), &renewal).await,
        Err(Error::TooLarge { .. })
    ));
    store.end(&visitor).await.unwrap();
    renewal.max_size = 6;
    assert!(matches!(
        store.renew(&visitor, &successor_of(&visitor), &renewal).await,
        Err(Error::Ended)
    ));
    assert_eq!(ids_of(store, &user).await, [old]);
}

fn sorted<const N: usize>(mut ids: [SessionId; N]) -> [SessionId; N] {
    ids.sort();
    ids
}

/// A locked session has idled out: it counts no more than an expired one, and does not have to give way.
pub async fn a_locked_session_does_not_count(store: &SharedStore) {
    let user = new_user();
    let mut new = NewSession::new(Lifetime {
        lock: Some(Duration::from_millis(1)),
        ..LONG
    });
    new.user = Some(user.clone());
    let locked = create(store, &new).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for excess in [Excess::Refuse, Excess::EndOldest] {
        let mut login = NewSession::new(LONG).with_user(&user);
        login.limit = Some(SessionLimit::new(1).excess(excess));
        let id = create(store, &login).await;
        assert!(is_live(store, &locked).await, "{excess:?}");
        let refused = store.create(&new_id(), &login).await;
        match excess {
            Excess::Refuse => assert!(matches!(refused, Err(Error::LimitReached { max: 1 }))),
            Excess::EndOldest => assert!(refused.is_ok()),
        }
        assert!(is_live(store, &locked).await, "{excess:?}");
        store.end(&id).await.unwrap();
    }
}
