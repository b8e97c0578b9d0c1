use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    Error, Excess, Fate, Lifetime, NewSession, Renewal, SessionId, SessionLimit, Watch,
    conformance::{
        SharedStore,
        given::{BRIEF, LONG, clock_passes, create, expired, new_id, new_user, record, renewed, session_of, visitor},
    },
    until_ended,
};

/// What is announced is known long before; what is not, and does not expire, is looked at later.
const SOON: Duration = Duration::from_secs(10);

/// Waits for the ends of sessions, twice each, so on two instances where there are two. It has looked at each once and
/// hears what is announced, so an end that comes now is not found by looking.
async fn watchers(store: &SharedStore, ids: &[SessionId]) -> JoinSet<()> {
    let others = waiting_at(store);
    let mut watchers = JoinSet::new();
    for id in ids.iter().chain(ids) {
        watchers.spawn(until_ended(Arc::clone(store), *id));
    }
    until("the first look", || {
        waiting_at(store) == others + watchers.len() && is_quiet(store)
    })
    .await;
    watchers
}

/// The hub of each instance that there is; one instance may be here twice, and is left out then.
fn hubs(store: &SharedStore) -> Vec<Watch> {
    let mut hubs: Vec<Watch> = Vec::new();
    for _ in 0..8 {
        let hub = store.watch();
        if !hubs.iter().any(|known| known.is(hub)) {
            hubs.push(hub.clone());
        }
    }
    hubs
}

/// How many wait.
fn waiting_at(store: &SharedStore) -> usize {
    hubs(store).iter().map(Watch::waiting).sum()
}

