use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Error;

/// The time that the store calls of one request may still take (promise P8).
#[derive(Debug)]
pub(crate) struct Budget(Mutex<Duration>);

/// The source of an error that says a store call was given up.
#[derive(Debug, thiserror::Error)]
#[error("no answer within the {0:?} that remained of this request's store_timeout")]
struct TimedOut(Duration);

impl Budget {
    pub(crate) const fn new(total: Duration) -> Self {
        Self(Mutex::new(total))
    }

    /// Awaits a call that only reads: given up, it has done nothing.
    pub(crate) async fn read<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.spend(call)
            .await
            .unwrap_or_else(|late| Err(Error::unavailable(late)))
    }

    /// Awaits a call that writes: given up, it may have done it.
    pub(crate) async fn write<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.spend(call).await.unwrap_or_else(|late| Err(Error::unknown(late)))
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.remaining().is_zero()
    }

    async fn spend<T>(&self, call: impl Future<Output = T>) -> Result<T, TimedOut> {
        let remaining = self.remaining();
        let started = Instant::now();
        let outcome = tokio::time::timeout(remaining, call).await;
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(started.elapsed());
        outcome.map_err(|_| TimedOut(remaining))
    }

    fn remaining(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
