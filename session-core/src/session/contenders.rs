use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use tokio::sync::OwnedMutexGuard;

use crate::{SessionId, Value};

type Contended = (SessionId, String);
type Lock = Arc<tokio::sync::Mutex<Chain>>;

/// How many writes of a chain may be under way. After so many all have to be done before the next, so that other
/// instances get their turn.
const LONGEST: u32 = 64;

/// Lets the requests of this instance that update a key of a session do it one after another, so that they do not make
/// each other's compare-and-set fail.
///
/// A request that has written passes the value on before it hears how that went: the next one expects just that value.
/// So many writes are under way at once, in their order, and if one fails all after it do, and try again. Correctness
/// does not rest on any of this: the store decides.
#[derive(Debug, Default)]
pub(crate) struct Contenders {
    turns: Mutex<HashMap<Contended, Lock>>,
}

/// What the requests that update a key pass on to each other.
#[derive(Debug, Default)]
struct Chain {
    /// What the last one wrote; nobody knows yet whether it is stored.
    newest: Option<Value>,
    /// Which chain it is: when a write has failed, another begins.
    number: u64,
    length: u32,
}

/// A place in the chain of those who update a key, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    contenders: &'a Contenders,
    contended: Contended,
    /// Taken when it is dropped.
    lock: Option<Lock>,
    /// The right to write: none while it is waited for, and after it was passed on.
    right: Option<OwnedMutexGuard<Chain>>,
    /// The chain in which it wrote.
    number: u64,
}

impl Contenders {
    /// Waits for the right to write.
    pub(crate) async fn turn(&self, id: SessionId, key: &str) -> Turn<'_> {
        let contended = (id, key.to_owned());
        let lock = Arc::clone(self.turns().entry(contended.clone()).or_default());
        let mut turn = Turn {
            contenders: self,
            contended,
            lock: Some(lock),
            right: None,
            number: 0,
        };
        turn.wait().await;
        turn
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Contended, Lock>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// What the request before wrote, if there was one.
    pub(crate) fn newest(&self) -> Option<Value> {
        self.right.as_ref()?.newest.clone()
    }

    /// Writes: `value` is what the next one has to expect, if it can. It need not wait until this is done, but for the
    /// store to be told.
    pub(crate) async fn write<T>(&mut self, value: Option<Value>, write: impl Future<Output = T>) -> T {
        let mut write = pin!(write);
        let mut may_pass_on = false;
        if let Some(chain) = &mut self.right {
            self.number = chain.number;
            chain.length = (chain.length + 1) % LONGEST;
            may_pass_on = value.is_some() && chain.length > 0;
            chain.newest = value;
        }
        let begun = poll_fn(|context| Poll::Ready(write.as_mut().poll(context))).await;
        match begun {
            Poll::Ready(done) => done,
            Poll::Pending => {
                if may_pass_on {
                    self.right = None;
                }
                write.await
            }
        }
    }

    /// Waits for the right to write again, after what was expected did not hold.
    pub(crate) async fn again(&mut self) {
        self.wait().await;
        if let Some(chain) = &mut self.right
            && chain.number == self.number
        {
            // The first to come back ends the chain, for all of it has failed.
            **chain = Chain {
                number: chain.number + 1,
                ..Chain::default()
            };
        }
    }

    async fn wait(&mut self) {
        if self.right.is_none()
            && let Some(lock) = &self.lock
        {
            self.right = Some(Arc::clone(lock).lock_owned().await);
        }
    }
}

impl Drop for Turn<'_> {
    /// Leaves nothing behind if it was the last, also if it was given up while waiting.
    fn drop(&mut self) {
        let mut turns = self.contenders.turns();
        (self.right, self.lock) = (None, None);
        // Whoever has the right or waits for it is counted, and newcomers find it through the map.
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
    use std::{future::pending, pin::Pin};

    use super::*;
    use crate::SessionToken;

    async fn waits<F: Future>(mut future: Pin<&mut F>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    fn value(text: &str) -> Value {
        Value::from_json(text.to_owned())
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

    #[tokio::test]
    async fn a_value_is_passed_on_once_the_store_is_told_and_forgotten_when_it_was_not_stored() {
        let contenders = Contenders::default();
        let id = SessionToken::random().unwrap().id();
        let (mut first, mut second) = (contenders.turn(id, "a").await, None);
        assert_eq!(first.newest(), None);
        {
            let mut writing = Box::pin(first.write(Some(value("1")), pending::<()>()));
            assert!(waits(writing.as_mut()).await);
            let next = second.insert(contenders.turn(id, "a").await);
            assert_eq!(next.newest(), Some(value("1")));
            let mut writing = Box::pin(next.write(Some(value("2")), pending::<()>()));
            assert!(waits(writing.as_mut()).await);
        }
        // Both failed: the first to come back begins another chain, and the second goes on with that.
        first.again().await;
        assert_eq!(first.newest(), None);
        {
            let mut writing = Box::pin(first.write(Some(value("3")), pending::<()>()));
            assert!(waits(writing.as_mut()).await);
        }
        let mut second = second.unwrap();
        second.again().await;
        assert_eq!(second.newest(), Some(value("3")));
    }

    #[tokio::test]
    async fn the_last_of_a_long_chain_is_waited_for() {
        let contenders = Contenders::default();
        let id = SessionToken::random().unwrap().id();
        let mut turns = Vec::new();
        for _ in 1..LONGEST {
            let mut turn = contenders.turn(id, "a").await;
            assert!(waits(Box::pin(turn.write(Some(value("1")), pending::<()>())).as_mut()).await);
            turns.push(turn);
        }
        let mut last = contenders.turn(id, "a").await;
        let mut writing = Box::pin(last.write(Some(value("1")), pending::<()>()));
        assert!(waits(writing.as_mut()).await);
        let mut next = Box::pin(contenders.turn(id, "a"));
        assert!(waits(next.as_mut()).await);
        drop(writing);
        drop(last);
        assert_eq!(next.await.newest(), Some(value("1")));
    }
}
