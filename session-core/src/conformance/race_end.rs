use crate::{
    NewSession, Renewal, Update,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended},
        given::{LONG, ids_of, is_live, new_user, record, session_of, sets, successor_of, visitor},
        race::{ROUNDS, at_once, both},
    },
};

/// A session that is ended while a request writes to it stays ended (promise P3).
pub async fn an_ended_session_stays_ended_with_an_update_in_flight(store: &SharedStore) {
    let user = new_user();
    for _ in 0..ROUNDS {
        let id = session_of(store, &user).await;
        let end = move |store: SharedStore| async move { store.end(&id).await.unwrap() };
        let update = move |store: SharedStore| async move {
            store.update(&id, &Update::new(sets([("a", "1")])).touching()).await
        };
        let ((), answer) = both(store, end, update).await;
        if answer.is_err() {
            assert_ended(answer);
        }
        assert!(!is_live(store, &id).await);
        assert_eq!(ids_of(store, &user).await, []);
    }
}

/// A session that is ended while a request touches it stays ended (promise P3).
pub async fn an_ended_session_stays_ended_with_a_touch_in_flight(store: &SharedStore) {
    let user = new_user();
    for _ in 0..ROUNDS {
        let id = session_of(store, &user).await;
        let end = move |store: SharedStore| async move { store.end(&id).await.unwrap() };
        let touch = move |store: SharedStore| async move { store.touch(&id).await };
        let ((), answer) = both(store, end, touch).await;
        if answer.is_err() {
            assert_ended(answer);
        }
        assert!(!is_live(store, &id).await);
        assert_eq!(ids_of(store, &user).await, []);
    }
}

/// A session that is ended while it is renewed has ended under both ids, whichever came first (promise P3).
pub async fn an_ended_session_stays_ended_with_a_renewal_in_flight(store: &SharedStore) {
    let user = new_user();
    for _ in 0..ROUNDS {
        let old = session_of(store, &user).await;
        let new = successor_of(&old);
        let renewal = Renewal::of(Some(user.clone()));
        let end = move |store: SharedStore| async move { store.end(&old).await.unwrap() };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &renewal).await };
        let ((), answer) = both(store, end, renew).await;
        if answer.is_err() {
            assert_ended(answer);
        }
        assert!(!is_live(store, &old).await);
        assert!(!is_live(store, &new).await);
        assert_eq!(ids_of(store, &user).await, []);
    }
}

/// The same with several renewals in flight, one after the other.
pub async fn an_ended_session_stays_ended_with_many_renewals_in_flight(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let first = visitor(store, []).await;
        let mut ids = vec![first];
        for _ in 0..6 {
            ids.push(successor_of(&first));
        }
        let chain = ids.clone();
        let end = move |store: SharedStore| async move { store.end(&first).await.unwrap() };
        let renew = move |store: SharedStore| async move {
            for pair in chain.windows(2) {
                if let Err(error) = store.renew(&pair[0], &pair[1], &Renewal::of(None)).await {
                    return assert_ended::<()>(Err(error));
                }
            }
        };
        both(store, end, renew).await;
        for id in &ids {
            assert!(!is_live(store, id).await);
        }
    }
}

/// A logout and a login at the same moment: the login holds if it came first, and else it is refused; the old id is
/// dead either way (promises P3 and P4).
pub async fn an_end_races_with_a_login(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let user = new_user();
        let old = visitor(store, [("a", "1")]).await;
        let new = successor_of(&old);
        let login = Renewal::login(&user, LONG);
        let end = move |store: SharedStore| async move { store.end(&old).await.unwrap() };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &login).await };
        let ((), answer) = both(store, end, renew).await;
        assert!(!is_live(store, &old).await);
        if answer.is_ok() {
            assert_data(&record(store, &new).await.data, [("a", "1")]);
            assert_eq!(ids_of(store, &user).await, [new]);
        } else {
            assert_ended(answer);
            assert!(!is_live(store, &new).await);
            assert_eq!(ids_of(store, &user).await, []);
        }
    }
}

