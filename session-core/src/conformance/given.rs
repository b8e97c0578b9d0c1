use std::time::Duration;

use bytes::Bytes;
use time::OffsetDateTime;

use crate::{
    Delta, Error, Lifetime, Loaded, NewSession, Page, Record, Renewal, SessionId, SessionStore, SessionToken, Update,
    Value, Version, conformance::SharedStore,
};

/// The lifetime of sessions that have to live as long as the behaviour runs.
pub(super) const LONG: Lifetime = Lifetime {
    idle: Duration::from_secs(60 * 60),
    absolute: Duration::from_secs(10 * 60 * 60),
    lock: None,
    renewal: None,
};

/// The lifetime of sessions that expire at once; nothing may be asserted of them before.
pub(super) const BRIEF: Lifetime = Lifetime {
    idle: Duration::from_millis(80),
    absolute: Duration::from_secs(10 * 60 * 60),
    lock: None,
    renewal: None,
};

pub(super) fn new_id() -> SessionId {
    SessionToken::random().unwrap().id()
}

/// A new id to which the session `id` may be renewed.
pub(super) fn successor_of(id: &SessionId) -> SessionId {
    SessionToken::random_successor(id).unwrap().id()
}

/// A name that no other user of the database has.
pub(super) fn new_user() -> String {
    format!("user-{}", new_id())
}

pub(super) fn sets<K: Into<String>, V: Into<Bytes>>(pairs: impl IntoIterator<Item = (K, V)>) -> Delta {
    let mut delta = Delta::default();
    for (key, text) in pairs {
        delta.set(key, Value::from_json(text)).unwrap();
    }
    delta
}

pub(super) fn removes<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Delta {
    let mut delta = Delta::default();
    for key in keys {
        delta.remove(key);
    }
    delta
}

pub(super) fn json(text: &'static str) -> Value {
    Value::from_json(text)
}

/// A new session without a user, that holds `data`.
pub(super) async fn visitor<const N: usize>(store: &SharedStore, data: [(&str, &'static str); N]) -> SessionId {
    create(store, &NewSession::new(LONG).with_delta(sets(data))).await
}

/// A new session of `user`.
pub(super) async fn session_of(store: &SharedStore, user: &str) -> SessionId {
    create(store, &NewSession::new(LONG).with_user(user)).await
}

pub(super) async fn create(store: &SharedStore, new: &NewSession) -> SessionId {
    let id = new_id();
    store.create(&id, new).await.unwrap();
    id
}

/// Renews the session `from`; its new id.
pub(super) async fn renewed(store: &SharedStore, from: &SessionId, renewal: &Renewal) -> SessionId {
    let to = successor_of(from);
    store.renew(from, &to, renewal).await.unwrap();
    to
}

/// Sets one key; the answer.
pub(super) async fn set(store: &dyn SessionStore, id: &SessionId, key: &str, text: &str) -> Result<Version, Error> {
    store.update(id, &Update::new(sets([(key, text.to_owned())]))).await
}

/// The record of a session that has to be live.
#[track_caller]
pub(super) fn record(store: &SharedStore, id: &SessionId) -> impl Future<Output = Record> + Send {
    let caller = std::panic::Location::caller();
    let (store, id) = (store.clone(), *id);
    async move {
        match store.load(&[id]).await.unwrap() {
            Loaded::Live(found, record) => {
                assert_eq!(found, id, "another session than the one asked for, at {caller}");
                *record
            }
            Loaded::Renewed(_) | Loaded::Missing => panic!("a live session is missing, at {caller}"),
        }
    }
}

pub(super) async fn is_live(store: &SharedStore, id: &SessionId) -> bool {
    matches!(store.load(&[*id]).await.unwrap(), Loaded::Live(..))
}

/// The ids in the first page of a user's sessions.
pub(super) async fn ids_of(store: &SharedStore, user: &str) -> Vec<SessionId> {
    let sessions = store.of_user(user, &Page::default()).await.unwrap();
    sessions.iter().map(|session| session.id).collect()
}

/// Waits until the store's clock is clearly later than `time`, as a load of the session `id` tells it.
pub(super) async fn clock_passes(store: &SharedStore, id: &SessionId, time: OffsetDateTime) {
    for _ in 0..1000 {
        if record(store, id).await.loaded_at > time + Duration::from_millis(200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store's clock does not move on from {time}");
}

/// A session, of `user` or a visitor's, that has expired.
pub(super) async fn expired(store: &SharedStore, user: Option<&str>) -> SessionId {
    let mut new = NewSession::new(BRIEF);
    new.user = user.map(str::to_owned);
    let id = create(store, &new).await;
    tokio::time::sleep(BRIEF.idle * 3).await;
    id
}
