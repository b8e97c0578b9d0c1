use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};

use tokio::time::{Sleep, sleep};

use crate::Error;

/// The time that the store calls of one request may take together (promise P8). Once the response's head is sent, what
/// is left of it may live for days, as streams and WebSockets do: then each call has the time for itself.
#[derive(Debug)]
pub(crate) struct Budget {
    total: Duration,
    /// What remains; `None` once each call has the total.
    left: Mutex<Option<Duration>>,
}

/// The source of an error that says a store call was given up.
#[derive(Debug, thiserror::Error)]
#[error("no answer within the {0:?} that remained of this request's store_timeout")]
struct TimedOut(Duration);

/// The source of an error that says a store call was not even made.
#[derive(Debug, thiserror::Error)]
#[error("nothing remained of this request's store_timeout")]
struct Spent;

impl Budget {
    pub(crate) const fn new(total: Duration) -> Self {
        Self {
            total,
            left: Mutex::new(Some(total)),
        }
    }

    /// Gives each call from now on the whole time.
    pub(crate) fn renew_for_each_call(&self) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Awaits a call that only reads: given up, it has done nothing.
    pub(crate) async fn read<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.spend(call, Error::unavailable).await
    }

    /// Awaits a call that writes: given up, it may have done it.
    pub(crate) async fn write<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.spend(call, Error::unknown).await
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.remaining().is_zero()
    }

    async fn spend<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
        given_up: impl FnOnce(TimedOut) -> Error,
    ) -> Result<T, Error> {
        let remaining = self.remaining();
        if remaining.is_zero() {
            return Err(Error::unavailable(Spent));
        }
        let (mut call, mut timer) = (pin!(call), pin!(None::<Sleep>));
        let mut started = None;
        let outcome = poll_fn(|context| {
            if let Poll::Ready(outcome) = call.as_mut().poll(context) {
                return Poll::Ready(Some(outcome));
            }
            // What is answered at once, as by a store in memory, takes no time and needs no timer.
            if started.is_none() {
                started = Some(Instant::now());
                timer.set(Some(sleep(remaining)));
            }
            match timer.as_mut().as_pin_mut() {
                Some(timer) => timer.poll(context).map(|()| None),
                None => Poll::Pending,
            }
        });
        let outcome = outcome.await;
        if let Some(started) = started {
            self.deduct(started.elapsed());
        }
        outcome.unwrap_or_else(|| Err(given_up(TimedOut(remaining))))
    }

    fn deduct(&self, spent: Duration) {
        if let Some(left) = &mut *self.left.lock().unwrap_or_else(PoisonError::into_inner) {
            *left = left.saturating_sub(spent);
        }
    }

    fn remaining(&self) -> Duration {
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or(self.total)
    }
}
