use std::{sync::Arc, time::Duration};

use crate::{
    OnceStore, SessionStore,
    conformance::{Instances, SharedStore},
};

/// A behaviour takes seconds at most, also on a slow machine; one that takes this long hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs one behaviour on the store that `store` gives, in a runtime of its own.
pub fn run<S: SessionStore>(store: impl Future<Output = S>, behaviour: impl AsyncFnOnce(&SharedStore)) {
    block_on(async {
        let store: SharedStore = Arc::new(store.await);
        behaviour(&store).await;
    });
}

/// Runs one behaviour on the two instances that `stores` gives, in a runtime of its own.
pub fn run_on_two<A, B>(stores: impl Future<Output = (A, B)>, behaviour: impl AsyncFnOnce(&Instances))
where
    A: OnceStore,
    B: OnceStore,
{
    block_on(async {
        let (one, other) = stores.await;
        behaviour(&[Arc::new(one), Arc::new(other)]).await;
    });
}

fn block_on(behaviour: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the operating system starts four threads");
    let result = runtime.block_on(async { tokio::time::timeout(LIMIT, behaviour).await });
    result.expect("the behaviour hangs");
}
