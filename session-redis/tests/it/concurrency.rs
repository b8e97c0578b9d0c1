//! Interleavings that a proxy forces: it holds back an answer, so that something happens before the next step.

use session_core::{Lifetime, Renewal, SessionId, SessionStore, Update};
use session_redis::RedisStore;

use crate::{
    admin, connected, ids_of, load, new_user, patient, patient_at,
    proxy::Proxy,
    run, server,
    server::{PASSWORD, USER},
    session, session_of, set, store, successor_of,
};

/// A store whose answers a proxy can hold back.
async fn through_proxy() -> (RedisStore, Proxy) {
    let proxy = Proxy::to(server().port()).await;
    let url = format!("redis://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port);
    (connected(patient_at(&url)).await, proxy)
}

async fn renew(store: &RedisStore, from: &SessionId, user: Option<&str>) -> SessionId {
    let to = successor_of(from);
    store
        .renew(from, &to, &Renewal::of(user.map(str::to_owned)))
        .await
        .unwrap();
    to
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_end_does_not_save_the_session() {
    let ((slow, proxy), fast) = (through_proxy().await, store().await);
    let first = session(&fast).await;
    let mut second = first;
    // More than the server follows in one step.
    for _ in 0..1001 {
        second = renew(&fast, &second, None).await;
    }

    let mut held = proxy.hold_next_answer();
    let ending = tokio::spawn(async move { slow.end(&first).await });
    held.has_come().await; // it knows the second id
    let third = renew(&fast, &second, None).await;
    let fourth = renew(&fast, &third, None).await;
    drop(held);
    ending.await.unwrap().unwrap();
    for id in [first, second, third, fourth] {
        assert!(load(&fast, &id).await.is_none());
    }
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_an_update_takes_the_update_along() {
    let ((slow, proxy), fast) = (through_proxy().await, store().await);
    let first = session(&fast).await;
    let second = renew(&fast, &first, None).await;

    let mut held = proxy.hold_next_answer();
    let updating = tokio::spawn(async move { slow.update(&first, &Update::new(set("late", "1"))).await });
    held.has_come().await;
    let third = renew(&fast, &second, None).await;
    drop(held);
    updating.await.unwrap().unwrap();
    assert_eq!(load(&fast, &third).await.unwrap().data["late"].as_bytes(), b"1");
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_end_all_does_not_save_the_session() {
    let ((slow, proxy), fast) = (through_proxy().await, store().await);
    let user = new_user();
    let first = session_of(&fast, &user).await;

    let mut held = proxy.hold_next_answer();
    let name = user.clone();
    let ending = tokio::spawn(async move { slow.end_all(&name, None).await });
    held.has_come().await; // it knows the list
    let second = renew(&fast, &first, Some(&user)).await;
    let third = renew(&fast, &second, Some(&user)).await;
    let later = session_of(&fast, &user).await;
    drop(held);
    assert_eq!(ending.await.unwrap().unwrap(), 1);
    assert!(load(&fast, &third).await.is_none());
    assert_eq!(ids_of(&fast, &user).await, [later]);
}

#[tokio::test]
async fn a_login_in_the_middle_of_end_all_holds() {
    let ((slow, proxy), fast) = (through_proxy().await, store().await);
    let user = new_user();
    let first = session_of(&fast, &user).await;

    let mut held = proxy.hold_next_answer();
    let name = user.clone();
    let ending = tokio::spawn(async move { slow.end_all(&name, None).await });
    held.has_come().await;
    let second = successor_of(&first);
    fast.renew(&first, &second, &Renewal::login(&user, Lifetime::default()))
        .await
        .unwrap();
    drop(held);
    assert_eq!(ending.await.unwrap().unwrap(), 0);
    assert_eq!(ids_of(&fast, &user).await, [second]);
}

#[tokio::test]
async fn the_session_to_spare_is_spared_also_if_it_is_renewed_before_or_meanwhile() {
    let ((slow, proxy), fast) = (through_proxy().await, store().await);
    let user = new_user();
    let other = session_of(&fast, &user).await;
    let first = session_of(&fast, &user).await;
    let second = renew(&fast, &first, Some(&user)).await;
    // What it is renewed to meanwhile is on the list already, as a reservation is.
    let third = successor_of(&second);
    let mut admin = admin(server());
    let index = format!("session:user:{user}");
    let _added: u32 = run(&mut admin, &["ZADD", &index, "9000000000000", &third.to_string()]);

    let mut held = proxy.hold_next_answer();
    let name = user.clone();
    let ending = tokio::spawn(async move { slow.end_all(&name, Some(&first)).await });
    held.has_come().await;
    let renewal = Renewal::of(Some(user.clone()));
    fast.renew(&second, &third, &renewal).await.unwrap();
    drop(held);
    assert_eq!(ending.await.unwrap().unwrap(), 1);
    assert!(load(&fast, &other).await.is_none());
    assert_eq!(ids_of(&fast, &user).await, [third]);
}

/// Each step of `end_all`, for a while, is followed by a renewal of the session to spare.
#[tokio::test]
async fn the_session_to_spare_is_spared_however_often_it_is_renewed() {
    let ((slow, proxy), fast) = (through_proxy().await, store().await);
    let user = new_user();
    let first = session_of(&fast, &user).await;
    let mut newest = renew(&fast, &first, Some(&user)).await;
    // They have the same shard tag, so each may be what the session to spare is renewed to.
    for _ in 0..3 {
        let near = successor_of(&first);
        let new = session_core::NewSession::new(Lifetime::default()).with_user(&user);
        fast.create(&near, &new).await.unwrap();
    }

    let mut held = proxy.hold_next_answer();
    let name = user.clone();
    let ending = tokio::spawn(async move { slow.end_all(&name, Some(&first)).await });
    for _ in 0..12 {
        held.has_come().await;
        newest = renew(&fast, &newest, Some(&user)).await;
        held = proxy.hold_next_answer();
    }
    drop(held);
    assert_eq!(ending.await.unwrap().unwrap(), 3);
    assert_eq!(ids_of(&fast, &user).await, [newest]);
}

#[tokio::test]
async fn increments_of_two_instances_all_count() {
    let (one, two) = (store().await, connected(patient(server())).await);
    let id = session(&one).await;
    let mut counters = tokio::task::JoinSet::new();
    for number in 0..20 {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        counters.spawn(async move {
            loop {
                let current = load(&store, &id).await.unwrap().data["key"].clone();
                let next = current.decode::<u32>().unwrap() + 1;
                let update = Update::new(set("key", &next.to_string())).expecting("key", Some(current));
                match store.update(&id, &update).await {
                    Ok(_) => return,
                    Err(session_core::Error::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    counters.join_all().await;
    assert_eq!(load(&one, &id).await.unwrap().data["key"].as_bytes(), b"21");
}
