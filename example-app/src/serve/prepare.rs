use std::time::Duration;

use session_core::Error;
use tokio::time::{Instant, sleep};

use super::Health;
use crate::{chain, store::Store};

/// How often an instance looks whether another one has made the schema.
const LOOK: Duration = Duration::from_millis(500);

/// How long it leaves that to another one. Then it does it itself: instance 0 may have died half-way.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long it waits after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits for the store, prepares what the app needs, and then says that it is ready. What no waiting mends it returns.
pub(super) async fn until_ready(store: &Store, index: Option<u32>, health: &Health) -> Result<(), Error> {
    while let Err(error) = prepare(store, index, health).await {
        if error.is_lasting() {
            return Err(error);
        }
        let reason = chain(&error);
        tracing::warn!("not ready yet: {reason}");
        health.waits(reason);
        sleep(PAUSE).await;
    }
    health.ready();
    Ok(())
}

/// The schema, made by one instance while the others wait, and then the app's own set-up work, done once.
///
/// The instance's number only spares the others the trouble. That it is done once is the database's doing, for a
/// rolling deploy runs two instances with the number 0.
async fn prepare(store: &Store, index: Option<u32>, health: &Health) -> Result<(), Error> {
    // What follows asks a server that is away for a while before it says so.
    store.ping().await?;
    if index.unwrap_or(0) > 0 {
        let deadline = Instant::now() + PATIENCE;
        while !store.is_migrated().await? && Instant::now() < deadline {
            health.waits("the database is not prepared yet, which is left to instance 0 at first");
            sleep(LOOK).await;
        }
    }
    if !store.is_migrated().await? {
        health.waits("the database is being prepared");
        store.migrate().await?;
    }
    health.waits("the app's set-up work is being done");
    store.set_up().await
}
