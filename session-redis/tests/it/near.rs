//! The near cache.

use std::{sync::Arc, time::Duration};

use session_core::{
    SessionStore,
    conformance::{NearInstance, ReadNear, near_caches_keep_the_promises},
};
use session_redis::{RedisOptions, RedisStore};

use crate::{connected, harm::HarmedLink, patient, server};

/// Enough for all sessions of a test.
const BYTES: u64 = 10 << 20;

/// What is done through a store its near cache knows at once.
mod conformance {
    use super::*;

    session_core::conformance_tests!(ReadNear::new(connected(patient(server()).near_cache(BYTES)).await).await);
}

struct Instance {
    store: RedisStore,
    link: HarmedLink,
}

impl Instance {
    async fn new() -> Arc<Self> {
        let link = HarmedLink::to(server().port()).await;
        let url = server()
            .url()
            .replace(&server().port().to_string(), &link.port.to_string());
        let options = RedisOptions::from_url(&url).unwrap();
        let options = options.near_cache(BYTES).command_timeout(Duration::from_millis(300));
        let store = connected(options.connect_timeout(Duration::from_millis(500))).await;
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
