use crate::{
    Renewal,
    conformance::{
        SharedStore,
        checks::{CLOCK_TOLERANCE, assert_ended, assert_same_time},
        given::{clock_passes, is_live, new_id, new_user, record, renewed, session_of, set},
    },
};

/// A touch starts the idle timeout again and changes nothing else (promise P9).
pub async fn a_touch_changes_only_the_last_activity(store: &SharedStore) {
    let user = new_user();
    let id = session_of(store, &user).await;
    set(store, &id, "a", "1").await.unwrap();
    let before = record(store, &id).await;
    clock_passes(store, &id, before.last_seen).await;

    store.touch(&id).await.unwrap();
    let after = record(store, &id).await;
    assert!(after.last_seen > before.last_seen);
    assert!(after.last_seen <= after.loaded_at + CLOCK_TOLERANCE);
    assert_same_time(after.expires(), after.last_seen + after.idle_timeout);
    assert_eq!(
        (after.data, after.version, after.user),
        (before.data, before.version, before.user)
    );
    assert_eq!(
        (after.created, after.absolute_end),
        (before.created, before.absolute_end)
    );
    assert_eq!(after.idle_timeout, before.idle_timeout);
}

/// A session that is not there is not made by touching it (promise P3).
pub async fn a_touch_of_an_unknown_session_makes_nothing(store: &SharedStore) {
    let id = new_id();
    assert_ended(store.touch(&id).await);
    assert!(!is_live(store, &id).await);
}

/// A session that has ended is not brought back by touching it (promise P3).
pub async fn a_touch_of_an_ended_session_makes_nothing(store: &SharedStore) {
    let user = new_user();
    let id = session_of(store, &user).await;
    store.end(&id).await.unwrap();
    assert_ended(store.touch(&id).await);
    assert!(!is_live(store, &id).await);
    assert_eq!(store.of_user(&user, &crate::Page::default()).await.unwrap(), []);
}

/// A renewed session's old id cannot be touched, and touching it is no activity of the session.
pub async fn a_touch_of_an_old_id_is_refused(store: &SharedStore) {
    for login in [false, true] {
        let user = new_user();
        let old = session_of(store, &user).await;
        let renewal = if login {
            Renewal::login(&user, crate::conformance::given::LONG)
        } else {
            Renewal::of(Some(user))
        };
        let new = renewed(store, &old, &renewal).await;
        let before = record(store, &new).await;
        clock_passes(store, &new, before.last_seen).await;
        assert_ended(store.touch(&old).await);
        assert!(!is_live(store, &old).await);
        assert_eq!(record(store, &new).await.last_seen, before.last_seen);
    }
}
