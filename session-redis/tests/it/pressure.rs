//! A server that is short of memory and evicts sessions, as managed ones do.

use std::collections::BTreeSet;

use session_core::{Lifetime, NewSession, Page, SessionId, SessionStore};
use session_redis::RedisStore;

use crate::{admin, connected, key, load, new_id, new_user, patient, run, server::Server, session_of, set};

/// How many sessions the user has.
const SESSIONS: usize = 400;

/// Those of these sessions that are there, without a look that would keep them from being evicted.
fn live_among(admin: &mut redis::Connection, ids: &[SessionId]) -> BTreeSet<SessionId> {
    let mut looks = redis::pipe();
    for id in ids {
        looks.cmd("OBJECT").arg("IDLETIME").arg(key(id));
    }
    let idle: Vec<Option<u64>> = looks.query(admin).unwrap();
    let live = ids.iter().zip(idle).filter(|(_, idle)| idle.is_some());
    live.map(|(id, _)| *id).collect()
}

fn evicted(admin: &mut redis::Connection) -> u64 {
    let stats: String = run(admin, &["INFO", "stats"]);
    let line = stats.lines().find_map(|line| line.strip_prefix("evicted_keys:"));
    line.unwrap().parse().unwrap()
}

/// Makes sessions of nobody's until a part of these is evicted, and returns what is left of them.
async fn fill(store: &RedisStore, admin: &mut redis::Connection, ids: &[SessionId]) -> BTreeSet<SessionId> {
    let text = format!("\"{}\"", "x".repeat(4000));
    loop {
        for _ in 0..20 {
            let new = NewSession::new(Lifetime::default()).with_delta(set("key", &text));
            store.create(&new_id(), &new).await.unwrap();
        }
        let live = live_among(admin, ids);
        if live.len() < ids.len() * 3 / 4 {
            return live;
        }
    }
}

#[tokio::test]
async fn a_server_that_evicts_sessions_keeps_their_list_and_ends_the_rest() {
    let settings = [("maxmemory", "6mb"), ("maxmemory-policy", "volatile-lru")];
    let server = Server::start_with(None, &settings);
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let (user, mut ids) = (new_user(), Vec::new());
    for _ in 0..SESSIONS {
        ids.push(session_of(&store, &user).await);
    }
    let listed = format!("session:user:{user}");
    let all = fill(&store, &mut admin, &ids).await;
    assert!(evicted(&mut admin) > 0);
    assert!(!all.is_empty() && all.len() < SESSIONS, "{} are left", all.len());
    assert_eq!(run::<usize>(&mut admin, &["ZCARD", &listed]), SESSIONS);

    // It goes on evicting while it answers.
    let before = live_among(&mut admin, &ids);
    let page = Page::default().with_limit(u32::MAX);
    let found: BTreeSet<_> = store
        .of_user(&user, &page)
        .await
        .unwrap()
        .into_iter()
        .map(|session| session.id)
        .collect();
    let after = live_among(&mut admin, &ids);
    assert!(found.is_subset(&before) && found.is_superset(&after));
    assert!(!after.is_empty());
    let left: Vec<String> = run(&mut admin, &["ZRANGE", &listed, "0", "-1"]);
    assert_eq!(left.len(), found.len(), "the evicted are struck off, and nobody else");

    // Some more are evicted, and are on the list.
    let live = fill(&store, &mut admin, &after.into_iter().collect::<Vec<_>>()).await;
    assert!(!live.is_empty());
    assert_eq!(run::<usize>(&mut admin, &["ZCARD", &listed]), found.len());
    let ended = store.end_all(&user, None).await.unwrap();
    assert!(0 < ended && ended <= live.len() as u64, "{ended} of {}", live.len());
    for id in &ids {
        assert!(load(&store, id).await.is_none());
    }
    assert_eq!(store.of_user(&user, &page).await.unwrap(), []);
    assert_eq!(run::<u32>(&mut admin, &["EXISTS", &listed]), 0);
}
