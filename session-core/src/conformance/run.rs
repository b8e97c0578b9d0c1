use std::{sync::Arc, time::Duration};

use crate::{SessionStore, conformance::SharedStore};

/// A behaviour takes seconds at most, also on a slow machine; one that takes this long hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs one behaviour on the store that `store` gives, in a runtime of its own.
pub fn run<S: SessionStore>(store: impl Future<Output = S>, behaviour: impl AsyncFnOnce(&SharedStore)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the operating system starts four threads");
    runtime.block_on(async {
        let store: SharedStore = Arc::new(store.await);
        let result = tokio::time::timeout(LIMIT, behaviour(&store)).await;
        result.expect("the behaviour hangs");
    });
}
