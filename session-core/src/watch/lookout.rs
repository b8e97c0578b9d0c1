use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval};

use super::Watch;
use crate::SessionStore;

/// How often the lookout asks the store at most, however many wait.
const TICK: Duration = Duration::from_millis(200);

/// How many sessions it asks for together.
const TOGETHER: usize = 1000;

/// Sees to it that there is a lookout, which looks at sessions through `store` until nobody waits for any.
pub(super) fn keep(watch: &Watch, store: Arc<dyn SessionStore>) {
    let lookout = watch.sessions().take_lookout();
    if let Some(lookout) = lookout {
        let watch = watch.clone();
        tokio::spawn(async move {
            look_out(&watch, &*store).await;
            drop(lookout);
        });
    }
}

async fn look_out(watch: &Watch, store: &dyn SessionStore) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(due) = watch.sessions().due(Instant::now()) else {
            return;
        };
        for ids in due.ids.chunks(TOGETHER) {
            match store.fates(ids).await {
                Ok(fates) => {
                    let ended = watch.sessions().learn(Instant::now(), &due, ids.iter().zip(fates));
                    ended.into_iter().for_each(std::task::Waker::wake);
                }
                // They are due again soon.
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "watched sessions cannot be looked at"
                    );
                    break;
                }
            }
        }
    }
}
