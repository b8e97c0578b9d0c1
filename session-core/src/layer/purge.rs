use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{SessionStore, jitter::jittered};

/// How often, on average, one instance purges the store.
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How much one purge removes at a time, and how often it goes on if there was so much.
const BATCH: u32 = 1000;
const MAX_BATCHES: u32 = 100;

/// Removes what expired sessions left in the store, now and then, after a response that used the store anyway.
///
/// So no app has to think of it and none needs a task for it. The interval varies by half, so that many instances do
/// not purge at the same moment.
#[derive(Debug)]
pub(crate) struct Purge {
    due: Mutex<Instant>,
}

impl Default for Purge {
    fn default() -> Self {
        Self {
            due: Mutex::new(Instant::now() + jittered(INTERVAL)),
        }
    }
}

impl Purge {
    pub(crate) fn run_if_due(&self, store: &Arc<dyn SessionStore>) {
        {
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            if Instant::now() < *due {
                return;
            }
            *due = Instant::now() + jittered(INTERVAL);
        }
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for _ in 0..MAX_BATCHES {
                match store.purge(BATCH).await {
                    Ok(purged) if purged >= u64::from(BATCH) => {}
                    Ok(_) => return,
                    Err(error) => return tracing::warn!(error = &error as &dyn std::error::Error, "purge failed"),
                }
            }
        });
    }
}
