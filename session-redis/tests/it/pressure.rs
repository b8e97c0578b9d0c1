//! A server that is short of memory and evicts sessions, as managed ones do.

use std::collections::BTreeSet;

use session_core::{Lifetime, NewSession, SessionId, SessionStore};
use session_redis::RedisStore;

use crate::{admin, connected, ids_of, key, load, new_id, new_user, patient, run, server::Server, session_of, set};

/// How many users there are, and how many sessions each has.
const USERS: usize = 20;
const SESSIONS: usize = 20;

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

/// How many sessions each user's list has.
fn lengths(admin: &mut redis::Connection, users: &[String]) -> Vec<usize> {
    let mut lists = redis::pipe();
    for user in users {
        lists.cmd("ZCARD").arg(format!("session:user:{user}"));
    }
    lists.query(admin).unwrap()
}

async fn listed(store: &RedisStore, users: &[String]) -> Vec<BTreeSet<SessionId>> {
    let mut listed = Vec::new();
    for user in users {
        listed.push(ids_of(store, user).await.into_iter().collect());
    }
    listed
}

#[tokio::test]
async fn a_server_that_evicts_sessions_keeps_their_lists_and_ends_the_rest() {
    let settings = [("maxmemory", "6mb"), ("maxmemory-policy", "volatile-lru")];
    let server = Server::start_with(None, &settings);
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let users: Vec<_> = (0..USERS).map(|_| new_user()).collect();
    let mut ids = Vec::new();
    for _ in 0..SESSIONS {
        for user in &users {
            ids.push(session_of(&store, user).await);
        }
    }
    let left = fill(&store, &mut admin, &ids).await;
    assert!(evicted(&mut admin) > 0 && !left.is_empty());
    assert_eq!(lengths(&mut admin, &users), [SESSIONS; USERS]);

    // It goes on evicting while it answers.
    let before = live_among(&mut admin, &ids);
    let found = listed(&store, &users).await;
    let after = live_among(&mut admin, &ids);
    let all: BTreeSet<_> = found.iter().flatten().copied().collect();
    assert!(all.is_subset(&before) && all.is_superset(&after));
    // The evicted are struck off, and nobody else.
    let lives: Vec<_> = found.iter().map(BTreeSet::len).collect();
    assert_eq!(lengths(&mut admin, &users), lives);

    // More are evicted that are on a list.
    let after: Vec<_> = after.into_iter().collect();
    let left = fill(&store, &mut admin, &after).await;
    assert!(!left.is_empty());
    assert_eq!(lengths(&mut admin, &users), lives);
    let mut ended = 0;
    for user in &users {
        ended += store.end_all(user, None).await.unwrap();
    }
    assert!(
        0 < ended && ended <= left.len() as u64,
        "{ended} of {} were ended",
        left.len()
    );
    for id in &ids {
        assert!(load(&store, id).await.is_none());
    }
    assert_eq!(lengths(&mut admin, &users), [0; USERS]);
}
