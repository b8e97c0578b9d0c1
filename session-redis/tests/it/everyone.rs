//! The end of all sessions, in a place of their own: it would end those of the other tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use session_core::{Error, Renewal, SessionId, SessionStore, until_ended};
use session_redis::RedisStore;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    admin, connected, ids_of, load, new_user, patient, run, server, server::Server, session, session_of, successor_of,
    until,
};

/// Long before anybody would look just to be safe.
const SOON: Duration = Duration::from_secs(10);

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
    assert_eq!(ids_of(&here, "user 1").await, []);
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

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_meanwhile_keeps_it_from_no_end() {
    let here = place("everyone_logs_in").await;
    let done = Arc::new(AtomicBool::new(false));
    let mut logins = JoinSet::new();
    for _ in 0..8 {
        let (here, done) = (place("everyone_logs_in").await, Arc::clone(&done));
        logins.spawn(async move {
            let user = new_user();
            while !done.load(Ordering::Relaxed) {
                session_of(&here, &user).await;
            }
        });
    }
    for _ in 0..5 {
        let mut before = Vec::new();
        for _ in 0..50 {
            before.push(session_of(&here, "before").await);
        }
        let ended = timeout(SOON, here.end_everyone()).await.expect("it does not end");
        assert!(ended.unwrap() >= 50);
        for id in &before {
            assert!(load(&here, id).await.is_none());
        }
    }
    done.store(true, Ordering::Relaxed);
    logins.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_an_end_learns_of_everyone_s() {
    let (here, there) = (place("everyone_waits").await, place("everyone_waits").await);
    let mut waiting = JoinSet::new();
    for number in 0..1500 {
        let id = match number % 2 {
            0 => session(&here).await,
            _ => session_of(&here, "user").await,
        };
        waiting.spawn(until_ended(Arc::new(here.clone()), id));
    }
    let mut admin = admin(server());
    until("the subscription", || {
        let (_, count): (String, u64) = run(&mut admin, &["PUBSUB", "NUMSUB", "everyone_waits:changes"]);
        async move { (count == 1).then_some(()) }
    })
    .await;
    there.end_everyone().await.unwrap();
    let woken = timeout(SOON, waiting.join_all()).await;
    woken.expect("not all are woken");
}

#[tokio::test]
async fn a_long_chain_of_renewals_is_gone_through_once() {
    let server = Server::start();
    let (here, mut admin) = (connected(patient(&server)).await, admin(&server));
    let mut id = session(&here).await;
    let first = id;
    for _ in 0..2500 {
        let to = successor_of(&id);
        here.renew(&id, &to, &Renewal::of(None)).await.unwrap();
        id = to;
    }
    // The server counts what scripts ask for.
    let steps = |admin: &mut redis::Connection| -> u64 {
        let stats: String = run(admin, &["INFO", "commandstats"]);
        let hget = stats.lines().find(|line| line.starts_with("cmdstat_hget:"));
        let calls = hget.and_then(|hget| hget.split(['=', ',']).nth(1));
        calls.map_or(0, |calls| calls.parse().unwrap())
    };
    let before = steps(&mut admin);
    assert_eq!(here.end_everyone().await.unwrap(), 1);
    let taken = steps(&mut admin) - before;
    assert!(taken < 50_000, "{taken} steps for a chain of 2500");
    assert!(load(&here, &id).await.is_none());
    here.end(&first).await.unwrap();
}
