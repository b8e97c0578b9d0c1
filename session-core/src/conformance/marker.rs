use crate::{
    NewSession, Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended, assert_too_large},
        given::{
            LONG, clock_passes, create, ids_of, is_live, new_user, record, renewed, session_of, set, sets, visitor,
        },
    },
};

/// A request in flight while the session is renewed does not lose its changes (promise P1).
pub async fn a_change_through_an_old_id_reaches_the_session(store: &SharedStore) {
    let user = new_user();
    let old = create(
        store,
        &NewSession::new(LONG)
            .with_user(&user)
            .with_delta(sets([("a", "1"), ("b", "2")])),
    )
    .await;
    let new = renewed(store, &old, &Renewal::of(Some(user))).await;
    let mut delta = sets([("a", "10")]);
    delta.remove("b");
    assert_eq!(store.update(&old, &Update::new(delta)).await.unwrap(), Version(3));
    let record = record(store, &new).await;
    assert_data(&record.data, [("a", "10")]);
    assert_eq!(record.version, Version(3));
    assert!(!is_live(store, &old).await);
}

/// A session that is renewed all the time is changed, listed and ended like any other.
pub async fn a_session_renewed_a_hundred_times_is_reached(store: &SharedStore) {
    let user = new_user();
    let first = session_of(store, &user).await;
    let mut newest = first;
    for _ in 0..100 {
        newest = renewed(store, &newest, &Renewal::of(Some(user.clone()))).await;
    }
    set(store, &first, "a", "1").await.unwrap();
    assert_data(&record(store, &newest).await.data, [("a", "1")]);
    assert_eq!(ids_of(store, &user).await, [newest]);
    assert_eq!(store.end_all(&user, Some(&first)).await.unwrap(), 0);
    assert!(is_live(store, &newest).await);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 0);
    store.end(&first).await.unwrap();
    assert!(!is_live(store, &newest).await);
}

/// Old ids lead on however often the session was renewed since.
pub async fn a_change_through_several_old_ids_reaches_the_session(store: &SharedStore) {
    let mut ids = vec![visitor(store, []).await];
    for i in 0..4 {
        ids.push(renewed(store, &ids[i], &Renewal::of(None)).await);
    }
    let newest = ids[4];
    for (i, id) in ids.iter().enumerate() {
        set(store, id, "n", &i.to_string()).await.unwrap();
        assert_data(&record(store, &newest).await.data, [("n", i.to_string().as_str())]);
    }
    for id in &ids[..4] {
        assert!(!is_live(store, id).await);
    }
}

/// A request in flight that counts as activity does so for the renewed session.
pub async fn a_touching_change_through_an_old_id_is_activity(store: &SharedStore) {
    let old = visitor(store, []).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    let before = record(store, &new).await;
    clock_passes(store, &new, before.last_seen).await;
    set(store, &old, "a", "1").await.unwrap();
    assert_eq!(record(store, &new).await.last_seen, before.last_seen);
    store
        .update(&old, &Update::new(sets([("a", "1")])).touching())
        .await
        .unwrap();
    assert!(record(store, &new).await.last_seen > before.last_seen);
}

/// A change through an old id is measured with the session it reaches.
pub async fn a_change_through_an_old_id_is_measured(store: &SharedStore) {
    let old = visitor(store, [("a", "1")]).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    let mut update = Update::new(sets([("b", "1")]));
    update.max_size = 3;
    assert_too_large(store.update(&old, &update).await, 4, 3);
    assert_data(&record(store, &new).await.data, [("a", "1")]);
}

/// A logout by a request in flight while the session is renewed ends the session under its new id (promise P3).
pub async fn ending_an_old_id_ends_the_session(store: &SharedStore) {
    let user = new_user();
    let old = session_of(store, &user).await;
    let new = renewed(store, &old, &Renewal::of(Some(user.clone()))).await;
    store.end(&old).await.unwrap();
    for id in [old, new] {
        assert!(!is_live(store, &id).await);
        assert_ended(set(store, &id, "a", "1").await);
        assert_ended(store.touch(&id).await);
    }
    assert_eq!(store.of_user(&user, &crate::Page::default()).await.unwrap(), []);
}

/// It does so however often the session was renewed since.
pub async fn ending_any_of_several_old_ids_ends_the_session(store: &SharedStore) {
    for ended in 0..4 {
        let mut ids = vec![visitor(store, []).await];
        for i in 0..3 {
            ids.push(renewed(store, &ids[i], &Renewal::of(None)).await);
        }
        store.end(&ids[ended]).await.unwrap();
        for id in &ids {
            assert!(!is_live(store, id).await);
            assert_ended(set(store, id, "a", "1").await);
        }
    }
}

/// After a logout under the new id, the old one leads nowhere.
pub async fn an_old_id_of_an_ended_session_leads_nowhere(store: &SharedStore) {
    let old = visitor(store, []).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    store.end(&new).await.unwrap();
    assert_ended(set(store, &old, "a", "1").await);
    assert_ended(store.touch(&old).await);
    store.end(&old).await.unwrap();
    for id in [old, new] {
        assert!(!is_live(store, &id).await);
    }
}
