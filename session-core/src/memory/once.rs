use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use time::OffsetDateTime;

use super::shard::end_of;
use crate::{Claim, Claimed, Error, MemoryStore, OnceStore};

/// What is known of some work: its newest claim, by name. What is not here is free.
#[derive(Debug, Default)]
pub(super) struct Works(HashMap<String, Work>);

#[derive(Debug)]
struct Work {
    claim: u128,
    /// When the claim lapses; `None` if the work is done.
    until: Option<OffsetDateTime>,
}

impl Works {
    fn claim(&mut self, now: OffsetDateTime, claim: &Claim, lease: Duration) -> Claimed {
        match self.0.get(claim.name()) {
            Some(Work { until: None, .. }) => return Claimed::Done,
            Some(work) if work.claim != claim.id() && work.is_held(now) => return Claimed::Taken,
            _ => {}
        }
        let work = Work {
            claim: claim.id(),
            until: Some(end_of(now, lease)),
        };
        self.0.insert(claim.name().to_owned(), work);
        Claimed::Mine
    }

    fn keep(&mut self, now: OffsetDateTime, claim: &Claim, lease: Duration) -> bool {
        let work = self.of(claim).filter(|work| work.is_held(now));
        work.map(|work| work.until = Some(end_of(now, lease))).is_some()
    }

    fn finish(&mut self, now: OffsetDateTime, claim: &Claim) -> bool {
        let work = self.of(claim).filter(|work| work.until.is_none() || work.is_held(now));
        work.map(|work| work.until = None).is_some()
    }

    fn give_back(&mut self, claim: &Claim) {
        if self.of(claim).is_some_and(|work| work.until.is_some()) {
            self.0.remove(claim.name());
        }
    }

    /// The work, if this claim is its newest.
    fn of(&mut self, claim: &Claim) -> Option<&mut Work> {
        self.0.get_mut(claim.name()).filter(|work| work.claim == claim.id())
    }
}

impl Work {
    fn is_held(&self, now: OffsetDateTime) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

impl MemoryStore {
    fn works(&self) -> MutexGuard<'_, Works> {
        self.works.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// As with sessions, the clock is read under the lock.
#[async_trait]
impl OnceStore for MemoryStore {
    async fn claim(&self, claim: &Claim, lease: Duration) -> Result<Claimed, Error> {
        let mut works = self.works();
        Ok(works.claim(self.clock.now(), claim, lease))
    }

    async fn keep(&self, claim: &Claim, lease: Duration) -> Result<bool, Error> {
        let mut works = self.works();
        Ok(works.keep(self.clock.now(), claim, lease))
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, Error> {
        let mut works = self.works();
        Ok(works.finish(self.clock.now(), claim))
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Error> {
        self.works().give_back(claim);
        Ok(())
    }
}