fn is_quiet(store: &SharedStore) -> bool {
    hubs(store).iter().all(|hub| hub.is_quiet_for(SOON))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = timeout(SOON, async {
        while !is_so() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    waiting.await.unwrap_or_else(|_| panic!("{what} does not come"));
}

async fn all_wake(mut watchers: JoinSet<()>) {
    let count = watchers.len();
    assert!(count > 0, "nobody waits");
    let all = async {
        while let Some(woken) = watchers.join_next().await {
            woken.unwrap();
        }
    };
    let woken = timeout(SOON, all).await;
    woken.unwrap_or_else(|_| panic!("of {count} who wait not all are woken"));
}

async fn wakes(watcher: impl Future<Output = ()> + Send + 'static) {
    let mut watchers = JoinSet::new();
    watchers.spawn(watcher);
    all_wake(watchers).await;
}

/// Whoever waits for a session's end is woken by it, on every instance, however many they are; others wait on.
pub async fn an_end_wakes_all_who_wait_for_it(store: &SharedStore) {
    let (id, other) = (visitor(store, []).await, visitor(store, []).await);
    let others = watchers(store, &[other]).await;
    let waiting = watchers(store, &[id; 100]).await;
    store.end(&id).await.unwrap();
    all_wake(waiting).await;
    assert_eq!(waiting_at(store), others.len(), "another session's");
    store.end(&other).await.unwrap();
    all_wake(others).await;
}

/// "End all" wakes whoever waits for one of the sessions it ends, however many they are, and not for the one it spares.
pub async fn end_all_wakes_all_who_wait(store: &SharedStore) {
    let user = new_user();
    let mut ids = Vec::new();
    for _ in 0..230 {
        ids.push(session_of(store, &user).await);
    }
    let spared = ids.swap_remove(100);
    let waiting = watchers(store, &ids).await;
    let spared_s = watchers(store, &[spared]).await;
    store.end_all(&user, Some(&spared)).await.unwrap();
    all_wake(waiting).await;
    assert_eq!(waiting_at(store), spared_s.len());
    store.end_all(&user, None).await.unwrap();
    all_wake(spared_s).await;
}

/// A renewal does not end a session for those who wait: they learn of its end under its new id.
pub async fn a_renewed_session_is_watched_on(store: &SharedStore) {
    let user = new_user();
    let first = session_of(store, &user).await;
    let waiting = watchers(store, &[first; 3]).await;
    let renewal = Renewal::of(Some(user));
    let second = renewed(store, &first, &renewal).await;
    let third = renewed(store, &second, &renewal).await;
    let is_followed = || hubs(store).iter().all(|hub| hub.waiting() == hub.waiting_for(&third));
    until("the new id", || is_followed() && is_quiet(store)).await;
    assert_eq!(waiting_at(store), waiting.len(), "woken too early");
    store.end(&third).await.unwrap();
    all_wake(waiting).await;
}

/// The same holds of sessions that are renewed at the same time.
pub async fn sessions_renewed_together_are_watched_on(store: &SharedStore) {
    let mut old = Vec::new();
    for _ in 0..20 {
        old.push(visitor(store, []).await);
    }
    let waiting = watchers(store, &old).await;
    let mut renewals = JoinSet::new();
    for id in old {
        let store = Arc::clone(store);
        renewals.spawn(async move { renewed(&store, &id, &Renewal::of(None)).await });
    }
    let new = renewals.join_all().await;
    // Long before anybody looks for what nobody announced.
    until("the new ids", || {
        let followed = |hub: &Watch| new.iter().map(|id| hub.waiting_for(id)).sum::<usize>();
        hubs(store).iter().map(followed).sum::<usize>() == waiting.len()
    })
    .await;
    for id in &new {
        store.end(id).await.unwrap();
    }
    all_wake(waiting).await;
}

/// Who begins to wait under an old id waits for the session that it led to.
pub async fn an_old_id_is_watched_as_its_session(store: &SharedStore) {
    let first = visitor(store, []).await;
    let second = renewed(store, &first, &Renewal::of(None)).await;
    let third = renewed(store, &second, &Renewal::of(None)).await;
    let waiting = watchers(store, &[first]).await;
    until("the new id", || {
        hubs(store).iter().map(|hub| hub.waiting_for(&third)).sum::<usize>() == waiting.len() && is_quiet(store)
    })
    .await;
    store.end(&first).await.unwrap();
    all_wake(waiting).await;
}

/// A login from a session ends it for those who wait: what comes after is another.
pub async fn a_login_wakes_who_waits_for_the_session_before(store: &SharedStore) {
    let user = new_user();
    let guest = visitor(store, []).await;
    let waiting = watchers(store, &[guest]).await;
    let login = renewed(store, &guest, &Renewal::login(&user, LONG)).await;
    all_wake(waiting).await;
    let waiting = watchers(store, &[login]).await;
    // Somebody else's begins empty, another way.
    renewed(store, &login, &Renewal::login(new_user(), LONG)).await;
    all_wake(waiting).await;
}

/// A login that makes the oldest session give way wakes who waits for that one's end, and nobody else.
pub async fn a_login_over_the_limit_wakes_who_waits_for_the_oldest(store: &SharedStore) {
    let user = new_user();
    let limit = SessionLimit::new(2).excess(Excess::EndOldest);
    let oldest = session_of(store, &user).await;
    clock_passes(store, &oldest, record(store, &oldest).await.created).await;
    let second = session_of(store, &user).await;
    let theirs = watchers(store, &[oldest]).await;
    let others = watchers(store, &[second]).await;
    let mut new = NewSession::new(LONG).with_user(&user);
    new.limit = Some(limit);
    create(store, &new).await;
    all_wake(theirs).await;
    assert_eq!(waiting_at(store), others.len());
}

/// Whoever waits learns of expiry, which nobody announces.
pub async fn expiry_wakes_who_waits(store: &SharedStore) {
    let brief = Lifetime {
        absolute: Duration::from_secs(1),
        ..LONG
    };
    for lifetime in [BRIEF, brief] {
        let id = create(store, &NewSession::new(lifetime)).await;
        wakes(until_ended(Arc::clone(store), id)).await;
        assert_eq!(store.fates(&[id]).await.unwrap(), [Fate::Ended]);
    }
}

/// A session that is locked has ended for those who wait: nothing of it may be shown on, and a login from it makes
/// another. It is there all the same.
pub async fn a_lock_wakes_who_waits(store: &SharedStore) {
    let lock = Some(Duration::from_secs(1));
    let id = create(store, &NewSession::new(Lifetime { lock, ..LONG })).await;
    let waiting: JoinHandle<()> = tokio::spawn(until_ended(Arc::clone(store), id));
    let fate = store.fates(&[id]).await.unwrap()[0];
    assert!(
        matches!(fate, Fate::Locked) || matches!(fate, Fate::Live(left) if Some(left) <= lock),
        "{fate:?}"
    );
    wakes(async { waiting.await.unwrap() }).await;
    assert_eq!(store.fates(&[id]).await.unwrap(), [Fate::Locked]);
    // It shows in the record a moment later: by the store's clock as the instance keeps it, which may be a little
    // behind.
    let reader = Arc::clone(store);
    wakes(async move {
        loop {
            let record = record(&reader, &id).await;
            if record.is_locked(record.loaded_at) {
                break;
            }
        }
    })
    .await;
    // Who comes now, too.
    wakes(until_ended(Arc::clone(store), id)).await;
}

/// Activity anywhere puts off the expiry that is waited for, and the lock; waiting is none.
pub async fn activity_keeps_a_session_from_those_who_wait(store: &SharedStore) {
    let brief = Duration::from_secs(1);
    let lock = Some(brief);
    for lifetime in [Lifetime { idle: brief, ..LONG }, Lifetime { lock, ..LONG }] {
        let id = create(store, &NewSession::new(lifetime)).await;
        let waiting: JoinHandle<()> = tokio::spawn(until_ended(Arc::clone(store), id));
        for _ in 0..8 {
            sleep(brief / 4).await;
            let is_woken = waiting.is_finished();
            match store.touch(&id).await {
                Ok(()) => assert!(!is_woken, "it was alive"),
                // The machine is slow.
                Err(Error::Ended | Error::Locked) => break,
                Err(error) => panic!("{error}"),
            }
        }
        wakes(async { waiting.await.unwrap() }).await;
    }
}

/// Nobody waits for a session that is not there.
pub async fn the_end_of_a_dead_session_has_come(store: &SharedStore) {
    let ended = visitor(store, []).await;
    store.end(&ended).await.unwrap();
    let renewed_by_login = visitor(store, []).await;
    renewed(store, &renewed_by_login, &Renewal::login(new_user(), LONG)).await;
    for id in [ended, new_id(), expired(store, None).await, renewed_by_login] {
        wakes(until_ended(Arc::clone(store), id)).await;
    }
}

/// Nothing is kept of those who wait no longer.
pub async fn who_waits_no_longer_takes_no_room(store: &SharedStore) {
    let id = visitor(store, []).await;
    let mut waiting = watchers(store, &[id; 10]).await;
    let renewed = renewed(store, &id, &Renewal::of(None)).await;
    until("the new id", || {
        hubs(store).iter().map(|hub| hub.waiting_for(&renewed)).sum::<usize>() == waiting.len()
    })
    .await;
    waiting.shutdown().await;
    for hub in hubs(store) {
        assert!(hub.is_empty(), "{:?}", hub.waiting());
    }
}

/// A store tells what has become of each session it is asked for, in order.
pub async fn fates_are_told_in_order(store: &SharedStore) {
    let (live, moved, logged_in, ended) = (
        visitor(store, []).await,
        visitor(store, []).await,
        visitor(store, []).await,
        visitor(store, []).await,
    );
    let expired = expired(store, None).await;
    let successor = renewed(store, &moved, &Renewal::of(None)).await;
    let login = renewed(store, &logged_in, &Renewal::login(new_user(), LONG)).await;
    store.end(&ended).await.unwrap();
    let ids = [ended, live, logged_in, moved, new_id(), login, expired, live];
    let fates = store.fates(&ids).await.unwrap();
    // One that is not locked yet, and expires long before.
    let lock = Some(LONG.absolute);
    let lockable = create(store, &NewSession::new(Lifetime { lock, ..LONG })).await;
    assert!(is_long(store.fates(&[lockable]).await.unwrap()[0]));
    let live: Vec<_> = fates.iter().map(|fate| is_long(*fate)).collect();
    assert_eq!(live, [false, true, false, false, false, true, false, true], "{fates:?}");
    assert_eq!(fates[3], Fate::Renewed(successor));
    for i in [0, 2, 4, 6] {
        assert_eq!(fates[i], Fate::Ended, "{i}");
    }
    assert_eq!(store.fates(&[]).await.unwrap(), []);
}

/// Whether it is the fate of a session with the lifetime `LONG` that was just used.
fn is_long(fate: Fate) -> bool {
    matches!(fate, Fate::Live(left) if left <= LONG.idle && left > LONG.idle - LONG.idle / 10)
}
