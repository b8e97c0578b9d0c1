use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use crate::SessionId;

type Contended = (SessionId, String);

/// Lets one request of this instance at a time update a key of a session, so that they do not make each other's
/// compare-and-set fail. Correctness does not rest on it: the store decides.
#[derive(Debug, Default)]
pub(crate) struct Contenders {
    turns: Mutex<HashMap<Contended, Arc<tokio::sync::Mutex<()>>>>,
}

/// The right to update a key, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    contenders: &'a Contenders,
    contended: Contended,
    /// None while it is waited for.
    guard: Option<OwnedMutexGuard<()>>,
}

impl Contenders {
    pub(crate) async fn turn(&self, id: SessionId, key: &str) -> Turn<'_> {
        let contended = (id, key.to_owned());
        let lock = Arc::clone(self.turns().entry(contended.clone()).or_default());
        let mut turn = Turn {
            contenders: self,
            contended,
            guard: None,
        };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Contended, Arc<tokio::sync::Mutex<()>>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    /// Leaves nothing behind if it was the last, also if it was given up while waiting.
    fn drop(&mut self) {
        let mut turns = self.contenders.turns();
        self.guard = None;
        // Whoever holds the lock or waits for it is counted, and newcomers find it through the map.
        if turns
            .get(&self.contended)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            turns.remove(&self.contended);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        pin::Pin,
        task::Poll,
    };

    use super::*;
    use crate::SessionToken;

    async fn waits<F: Future>(mut future: Pin<&mut F>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn whoever_is_done_or_gives_up_leaves_nothing_behind() {
        let contenders = Contenders::default();
        let id = SessionToken::random().unwrap().id();
        let first = contenders.turn(id, "a").await;
        let other = contenders.turn(id, "b").await;
        {
            let mut waiting = Box::pin(contenders.turn(id, "a"));
            assert!(waits(waiting.as_mut()).await);
            drop(first);
            let second = waiting.await;
            let mut given_up = Box::pin(contenders.turn(id, "a"));
            assert!(waits(given_up.as_mut()).await);
            drop(second);
        }
        assert_eq!(contenders.turns().len(), 1);
        drop(other);
        assert!(contenders.turns().is_empty());
    }
}