/// When "end all" returns, no session from before is alive, though each was being renewed meanwhile (promise P10).
pub async fn end_all_ends_sessions_that_are_being_renewed(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let user = new_user();
        let mut chains = Vec::new();
        for _ in 0..4 {
            let first = session_of(store, &user).await;
            chains.push([first, successor_of(&first), successor_of(&first), successor_of(&first)]);
        }
        let (name, all) = (user.clone(), chains.clone());
        at_once(store, 5, |store, i| {
            let (user, chain) = (name.clone(), all.get(i).copied());
            async move {
                let Some(chain) = chain else {
                    store.end_all(&user, None).await.unwrap();
                    return;
                };
                for pair in chain.windows(2) {
                    if let Err(error) = store.renew(&pair[0], &pair[1], &Renewal::of(Some(user.clone()))).await {
                        return assert_ended::<()>(Err(error));
                    }
                }
            }
        })
        .await;
        for id in chains.iter().flatten() {
            assert!(!is_live(store, id).await);
        }
        assert_eq!(ids_of(store, &user).await, []);
        assert_eq!(store.end_all(&user, None).await.unwrap(), 0);
    }
}

/// "End the others" spares the session it names though that is being renewed.
pub async fn end_all_spares_a_session_that_is_being_renewed(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let user = new_user();
        let other = session_of(store, &user).await;
        let old = session_of(store, &user).await;
        let new = successor_of(&old);
        let (name, renewal) = (user.clone(), Renewal::of(Some(user.clone())));
        let end = move |store: SharedStore| async move { store.end_all(&name, Some(&old)).await.unwrap() };
        let renew = move |store: SharedStore| async move { store.renew(&old, &new, &renewal).await.unwrap() };
        let (ended, _) = both(store, end, renew).await;
        assert_eq!(ended, 1);
        assert!(!is_live(store, &other).await);
        assert!(is_live(store, &new).await);
        assert_eq!(ids_of(store, &user).await, [new]);
    }
}

/// "End all" ends sessions that are being written to and touched.
pub async fn end_all_ends_sessions_in_use(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let user = new_user();
        let ids = [session_of(store, &user).await, session_of(store, &user).await];
        let name = user.clone();
        let counts = at_once(store, 5, |store, i| {
            let user = name.clone();
            async move {
                match i {
                    0 => return store.end_all(&user, None).await.unwrap(),
                    1 | 2 => drop(store.touch(&ids[i - 1]).await),
                    _ => drop(
                        store
                            .update(&ids[i - 3], &Update::new(sets([("a", "1")])).touching())
                            .await,
                    ),
                }
                0
            }
        });
        assert_eq!(counts.await.iter().sum::<u64>(), 2);
        for id in &ids {
            assert!(!is_live(store, id).await);
        }
        assert_eq!(ids_of(store, &user).await, []);
    }
}

/// Of two "end all" at the same moment each session is counted by one.
pub async fn end_alls_at_once_count_each_session_once(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let user = new_user();
        for _ in 0..6 {
            session_of(store, &user).await;
        }
        let name = user.clone();
        let end = move |store: SharedStore| async move { store.end_all(&name, None).await.unwrap() };
        let (one, other) = both(store, end.clone(), end).await;
        assert_eq!(one + other, 6);
        assert_eq!(ids_of(store, &user).await, []);
    }
}

/// A session that is created or logs in during "end all" is alive and listed, or neither.
pub async fn end_all_leaves_no_half_login(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let user = new_user();
        let first = session_of(store, &user).await;
        let guest = visitor(store, []).await;
        let (login, created) = (successor_of(&guest), successor_of(&guest));
        let name = user.clone();
        at_once(store, 3, |store, i| {
            let user = name.clone();
            async move {
                match i {
                    0 => drop(store.end_all(&user, None).await.unwrap()),
                    1 => drop(store.renew(&guest, &login, &Renewal::login(&user, LONG)).await.unwrap()),
                    _ => drop(
                        store
                            .create(&created, &NewSession::new(LONG).with_user(&user))
                            .await
                            .unwrap(),
                    ),
                }
            }
        })
        .await;
        assert!(!is_live(store, &first).await);
        let mut live = Vec::new();
        for id in [login, created] {
            if is_live(store, &id).await {
                live.push(id);
            }
        }
        live.sort();
        assert_eq!(ids_of(store, &user).await, live);
        assert_eq!(store.end_all(&user, None).await.unwrap(), live.len() as u64);
        assert!(!is_live(store, &login).await && !is_live(store, &created).await);
    }
}
