//! The lists of users' sessions, as the server keeps them.

use session_core::{Error, Lifetime, NewSession, Renewal, SessionStore};

use crate::{
    admin, connected, ids_of, key, load, new_id, new_user, patient, run, server, server::Server, session, session_of,
    store, successor_of,
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
async fn a_login_forgets_what_is_past() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let index = format!("session:user:{user}");
    let _added: u32 = run(&mut admin, &["ZADD", &index, "1000", &new_id().to_string()]);
    let id = session_of(&store, &user).await;
    assert_eq!(members(&mut admin, &user), [id.to_string()]);
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

#[tokio::test]
async fn thousands_of_sessions_end_together() {
    let store = store().await;
    let user = new_user();
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..1200 {
        let (store, user) = (store.clone(), user.clone());
        logins.spawn(async move { session_of(&store, &user).await });
    }
    let ids = logins.join_all().await;
    let except = ids[700];
    let page = session_core::Page::default().with_limit(5000);
    assert_eq!(store.of_user(&user, &page).await.unwrap().len(), 1200);
    assert_eq!(store.end_all(&user, Some(&except)).await.unwrap(), 1199);
    assert_eq!(ids_of(&store, &user).await, [except]);
}
