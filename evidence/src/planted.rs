use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use clap::ValueEnum;
use session_core::{
    Error, Fate, Loaded, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore, Update, Version,
    Watch,
};

/// Every so many-th time a planted fault strikes.
const EVERY: u64 = 20;

/// A fault that a store could have. Whoever checks the answers must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plant {
    /// Some writes are acknowledged, and not made.
    Forgetful,
    /// Nothing ends.
    Undead,
    /// Some loads answer what an earlier one did.
    Stale,
}

impl Plant {
    pub(crate) fn into(self, store: Arc<dyn SessionStore>) -> impl SessionStore {
        Planted {
            store,
            plant: self,
            calls: AtomicU64::new(0),
            earlier: Mutex::default(),
        }
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forgetful => "forgetful",
            Self::Undead => "undead",
            Self::Stale => "stale",
        })
    }
}

#[derive(Debug)]
struct Planted {
    store: Arc<dyn SessionStore>,
    plant: Plant,
    calls: AtomicU64,
    earlier: Mutex<Vec<(SessionId, Loaded)>>,
}

impl Planted {
    fn strikes(&self, plant: Plant) -> bool {
        self.plant == plant && self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(EVERY)
    }
}

#[async_trait]
impl SessionStore for Planted {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.store.create(id, new).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        let loaded = self.store.load(ids).await?;
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let Loaded::Live(id, _) = &loaded else {
            return Ok(loaded);
        };
        let place = earlier.iter().position(|(other, _)| other == id);
        match place {
            Some(place) if self.strikes(Plant::Stale) => Ok(earlier[place].1.clone()),
            Some(_) => Ok(loaded),
            None => {
                earlier.push((*id, loaded.clone()));
                Ok(loaded)
            }
        }
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        if self.strikes(Plant::Forgetful) {
            return Ok(Version(1));
        }
        self.store.update(id, update).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.store.touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.store.renew(from, to, renewal).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        if self.plant == Plant::Undead {
            return Ok(());
        }
        self.store.end(id).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.store.of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.store.end_all(user, except).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.store.end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.store.purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.store.ping().await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.store.fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.store.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.store.near_cache()
    }
}
