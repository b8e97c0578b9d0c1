use crate::{
    NewSession, Renewal,
    conformance::{
        SharedStore,
        checks::assert_ended,
        given::{
            LONG, create, ids_of, is_live, new_id, new_user, record, renewed, session_of, set, successor_of, visitor,
        },
    },
};

/// "End all" ends every session of the user, and says how many those were (promise P10).
pub async fn end_all_ends_every_session_of_the_user(store: &SharedStore) {
    let user = new_user();
    let mut ids = Vec::new();
    for _ in 0..130 {
        ids.push(create(store, &NewSession::new(LONG).with_user(&user)).await);
    }
    assert_eq!(store.end_all(&user, None).await.unwrap(), 130);
    for id in &ids {
        assert!(!is_live(store, id).await);
    }
    assert_ended(set(store, &ids[0], "a", "1").await);
    assert_ended(store.touch(&ids[0]).await);
    assert_ended(
        store
            .renew(&ids[0], &successor_of(&ids[0]), &Renewal::of(Some(user.clone())))
            .await,
    );
    assert_eq!(ids_of(store, &user).await, []);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 0);
}

/// "End all" spares other users and visitors.
pub async fn end_all_spares_other_users_and_visitors(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    session_of(store, &user).await;
    let (theirs, guest) = (session_of(store, &other).await, visitor(store, []).await);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    assert!(is_live(store, &theirs).await);
    assert!(is_live(store, &guest).await);
    assert_eq!(ids_of(store, &other).await, [theirs]);
}

/// "End the others" spares the session it names, and does not count it.
pub async fn end_all_spares_the_session_excepted(store: &SharedStore) {
    let user = new_user();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(session_of(store, &user).await);
    }
    assert_eq!(store.end_all(&user, Some(&ids[2])).await.unwrap(), 4);
    assert_eq!(ids_of(store, &user).await, [ids[2]]);
    assert!(is_live(store, &ids[2]).await);
    assert_eq!(store.end_all(&user, Some(&ids[2])).await.unwrap(), 0);
    assert_eq!(record(store, &ids[2]).await.user, Some(user));
}

/// "End the others" spares the session also if it was renewed since.
pub async fn end_all_spares_the_session_excepted_under_its_new_id(store: &SharedStore) {
    let user = new_user();
    let renewal = Renewal::of(Some(user.clone()));
    let other = session_of(store, &user).await;
    let first = session_of(store, &user).await;
    let second = renewed(store, &first, &renewal).await;
    assert_eq!(store.end_all(&user, Some(&first)).await.unwrap(), 1);
    assert!(!is_live(store, &other).await);
    let third = renewed(store, &second, &renewal).await;
    for except in [first, second, third] {
        assert_eq!(store.end_all(&user, Some(&except)).await.unwrap(), 0);
        assert_eq!(ids_of(store, &user).await, [third]);
    }
}

/// "End the others" does not spare what a later login made of the session: that is another login.
pub async fn end_all_does_not_spare_a_login_that_came_after(store: &SharedStore) {
    let user = new_user();
    let old = session_of(store, &user).await;
    let new = renewed(store, &old, &Renewal::login(&user, LONG)).await;
    assert_eq!(store.end_all(&user, Some(&old)).await.unwrap(), 1);
    assert!(!is_live(store, &new).await);
}

/// Excepting a session that is not the user's spares none of theirs, and does not end it.
pub async fn end_all_excepts_only_the_users_own(store: &SharedStore) {
    let user = new_user();
    let (guest, theirs) = (visitor(store, []).await, session_of(store, &new_user()).await);
    for except in [guest, theirs, new_id()] {
        let id = session_of(store, &user).await;
        assert_eq!(store.end_all(&user, Some(&except)).await.unwrap(), 1);
        assert!(!is_live(store, &id).await);
    }
    assert!(is_live(store, &guest).await);
    assert!(is_live(store, &theirs).await);
}

/// "End all" ends sessions that were renewed, under whatever id, and old ids lead nowhere afterwards.
pub async fn end_all_ends_renewed_sessions(store: &SharedStore) {
    let user = new_user();
    let old = session_of(store, &user).await;
    let new = renewed(store, &old, &Renewal::of(Some(user.clone()))).await;
    let guest = visitor(store, []).await;
    let login = renewed(store, &guest, &Renewal::login(&user, LONG)).await;
    assert_eq!(store.end_all(&user, None).await.unwrap(), 2);
    for id in [old, new, guest, login] {
        assert!(!is_live(store, &id).await);
        assert_ended(set(store, &id, "a", "1").await);
    }
}

/// Whoever logs in after "end all" is logged in.
pub async fn a_login_after_end_all_holds(store: &SharedStore) {
    let user = new_user();
    session_of(store, &user).await;
    store.end_all(&user, None).await.unwrap();
    let id = session_of(store, &user).await;
    assert!(is_live(store, &id).await);
    assert_eq!(ids_of(store, &user).await, [id]);
}
