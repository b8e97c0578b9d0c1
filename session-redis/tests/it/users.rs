//! The lists of users' sessions, as the server keeps them.

use std::time::Duration;

use session_core::{
    Error, Excess, Lifetime, NewSession, Page, Renewal, RenewalNonce, SessionId, SessionLimit, SessionStore,
};
use session_redis::RedisStore;
use tokio::task::JoinSet;

use crate::{
    admin, connected, ids_of, key, load, new_id, new_user, patient, patient_at,
    proxy::Proxy,
    run, server,
    server::{PASSWORD, Server, USER},
    session, session_of, store, successor_of,
};

fn members(admin: &mut redis::Connection, user: &str) -> Vec<String> {
    run(admin, &["ZRANGE", &format!("session:user:{user}"), "0", "-1"])
}

#[tokio::test]
async fn the_dead_are_struck_off_a_list_but_not_the_young() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let index = format!("session:user:{user}");
    let (live, young, old) = (session_of(&store, &user).await, new_id(), new_id());
    let end = "9000000000000";
    for member in [young.to_string(), old.to_string(), format!("+{young}")] {
        let _added: u32 = run(&mut admin, &["ZADD", &index, end, &member]);
    }
    let _added: u32 = run(&mut admin, &["ZADD", &index, "1000", &format!("+{old}")]);

    for look in 0..2 {
        if look == 0 {
            assert_eq!(ids_of(&store, &user).await, [live]);
        } else {
            assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
        }
        let left = members(&mut admin, &user);
        assert!(left.contains(&young.to_string()), "{left:?}");
        assert!(
            !left.iter().any(|member| member.ends_with(&old.to_string())),
            "{left:?}"
        );
        let _added: u32 = run(&mut admin, &["ZADD", &index, end, &old.to_string()]);
    }
}

#[tokio::test]
async fn what_is_listed_and_not_made_yet_is_young() {
    let mut admin = admin(server());
    // One who may list sessions, and neither make any nor say that they are made.
    let words = [
        "ACL",
        "SETUSER",
        "lister",
        "on",
        ">lister",
        "~session:user:*",
        "&*",
        "+@all",
        "-zrem",
    ];
    let _done: redis::Value = run(&mut admin, &words);
    let lister = connected(patient_at(&server().url_as("lister", "lister"))).await;
    for _ in 0..64 {
        // Some are listed by a script, and most by the instance's own guess of the time.
        let (user, id) = (new_user(), new_id());
        let new = NewSession::new(Lifetime::default()).with_user(&user);
        assert!(lister.create(&id, &new).await.is_err());
        let index = format!("session:user:{user}");
        let until: f64 = run(&mut admin, &["ZSCORE", &index, &format!("+{id}")]);
        let (now, _): (f64, f64) = run(&mut admin, &["TIME"]);
        assert!(until > 1000.0 * (now + 30.0), "{until} {now}");
    }
}

#[tokio::test]
async fn a_login_that_a_later_one_took_the_place_of_is_not_made() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let index = format!("session:user:{user}");
    let (slow, next) = (new_id(), new_id());
    // It is listed, and its maker takes its time.
    for member in [slow.to_string(), format!("+{slow}")] {
        let _added: u32 = run(&mut admin, &["ZADD", &index, "9000000000000", &member]);
    }
    let mut new = NewSession::new(Lifetime::default()).with_user(&user);
    new.limit = Some(SessionLimit::new(1).excess(Excess::EndOldest));
    store.create(&next, &new).await.unwrap();

    new.limit = None;
    assert!(matches!(store.create(&slow, &new).await, Err(Error::IdInUse)));
    assert!(load(&store, &slow).await.is_none());
    assert_eq!(ids_of(&store, &user).await, [next]);
}

#[tokio::test]
async fn a_login_forgets_what_is_past() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let index = format!("session:user:{user}");
    let _added: u32 = run(&mut admin, &["ZADD", &index, "1000", &new_id().to_string()]);
    // One in sixteen does it, by its id.
    let mut forgetful = *new_id().as_bytes();
    forgetful[0] = 15;
    let id = SessionId::from_bytes(forgetful);
    let new = NewSession::new(Lifetime::default()).with_user(&user);
    store.create(&id, &new).await.unwrap();
    assert_eq!(members(&mut admin, &user), [id.to_string()]);
}

