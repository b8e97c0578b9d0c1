use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{WatchLink, sessions::Sessions};
use crate::SessionId;

/// Where those wait who want to know when a session ends: one for each store and instance, which the store's clones
/// share. All clones are the same.
///
/// A store makes one, gives it out by [`SessionStore::watch`](crate::SessionStore::watch), and tells it what it hears
/// of changes through a [link](Self::link). Apps call [`until_ended`](crate::until_ended) or `Session::ended`.
#[derive(Clone, Default)]
pub struct Watch(pub(super) Arc<Mutex<Sessions>>);

impl Watch {
    /// A watch at which nobody waits, without a link.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A link to what announces changes, now that it stands; for stores. It is to be dropped when the link is lost.
    #[must_use = "dropping it says that the link is lost"]
    pub fn link(&self) -> WatchLink {
        WatchLink::new(self)
    }

    pub(super) fn link_up(&self) {
        self.sessions().link_up(Instant::now());
    }

    pub(super) fn link_down(&self) {
        self.sessions().link_down(Instant::now());
    }

    pub(super) fn ended(&self, id: &SessionId) {
        let waiting = self.sessions().end(id);
        // Not under the lock: what is woken may come here at once.
        waiting.into_iter().for_each(std::task::Waker::wake);
    }

    pub(super) fn renewed(&self, from: &SessionId, to: &SessionId) {
        self.sessions().renew(Instant::now(), from, to);
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
