//! The end of all sessions, in a place of their own: it would end those of the other tests.

use session_core::{Error, Renewal, SessionId, SessionStore};
use session_redis::RedisStore;
use tokio::task::JoinSet;

use crate::{connected, load, patient, server, session, session_of, successor_of};

async fn place(name: &str) -> RedisStore {
    connected(patient(server()).key_prefix(name)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_ends_and_nobody_else() {
    let (here, elsewhere) = (place("everyone").await, place("everyone_else").await);
    let mut live = Vec::new();
    for number in 0..60 {
        live.push(match number % 2 {
            0 => session(&here).await,
            _ => session_of(&here, &format!("user {}", number % 7)).await,
        });
    }
    let spared = session(&elsewhere).await;
    here.end(&live[0]).await.unwrap();
    assert_eq!(here.end_everyone().await.unwrap(), 59);
    for id in &live {
        assert!(load(&here, id).await.is_none());
    }
    assert!(load(&elsewhere, &spared).await.is_some());
    assert_eq!(here.end_everyone().await.unwrap(), 0);
    let after = session_of(&here, "user 1").await;
    assert!(load(&here, &after).await.is_some());
}

/// Renews a session until it has ended.
async fn renew_on(store: RedisStore, mut id: SessionId) -> Error {
    loop {
        let to = successor_of(&id);
        if let Err(error) = store.renew(&id, &to, &Renewal::of(None)).await {
            return error;
        }
        id = to;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_renewed_meanwhile_ends_too() {
    let here = place("everyone_renewed").await;
    for _ in 0..5 {
        let mut renewing = JoinSet::new();
        for _ in 0..8 {
            let id = session(&here).await;
            renewing.spawn(renew_on(here.clone(), id));
        }
        assert_eq!(here.end_everyone().await.unwrap(), 8);
        for error in renewing.join_all().await {
            assert!(matches!(error, Error::Ended), "{error:?}");
        }
    }
}
