use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::{
    Error, Fate, Loaded, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore, Update, Version,
    Watch, conformance::SharedStore,
};

/// Several handles to the same sessions, as instances of an app have them, each asked in its turn.
///
/// Run on it, the suite checks what holds across instances: what one writes the next one reads, and two that race
/// meet in the database rather than in the queue of one connection.
///
/// ```
/// use session_core::{MemoryStore, conformance::ByTurns};
///
/// let store = MemoryStore::new();
/// let instances = ByTurns::new([store.clone(), store]);
/// # let _ = instances;
/// ```
#[derive(Debug)]
pub struct ByTurns {
    instances: Vec<SharedStore>,
    turn: AtomicUsize,
}

impl ByTurns {
    /// The `instances`, of which there must be one at least.
    pub fn new<S: SessionStore>(instances: impl IntoIterator<Item = S>) -> Self {
        let instances = instances
            .into_iter()
            .map(|store| SharedStore::from(Box::new(store) as Box<dyn SessionStore>));
        Self {
            instances: instances.collect(),
            turn: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &SharedStore {
        &self.instances[self.turn.fetch_add(1, Ordering::Relaxed) % self.instances.len()]
    }
}

#[async_trait]
impl SessionStore for ByTurns {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.next().create(id, new).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        self.next().load(ids).await
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        self.next().update(id, update).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.next().touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.next().renew(from, to, renewal).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        self.next().end(id).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.next().of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.next().end_all(user, except).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.next().end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.next().purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.next().ping().await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.next().fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.next().watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.next().near_cache()
    }
}
