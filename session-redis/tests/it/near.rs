//! The near cache.

use std::{sync::Arc, time::Duration};

use session_core::{
    Lifetime, Loaded, NearCache, NewSession, SessionId, SessionStore, Update, Version,
    conformance::{ReadNear, near_caches_keep_the_promises},
};
use session_redis::{RedisOptions, RedisStore};

use crate::{
    admin, connected,
    harm::{HarmedInstance, HarmedLink},
    new_id, patient, patient_at, run, server,
    server::Server,
    set,
};

/// Enough for all sessions of a test.
const BYTES: u64 = 10 << 20;

/// What is done through a store its near cache knows at once.
mod conformance {
    use super::*;

    session_core::conformance_tests!(ReadNear::new(connected(patient(server()).near_cache(BYTES)).await).await);
}

async fn harmed() -> Arc<HarmedInstance<RedisStore>> {
    let link = HarmedLink::to(server().port()).await;
    let url = server()
        .url()
        .replace(&server().port().to_string(), &link.port.to_string());
    let options = RedisOptions::from_url(&url).unwrap();
    let options = options.near_cache(BYTES).command_timeout(Duration::from_millis(300));
    let store = connected(options.connect_timeout(Duration::from_millis(500))).await;
    Arc::new(HarmedInstance { store, link })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p3_p5_two_instances_with_broken_links_read_nothing_that_is_over() {
    near_caches_keep_the_promises([harmed().await, harmed().await]).await;
}

/// Whether a session that was read is read again without the server.
async fn serves(store: &RedisStore, id: &SessionId) -> bool {
    store.load(&[*id]).await.unwrap();
    store.near_cache().unwrap().get(&[*id]).is_some()
}

#[tokio::test]
async fn nothing_is_served_where_the_user_may_not_ask_to_be_told() {
    let server = Server::start();
    let mut admin = admin(&server);
    let _: () = run(
        &mut admin,
        &["ACL", "SETUSER", "app", "on", ">app", "~*", "&*", "+@all", "-client"],
    );
    let options = patient_at(&server.url_as("app", "app")).near_cache(BYTES);
    let store = connected(options).await;
    let id = new_id();
    store.create(&id, &NewSession::new(Lifetime::default())).await.unwrap();
    // Longer than it takes to prove that the link lives.
    for _ in 0..4 {
        assert!(!serves(&store, &id).await);
        tokio::time::sleep(NearCache::LEASE / 3).await;
    }
}

#[tokio::test]
async fn nothing_is_served_of_what_was_thrown_away() {
    let server = Server::start();
    let store = connected(patient(&server).near_cache(BYTES)).await;
    let id = new_id();
    store.create(&id, &NewSession::new(Lifetime::default())).await.unwrap();
    while !serves(&store, &id).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let _: () = run(&mut admin(&server), &["FLUSHALL"]);
    // What is told comes before the answer to whatever is asked next.
    store.ping().await.unwrap();
    assert!(store.near_cache().unwrap().get(&[id]).is_none());
}

#[tokio::test]
async fn what_was_written_here_is_read_without_the_server_until_another_instance_writes() {
    let one = connected(patient(server()).near_cache(BYTES)).await;
    let other = connected(patient(server())).await;
    let id = new_id();
    one.create(&id, &NewSession::new(Lifetime::default())).await.unwrap();
    let mut version = 1;
    // On a busy machine the link may not be proven to live just then.
    let served = loop {
        assert!(version < 200, "it is never served");
        tokio::time::sleep(Duration::from_millis(10)).await;
        one.load(&[id]).await.unwrap();
        one.update(&id, &Update::new(set("n", "1"))).await.unwrap();
        version += 1;
        if let Some(Loaded::Live(_, record)) = one.near_cache().unwrap().get(&[id]) {
            break record.version;
        }
    };
    assert_eq!(served, Version(version));
    other.update(&id, &Update::new(set("n", "2"))).await.unwrap();
    // What is told comes before the answer to whatever is asked next.
    one.ping().await.unwrap();
    assert!(one.near_cache().unwrap().get(&[id]).is_none());
}
