use std::{fmt, time::Instant};

use super::NearCache;
use crate::{SessionId, Version};

/// A store's link to whatever tells it of changes, for its [`NearCache`]: while it stands, every change that another
/// instance makes is told through it.
///
/// Making one empties the cache, for anything may have changed before. Dropping it says that the link is lost: nothing
/// is served until there is another one.
pub struct NearLink {
    cache: NearCache,
    number: u64,
}

impl NearLink {
    pub(super) fn new(cache: &NearCache) -> Self {
        Self {
            cache: cache.clone(),
            number: cache.link_up(),
        }
    }

    /// Tells that a session has changed, or is over.
    pub fn changed(&self, id: &SessionId) {
        self.cache.forget(id);
    }

    /// Tells that a session has become this version, which this instance may know already.
    pub fn changed_to(&self, id: &SessionId, version: Version) {
        self.cache.forget_before(id, version);
    }

    /// Tells that any session may have changed.
    pub fn all_changed(&self) {
        self.cache.clear();
    }

    /// Tells that whatever was acknowledged before `sent` has been told: for a question that was sent then has been
    /// answered on the link, after all that the server had to tell.
    pub fn prove(&self, sent: Instant) {
        self.cache.lifeline().prove(self.number, sent);
    }

    /// Whether such a question is worth asking: somebody has lately read from the cache, or wanted to.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.cache.lifeline().is_wanted(Instant::now())
    }
}

impl Drop for NearLink {
    fn drop(&mut self) {
        self.cache.link_down(self.number);
    }
}

impl fmt::Debug for NearLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NearLink").field(&self.number).finish()
    }
}
