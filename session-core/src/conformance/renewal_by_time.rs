use std::time::Duration;

use crate::{
    Lifetime, Loaded, Marker, NewSession, Renewal, RenewalNonce, SessionId, Update,
    conformance::{
        SharedStore,
        checks::{assert_data, assert_ended},
        given::{LONG, clock_passes, create, is_live, new_user, record, renewed, set, sets, successor_of, visitor},
        race::at_once,
    },
};

const HOURLY: Lifetime = Lifetime {
    renewal: Some(Duration::from_secs(60 * 60)),
    ..LONG
};

fn by_time(user: Option<String>, nonce: RenewalNonce) -> Renewal {
    let mut renewal = Renewal::of(user);
    renewal.nonce = Some(nonce);
    renewal
}

async fn marker(store: &SharedStore, id: &SessionId) -> Marker {
    match store.load(&[*id]).await.unwrap() {
        Loaded::Renewed(marker) => marker,
        other => panic!("no marker: {other:?}"),
    }
}

/// The marker of a renewal by time tells the nonce, so that who holds the old token finds the next; that of any other
/// renewal has none, and a login's never (promise P6).
pub async fn a_renewal_by_time_tells_its_nonce(store: &SharedStore) {
    let user = new_user();
    let odd = RenewalNonce::from_bytes([0, 0xff, b'\n', b'0', 0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    for nonce in [odd, RenewalNonce::random().unwrap()] {
        let old = visitor(store, [("a", "1")]).await;
        let new = renewed(store, &old, &by_time(None, nonce)).await;
        let told = marker(store, &old).await;
        assert_eq!((told.id, told.successor, told.nonce), (old, new, Some(nonce)));
        assert!(told.age < Duration::from_secs(10), "{:?}", told.age);
        assert_data(&record(store, &new).await.data, [("a", "1")]);
        assert_eq!(store.renew(&old, &new, &by_time(None, nonce)).await.unwrap().0, 2);
    }
    let mut login = Renewal::login(&user, LONG);
    login.nonce = Some(odd);
    for renewal in [Renewal::of(None), login] {
        let old = visitor(store, []).await;
        renewed(store, &old, &renewal).await;
        assert_eq!(marker(store, &old).await.nonce, None);
    }
}

/// What is in flight through the old id reaches the session.
pub async fn a_renewal_by_time_leads_on(store: &SharedStore) {
    let nonce = RenewalNonce::random().unwrap();
    let old = visitor(store, []).await;
    let new = renewed(store, &old, &by_time(None, nonce)).await;
    set(store, &old, "a", "1").await.unwrap();
    assert_data(&record(store, &new).await.data, [("a", "1")]);
    store.end(&old).await.unwrap();
    assert!(!is_live(store, &new).await);
    assert_ended(set(store, &old, "a", "2").await);
}

/// An old id that was just renewed by time stands for its session: it comes before what is asked for after it, unless
/// its successor is asked for too.
pub async fn a_renewal_by_time_comes_in_its_place(store: &SharedStore) {
    let nonce = RenewalNonce::random().unwrap();
    let (old, other) = (visitor(store, []).await, visitor(store, []).await);
    let new = renewed(store, &old, &by_time(None, nonce)).await;
    let told = store.load(&[old, other]).await.unwrap();
    assert!(
        matches!(told, Loaded::Renewed(marker) if marker.successor == new),
        "{told:?}"
    );
    for (ids, first) in [([other, old], other), ([old, new], new), ([new, old], new)] {
        let told = store.load(&ids).await.unwrap();
        assert!(matches!(told, Loaded::Live(id, _) if id == first), "{told:?}");
    }
    store.end(&new).await.unwrap();
    assert_eq!(store.load(&[old, new]).await.unwrap(), Loaded::Missing);
}

/// A record says how old its token may become and when it got it: no change or touch makes it younger, each renewal and
/// login does, and only a login changes how old it may become.
pub async fn the_age_of_a_token_is_known(store: &SharedStore) {
    let user = new_user();
    let id = create(store, &NewSession::new(HOURLY).with_user(&user)).await;
    let first = record(store, &id).await;
    assert_eq!((first.renewal, first.renewed), (HOURLY.renewal, first.created));
    assert!(!first.is_renewal_due(first.renewed + Duration::from_millis(3_599_999)));
    assert!(first.is_renewal_due(first.renewed + Duration::from_secs(60 * 60)));

    clock_passes(store, &id, first.renewed).await;
    store.touch(&id).await.unwrap();
    store
        .update(&id, &Update::new(sets([("a", "1")])).touching())
        .await
        .unwrap();
    assert_eq!(record(store, &id).await.renewed, first.renewed);

    let mut id = id;
    for renewal in [
        Renewal::of(Some(user.clone())),
        by_time(Some(user.clone()), RenewalNonce::random().unwrap()),
    ] {
        let before = record(store, &id).await;
        clock_passes(store, &id, before.renewed).await;
        id = renewed(store, &id, &renewal).await;
        let after = record(store, &id).await;
        assert!(after.renewed > before.renewed);
        assert_eq!((after.renewal, after.created), (HOURLY.renewal, first.created));
    }
    let id = renewed(store, &id, &Renewal::login(&user, LONG)).await;
    let after = record(store, &id).await;
    assert_eq!((after.renewal, after.renewed), (None, after.created));
    let id = renewed(store, &id, &Renewal::login(&user, HOURLY)).await;
    assert_eq!(record(store, &id).await.renewal, HOURLY.renewal);
}

/// Of many renewals by time at once one is made, and all learn from the marker which: so they converge (promise P9).
pub async fn of_renewals_by_time_at_once_one_is_made(store: &SharedStore) {
    for _ in 0..10 {
        let old = visitor(store, []).await;
        let renew = |store: SharedStore, _: usize| async move {
            let (to, nonce) = (successor_of(&old), RenewalNonce::random().unwrap());
            match store.renew(&old, &to, &by_time(None, nonce)).await {
                Ok(_) => Some((to, nonce)),
                Err(crate::Error::Ended) => None,
                Err(error) => panic!("{error}"),
            }
        };
        let made: Vec<_> = at_once(store, 8, renew).await.into_iter().flatten().collect();
        let told = marker(store, &old).await;
        assert_eq!(made, [(told.successor, told.nonce.unwrap())]);
        assert!(is_live(store, &told.successor).await);
    }
}
