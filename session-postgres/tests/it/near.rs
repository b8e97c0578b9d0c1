//! The near cache.

use std::{sync::Arc, time::Duration};

use session_core::{
    Excess, Lifetime, Loaded, NewSession, Renewal, SessionLimit, SessionStore, Update, Version,
    conformance::{ReadNear, near_caches_keep_the_promises},
};
use session_postgres::{PostgresOptions, PostgresStore};

use crate::{
    harm::{HarmedInstance, HarmedLink},
    new_id, patient, server, set,
};

/// Enough for all sessions of a test.
const BYTES: u64 = 10 << 20;

/// A store whose near cache may be used soon.
async fn near() -> ReadNear<PostgresStore> {
    crate::store().await;
    let options = patient(server()).near_cache(BYTES);
    let options = options.command_timeout(Duration::from_secs(5));
    ReadNear::new(PostgresStore::connect(options).await.unwrap()).await
}

/// What is done through a store its near cache knows at once.
mod conformance {
    session_core::conformance_tests!(super::near().await);
}

async fn harmed() -> Arc<HarmedInstance<PostgresStore>> {
    crate::store().await;
    let link = HarmedLink::to(server().port()).await;
    let url = server()
        .url()
        .replace(&server().port().to_string(), &link.port.to_string());
    let options = PostgresOptions::from_url(&url).unwrap();
    let options = options.near_cache(BYTES).command_timeout(Duration::from_millis(300));
    let options = options.connect_timeout(Duration::from_millis(500));
    let store = PostgresStore::connect(options).await.unwrap();
    Arc::new(HarmedInstance { store, link })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p3_p5_two_instances_with_broken_links_read_nothing_that_is_over() {
    near_caches_keep_the_promises([harmed().await, harmed().await]).await;
}

#[tokio::test]
async fn what_was_written_here_is_read_without_the_server_also_when_the_news_of_it_come() {
    let store = near().await;
    let id = new_id();
    store.create(&id, &NewSession::new(Lifetime::default())).await.unwrap();
    let cache = store.near_cache().unwrap();
    let mut version = 1;
    // Now and then its news come before its answer, or the link is not proven to live just then.
    let served = loop {
        assert!(version < 30, "it is never served");
        store.load(&[id]).await.unwrap();
        store.update(&id, &Update::new(set("n", "1"))).await.unwrap();
        version += 1;
        // As long as the news may take.
        tokio::time::sleep(cache.lease()).await;
        if let Some(Loaded::Live(_, record)) = cache.get(&[id]) {
            break record.version;
        }
    };
    assert_eq!(served, Version(version));
}

/// Looked for before its news can be read, for nothing is waited for in between.
#[tokio::test]
async fn what_a_login_ends_is_gone_here_at_once() {
    let store = near().await;
    let cache = store.near_cache().unwrap();
    let limit = SessionLimit::new(1).excess(Excess::EndOldest);
    let mut of_the_user = NewSession::new(Lifetime::default()).with_user("one after another");
    of_the_user.limit = Some(limit);
    let (mut seen, mut oldest) = (0, new_id());
    store.create(&oldest, &of_the_user).await.unwrap();
    for turn in 0..40 {
        store.load(&[oldest]).await.unwrap();
        seen += usize::from(cache.get(&[oldest]).is_some());
        let (next, to) = (new_id(), new_id());
        if turn % 2 == 0 {
            store.create(&to, &of_the_user).await.unwrap();
        } else {
            store
                .create(&next, &NewSession::new(Lifetime::default()))
                .await
                .unwrap();
            let mut renewal = Renewal::login("one after another", Lifetime::default());
            renewal.login.as_mut().unwrap().limit = Some(limit);
            store.renew(&next, &to, &renewal).await.unwrap();
        }
        assert!(cache.get(&[oldest]).is_none(), "turn {turn}");
        oldest = to;
    }
    assert!(seen > 0, "it was never kept");
}
