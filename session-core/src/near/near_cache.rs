use std::{
    array, fmt,
    hash::{BuildHasher, RandomState},
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use quick_cache::sync::Cache;

use super::{
    NearChange, NearLink, Reading,
    entry::{Entry, Weigh},
    lifeline::Lifeline,
};
use crate::{Loaded, SessionId, Update, Version};

/// Sessions that this instance has read, kept near it for a store: reading them again asks the server nothing.
///
/// An app switches it on where it makes its store, and has nothing to do with it besides. All clones are the same.
///
/// A store makes one and gives it out by [`SessionStore::near_cache`](crate::SessionStore::near_cache). It says what it
/// [loads](Self::keep), what it [changes](Self::change) itself, and by a [link](Self::link) what other instances
/// change.
#[derive(Clone)]
pub struct NearCache(Arc<Inner>);

struct Inner {
    entries: Cache<SessionId, Arc<Entry>, Weigh>,
    /// Counts what was told of changes.
    changes: AtomicU64,
    /// The count when the last change of all sessions was told.
    cleared: AtomicU64,
    /// For each session, which share them, the count when the last change of it was told. Who keeps or changes an entry
    /// holds its session's. Only `clear` does not, so what was read before it is looked for by `get` too.
    told: [Mutex<u64>; 1024],
    lifeline: Lifeline,
    tag: u32,
}

impl NearCache {
    /// The lease unless set: half a second.
    pub const LEASE: Duration = Duration::from_millis(500);

    /// The shortest and the longest lease. Whatever instances have, it is over before the cookie is by which a browser
    /// bypasses their caches.
    pub const LEASES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(1);

    /// An empty one, that takes about so many bytes at most; without a link it serves nothing. The lease is one of
    /// [`LEASES`](Self::LEASES), or the next to it.
    ///
    /// The lease is the time for which it may serve a session after another instance has changed it, if the news of
    /// that are lost. They take about a millisecond otherwise.
    #[must_use]
    pub fn new(max_bytes: u64, lease: Duration) -> Self {
        let items = usize::try_from(max_bytes / 1024).unwrap_or(usize::MAX);
        Self(Arc::new(Inner {
            entries: Cache::with_weighter(items, max_bytes, Weigh),
            changes: AtomicU64::new(1),
            cleared: AtomicU64::new(0),
            told: array::from_fn(|_| Mutex::default()),
            lifeline: Lifeline::new(lease.clamp(*Self::LEASES.start(), *Self::LEASES.end())),
            // Random enough for one among some instances.
            tag: RandomState::new().hash_one(()) as u32,
        }))
    }

    /// How long it may serve what another instance has changed.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.0.lifeline.lease()
    }

    /// What tells it from those of other instances.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.0.tag
    }

    /// What a [load](crate::SessionStore::load) of these ids would answer, or has answered less than the lease ago; if
    /// it takes the store to tell, nothing.
    #[must_use]
    pub fn get(&self, ids: &[SessionId]) -> Option<Loaded> {
        let now = Instant::now();
        if !self.0.lifeline.holds(now) {
            return None;
        }
        let find = |(i, id)| Some((i, id, self.0.entries.get(id)?));
        let (passed, id, entry) = ids.iter().enumerate().find_map(find)?;
        if !entry.comes_after(&ids[..passed]) || self.is_stale(&entry.reading) {
            return None;
        }
        entry.load(id, now)
    }

    /// A load that is about to be sent.
    #[must_use]
    pub fn begin(&self) -> Reading {
        Reading {
            since: self.0.changes.load(SeqCst),
            began: Instant::now(),
        }
    }

    /// Keeps what a load of these ids has answered, if it was a live session and nothing has been told of it since.
    pub fn keep(&self, reading: Reading, ids: &[SessionId], loaded: &Loaded) {
        let live = ids
            .iter()
            .position(|id| matches!(loaded, Loaded::Live(live, _) if live == id));
        // What is over stays so, whoever told of it, or did not.
        ids[..live.unwrap_or(ids.len())].iter().for_each(|id| self.forget(id));
        let (Some(passed), Loaded::Live(id, record)) = (live, loaded) else {
            return;
        };
        let entry = Entry::new(record, reading, &ids[..passed]);
        let told = self.told(id);
        if *told <= reading.since && !self.is_stale(&reading) {
            self.0.entries.insert(*id, Arc::new(entry));
        }
    }

    /// A change of a session that this instance is about to make.
    pub const fn change(&self, id: &SessionId) -> NearChange<'_> {
        NearChange::new(self, Some(*id))
    }

    /// A change that this instance is about to make, of whatever session.
    pub const fn change_any(&self) -> NearChange<'_> {
        NearChange::new(self, None)
    }

    pub(super) fn changed_here(&self, id: &SessionId, update: &Update, version: Version) {
        let _told = self.tell(id);
        let entry = self.0.entries.peek(id);
        match entry.and_then(|entry| entry.after(update, version)) {
            Some(entry) => self.0.entries.insert(*id, Arc::new(entry)),
            None => drop(self.0.entries.remove(id)),
        }
    }

    pub(super) fn forget(&self, id: &SessionId) {
        let _told = self.tell(id);
        self.0.entries.remove(id);
    }

    pub(super) fn forget_before(&self, id: &SessionId, version: Version) {
        let _told = self.tell(id);
        if self.0.entries.peek(id).is_some_and(|entry| entry.version() < version) {
            self.0.entries.remove(id);
        }
    }

    /// Any session may have changed.
    pub fn clear(&self) {
        self.0.cleared.fetch_max(self.count(), SeqCst);
        self.0.entries.clear();
    }

    /// A link to what tells of changes, now that it stands; for stores.
    #[must_use = "dropping it says that the link is lost"]
    pub fn link(&self) -> NearLink {
        NearLink::new(self)
    }

    pub(super) fn link_up(&self) -> u64 {
        let number = self.0.lifeline.link_up();
        self.clear();
        number
    }

    pub(super) fn link_down(&self, number: u64) {
        if self.0.lifeline.link_down(number) {
            self.clear();
        }
    }

    pub(super) fn lifeline(&self) -> &Lifeline {
        &self.0.lifeline
    }

    /// Whether any session may have changed since.
    fn is_stale(&self, reading: &Reading) -> bool {
        reading.since < self.0.cleared.load(SeqCst)
    }

    /// Counts a change of a session.
    fn tell(&self, id: &SessionId) -> MutexGuard<'_, u64> {
        let mut told = self.told(id);
        *told = self.count();
        told
    }

    /// Counts a change. What was read before it has a lower count.
    fn count(&self) -> u64 {
        self.0.changes.fetch_add(1, SeqCst) + 1
    }

    fn told(&self, id: &SessionId) -> MutexGuard<'_, u64> {
        let [first, second, ..] = *id.as_bytes();
        let i = usize::from(u16::from_be_bytes([first, second])) % self.0.told.len();
        self.0.told[i].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for NearCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("NearCache");
        debug
            .field("lease", &self.lease())
            .field("sessions", &self.0.entries.len());
        debug.finish_non_exhaustive()
    }
}
