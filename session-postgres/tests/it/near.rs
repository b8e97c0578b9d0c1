//! The near cache.

use std::{sync::Arc, time::Duration};

use session_core::{
    SessionStore,
    conformance::{NearInstance, ReadNear, near_caches_keep_the_promises},
};
use session_postgres::{PostgresOptions, PostgresStore};

use crate::{harm::HarmedLink, patient, server};

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

struct Instance {
    store: PostgresStore,
    link: HarmedLink,
}

impl Instance {
    async fn new() -> Arc<Self> {
        crate::store().await;
        let link = HarmedLink::to(server().port()).await;
        let url = server()
            .url()
            .replace(&server().port().to_string(), &link.port.to_string());
        let options = PostgresOptions::from_url(&url).unwrap();
        let options = options.near_cache(BYTES).command_timeout(Duration::from_millis(300));
        let options = options.connect_timeout(Duration::from_millis(500));
        let store = PostgresStore::connect(options).await.unwrap();
        Arc::new(Self { store, link })
    }
}

impl NearInstance for Instance {
    fn store(&self) -> &dyn SessionStore {
        &self.store
    }

    fn harm(&self, choice: u64) {
        self.link.harm(choice);
    }

    fn mend(&self) {
        self.link.mend();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p3_p5_two_instances_with_broken_links_read_nothing_that_is_over() {
    near_caches_keep_the_promises([Instance::new().await, Instance::new().await]).await;
}
