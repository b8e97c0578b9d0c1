use async_trait::async_trait;

use super::near_history::until_served;
use crate::{
    Error, Fate, Loaded, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore, Update, Version,
    Watch,
};

/// A store whose sessions are read from its near cache where it has them, as the layer reads them.
///
/// Run on it, the suite checks that the cache knows at once what is done through the store itself: what this wrapper
/// answers is to be what the store would.
#[derive(Debug)]
pub struct ReadNear<S>(S);

impl<S: SessionStore> ReadNear<S> {
    /// The store, once its near cache serves what it has read.
    ///
    /// # Panics
    ///
    /// If the store has none, or does not work.
    pub async fn new(store: S) -> Self {
        until_served(&store).await;
        Self(store)
    }
}

#[async_trait]
impl<S: SessionStore> SessionStore for ReadNear<S> {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.0.create(id, new).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        match self.0.near_cache().and_then(|cache| cache.get(ids)) {
            Some(loaded) => Ok(loaded),
            None => self.0.load(ids).await,
        }
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        self.0.update(id, update).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.0.touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.0.renew(from, to, renewal).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        self.0.end(id).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.0.of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.0.end_all(user, except).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.0.end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.0.purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.0.ping().await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.0.fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.0.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.0.near_cache()
    }
}
