use std::time::Duration;

use crate::{
    Error, Lifetime, NewSession, Renewal, SessionId, Update, Version,
    conformance::{
        SharedStore,
        checks::assert_data,
        given::{LONG, create, ids_of, is_live, new_user, record, renewed, sets, successor_of},
    },
};

/// A session that is locked as soon as nobody looks.
const BRIEFLY_OPEN: Lifetime = Lifetime {
    lock: Some(Duration::from_millis(1)),
    ..LONG
};

async fn locked(store: &SharedStore, user: &str) -> SessionId {
    let new = NewSession::new(BRIEFLY_OPEN)
        .with_user(user)
        .with_delta(sets([("cart", "[1]")]));
    let id = create(store, &new).await;
    let record = record(store, &id).await;
    assert_eq!(record.lock, BRIEFLY_OPEN.lock);
    assert!(!record.is_locked(record.last_seen));
    tokio::time::sleep(Duration::from_millis(50)).await;
    id
}

/// A locked session is read and listed, and nothing but a login or its end changes it (promise P9).
pub async fn a_locked_session_is_kept_and_not_changed(store: &SharedStore) {
    let user = new_user();
    let id = locked(store, &user).await;
    let before = record(store, &id).await;
    let is_locked = |answer: Result<Version, Error>| matches!(answer, Err(Error::Locked));
    assert!(is_locked(store.update(&id, &Update::new(sets([("a", "1")]))).await));
    assert!(is_locked(
        store.update(&id, &Update::new(sets([("a", "1")])).touching()).await
    ));
    assert!(matches!(store.touch(&id).await, Err(Error::Locked)));
    let renewal = Renewal::of(Some(user.clone()));
    assert!(is_locked(store.renew(&id, &successor_of(&id), &renewal).await));

    let mut after = record(store, &id).await;
    assert!(after.is_locked(after.last_seen + Duration::from_millis(1)));
    after.loaded_at = before.loaded_at;
    assert_eq!(after, before);
    assert_eq!(ids_of(store, &user).await, [id]);
    store.end(&id).await.unwrap();
    assert!(!is_live(store, &id).await);
}

/// Its user's login opens a locked session with its data; somebody else's takes nothing over.
pub async fn a_login_opens_a_locked_session(store: &SharedStore) {
    let user = new_user();
    let id = locked(store, &user).await;
    let opened = renewed(store, &id, &Renewal::login(&user, LONG)).await;
    let open = record(store, &opened).await;
    assert_data(&open.data, [("cart", "[1]")]);
    assert_eq!(open.lock, None);
    store.touch(&opened).await.unwrap();

    let id = locked(store, &user).await;
    let others = renewed(store, &id, &Renewal::login(new_user(), LONG)).await;
    assert_data(&record(store, &others).await.data, []);
    assert!(!is_live(store, &id).await);
}

/// Activity before the lock puts it off, and a renewal keeps it.
pub async fn activity_puts_the_lock_off(store: &SharedStore) {
    let lifetime = Lifetime {
        lock: Some(Duration::from_secs(3600)),
        ..LONG
    };
    let id = create(store, &NewSession::new(lifetime)).await;
    store.touch(&id).await.unwrap();
    store
        .update(&id, &Update::new(sets([("a", "1")])).touching())
        .await
        .unwrap();
    let id = renewed(store, &id, &Renewal::of(None)).await;
    let record = record(store, &id).await;
    assert_eq!(record.lock, lifetime.lock);
    assert!(!record.is_locked(record.last_seen + Duration::from_millis(3_599_999)));
    assert!(record.is_locked(record.last_seen + Duration::from_secs(3600)));
}
