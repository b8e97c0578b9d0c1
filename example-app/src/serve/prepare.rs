use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Health;
use crate::{Failure, chain, store::Store};

/// How often an instance looks whether another one has made the schema.
const LOOK: Duration = Duration::from_millis(500);

/// How long it leaves that to another one. Then it does it itself: instance 0 may have died half-way.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long it waits after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Prepares what the app needs, and then says that it is ready.
pub(super) async fn until_ready(store: Store, index: Option<u32>, health: Health) {
    while let Err(failure) = prepare(&store, index).await {
        tracing::warn!("not ready yet: {}", chain(failure.as_ref()));
        sleep(PAUSE).await;
    }
    health.ready();
}

/// The schema, made by one instance while the others wait, and then the app's own set-up work, done once.
///
/// The instance's number only spares the others the trouble. That it is done once is the database's doing, for a
/// rolling deploy runs two instances with the number 0.
async fn prepare(store: &Store, index: Option<u32>) -> Result<(), Failure> {
    if index.unwrap_or(0) > 0 {
        let deadline = Instant::now() + PATIENCE;
        while !store.is_migrated().await? && Instant::now() < deadline {
            sleep(LOOK).await;
        }
    }
    if !store.is_migrated().await? {
        store.migrate().await?;
    }
    store.set_up().await
}
