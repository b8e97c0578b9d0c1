use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use crate::{Claim, Claimed, Error, OnceStore, jitter::jittered};

/// The source of an error that says a step was given up.
#[derive(Debug, thiserror::Error)]
#[error("the store did not answer within {0:?}")]
struct Late(Duration);

/// A claim that this task makes and keeps. Dropped while it may hold, it is given back.
#[derive(Debug)]
pub(super) struct Hold<S: OnceStore + Clone> {
    store: S,
    claim: Claim,
    lease: Duration,
    /// When it has lapsed, as far as is known.
    end: Instant,
    /// Whether the store may think that it holds.
    may_hold: bool,
}

impl<S: OnceStore + Clone> Hold<S> {
    pub(super) fn new(store: S, name: &str, lease: Duration) -> Result<Self, Error> {
        let claim = Claim::new(name)?;
        Ok(Self {
            store,
            claim,
            lease,
            end: Instant::now(),
            may_hold: false,
        })
    }

    pub(super) async fn claim(&mut self) -> Result<Claimed, Error> {
        self.may_hold = true;
        let patience = Instant::now() + self.lease;
        let step = || self.store.claim(&self.claim, self.lease);
        let (asked, claimed) = self.insist(patience, step).await?;
        self.end = asked + self.lease;
        self.may_hold = claimed == Claimed::Mine;
        Ok(claimed)
    }

    /// Runs `work` and keeps the claim meanwhile, in the same task. If the claim is lost, the work is dropped and there
    /// is no output.
    pub(super) async fn while_held<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut lost = pin!(self.keep_until_lost());
        let mut work = pin!(work);
        poll_fn(|context| {
            if lost.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(context).map(Some)
        })
        .await
    }

    /// Whether the end of the work could be recorded, which only the store can tell.
    pub(super) async fn finish(&mut self) -> Result<bool, Error> {
        let patience = Instant::now() + self.lease;
        let (_, finished) = self.insist(patience, || self.store.finish(&self.claim)).await?;
        self.may_hold = false;
        Ok(finished)
    }

    pub(super) async fn give_back(&mut self) {
        give_back(&self.store, &self.claim, self.lease).await;
        self.may_hold = false;
    }

    async fn keep_until_lost(&mut self) {
        loop {
            sleep_until(self.end - self.lease * 2 / 3).await;
            let step = || self.store.keep(&self.claim, self.lease);
            match self.insist(self.end, step).await {
                Ok((asked, true)) => self.end = asked + self.lease,
                Ok((_, false)) => return,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    return tracing::warn!(error, work = self.claim.name(), "no heartbeat reached the store");
                }
            }
        }
    }

    /// Asks the store until it answers or the time is over. Returns when it was asked, and its answer.
    async fn insist<T, F>(&self, until: Instant, step: impl Fn() -> F) -> Result<(Instant, T), Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let patience = self.lease / 5;
        loop {
            let asked = Instant::now();
            let answer = timeout_at(until.min(asked + patience), step()).await;
            let error = match answer.unwrap_or_else(|_| Err(Error::unknown(Late(patience)))) {
                Err(error @ (Error::Unavailable { .. } | Error::Unknown { .. })) => error,
                answer => return answer.map(|answer| (asked, answer)),
            };
            let pause = jittered(self.lease / 20);
            if Instant::now() + pause >= until {
                return Err(error);
            }
            tracing::debug!(%error, work = self.claim.name(), "the store is asked again");
            sleep(pause).await;
        }
    }
}

impl<S: OnceStore + Clone> Drop for Hold<S> {
    fn drop(&mut self) {
        // Without a runtime, as with a failure, the claim lapses.
        if let (true, Ok(runtime)) = (self.may_hold, Handle::try_current()) {
            let (store, claim, lease) = (self.store.clone(), self.claim.clone(), self.lease);
            runtime.spawn(async move { give_back(&store, &claim, lease).await });
        }
    }
}

async fn give_back(store: &impl OnceStore, claim: &Claim, lease: Duration) {
    let deadline = Instant::now() + lease / 5;
    let answer = timeout_at(deadline, store.give_back(claim)).await;
    if let Err(error) = answer.unwrap_or_else(|_| Err(Error::unknown(Late(lease / 5)))) {
        tracing::debug!(%error, work = claim.name(), "work could not be given back, so its claim has to lapse");
    }
}
