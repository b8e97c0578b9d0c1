//! A primary whose replicas are waited for.

use std::time::Duration;

use session_core::{Error, Lifetime, NewSession, Renewal, SessionStore, Update, Version};
use session_redis::{RedisOptions, RedisStore};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    admin, chain, connected, load, new_id, new_user,
    nodes::{info, start_with_replicas},
    patient, patient_at,
    proxy::Proxy,
    run,
    server::{PASSWORD, Server, USER},
    session, session_of, set, successor_of,
};

fn waiting(primary: &Server, replicas: u32) -> RedisOptions {
    patient(primary).wait_for_replicas(replicas, Duration::from_secs(20))
}

#[tokio::test]
async fn a_login_waits_for_replicas_and_nothing_else_does() {
    let (primary, replicas) = start_with_replicas(1);
    let store = connected(waiting(&primary, 1)).await;
    let (visitor, user) = (session(&store).await, new_user());
    replicas[0].freeze();
    let login = tokio::spawn({
        let (store, user) = (store.clone(), user.clone());
        async move { session_of(&store, &user).await }
    });
    let mut admin = admin(&primary);
    crate::until("the question", || {
        let blocked = info(&mut admin, "clients").contains("blocked_clients:1");
        async move { blocked.then_some(()) }
    })
    .await;
    store.update(&visitor, &Update::new(set("key", "2"))).await.unwrap();
    assert_eq!(load(&store, &visitor).await.unwrap().version, Version(2));
    session(&store).await;
    assert!(!login.is_finished());
    replicas[0].thaw();
    let login = login.await.unwrap();
    assert!(load(&store, &login).await.is_some());
}

#[tokio::test]
async fn what_too_few_replicas_have_is_not_acknowledged_and_not_when_repeated() {
    let (primary, replicas) = start_with_replicas(1);
    let hasty = |number| connected(patient(&primary).wait_for_replicas(number, Duration::from_millis(200)));
    let (store, user) = (hasty(1).await, new_user());
    let kept = session_of(&connected(waiting(&primary, 1)).await, &user).await;
    replicas[0].freeze();
    let new = NewSession::new(Lifetime::default()).with_user(&user);
    let (id, to) = (new_id(), successor_of(&kept));
    let renewal = Renewal::of(Some(user.clone()));
    for _ in 0..2 {
        for answer in [
            store.create(&id, &new).await.map(drop),
            store.renew(&kept, &to, &renewal).await.map(drop),
            store.end(&new_id()).await,
        ] {
            let error = answer.unwrap_err();
            assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
            assert!(chain(&error).contains("0 of 1 replicas"), "{}", chain(&error));
        }
        // On a new connection nothing will have been written.
        let _killed: u64 = run(&mut admin(&primary), &["CLIENT", "KILL", "TYPE", "normal"]);
    }
    // It is done all the same.
    assert!(load(&store, &id).await.is_some() && load(&store, &to).await.is_some());
    session(&store).await;
    session_of(&hasty(0).await, &user).await;
}

#[tokio::test]
async fn all_who_wait_share_one_question() {
    let (primary, mut replicas) = start_with_replicas(1);
    let store = connected(patient(&primary).wait_for_replicas(1, Duration::from_millis(500))).await;
    replicas[0].kill();
    let mut ends = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        ends.spawn(async move { store.end(&new_id()).await });
    }
    for answer in ends.join_all().await {
        assert!(matches!(answer, Err(Error::Unknown { .. })), "{answer:?}");
    }
    let stats = info(&mut admin(&primary), "commandstats");
    let asked = stats.split("cmdstat_wait:calls=").nth(1).unwrap();
    let asked: u32 = asked.split(',').next().unwrap().parse().unwrap();
    assert!((2..=20).contains(&asked), "{asked}");
}

/// Waits until a replica has all that was written so far.
fn wait_for_replica(primary: &Server) {
    let mut admin = admin(primary);
    // `WAIT` looks at what its own connection wrote.
    let _done: redis::Value = run(&mut admin, &["SET", "last", "1"]);
    let replicas: u64 = run(&mut admin, &["WAIT", "1", "20000"]);
    assert_eq!(replicas, 1);
}

/// What replicas had not heard of when one of them took the primary's place.
#[tokio::test]
async fn what_a_failover_undid_is_ended_again() {
    let (mut primary, replicas) = start_with_replicas(1);
    let replica = &replicas[0];
    let proxy = Proxy::to(primary.port()).await;
    let url = format!("redis://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let store = connected(patient_at(&url)).await;
    let (stays, user) = (session_of(&store, &new_user()).await, new_user());
    let (logged_out, visitor) = (session(&store).await, session(&store).await);
    let of_user = session_of(&store, &user).await;
    wait_for_replica(&primary);
    // From here on it hears of nothing.
    let _done: redis::Value = run(&mut admin(replica), &["REPLICAOF", "NO", "ONE"]);

    store.end(&logged_out).await.unwrap();
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    let login = Renewal::login(new_user(), Lifetime::default());
    store.renew(&visitor, &successor_of(&visitor), &login).await.unwrap();

    primary.kill();
    let ended = [logged_out, of_user, visitor];
    let other = connected(patient(replica)).await;
    for id in &ended {
        assert!(load(&other, id).await.is_some(), "the replica had heard of it");
    }
    proxy.lead_to(replica.port());
    crate::until("the new primary", || async { load(&store, &stays).await }).await;
    for id in &ended {
        assert!(load(&other, id).await.is_none());
    }
}

#[tokio::test]
async fn an_end_that_was_under_way_at_a_failover_is_said_again() {
    let (mut primary, replicas) = start_with_replicas(1);
    let replica = &replicas[0];
    let proxy = Proxy::to(primary.port()).await;
    let url = format!("redis://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let store = connected(patient_at(&url)).await;
    let (stays, ending) = (session(&store).await, session(&store).await);
    wait_for_replica(&primary);
    let _done: redis::Value = run(&mut admin(replica), &["REPLICAOF", "NO", "ONE"]);

    primary.freeze();
    let under_way = timeout(Duration::from_millis(100), store.end(&ending)).await;
    assert!(under_way.is_err(), "{under_way:?}");
    primary.kill();
    let other = connected(patient(replica)).await;
    assert!(load(&other, &ending).await.is_some());
    proxy.lead_to(replica.port());
    crate::until("the new primary", || async { load(&store, &stays).await }).await;
    assert!(load(&other, &ending).await.is_none());
}

#[tokio::test]
async fn a_replica_is_told_by_a_user_who_may_not_ask() {
    let (_primary, replicas) = start_with_replicas(1);
    let replica = &replicas[0];
    let words = [
        "ACL", "SETUSER", "limited", "on", ">limited", "~*", "&*", "+@all", "-role", "-info",
    ];
    let _done: redis::Value = run(&mut admin(replica), &words);
    let error = RedisStore::connect(patient_at(&replica.url_as("limited", "limited")))
        .await
        .unwrap_err();
    assert!(chain(&error).contains("is a replica"), "{}", chain(&error));
}