#[tokio::test]
async fn a_login_is_listed_until_it_ends_whatever_the_instance_thinks_the_time_is() {
    let proxy = Proxy::to(server().port()).await;
    let url = format!("redis://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let mut admin = admin(server());
    for renews in [false, true] {
        proxy.turn_clock_back(2 * 3600);
        let store = connected(patient_at(&url)).await;
        let (user, mut id) = (new_user(), new_id());
        let lifetime = Lifetime::new(Lifetime::default().idle, Duration::from_secs(3600));
        if renews {
            let visitor = id;
            store.create(&visitor, &NewSession::new(lifetime)).await.unwrap();
            proxy.turn_clock_back(2 * 3600);
            let store = connected(patient_at(&url)).await;
            id = successor_of(&visitor);
            let login = Renewal::login(&user, lifetime);
            store.renew(&visitor, &id, &login).await.unwrap();
        } else {
            let new = NewSession::new(lifetime).with_user(&user);
            store.create(&id, &new).await.unwrap();
        }
        assert_eq!(members(&mut admin, &user), [id.to_string()]);
        let (now, _): (f64, u64) = run(&mut admin, &["TIME"]);
        let index = format!("session:user:{user}");
        let score: f64 = run(&mut admin, &["ZSCORE", &index, &id.to_string()]);
        assert!(score / 1000.0 > now + 3000.0, "{score} at {now}");
        assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_purge_removes_what_is_past_and_nothing_else() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let mut live = Vec::new();
    for number in 0..150 {
        let user = format!("user {number}");
        live.push(session_of(&store, &user).await);
        let index = format!("session:user:user%20{number}");
        for _ in 0..4 {
            let _added: u32 = run(&mut admin, &["ZADD", &index, "1000", &new_id().to_string()]);
        }
    }
    for _ in 0..2000 {
        let _set: redis::Value = run(&mut admin, &["SET", &format!("other:{}", new_id()), ""]);
    }
    let mut purged = 0;
    loop {
        let now = store.purge(37).await.unwrap();
        assert!(now <= 37);
        purged += now;
        // A call may stop half-way through the keys, and need not find anything there.
        if purged == 600 {
            break;
        }
    }
    assert_eq!(store.purge(1000).await.unwrap(), 0);
    for id in live {
        assert!(load(&store, &id).await.is_some());
    }
    let keys: Vec<String> = run(&mut admin, &["KEYS", "session:user:*"]);
    assert_eq!(keys.len(), 150);
    for index in keys {
        assert_eq!(run::<u32>(&mut admin, &["ZCARD", &index]), 1);
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_listed_is_not_made() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let _set: redis::Value = run(&mut admin, &["SET", &format!("session:user:{user}"), "no list"]);

    let id = new_id();
    let refused = store
        .create(&id, &NewSession::new(Lifetime::default()).with_user(&user))
        .await;
    assert!(matches!(refused, Err(Error::Unknown { .. })), "{refused:?}");
    assert_eq!(run::<u32>(&mut admin, &["EXISTS", &key(&id)]), 0);

    let visitor = session(&store).await;
    let to = successor_of(&visitor);
    let refused = store
        .renew(&visitor, &to, &Renewal::login(&user, Lifetime::default()))
        .await;
    assert!(refused.is_err());
    assert!(load(&store, &to).await.is_none());
}

#[tokio::test]
async fn a_list_that_was_lost_is_begun_anew_by_a_renewal() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let id = session_of(&store, &user).await;
    let _deleted: u32 = run(&mut admin, &["DEL", &format!("session:user:{user}")]);
    let to = successor_of(&id);
    store.renew(&id, &to, &Renewal::of(Some(user.clone()))).await.unwrap();
    assert_eq!(ids_of(&store, &user).await, [to]);
}

/// A user with so many sessions.
async fn user_with(store: &RedisStore, sessions: usize) -> (String, Vec<SessionId>) {
    let user = new_user();
    let mut logins = JoinSet::new();
    for _ in 0..sessions {
        let (store, user) = (store.clone(), user.clone());
        logins.spawn(async move { session_of(&store, &user).await });
    }
    let mut ids = logins.join_all().await;
    ids.sort_unstable();
    (user, ids)
}

/// All sessions of a user, in pages of this many, and how many pages those are.
async fn in_pages(store: &RedisStore, user: &str, limit: u32) -> (Vec<SessionId>, u64) {
    let (mut ids, mut pages, mut page) = (Vec::new(), 0, Page::default().with_limit(limit));
    loop {
        let sessions = store.of_user(user, &page).await.unwrap();
        pages += 1;
        ids.extend(sessions.iter().map(|session| session.id));
        match sessions.last() {
            Some(last) => page.after = Some(last.id),
            None => return (ids, pages),
        }
    }
}

/// How often the server has done this, by a client or a script.
fn calls(admin: &mut redis::Connection, command: &str) -> u64 {
    let stats: String = run(admin, &["INFO", "commandstats"]);
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn ten_thousand_sessions_are_listed_in_pages_and_end_together() {
    const SESSIONS: usize = 10_000;
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let (user, sessions) = user_with(&store, SESSIONS).await;

    let before = ["zrange", "hmget", "evalsha"].map(|command| calls(&mut admin, command));
    let (ids, pages) = in_pages(&store, &user, 500).await;
    assert_eq!(ids, sessions);
    let after = ["zrange", "hmget", "evalsha"].map(|command| calls(&mut admin, command));
    // The list, and then the sessions of the page in one go.
    assert_eq!(pages, SESSIONS as u64 / 500 + 1);
    assert_eq!(after[0] - before[0], pages);
    assert_eq!(after[1] - before[1], SESSIONS as u64);
    assert_eq!(after[2], before[2], "there is nothing to heal");

    let except = ids[7000];
    assert_eq!(store.end_all(&user, Some(&except)).await.unwrap(), SESSIONS as u64 - 1);
    assert_eq!(ids_of(&store, &user).await, [except]);
    assert_eq!(members(&mut admin, &user), [except.to_string()]);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    let keys: Vec<String> = run(&mut admin, &["KEYS", "*"]);
    assert_eq!(keys, [""; 0]);
}

#[tokio::test]
async fn a_session_renewed_while_a_page_is_read_hides_no_other() {
    let proxy = Proxy::to(server().port()).await;
    let slow = connected(patient_at(&format!(
        "redis://{USER}:{PASSWORD}@127.0.0.1:{}",
        proxy.port
    )))
    .await;
    let fast = store().await;
    let (user, ids) = user_with(&fast, 250).await;
    let mut held = proxy.hold_next_answer();
    let reading = tokio::spawn({
        let (slow, user) = (slow.clone(), user.clone());
        async move { slow.of_user(&user, &Page::default()).await }
    });
    held.has_come().await; // it knows the list
    let mut last = *successor_of(&ids[0]).as_bytes();
    last[0] = 0xff;
    let last = SessionId::from_bytes(last);
    let renewal = Renewal::of(Some(user.clone()));
    fast.renew(&ids[0], &last, &renewal).await.unwrap();
    drop(held);
    let first_page = reading.await.unwrap().unwrap();
    let first_page: Vec<_> = first_page.into_iter().map(|session| session.id).collect();
    assert_eq!(first_page, ids[1..=first_page.len()]);
    assert!(first_page.len() >= 99);
}

#[tokio::test]
async fn renewals_by_time_leave_nothing_on_the_list() {
    let (store, mut admin) = (store().await, admin(server()));
    let (user, ids) = user_with(&store, 1).await;
    let mut id = ids[0];
    for _ in 0..10 {
        let mut renewal = Renewal::of(Some(user.clone()));
        renewal.nonce = Some(RenewalNonce::random().unwrap());
        let (won, lost) = (successor_of(&id), successor_of(&id));
        store.renew(&id, &won, &renewal).await.unwrap();
        assert!(matches!(store.renew(&id, &lost, &renewal).await, Err(Error::Ended)));
        id = won;
    }
    assert_eq!(members(&mut admin, &user), [id.to_string()]);
}
