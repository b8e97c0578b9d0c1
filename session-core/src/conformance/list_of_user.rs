use std::{collections::BTreeSet, time::Duration};

use crate::{
    Lifetime, NewSession, Page, Renewal,
    conformance::{
        SharedStore,
        checks::assert_same_time,
        given::{LONG, clock_passes, create, ids_of, new_id, new_user, record, renewed, session_of, visitor},
        race::{ROUNDS, at_once},
    },
};

/// A user's list holds all their live sessions in the order of their ids, and nobody else's (promise P10).
pub async fn a_user_s_sessions_are_listed_in_order(store: &SharedStore) {
    let (user, other) = (new_user(), new_user());
    let mut ids = BTreeSet::new();
    for _ in 0..9 {
        ids.insert(session_of(store, &user).await);
        session_of(store, &other).await;
        visitor(store, []).await;
    }
    let ended = ids.pop_first().unwrap();
    store.end(&ended).await.unwrap();
    assert!(ids_of(store, &user).await.iter().eq(&ids));
    assert_eq!(ids_of(store, &other).await.len(), 9);
}

/// A user nobody has logged in as has no sessions.
pub async fn an_unknown_user_has_no_sessions(store: &SharedStore) {
    visitor(store, []).await;
    assert_eq!(ids_of(store, &new_user()).await, []);
}

/// A line of the list says the same as the record, also after activity.
pub async fn a_line_of_the_list_says_what_the_record_says(store: &SharedStore) {
    let user = new_user();
    let id = session_of(store, &user).await;
    let created = record(store, &id).await;
    clock_passes(store, &id, created.last_seen).await;
    store.touch(&id).await.unwrap();
    let touched = record(store, &id).await;
    let list = store.of_user(&user, &Page::default()).await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].id, id);
    assert_same_time(list[0].created, created.created);
    assert_same_time(list[0].last_seen, touched.last_seen);
    assert_same_time(list[0].absolute_end, created.absolute_end);
}

/// A renewed session is listed once, under its new id, with the time it began.
pub async fn a_renewed_session_is_listed_under_its_new_id(store: &SharedStore) {
    let user = new_user();
    let old = session_of(store, &user).await;
    let created = record(store, &old).await.created;
    let new = renewed(store, &old, &Renewal::of(Some(user.clone()))).await;
    assert_eq!(ids_of(store, &user).await, [new]);
    let newest = renewed(store, &new, &Renewal::of(Some(user.clone()))).await;
    let list = store.of_user(&user, &Page::default()).await.unwrap();
    assert_eq!(list.iter().map(|session| session.id).collect::<Vec<_>>(), [newest]);
    assert_same_time(list[0].created, created);
}

/// A list is read in pages: each has as many lines as asked for, until the last one.
pub async fn a_long_list_is_read_in_pages(store: &SharedStore) {
    let user = new_user();
    let mut ids = BTreeSet::new();
    for _ in 0..7 {
        ids.insert(session_of(store, &user).await);
    }
    let ids: Vec<_> = ids.into_iter().collect();
    let mut page = Page::default().with_limit(3);
    for expected in [&ids[..3], &ids[3..6], &ids[6..], &[]] {
        let list = store.of_user(&user, &page).await.unwrap();
        let found: Vec<_> = list.iter().map(|session| session.id).collect();
        assert_eq!(found, expected);
        page = Page::following(*found.last().unwrap_or(&ids[6])).with_limit(3);
    }
    assert_eq!(store.of_user(&user, &Page::default().with_limit(0)).await.unwrap(), []);
}

/// A page begins after the id it is given, also if that session has ended or never was.
pub async fn a_page_may_follow_a_session_that_ended(store: &SharedStore) {
    let user = new_user();
    let mut ids = BTreeSet::new();
    for _ in 0..6 {
        ids.insert(session_of(store, &user).await);
    }
    let middle = *ids.iter().nth(2).unwrap();
    store.end(&middle).await.unwrap();
    ids.remove(&middle);
    for after in [middle, new_id()] {
        let list = store.of_user(&user, &Page::following(after)).await.unwrap();
        let expected: Vec<_> = ids.iter().copied().filter(|id| *id > after).collect();
        assert_eq!(list.iter().map(|session| session.id).collect::<Vec<_>>(), expected);
    }
}

/// A page holds a hundred sessions unless set otherwise, and a user may have more.
pub async fn a_page_holds_a_hundred_sessions(store: &SharedStore) {
    let user = new_user();
    let mut ids = BTreeSet::new();
    for _ in 0..130 {
        ids.insert(create(store, &NewSession::new(LONG).with_user(&user)).await);
    }
    let ids: Vec<_> = ids.into_iter().collect();
    let first = ids_of(store, &user).await;
    assert_eq!(first, ids[..100]);
    let rest = store.of_user(&user, &Page::following(first[99])).await.unwrap();
    assert_eq!(rest.iter().map(|session| session.id).collect::<Vec<_>>(), ids[100..]);
    assert_eq!(
        store
            .of_user(&user, &Page::default().with_limit(1000))
            .await
            .unwrap()
            .len(),
        130
    );
}

/// A session whose end is near is listed as long as it lives, also when others come and a purge is done.
pub async fn a_session_near_its_end_stays_listed(store: &SharedStore) {
    let user = new_user();
    let lifetime = Lifetime {
        absolute: Duration::from_secs(50),
        ..LONG
    };
    let near = create(store, &NewSession::new(lifetime).with_user(&user)).await;
    let mut ids = BTreeSet::from([near, session_of(store, &user).await]);
    let guest = visitor(store, []).await;
    ids.insert(renewed(store, &guest, &Renewal::login(&user, LONG)).await);
    store.purge(1000).await.unwrap();
    assert!(ids_of(store, &user).await.iter().eq(&ids));
    assert_eq!(store.end_all(&user, None).await.unwrap(), 3);
}

/// A session that is renewed while the list is read is on it, under one of its ids.
pub async fn a_session_renewed_meanwhile_is_listed(store: &SharedStore) {
    let user = new_user();
    let mut id = session_of(store, &user).await;
    let (renewing, name) = (store.clone(), user.clone());
    let renewals = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            id = renewed(&renewing, &id, &Renewal::of(Some(name.clone()))).await;
        }
    });
    while !renewals.is_finished() {
        assert!(!ids_of(store, &user).await.is_empty());
        tokio::task::yield_now().await;
    }
    renewals.await.unwrap();
}

/// A list that is read while sessions begin, are renewed and end loses none of them.
pub async fn a_list_read_meanwhile_loses_no_session(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let user = new_user();
        let name = user.clone();
        let ids = at_once(store, 6, |store, i| {
            let user = name.clone();
            async move {
                let id = match i {
                    0 | 1 => {
                        ids_of(&store, &user).await;
                        return None;
                    }
                    2 => session_of(&store, &user).await,
                    3 => {
                        let old = session_of(&store, &user).await;
                        renewed(&store, &old, &Renewal::of(Some(user))).await
                    }
                    _ => {
                        let guest = visitor(&store, []).await;
                        renewed(&store, &guest, &Renewal::login(&user, LONG)).await
                    }
                };
                Some(id)
            }
        });
        let ids: BTreeSet<_> = ids.await.into_iter().flatten().collect();
        assert!(ids_of(store, &user).await.iter().eq(&ids));
        assert_eq!(store.end_all(&user, None).await.unwrap(), 4);
    }
}
