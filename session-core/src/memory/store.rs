use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use super::{clock::Clock, limit::Limited, once::Works, shard::Shard};
use crate::{
    Error, Fate, Loaded, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore, Update, Version,
    Watch,
};

const SHARDS: usize = 64;

/// Sessions in this process: the reference implementation, and the embedded default.
///
/// It keeps every promise among those who share it by cloning, and shares with no other process: for that take
/// `session-redis` or `session-postgres`. It is 64 maps behind a lock each; an operation locks one of them for the
/// time of a look-up, so readers of different sessions do not meet. What has expired is removed as sessions are
/// created.
///
/// ```
/// # use session_core::{Lifetime, Loaded, MemoryStore, NewSession, SessionStore, SessionToken};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::Error> {
/// let store = MemoryStore::new();
/// let id = SessionToken::random()?.id();
/// store.create(&id, &NewSession::new(Lifetime::default())).await?;
/// assert!(matches!(store.load(&[id]).await?, Loaded::Live(..)));
/// store.end(&id).await?;
/// assert_eq!(store.load(&[id]).await?, Loaded::Missing);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore {
    pub(super) clock: Arc<Clock>,
    pub(super) shards: Arc<[RwLock<Shard>]>,
    pub(super) works: Arc<Mutex<Works>>,
    watch: Watch,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let watch = Watch::new();
        let link = Arc::new(watch.link());
        let shard = || RwLock::new(Shard::new(&link));
        Self {
            clock: Arc::new(Clock::start()),
            shards: (0..SHARDS).map(|_| shard()).collect(),
            works: Arc::default(),
            watch,
        }
    }

    fn shard(&self, id: &SessionId) -> &RwLock<Shard> {
        &self.shards[Self::shard_of(id)]
    }

    pub(super) fn shard_of(id: &SessionId) -> usize {
        usize::from(u16::from_be_bytes(id.tag())) % SHARDS
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

// The clock is read under the lock: what expired while an operation waited for it has expired for the operation.
#[async_trait]
impl SessionStore for MemoryStore {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        if let (Some(user), Some(limit)) = (&new.user, new.limit) {
            let (class, ids) = (&new.about.class, [id, id]);
            let limited = Limited {
                user,
                class,
                limit,
                ids,
            };
            return self.log_in(&limited, |shard, now| shard.create(now, id, new));
        }
        let mut shard = write(self.shard(id));
        shard.create(self.clock.now(), id, new)
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        let load = |id| read(self.shard(id)).load(self.clock.now(), id);
        Ok(Loaded::first(ids, ids.iter().map(load)))
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        let mut shard = write(self.shard(id));
        shard.update(self.clock.now(), id, update)
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        let mut shard = write(self.shard(id));
        shard.touch(self.clock.now(), id)
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        debug_assert_eq!(from.tag(), to.tag(), "a renewal keeps the shard tag");
        if let (Some(user), Some(login)) = (&renewal.user, &renewal.login)
            && let Some(limit) = login.limit
        {
            let (class, ids) = (&login.about.class, [from, to]);
            let limited = Limited {
                user,
                class,
                limit,
                ids,
            };
            return self.log_in(&limited, |shard, now| shard.renew(now, from, to, renewal));
        }
        let mut shard = write(self.shard(from));
        shard.renew(self.clock.now(), from, to, renewal)
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        let mut shard = write(self.shard(id));
        shard.end(self.clock.now(), id);
        Ok(())
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        let shards = self.shards.iter();
        let mut sessions: Vec<_> = shards
            .flat_map(|shard| read(shard).of_user(self.clock.now(), user, page))
            .collect();
        sessions.sort_unstable_by_key(|session| session.id);
        sessions.truncate(page.limit as usize);
        Ok(sessions)
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        let shards = self.shards.iter();
        Ok(shards
            .map(|shard| write(shard).end_all(self.clock.now(), user, except))
            .sum())
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        let shards = self.shards.iter();
        Ok(shards.map(|shard| write(shard).end_everyone(self.clock.now())).sum())
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        let mut purged = 0;
        for shard in self.shards.iter() {
            purged += write(shard).purge(self.clock.now(), limit as usize - purged);
        }
        Ok(purged as u64)
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        let fate = |id| read(self.shard(id)).fate(self.clock.now(), id);
        Ok(ids.iter().map(fate).collect())
    }

    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn near_cache(&self) -> Option<&NearCache> {
        None
    }
}

// A panic while a lock was held leaves a shard in one piece: every operation checks first and changes last.
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}
