use crate::{
    Renewal, Version,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended},
        given::{LONG, ids_of, is_live, new_user, record, session_of, set, sets, successor_of, visitor},
        race::{ROUNDS, both},
    },
};

/// Of two renewals of one session at the same moment one wins: a session has one id (promise P6).
pub async fn of_two_renewals_at_once_one_wins(store: &SharedStore) {
    for round in 0..ROUNDS {
        let user = new_user();
        let old = session_of(store, &user).await;
        let ids = [successor_of(&old), successor_of(&old)];
        let renewal = |key: &'static str| match round % 2 {
            0 => Renewal::of(Some(user.clone())).with_delta(sets([(key, "1")])),
            _ => Renewal::login(&user, LONG).with_delta(sets([(key, "1")])),
        };
        let (one, two) = (renewal("0"), renewal("1"));
        let one = move |store: SharedStore| async move { store.renew(&old, &ids[0], &one).await };
        let two = move |store: SharedStore| async move { store.renew(&old, &ids[1], &two).await };
        let (one, two) = both(store, one, two).await;
        let winner = usize::from(two.is_ok());
        let (won, lost) = if winner == 0 { (one, two) } else { (two, one) };
        assert_eq!(won.unwrap(), Version(2));
        assert_ended(lost);
        assert!(!is_live(store, &old).await);
        assert!(!is_live(store, &ids[1 - winner]).await);
        assert_data(&record(store, &ids[winner]).await.data, [(["0", "1"][winner], "1")]);
        assert_eq!(ids_of(store, &user).await, [ids[winner]]);
    }
}

/// A renewal and its repetition at the same moment are answered alike and done once.
pub async fn equal_renewals_at_once_are_answered_alike(store: &SharedStore) {
    for round in 0..ROUNDS / 2 {
        let user = new_user();
        let old = session_of(store, &user).await;
        let new = successor_of(&old);
        let renewal = match round % 2 {
            0 => Renewal::of(Some(user.clone())),
            _ => Renewal::login(&user, LONG),
        };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &renewal).await.unwrap() };
        assert_eq!(both(store, renew.clone(), renew).await, (Version(2), Version(2)));
        assert_eq!(record(store, &new).await.version, Version(2));
        assert_eq!(ids_of(store, &user).await, [new]);
    }
}

/// A change at the same moment as a renewal is kept, whichever comes first (promise P1).
pub async fn a_change_survives_a_renewal_at_once(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let old = visitor(store, [("a", "1")]).await;
        let new = successor_of(&old);
        let update = move |store: SharedStore| async move { set(&store, &old, "b", "2").await.unwrap() };
        let renew = move |store: SharedStore| async move {
            let renewal = Renewal::of(None).with_delta(sets([("c", "3")]));
            store.renew(&old, &new, &renewal).await.unwrap()
        };
        let (update, renew) = both(store, update, renew).await;
        assert_eq!(update.max(renew), Version(3));
        assert_data(&record(store, &new).await.data, [("a", "1"), ("b", "2"), ("c", "3")]);
        assert!(!is_live(store, &old).await);
    }
}

/// A change at the same moment as a login comes before it and is kept, or is refused and not made (promise P4).
pub async fn a_change_races_with_a_login(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let old = visitor(store, [("a", "1")]).await;
        let new = successor_of(&old);
        let login = Renewal::login(new_user(), LONG);
        let update = move |store: SharedStore| async move { set(&store, &old, "b", "2").await };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &login).await.unwrap() };
        let (update, renew) = both(store, update, renew).await;
        let data = record(store, &new).await.data;
        if let Ok(update) = update {
            assert_eq!((update, renew), (Version(2), Version(3)));
            assert_data(&data, [("a", "1"), ("b", "2")]);
        } else {
            assert_ended(update);
            assert_data(&data, [("a", "1")]);
        }
    }
}

/// A touch at the same moment as a renewal is made or refused, and leaves nothing at the old id.
pub async fn a_touch_races_with_a_renewal(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let old = visitor(store, [("a", "1")]).await;
        let new = successor_of(&old);
        let touch = move |store: SharedStore| async move { store.touch(&old).await };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &Renewal::of(None)).await.unwrap() };
        let (touched, _) = both(store, touch, renew).await;
        if touched.is_err() {
            assert_ended(touched);
        }
        assert!(!is_live(store, &old).await);
        assert_data(&record(store, &new).await.data, [("a", "1")]);
    }
}

/// A load of both ids at the same moment as a renewal finds the session: it is never between them.
pub async fn a_load_during_a_renewal_finds_the_session(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let old = visitor(store, [("a", "1")]).await;
        let new = successor_of(&old);
        let load = move |store: SharedStore| async move { store.load(&[new, old]).await.unwrap() };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &Renewal::of(None)).await.unwrap() };
        both(store, load, renew).await;
        assert_data(&record(store, &new).await.data, [("a", "1")]);
    }
}
